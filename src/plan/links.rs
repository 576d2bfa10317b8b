//! What links lead to, and which of them are broken.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use rayon::prelude::*;

use super::model::{Hidden, JobKind, Node, PageId, Plan};
use crate::config::{BrokenLinks, Config};
use crate::diag::{Diagnostic, MAX_SUGGESTIONS, Report, nearest};
use crate::parse::{Doc, Link, Target, widen};
use crate::paths::{Route, SourcePath, percent_decode, resolve};

/// The article or section whose link is resolved.
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
    /// A path of the site. If `prefixed`, the text has the prefix of the base URL already.
    Absolute { known: bool, prefixed: bool },
    /// A path relative to the page.
    Relative { known: bool },
}

impl Plan {
    /// Resolves the path of a link.
    #[must_use]
    pub fn local(&self, path: &str, from: From<'_>, config: &Config) -> Local {
        let decoded = percent_decode(path);
        if decoded.starts_with('/') {
            if self.answers(&decoded) {
                return Local::Absolute { known: true, prefixed: false };
            }
            let prefix = config.base_url.prefix();
            let below = decoded
                .strip_prefix(prefix)
                .filter(|rest| !prefix.is_empty() && (rest.is_empty() || rest.starts_with('/')));
            return match below {
                Some(rest) => {
                    Local::Absolute { known: rest.is_empty() || self.answers(rest), prefixed: true }
                }
                None => Local::Absolute { known: false, prefixed: false },
            };
        }
        let beside =
            resolve(from.doc.source.parent(), &decoded).and_then(|p| SourcePath::new(&p).ok());
        if let Some(route) = beside.and_then(|p| self.assets.get(&p)) {
            return Local::Asset(route.clone());
        }
        let folder = from.route.as_str().rsplit_once('/').map_or("", |(dir, _)| dir);
        let slash = if decoded.ends_with('/') { "/" } else { "" };
        let known = decoded.is_empty()
            || resolve(folder, &decoded).is_some_and(|p| self.answers(&format!("/{p}{slash}")));
        Local::Relative { known }
    }

    /// Every article and section file with its route.
    fn linking_docs(&self) -> impl Iterator<Item = From<'_>> {
        let pages = self.pages.iter().map(|p| From { doc: &p.doc, route: &p.route });
        let sections = self
            .sections
            .iter()
            .filter_map(|s| Some(From { doc: s.doc.as_deref()?, route: &s.route }));
        let terms = self.term_texts.iter().map(|t| From { doc: &t.doc, route: &t.route });
        pages.chain(sections).chain(terms)
    }

    /// The document of a page or section.
    #[must_use]
    pub fn doc_of(&self, node: Node) -> Option<&Doc> {
        match node {
            Node::Page(id) => Some(&self.pages[id].doc),
            Node::Section(id) => self.sections[id].doc.as_deref(),
            Node::Term(id) => Some(&self.term_texts[id].doc),
        }
    }

    /// The year of an article's date, as written.
    #[must_use]
    pub fn year(&self, id: PageId) -> Option<i16> {
        self.pages[id].doc.front.date.map(|d| d.civil.year())
    }
}

/// Warns about URLs in `site.toml` that do not exist on the site.
pub(super) fn check_config(plan: &Plan, config: &Config, report: &mut Report) {
    let prefix = config.base_url.prefix();
    for url in config.urls() {
        if url.is_empty() {
            continue;
        }
        if url.starts_with("//")
            || url.starts_with('#')
            || url.split(['/', '?']).next().is_some_and(|start| start.contains(':'))
        {
            continue;
        }
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let known = match path.strip_prefix("@/") {
            Some(source) => plan.node(&format!("content/{source}")).is_some(),
            None => {
                let rooted = format!("/{}", percent_decode(path.trim_start_matches('/')));
                plan.answers(&rooted)
                    || (!prefix.is_empty()
                        && rooted.strip_prefix(prefix).is_some_and(|rest| plan.answers(rest)))
            }
        };
        if !known && !plan.may_lack(path, config) {
            report.push(
                Diagnostic::warning(format!("`{url}` does not exist on this site"))
                    .in_file(crate::config::FILE)
                    .at_text(format!("\"{url}\"")),
            );
        }
    }
}

