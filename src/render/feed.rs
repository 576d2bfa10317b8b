//! Feeds: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, with full texts and absolute links.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use atom_syndication as atom;
use serde_json::json;
use tera::Context;

use super::engine::Engine;
use super::fill::Filler;
use super::pages::implicits;
use super::{Audience, World};
use crate::config::{FeedContent, FeedFormat};
use crate::diag::{Diagnostic, Report};
use crate::parse::Moment;
use crate::plan::links::From;
use crate::plan::{Job, Node, PageId, Scope};

/// What a feed says, before it has a format.
struct Feed {
    title: String,
    description: String,
    /// The page that the feed is about.
    home: String,
    /// The feed's own address.
    own: String,
    entries: Vec<Entry>,
}

struct Entry {
    title: String,
    permalink: String,
    summary: String,
    content: Option<String>,
    published: Moment,
    updated: Option<Moment>,
    authors: Vec<String>,
    tags: Vec<String>,
}

/// Renders a feed.
///
/// # Errors
/// Every component of its articles that fails.
pub(super) fn render(world: &World, engine: &Engine, job: &Job, format: FeedFormat, scope: Scope) -> Result<String, Report> {
    let feed = gather(world, engine, job, scope)?;
    let failed = |e: &dyn Display| Report::of(Diagnostic::error(format!("the feed {} cannot be written: {e}", job.route)));
    match format {
        FeedFormat::Atom => write_atom(world, &feed).map_err(|e| failed(&e)),
        FeedFormat::Rss => Ok(write_rss(world, &feed)),
        FeedFormat::Json => write_json(world, &feed).map_err(|e| failed(&e)),
    }
}

fn gather(world: &World, engine: &Engine, job: &Job, scope: Scope) -> Result<Feed, Report> {
    let site = &world.config.title;
    let (ids, title, home) = match scope {
        Scope::Site => (&world.plan.articles, site.clone(), &world.plan.sections[0].route),
        Scope::Term { taxonomy, term } => {
            let term = &world.plan.taxonomies[taxonomy].terms[term];
            (&term.pages, format!("{} – {site}", term.name), &term.route)
        }
    };
    let mut report = Report::default();
    let mut entries = Vec::new();
    let dated = ids.iter().filter_map(|id| Some((*id, world.plan.pages[*id].doc.front.date?)));
    for (id, date) in dated.take(world.config.feeds.limit) {
        match entry(world, engine, id, date) {
            Ok(entry) => entries.push(entry),
            Err(errors) => report.extend(errors),
        }
    }
    if report.has_errors() {
        return Err(report);
    }
    Ok(Feed {
        title: clean(&title),
        description: clean(&world.config.description),
        home: world.permalink(home),
        own: world.permalink(&job.route),
        entries,
    })
}

fn entry(world: &World, engine: &Engine, id: PageId, published: Moment) -> Result<Entry, Report> {
    let page = &world.plan.pages[id];
    let card = world.card(id);
    let content = match world.config.feeds.content {
        FeedContent::Summary => None,
        FeedContent::Full => Some(content(world, engine, id)?),
    };
    Ok(Entry {
        title: clean(card.title),
        summary: clean(card.description),
        permalink: card.permalink,
        content,
        published,
        updated: page.doc.front.updated,
        authors: card.authors.iter().map(|a| clean(&a.name)).collect(),
        tags: card.category.iter().chain(&card.tags).map(|t| clean(&t.name)).collect(),
    })
}

/// Texts of articles as feeds have them, for the other feeds that hold the same ones.
///
/// Only of articles that call no component: what these ask is to be recorded for each feed.
#[derive(Default)]
pub(super) struct Texts(Mutex<HashMap<PageId, Arc<str>>>);

impl Texts {
    /// The most texts that are kept; beyond it feeds are small beside the site.
    const MOST: usize = 256;

    fn get(&self, id: PageId) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Forgets the text of an article that has changed.
    pub(super) fn forget(&mut self, id: PageId) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    fn keep(&self, id: PageId, text: &str) {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() < Self::MOST {
            texts.insert(id, text.into());
        }
    }
}

/// An article's whole text.
fn content(world: &World, engine: &Engine, id: PageId) -> Result<String, Report> {
    let page = &world.plan.pages[id];
    if let Some(text) = world.feed_texts.get(id) {
        return Ok(text.to_string());
    }
    let body = world.inputs.body(Node::Page(id)).map_err(Report::of)?;
    let from = From { doc: &page.doc, route: &page.route };
    let calls = !page.doc.calls.is_empty();
    let implicits = if calls { implicits(world, world.page(id)) } else { Context::new() };
    let filler = Filler { world, engine, from, audience: Audience::Feed, implicits, ads: BTreeMap::new() };
    let text = clean(&filler.fill(&body)?);
    if !calls {
        world.feed_texts.keep(id, &text);
    }
    Ok(text)
}

/// Without the characters that XML 1.0 (§2.2) has no place for.
fn clean(text: &str) -> String {
    text.chars().filter(|c| matches!(*c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)).collect()
}

/// An error as text.
fn text(error: impl Display) -> String {
    error.to_string()
}

/// When the feed last changed: its latest entry, so that nothing depends on the clock.
fn last_updated(world: &World, feed: &Feed) -> String {
    let zone = &world.config.timezone;
    let latest = feed.entries.iter().map(|e| e.updated.unwrap_or(e.published)).max_by_key(|m| m.instant(zone));
    latest.map_or_else(|| "1970-01-01T00:00:00Z".to_owned(), |m| m.rfc3339(zone))
}

