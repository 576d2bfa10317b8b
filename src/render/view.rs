//! What templates see: plain structs made from the plan, turned into template values.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde_json::json;
use tera::Value;

use super::ads::{self, SlotView};
use super::{Audience, World};
use crate::config::{Config, FeedFormat};
use crate::parse::front::ImageRef;
use crate::parse::{Doc, Moment};
use crate::paths::Route;
use crate::plan::links::From;
use crate::plan::{PageId, Pager, Plan, SectionId};

/// How many articles' cards are kept as values; each takes about two kilobytes.
const CARDS_KEPT: usize = 4096;

/// A named thing with an address: a term, a section, a step of the way home.
#[derive(Clone, Debug, Serialize)]
pub struct Named {
    pub name: String,
    pub route: String,
    pub url: String,
    pub permalink: String,
}

/// What a list shows of an article.
#[derive(Debug, Serialize)]
pub struct Card<'a> {
    pub title: &'a str,
    /// The front matter's description, else the first paragraph.
    pub description: &'a str,
    pub route: &'a str,
    pub url: String,
    pub permalink: String,
    /// The file below `content/`.
    pub path: &'a str,
    pub date: Option<String>,
    pub updated: Option<String>,
    pub year: Option<i16>,
    pub reading_time: usize,
    pub category: Option<Named>,
    pub tags: Vec<Named>,
    pub authors: Vec<Named>,
    pub image: Option<ImageView>,
    pub draft: bool,
    pub sponsored: bool,
    pub weight: Option<i64>,
    pub extra: serde_json::Value,
}

/// A picture with its address.
#[derive(Debug, Serialize)]
pub struct ImageView {
    pub url: String,
    pub permalink: String,
    pub alt: String,
    pub credit: String,
}

/// Everything of an article but its rendered texts and the cards of others.
#[derive(Debug, Serialize)]
pub struct PageView<'a> {
    #[serde(flatten)]
    pub card: Card<'a>,
    pub slug: &'a str,
    pub word_count: usize,
    /// Whether the front matter gives a description; else it is the first paragraph.
    pub has_description: bool,
    pub toc: Vec<crate::parse::outline::Entry>,
    pub show_toc: bool,
    pub terms: BTreeMap<&'a str, Vec<Named>>,
    pub section: Option<Named>,
    /// From the front page down to the section.
    pub ancestors: Vec<Named>,
    pub ads: ads::PageAds<'a>,
    pub comments: bool,
    pub views: Option<u64>,
    pub hearts: Option<u64>,
}

/// The page of a list that is shown.
#[derive(Debug, Serialize)]
pub struct PagerView {
    /// From 1.
    pub current: usize,
    pub count: usize,
    /// Entries of the whole list.
    pub total: usize,
    pub first: String,
    pub last: String,
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl World {
    /// The address of a route as the site's own links write it.
    #[must_use]
    pub fn url(&self, route: &Route) -> String {
        self.config.base_url.local(&route.encoded())
    }

    /// The address of a route as its reader needs it.
    pub(crate) fn link(&self, route: &Route, audience: Audience) -> String {
        match audience {
            Audience::Page => self.url(route),
            Audience::Feed => self.permalink(route),
        }
    }

    #[must_use]
    pub fn permalink(&self, route: &Route) -> String {
        self.config.base_url.absolute(&route.encoded())
    }

    #[must_use]
    pub fn named(&self, name: &str, route: &Route) -> Named {
        Named { name: name.to_owned(), route: route.as_str().to_owned(), url: self.url(route), permalink: self.permalink(route) }
    }

    fn date(&self, moment: Option<Moment>) -> Option<String> {
        moment.map(|m| m.rfc3339(&self.config.timezone))
    }

    /// The terms of a taxonomy that an article has, in its own order. A taxonomy without pages links nowhere.
    fn terms(&self, doc: &Doc, taxonomy: &str) -> Vec<Named> {
        let known = self.plan.taxonomies.iter().find(|t| t.name == taxonomy);
        let terms = doc.front.terms.get(taxonomy).into_iter().flatten();
        terms
            .map(|name| match known.and_then(|t| t.terms.get(*t.spellings.get(name)?)) {
                Some(term) => self.named(name, &term.route),
                None => Named { name: name.clone(), route: String::new(), url: String::new(), permalink: String::new() },
            })
            .collect()
    }

    fn authors(&self, doc: &Doc) -> Vec<Named> {
        let own = self.terms(doc, "author");
        if !own.is_empty() || self.config.author.name.is_empty() {
            return own;
        }
        let author = &self.config.author;
        let url = configured_url(&author.url, &self.config, &self.plan);
        vec![Named { name: author.name.clone(), route: String::new(), url: url.clone(), permalink: url }]
    }

    fn image(&self, image: &ImageRef, from: From<'_>) -> Option<ImageView> {
        let target = &from.doc.links.get(image.link as usize)?.target;
        let url = self.address(target, from, Audience::Page)?;
        let permalink = self.address(target, from, Audience::Feed)?;
        Some(ImageView { url, permalink, alt: image.alt.clone(), credit: image.credit.clone() })
    }

    #[must_use]
    pub fn card(&self, id: PageId) -> Card<'_> {
        let page = &self.plan.pages[id];
        let doc = &*page.doc;
        let from = From { doc, route: &page.route };
        Card {
            title: &doc.title,
            description: doc.front.description.as_deref().unwrap_or(&doc.lead),
            route: page.route.as_str(),
            url: self.url(&page.route),
            permalink: self.permalink(&page.route),
            path: doc.source.below("content").unwrap_or_default(),
            date: self.date(doc.front.date),
            updated: self.date(doc.front.updated),
            year: doc.front.date.map(|d| d.civil.year()),
            reading_time: doc.words.minutes(self.config.article.words_per_minute),
            category: self.terms(doc, "category").into_iter().next(),
            tags: self.terms(doc, "tag"),
            authors: self.authors(doc),
            image: doc.front.image.as_ref().and_then(|i| self.image(i, from)),
            draft: doc.front.draft,
            sponsored: doc.front.sponsored,
            weight: doc.front.weight,
            extra: extra(doc),
        }
    }

