//! What rendering a job starts from: the values that its template receives, before any text or card
//! is rendered.
//!
//! `pages` and `feed` render these views, and `dependencies` fingerprints them. Both match them
//! exhaustively, so that whatever a template receives is also a dependency.

use std::collections::BTreeMap;

use super::feed::{self, FeedView};
use super::plain_file::plain_text;
use super::view::{ListView, PageNeighbours, TaxonomyLink, TemplateView, YearView};
use super::world::World;
use crate::paths::Route;
use crate::plan::{Job, JobKind, PageId, Pager, TermTextId};

/// What a job is rendered from.
#[expect(clippy::large_enum_variant, reason = "each value lives on the stack for one job")]
pub enum JobView<'a> {
    /// A page with a template.
    Templated {
        template: &'a str,
        view: TemplateView<'a>,
    },
    Feed(FeedView<'a>),
    /// A file without a template, such as a sitemap, as it is written.
    Text(String),
}

impl World {
    /// The view of a job. A job that copies a file has none; its text is empty.
    #[must_use]
    pub fn job_view<'a>(&'a self, job: &'a Job) -> JobView<'a> {
        let (template, view) = match &job.kind {
            JobKind::Page(id) => {
                (self.plan.pages[*id].template.as_str(), TemplateView::Page { id: *id })
            }
            JobKind::Section { section, pager } => {
                let s = &self.plan.sections[*section];
                let view = TemplateView::Section {
                    id: *section,
                    section: self.section_view(*section),
                    list: self.list_view(self.plan.listed(*section), *pager, &s.route),
                };
                (s.template.as_str(), view)
            }
            JobKind::Taxonomy(index) => {
                let text = self.plan.taxonomies[*index].text;
                let view = TemplateView::Taxonomy { text, taxonomy: self.taxonomy_view(*index) };
                (self.term_template(text, "taxonomy.html"), view)
            }
            JobKind::Term { taxonomy, term, pager } => {
                let taxonomy = &self.plan.taxonomies[*taxonomy];
                let term = &taxonomy.terms[*term];
                let text = term.text;
                let view = TemplateView::Term {
                    text,
                    term: self.term_view(taxonomy, term),
                    taxonomy: TaxonomyLink {
                        link: self.named_link(&taxonomy.name, &taxonomy.route),
                        title: self.taxonomy_title(taxonomy),
                    },
                    list: self.list_view(&term.pages, *pager, &term.route),
                };
                (self.term_template(text, "term.html"), view)
            }
            JobKind::Archive => ("archive.html", TemplateView::Archive { years: self.years() }),
            JobKind::Year(year) => {
                let pages = self.plan.of_year(*year);
                ("archive.html", TemplateView::Year { year: *year, pages })
            }
            JobKind::NotFound => ("404.html", TemplateView::NotFound),
            JobKind::Feed { format, scope } => {
                return JobView::Feed(feed::view(self, job, *format, *scope));
            }
            JobKind::Sitemap { .. }
            | JobKind::SitemapIndex { .. }
            | JobKind::Robots
            | JobKind::AdsTxt
            | JobKind::HighlightCss
            | JobKind::Redirect { .. } => return JobView::Text(plain_text(self, &job.kind)),
            JobKind::Copy(_) => return JobView::Text(String::new()),
        };
        JobView::Templated { template, view }
    }

    /// The template that the text of a term sets, or the default one.
    fn term_template<'a>(&'a self, text: Option<TermTextId>, default: &'a str) -> &'a str {
        let own = text.and_then(|id| self.plan.term_texts[id].doc.front.template.as_ref());
        own.map_or(default, |template| template.value.as_str())
    }

    fn list_view<'a>(&self, ids: &'a [PageId], pager: Pager, route: &Route) -> ListView<'a> {
        ListView {
            pages: ids.get(pager.start..pager.end).unwrap_or_default(),
            pager: self.pager(route, pager, ids.len()),
        }
    }

    /// The years that have articles, newest first.
    fn years(&self) -> Vec<YearView> {
        let mut counts = BTreeMap::new();
        for year in self.plan.articles.iter().filter_map(|id| self.plan.year(*id)) {
            *counts.entry(year).or_insert(0_usize) += 1;
        }
        let url = |year: i16| self.config.base_url.local(&format!("/archive/{year:04}/"));
        counts
            .into_iter()
            .rev()
            .map(|(year, count)| YearView { year, count, url: url(year) })
            .collect()
    }
}

impl PageNeighbours {
    /// Every article, in a fixed order; one that has several roles occurs several times.
    #[must_use]
    pub fn all(&self) -> Vec<PageId> {
        let Self { newer, older, related, series } = self;
        let mut ids: Vec<PageId> = newer.iter().chain(older).chain(related).copied().collect();
        ids.extend(series.iter().flat_map(|s| &s.pages));
        ids
    }
}