/// The result of checking an article's links.
#[derive(Default)]
struct Findings<'a> {
    problems: Vec<LinkProblem<'a>>,
    /// Local paths that do not exist, with whether a page loads them, and their locations.
    missing: Vec<((&'a str, bool), &'a SourcePath, Range<u32>)>,
}

/// A broken link, and what could be suggested instead.
struct LinkProblem<'a> {
    diagnostic: Diagnostic,
    suggestion: Option<Suggestion<'a>>,
}

/// What a similar name is looked for among.
enum Suggestion<'a> {
    /// The files of `content/`, except that of the article itself.
    Article { given: &'a str, own: &'a SourcePath },
    /// The anchors of an article.
    Anchor { given: String, doc: Option<&'a Doc> },
}

impl LinkProblem<'_> {
    /// The diagnostic, with a suggestion if any are left.
    fn into_diagnostic(self, plan: &Plan, suggestions: &mut usize) -> Diagnostic {
        let Some(suggestion) = self.suggestion.filter(|_| *suggestions > 0) else {
            return self.diagnostic;
        };
        *suggestions -= 1;
        let near = match suggestion {
            Suggestion::Article { given, own } => {
                // The name of a section's file is similar to any short name.
                let is_index = |name: &str| name.ends_with("_index.md");
                let others = plan.by_source.keys().filter(|source| {
                    *source != own && is_index(source.as_str()) == is_index(given)
                });
                nearest(given, others.filter_map(|source| source.below("content")))
                    .map(|name| format!("content/{name}"))
            }
            Suggestion::Anchor { given, doc } => {
                nearest(&given, doc.into_iter().flat_map(Doc::fragments)).map(|a| format!("#{a}"))
            }
        };
        match near {
            Some(name) => self.diagnostic.hint(format!("did you mean `{name}`?")),
            None => self.diagnostic,
        }
    }
}

/// Reports broken links between articles, and local paths that do not exist.
pub(super) fn check(plan: &Plan, config: &Config, report: &mut Report) {
    let docs: Vec<From<'_>> = plan.linking_docs().collect();
    let findings: Vec<Findings<'_>> =
        docs.par_iter().map(|from| check_doc(plan, *from, config)).collect();
    // A target is reported once, however many links lead to it.
    let mut missing: BTreeMap<(&str, bool), (usize, &SourcePath, Range<u32>)> = BTreeMap::new();
    let mut suggestions = MAX_SUGGESTIONS;
    for found in findings {
        for problem in found.problems {
            report.push(problem.into_diagnostic(plan, &mut suggestions));
        }
        for (path, source, span) in found.missing {
            missing.entry(path).or_insert((0, source, span)).0 += 1;
        }
    }
    // A file does not depend on articles with errors.
    missing.retain(|(path, is_loaded), _| *is_loaded || !plan.may_lack(path, config));
    for (number, ((path, is_loaded), (count, source, span))) in missing.into_iter().enumerate() {
        let more = match count {
            1 => String::new(),
            n => format!(", in {n} places"),
        };
        let message = format!("`{path}` does not exist on this site{more}");
        // A page without one of its files is broken; a link may lead to what another program
        // publishes.
        let problem = if is_loaded {
            let error = level(config, message);
            match Some(path)
                .filter(|_| number < MAX_SUGGESTIONS)
                .and_then(|p| nearest_file(plan, p))
            {
                Some(file) => error.hint(format!("did you mean `{file}`?")),
                None => error.hint("put the file beside the article or into static/"),
            }
        } else {
            Diagnostic::warning(message)
        };
        report.push(problem.in_file(source.as_str()).at(widen(&span)));
    }
}

