//! What a job is made of, as marks: when none of them has changed, and what its templates asked for still
//! gives the same, rendering it again would give the same bytes.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Audience, World};
use crate::memo::{Mark, Marker};
use crate::parse::Doc;
use crate::paths::{Route, SourcePath};
use crate::plan::links::From;
use crate::plan::{CopyFrom, Job, JobKind, Node, PageId, Pager, Plan, Scope, SectionId};

/// A part of what a job is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Its template, with what that extends, includes and calls.
    Template,
    /// What every page can see of `site.toml`.
    Site,
    /// What is shown of the thing itself: an article's front matter, place and headings, a list's name and pages.
    Own,
    /// The text.
    Body,
    /// The addresses that its links lead to.
    Links,
    /// What a list shows of an article; its file is told by the mark of its path.
    Card(Mark),
    /// All of an article, its file told likewise.
    Entry(Mark),
    /// The content of a file that is copied.
    File,
}

/// The mark that an article's file is told by.
#[must_use]
pub fn path_mark(path: &SourcePath) -> Mark {
    Mark::of(path.as_str().as_bytes())
}

/// A job's parts in order.
pub type Parts = Vec<(Part, Mark)>;

/// Marks that many jobs share, worked out when first asked for.
#[derive(Debug, Default)]
pub struct Shared {
    cards: Vec<OnceLock<Mark>>,
    paths: Vec<Mark>,
    site: OnceLock<Mark>,
}

impl Shared {
    pub(super) fn new(plan: &Plan) -> Self {
        let paths = plan.pages.iter().map(|p| path_mark(&p.doc.source)).collect();
        Self { cards: plan.pages.iter().map(|_| OnceLock::new()).collect(), paths, site: OnceLock::new() }
    }

    /// Forgets what was worked out of an article.
    pub(super) fn forget(&mut self, id: PageId) {
        if let Some(card) = self.cards.get_mut(id) {
            *card = OnceLock::new();
        }
    }
}

impl World {
    /// The parts of a job.
    #[must_use]
    pub fn parts(&self, job: &Job) -> Parts {
        let mut parts = Parts::with_capacity(16);
        match &job.kind {
            JobKind::Page(id) => self.page_parts(*id, &mut parts),
            JobKind::Section { section, pager } => self.section_parts(*section, *pager, &mut parts),
            JobKind::Taxonomy(index) => {
                self.templated("taxonomy.html", &mut parts);
                parts.push((Part::Own, Mark::of_json(&super::functions::taxonomy_view(self, *index))));
            }
            JobKind::Term { taxonomy, term, pager } => {
                let t = &self.plan.taxonomies[*taxonomy];
                let term = &t.terms[*term];
                self.templated("term.html", &mut parts);
                let view =
                    json!([t.name, t.route.as_str(), super::functions::term_view(self, term), self.pager(&term.route, *pager, term.pages.len())]);
                parts.push((Part::Own, Mark::of_json(&view)));
                self.card_parts(self.plan.slice(&term.pages, *pager), &mut parts);
            }
            JobKind::Archive => {
                self.templated("archive.html", &mut parts);
                parts.push((Part::Own, Mark::of_json(&super::pages::years(self))));
            }
            JobKind::Year(year) => {
                self.templated("archive.html", &mut parts);
                parts.push((Part::Own, Mark(u64::from(year.unsigned_abs()))));
                self.card_parts(&self.plan.of_year(*year), &mut parts);
            }
            JobKind::NotFound => self.templated("404.html", &mut parts),
            JobKind::Feed { scope, format } => self.feed_parts(job, *scope, &format!("{format:?}"), &mut parts),
            JobKind::Copy(CopyFrom::Site(path)) => parts.push((Part::File, self.inputs.mark(path).unwrap_or_default())),
            JobKind::Copy(CopyFrom::Theme { bytes, .. }) => parts.push((Part::File, Mark::of(bytes))),
            // These are as quickly made as marked.
            JobKind::Sitemap { .. }
            | JobKind::SitemapIndex { .. }
            | JobKind::Robots
            | JobKind::AdsTxt
            | JobKind::HighlightCss
            | JobKind::Redirect { .. } => {
                let text = super::plain(self, &job.kind);
                parts.push((Part::Own, Mark::of(text.as_bytes())));
            }
        }
        let mut route = Marker::default();
        route.text(job.route.as_str());
        parts.push((Part::Own, route.finish()));
        parts
    }

    fn site_mark(&self) -> Mark {
        *self.shared.site.get_or_init(|| {
            let config = &self.config;
            Mark::of_json(&(
                &self.site,
                &config.markdown.external_links,
                &config.ads,
                &config.article,
                &config.feeds,
                config.comments.show,
                config.timezone.iana_name(),
            ))
        })
    }

    fn templated(&self, template: &str, parts: &mut Parts) {
        parts.push((Part::Template, self.closures.mark(template, std::iter::empty())));
        parts.push((Part::Site, self.site_mark()));
    }

    fn templated_with_body(&self, template: &str, doc: &Doc, parts: &mut Parts) {
        // An ad may come into a text that calls none.
        let calls = doc.calls.iter().map(|c| c.name.as_str()).chain(["ad"]);
        parts.push((Part::Template, self.closures.mark(template, calls)));
        parts.push((Part::Site, self.site_mark()));
    }

