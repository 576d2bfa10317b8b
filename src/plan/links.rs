//! What links lead to, and which lead nowhere.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::{Hidden, Node, PageId, Plan};
use crate::config::{BrokenLinks, Config};
use crate::diag::{Diagnostic, Report, nearest};
use crate::parse::{Doc, Link, Target, widen};
use crate::paths::{Route, SourcePath, percent_decode, resolve};

/// Whose links are looked at.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    pub doc: &'a Doc,
    pub route: &'a Route,
}

/// What a local path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// A file beside the article.
    Asset(Route),
    /// A path on the site; the text already starts with the site's prefix if `prefixed`.
    Absolute { known: bool, prefixed: bool },
    /// A path from the page's own address.
    Relative { known: bool },
}

impl Plan {
    /// Finds what a path in an article's link leads to.
    #[must_use]
    pub fn local(&self, path: &str, from: From<'_>, config: &Config) -> Local {
        let decoded = percent_decode(path);
        if decoded.starts_with('/') {
            if self.answers(&decoded) {
                return Local::Absolute { known: true, prefixed: false };
            }
            let prefix = config.base_url.prefix();
            let below = decoded.strip_prefix(prefix).filter(|rest| !prefix.is_empty() && (rest.is_empty() || rest.starts_with('/')));
            return match below {
                Some(rest) => Local::Absolute { known: rest.is_empty() || self.answers(rest), prefixed: true },
                None => Local::Absolute { known: false, prefixed: false },
            };
        }
        let beside = resolve(from.doc.source.parent(), &decoded).and_then(|p| SourcePath::new(&p).ok());
        if let Some(route) = beside.and_then(|p| self.assets.get(&p)) {
            return Local::Asset(route.clone());
        }
        let folder = from.route.as_str().rsplit_once('/').map_or("", |(dir, _)| dir);
        let slash = if decoded.ends_with('/') { "/" } else { "" };
        let known = decoded.is_empty() || resolve(folder, &decoded).is_some_and(|p| self.answers(&format!("/{p}{slash}")));
        Local::Relative { known }
    }

    /// Every article and section file with its route.
    fn docs(&self) -> impl Iterator<Item = From<'_>> {
        let pages = self.pages.iter().map(|p| From { doc: &p.doc, route: &p.route });
        let sections = self.sections.iter().filter_map(|s| Some(From { doc: s.doc.as_ref()?, route: &s.route }));
        pages.chain(sections)
    }

    /// The text that a page or section is made of.
    #[must_use]
    pub fn doc_of(&self, node: Node) -> Option<&Doc> {
        match node {
            Node::Page(id) => Some(&self.pages[id].doc),
            Node::Section(id) => self.sections[id].doc.as_deref(),
        }
    }

    /// The year of an article's date, as written.
    #[must_use]
    pub fn year(&self, id: PageId) -> Option<i16> {
        self.pages[id].doc.front.date.map(|d| d.civil.year())
    }
}

/// Warns of addresses in `site.toml` that nothing answers at.
pub(super) fn check_config(plan: &Plan, config: &Config, report: &mut Report) {
    let prefix = config.base_url.prefix();
    for url in config.menu.main.iter().chain(&config.menu.footer).map(|item| &item.url).chain([&config.author.url]) {
        if url.is_empty() {
            continue;
        }
        if url.starts_with("//") || url.starts_with('#') || url.split(['/', '?']).next().is_some_and(|start| start.contains(':')) {
            continue;
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let known = match path.strip_prefix("@/") {
            Some(source) => plan.node(&format!("content/{source}")).is_some(),
            None => {
                let rooted = format!("/{}", percent_decode(path.trim_start_matches('/')));
                plan.answers(&rooted) || (!prefix.is_empty() && rooted.strip_prefix(prefix).is_some_and(|rest| plan.answers(rest)))
            }
        };
        if !known {
            report.push(
                Diagnostic::warning(format!("nothing on the site answers at `{url}`")).in_file(crate::config::FILE).at_text(format!("\"{url}\"")),
            );
        }
    }
}

/// What an article's links come to.
#[derive(Default)]
struct Findings<'a> {
    problems: Vec<Diagnostic>,
    /// Local paths that nothing answers at, with their place.
    missing: Vec<(&'a str, &'a SourcePath, Range<u32>)>,
}

