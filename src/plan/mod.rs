//! Docs → [`Plan`]: which files the output has and what each is made of. Pure: no file is read here.
//!
//! The plan fixes every route, list, neighbour and redirect, so that a [`Job`] can be rendered by itself, in
//! any order or on request. It can be printed ([`std::fmt::Display`]); a snapshot test shows a whole one.

mod jobs;
pub mod links;
mod lists;
mod print;
mod related;
mod routes;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Config, FeedFormat, SortBy};
use crate::diag::Report;
use crate::load::Sources;
use crate::parse::front::Spanned;
use crate::parse::{Doc, Moment};
use crate::paths::{OutPath, Route, SourcePath};

pub(crate) use jobs::{feed_name, is_listed};

/// A page's number in [`Plan::pages`].
pub type PageId = usize;
/// A section's number in [`Plan::sections`].
pub type SectionId = usize;

/// The whole site, before anything of it is rendered.
#[derive(Debug, Default)]
pub struct Plan {
    /// Every article that is built, by source path.
    pub pages: Vec<Page>,
    /// Every section, by path; the first is the site itself.
    pub sections: Vec<Section>,
    /// The taxonomies that have terms, by name.
    pub taxonomies: Vec<Taxonomy>,
    /// The articles of the site's own list and feeds, newest first.
    pub articles: Vec<PageId>,
    /// Every file of the output.
    pub jobs: BTreeMap<OutPath, Job>,
    /// Every route that a job answers at.
    pub routes: HashSet<Route>,
    /// Where the files under `content/` that are no articles go.
    pub assets: HashMap<SourcePath, Route>,
    /// What a Markdown file of this path became.
    pub by_source: HashMap<SourcePath, Node>,
    /// Dates at which an article comes to be seen, or no longer is.
    pub turning_points: Vec<Moment>,
    /// Articles that are not built, and why.
    pub hidden: HashMap<SourcePath, Hidden>,
}

/// What became of a Markdown file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Page(PageId),
    Section(SectionId),
}

/// Why an article is not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    Draft,
    Future,
    Expired,
    /// It could not be parsed, which is told elsewhere.
    Unreadable,
}

/// An article with its place in the site.
#[derive(Debug)]
pub struct Page {
    pub doc: Arc<Doc>,
    pub route: Route,
    pub section: SectionId,
    /// Seconds since the epoch, when the article has a date.
    pub instant: Option<i64>,
    pub template: String,
    /// The neighbour before it in its section's order: the newer one where that is by date.
    pub newer: Option<PageId>,
    pub older: Option<PageId>,
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
    /// Its own articles, in its order.
    pub pages: Vec<PageId>,
}

/// A way of grouping, with its terms.
#[derive(Debug)]
pub struct Taxonomy {
    pub name: String,
    pub route: Route,
    pub terms: Vec<Term>,
    /// Every spelling of a term, with the term's number.
    pub spellings: HashMap<String, usize>,
}

/// A group of articles.
#[derive(Debug)]
pub struct Term {
    pub name: String,
    pub route: Route,
    /// Newest first.
    pub pages: Vec<PageId>,
    /// The formats of its own feeds.
    pub feeds: Vec<FeedFormat>,
}

/// One file of the output.
#[derive(Debug)]
pub struct Job {
    pub kind: JobKind,
    pub route: Route,
}

/// What a file of the output is made of.
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
    /// The years.
    Archive,
    Year(i16),
    Feed {
        format: FeedFormat,
        scope: Scope,
    },
    /// A part of the sitemap, from 1.
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

/// Where a copied file's bytes are.
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

/// Which part of a list a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pager {
    /// From 1.
    pub number: usize,
    pub count: usize,
    /// The entries of this page, as a range of the whole list.
    pub start: usize,
    pub end: usize,
}

/// Which articles a build shows.
#[derive(Clone, Copy, Debug)]
pub struct Visibility {
    pub drafts: Shown,
    pub future: Shown,
    /// What counts as now.
    pub now: Timestamp,
}

