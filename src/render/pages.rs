//! Pages: views rendered with templates.

use std::collections::BTreeMap;

use serde::Serialize;
use tera::{Context, Map, Value};

use super::ads;
use super::engine::Engine;
use super::fill::Filler;
use super::functions::key;
use super::view::{ListView, SectionView, TemplateView, into_map};
use super::world::{Audience, World};
use crate::diag::Report;
use crate::parse::Body;
use crate::plan::links::From;
use crate::plan::{Job, Node, PageId, SectionId, TermTextId};

/// Renders a view with its template.
///
/// # Errors
/// Every problem of the components in its text, else the template's own.
pub(super) fn render(
    world: &World,
    engine: &Engine,
    job: &Job,
    template: &str,
    view: &TemplateView<'_>,
) -> Result<String, Report> {
    let mut context = Context::new();
    context.insert("route", job.route.as_str());
    context.insert("current_url", &world.permalink(&job.route));
    let subject = match view {
        TemplateView::Page { id } => {
            context.insert_value("page", page(world, engine, *id)?);
            world.plan.pages[*id].doc.source.to_string()
        }
        TemplateView::Section { id, section, list } => {
            context.insert_value("section", self::section(world, engine, *id, section)?);
            context.insert_value("list", list_value(world, list));
            format!("the section content/{}", section.path)
        }
        TemplateView::Taxonomy { text, taxonomy } => {
            let view = with_term_text(world, engine, *text, value(taxonomy))?;
            context.insert_value("taxonomy", view);
            format!("the taxonomy `{}`", taxonomy.name)
        }
        TemplateView::Term { text, taxonomy, term, list } => {
            context.insert_value("taxonomy", value(taxonomy));
            let view = with_term_text(world, engine, *text, value(term))?;
            context.insert_value("term", view);
            context.insert_value("list", list_value(world, list));
            format!("the {} \"{}\"", taxonomy.link.name, term.name)
        }
        TemplateView::Archive { years } => {
            context.insert_value("years", value(years));
            "the archive".to_owned()
        }
        TemplateView::Year { year, pages } => {
            context.insert("year", year);
            context.insert_value("pages", world.card_values(pages));
            format!("the archive of {year}")
        }
        TemplateView::NotFound => "the 404 page".to_owned(),
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
    let view = world.page_value(id);
    let ads = ads::in_content(
        &world.config.ads,
        &page.doc.front.ads,
        page.doc.front.date.is_some(),
        &body,
    );
    // Most texts call no component; then the values for components are not needed.
    let calls = !page.doc.calls.is_empty() || !ads.is_empty();
    let implicits = if calls { implicits(world, view.clone()) } else { Context::new() };
    let filler = Filler {
        world,
        engine,
        from: From { doc: &page.doc, route: &page.route },
        audience: Audience::Page,
        implicits,
        ads,
    };
    with_content(view, &filler, &body)
}

/// A section with the content of its `_index.md`.
fn section(
    world: &World,
    engine: &Engine,
    id: SectionId,
    view: &SectionView<'_>,
) -> Result<Value, Report> {
    let section = &world.plan.sections[id];
    let view = value(view);
    let Some(doc) = &section.doc else { return Ok(with_texts(view, "", None)) };
    let body = world.inputs.body(Node::Section(id)).map_err(Report::of)?;
    let from = From { doc, route: &section.route };
    let filler = Filler {
        world,
        engine,
        from,
        audience: Audience::Page,
        implicits: implicits(world, view.clone()),
        ads: BTreeMap::new(),
    };
    with_content(view, &filler, &body)
}

/// A term or taxonomy with the content of its text.
fn with_term_text(
    world: &World,
    engine: &Engine,
    text: Option<TermTextId>,
    view: Value,
) -> Result<Value, Report> {
    let Some(id) = text else { return Ok(with_texts(view, "", None)) };
    let text = &world.plan.term_texts[id];
    let body = world.inputs.body(Node::Term(id)).map_err(Report::of)?;
    let filler = Filler {
        world,
        engine,
        from: From { doc: &text.doc, route: &text.route },
        audience: Audience::Page,
        implicits: implicits(world, view.clone()),
        ads: BTreeMap::new(),
    };
    with_content(view, &filler, &body)
}

/// The values that components can take without being passed them.
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
    let mut map = into_map(view);
    map.insert(key("content"), Value::safe_string(content));
    map.insert(key("summary"), summary.map_or_else(Value::none, Value::safe_string));
    Value::from(map)
}

fn list_value(world: &World, list: &ListView<'_>) -> Value {
    let ListView { pages, pager } = list;
    let mut value_map = Map::default();
    value_map.insert(key("pages"), world.card_values(pages));
    value_map.insert(key("pager"), value(pager));
    Value::from(value_map)
}
