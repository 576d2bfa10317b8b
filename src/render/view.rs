//! What templates see: structs made from the plan, which become template values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde_json::json;
use tera::Value;

use super::ads;
use super::site_view::{FeedLink, configured_url};
use super::world::{Audience, World};
use crate::parse::front::ImageRef;
use crate::parse::{Doc, Moment};
use crate::paths::Route;
use crate::plan::links::From;
use crate::plan::{Neighbours, Node, PageId, Pager, SectionId, Term, TermTextId};

/// The values that a template receives, by kind of page.
#[expect(clippy::large_enum_variant, reason = "each value lives on the stack for one job")]
pub enum TemplateView<'a> {
    /// `page`: see [`World::page_view`] and [`World::neighbours`].
    Page {
        id: PageId,
    },
    /// `section` and `list`.
    Section {
        id: SectionId,
        section: SectionView<'a>,
        list: ListView<'a>,
    },
    /// `taxonomy`.
    Taxonomy {
        text: Option<TermTextId>,
        taxonomy: TaxonomyView<'a>,
    },
    /// `taxonomy`, `term` and `list`.
    Term {
        text: Option<TermTextId>,
        taxonomy: TaxonomyLink,
        term: TermView<'a>,
        list: ListView<'a>,
    },
    /// `years`.
    Archive {
        years: Vec<YearView>,
    },
    /// `year` and `pages`.
    Year {
        year: i16,
        pages: Vec<PageId>,
    },
    NotFound,
}

impl TemplateView<'_> {
    /// The article or section whose text is rendered.
    #[must_use]
    pub fn node(&self) -> Option<Node> {
        match self {
            Self::Page { id } => Some(Node::Page(*id)),
            Self::Section { id, .. } => Some(Node::Section(*id)),
            Self::Taxonomy { text, .. } | Self::Term { text, .. } => text.map(Node::Term),
            _ => None,
        }
    }
}

/// Where an article stands among others: the articles whose cards its page may show.
#[derive(Clone, Debug, Default)]
pub struct PageNeighbours {
    pub newer: Option<PageId>,
    pub older: Option<PageId>,
    pub related: Vec<PageId>,
    pub series: Vec<SeriesView>,
}

/// A series that an article is part of.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesView {
    pub link: NamedLink,
    /// In reading order: oldest first.
    pub pages: Vec<PageId>,
}

/// How many cards are kept as values; each takes about two kilobytes.
const CARDS_KEPT: usize = 4096;

/// Something with a name and a URL: a term, a section, an ancestor of a page.
#[derive(Clone, Debug, Serialize)]
pub struct NamedLink {
    pub name: String,
    pub route: String,
    pub url: String,
    pub permalink: String,
}

/// What lists show of an article.
#[derive(Debug, Serialize)]
pub struct Card<'a> {
    pub title: &'a str,
    /// The description of the front matter, or the first paragraph.
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
    pub category: Option<NamedLink>,
    pub tags: Vec<NamedLink>,
    pub authors: Vec<NamedLink>,
    pub image: Option<ImageView>,
    pub draft: bool,
    pub sponsored: bool,
    pub weight: Option<i64>,
    pub extra: serde_json::Value,
}

/// An image with its URL.
#[derive(Debug, Serialize)]
pub struct ImageView {
    pub url: String,
    pub permalink: String,
    /// In pixels, when it is known.
    pub width: Option<usize>,
    pub height: Option<usize>,
    pub alt: String,
    pub credit: String,
}

/// Everything about an article except its rendered text and the cards of others.
#[derive(Debug, Serialize)]
pub struct PageView<'a> {
    #[serde(flatten)]
    pub card: Card<'a>,
    pub slug: &'a str,
    pub word_count: usize,
    /// Whether the front matter has a description; otherwise it is the first paragraph.
    pub has_description: bool,
    pub toc: Vec<crate::parse::outline::Entry>,
    pub show_toc: bool,
    pub terms: BTreeMap<&'a str, Vec<NamedLink>>,
    pub section: Option<NamedLink>,
    /// From the front page down to the section.
    pub ancestors: Vec<NamedLink>,
    pub ads: ads::PageAds<'a>,
    pub comments: bool,
    pub views: Option<u64>,
    pub hearts: Option<u64>,
}

