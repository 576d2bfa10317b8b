//! The plan and its parts: articles, sections, taxonomies and jobs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::slugs::taxonomy_slug;
use crate::config::{Config, FeedFormat, SortBy};
use crate::parse::front::Spanned;
use crate::parse::{Doc, Moment};
use crate::paths::{OutPath, Route, SourcePath};

/// The index of a page in [`Plan::pages`].
pub type PageId = usize;

/// The index of a section in [`Plan::sections`].
pub type SectionId = usize;

/// The index of a text in [`Plan::term_texts`].
pub type TermTextId = usize;

/// The whole site, before anything of it is rendered.
#[derive(Debug, Default)]
pub struct Plan {
    /// Every article that is built, by source path.
    pub pages: Vec<Page>,
    /// The neighbours of each article in `pages`.
    pub neighbours: Vec<Neighbours>,
    /// Every section, by path; the first is the site itself.
    pub sections: Vec<Section>,
    /// The taxonomies that have terms, by name.
    pub taxonomies: Vec<Taxonomy>,
    /// The texts of terms and taxonomies, by source path.
    pub term_texts: Vec<TermText>,
    /// The articles of the site's own list and feeds, newest first.
    pub articles: Vec<PageId>,
    /// Every file of the output.
    pub jobs: BTreeMap<OutPath, Job>,
    /// Every route that a job answers at.
    pub routes: HashSet<Route>,
    /// The routes of the files under `content/` that are not articles.
    pub assets: HashMap<SourcePath, Route>,
    /// The page or section of each Markdown file.
    pub by_source: HashMap<SourcePath, Node>,
    /// Dates at which an article becomes visible or hidden.
    pub turning_points: Vec<Moment>,
    /// Articles with errors. Routes, terms and anchors may be missing only because of these.
    pub faulty: BTreeSet<SourcePath>,
    /// Articles that are not built, with the reason.
    pub hidden: HashMap<SourcePath, Hidden>,
}

/// What a Markdown file became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Page(PageId),
    Section(SectionId),
    /// The text of a term or taxonomy.
    Term(TermTextId),
}

/// Why an article is not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    Draft,
    Future,
    Expired,
    /// It could not be parsed, which is reported elsewhere.
    Unreadable,
}

/// An article with its place in the site.
#[derive(Debug)]
pub struct Page {
    pub doc: Arc<Doc>,
    pub route: Route,
    pub section: SectionId,
    /// The date in seconds since the epoch, if the article has one.
    pub instant: Option<i64>,
    pub template: String,
}

/// The articles next to an article.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The previous article in the order of its section; the newer one where that is by date.
    pub newer: Option<PageId>,
    pub older: Option<PageId>,
    /// The articles that share most terms with it, best first.
    pub related: Vec<PageId>,
}

/// A folder of articles.
#[derive(Debug)]
pub struct Section {
    /// Below `content/`, `""` for the site itself.
    pub path: String,
    /// Its `_index.md`.
    pub doc: Option<Arc<Doc>>,
    pub title: String,
    pub route: Route,
    pub template: String,
    pub sort_by: SortBy,
    pub paginate_by: usize,
    pub parent: Option<SectionId>,
    pub subsections: Vec<SectionId>,
    /// Its own articles, sorted.
    pub pages: Vec<PageId>,
}

/// A Markdown file that introduces a term, such as the biography of an author, or a taxonomy.
#[derive(Debug)]
pub struct TermText {
    pub doc: Arc<Doc>,
    /// The route of the term or taxonomy.
    pub route: Route,
}

/// A taxonomy, with its terms.
#[derive(Debug)]
pub struct Taxonomy {
    pub name: String,
    pub route: Route,
    pub terms: Vec<Term>,
    /// The text of its `_index.md`.
    pub text: Option<TermTextId>,
    /// Every spelling of a term, with the index of the term.
    pub spellings: HashMap<String, usize>,
}

/// A term: a group of articles.
#[derive(Debug)]
pub struct Term {
    pub name: String,
    pub route: Route,
    /// Newest first; those of a series oldest first.
    pub pages: Vec<PageId>,
    /// Its introduction or biography.
    pub text: Option<TermTextId>,
    /// The formats of its own feeds.
    pub feeds: Vec<FeedFormat>,
}

/// One file of the output.
#[derive(Debug)]
pub struct Job {
    pub kind: JobKind,
    pub route: Route,
}

/// What a file of the output is rendered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    Page(PageId),
    Section {
        section: SectionId,
        pager: Pager,
    },
    Taxonomy(usize),
    Term {
        taxonomy: usize,
        term: usize,
        pager: Pager,
    },
    /// The list of years.
    Archive,
    Year(i16),
    Feed {
        format: FeedFormat,
        scope: Scope,
    },
    /// A part of the sitemap, numbered from 1.
    Sitemap {
        part: usize,
    },
    SitemapIndex {
        parts: usize,
    },
    Robots,
    AdsTxt,
    NotFound,
    HighlightCss,
    Redirect {
        to: Route,
        from: SourcePath,
    },
    Copy(CopyFrom),
}

