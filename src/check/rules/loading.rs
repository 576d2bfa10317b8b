//! Rules about what a page makes browsers load.

use std::collections::BTreeSet;

use crate::check::facts::Role;
use crate::check::finding::{Finding, FindingLocation};
use crate::check::page::Page;
use crate::check::site::CheckedSite;

/// Plain http on a page served over https, which browsers block or warn about (W3C Mixed Content).
pub(super) fn mixed_content(page: &Page<'_>) -> Vec<Finding> {
    if !page.context.config.base_url.origin().starts_with("https:") {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let is_plain =
        |url: &str| url.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("http:"));
    let loaded = page
        .references
        .iter()
        .map(|(reference, _)| reference)
        .filter(|r| matches!(r.role, Role::Loaded | Role::MayBeLoaded) && is_plain(&r.url));
    loaded
        .filter(|reference| seen.insert(reference.url.as_str()))
        .map(|reference| {
            let message =
                format!("`{}` is loaded over http on a page served over https", reference.url);
            Finding::new(message, page.url_location(&reference.url))
                .hint("load it over https, or add the file to the site")
        })
        .collect()
}

/// Pages that are heavier than `page_weight` with everything they load.
pub(super) fn heavy_pages(site: &CheckedSite<'_>) -> Vec<Finding> {
    let limit = site.context.config.check.page_weight as u64 * 1000;
    let size = |number: usize| {
        site.files.get(number).and_then(|file| Some(file.as_ref()?.size)).unwrap_or(0)
    };
    let mut findings = Vec::new();
    for (number, summary) in site.pages().filter(|(_, summary)| summary.kind.is_templated()) {
        let weight = size(number) + summary.loaded.iter().map(|n| size(*n)).sum::<u64>();
        if weight <= limit {
            continue;
        }
        let heaviest = summary
            .loaded
            .iter()
            .copied()
            .chain([number])
            .max_by_key(|n| (size(*n), std::cmp::Reverse(*n)))
            .unwrap_or(number);
        let location = site
            .page_without_html(number)
            .map_or(FindingLocation::Generated, |page| page.location());
        let message = format!(
            "this page weighs {} kB, of which {} kB are `{}`",
            weight / 1000,
            size(heaviest) / 1000,
            site.route(heaviest)
        );
        findings.push(Finding::new(message, location).on(site.route(number)).hint(format!(
            "make its files smaller, or raise `page_weight` in [check] (now {} kB)",
            limit / 1000
        )));
    }
    findings
}
