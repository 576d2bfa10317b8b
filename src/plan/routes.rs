//! The routes of articles and of the files beside them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::model::{FaultyArticles, Hidden, Node, Page, Plan, Section};
use super::slugs::{section_folder, term_slug};
use crate::config::{Config, Pattern, PatternPart};
use crate::diag::{Diagnostic, Report};
use crate::parse::{Doc, front, widen};
use crate::paths::{Route, SourcePath};

/// Creates the page of every article.
pub(super) fn build_pages(
    plan: &mut Plan,
    docs: Vec<Arc<Doc>>,
    config: &Config,
    faulty: &FaultyArticles,
    report: &mut Report,
) {
    let by_path: HashMap<String, usize> =
        plan.sections.iter().enumerate().map(|(i, s)| (s.path.clone(), i)).collect();
    for doc in docs {
        let section = by_path.get(section_folder(&doc.source)).copied().unwrap_or(0);
        let route = match route(&doc, plan, section, config) {
            Ok(route) => route,
            Err(refused) => {
                match refused {
                    // An article whose date could not be read has none only because of that.
                    Refused::NoDate(_) if faulty.parsed.contains(&doc.source) => {}
                    Refused::NoDate(error) | Refused::Other(error) => report.push(error),
                }
                report.extend(bad_aliases(&doc).into_iter().collect());
                // Links to it are right as soon as its own error is corrected.
                plan.hidden.insert(doc.source.clone(), Hidden::Unreadable);
                continue;
            }
        };
        let own = doc.front.template.as_ref().map(|t| t.value.clone());
        let template =
            own.or_else(|| page_template(plan, section)).unwrap_or_else(|| "page.html".into());
        let instant = doc.front.date.map(|d| d.instant(&config.timezone).as_second());
        plan.by_source.insert(doc.source.clone(), Node::Page(plan.pages.len()));
        plan.pages.push(Page { doc, route, section, instant, template });
    }
}

/// The template that a section, or one of its parents, sets for its articles.
fn page_template(plan: &Plan, section: usize) -> Option<String> {
    let mut at = Some(section);
    while let Some(id) = at {
        let wanted = plan.sections[id].doc.as_ref().and_then(|d| d.front.page_template.as_ref());
        if let Some(template) = wanted {
            return Some(template.value.clone());
        }
        at = plan.sections[id].parent;
    }
    None
}

/// Why an article has no route.
enum Refused {
    /// The pattern of its section needs a date, and it has none.
    NoDate(Diagnostic),
    Other(Diagnostic),
}

/// An article's route: its `path`, or what the pattern of its section makes of it.
fn route(doc: &Doc, plan: &Plan, section: usize, config: &Config) -> Result<Route, Refused> {
    let slug = slug(doc, config);
    if let Some(path) = &doc.front.path {
        return route_of_path(path, doc, &slug, config).map_err(Refused::Other);
    }
    let invalid = |e: &dyn std::fmt::Display| Refused::Other(invalid_slug(doc, &slug, e));
    if slug.contains('/') {
        return Err(invalid(&"it contains a slash"));
    }
    let section = &plan.sections[section];
    let top = section.path.split('/').next().unwrap_or_default();
    let Some(pattern) = config.permalink(&section.path).or_else(|| config.permalink(top)) else {
        return section.route.join(&format!("{slug}/")).map_err(|e| invalid(&e));
    };
    if pattern.is_dated() && doc.front.date.is_none() {
        let error = Diagnostic::error(
            "this article needs a `date`, because the permalink pattern of its section contains \
             one",
        )
        .in_file(doc.source.as_str())
        .at(0..0);
        return Err(Refused::NoDate(error.hint("add `date: 2026-06-12` to the front matter")));
    }
    Route::parse(&fill_pattern(pattern, doc, &slug, section, config)).map_err(|e| invalid(&e))
}

/// The route that an article's front matter sets with `path`.
fn route_of_path(
    path: &front::Spanned,
    doc: &Doc,
    slug: &str,
    config: &Config,
) -> Result<Route, Diagnostic> {
    let error = |message: String| {
        Diagnostic::error(message).in_file(doc.source.as_str()).at(widen(&path.span))
    };
    let filled = fill_placeholders(&path.value, doc, slug, config);
    if let Some(word) = unfilled(&filled) {
        return Err(error(format!("`path` contains the unknown placeholder `{word}`")).hint(
            "placeholders are :year :month :day :title :slug :name :category :categories; the \
             first three need a date",
        ));
    }
    parse_page_route(&filled).map_err(|e| {
        error(format!("`path` is invalid: \"{}\": {e}", path.value))
            .hint("write a route, such as /guides/queues/")
    })
}

fn invalid_slug(doc: &Doc, slug: &str, reason: &dyn std::fmt::Display) -> Diagnostic {
    let error = Diagnostic::error(format!(
        "`{slug}` cannot be used in the route of this article: {reason}"
    ))
    .in_file(doc.source.as_str());
    let error = match &doc.front.slug {
        Some(slug) => error.at(widen(&slug.span)),
        None => error,
    };
    error.hint("set `slug` to letters, digits and hyphens")
}

