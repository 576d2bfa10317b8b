//! Jobs that are made with a template.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use tera::{Context, Map, Value};

use super::engine::Engine;
use super::fill::Filler;
use super::functions::{key, taxonomy_view, term_view};
use super::{Audience, World, ads};
use crate::diag::Report;
use crate::parse::Body;
use crate::paths::Route;
use crate::plan::links::From;
use crate::plan::{Job, JobKind, Node, PageId, Pager, SectionId};

/// Renders a job with the template of its kind.
///
/// # Errors
/// Every problem of the body's components, else the template's own.
pub(super) fn render(world: &World, engine: &Engine, job: &Job) -> Result<String, Report> {
    let mut context = Context::new();
    context.insert("route", job.route.as_str());
    context.insert("current_url", &world.permalink(&job.route));
    let (template, subject) = match &job.kind {
        JobKind::Page(id) => {
            context.insert_value("page", page(world, engine, *id)?);
            let page = &world.plan.pages[*id];
            (page.template.as_str(), page.doc.source.to_string())
        }
        JobKind::Section { section, pager } => {
            let s = &world.plan.sections[*section];
            context.insert_value("section", self::section(world, engine, *section)?);
            context.insert_value("list", list(world, world.plan.listed(*section), *pager, &s.route));
            (s.template.as_str(), format!("the section content/{}", s.path))
        }
        JobKind::Taxonomy(index) => {
            context.insert_value("taxonomy", value(&taxonomy_view(world, *index)));
            ("taxonomy.html", format!("the taxonomy `{}`", world.plan.taxonomies[*index].name))
        }
        JobKind::Term { taxonomy, term, pager } => {
            let t = &world.plan.taxonomies[*taxonomy];
            let term = &t.terms[*term];
            context.insert_value("taxonomy", value(&json!({ "name": t.name, "url": world.url(&t.route), "permalink": world.permalink(&t.route) })));
            context.insert_value("term", value(&term_view(world, term)));
            context.insert_value("list", list(world, &term.pages, *pager, &term.route));
            ("term.html", format!("the {} \"{}\"", t.name, term.name))
        }
        JobKind::Archive => {
            context.insert_value("years", value(&years(world)));
            ("archive.html", "the archive".to_owned())
        }
        JobKind::Year(year) => {
            context.insert("year", year);
            context.insert_value("pages", world.card_values(&world.plan.of_year(*year)));
            ("archive.html", format!("the archive of {year}"))
        }
        _ => ("404.html", "the page for what is not found".to_owned()),
    };
    engine.template(template, &context, &subject).map_err(Report::of)
}

fn value(of: &impl Serialize) -> Value {
    Value::from_serializable(of)
}

/// An article with its content and its summary.
fn page(world: &World, engine: &Engine, id: PageId) -> Result<Value, Report> {
    let page = &world.plan.pages[id];
    let body = world.inputs.body(Node::Page(id)).map_err(Report::of)?;
    let view = world.page(id);
    let ads = ads::in_content(&world.config.ads, &page.doc.front.ads, page.doc.front.date.is_some(), &body);
    // Most texts call nothing, and then nothing need be at hand.
    let calls = !page.doc.calls.is_empty() || !ads.is_empty();
    let implicits = if calls { implicits(world, view.clone()) } else { Context::new() };
    let filler = Filler { world, engine, from: From { doc: &page.doc, route: &page.route }, audience: Audience::Page, implicits, ads };
    with_content(view, &filler, &body)
}

/// A section with the content of its `_index.md`.
fn section(world: &World, engine: &Engine, id: SectionId) -> Result<Value, Report> {
    let section = &world.plan.sections[id];
    let view = value(&world.section(id));
    let Some(doc) = &section.doc else { return Ok(with_texts(view, "", None)) };
    let body = world.inputs.body(Node::Section(id)).map_err(Report::of)?;
    let from = From { doc, route: &section.route };
    let filler = Filler { world, engine, from, audience: Audience::Page, implicits: implicits(world, view.clone()), ads: BTreeMap::new() };
    with_content(view, &filler, &body)
}

/// What components may take without being given it.
pub(super) fn implicits(world: &World, page: Value) -> Context {
    let mut context = Context::new();
    context.insert_value("page", page);
    context.insert_value("site", world.site.clone());
    context
}

fn with_content(view: Value, filler: &Filler<'_>, body: &Body) -> Result<Value, Report> {
    let content = filler.fill(body)?;
    let summary = body.excerpt().map(|excerpt| filler.fill(&excerpt)).transpose()?;
    Ok(with_texts(view, &content, summary.as_deref()))
}

fn with_texts(view: Value, content: &str, summary: Option<&str>) -> Value {
    let mut map = view.into_map().unwrap_or_default();
    map.insert(key("content"), Value::safe_string(content));
    map.insert(key("summary"), summary.map_or_else(Value::none, Value::safe_string));
    Value::from(map)
}

fn list(world: &World, ids: &[PageId], pager: Pager, route: &Route) -> Value {
    let mut view = Map::default();
    view.insert(key("pages"), world.card_values(world.plan.slice(ids, pager)));
    view.insert(key("pager"), value(&world.pager(route, pager, ids.len())));
    Value::from(view)
}

/// The years that have articles, newest first, with how many.
pub(super) fn years(world: &World) -> Vec<serde_json::Value> {
    let mut counts = BTreeMap::new();
    for year in world.plan.articles.iter().filter_map(|id| world.plan.year(*id)) {
        *counts.entry(year).or_insert(0_usize) += 1;
    }
    counts
        .into_iter()
        .rev()
        .map(|(year, count)| json!({ "year": year, "count": count, "url": world.config.base_url.local(&format!("/archive/{year:04}/")) }))
        .collect()
}
