//! Where articles and the files beside them go.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::lists::section_folder;
use super::{Faulty, Node, Page, Plan};
use crate::config::{Config, PatternPart};
use crate::diag::{Diagnostic, Report};
use crate::parse::{Doc, front, widen};
use crate::paths::{Route, SourcePath, slugify};

/// The route below another, or the root when a part cannot be a path (which its own check has told).
pub(super) fn join_or_root(base: &Route, rest: &str) -> Route {
    base.join(rest).unwrap_or_else(|_| Route::root())
}

/// Makes a page of every article.
pub(super) fn build_pages(plan: &mut Plan, docs: Vec<Arc<Doc>>, config: &Config, faulty: &Faulty, report: &mut Report) {
    let by_path: HashMap<String, usize> = plan.sections.iter().enumerate().map(|(i, s)| (s.path.clone(), i)).collect();
    for doc in docs {
        let section = by_path.get(section_folder(&doc.source)).copied().unwrap_or(0);
        let route = match route(&doc, plan, section, config) {
            Ok(route) => route,
            Err(refused) => {
                match refused {
                    // An article whose date could not be read lacks one for that reason.
                    Refused::NoDate(_) if faulty.parsed.contains(&doc.source) => {}
                    Refused::NoDate(error) | Refused::Other(error) => report.push(error),
                }
                report.extend(bad_aliases(&doc).into_iter().collect());
                continue;
            }
        };
        let own = doc.front.template.as_ref().map(|t| t.value.clone());
        let template = own.or_else(|| page_template(plan, section)).unwrap_or_else(|| "page.html".into());
        let instant = doc.front.date.map(|d| d.instant(&config.timezone).as_second());
        plan.by_source.insert(doc.source.clone(), Node::Page(plan.pages.len()));
        plan.pages.push(Page { doc, route, section, instant, template, newer: None, older: None, related: Vec::new() });
    }
}

/// The template that a section, or one around it, wants for its articles.
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

/// Why an article has no address.
enum Refused {
    /// Its section's pattern is made of a date, and it has none.
    NoDate(Diagnostic),
    Other(Diagnostic),
}

fn route(doc: &Doc, plan: &Plan, section: usize, config: &Config) -> Result<Route, Refused> {
    let slug = slug(doc);
    if let Some(path) = &doc.front.path {
        let filled = fill_placeholders(&path.value, doc, &slug);
        if let Some(word) = unfilled(&filled) {
            let error =
                Diagnostic::error(format!("`path` holds `{word}`, which nothing fills in")).in_file(doc.source.as_str()).at(widen(&path.span));
            return Err(Refused::Other(error.hint("known: :year :month :day :title :slug :name :category :categories; the first three need a date")));
        }
        return parse_page_route(&filled).map_err(|e| {
            let error = Diagnostic::error(format!("`path` cannot be \"{}\": {e}", path.value)).in_file(doc.source.as_str()).at(widen(&path.span));
            Refused::Other(error.hint("write a path on the site, such as /guides/queues/"))
        });
    }
    let refuse = |e: &dyn std::fmt::Display| {
        let d = Diagnostic::error(format!("this article's address cannot be made of `{slug}`: {e}")).in_file(doc.source.as_str());
        let d = match &doc.front.slug {
            Some(slug) => d.at(widen(&slug.span)),
            None => d,
        };
        Refused::Other(d.hint("give it a `slug` of letters, digits and hyphens"))
    };
    if slug.contains('/') {
        return Err(refuse(&"it holds a slash"));
    }
    let section = &plan.sections[section];
    let top = section.path.split('/').next().unwrap_or_default();
    let Some(pattern) = config.permalink(&section.path).or_else(|| config.permalink(top)) else {
        return section.route.join(&format!("{slug}/")).map_err(|e| refuse(&e));
    };
    if pattern.is_dated() && doc.front.date.is_none() {
        let error = Diagnostic::error("this article needs a `date`: its section's permalink is made of one").in_file(doc.source.as_str()).at(0..0);
        return Err(Refused::NoDate(error.hint("add `date: 2026-06-12` to the front matter")));
    }
    let mut text = String::new();
    for part in pattern.parts() {
        match part {
            PatternPart::Text(t) => text.push_str(t),
            PatternPart::Section => text.push_str(section.route.as_str().trim_matches('/')),
            PatternPart::Slug => text.push_str(&slug),
            PatternPart::Category => {
                let category = doc.front.terms.get("category").and_then(|c| c.first());
                text.push_str(&category.map_or_else(|| "uncategorized".to_owned(), |c| super::lists::term_slug(c)));
            }
            PatternPart::Year | PatternPart::Month | PatternPart::Day => {
                if let Some(date) = doc.front.date {
                    text.push_str(&match part {
                        PatternPart::Year => format!("{:04}", date.civil.year()),
                        PatternPart::Month => format!("{:02}", date.civil.month()),
                        _ => format!("{:02}", date.civil.day()),
                    });
                }
            }
        }
    }
    while text.contains("//") {
        text = text.replace("//", "/");
    }
    Route::parse(&text).map_err(|e| refuse(&e))
}

