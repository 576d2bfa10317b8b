//! Feeds: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, with full texts and absolute URLs.
//!
//! A [`FeedView`] comes in, a document goes out. XML is written by `atom_syndication` and `rss`.

use std::collections::BTreeMap;
use std::fmt::Display;

use atom_syndication as atom;
use serde_json::json;
use tera::Context;

use super::engine::Engine;
use super::fill::Filler;
use super::pages::implicits;
use super::world::{Audience, World};
use crate::config::{FeedContent, FeedFormat};
use crate::diag::{Diagnostic, Report};
use crate::parse::Moment;
use crate::plan::links::From;
use crate::plan::{Job, Node, PageId, Scope};

/// A feed's content, independent of its format.
struct Feed {
    title: String,
    description: String,
    home: String,
    url: String,
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

/// What a feed is rendered from, besides the articles themselves.
#[derive(Debug)]
pub struct FeedView<'a> {
    pub format: FeedFormat,
    pub title: String,
    pub description: &'a str,
    /// The URL of the page that the feed is about.
    pub home: String,
    /// The feed's own URL.
    pub url: String,
    /// Dated articles, newest first.
    pub entries: Vec<PageId>,
}

/// The view of a feed.
pub(super) fn view<'a>(
    world: &'a World,
    job: &Job,
    format: FeedFormat,
    scope: Scope,
) -> FeedView<'a> {
    let site = &world.config.title;
    let (ids, title, home) = match scope {
        Scope::Site => (&world.plan.articles, site.clone(), &world.plan.sections[0].route),
        Scope::Term { taxonomy, term } => {
            let term = &world.plan.taxonomies[taxonomy].terms[term];
            (&term.pages, format!("{} – {site}", term.name), &term.route)
        }
    };
    let mut ids = ids.clone();
    if matches!(scope, Scope::Term { taxonomy, .. }
        if crate::plan::is_series(&world.plan.taxonomies[taxonomy].name))
    {
        // A feed starts with the newest article, a series with the oldest.
        ids.reverse();
    }
    let dated = ids.iter().filter(|id| world.plan.pages[**id].doc.front.date.is_some());
    FeedView {
        format,
        title,
        description: &world.config.description,
        home: world.permalink(home),
        url: world.permalink(&job.route),
        entries: dated.take(world.config.feeds.limit).copied().collect(),
    }
}

/// Renders a feed.
///
/// # Errors
/// Every component of its articles that fails.
pub(super) fn render(
    world: &World,
    engine: &Engine,
    job: &Job,
    view: &FeedView<'_>,
) -> Result<String, Report> {
    let feed = gather(world, engine, view)?;
    let failed = |e: &dyn Display| {
        Report::of(Diagnostic::error(format!("cannot write the feed {}: {e}", job.route)))
    };
    match view.format {
        FeedFormat::Atom => write_atom(world, &feed).map_err(|e| failed(&e)),
        FeedFormat::Rss => Ok(write_rss(world, &feed)),
        FeedFormat::Json => write_json(world, &feed).map_err(|e| failed(&e)),
    }
}

fn gather(world: &World, engine: &Engine, view: &FeedView<'_>) -> Result<Feed, Report> {
    let mut report = Report::default();
    let mut entries = Vec::new();
    for id in &view.entries {
        match entry(world, engine, *id) {
            Ok(entry) => entries.extend(entry),
            Err(errors) => report.extend(errors),
        }
    }
    if report.has_errors() {
        return Err(report);
    }
    Ok(Feed {
        title: without_forbidden_characters(&view.title),
        description: without_forbidden_characters(view.description),
        home: view.home.clone(),
        url: view.url.clone(),
        entries,
    })
}

/// An article's entry; `None` for one without a date, which feeds do not list.
fn entry(world: &World, engine: &Engine, id: PageId) -> Result<Option<Entry>, Report> {
    let page = &world.plan.pages[id];
    let Some(published) = page.doc.front.date else { return Ok(None) };
    let clean = without_forbidden_characters;
    let card = world.card(id);
    let content = match world.config.feeds.content {
        FeedContent::Summary => None,
        FeedContent::Full => Some(content(world, engine, id)?),
    };
    Ok(Some(Entry {
        title: clean(card.title),
        summary: clean(card.description),
        permalink: card.permalink,
        content,
        published,
        updated: page.doc.front.updated,
        authors: card.authors.iter().map(|a| clean(&a.name)).collect(),
        tags: card.category.iter().chain(&card.tags).map(|t| clean(&t.name)).collect(),
    }))
}

/// An article's full text.
fn content(world: &World, engine: &Engine, id: PageId) -> Result<String, Report> {
    let page = &world.plan.pages[id];
    if let Some(text) = world.feed_texts.get(id) {
        return Ok(text.to_string());
    }
    let body = world.inputs.body(Node::Page(id)).map_err(Report::of)?;
    let from = From { doc: &page.doc, route: &page.route };
    let calls = !page.doc.calls.is_empty();
    let implicits = if calls { implicits(world, world.page_value(id)) } else { Context::new() };
    let filler =
        Filler { world, engine, from, audience: Audience::Feed, implicits, ads: BTreeMap::new() };
    let text = without_forbidden_characters(&filler.fill(&body)?);
    if !calls {
        world.feed_texts.insert(id, &text);
    }
    Ok(text)
}