/// Where the bytes of a copied file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyFrom {
    Site(SourcePath),
    Theme { name: String, bytes: &'static [u8] },
}

/// What a feed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Site,
    Term { taxonomy: usize, term: usize },
}

/// Which page of a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pager {
    /// From 1.
    pub number: usize,
    pub count: usize,
    /// The entries of this page, as a range of the whole list.
    pub start: usize,
    pub end: usize,
}

/// Which articles are visible.
#[derive(Clone, Copy, Debug)]
pub struct Visibility {
    pub include_drafts: bool,
    pub include_future: bool,
    /// What counts as now.
    pub now: Timestamp,
}

/// Articles whose own errors have been reported.
#[derive(Clone, Debug, Default)]
pub struct FaultyArticles {
    /// Parsed as far as possible.
    pub parsed: BTreeSet<SourcePath>,
    /// Not readable at all.
    pub unreadable: BTreeSet<SourcePath>,
}

/// How many articles are not built, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenCounts {
    pub drafts: usize,
    pub future: usize,
    pub expired: usize,
}

/// The largest number of URLs of a sitemap (sitemaps.org protocol).
pub const SITEMAP_LIMIT: usize = 50_000;

impl Plan {
    /// Whether this plan, with `new` instead of `old`, is the plan that would be made with `new`:
    /// nothing has changed that places, names, groups or sorts articles.
    #[must_use]
    pub fn is_valid_with(&self, old: &Doc, new: &Doc) -> bool {
        let (a, b) = (&old.front, &new.front);
        let value = |s: &Option<Spanned>| s.as_ref().map(|s| s.value.clone());
        let values = |list: &[Spanned]| list.iter().map(|s| s.value.clone()).collect::<Vec<_>>();
        let placed = old.source == new.source
            && (a.date, a.expires, a.draft, a.weight) == (b.date, b.expires, b.draft, b.weight)
            && (a.sort_by, a.paginate_by) == (b.sort_by, b.paginate_by)
            && value(&a.slug) == value(&b.slug)
            && value(&a.path) == value(&b.path)
            && value(&a.template) == value(&b.template)
            && value(&a.page_template) == value(&b.page_template)
            && values(&a.aliases) == values(&b.aliases)
            && a.terms == b.terms;
        placed && (old.title == new.title || !self.orders_by_title_of(&old.source))
    }

    /// Whether the title of a file affects the order of a list or the name of a section.
    fn orders_by_title_of(&self, source: &SourcePath) -> bool {
        matches!(self.by_source.get(source), Some(Node::Section(_)))
            || self.sections.iter().any(|s| s.sort_by == SortBy::Title)
    }

    /// Replaces the document of a file; `None` when the plan does not have it. See
    /// [`Plan::is_valid_with`].
    pub fn replace_document(&mut self, doc: Arc<Doc>) -> Option<Node> {
        let node = self.by_source.get(&doc.source).copied()?;
        match node {
            Node::Page(id) => self.pages[id].doc = doc,
            Node::Section(id) => self.sections[id].doc = Some(doc),
            Node::Term(id) => self.term_texts[id].doc = doc,
        }
        Some(node)
    }