    /// The card as a template's value. Those of many articles are kept: an article is shown in a dozen places.
    pub(super) fn card_value(&self, id: PageId) -> Value {
        let slot = &self.card_values[id];
        if let Some(value) = slot.get() {
            return value.clone();
        }
        let value = Value::from_serializable(&self.card(id));
        if self.cards_kept.fetch_add(1, Ordering::Relaxed) < CARDS_KEPT {
            let _ = slot.set(value.clone());
        }
        value
    }

    pub(super) fn card_values(&self, ids: &[PageId]) -> Value {
        Value::from(ids.iter().map(|id| self.card_value(*id)).collect::<Vec<_>>())
    }

    #[must_use]
    pub fn cards(&self, ids: &[PageId]) -> Vec<Card<'_>> {
        ids.iter().map(|id| self.card(*id)).collect()
    }

    /// The way from the front page to a section, it included.
    fn ancestors(&self, section: SectionId) -> Vec<Named> {
        let mut way = Vec::new();
        let mut at = Some(section);
        while let Some(id) = at {
            let s = &self.plan.sections[id];
            way.push(self.named(&s.title, &s.route));
            at = s.parent;
        }
        way.reverse();
        way
    }

    pub(super) fn series<'a>(&'a self, doc: &'a Doc) -> impl Iterator<Item = &'a crate::plan::Term> {
        let taxonomy = self.plan.taxonomies.iter().find(|t| t.name == "series");
        let names = doc.front.terms.get("series").into_iter().flatten();
        names.filter_map(move |name| taxonomy?.terms.iter().find(|t| t.name == *name))
    }

    /// An article's view.
    pub(super) fn page(&self, id: PageId) -> Value {
        let page = &self.plan.pages[id];
        let mut view = Value::from_serializable(&self.page_alone(id)).into_map().unwrap_or_default();
        let card = |id: Option<PageId>| id.map_or_else(Value::none, |id| self.card_value(id));
        view.insert("newer".into(), card(page.newer));
        view.insert("older".into(), card(page.older));
        view.insert("related".into(), self.card_values(&page.related));
        let series = self.series(&page.doc).map(|t| {
            let mut view = Value::from_serializable(&self.named(&t.name, &t.route)).into_map().unwrap_or_default();
            view.insert("pages".into(), self.card_values(&t.pages.iter().rev().copied().collect::<Vec<_>>()));
            Value::from(view)
        });
        view.insert("series".into(), Value::from(series.collect::<Vec<_>>()));
        Value::from(view)
    }

    /// An article's view without the cards of others.
    #[must_use]
    pub(super) fn page_alone(&self, id: PageId) -> PageView<'_> {
        let page = &self.plan.pages[id];
        let doc = &*page.doc;
        let is_article = doc.front.date.is_some();
        let counts = self.counters.of(page.route.as_str());
        PageView {
            card: self.card(id),
            slug: page.route.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or_default(),
            word_count: doc.words.total(),
            has_description: doc.front.description.is_some(),
            toc: crate::parse::outline::tree(&doc.outline),
            show_toc: doc.front.toc.unwrap_or(false),
            terms: doc.front.terms.iter().map(|(name, _)| (name, self.terms(doc, name))).collect(),
            section: Some(self.named(&self.plan.sections[page.section].title, &self.plan.sections[page.section].route)),
            ancestors: self.ancestors(page.section),
            ads: ads::of_page(&self.config.ads, &doc.front.ads, is_article),
            comments: doc.front.comments.unwrap_or(self.config.comments.show && is_article),
            views: doc.front.views.or(counts.views),
            hearts: doc.front.hearts.or(counts.hearts),
        }
    }

    /// A section with its subsections; its list comes apart, a page of it at a time.
    #[must_use]
    pub fn section(&self, id: SectionId) -> serde_json::Value {
        let s = &self.plan.sections[id];
        let description = s.doc.as_ref().and_then(|d| d.front.description.clone());
        let below = |id: &SectionId| self.named(&self.plan.sections[*id].title, &self.plan.sections[*id].route);
        let ancestors = s.parent.map(|p| self.ancestors(p)).unwrap_or_default();
        json!({
            "title": s.title,
            "description": description.unwrap_or_else(|| if id == 0 { self.config.description.clone() } else { String::new() }),
            "path": s.path,
            "route": s.route.as_str(),
            "url": self.url(&s.route),
            "permalink": self.permalink(&s.route),
            "toc": s.doc.as_ref().map(|d| crate::parse::outline::tree(&d.outline)).unwrap_or_default(),
            "ancestors": ancestors,
            "subsections": s.subsections.iter().map(below).collect::<Vec<_>>(),
            "extra": s.doc.as_ref().map_or_else(|| json!({}), |d| extra(d)),
        })
    }

    #[must_use]
    pub fn pager(&self, base: &Route, pager: Pager, total: usize) -> PagerView {
        let at = |number: usize| match number {
            1 => self.url(base),
            n => base.join(&format!("page/{n}/")).map_or_else(|_| self.url(base), |r| self.url(&r)),
        };
        PagerView {
            current: pager.number,
            count: pager.count,
            total,
            first: at(1),
            last: at(pager.count),
            previous: (pager.number > 1).then(|| at(pager.number - 1)),
            next: (pager.number < pager.count).then(|| at(pager.number + 1)),
        }
    }
}