    /// The mark of an article's card.
    #[must_use]
    pub fn card_mark(&self, id: PageId) -> Mark {
        *self.shared.cards[id].get_or_init(|| Mark::of_json(&self.card(id)))
    }

    fn card_parts(&self, ids: &[PageId], parts: &mut Parts) {
        parts.extend(ids.iter().map(|id| (Part::Card(self.shared.paths[*id]), self.card_mark(*id))));
    }

    /// The mark of where an article's links lead.
    fn links_mark(&self, doc: &Doc, route: &Route) -> Mark {
        let mut marker = Marker::default();
        for link in &doc.links {
            marker.text(self.address(&link.target, From { doc, route }, Audience::Page).as_deref().unwrap_or("\0"));
        }
        marker.finish()
    }

    fn page_parts(&self, id: PageId, parts: &mut Parts) {
        let page = &self.plan.pages[id];
        self.templated_with_body(&page.template, &page.doc, parts);
        parts.push((Part::Body, self.inputs.body_mark(Node::Page(id))));
        parts.push((Part::Own, self.page_mark(id)));
        parts.push((Part::Links, self.links_mark(&page.doc, &page.route)));
        self.card_parts(&self.shown_with(id), parts);
    }

    /// The articles whose cards an article's own view holds.
    fn shown_with(&self, id: PageId) -> Vec<PageId> {
        let page = &self.plan.pages[id];
        let mut ids: Vec<PageId> = page.newer.into_iter().chain(page.older).chain(page.related.iter().copied()).collect();
        ids.extend(self.series(&page.doc).flat_map(|t| t.pages.iter().rev().copied()));
        ids
    }

    /// The mark of an article's own view, the cards of others aside: of its `Doc`, which holds all that its file
    /// says, of its place in the site, and of what else is shown with it.
    fn page_mark(&self, id: PageId) -> Mark {
        let page = &self.plan.pages[id];
        let mut marker = Marker::default();
        marker.mark(self.inputs.doc_mark(Node::Page(id))).text(page.route.as_str());
        // How many cards there are, and in which place, is part of the view.
        marker.number(u64::from(page.newer.is_some())).number(u64::from(page.older.is_some())).number(page.related.len() as u64);
        let mut section = Some(page.section);
        while let Some(id) = section {
            let s = &self.plan.sections[id];
            marker.text(&s.title).text(s.route.as_str());
            section = s.parent;
        }
        for (taxonomy, terms) in page.doc.front.terms.iter() {
            let known = self.plan.taxonomies.iter().find(|t| t.name == *taxonomy);
            for term in terms {
                let route = known.and_then(|t| t.terms.get(*t.spellings.get(term)?)).map_or("", |t| t.route.as_str());
                marker.text(term).text(route);
            }
        }
        for series in self.series(&page.doc) {
            marker.text(&series.name);
        }
        let counts = self.counters.of(page.route.as_str());
        marker.number(counts.views.map_or(0, |n| n + 1)).number(counts.hearts.map_or(0, |n| n + 1));
        marker.finish()
    }

    fn section_parts(&self, id: SectionId, pager: Pager, parts: &mut Parts) {
        let section = &self.plan.sections[id];
        let listed = self.plan.listed(id);
        match &section.doc {
            Some(doc) => {
                self.templated_with_body(&section.template, doc, parts);
                parts.push((Part::Body, self.inputs.body_mark(Node::Section(id))));
                parts.push((Part::Own, self.inputs.doc_mark(Node::Section(id))));
                parts.push((Part::Links, self.links_mark(doc, &section.route)));
            }
            None => self.templated(&section.template, parts),
        }
        parts.push((Part::Own, Mark::of_json(&(self.section(id), self.pager(&section.route, pager, listed.len())))));
        self.card_parts(self.plan.slice(listed, pager), parts);
    }

    fn feed_parts(&self, job: &Job, scope: Scope, format: &str, parts: &mut Parts) {
        let (ids, name) = match scope {
            Scope::Site => (&self.plan.articles, ""),
            Scope::Term { taxonomy, term } => {
                let term = &self.plan.taxonomies[taxonomy].terms[term];
                (&term.pages, term.name.as_str())
            }
        };
        parts.push((Part::Site, self.site_mark()));
        parts.push((Part::Own, Mark::of_json(&(format, name, job.route.as_str()))));
        let dated = ids.iter().filter(|id| self.plan.pages[**id].doc.front.date.is_some()).take(self.config.feeds.limit);
        for id in dated {
            let page = &self.plan.pages[*id];
            let mut marker = Marker::default();
            let template = self.closures.mark("", page.doc.calls.iter().map(|c| c.name.as_str()));
            marker
                .mark(template)
                .mark(self.page_mark(*id))
                .mark(self.card_mark(*id))
                .mark(self.inputs.body_mark(Node::Page(*id)))
                .mark(self.links_mark(&page.doc, &page.route));
            // Components of the text may show the cards around it.
            for other in self.shown_with(*id) {
                marker.mark(self.card_mark(other));
            }
            parts.push((Part::Entry(self.shared.paths[*id]), marker.finish()));
        }
    }
}
