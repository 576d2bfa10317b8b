//! Rules about a page's head: language, title, description.

use std::collections::BTreeMap;

use crate::check::finding::{Finding, FindingLocation};
use crate::check::page::{Page, PageSummary};
use crate::check::page_kind::PageKind;
use crate::check::site::CheckedSite;

pub(super) fn missing_language(page: &Page<'_>) -> Vec<Finding> {
    if !page.kind.is_templated() || page.facts.language.is_some() {
        return Vec::new();
    }
    vec![
        Finding::new("this page has no language", page.template_location())
            .hint("write `<html lang=\"{{ site.language }}\">` in the template"),
    ]
}

pub(super) fn missing_title(page: &Page<'_>) -> Vec<Finding> {
    if !page.kind.is_templated() || page.facts.title.as_ref().is_some_and(|title| !title.is_empty())
    {
        return Vec::new();
    }
    vec![
        Finding::new("this page has no title", page.template_location())
            .hint("add a `<title>` with text to the template"),
    ]
}

pub(super) fn long_title(page: &Page<'_>) -> Vec<Finding> {
    let limit = page.context.config.check.title_max;
    let Some(title) = page.facts.title.as_deref().filter(|_| page.kind == PageKind::Authored)
    else {
        return Vec::new();
    };
    let shown = without_site_name(title, &page.context.config.title);
    let length = shown.chars().count();
    if length <= limit {
        return Vec::new();
    }
    let message = format!("this title has {length} characters; search engines show about {limit}");
    vec![
        Finding::new(message, page.key_location("title"))
            .hint(format!("shorten it, or raise `title_max` in [check] (now {limit})")),
    ]
}

/// A title without the site's name at its end, which may be cut off without harm.
fn without_site_name<'t>(title: &'t str, site: &str) -> &'t str {
    let Some(rest) = title.strip_suffix(site.trim()) else { return title };
    let title_part = rest.trim_end_matches(|c: char| c.is_whitespace() || "–—-|·:•".contains(c));
    if title_part.is_empty() { title } else { title_part }
}

pub(super) fn missing_description(page: &Page<'_>) -> Vec<Finding> {
    let has_description = page.facts.description.as_ref().is_some_and(|d| !d.is_empty());
    if page.kind != PageKind::Authored || page.facts.noindex || has_description {
        return Vec::new();
    }
    if page.route() == "/" {
        let place = FindingLocation::File(crate::config::FILE.to_owned());
        return vec![
            Finding::new("the front page has no description", place)
                .hint("set `description` in site.toml"),
        ];
    }
    let finding = match page.source() {
        Some(_) => Finding::new("this page has no description", page.location())
            .hint("add `description` to the front matter"),
        None => Finding::new(
            format!("the section {} has no description", page.route()),
            page.template_location(),
        )
        .hint("add an _index.md with a `description`, or write one in the template"),
    };
    vec![finding]
}

pub(super) fn long_description(page: &Page<'_>) -> Vec<Finding> {
    let limit = page.context.config.check.description_max;
    let length = page.facts.description.as_ref().map_or(0, |d| d.chars().count());
    if page.kind != PageKind::Authored || length <= limit {
        return Vec::new();
    }
    let message =
        format!("this description has {length} characters; search engines show about {limit}");
    let place = match page.route() {
        "/" => FindingLocation::Text(crate::config::FILE.to_owned(), "description".to_owned()),
        _ => page.key_location("description"),
    };
    vec![
        Finding::new(message, place)
            .hint(format!("shorten it, or raise `description_max` in [check] (now {limit})")),
    ]
}

pub(super) fn duplicate_titles(site: &CheckedSite<'_>) -> Vec<Finding> {
    duplicates(site, "title", |summary| summary.title.as_deref())
}

pub(super) fn duplicate_descriptions(site: &CheckedSite<'_>) -> Vec<Finding> {
    duplicates(site, "description", |summary| summary.description.as_deref())
}

/// A finding for every page whose value an earlier page has too. A page whose template does not
/// show its own value comes after those that do, and its template is named.
fn duplicates(
    site: &CheckedSite<'_>,
    what: &str,
    value: impl Fn(&PageSummary) -> Option<&str>,
) -> Vec<Finding> {
    let pages = site.pages().filter(|(_, page)| page.kind == PageKind::Authored && !page.noindex);
    let mut pages: Vec<(usize, &str, bool)> = pages
        .filter_map(|(number, summary)| {
            let text = value(summary).filter(|text| !text.is_empty())?;
            Some((number, text, !shows_own(site, number, what, text)))
        })
        .collect();
    pages.sort_by_key(|(number, _, is_from_template)| (*is_from_template, *number));
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for (number, text, is_from_template) in pages {
        let other = *first.entry(text).or_insert(number);
        if other == number {
            continue;
        }
        let Some(page) = site.page_without_html(number) else { continue };
        let message = format!("this {what} is the same as that of {}", site.route(other));
        let (location, hint) = if is_from_template {
            let block = if what == "title" { "title" } else { "meta" };
            let hint =
                format!("the template does not use `page.{what}`: give it a block `{block}`");
            (page.template_location(), hint)
        } else {
            let hint =
                format!("give each page its own {what}, so that readers can tell them apart");
            (page.key_location(what), hint)
        };
        findings.push(Finding::new(message, location).on(site.route(number)).hint(hint));
    }
    findings
}

/// Whether a page shows the title or description of its document. A page without one has none of
/// its own.
fn shows_own(site: &CheckedSite<'_>, number: usize, what: &str, shown: &str) -> bool {
    let page = site.page_without_html(number);
    let Some(doc) = page.as_ref().and_then(|page| page.doc()) else { return true };
    if site.route(number) == "/" {
        return true;
    }
    match what {
        "title" => shown.contains(doc.title.trim()),
        _ => shown == doc.front.description.as_deref().unwrap_or(&doc.lead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_site_does_not_count() {
        assert_eq!(without_site_name("Queues – Weighbridge", "Weighbridge"), "Queues");
        assert_eq!(without_site_name("Weighbridge", "Weighbridge"), "Weighbridge");
        assert_eq!(without_site_name("Queues", "Weighbridge"), "Queues");
    }
}
