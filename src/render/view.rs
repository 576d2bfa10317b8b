//! What templates see: structs made from the plan, which become template values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde_json::json;
use tera::Value;

use super::ads::{self, SlotView};
use super::world::{Audience, World};
use crate::config::{Comments, Config, FeedFormat};
use crate::parse::front::ImageRef;
use crate::parse::{Doc, Moment};
use crate::paths::Route;
use crate::plan::links::From;
use crate::plan::{Neighbours, Node, PageId, Pager, Plan, SectionId, Taxonomy, Term, TermTextId};

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

/// A feed, as `site.feeds` and `term.feeds` have it.
#[derive(Debug, Serialize)]
pub struct FeedLink {
    pub url: String,
    /// The media type.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// The name of the format.
    pub title: &'static str,
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

    fn image(&self, image: &ImageRef, from: From<'_>) -> Option<ImageView> {
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

    /// A taxonomy's view.
    #[must_use]
    pub fn taxonomy_view(&self, index: usize) -> TaxonomyView<'_> {
        let taxonomy = &self.plan.taxonomies[index];
        let doc = taxonomy.text.map(|id| &*self.plan.term_texts[id].doc);
        TaxonomyView {
            name: &taxonomy.name,
            title: self.taxonomy_title(taxonomy),
            description: doc.and_then(|d| d.front.description.clone()).unwrap_or_default(),
            extra: doc.map_or_else(|| json!({}), extra),
            route: taxonomy.route.as_str(),
            url: self.url(&taxonomy.route),
            permalink: self.permalink(&taxonomy.route),
            terms: taxonomy.terms.iter().map(|term| self.term_view(taxonomy, term)).collect(),
        }
    }

    /// The title of a taxonomy's text, or its name in the language of the site, in the plural.
    pub(crate) fn taxonomy_title(&self, taxonomy: &Taxonomy) -> String {
        let own = taxonomy.text.and_then(|id| self.plan.term_texts[id].doc.front.title.clone());
        if let Some(title) = own {
            return title;
        }
        let name = &taxonomy.name;
        let key = match name.as_str() {
            "category" => "categories",
            "tag" => "tags",
            "author" => "authors",
            "series" => "series",
            _ => {
                let mut letters = name.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                return first.chain(letters).collect();
            }
        };
        self.config.texts.text(key).to_owned()
    }

    /// What the page of a term lists, such as "3 articles in this category".
    fn listing_of(&self, taxonomy: &Taxonomy, term: &Term) -> String {
        let key = match taxonomy.name.as_str() {
            "category" => "articles_in_category",
            "tag" => "articles_with_tag",
            "author" => "articles_by_author",
            "series" => "articles_in_series",
            _ => "articles",
        };
        let values = [("name", term.name.clone())];
        self.config.texts.translate(key, Some(term.pages.len() as u64), &values).unwrap_or_default()
    }