/// The text without the characters that XML 1.0 (§2.2) does not allow.
fn without_forbidden_characters(text: &str) -> String {
    let is_allowed = |c: &char| matches!(*c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_allowed).collect()
}

/// An error's message.
fn message(error: impl Display) -> String {
    error.to_string()
}

/// When the feed last changed: the time of its latest entry, so that it does not depend on the
/// clock.
fn last_updated(world: &World, feed: &Feed) -> String {
    let zone = &world.config.timezone;
    let latest = feed
        .entries
        .iter()
        .map(|e| e.updated.unwrap_or(e.published))
        .max_by_key(|m| m.instant(zone));
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
            updated: e.updated.unwrap_or(e.published).rfc3339(zone).parse().map_err(message)?,
            published: Some(e.published.rfc3339(zone).parse().map_err(message)?),
            authors: e
                .authors
                .iter()
                .map(|name| atom::Person { name: name.clone(), ..Default::default() })
                .collect(),
            categories: e
                .tags
                .iter()
                .map(|term| atom::Category { term: term.clone(), ..Default::default() })
                .collect(),
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
    let author = if world.config.author.name.is_empty() {
        &world.config.title
    } else {
        &world.config.author.name
    };
    let document = atom::Feed {
        title: atom::Text::plain(feed.title.clone()),
        subtitle: (!feed.description.is_empty())
            .then(|| atom::Text::plain(feed.description.clone())),
        id: feed.url.clone(),
        updated: last_updated(world, feed).parse().map_err(message)?,
        authors: vec![atom::Person {
            name: without_forbidden_characters(author),
            ..Default::default()
        }],
        links: vec![
            link(&feed.url, "self", Some("application/atom+xml")),
            link(&feed.home, "alternate", Some("text/html")),
        ],
        generator: Some(atom::Generator { value: "Folio".into(), ..Default::default() }),
        lang: Some(world.config.language.clone()),
        entries,
        ..Default::default()
    };
    Ok(document.to_string() + "\n")
}

/// A date in the format of RFC 822, which RSS 2.0 requires.
fn rfc822(moment: Moment, zone: &jiff::tz::TimeZone) -> String {
    let instant = moment.instant(zone);
    let offset = moment
        .offset
        .and_then(|s| jiff::tz::Offset::from_seconds(s).ok())
        .unwrap_or_else(|| zone.to_offset(instant));
    let zoned = instant.to_zoned_datetime(jiff::tz::TimeZone::fixed(offset));
    zoned.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}

fn write_rss(world: &World, feed: &Feed) -> String {
    let zone = &world.config.timezone;
    let items = feed.entries.iter().map(|e| rss::Item {
        title: Some(e.title.clone()),
        link: Some(e.permalink.clone()),
        description: Some(e.summary.clone()),
        categories: e
            .tags
            .iter()
            .map(|name| rss::Category { name: name.clone(), domain: None })
            .collect(),
        guid: Some(rss::Guid { value: e.permalink.clone(), permalink: true }),
        pub_date: Some(rfc822(e.published, zone)),
        content: e.content.clone(),
        dublin_core_ext: (!e.authors.is_empty()).then(|| {
            rss::extension::dublincore::DublinCoreExtension {
                creators: e.authors.clone(),
                ..Default::default()
            }
        }),
        ..Default::default()
    });
    let self_link = rss::extension::atom::Link {
        href: feed.url.clone(),
        rel: "self".into(),
        mime_type: Some("application/rss+xml".into()),
        ..Default::default()
    };
    let latest = feed
        .entries
        .iter()
        .map(|e| e.updated.unwrap_or(e.published))
        .max_by_key(|m| m.instant(zone));
    let mut namespaces = BTreeMap::new();
    namespaces.insert("atom".to_owned(), "http://www.w3.org/2005/Atom".to_owned());
    namespaces.insert("content".to_owned(), "http://purl.org/rss/1.0/modules/content/".to_owned());
    namespaces.insert("dc".to_owned(), "http://purl.org/dc/elements/1.1/".to_owned());
    let channel = rss::Channel {
        title: feed.title.clone(),
        link: feed.home.clone(),
        description: if feed.description.is_empty() {
            feed.title.clone()
        } else {
            feed.description.clone()
        },
        language: Some(world.config.language.clone()),
        last_build_date: latest.map(|m| rfc822(m, zone)),
        generator: Some("Folio".into()),
        atom_ext: Some(rss::extension::atom::AtomExtension { links: vec![self_link] }),
        namespaces,
        items: items.collect(),
        ..Default::default()
    };
    channel.to_string() + "\n"
}

fn write_json(world: &World, feed: &Feed) -> Result<String, String> {
    let zone = &world.config.timezone;
    let items = feed.entries.iter().map(|e| {
        let mut item = json!({
            "id": e.permalink,
            "url": e.permalink,
            "title": e.title,
            "date_published": e.published.rfc3339(zone),
        });
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
            let authors = e.authors.iter().map(|name| json!({ "name": name }));
            item["authors"] = authors.collect();
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
        "feed_url": feed.url,
        "language": world.config.language,
        "items": items.collect::<Vec<_>>(),
    });
    if !feed.description.is_empty() {
        document["description"] = json!(feed.description);
    }
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(message)
}