fn extra(doc: &Doc) -> serde_json::Value {
    serde_json::from_str(&doc.front.extra).unwrap_or_default()
}

/// An address from `site.toml` as links write it: one of the site's own gets the site's prefix, once.
fn configured_url(url: &str, config: &Config, plan: &Plan) -> String {
    if url.is_empty() || url.starts_with('#') || url.starts_with("//") || url.split(['/', '?']).next().is_some_and(|start| start.contains(':')) {
        return url.to_owned();
    }
    let (path, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    if let Some(node) = path.strip_prefix("@/").and_then(|path| plan.node(&format!("content/{path}"))) {
        return format!("{}{rest}", config.base_url.local(&plan.route_of(node).encoded()));
    }
    let rooted = format!("/{}", url.trim_start_matches('/'));
    let path = rooted.split(['?', '#']).next().unwrap_or_default();
    let prefix = config.base_url.prefix();
    let prefixed = !prefix.is_empty() && (path == prefix || path.starts_with(&format!("{prefix}/")));
    if prefixed && !plan.answers(path) { rooted } else { config.base_url.local(&rooted) }
}

/// The configuration that templates may see.
#[must_use]
pub fn site(config: &Config, plan: &Plan) -> Value {
    let menu_item = |item: &crate::config::MenuItem| json!({ "name": item.name, "url": configured_url(&item.url, config, plan), "route": item.url });
    let feeds = |format: &FeedFormat| {
        let name = crate::plan::feed_name(*format);
        let (kind, title) = match format {
            FeedFormat::Atom => ("application/atom+xml", "Atom"),
            FeedFormat::Rss => ("application/rss+xml", "RSS"),
            FeedFormat::Json => ("application/feed+json", "JSON Feed"),
        };
        json!({ "url": config.base_url.local(&format!("/{name}")), "type": kind, "title": title })
    };
    let formats = if config.feeds.limit == 0 { &[][..] } else { &config.feeds.formats };
    let slots: BTreeMap<&str, SlotView<'_>> = config.ads.slots.iter().map(|(name, slot)| (name.as_str(), ads::slot(name, slot))).collect();
    Value::from_serializable(&json!({
        "title": config.title,
        "description": config.description,
        "base_url": format!("{}{}", config.base_url.origin(), config.base_url.prefix()),
        "url": config.base_url.local("/"),
        "language": config.language,
        "author": { "name": config.author.name, "url": configured_url(&config.author.url, config, plan) },
        "menu": {
            "main": config.menu.main.iter().map(menu_item).collect::<Vec<_>>(),
            "footer": config.menu.footer.iter().map(menu_item).collect::<Vec<_>>(),
        },
        "feeds": formats.iter().map(feeds).collect::<Vec<_>>(),
        "taxonomies": plan.taxonomies.iter().map(|t| json!({ "name": t.name, "url": config.base_url.local(&t.route.encoded()) })).collect::<Vec<_>>(),
        "article": config.article,
        "ads": { "label": config.ads.label, "policy": config.ads.policy, "slots": slots },
        "comments": config.comments,
        "extra": config.extra,
    }))
}
