//! The dependencies of a job.

use std::sync::{Arc, OnceLock};

use serde_json::json;

use super::dependency::{ContentFingerprints, Dependencies, Dependency, path_fingerprint};
use super::templates::TemplateClosures;
use crate::cache::{Fingerprint, FingerprintHasher};
use crate::config::Config;
use crate::load::TemplateSource;
use crate::parse::{Doc, LinkKind};
use crate::paths::Route;
use crate::plan::links::From;
use crate::plan::{CopyFrom, Job, JobKind, Node, PageId, Plan, TermTextId};
use crate::render::{Audience, FeedView, JobView, ListView, PageNeighbours, TemplateView, World};

/// Computes dependencies, and remembers the fingerprints that many jobs share.
pub struct DependencyTracker {
    content: Arc<dyn ContentFingerprints>,
    templates: TemplateClosures,
    pages: Vec<SharedFingerprints>,
    site: OnceLock<Fingerprint>,
}

/// The fingerprints of an article that several jobs may need, each computed on first use.
struct SharedFingerprints {
    path: Fingerprint,
    card: OnceLock<Fingerprint>,
    view: OnceLock<Fingerprint>,
}

impl DependencyTracker {
    /// A tracker for the jobs of a plan.
    #[must_use]
    pub fn new(
        plan: &Plan,
        templates: &[TemplateSource],
        content: Arc<dyn ContentFingerprints>,
    ) -> Self {
        Self {
            content,
            templates: TemplateClosures::new(templates),
            pages: shared_fingerprints(plan),
            site: OnceLock::new(),
        }
    }

    /// Discards what is remembered about an article whose document was replaced.
    pub fn forget_page(&mut self, id: PageId) {
        if let Some(page) = self.pages.get_mut(id) {
            page.card = OnceLock::new();
            page.view = OnceLock::new();
        }
    }

    /// Discards what is remembered about every article.
    pub fn forget_pages(&mut self, plan: &Plan) {
        self.pages = shared_fingerprints(plan);
    }

    /// Replaces the templates.
    pub fn set_templates(&mut self, templates: &[TemplateSource]) {
        self.templates = TemplateClosures::new(templates);
    }

    /// The templates, with what each of them refers to.
    #[must_use]
    pub fn templates(&self) -> &TemplateClosures {
        &self.templates
    }

    /// The dependencies of a job.
    #[must_use]
    pub fn dependencies(&self, world: &World, job: &Job) -> Dependencies {
        let mut list = Dependencies::with_capacity(16);
        match &job.kind {
            JobKind::Copy(CopyFrom::Site(path)) => {
                list.push((Dependency::File, self.content.file(path).unwrap_or_default()));
            }
            JobKind::Copy(CopyFrom::Theme { bytes, .. }) => {
                list.push((Dependency::File, Fingerprint::of(bytes)));
            }
            _ => match world.job_view(job) {
                JobView::Templated { template, view } => {
                    self.add_templated(world, template, &view, &mut list);
                }
                JobView::Feed(feed) => self.add_feed(world, &feed, &mut list),
                // Rendering these takes no longer than describing what they are rendered from.
                JobView::Text(text) => {
                    list.push((Dependency::View, Fingerprint::of(text.as_bytes())));
                }
            },
        }
        list.push((Dependency::View, Fingerprint::of(job.route.as_str().as_bytes())));
        list
    }

    fn add_templated(
        &self,
        world: &World,
        template: &str,
        view: &TemplateView<'_>,
        list: &mut Dependencies,
    ) {
        // An ad may be placed in a text that calls no component.
        let doc = view.node().and_then(|node| world.plan.doc_of(node));
        let calls = doc.map(|doc| doc.calls.iter().map(|c| c.name.as_str()).chain(["ad"]));
        let components = calls.into_iter().flatten();
        list.push((Dependency::Template, self.templates.fingerprint(template, components)));
        list.push((Dependency::Site, self.site_fingerprint(world)));
        match view {
            TemplateView::Page { id } => {
                self.add_text(world, Node::Page(*id), &world.plan.pages[*id].route, list);
                list.push((Dependency::View, self.page_fingerprint(world, *id)));
                self.add_cards(world, &world.neighbours(*id).all(), list);
            }
            TemplateView::Section { id, section, list: entries } => {
                let route = &world.plan.sections[*id].route;
                self.add_text(world, Node::Section(*id), route, list);
                list.push((Dependency::View, Fingerprint::of_json(section)));
                self.add_list(world, entries, list);
            }
            TemplateView::Taxonomy { text, taxonomy } => {
                self.add_term_text(world, *text, list);
                list.push((Dependency::View, Fingerprint::of_json(taxonomy)));
            }
            TemplateView::Term { text, taxonomy, term, list: entries } => {
                self.add_term_text(world, *text, list);
                list.push((Dependency::View, Fingerprint::of_json(&(taxonomy, term))));
                self.add_list(world, entries, list);
            }
            TemplateView::Archive { years } => {
                list.push((Dependency::View, Fingerprint::of_json(years)));
            }
            TemplateView::Year { year, pages } => {
                list.push((Dependency::View, Fingerprint::of_json(year)));
                self.add_cards(world, pages, list);
            }
            TemplateView::NotFound => {}
        }
    }

