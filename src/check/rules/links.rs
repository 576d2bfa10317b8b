//! Links and files within the site.

use std::collections::BTreeSet;

use crate::check::address::Lead;
use crate::check::context::Articles;
use crate::check::facts::Role;
use crate::check::finding::Finding;
use crate::check::page::{Kind, Page};
use crate::check::site::Site;
use crate::diag::nearest;
use crate::parse::Target;

pub(super) fn broken_links(page: &Page<'_>) -> Vec<Finding> {
    dead(page, |role| role == Role::Link)
        .map(|address| {
            Finding::new(format!("nothing on the site answers at `{address}`"), page.place_of_address(address)).hint(
                match page.context.near(address) {
                    Some(route) => format!("did you mean `{route}`?"),
                    None => "correct the address, or add the page".to_owned(),
                },
            )
        })
        .collect()
}

pub(super) fn missing_assets(page: &Page<'_>) -> Vec<Finding> {
    dead(page, |role| role != Role::Link)
        .map(|address| {
            Finding::new(format!("the file `{address}` is not there"), page.place_of_address(address))
                .hint("put it beside the article or under static/, or correct the address")
        })
        .collect()
}

/// The addresses of a page that lead nowhere on the site, each once.
fn dead<'p>(page: &'p Page<'_>, wanted: impl Fn(Role) -> bool + 'p) -> impl Iterator<Item = &'p str> {
    let mut seen = BTreeSet::new();
    // What an article that cannot be read would have answered at is not known.
    let known = page.context.articles == Articles::All && page.kind != Kind::Redirect;
    let dead = page.leads.iter().filter(move |(reference, lead)| known && *lead == Lead::Nowhere && wanted(reference.role));
    dead.map(|(reference, _)| reference.url.as_str()).filter(move |address| seen.insert(*address))
}

pub(super) fn broken_fragments(site: &Site<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, kept) in site.pages() {
        let mut seen = BTreeSet::new();
        for (address, target, fragment) in kept.fragments.iter().filter(|(address, ..)| seen.insert(address.as_str())) {
            let Some(ids) = site.page(*target).map(|page| &page.ids) else { continue };
            // `#top` is the top of any page, and `:~:` starts a search for words, which names no part (WHATWG HTML §7.4.6.4).
            let name = fragment.split(":~:").next().unwrap_or_default();
            if name.is_empty() || name.eq_ignore_ascii_case("top") || ids.binary_search_by(|id| id.as_str().cmp(name)).is_ok() {
                continue;
            }
            let Some(page) = site.bare(number) else { continue };
            // A part of an article that is linked to by its file was looked for when the site was planned.
            if page.links(address).any(|link| matches!(link.target, Target::Article { .. })) {
                continue;
            }
            let message = if *target == number {
                format!("this page has no part `#{name}`")
            } else {
                format!("the page {} has no part `#{name}`", site.route(*target))
            };
            let finding = Finding::new(message, page.place_of_address(address)).on(site.route(number));
            findings.push(match nearest(name, ids.iter().map(String::as_str)) {
                Some(id) => finding.hint(format!("did you mean `#{id}`?")),
                None => finding.hint("link to the id of a heading, or to the page as a whole"),
            });
        }
    }
    findings
}