/// Reports links between articles that lead nowhere, and local paths that nothing answers for.
pub(super) fn check(plan: &Plan, config: &Config, report: &mut Report) {
    let docs: Vec<From<'_>> = plan.docs().collect();
    let findings: Vec<Findings<'_>> = docs.par_iter().map(|from| check_doc(plan, *from, config)).collect();
    // A target is told once, however often it is linked to.
    let mut missing: BTreeMap<&str, (usize, &SourcePath, Range<u32>)> = BTreeMap::new();
    for found in findings {
        found.problems.into_iter().for_each(|problem| report.push(problem));
        for (path, source, span) in found.missing {
            missing.entry(path).or_insert((0, source, span)).0 += 1;
        }
    }
    // What an article that cannot be read would have answered is not known.
    if plan.hidden.values().any(|h| *h == Hidden::Unreadable) {
        return;
    }
    for (path, (count, source, span)) in missing {
        let more = match count {
            1 => String::new(),
            n => format!(", in {n} places"),
        };
        report.push(Diagnostic::warning(format!("nothing on the site answers at `{path}`{more}")).in_file(source.as_str()).at(widen(&span)));
    }
}

/// Reports links to articles that lead nowhere, and nothing else.
pub(super) fn check_articles(plan: &Plan, config: &Config, report: &mut Report) {
    let docs: Vec<From<'_>> = plan.docs().collect();
    let problems: Vec<Diagnostic> = docs
        .par_iter()
        .flat_map_iter(|from| {
            from.doc.links.iter().filter_map(|link| match &link.target {
                Target::Article { path, fragment } => check_article(plan, *from, link, path, fragment.as_deref(), config),
                _ => None,
            })
        })
        .collect();
    report.extend(problems.into_iter().collect());
}

fn check_doc<'a>(plan: &'a Plan, from: From<'a>, config: &Config) -> Findings<'a> {
    let mut found = Findings::default();
    for link in &from.doc.links {
        match &link.target {
            Target::Article { path, fragment } => found.problems.extend(check_article(plan, from, link, path, fragment.as_deref(), config)),
            Target::Fragment(fragment) => found.problems.extend(check_own_fragment(from, link, fragment)),
            Target::Local { path, .. } => {
                let local = plan.local(path, from, config);
                if matches!(local, Local::Absolute { known: false, .. } | Local::Relative { known: false }) {
                    found.missing.push((path, &from.doc.source, link.span.clone()));
                }
            }
            Target::External(_) | Target::Scheme(_) | Target::Dead => {}
        }
    }
    found
}

fn level(config: &Config, message: String) -> Diagnostic {
    match config.markdown.broken_links {
        BrokenLinks::Error => Diagnostic::error(message),
        BrokenLinks::Warn => Diagnostic::warning(message),
    }
}

fn check_article(plan: &Plan, from: From<'_>, link: &Link, path: &str, fragment: Option<&str>, config: &Config) -> Option<Diagnostic> {
    let place = |d: Diagnostic| d.in_file(from.doc.source.as_str()).at(widen(&link.span));
    let source = SourcePath::new(path).ok();
    let Some(node) = plan.node(path) else {
        if source.as_ref().is_some_and(|s| plan.assets.contains_key(s)) {
            return None;
        }
        if let Some(hidden) = source.as_ref().and_then(|s| plan.hidden.get(s)) {
            let why = match hidden {
                Hidden::Draft => "is a draft, so it is not built without --drafts",
                Hidden::Future => "has a date in the future, so it is not built without --future",
                Hidden::Unreadable => return None,
                Hidden::Expired => "has expired, so it is not built",
            };
            return Some(place(level(config, format!("this link leads to `{path}`, which {why}"))));
        }
        let d = place(level(config, format!("this link leads to `{path}`, which is not there")));
        let bare = path.strip_prefix("content/").unwrap_or(path);
        return Some(match nearest(bare, plan.by_source.keys().filter(|s| **s != from.doc.source).filter_map(|s| s.below("content"))) {
            Some(name) => d.hint(format!("did you mean `content/{name}`?")),
            None => d,
        });
    };
    let fragment = percent_decode(fragment?);
    let doc = plan.doc_of(node);
    let anchors = || doc.into_iter().flat_map(Doc::fragments);
    if anchors().any(|a| a == fragment) {
        return None;
    }
    let d = place(level(config, format!("`{path}` has no part `#{fragment}`")));
    Some(match nearest(&fragment, anchors()) {
        Some(name) => d.hint(format!("did you mean `#{name}`?")),
        None => d,
    })
}

/// A template may bring ids of its own, so that a fragment which the article does not have is a warning only.
fn check_own_fragment(from: From<'_>, link: &Link, fragment: &str) -> Option<Diagnostic> {
    let fragment = percent_decode(fragment);
    if fragment.is_empty() || fragment == "top" || from.doc.fragments().any(|a| a == fragment) {
        return None;
    }
    let d = Diagnostic::warning(format!("this page has no part `#{fragment}`")).in_file(from.doc.source.as_str()).at(widen(&link.span));
    Some(d.suggest(&fragment, from.doc.fragments()))
}