    /// Adds what the rendered text of an article or section depends on.
    fn add_text(&self, world: &World, node: Node, route: &Route, list: &mut Dependencies) {
        let Some(doc) = world.plan.doc_of(node) else { return };
        // The first dependency that changed is the reason that is shown, and a change of the text
        // changes the document as well.
        list.push((Dependency::Body, self.content.body(node)));
        list.push((Dependency::Document, self.content.document(node)));
        list.push((Dependency::Links, links_fingerprint(world, doc, route, &*self.content)));
    }

    /// Adds what the text of a term depends on.
    fn add_term_text(&self, world: &World, text: Option<TermTextId>, list: &mut Dependencies) {
        if let Some(id) = text {
            self.add_text(world, Node::Term(id), &world.plan.term_texts[id].route, list);
        }
    }

    fn add_list(&self, world: &World, view: &ListView<'_>, list: &mut Dependencies) {
        let ListView { pages, pager } = view;
        list.push((Dependency::View, Fingerprint::of_json(pager)));
        self.add_cards(world, pages, list);
    }

    fn add_cards(&self, world: &World, ids: &[PageId], list: &mut Dependencies) {
        list.extend(
            ids.iter().map(|id| {
                (Dependency::Card(self.pages[*id].path), self.card_fingerprint(world, *id))
            }),
        );
    }

    fn add_feed(&self, world: &World, feed: &FeedView<'_>, list: &mut Dependencies) {
        let FeedView { format, title, description, home, url, entries } = feed;
        list.push((Dependency::Site, self.site_fingerprint(world)));
        let header = (format, title, description, home, url);
        list.push((Dependency::View, Fingerprint::of_json(&header)));
        for id in entries {
            let article = self.article_fingerprint(world, *id);
            list.push((Dependency::Article(self.pages[*id].path), article));
        }
    }

    /// Everything that a feed can show of an article.
    fn article_fingerprint(&self, world: &World, id: PageId) -> Fingerprint {
        let page = &world.plan.pages[id];
        let calls = page.doc.calls.iter().map(|c| c.name.as_str());
        let mut hasher = FingerprintHasher::default();
        hasher
            .fingerprint(self.templates.fingerprint("", calls))
            .fingerprint(self.content.document(Node::Page(id)))
            .fingerprint(self.content.body(Node::Page(id)))
            .fingerprint(self.page_fingerprint(world, id))
            .fingerprint(links_fingerprint(world, &page.doc, &page.route, &*self.content));
        // The components of its text may show the cards around it.
        for other in world.neighbours(id).all() {
            hasher.fingerprint(self.card_fingerprint(world, other));
        }
        hasher.finish()
    }

    fn card_fingerprint(&self, world: &World, id: PageId) -> Fingerprint {
        *self.pages[id].card.get_or_init(|| Fingerprint::of_json(&world.card(id)))
    }

    /// The fingerprint of an article's view, without the cards of other articles.
    fn page_fingerprint(&self, world: &World, id: PageId) -> Fingerprint {
        *self.pages[id].view.get_or_init(|| {
            let PageNeighbours { newer, older, related, series } = world.neighbours(id);
            // The cards are dependencies of their own; how they are arranged is part of the view.
            let series: Vec<_> = series.iter().map(|s| (&s.link, s.pages.len())).collect();
            let arrangement = (newer.is_some(), older.is_some(), related.len(), series);
            Fingerprint::of_json(&(world.page_view(id), arrangement))
        })
    }

    /// The configuration that any page can see. The pattern names every field, so that a new key
    /// cannot be forgotten.
    fn site_fingerprint(&self, world: &World) -> Fingerprint {
        let Config {
            // Part of `world.site`.
            title: _,
            base_url: _,
            description: _,
            language: _,
            texts,
            author: _,
            menu: _,
            extra: _,
            // Decided by the plan: routes, lists and jobs.
            paginate_by: _,
            permalinks: _,
            taxonomies: _,
            // A job of its own, or read by `highlight_css()`, which is traced.
            highlight: _,
            // What it changes is in the views.
            counters: _,
            // Not seen by pages.
            check: _,
            deploy: _,
            timezone,
            // The filter `slugify`.
            slugs,
            feeds,
            markdown,
            article,
            ads,
            comments,
        } = &world.config;
        *self.site.get_or_init(|| {
            Fingerprint::of_json(&json!([
                &world.site,
                timezone.iana_name(),
                texts.texts(),
                slugs,
                feeds,
                &markdown.external_links,
                article,
                ads,
                comments,
                comments.show,
            ]))
        })
    }
}

fn shared_fingerprints(plan: &Plan) -> Vec<SharedFingerprints> {
    plan.pages
        .iter()
        .map(|page| SharedFingerprints {
            path: path_fingerprint(&page.doc.source),
            card: OnceLock::new(),
            view: OnceLock::new(),
        })
        .collect()
}

/// The fingerprint of the URLs that a document's links resolve to, and of the images among them.
fn links_fingerprint(
    world: &World,
    doc: &Doc,
    route: &Route,
    content: &dyn ContentFingerprints,
) -> Fingerprint {
    let mut hasher = FingerprintHasher::default();
    for link in &doc.links {
        let from = From { doc, route };
        let url = world.link_url(&link.target, from, Audience::Page);
        hasher.text(url.as_deref().unwrap_or("\0"));
        // The size of an image is written beside its URL.
        if link.kind == LinkKind::Image
            && let Some(CopyFrom::Site(path)) = world.linked_file(&link.target, from)
        {
            hasher.fingerprint(content.file(path).unwrap_or_default());
        }
    }
    hasher.finish()
}