/// A section with its subsections. The articles of its list come as a [`ListView`].
#[derive(Debug, Serialize)]
pub struct SectionView<'a> {
    pub title: &'a str,
    pub description: String,
    /// The folder below `content/`.
    pub path: &'a str,
    pub route: &'a str,
    pub url: String,
    pub permalink: String,
    pub toc: Vec<crate::parse::outline::Entry>,
    /// From the front page down to the parent section.
    pub ancestors: Vec<NamedLink>,
    pub subsections: Vec<NamedLink>,
    pub extra: serde_json::Value,
}

/// A taxonomy with its terms.
#[derive(Debug, Serialize)]
pub struct TaxonomyView<'a> {
    pub name: &'a str,
    /// The name in the language of the site, in the plural.
    pub title: String,
    pub description: String,
    pub route: &'a str,
    pub url: String,
    pub permalink: String,
    pub extra: serde_json::Value,
    pub terms: Vec<TermView<'a>>,
}

/// A term, without its articles.
#[derive(Debug, Serialize)]
pub struct TermView<'a> {
    pub name: &'a str,
    /// The title of its text, or its name.
    pub title: &'a str,
    pub description: &'a str,
    pub image: Option<ImageView>,
    pub extra: serde_json::Value,
    pub route: &'a str,
    pub url: String,
    pub permalink: String,
    /// The number of its articles.
    pub count: usize,
    /// What its page lists, in the language of the site.
    pub listing: String,
    pub feeds: Vec<FeedLink>,
}

/// The taxonomy of a term.
#[derive(Debug, Serialize)]
pub struct TaxonomyLink {
    #[serde(flatten)]
    pub link: NamedLink,
    /// The name in the language of the site, in the plural.
    pub title: String,
}

/// A year of the archive.
#[derive(Debug, Serialize)]
pub struct YearView {
    pub year: i16,
    /// The number of its articles.
    pub count: usize,
    pub url: String,
}

/// One page of a list.
#[derive(Debug)]
pub struct ListView<'a> {
    /// The articles on this page of the list.
    pub pages: &'a [PageId],
    pub pager: PagerView,
}