/// A permalink pattern with the values of an article, without empty parts. A date is there when the
/// pattern needs one.
fn fill_pattern(
    pattern: &Pattern,
    doc: &Doc,
    slug: &str,
    section: &Section,
    config: &Config,
) -> String {
    let date = doc.front.date.as_ref().map(|date| date.civil);
    let mut text = String::new();
    for part in pattern.parts() {
        match part {
            PatternPart::Text(t) => text.push_str(t),
            PatternPart::Section => text.push_str(section.route.as_str().trim_matches('/')),
            PatternPart::Slug => text.push_str(slug),
            PatternPart::Category => {
                let category = doc.front.terms.get("category").and_then(|c| c.first());
                text.push_str(&category.map_or_else(
                    || "uncategorized".to_owned(),
                    |c| term_slug(c, "category", config),
                ));
            }
            PatternPart::Year => text.extend(date.map(|d| format!("{:04}", d.year()))),
            PatternPart::Month => text.extend(date.map(|d| format!("{:02}", d.month()))),
            PatternPart::Day => text.extend(date.map(|d| format!("{:02}", d.day()))),
        }
    }
    while text.contains("//") {
        text = text.replace("//", "/");
    }
    text
}

/// The last part of an article's route.
pub(super) fn slug(doc: &Doc, config: &Config) -> String {
    if let Some(slug) = &doc.front.slug {
        return slug.value.trim().trim_matches('/').to_owned();
    }
    let name = front::name(&doc.source);
    let name = front::split_dated_name(name).map_or(name, |(_, rest)| rest);
    let slug = config.slugs.slug(name);
    if slug.is_empty() { name.to_owned() } else { slug }
}

/// `/about` and `/about/` are the same page; a last part with an extension is a file.
fn parse_page_route(text: &str) -> Result<Route, crate::paths::PathError> {
    let last = text.rsplit('/').next().unwrap_or_default();
    let is_file = [".html", ".htm", ".xml", ".txt", ".json"].iter().any(|e| last.ends_with(e));
    if is_file || text.ends_with('/') {
        Route::parse(text)
    } else {
        Route::parse(&format!("{text}/"))
    }
}

/// A placeholder that remains in a path.
fn unfilled(path: &str) -> Option<&str> {
    path.split('/').find(|part| {
        part.starts_with(':') && part[1..].starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// Replaces the placeholders of Jekyll and Hugo in the `permalink` of an article.
fn fill_placeholders(path: &str, doc: &Doc, slug: &str, config: &Config) -> String {
    if !path.contains(':') {
        return path.to_owned();
    }
    let category = doc
        .front
        .terms
        .get("category")
        .and_then(|c| c.first())
        .map(|c| term_slug(c, "category", config))
        .unwrap_or_default();
    let mut filled = path.replace(":title", slug).replace(":slug", slug).replace(":name", slug);
    filled = filled.replace(":categories", &category).replace(":category", &category);
    if !filled.contains("://") {
        filled = filled.replace("//", "/");
    }
    if let Some(date) = doc.front.date {
        filled = filled
            .replace(":year", &format!("{:04}", date.civil.year()))
            .replace(":month", &format!("{:02}", date.civil.month()))
            .replace(":day", &format!("{:02}", date.civil.day()));
    }
    filled
}

/// The routes of a file's aliases, with their locations.
pub(super) fn aliases(doc: &Doc) -> impl Iterator<Item = (Result<Route, Diagnostic>, Range<u32>)> {
    doc.front.aliases.iter().map(|alias| {
        let route = parse_page_route(&alias.value).map_err(|e| {
            Diagnostic::error(format!("the alias \"{}\" is invalid: {e}", alias.value))
                .in_file(doc.source.as_str())
                .at(widen(&alias.span))
                .hint("write a route, such as /old/address/")
        });
        (route, alias.span.clone())
    })
}

fn bad_aliases(doc: &Doc) -> Vec<Diagnostic> {
    aliases(doc).filter_map(|(route, _)| route.err()).collect()
}

/// The routes of files beside articles: below that of the article or section.
pub(super) fn place_assets(plan: &mut Plan, assets: &[SourcePath], report: &mut Report) {
    let mut homes: HashMap<String, Option<Route>> =
        plan.sections.iter().map(|s| (folder_of(&s.path), Some(s.route.clone()))).collect();
    for page in &plan.pages {
        if page.doc.source.stem() == "index" {
            homes.insert(page.doc.source.parent().to_owned(), Some(folder_route(&page.route)));
        }
    }
    for text in plan.term_texts.iter().filter(|text| text.doc.source.stem() == "index") {
        homes.insert(text.doc.source.parent().to_owned(), Some(text.route.clone()));
    }
    for source in plan.hidden.keys().filter(|s| s.stem() == "index") {
        homes.insert(source.parent().to_owned(), None);
    }
    for asset in assets {
        let mut folder = asset.parent();
        while !folder.is_empty() && !homes.contains_key(folder) {
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        let Some(home) = homes.get(folder).cloned().unwrap_or_else(|| Some(Route::root())) else {
            continue;
        };
        let rest = asset.below(folder).or_else(|| asset.below("content")).unwrap_or(asset.as_str());
        match home.join(&crate::paths::percent_encode(rest)) {
            Ok(route) => {
                plan.assets.insert(asset.clone(), route);
            }
            Err(e) => report.push(
                Diagnostic::error(format!("this file cannot be published: {e}"))
                    .in_file(asset.as_str())
                    .hint("rename it"),
            ),
        }
    }
}

fn folder_of(section: &str) -> String {
    if section.is_empty() { "content".to_owned() } else { format!("content/{section}") }
}

/// The folder for the files of a page. That of `/posts/a.html` is `/posts/a/`, since `/posts/`
/// would be shared with other pages.
fn folder_route(route: &Route) -> Route {
    let text = route.as_str();
    let (folder, last) = text.rsplit_once('/').unwrap_or_default();
    let own = match last.rsplit_once('.') {
        Some((name, _)) if !name.is_empty() => format!("{folder}/{name}/"),
        _ => format!("{folder}/"),
    };
    Route::parse(&crate::paths::percent_encode(&own)).unwrap_or_else(|_| Route::root())
}
