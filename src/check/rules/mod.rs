//! The rules, one small function each, by family.
//!
//! A rule about a page sees the page and nothing that it links to; a rule about the site sees what was kept of every
//! page. Neither knows its own level: that is the site's to say ([`crate::config::Checks`]).

pub(super) mod feeds;
mod head;
mod headings;
mod images;
mod json_ld;
mod links;
mod loading;
pub(super) mod sitemaps;
mod structure;

use super::finding::Finding;
use super::page::Page;
use super::site::{Found, Site};
use crate::config::checks::Level;

/// A rule of `folio check`.
pub struct Rule {
    /// Its key in `[check]`.
    pub name: &'static str,
    /// What it looks for, in a line.
    pub summary: &'static str,
    look: Look,
}

/// When a rule looks, and with what.
#[derive(Clone, Copy)]
enum Look {
    /// At each page, while its HTML is there.
    Page(fn(&Page<'_>) -> Vec<Finding>),
    /// At the whole site, once every page has been looked at.
    Site(fn(&Site<'_>) -> Vec<Finding>),
    /// At other hosts, when asked to.
    Outside,
}

use Look::{Outside, Page as OnPage, Site as OnSite};

/// The rule about links to other hosts.
pub(super) const EXTERNAL: &str = "external-link";

/// Every rule, by name.
pub const RULES: &[Rule] = &[
    rule("broken-fragment", "a link to a part of a page that the page does not have", OnSite(links::broken_fragments)),
    rule("broken-link", "a link to a path of the site that nothing answers at", OnPage(links::broken_links)),
    rule("duplicate-description", "two articles or sections with the same description", OnSite(head::duplicate_descriptions)),
    rule("duplicate-title", "two articles or sections with the same title", OnSite(head::duplicate_titles)),
    rule(EXTERNAL, "with `--external`: a link to another host that does not work", Outside),
    rule("heavy-page", "a page heavier than `page_weight` with the style sheets, scripts and images that it shows", OnSite(loading::heavy_pages)),
    rule("image-without-alt", "an image without a text that stands for it", OnPage(images::without_alt)),
    rule("image-without-size", "an image without width and height, which moves the text when it comes", OnPage(images::without_size)),
    rule("invalid-feed", "a feed that feed readers cannot read", OnSite(feeds::invalid)),
    rule("invalid-json-ld", "structured data that is no JSON-LD, or lacks what its type needs", OnPage(json_ld::invalid)),
    rule("invalid-sitemap", "a sitemap that cannot be read, or that lists what is not there", OnSite(sitemaps::invalid)),
    rule("long-description", "a description longer than `description_max`", OnPage(head::long_description)),
    rule("long-title", "a title longer than `title_max`, without the site's name at its end", OnPage(head::long_title)),
    rule("missing-asset", "an image, style sheet, script or other file that a page needs and nothing makes", OnPage(links::missing_assets)),
    rule("missing-description", "an article or section without a description", OnPage(head::missing_description)),
    rule("missing-language", "a page that does not say what language it is in", OnPage(head::missing_language)),
    rule("missing-title", "a page without a title", OnPage(head::missing_title)),
    rule("mixed-content", "a page published over https that loads something over plain http", OnPage(loading::mixed_content)),
    rule("orphan", "an article or section that no page links to", OnSite(structure::orphans)),
    rule("shadowed-alias", "a line of `_redirects` that hides a page, or that a page or an alias hides", OnSite(structure::shadowed_aliases)),
    rule("skipped-heading", "a heading more than one level below the one before it", OnPage(headings::skipped)),
    rule("unknown-language", "code in a language that has no grammar", OnSite(structure::unknown_languages)),
];

const fn rule(name: &'static str, summary: &'static str, look: Look) -> Rule {
    Rule { name, summary, look }
}

/// What the rules about pages find on one.
pub(super) fn on_page(page: &Page<'_>) -> Vec<Found> {
    run(page.context.config, |look| match look {
        OnPage(rule) => rule(page).into_iter().map(|finding| finding.on(page.route())).collect(),
        _ => Vec::new(),
    })
}

/// What the rules about the whole site find.
pub(super) fn on_site(site: &Site<'_>) -> Vec<Found> {
    run(site.context.config, |look| match look {
        OnSite(rule) => rule(site),
        _ => Vec::new(),
    })
}

fn run(config: &crate::config::Config, apply: impl Fn(Look) -> Vec<Finding>) -> Vec<Found> {
    let level = |rule: &Rule| Some(config.check.level(rule.name)).filter(|level| *level != Level::Off);
    let enabled = RULES.iter().filter_map(|rule| Some((rule, level(rule)?)));
    enabled.flat_map(|(rule, level)| apply(rule.look).into_iter().map(move |finding| (rule.name, level, finding))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Checks;

    #[test]
    fn every_rule_has_a_level_and_every_level_a_rule() {
        let names: Vec<&str> = RULES.iter().map(|r| r.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        let mut levels = Checks::NAMES.to_vec();
        levels.sort_unstable();
        assert_eq!(names, levels);
    }
}
