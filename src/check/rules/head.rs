//! What stands in a page's head: language, title, description.

use std::collections::BTreeMap;

use crate::check::facts::Indexing;
use crate::check::finding::{Finding, Place};
use crate::check::page::{Kept, Kind, Page};
use crate::check::site::Site;

pub(super) fn missing_language(page: &Page<'_>) -> Vec<Finding> {
    if !page.kind.is_templated() || page.facts.language.is_some() {
        return Vec::new();
    }
    vec![
        Finding::new("this page does not say what language it is in", page.place_of_template())
            .hint("write <html lang=\"{{ site.language }}\"> in the template"),
    ]
}

pub(super) fn missing_title(page: &Page<'_>) -> Vec<Finding> {
    if !page.kind.is_templated() || page.facts.title.as_ref().is_some_and(|title| !title.is_empty()) {
        return Vec::new();
    }
    vec![Finding::new("this page has no title", page.place_of_template()).hint("give the template a <title> that is not empty")]
}

pub(super) fn long_title(page: &Page<'_>) -> Vec<Finding> {
    let limit = page.context.config.check.title_max;
    let Some(title) = page.facts.title.as_deref().filter(|_| page.kind == Kind::Written) else { return Vec::new() };
    let own = without_site_name(title, &page.context.config.title);
    let length = own.chars().count();
    if length <= limit {
        return Vec::new();
    }
    let message = format!("this title has {length} characters, {} more than fit where search engines show it", length - limit);
    vec![Finding::new(message, page.place_of_key("title")).hint(format!("at most {limit}, or set `title_max` in [check]"))]
}

/// A title without the site's name behind it, which may be cut off without harm.
fn without_site_name<'t>(title: &'t str, site: &str) -> &'t str {
    let Some(rest) = title.strip_suffix(site.trim()) else { return title };
    let own = rest.trim_end_matches(|c: char| c.is_whitespace() || "–—-|·:•".contains(c));
    if own.is_empty() { title } else { own }
}

pub(super) fn missing_description(page: &Page<'_>) -> Vec<Finding> {
    let given = page.facts.description.as_ref().is_some_and(|d| !d.is_empty());
    if page.kind != Kind::Written || page.facts.indexing == Indexing::Refused || given {
        return Vec::new();
    }
    if page.route() == "/" {
        let place = Place::File(crate::config::FILE.to_owned());
        return vec![Finding::new("the front page has no description", place).hint("set `description` in site.toml")];
    }
    let finding = match page.source() {
        Some(_) => Finding::new("this page has no description", page.place()).hint("add `description` to the front matter"),
        None => Finding::new(format!("the section {} has no description", page.route()), page.place_of_template())
            .hint("give it an _index.md with a `description`, or write it in the template"),
    };
    vec![finding]
}

pub(super) fn long_description(page: &Page<'_>) -> Vec<Finding> {
    let limit = page.context.config.check.description_max;
    let length = page.facts.description.as_ref().map_or(0, |d| d.chars().count());
    if page.kind != Kind::Written || length <= limit {
        return Vec::new();
    }
    let message = format!("this description has {length} characters, {} more than search engines show", length - limit);
    let place = match page.route() {
        "/" => Place::Text(crate::config::FILE.to_owned(), "description".to_owned()),
        _ => page.place_of_key("description"),
    };
    vec![Finding::new(message, place).hint(format!("at most {limit}, or set `description_max` in [check]"))]
}

pub(super) fn duplicate_titles(site: &Site<'_>) -> Vec<Finding> {
    duplicates(site, "title", |kept| kept.title.as_deref())
}

pub(super) fn duplicate_descriptions(site: &Site<'_>) -> Vec<Finding> {
    duplicates(site, "description", |kept| kept.description.as_deref())
}

/// The pages whose value another has as well: each but the first, with the first named.
fn duplicates(site: &Site<'_>, what: &str, value: impl Fn(&Kept) -> Option<&str>) -> Vec<Finding> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for (number, kept) in site.pages().filter(|(_, kept)| kept.kind == Kind::Written && kept.indexing == Indexing::Allowed) {
        let Some(text) = value(kept).filter(|text| !text.is_empty()) else { continue };
        let other = *first.entry(text).or_insert(number);
        if other == number {
            continue;
        }
        let Some(page) = site.bare(number) else { continue };
        let message = format!("this {what} is that of {} too", site.route(other));
        let finding = Finding::new(message, page.place_of_key(what)).on(site.route(number));
        findings.push(finding.hint(format!("give each page a {what} of its own, so that readers can tell them apart")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sites_name_does_not_count() {
        assert_eq!(without_site_name("Queues – Weighbridge", "Weighbridge"), "Queues");
        assert_eq!(without_site_name("Weighbridge", "Weighbridge"), "Weighbridge");
        assert_eq!(without_site_name("Queues", "Weighbridge"), "Queues");
    }
}
