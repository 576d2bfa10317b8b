//! Rules about how pages are connected.

use std::collections::BTreeSet;

use crate::check::finding::{Finding, FindingLocation};
use crate::check::page_kind::PageKind;
use crate::check::site::CheckedSite;
use crate::host_rules::Precedence;
use crate::plan::{self, CopyFrom, JobKind};

/// Pages that no other page links to.
pub(super) fn orphans(site: &CheckedSite<'_>) -> Vec<Finding> {
    // A page that could not be rendered may contain the link.
    if site.context.plan.is_incomplete() || site.files.iter().any(Option::is_none) {
        return Vec::new();
    }
    let mut linked = BTreeSet::new();
    for (number, summary) in site.pages().filter(|(_, summary)| summary.kind != PageKind::Redirect)
    {
        linked.extend(summary.links.iter().copied().filter(|target| *target != number));
    }
    let authored =
        site.pages().filter(|(_, summary)| summary.kind == PageKind::Authored && !summary.noindex);
    authored
        .filter(|(number, _)| site.route(*number) != "/" && !linked.contains(number))
        .map(|(number, _)| {
            let location = site
                .page_without_html(number)
                .map_or(FindingLocation::Generated, |page| page.location());
            let message = format!("no page links to {}", site.route(number));
            Finding::new(message, location).on(site.route(number)).hint(
                "link to it from another page or the menu; articles with a `date` are listed \
                     automatically",
            )
        })
        .collect()
}

/// Languages of code blocks without a grammar, as a build reports them.
pub(super) fn unknown_languages(site: &CheckedSite<'_>) -> Vec<Finding> {
    let report = plan::unknown_languages(site.context.plan);
    let finding = |d: &crate::diag::Diagnostic| {
        let location = match (&d.file, d.span()) {
            (Some(file), Some(span)) => FindingLocation::at(file, span),
            (Some(file), None) => FindingLocation::File(file.clone()),
            (None, _) => FindingLocation::Generated,
        };
        Finding { message: d.message.clone(), hint: d.hint.clone(), location, route: None }
    };
    report.items().iter().map(finding).collect()
}

/// Lines of `_redirects` that conflict with pages. Hosts prefer an existing file to such a line,
/// unless the line ends in `!`: then the file is never served.
pub(super) fn shadowed_aliases(site: &CheckedSite<'_>) -> Vec<Finding> {
    let context = site.context;
    let source =
        context.jobs.iter().find(|(out, _)| out.as_str() == "_redirects").and_then(|(_, job)| {
            match &job.kind {
                JobKind::Copy(CopyFrom::Site(source)) => Some(source.to_string()),
                _ => None,
            }
        });
    let Some(source) = source else { return Vec::new() };
    let mut findings = Vec::new();
    for rule in &context.redirects {
        let location = || FindingLocation::Text(source.clone(), rule.from.clone());
        let existing = || {
            context
                .job_at(&crate::paths::percent_decode(&rule.from))
                .map(|number| (number, &context.jobs[number].1.kind))
        };
        if rule.precedence == Precedence::BeforeFiles {
            let hidden =
                site.pages().find(|(number, _)| rule.target(site.route(*number)).is_some());
            if let Some((number, _)) = hidden {
                let message = format!("this rule hides the page {}", site.route(number));
                findings.push(
                    Finding::new(message, location()).hint("remove the `!`, or move the page"),
                );
            }
        } else if let Some((number, kind)) = existing() {
            let what = match kind {
                JobKind::Redirect { from, .. } => format!("the alias in {from}"),
                _ => format!("the page {}", site.route(number)),
            };
            findings.push(
                Finding::new(
                    format!("this rule never applies: {what} has the same path"),
                    location(),
                )
                .hint("remove one of the two"),
            );
        }
    }
    findings
}
