//! Turns docs into a [`Plan`]: the files of the output, and what each is rendered from. Pure: no
//! file is read here.
//!
//! The plan decides every route, list, neighbour and redirect, so that each [`Job`] can be rendered
//! by itself, in any order or on request. It can be printed ([`std::fmt::Display`]); a snapshot
//! test shows a whole plan.

mod jobs;
pub mod links;
mod lists;
mod model;
mod neighbours;
mod print;
mod routes;
mod slugs;
mod term_texts;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Config;
use crate::diag::Report;
use crate::load::Sources;
use crate::parse::Doc;

pub(crate) use jobs::{feed_name, is_listed};
pub(crate) use lists::is_series;
pub use model::{
    CopyFrom, FaultyArticles, Hidden, HiddenCounts, Job, JobKind, Neighbours, Node, Page, PageId,
    Pager, Plan, SITEMAP_LIMIT, Scope, Section, SectionId, Taxonomy, Term, TermText, TermTextId,
    Visibility,
};

/// Plans the site and checks the plan.
///
/// `faulty` lists articles whose own errors are known, so that problems that only follow from these
/// are not reported. The report contains the problems of single articles and conflicts between
/// them; the plan is complete all the same.
#[must_use]
pub fn plan(
    docs: Vec<Arc<Doc>>,
    faulty: &FaultyArticles,
    sources: &Sources,
    config: &Config,
    visibility: Visibility,
) -> (Plan, Report) {
    let (plan, mut report) = arrange(docs, faulty, sources, config, visibility);
    report.extend(check(&plan, config));
    (plan, report)
}

/// Plans the site. The report contains the problems of planning; [`check`] finds the others.
#[must_use]
pub fn arrange(
    docs: Vec<Arc<Doc>>,
    faulty: &FaultyArticles,
    sources: &Sources,
    config: &Config,
    visibility: Visibility,
) -> (Plan, Report) {
    let mut report = Report::default();
    let mut plan = Plan {
        faulty: faulty.parsed.union(&faulty.unreadable).cloned().collect(),
        ..Plan::default()
    };
    plan.hidden.extend(faulty.unreadable.iter().map(|source| (source.clone(), Hidden::Unreadable)));
    let (mut pages, mut sections) = lists::split(docs, visibility, config, &mut plan);
    let term_texts = term_texts::set_apart(&mut pages, &mut sections, config);
    lists::build_sections(&mut plan, sections, &pages, config, &mut report);
    routes::build_pages(&mut plan, pages, config, faulty, &mut report);
    lists::order(&mut plan);
    plan.neighbours = neighbours::of_every_page(&plan, config.article.related);
    lists::build_taxonomies(&mut plan, config, &mut report);
    term_texts::attach(&mut plan, term_texts, &mut report);
    routes::place_assets(&mut plan, &sources.assets, &mut report);
    let templates: BTreeSet<&str> = sources.templates.iter().map(|t| t.name.as_str()).collect();
    jobs::check_templates(&mut plan, &templates, &mut report);
    jobs::build(&mut plan, sources, config, &mut report);
    (plan, report)
}

/// Checks a plan: broken links, unknown names.
#[must_use]
pub fn check(plan: &Plan, config: &Config) -> Report {
    let mut report = check_names(plan, config);
    links::check(plan, config, &mut report);
    links::check_config(plan, config, &mut report);
    report.extend(unknown_languages(plan));
    report
}

/// Checks a plan as [`check`] does, except for what rendered pages show as well. Broken links to
/// articles are included, since they are never rendered.
#[must_use]
pub fn check_sources(plan: &Plan, config: &Config) -> Report {
    let mut report = check_names(plan, config);
    links::check_articles(plan, config, &mut report);
    report
}

/// A warning for each language of code blocks without a grammar, however many articles use it.
#[must_use]
pub fn unknown_languages(plan: &Plan) -> Report {
    let mut report = Report::default();
    lists::tell_unknown_languages(plan, &mut report);
    report
}

fn check_names(plan: &Plan, config: &Config) -> Report {
    let mut report = Report::default();
    lists::tell_unknown_names(plan, config, &mut report);
    report
}

/// Whether [`check`] finds the same problems with `new` as with `old`, wherever they are in the
/// file.
#[must_use]
pub fn has_same_check_results(old: &Doc, new: &Doc) -> bool {
    let links =
        |doc: &Doc| doc.links.iter().map(|l| (l.kind, l.target.clone())).collect::<Vec<_>>();
    let names = |list: &[(String, std::ops::Range<u32>)]| {
        list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let remarks = |doc: &Doc| {
        doc.remarks.iter().map(|r| (r.message.clone(), r.hint.clone())).collect::<Vec<_>>()
    };
    old.fragments().eq(new.fragments())
        && links(old) == links(new)
        && names(&old.unknown_keys) == names(&new.unknown_keys)
        && names(&old.unknown_languages) == names(&new.unknown_languages)
        && remarks(old) == remarks(new)
        && old.front.ads.slots.keys().eq(new.front.ads.slots.keys())
}
