//! The rules, one small function each, in a file per subject.
//!
//! A rule about a page sees that page only; a rule about the site sees the summaries of all pages.
//! A rule does not know its own level, which the site configures ([`crate::config::Checks`]).

mod ads;
mod copied_file;
mod feeds;
mod head;
mod headings;
mod images;
mod json_ld;
mod links;
mod loading;
mod sitemaps;
mod structure;
mod terms;

use super::finding::Finding;
use super::page::Page;
use super::site::CheckedSite;
use crate::config::checks::Level;

/// A rule of `folio check`.
pub struct Rule {
    /// Its key in `[check]`.
    pub name: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    scope: RuleScope,
}

/// What a rule checks.
#[derive(Clone, Copy)]
enum RuleScope {
    /// Each page, while its HTML is in memory.
    OnPage(fn(&Page<'_>) -> Vec<Finding>),
    /// The whole site, after every page was visited.
    OnSite(fn(&CheckedSite<'_>) -> Vec<Finding>),
    /// Links to other hosts, with `--external`.
    External,
}

use RuleScope::{External, OnPage, OnSite};

/// A finding, with the name and level of its rule.
pub(super) type RuleFinding = (&'static str, Level, Finding);

/// The rule about links to other hosts.
pub(super) const EXTERNAL: &str = "external-link";

/// Every rule, by name.
pub const RULES: &[Rule] = &[
    rule(
        "broken-fragment",
        "a link to an anchor that its target does not have",
        OnSite(links::broken_fragments),
    ),
    rule(
        "broken-link",
        "a link to a path of the site that does not exist",
        OnPage(links::broken_links),
    ),
    rule(
        "duplicate-description",
        "two articles or sections with the same description",
        OnSite(head::duplicate_descriptions),
    ),
    rule(
        "duplicate-title",
        "two articles or sections with the same title",
        OnSite(head::duplicate_titles),
    ),
    rule(EXTERNAL, "with `--external`: a link to another host that does not work", External),
    rule(
        "heavy-page",
        "a page heavier than `page_weight` with the style sheets, scripts and images it loads",
        OnSite(loading::heavy_pages),
    ),
    rule("image-without-alt", "an image without alternative text", OnPage(images::without_alt)),
    rule(
        "image-without-size",
        "an image without width and height, which shifts the page when it is loaded",
        OnPage(images::without_size),
    ),
    rule("invalid-feed", "a feed that is not valid", OnSite(feeds::invalid)),
    rule(
        "invalid-json-ld",
        "structured data that is not valid JSON-LD, or lacks what its type needs",
        OnPage(json_ld::invalid),
    ),
    rule(
        "invalid-sitemap",
        "a sitemap that is not valid, or lists what does not exist",
        OnSite(sitemaps::invalid),
    ),
    rule(
        "long-description",
        "a description longer than `description_max`",
        OnPage(head::long_description),
    ),
    rule(
        "long-title",
        "a title longer than `title_max`, without the site's name at its end",
        OnPage(head::long_title),
    ),
    rule(
        "missing-asset",
        "an image, style sheet, script or other file that a page needs and that does not exist",
        OnPage(links::missing_assets),
    ),
    rule(
        "missing-description",
        "an article or section without a description",
        OnPage(head::missing_description),
    ),
    rule("missing-language", "a page without a language", OnPage(head::missing_language)),
    rule("missing-title", "a page without a title", OnPage(head::missing_title)),
    rule(
        "mixed-content",
        "a page served over https that loads something over http",
        OnPage(loading::mixed_content),
    ),
    rule("orphan", "an article or section that no page links to", OnSite(structure::orphans)),
    rule(
        "placeholder-ad",
        "an ad slot without an ad on a site that is deployed",
        OnSite(ads::placeholders),
    ),
    rule(
        "shadowed-alias",
        "a rule of `_redirects` that hides a page, or that a page or an alias hides",
        OnSite(structure::shadowed_aliases),
    ),
    rule(
        "similar-term",
        "two terms that differ in letter case, or as singular and plural",
        OnSite(terms::similar),
    ),
    rule(
        "skipped-heading",
        "a heading more than one level below the one before it",
        OnPage(headings::skipped),
    ),
    rule(
        "unknown-language",
        "a code block in a language without a grammar",
        OnSite(structure::unknown_languages),
    ),
];

const fn rule(name: &'static str, summary: &'static str, scope: RuleScope) -> Rule {
    Rule { name, summary, scope }
}

/// The findings of the rules about pages.
pub(super) fn on_page(page: &Page<'_>) -> Vec<RuleFinding> {
    apply_rules(page.context.config, |scope| match scope {
        OnPage(rule) => rule(page).into_iter().map(|finding| finding.on(page.route())).collect(),
        _ => Vec::new(),
    })
}

/// The findings of the rules about the whole site.
pub(super) fn on_site(site: &CheckedSite<'_>) -> Vec<RuleFinding> {
    apply_rules(site.context.config, |scope| match scope {
        OnSite(rule) => rule(site),
        _ => Vec::new(),
    })
}

fn apply_rules(
    config: &crate::config::Config,
    apply: impl Fn(RuleScope) -> Vec<Finding>,
) -> Vec<RuleFinding> {
    let level =
        |rule: &Rule| Some(config.check.level(rule.name)).filter(|level| *level != Level::Off);
    let enabled = RULES.iter().filter_map(|rule| Some((rule, level(rule)?)));
    enabled
        .flat_map(|(rule, level)| {
            apply(rule.scope).into_iter().map(move |finding| (rule.name, level, finding))
        })
        .collect()
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