/// Which page of a list is shown, and the URLs of the others.
#[derive(Debug, Serialize)]
pub struct PagerView {
    /// From 1.
    pub current: usize,
    pub count: usize,
    /// The number of entries of the whole list.
    pub total: usize,
    pub first: String,
    pub last: String,
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl World {
    /// The URL of a route as links of the site have it.
    #[must_use]
    pub fn url(&self, route: &Route) -> String {
        self.config.base_url.local(&route.encoded())
    }

    /// The URL of a route for this audience.
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
    pub fn named_link(&self, name: &str, route: &Route) -> NamedLink {
        NamedLink {
            name: name.to_owned(),
            route: route.as_str().to_owned(),
            url: self.url(route),
            permalink: self.permalink(route),
        }
    }

    fn date(&self, moment: Option<Moment>) -> Option<String> {
        moment.map(|m| m.rfc3339(&self.config.timezone))
    }

    /// The terms of a taxonomy that an article has, in its own order. Without pages of the taxonomy
    /// they have no URLs.
    fn terms(&self, doc: &Doc, taxonomy: &str) -> Vec<NamedLink> {
        let known = self.plan.taxonomies.iter().find(|t| t.name == taxonomy);
        let terms = doc.front.terms.get(taxonomy).into_iter().flatten();
        terms
            .map(|name| match known.and_then(|t| t.terms.get(*t.spellings.get(name)?)) {
                Some(term) => self.named_link(name, &term.route),
                None => NamedLink {
                    name: name.clone(),
                    route: String::new(),
                    url: String::new(),
                    permalink: String::new(),
                },
            })
            .collect()
    }

    fn authors(&self, doc: &Doc) -> Vec<NamedLink> {
        let own = self.terms(doc, "author");
        if !own.is_empty() || self.config.author.name.is_empty() {
            return own;
        }
        let author = &self.config.author;
        let authors = self.plan.taxonomies.iter().find(|t| t.name == "author");
        let term = authors.and_then(|t| t.terms.get(*t.spellings.get(&author.name)?));
        if let Some(term) = term.filter(|_| author.url.is_empty()) {
            return vec![self.named_link(&author.name, &term.route)];
        }
        let url = configured_url(&author.url, &self.config, &self.plan);
        vec![NamedLink {
            name: author.name.clone(),
            route: String::new(),
            url: url.clone(),
            permalink: url,
        }]
    }

    pub(super) fn image(&self, image: &ImageRef, from: From<'_>) -> Option<ImageView> {
        let target = &from.doc.links.get(image.link as usize)?.target;
        let url = self.link_url(target, from, Audience::Page)?;
        let permalink = self.link_url(target, from, Audience::Feed)?;
        let (width, height) = self.image_size(target, from).unzip();
        let (alt, credit) = (image.alt.clone(), image.credit.clone());
        Some(ImageView { url, permalink, width, height, alt, credit })
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

    /// The card as a value for templates. The values of many articles are kept, since an article is
    /// shown in many places.
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

    /// The sections from the front page down to a section, including it.
    fn ancestors(&self, section: SectionId) -> Vec<NamedLink> {
        let mut way = Vec::new();
        let mut at = Some(section);
        while let Some(id) = at {
            let s = &self.plan.sections[id];
            way.push(self.named_link(&s.title, &s.route));
            at = s.parent;
        }
        way.reverse();
        way
    }

    pub(super) fn series<'a>(&'a self, doc: &'a Doc) -> impl Iterator<Item = &'a Term> {
        let taxonomy = self.plan.taxonomies.iter().find(|t| t.name == "series");
        let names = doc.front.terms.get("series").into_iter().flatten();
        names.filter_map(move |name| taxonomy?.terms.iter().find(|t| t.name == *name))
    }

    /// The value of `page`: an article's view with the cards of its neighbours.
    pub(super) fn page_value(&self, id: PageId) -> Value {
        let PageNeighbours { newer, older, related, series } = self.neighbours(id);
        let mut view = into_map(Value::from_serializable(&self.page_view(id)));
        let card = |id: Option<PageId>| id.map_or_else(Value::none, |id| self.card_value(id));
        view.insert("newer".into(), card(newer));
        view.insert("older".into(), card(older));
        view.insert("related".into(), self.card_values(&related));
        let series = series.iter().map(|SeriesView { link, pages }| {
            let mut view = into_map(Value::from_serializable(link));
            view.insert("pages".into(), self.card_values(pages));
            Value::from(view)
        });
        view.insert("series".into(), Value::from(series.collect::<Vec<_>>()));
        Value::from(view)
    }

    /// The articles around an article.
    #[must_use]
    pub fn neighbours(&self, id: PageId) -> PageNeighbours {
        let Neighbours { newer, older, related } = &self.plan.neighbours[id];
        let series = self.series(&self.plan.pages[id].doc).map(|term| SeriesView {
            link: self.named_link(&term.name, &term.route),
            pages: term.pages.clone(),
        });
        PageNeighbours {
            newer: *newer,
            older: *older,
            related: related.clone(),
            series: series.collect(),
        }
    }

    /// An article's view without the cards of others.
    #[must_use]
    pub fn page_view(&self, id: PageId) -> PageView<'_> {
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
            section: Some(self.named_link(
                &self.plan.sections[page.section].title,
                &self.plan.sections[page.section].route,
            )),
            ancestors: self.ancestors(page.section),
            ads: ads::of_page(&self.config.ads, &doc.front.ads, is_article),
            comments: doc.front.comments.unwrap_or(self.config.comments.show && is_article),
            views: doc.front.views.or(counts.views),
            hearts: doc.front.hearts.or(counts.hearts),
        }
    }

    /// A section's view.
    #[must_use]
    pub fn section_view(&self, id: SectionId) -> SectionView<'_> {
        let s = &self.plan.sections[id];
        let description = s.doc.as_ref().and_then(|d| d.front.description.clone());
        let default = || if id == 0 { self.config.description.clone() } else { String::new() };
        let outline = |doc: &Arc<Doc>| crate::parse::outline::tree(&doc.outline);
        let link = |id: &SectionId| {
            let section = &self.plan.sections[*id];
            self.named_link(&section.title, &section.route)
        };
        SectionView {
            title: &s.title,
            description: description.unwrap_or_else(default),
            path: &s.path,
            route: s.route.as_str(),
            url: self.url(&s.route),
            permalink: self.permalink(&s.route),
            toc: s.doc.as_ref().map(outline).unwrap_or_default(),
            ancestors: s.parent.map(|p| self.ancestors(p)).unwrap_or_default(),
            subsections: s.subsections.iter().map(link).collect(),
            extra: s.doc.as_ref().map_or_else(|| json!({}), |d| extra(d)),
        }
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

pub(super) fn into_map(value: Value) -> tera::Map {
    value.into_map().unwrap_or_default()
}

pub(super) fn extra(doc: &Doc) -> serde_json::Value {
    serde_json::from_str(&doc.front.extra).unwrap_or_default()
}
