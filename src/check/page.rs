//! A finished page as its rules see it, and what is kept of it for the rules about the whole site.

use super::address::{Lead, base, lead};
use super::context::Context;
use super::facts::{Facts, Indexing, Reference, Role, facts};
use crate::paths::OutPath;
use crate::plan::{Job, JobKind};

/// A page, while its HTML is there.
pub struct Page<'a> {
    pub context: &'a Context<'a>,
    pub job: &'a Job,
    pub kind: Kind,
    pub facts: Facts,
    /// The references of the facts, each with where it leads.
    pub leads: Vec<(Reference, Lead)>,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An article, or the first page of a section: what an author gives a title and a description.
    Written,
    /// A list that Folio makes.
    List,
    /// The page for what is not found.
    NotFound,
    /// A page that only leads to another.
    Redirect,
    /// An HTML file that the site brings as it is.
    Copied,
}

impl Kind {
    /// What a file of the output is, if it is a page.
    #[must_use]
    pub fn of(out: &OutPath, job: &Job) -> Option<Self> {
        match &job.kind {
            JobKind::Page(_) => Some(Self::Written),
            JobKind::Section { pager, .. } if pager.number == 1 => Some(Self::Written),
            JobKind::Section { .. } | JobKind::Taxonomy(_) | JobKind::Term { .. } | JobKind::Archive | JobKind::Year(_) => Some(Self::List),
            JobKind::NotFound => Some(Self::NotFound),
            JobKind::Redirect { .. } => Some(Self::Redirect),
            JobKind::Copy(_) => [".html", ".htm"].iter().any(|e| out.as_str().ends_with(e)).then_some(Self::Copied),
            _ => None,
        }
    }

    /// Whether it came out of a template.
    #[must_use]
    pub fn is_templated(self) -> bool {
        matches!(self, Self::Written | Self::List | Self::NotFound)
    }
}

/// What is kept of a page.
#[derive(Debug)]
pub struct Kept {
    pub kind: Kind,
    pub title: Option<String>,
    pub description: Option<String>,
    pub indexing: Indexing,
    /// Sorted.
    pub ids: Vec<String>,
    /// The files of the output that it links to, by number; sorted.
    pub links: Vec<usize>,
    /// The style sheets, scripts and images of the site that it shows, by number; sorted.
    pub shown: Vec<usize>,
    /// Links to parts of pages: the address as it is written, the file, the part.
    pub fragments: Vec<(String, usize, String)>,
    /// Links to other hosts: the address as it is written, and as it is asked for.
    pub outside: Vec<(String, String)>,
}

impl<'a> Page<'a> {
    #[must_use]
    pub fn read(context: &'a Context<'a>, job: &'a Job, kind: Kind, html: &[u8]) -> Self {
        let mut facts = facts(html);
        let references = std::mem::take(&mut facts.references);
        let base = base(context, &job.route);
        let with_lead = |reference: Reference| {
            let lead = lead(context, base.as_ref(), &reference.url);
            (reference, lead)
        };
        let leads = references.into_iter().map(with_lead).collect();
        Self { context, job, kind, facts, leads }
    }

    /// The address of the page below the site's own.
    #[must_use]
    pub fn route(&self) -> &str {
        self.job.route.as_str()
    }

    /// Forgets the page but for what rules about the whole site need.
    #[must_use]
    pub fn keep(self) -> Kept {
        let numbers = |roles: &[Role]| {
            let mut numbers: Vec<usize> = self.leads.iter().filter_map(|(r, lead)| roles.contains(&r.role).then(|| number(lead)).flatten()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let (links, shown) = (numbers(&[Role::Link]), numbers(&[Role::Shown]));
        let mut fragments = Vec::new();
        let mut outside = Vec::new();
        for (reference, lead) in self.leads {
            match lead {
                Lead::File { job, fragment: Some(fragment) } if reference.role == Role::Link => fragments.push((reference.url, job, fragment)),
                Lead::Outside(url) => outside.push((reference.url, url)),
                _ => {}
            }
        }
        outside.sort();
        outside.dedup();
        let mut ids = self.facts.ids;
        ids.sort_unstable();
        ids.dedup();
        let Facts { title, description, indexing, .. } = self.facts;
        Kept { kind: self.kind, title, description, indexing, ids, links, shown, fragments, outside }
    }
}

fn number(lead: &Lead) -> Option<usize> {
    match lead {
        Lead::File { job, .. } => Some(*job),
        _ => None,
    }
}
