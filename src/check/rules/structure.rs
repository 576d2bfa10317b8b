//! How pages hang together.

use std::collections::BTreeSet;

use crate::check::context::Articles;
use crate::check::facts::Indexing;
use crate::check::finding::{Finding, Place};
use crate::check::page::Kind;
use crate::check::site::Site;
use crate::plan::{self, CopyFrom, JobKind};
use crate::rules::Force;

/// Pages that can be reached only by who knows their address: through the sitemap or a feed, perhaps, but from no page.
pub(super) fn orphans(site: &Site<'_>) -> Vec<Finding> {
    // A page that could not be rendered might have held the link.
    if site.context.articles == Articles::Some || site.files.iter().any(Option::is_none) {
        return Vec::new();
    }
    let mut linked = BTreeSet::new();
    for (number, kept) in site.pages().filter(|(_, kept)| kept.kind != Kind::Redirect) {
        linked.extend(kept.links.iter().copied().filter(|target| *target != number));
    }
    let written = site.pages().filter(|(_, kept)| kept.kind == Kind::Written && kept.indexing == Indexing::Allowed);
    written
        .filter(|(number, _)| site.route(*number) != "/" && !linked.contains(number))
        .map(|(number, _)| {
            let place = site.bare(number).map_or(Place::Unknown, |page| page.place());
            let message = format!("no page links to {}", site.route(number));
            Finding::new(message, place)
                .on(site.route(number))
                .hint("link to it from another page or the menu; a `date` puts an article into the site's own lists")
        })
        .collect()
}

/// The languages of code without a grammar, as a build tells them.
pub(super) fn unknown_languages(site: &Site<'_>) -> Vec<Finding> {
    let report = plan::unknown_languages(site.context.plan);
    let finding = |d: &crate::diag::Diagnostic| {
        let place = match (&d.file, &d.span) {
            (Some(file), Some(span)) => Place::at(file, span.clone()),
            (Some(file), None) => Place::File(file.clone()),
            (None, _) => Place::Unknown,
        };
        Finding { message: d.message.clone(), hint: d.hint.clone(), place, route: None }
    };
    report.items().iter().map(finding).collect()
}

/// Hosts serve a file before a line of `_redirects`, unless the line ends in `!`: then the file is never seen. (That an
/// alias is another page's address is an error of the plan itself.)
pub(super) fn shadowed_aliases(site: &Site<'_>) -> Vec<Finding> {
    let context = site.context;
    let source = context.jobs.iter().find(|(out, _)| out.as_str() == "_redirects").and_then(|(_, job)| match &job.kind {
        JobKind::Copy(CopyFrom::Site(source)) => Some(source.to_string()),
        _ => None,
    });
    let Some(source) = source else { return Vec::new() };
    let mut findings = Vec::new();
    for rule in &context.redirects {
        let place = || Place::Text(source.clone(), rule.from.clone());
        let at = || context.job_at(&crate::paths::percent_decode(&rule.from)).map(|number| (number, &context.jobs[number].1.kind));
        if rule.force == Force::Before {
            let hidden = site.pages().find(|(number, _)| rule.applied(site.route(*number)).is_some());
            if let Some((number, _)) = hidden {
                let message = format!("this line hides the page {}", site.route(number));
                findings.push(Finding::new(message, place()).hint("take away the `!`, or move the page"));
            }
        } else if let Some((number, kind)) = at() {
            let what = match kind {
                JobKind::Redirect { from, .. } => format!("the alias in {from}"),
                _ => format!("the page {}", site.route(number)),
            };
            findings.push(Finding::new(format!("this line is never followed: {what} answers first"), place()).hint("remove one of the two"));
        }
    }
    findings
}