/// Whether articles of a kind are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Yes,
    No,
}

/// Articles with errors of their own.
#[derive(Clone, Debug, Default)]
pub struct Faulty {
    /// Parsed as far as they could be.
    pub parsed: BTreeSet<SourcePath>,
    /// Not even read.
    pub unreadable: BTreeSet<SourcePath>,
}

/// How many articles are left out, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenCounts {
    pub drafts: usize,
    pub future: usize,
    pub expired: usize,
}

/// The most URLs that one sitemap may hold (sitemaps.org protocol).
pub const SITEMAP_LIMIT: usize = 50_000;

/// Plans the site.
///
/// `faulty` names articles whose own errors are known, so that nothing is told that only follows from these.
/// Problems that concern a single article or two of them come in the report; the plan is whole beside them.
#[must_use]
pub fn plan(docs: Vec<Arc<Doc>>, faulty: &Faulty, sources: &Sources, config: &Config, visibility: Visibility) -> (Plan, Report) {
    let (plan, mut report) = arrange(docs, faulty, sources, config, visibility);
    report.extend(check(&plan, config));
    (plan, report)
}

/// The plan, with the problems that stand in its own way: what is wrong between its articles is [`check`]'s to tell.
#[must_use]
pub fn arrange(docs: Vec<Arc<Doc>>, faulty: &Faulty, sources: &Sources, config: &Config, visibility: Visibility) -> (Plan, Report) {
    let mut report = Report::default();
    let mut plan = Plan::default();
    plan.hidden.extend(faulty.unreadable.iter().map(|source| (source.clone(), Hidden::Unreadable)));
    let (pages, sections) = lists::split(docs, visibility, config, &mut plan);
    lists::build_sections(&mut plan, sections, &pages, config, &mut report);
    routes::build_pages(&mut plan, pages, config, faulty, &mut report);
    lists::order(&mut plan);
    related::relate(&mut plan, config.article.related);
    lists::build_taxonomies(&mut plan, config, &mut report);
    routes::place_assets(&mut plan, &sources.assets, &mut report);
    let templates: BTreeSet<&str> = sources.templates.iter().map(|t| t.name.as_str()).collect();
    jobs::check_templates(&mut plan, &templates, &mut report);
    jobs::build(&mut plan, sources, config, &mut report);
    (plan, report)
}

/// What a finished plan shows to be wrong: links that lead nowhere, names that nothing knows.
#[must_use]
pub fn check(plan: &Plan, config: &Config) -> Report {
    let mut report = check_names(plan, config);
    links::check(plan, config, &mut report);
    links::check_config(plan, config, &mut report);
    report.extend(unknown_languages(plan));
    report
}

/// What [`check`] finds but for what the finished pages show as well: the links to articles are still looked at, for
/// what leads to one that is not there is never written.
#[must_use]
pub fn check_sources(plan: &Plan, config: &Config) -> Report {
    let mut report = check_names(plan, config);
    links::check_articles(plan, config, &mut report);
    report
}

/// A warning for each language of code that has no grammar, however many articles use it.
#[must_use]
pub fn unknown_languages(plan: &Plan) -> Report {
    let mut report = Report::default();
    lists::tell_unknown_languages(plan, &mut report);
    report
}

fn check_names(plan: &Plan, config: &Config) -> Report {
    let mut report = Report::default();
    lists::tell_unknown_names(plan, config, &mut report);
    report
}