/// The last part of an article's address.
fn slug(doc: &Doc) -> String {
    if let Some(slug) = &doc.front.slug {
        return slug.value.trim().trim_matches('/').to_owned();
    }
    let name = front::name(&doc.source);
    let name = front::split_dated_name(name).map_or(name, |(_, rest)| rest);
    let slug = slugify(name);
    if slug.is_empty() { name.to_owned() } else { slug }
}

/// `/about` and `/about/` are the same page; a last part with an ending is a file.
fn parse_page_route(text: &str) -> Result<Route, crate::paths::PathError> {
    let last = text.rsplit('/').next().unwrap_or_default();
    let is_file = [".html", ".htm", ".xml", ".txt", ".json"].iter().any(|e| last.ends_with(e));
    if is_file || text.ends_with('/') { Route::parse(text) } else { Route::parse(&format!("{text}/")) }
}

/// A placeholder that is left in a path.
fn unfilled(path: &str) -> Option<&str> {
    path.split('/').find(|part| part.starts_with(':') && part[1..].starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Jekyll's and Hugo's placeholders in a `permalink` of a single article.
fn fill_placeholders(path: &str, doc: &Doc, slug: &str) -> String {
    if !path.contains(':') {
        return path.to_owned();
    }
    let category = doc.front.terms.get("category").and_then(|c| c.first()).map(|c| super::lists::term_slug(c)).unwrap_or_default();
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

/// The routes of a file's aliases, each with its place there.
pub(super) fn aliases(doc: &Doc) -> impl Iterator<Item = (Result<Route, Diagnostic>, Range<u32>)> {
    doc.front.aliases.iter().map(|alias| {
        let route = parse_page_route(&alias.value).map_err(|e| {
            Diagnostic::error(format!("the alias \"{}\" cannot be used: {e}", alias.value))
                .in_file(doc.source.as_str())
                .at(widen(&alias.span))
                .hint("write a path on the site, such as /old/address/")
        });
        (route, alias.span.clone())
    })
}

fn bad_aliases(doc: &Doc) -> Vec<Diagnostic> {
    aliases(doc).filter_map(|(route, _)| route.err()).collect()
}

/// Files beside articles go where the article, or the section, goes.
pub(super) fn place_assets(plan: &mut Plan, assets: &[SourcePath], report: &mut Report) {
    let mut homes: HashMap<String, Option<Route>> = plan.sections.iter().map(|s| (folder_of(&s.path), Some(s.route.clone()))).collect();
    for page in &plan.pages {
        if page.doc.source.stem() == "index" {
            homes.insert(page.doc.source.parent().to_owned(), Some(folder_route(&page.route)));
        }
    }
    for source in plan.hidden.keys().filter(|s| s.stem() == "index") {
        homes.insert(source.parent().to_owned(), None);
    }
    for asset in assets {
        let mut folder = asset.parent();
        while !folder.is_empty() && !homes.contains_key(folder) {
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        let Some(home) = homes.get(folder).cloned().unwrap_or_else(|| Some(Route::root())) else { continue };
        let rest = asset.below(folder).or_else(|| asset.below("content")).unwrap_or(asset.as_str());
        match home.join(&crate::paths::percent_encode(rest)) {
            Ok(route) => {
                plan.assets.insert(asset.clone(), route);
            }
            Err(e) => report.push(Diagnostic::error(format!("this file cannot be published: {e}")).in_file(asset.as_str()).hint("rename it")),
        }
    }
}

fn folder_of(section: &str) -> String {
    if section.is_empty() { "content".to_owned() } else { format!("content/{section}") }
}

/// The folder that a page's own files go to.
fn folder_route(route: &Route) -> Route {
    let text = route.as_str();
    let end = text.rfind('/').map_or(0, |i| i + 1);
    Route::parse(&crate::paths::percent_encode(&text[..end])).unwrap_or_else(|_| Route::root())
}
