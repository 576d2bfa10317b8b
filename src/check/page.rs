//! A rendered page as the rules see it, and the summary that is kept of it for rules about the
//! whole site.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::context::Context;
use super::facts::{Facts, Reference, Role, facts};
use super::page_kind::PageKind;
use super::resolved_url::{ResolvedUrl, page_url, resolve_url};
use crate::plan::Job;

/// A page while its HTML is in memory.
pub struct Page<'a> {
    pub context: &'a Context<'a>,
    pub job: &'a Job,
    pub kind: PageKind,
    pub facts: Facts,
    /// The page's references, with what each resolves to. They are moved here from `facts`.
    pub references: Vec<(Reference, ResolvedUrl)>,
    /// The links of the page's document by their URLs on the page, made when they are needed.
    pub(super) links_by_url: OnceCell<HashMap<String, Vec<usize>>>,
}

/// What is kept of a page.
#[derive(Debug)]
pub struct PageSummary {
    pub kind: PageKind,
    pub title: Option<String>,
    pub description: Option<String>,
    /// Whether the page asks search engines not to list it.
    pub noindex: bool,
    /// Sorted.
    pub ids: Vec<String>,
    /// The files of the output that it links to, by index, sorted.
    pub links: Vec<usize>,
    /// The style sheets, scripts and images of the site that it loads, by index, sorted.
    pub loaded: Vec<usize>,
    /// Links with a fragment: the URL as written, the file, and the fragment.
    pub fragments: Vec<(String, usize, String)>,
    /// Links to other hosts: the URL as written, and the absolute URL without its fragment.
    pub external: Vec<(String, String)>,
}

impl<'a> Page<'a> {
    /// Reads a page's HTML and resolves its URLs.
    #[must_use]
    pub fn read(context: &'a Context<'a>, job: &'a Job, kind: PageKind, html: &[u8]) -> Self {
        let mut facts = facts(html);
        let references = std::mem::take(&mut facts.references);
        let base = page_url(context, &job.route);
        let resolve = |reference: Reference| {
            let resolved = resolve_url(context, base.as_ref(), &reference.url);
            (reference, resolved)
        };
        let references = references.into_iter().map(resolve).collect();
        Self { context, job, kind, facts, references, links_by_url: OnceCell::new() }
    }

    /// The page's route.
    #[must_use]
    pub fn route(&self) -> &str {
        self.job.route.as_str()
    }

    /// The summary that rules about the whole site need.
    #[must_use]
    pub fn into_summary(self) -> PageSummary {
        let indices = |roles: &[Role]| {
            let mut indices: Vec<usize> = self
                .references
                .iter()
                .filter(|(reference, _)| roles.contains(&reference.role))
                .filter_map(|(_, resolved)| file_index(resolved))
                .collect();
            indices.sort_unstable();
            indices.dedup();
            indices
        };
        let (links, loaded) = (indices(&[Role::Link]), indices(&[Role::Loaded]));
        let mut fragments = Vec::new();
        let mut external = Vec::new();
        for (reference, resolved) in self.references {
            match resolved {
                ResolvedUrl::File { job, fragment: Some(fragment) }
                    if reference.role == Role::Link =>
                {
                    fragments.push((reference.url, job, fragment));
                }
                ResolvedUrl::External(url) => external.push((reference.url, url)),
                _ => {}
            }
        }
        external.sort();
        external.dedup();
        let mut ids = self.facts.ids;
        ids.sort_unstable();
        ids.dedup();
        let Facts { title, description, noindex, .. } = self.facts;
        PageSummary {
            kind: self.kind,
            title,
            description,
            noindex,
            ids,
            links,
            loaded,
            fragments,
            external,
        }
    }
}

fn file_index(url: &ResolvedUrl) -> Option<usize> {
    match url {
        ResolvedUrl::File { job, .. } => Some(*job),
        _ => None,
    }
}