/// The file beside an article, or in `static/`, whose name is most similar to that of a path.
fn nearest_file<'p>(plan: &'p Plan, path: &str) -> Option<&'p str> {
    let copied = plan.jobs.iter().filter(|(_, job)| matches!(job.kind, JobKind::Copy(_)));
    nearest(file_name(path), copied.map(|(out, _)| file_name(out.as_str())))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Reports broken links to articles only.
pub(super) fn check_articles(plan: &Plan, config: &Config, report: &mut Report) {
    let docs: Vec<From<'_>> = plan.linking_docs().collect();
    let problems: Vec<LinkProblem<'_>> = docs
        .par_iter()
        .flat_map_iter(|from| {
            from.doc.links.iter().filter_map(|link| match &link.target {
                Target::Article { path, fragment } => {
                    check_article(plan, *from, link, (path, fragment.as_deref()), config)
                }
                _ => None,
            })
        })
        .collect();
    let mut suggestions = MAX_SUGGESTIONS;
    for problem in problems {
        report.push(problem.into_diagnostic(plan, &mut suggestions));
    }
}

fn check_doc<'a>(plan: &'a Plan, from: From<'a>, config: &Config) -> Findings<'a> {
    let mut found = Findings::default();
    let anchors: HashSet<&str> = from.doc.fragments().collect();
    for link in &from.doc.links {
        match &link.target {
            Target::Article { path, fragment } => {
                let target = (path.as_ref(), fragment.as_deref());
                found.problems.extend(check_article(plan, from, link, target, config));
            }
            Target::Fragment(fragment) => {
                found.problems.extend(check_own_fragment(from, link, fragment, &anchors));
            }
            Target::Local { path, .. } => {
                let local = plan.local(path, from, config);
                if matches!(
                    local,
                    Local::Absolute { known: false, .. } | Local::Relative { known: false }
                ) {
                    let key = (&**path, link.kind.is_loaded());
                    found.missing.push((key, &from.doc.source, link.span.clone()));
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

fn check_article<'a>(
    plan: &'a Plan,
    from: From<'a>,
    link: &Link,
    (path, fragment): (&'a str, Option<&str>),
    config: &Config,
) -> Option<LinkProblem<'a>> {
    let problem = |message: String, suggestion: Option<Suggestion<'a>>| {
        let diagnostic = level(config, message);
        let diagnostic = diagnostic.in_file(from.doc.source.as_str()).at(widen(&link.span));
        Some(LinkProblem { diagnostic, suggestion })
    };
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
            return problem(format!("this link leads to `{path}`, which {why}"), None);
        }
        let given = path.strip_prefix("content/").unwrap_or(path);
        return problem(
            format!("this link leads to `{path}`, which does not exist"),
            Some(Suggestion::Article { given, own: &from.doc.source }),
        );
    };
    let given = percent_decode(fragment?);
    let doc = plan.doc_of(node);
    let has_anchor = doc.into_iter().flat_map(Doc::fragments).any(|anchor| anchor == given);
    if has_anchor || source.is_some_and(|source| plan.faulty.contains(&source)) {
        return None;
    }
    let message = format!("`{path}` has no anchor `#{given}`");
    problem(message, Some(Suggestion::Anchor { given, doc }))
}

/// A template may add ids, so an anchor that the article does not have is a warning only.
fn check_own_fragment<'a>(
    from: From<'a>,
    link: &Link,
    fragment: &str,
    anchors: &HashSet<&str>,
) -> Option<LinkProblem<'a>> {
    let given = percent_decode(fragment);
    if given.is_empty() || given == "top" || anchors.contains(given.as_str()) {
        return None;
    }
    let diagnostic = Diagnostic::warning(format!("this page has no anchor `#{given}`"))
        .in_file(from.doc.source.as_str())
        .at(widen(&link.span));
    Some(LinkProblem {
        diagnostic,
        suggestion: Some(Suggestion::Anchor { given, doc: Some(from.doc) }),
    })
}