fn write_atom(world: &World, feed: &Feed) -> Result<String, String> {
    let zone = &world.config.timezone;
    let link = |href: &str, rel: &str, kind: Option<&str>| atom::Link {
        href: href.into(),
        rel: rel.into(),
        mime_type: kind.map(Into::into),
        ..Default::default()
    };
    let mut entries = Vec::new();
    for e in &feed.entries {
        entries.push(atom::Entry {
            title: atom::Text::plain(e.title.clone()),
            id: e.permalink.clone(),
            updated: e.updated.unwrap_or(e.published).rfc3339(zone).parse().map_err(text)?,
            published: Some(e.published.rfc3339(zone).parse().map_err(text)?),
            authors: e.authors.iter().map(|name| atom::Person { name: name.clone(), ..Default::default() }).collect(),
            categories: e.tags.iter().map(|term| atom::Category { term: term.clone(), ..Default::default() }).collect(),
            links: vec![link(&e.permalink, "alternate", Some("text/html"))],
            summary: (!e.summary.is_empty()).then(|| atom::Text::plain(e.summary.clone())),
            content: e.content.as_ref().map(|html| atom::Content {
                content_type: Some("html".into()),
                value: Some(html.clone()),
                ..Default::default()
            }),
            ..Default::default()
        });
    }
    let author = if world.config.author.name.is_empty() { &world.config.title } else { &world.config.author.name };
    let document = atom::Feed {
        title: atom::Text::plain(feed.title.clone()),
        subtitle: (!feed.description.is_empty()).then(|| atom::Text::plain(feed.description.clone())),
        id: feed.own.clone(),
        updated: last_updated(world, feed).parse().map_err(text)?,
        authors: vec![atom::Person { name: clean(author), ..Default::default() }],
        links: vec![link(&feed.own, "self", Some("application/atom+xml")), link(&feed.home, "alternate", Some("text/html"))],
        generator: Some(atom::Generator { value: "Folio".into(), ..Default::default() }),
        lang: Some(world.config.language.clone()),
        entries,
        ..Default::default()
    };
    Ok(document.to_string() + "\n")
}

/// RSS 2.0 wants the dates of RFC 822.
fn rfc822(moment: Moment, zone: &jiff::tz::TimeZone) -> String {
    let instant = moment.instant(zone);
    let offset = moment.offset.and_then(|s| jiff::tz::Offset::from_seconds(s).ok()).unwrap_or_else(|| zone.to_offset(instant));
    let zoned = instant.to_zoned_datetime(jiff::tz::TimeZone::fixed(offset));
    zoned.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}

fn write_rss(world: &World, feed: &Feed) -> String {
    let zone = &world.config.timezone;
    let items = feed.entries.iter().map(|e| rss::Item {
        title: Some(e.title.clone()),
        link: Some(e.permalink.clone()),
        description: Some(e.summary.clone()),
        categories: e.tags.iter().map(|name| rss::Category { name: name.clone(), domain: None }).collect(),
        guid: Some(rss::Guid { value: e.permalink.clone(), permalink: true }),
        pub_date: Some(rfc822(e.published, zone)),
        content: e.content.clone(),
        dublin_core_ext: (!e.authors.is_empty())
            .then(|| rss::extension::dublincore::DublinCoreExtension { creators: e.authors.clone(), ..Default::default() }),
        ..Default::default()
    });
    let own = rss::extension::atom::Link {
        href: feed.own.clone(),
        rel: "self".into(),
        mime_type: Some("application/rss+xml".into()),
        ..Default::default()
    };
    let latest = feed.entries.iter().map(|e| e.updated.unwrap_or(e.published)).max_by_key(|m| m.instant(zone));
    let mut namespaces = BTreeMap::new();
    namespaces.insert("atom".to_owned(), "http://www.w3.org/2005/Atom".to_owned());
    namespaces.insert("content".to_owned(), "http://purl.org/rss/1.0/modules/content/".to_owned());
    namespaces.insert("dc".to_owned(), "http://purl.org/dc/elements/1.1/".to_owned());
    let channel = rss::Channel {
        title: feed.title.clone(),
        link: feed.home.clone(),
        description: if feed.description.is_empty() { feed.title.clone() } else { feed.description.clone() },
        language: Some(world.config.language.clone()),
        last_build_date: latest.map(|m| rfc822(m, zone)),
        generator: Some("Folio".into()),
        atom_ext: Some(rss::extension::atom::AtomExtension { links: vec![own] }),
        namespaces,
        items: items.collect(),
        ..Default::default()
    };
    channel.to_string() + "\n"
}

fn write_json(world: &World, feed: &Feed) -> Result<String, String> {
    let zone = &world.config.timezone;
    let items = feed.entries.iter().map(|e| {
        let mut item = json!({ "id": e.permalink, "url": e.permalink, "title": e.title, "date_published": e.published.rfc3339(zone) });
        if let Some(updated) = e.updated {
            item["date_modified"] = json!(updated.rfc3339(zone));
        }
        if !e.summary.is_empty() {
            item["summary"] = json!(e.summary);
        }
        match &e.content {
            Some(html) => item["content_html"] = json!(html),
            None => item["content_text"] = json!(e.summary),
        }
        if !e.authors.is_empty() {
            item["authors"] = json!(e.authors.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>());
        }
        if !e.tags.is_empty() {
            item["tags"] = json!(e.tags);
        }
        item
    });
    let mut document = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.own,
        "language": world.config.language,
        "items": items.collect::<Vec<_>>(),
    });
    if !feed.description.is_empty() {
        document["description"] = json!(feed.description);
    }
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(text)
}