    /// The articles on one page of a list.
    #[must_use]
    pub fn slice<'p>(&self, list: &'p [PageId], pager: Pager) -> &'p [PageId] {
        list.get(pager.start..pager.end).unwrap_or_default()
    }

    /// The articles of a section's list. The list of the site contains every dated article.
    #[must_use]
    pub fn listed(&self, section: SectionId) -> &[PageId] {
        if section == 0 { &self.articles } else { &self.sections[section].pages }
    }

    /// The articles of a year, in the order of the site's own list.
    #[must_use]
    pub fn of_year(&self, year: i16) -> Vec<PageId> {
        self.articles.iter().copied().filter(|id| self.year(*id) == Some(year)).collect()
    }

    /// Sorts articles; equal ones by source path.
    pub fn sort(&self, list: &mut [PageId], by: SortBy) {
        sort(&self.pages, list, by);
    }

    /// The page or section that a Markdown file became.
    #[must_use]
    pub fn node(&self, source: &str) -> Option<Node> {
        self.by_source.get(&SourcePath::new(source).ok()?).copied()
    }

    /// Whether articles have errors, so that what others refer to may be missing.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        !self.faulty.is_empty()
    }

    /// Whether a path may be missing only because of articles with errors: the routes of some are
    /// not known, or it is the path of a list that one of them may belong to.
    #[must_use]
    pub fn may_lack(&self, path: &str, config: &Config) -> bool {
        if self.hidden.values().any(|why| *why == Hidden::Unreadable) {
            return true;
        }
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let is_list = || {
            let mut taxonomies = config.taxonomies.keys();
            first == "archive" || taxonomies.any(|name| taxonomy_slug(name, config) == first)
        };
        self.is_incomplete() && is_list()
    }

    /// The file whose text a job renders.
    #[must_use]
    pub fn node_of(&self, job: &Job) -> Option<Node> {
        match job.kind {
            JobKind::Page(id) => Some(Node::Page(id)),
            JobKind::Section { section, .. } => Some(Node::Section(section)),
            JobKind::Taxonomy(index) => self.taxonomies.get(index)?.text.map(Node::Term),
            JobKind::Term { taxonomy, term, .. } => {
                self.taxonomies.get(taxonomy)?.terms.get(term)?.text.map(Node::Term)
            }
            _ => None,
        }
    }

    /// The documents of every file of the plan.
    pub fn docs(&self) -> impl Iterator<Item = &Arc<Doc>> {
        let sections = self.sections.iter().filter_map(|section| section.doc.as_ref());
        let terms = self.term_texts.iter().map(|text| &text.doc);
        self.pages.iter().map(|page| &page.doc).chain(sections).chain(terms)
    }

    /// The route of a page or section.
    #[must_use]
    pub fn route_of(&self, node: Node) -> &Route {
        match node {
            Node::Page(id) => &self.pages[id].route,
            Node::Section(id) => &self.sections[id].route,
            Node::Term(id) => &self.term_texts[id].route,
        }
    }

    /// The seconds since the epoch around `now` between which the same articles are visible, unless
    /// something is edited.
    #[must_use]
    pub fn visible_span(&self, timezone: &TimeZone, now: Timestamp) -> (i64, i64) {
        let now = now.as_second();
        let (mut from, mut until) = (i64::MIN, i64::MAX);
        for moment in &self.turning_points {
            let second = moment.instant(timezone).as_second();
            if second > now {
                until = until.min(second);
            } else {
                from = from.max(second);
            }
        }
        (from, until)
    }

    /// How many articles are not built, by reason.
    #[must_use]
    pub fn hidden_counts(&self) -> HiddenCounts {
        let count = |why: Hidden| self.hidden.values().filter(|h| **h == why).count();
        HiddenCounts {
            drafts: count(Hidden::Draft),
            future: count(Hidden::Future),
            expired: count(Hidden::Expired),
        }
    }

    /// Whether some file is served at this (decoded) path, as hosts resolve it.
    #[must_use]
    pub fn answers(&self, path: &str) -> bool {
        if self.routes.contains(path) {
            return true;
        }
        let Ok(route) = Route::parse(path) else { return false };
        let as_folder = || {
            Route::parse(&format!("{path}/")).is_ok_and(|r| self.jobs.contains_key(&r.out_path()))
        };
        self.jobs.contains_key(&route.out_path()) || (!path.ends_with('/') && as_folder())
    }
}

impl Pager {
    /// Splits a list of `len` entries into pages of `per_page` (0: one page).
    pub(crate) fn all(len: usize, per_page: usize) -> Vec<Self> {
        let per_page = if per_page == 0 { len.max(1) } else { per_page };
        let count = len.div_ceil(per_page).max(1);
        (1..=count)
            .map(|number| Self {
                number,
                count,
                start: (number - 1) * per_page,
                end: (number * per_page).min(len),
            })
            .collect()
    }
}

/// Sorts a list; equal articles are sorted by source path, so that the order is always the same.
pub(super) fn sort(pages: &[Page], list: &mut [PageId], by: SortBy) {
    match by {
        SortBy::Date => list.sort_by_key(|id| (Reverse(pages[*id].instant), *id)),
        SortBy::Title => list.sort_by(|a, b| {
            pages[*a]
                .doc
                .title
                .to_lowercase()
                .cmp(&pages[*b].doc.title.to_lowercase())
                .then(a.cmp(b))
        }),
        SortBy::UpdateDate => {
            let changed = |id: &PageId| {
                let front = &pages[*id].doc.front;
                front.updated.or(front.date).map(|moment| moment.civil)
            };
            list.sort_by_key(|id| (Reverse(changed(id)), *id));
        }
        SortBy::Slug => {
            let slug =
                |id: &PageId| pages[*id].route.as_str().trim_end_matches('/').rsplit('/').next();
            list.sort_by(|a, b| slug(a).cmp(&slug(b)).then(a.cmp(b)));
        }
        SortBy::Permalink => {
            list.sort_by(|a, b| pages[*a].route.as_str().cmp(pages[*b].route.as_str()));
        }
        SortBy::None => {
            list.sort_by(|a, b| pages[*a].doc.source.cmp(&pages[*b].doc.source));
        }
        SortBy::Weight => {
            list.sort_by_key(|id| (pages[*id].doc.front.weight.unwrap_or(i64::MAX), *id));
        }
    }
}