    /// A term's view.
    #[must_use]
    pub fn term_view<'a>(&'a self, taxonomy: &Taxonomy, term: &'a Term) -> TermView<'a> {
        let feed_url = |format: &FeedFormat| {
            let route = term.route.join(crate::plan::feed_name(*format));
            feed_link(*format, route.map(|route| self.url(&route)).unwrap_or_default())
        };
        let text = term.text.map(|id| &self.plan.term_texts[id]);
        let front = text.map(|text| &text.doc.front);
        let image = text.and_then(|text| {
            let from = From { doc: &text.doc, route: &text.route };
            self.image(text.doc.front.image.as_ref()?, from)
        });
        let description =
            text.map(|text| text.doc.front.description.as_deref().unwrap_or(&text.doc.lead));
        TermView {
            name: &term.name,
            title: front.and_then(|front| front.title.as_deref()).unwrap_or(&term.name),
            description: description.unwrap_or_default(),
            image,
            extra: text.map_or_else(|| json!({}), |text| extra(&text.doc)),
            route: term.route.as_str(),
            url: self.url(&term.route),
            permalink: self.permalink(&term.route),
            count: term.pages.len(),
            listing: self.listing_of(taxonomy, term),
            feeds: term.feeds.iter().map(feed_url).collect(),
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

/// The comments section, with the texts of the language where the site sets none.
fn comments_view(config: &Config) -> serde_json::Value {
    let Comments { show, heading, tagline, prompt, empty, empty_hint } = &config.comments;
    let or = |own: &Option<String>, key| {
        own.clone().unwrap_or_else(|| config.texts.text(key).to_owned())
    };
    json!({
        "show": show,
        "heading": or(heading, "comments"),
        "tagline": or(tagline, "comments_tagline"),
        "prompt": or(prompt, "comments_prompt"),
        "empty": or(empty, "comments_empty"),
        "empty_hint": or(empty_hint, "comments_empty_hint"),
    })
}

fn feed_link(format: FeedFormat, url: String) -> FeedLink {
    let (media_type, title) = match format {
        FeedFormat::Atom => ("application/atom+xml", "Atom"),
        FeedFormat::Rss => ("application/rss+xml", "RSS"),
        FeedFormat::Json => ("application/feed+json", "JSON Feed"),
    };
    FeedLink { url, media_type, title }
}

pub(super) fn into_map(value: Value) -> tera::Map {
    value.into_map().unwrap_or_default()
}

fn extra(doc: &Doc) -> serde_json::Value {
    serde_json::from_str(&doc.front.extra).unwrap_or_default()
}

/// A URL of `site.toml` as links have it: one of the site itself gets the prefix of the base URL,
/// unless it has it already.
fn configured_url(url: &str, config: &Config, plan: &Plan) -> String {
    if url.is_empty()
        || url.starts_with('#')
        || url.starts_with("//")
        || url.split(['/', '?']).next().is_some_and(|start| start.contains(':'))
    {
        return url.to_owned();
    }
    let (path, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    if let Some(node) =
        path.strip_prefix("@/").and_then(|path| plan.node(&format!("content/{path}")))
    {
        return format!("{}{rest}", config.base_url.local(&plan.route_of(node).encoded()));
    }
    let rooted = format!("/{}", url.trim_start_matches('/'));
    let path = rooted.split(['?', '#']).next().unwrap_or_default();
    let prefix = config.base_url.prefix();
    let prefixed =
        !prefix.is_empty() && (path == prefix || path.starts_with(&format!("{prefix}/")));
    if prefixed && !plan.answers(path) { rooted } else { config.base_url.local(&rooted) }
}

/// The configuration that templates can see.
#[must_use]
pub fn site(config: &Config, plan: &Plan) -> Value {
    let menu_item = |item: &crate::config::MenuItem| {
        let url = configured_url(&item.url, config, plan);
        json!({ "name": item.name, "url": url, "route": item.url })
    };
    let taxonomy = |taxonomy: &crate::plan::Taxonomy| {
        let url = config.base_url.local(&taxonomy.route.encoded());
        json!({ "name": taxonomy.name, "url": url })
    };
    let feeds = |format: &FeedFormat| {
        let name = crate::plan::feed_name(*format);
        feed_link(*format, config.base_url.local(&format!("/{name}")))
    };
    let formats = if config.feeds.limit == 0 { &[][..] } else { &config.feeds.formats };
    let slots: BTreeMap<&str, SlotView<'_>> = config
        .ads
        .slots
        .iter()
        .map(|(name, slot)| (name.as_str(), ads::slot(name, slot)))
        .collect();
    let texts = &config.texts;
    let ad_label = config.ads.label.as_deref().unwrap_or(texts.text("advertisement"));
    Value::from_serializable(&json!({
        "title": config.title,
        "description": config.description,
        "base_url": format!("{}{}", config.base_url.origin(), config.base_url.prefix()),
        "url": config.base_url.local("/"),
        "language": config.language,
        "direction": if texts.is_right_to_left() { "rtl" } else { "ltr" },
        "author": {
            "name": config.author.name,
            "url": configured_url(&config.author.url, config, plan),
        },
        "menu": {
            "main": config.menu.main.iter().map(menu_item).collect::<Vec<_>>(),
            "footer": config.menu.footer.iter().map(menu_item).collect::<Vec<_>>(),
        },
        "feeds": formats.iter().map(feeds).collect::<Vec<_>>(),
        "taxonomies": plan.taxonomies.iter().map(taxonomy).collect::<Vec<_>>(),
        "article": config.article,
        "ads": { "label": ad_label, "policy": config.ads.policy, "slots": slots },
        "comments": comments_view(config),
        "extra": config.extra,
    }))
}