/// Whether [`check`] finds the same with `new` as with `old`, in a plan that holds with both, wherever it stands in the
/// file.
#[must_use]
pub fn checks_alike(old: &Doc, new: &Doc) -> bool {
    let links = |doc: &Doc| doc.links.iter().map(|l| (l.kind, l.target.clone())).collect::<Vec<_>>();
    let names = |list: &[(String, std::ops::Range<u32>)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let remarks = |doc: &Doc| doc.remarks.iter().map(|r| (r.message.clone(), r.hint.clone())).collect::<Vec<_>>();
    old.fragments().eq(new.fragments())
        && links(old) == links(new)
        && names(&old.unknown_keys) == names(&new.unknown_keys)
        && names(&old.unknown_languages) == names(&new.unknown_languages)
        && remarks(old) == remarks(new)
        && old.front.ads.slots.keys().eq(new.front.ads.slots.keys())
}

impl Plan {
    /// Whether this plan, with `new` in the place of `old`, is the plan that would be made with `new`: whether
    /// nothing has changed by which articles are placed, named, grouped or put in order.
    #[must_use]
    pub fn holds_with(&self, old: &Doc, new: &Doc) -> bool {
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

    /// Whether a file's title says where something stands, or what a section is called.
    fn orders_by_title_of(&self, source: &SourcePath) -> bool {
        matches!(self.by_source.get(source), Some(Node::Section(_))) || self.sections.iter().any(|s| s.sort_by == SortBy::Title)
    }

    /// Puts `doc` in the place of the one of its source; `None` when there is none. See [`Plan::holds_with`].
    pub fn put(&mut self, doc: Arc<Doc>) -> Option<Node> {
        let node = self.by_source.get(&doc.source).copied()?;
        match node {
            Node::Page(id) => self.pages[id].doc = doc,
            Node::Section(id) => self.sections[id].doc = Some(doc),
        }
        Some(node)
    }

    /// The articles that a list shows on the page of this pager.
    #[must_use]
    pub fn slice<'p>(&self, list: &'p [PageId], pager: Pager) -> &'p [PageId] {
        list.get(pager.start..pager.end).unwrap_or_default()
    }

    /// The articles of a section's list: the site's own list holds every dated article.
    #[must_use]
    pub fn listed(&self, section: SectionId) -> &[PageId] {
        if section == 0 { &self.articles } else { &self.sections[section].pages }
    }

    /// The articles of a year, in the order of the site's own list.
    #[must_use]
    pub fn of_year(&self, year: i16) -> Vec<PageId> {
        self.articles.iter().copied().filter(|id| self.year(*id) == Some(year)).collect()
    }

    /// Sorts articles, equal ones by source path.
    pub fn sort(&self, list: &mut [PageId], by: SortBy) {
        lists::sort(&self.pages, list, by);
    }

    /// The page or section that a Markdown file became.
    #[must_use]
    pub fn node(&self, source: &str) -> Option<Node> {
        self.by_source.get(&SourcePath::new(source).ok()?).copied()
    }

    /// The route of a page or section.
    #[must_use]
    pub fn route_of(&self, node: Node) -> &Route {
        match node {
            Node::Page(id) => &self.pages[id].route,
            Node::Section(id) => &self.sections[id].route,
        }
    }

    /// How many articles are left out.
    #[must_use]
    pub fn hidden_counts(&self) -> HiddenCounts {
        let count = |why: Hidden| self.hidden.values().filter(|h| **h == why).count();
        HiddenCounts { drafts: count(Hidden::Draft), future: count(Hidden::Future), expired: count(Hidden::Expired) }
    }

    /// Whether some job answers at this (decoded) path, as hosts resolve it.
    #[must_use]
    pub fn answers(&self, path: &str) -> bool {
        if self.routes.contains(path) {
            return true;
        }
        let Ok(route) = Route::parse(path) else { return false };
        let as_folder = || Route::parse(&format!("{path}/")).is_ok_and(|r| self.jobs.contains_key(&r.out_path()));
        self.jobs.contains_key(&route.out_path()) || (!path.ends_with('/') && as_folder())
    }
}

impl Pager {
    /// Splits a list of `len` entries into pages of `per_page` (0: one page).
    pub(crate) fn all(len: usize, per_page: usize) -> Vec<Self> {
        let per_page = if per_page == 0 { len.max(1) } else { per_page };
        let count = len.div_ceil(per_page).max(1);
        (1..=count).map(|number| Self { number, count, start: (number - 1) * per_page, end: (number * per_page).min(len) }).collect()
    }
}
