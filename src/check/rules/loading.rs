//! What a page makes a browser load.

use std::collections::BTreeSet;

use crate::check::facts::Role;
use crate::check::finding::{Finding, Place};
use crate::check::page::Page;
use crate::check::site::Site;

/// A browser refuses plain http on a secure page, or warns of it (W3C Mixed Content).
pub(super) fn mixed_content(page: &Page<'_>) -> Vec<Finding> {
    if !page.context.config.base_url.origin().starts_with("https:") {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let is_plain = |url: &str| url.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("http:"));
    let loaded = page.leads.iter().map(|(reference, _)| reference).filter(|r| matches!(r.role, Role::Shown | Role::Loaded) && is_plain(&r.url));
    loaded
        .filter(|reference| seen.insert(reference.url.as_str()))
        .map(|reference| {
            let message = format!("`{}` is loaded over plain http on a page that is not", reference.url);
            Finding::new(message, page.place_of_address(&reference.url)).hint("load it over https, or put the file on the site")
        })
        .collect()
}

pub(super) fn heavy_pages(site: &Site<'_>) -> Vec<Finding> {
    let limit = site.context.config.check.page_weight as u64 * 1000;
    let size = |number: usize| site.files.get(number).and_then(|file| Some(file.as_ref()?.size)).unwrap_or(0);
    let mut findings = Vec::new();
    for (number, kept) in site.pages().filter(|(_, kept)| kept.kind.is_templated()) {
        let weight = size(number) + kept.shown.iter().map(|n| size(*n)).sum::<u64>();
        if weight <= limit {
            continue;
        }
        let heaviest = kept.shown.iter().copied().chain([number]).max_by_key(|n| (size(*n), std::cmp::Reverse(*n))).unwrap_or(number);
        let place = site.bare(number).map_or(Place::Unknown, |page| page.place());
        let message = format!("this page weighs {} kB, of which {} are `{}`", weight / 1000, size(heaviest) / 1000, site.route(heaviest));
        findings.push(
            Finding::new(message, place)
                .on(site.route(number))
                .hint(format!("make the images smaller, or set `page_weight` in [check]; it is {} kB", limit / 1000)),
        );
    }
    findings
}
