//! Lists the files of the output, and rejects two jobs for one path.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::model::{CopyFrom, Job, JobKind, Pager, Plan, SITEMAP_LIMIT, Scope};
use super::routes::aliases as aliases_of;
use super::slugs::join_or_root;
use crate::config::{Config, FeedFormat};
use crate::diag::{Diagnostic, Report, nearest};
use crate::load::{Origin, Sources};
use crate::parse::widen;
use crate::paths::{OutPath, Route, SourcePath};

/// A job that is not yet in the plan, with its origin for messages.
struct Draft {
    out: OutPath,
    job: Job,
    /// What the file is, in words.
    owner: String,
    file: Option<SourcePath>,
    /// The location that asks for this path.
    span: Option<Range<usize>>,
    rank: Rank,
}

/// Which job is used when a site has a file that Folio would generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    /// A file that is generated unless the site has it: `robots.txt`, the style sheet of the theme.
    Default,
    /// A redirect, which gives way to every other file of the site.
    Alias,
    Firm,
}

/// Fills in [`Plan::jobs`].
pub(super) fn build(plan: &mut Plan, sources: &Sources, config: &Config, report: &mut Report) {
    let mut drafts = Vec::new();
    pages(plan, &mut drafts);
    sections(plan, &mut drafts);
    taxonomies(plan, config, &mut drafts);
    archives(plan, &mut drafts);
    feeds(plan, config, &mut drafts);
    copies(plan, sources, &mut drafts, report);
    aliases(plan, &mut drafts, report);
    singles(config, &mut drafts);
    let html = drafts.iter().filter(|d| is_listed(&d.job.kind)).count();
    sitemaps(html, &mut drafts);
    settle(plan, drafts, report);
}

/// Whether the sitemap lists the page of this job.
#[must_use]
pub(crate) fn is_listed(kind: &JobKind) -> bool {
    match kind {
        JobKind::Page(_) | JobKind::Taxonomy(_) | JobKind::Archive | JobKind::Year(_) => true,
        JobKind::Section { pager, .. } | JobKind::Term { pager, .. } => pager.number == 1,
        _ => false,
    }
}

fn draft(
    kind: JobKind,
    route: Route,
    owner: impl Into<String>,
    file: Option<&SourcePath>,
) -> Draft {
    Draft {
        out: route.out_path(),
        job: Job { kind, route },
        owner: owner.into(),
        file: file.cloned(),
        span: None,
        rank: Rank::Firm,
    }
}

fn pages(plan: &Plan, drafts: &mut Vec<Draft>) {
    for (id, page) in plan.pages.iter().enumerate() {
        let source = &page.doc.source;
        let mut d = draft(JobKind::Page(id), page.route.clone(), source.as_str(), Some(source));
        d.span =
            page.doc.front.path.as_ref().or(page.doc.front.slug.as_ref()).map(|s| widen(&s.span));
        drafts.push(d);
    }
}

fn paged(route: &Route, pager: Pager) -> Route {
    if pager.number == 1 {
        route.clone()
    } else {
        join_or_root(route, &format!("page/{}/", pager.number))
    }
}

fn sections(plan: &Plan, drafts: &mut Vec<Draft>) {
    for (id, section) in plan.sections.iter().enumerate() {
        let file = section.doc.as_ref().map(|d| &d.source);
        let owner = file.map_or_else(
            || format!("the section content/{}", section.path),
            |f| f.as_str().to_owned(),
        );
        for pager in Pager::all(plan.listed(id).len(), section.paginate_by) {
            drafts.push(draft(
                JobKind::Section { section: id, pager },
                paged(&section.route, pager),
                owner.clone(),
                file,
            ));
        }
    }
}

fn taxonomies(plan: &Plan, config: &Config, drafts: &mut Vec<Draft>) {
    for (index, taxonomy) in plan.taxonomies.iter().enumerate() {
        let owner = format!("the taxonomy `{}`", taxonomy.name);
        drafts.push(draft(JobKind::Taxonomy(index), taxonomy.route.clone(), owner, None));
        let per_page = config
            .taxonomies
            .get(&taxonomy.name)
            .and_then(|t| t.paginate_by)
            .unwrap_or(config.paginate_by);
        for (number, term) in taxonomy.terms.iter().enumerate() {
            let owner = format!("the {} \"{}\"", taxonomy.name, term.name);
            for pager in Pager::all(term.pages.len(), per_page) {
                drafts.push(draft(
                    JobKind::Term { taxonomy: index, term: number, pager },
                    paged(&term.route, pager),
                    owner.clone(),
                    None,
                ));
            }
        }
    }
}

fn archives(plan: &Plan, drafts: &mut Vec<Draft>) {
    let years: BTreeSet<i16> = plan.articles.iter().filter_map(|id| plan.year(*id)).collect();
    if years.is_empty() {
        return;
    }
    let base = join_or_root(&Route::root(), "archive/");
    drafts.push(draft(JobKind::Archive, base.clone(), "the archive", None));
    for year in years {
        drafts.push(draft(
            JobKind::Year(year),
            join_or_root(&base, &format!("{year:04}/")),
            format!("the archive of {year}"),
            None,
        ));
    }
}

/// The file name of a feed.
#[must_use]
pub(crate) fn feed_name(format: FeedFormat) -> &'static str {
    match format {
        FeedFormat::Atom => "atom.xml",
        FeedFormat::Rss => "rss.xml",
        FeedFormat::Json => "feed.json",
    }
}

fn feeds(plan: &Plan, config: &Config, drafts: &mut Vec<Draft>) {
    if config.feeds.limit == 0 {
        return;
    }
    for format in &config.feeds.formats {
        let route = join_or_root(&Route::root(), feed_name(*format));
        drafts.push(draft(
            JobKind::Feed { format: *format, scope: Scope::Site },
            route,
            "the site's feed",
            None,
        ));
    }
    for (taxonomy, t) in plan.taxonomies.iter().enumerate() {
        for (term, entry) in t.terms.iter().enumerate() {
            for format in &entry.feeds {
                let kind = JobKind::Feed { format: *format, scope: Scope::Term { taxonomy, term } };
                drafts.push(draft(
                    kind,
                    join_or_root(&entry.route, feed_name(*format)),
                    format!("the feed of {} \"{}\"", t.name, entry.name),
                    None,
                ));
            }
        }
    }
}

fn copies(plan: &Plan, sources: &Sources, drafts: &mut Vec<Draft>, report: &mut Report) {
    for file in &sources.statics {
        let out = match OutPath::new(&file.name) {
            Ok(out) => out,
            Err(e) => {
                report.push(
                    Diagnostic::error(format!("this file cannot be published: {e}"))
                        .in_file(format!("static/{}", file.name))
                        .hint("rename it"),
                );
                continue;
            }
        };
        let route = out.route();
        let (from, file, rank) = match &file.origin {
            Origin::Site(path) => (CopyFrom::Site(path.clone()), Some(path.clone()), Rank::Firm),
            Origin::Theme(bytes) => {
                (CopyFrom::Theme { name: file.name.clone(), bytes }, None, Rank::Default)
            }
        };
        let owner =
            file.as_ref().map_or_else(|| "the default theme".to_owned(), |f| f.as_str().to_owned());
        drafts.push(Draft {
            out,
            job: Job { kind: JobKind::Copy(from), route },
            owner,
            file,
            span: None,
            rank,
        });
    }
    let mut assets: Vec<_> = plan.assets.iter().collect();
    assets.sort();
    for (source, route) in assets {
        drafts.push(draft(
            JobKind::Copy(CopyFrom::Site(source.clone())),
            route.clone(),
            source.as_str(),
            Some(source),
        ));
    }
}

fn aliases(plan: &Plan, drafts: &mut Vec<Draft>, report: &mut Report) {
    let mut nodes: Vec<_> = plan.by_source.iter().collect();
    nodes.sort_by_key(|(source, _)| source.as_str());
    for (source, node) in nodes {
        let doc = plan.doc_of(*node);
        let to = plan.route_of(*node);
        for (alias, span) in doc.into_iter().flat_map(aliases_of) {
            match alias {
                Ok(route) if route == *to => {}
                Ok(route) => {
                    let kind = JobKind::Redirect { to: to.clone(), from: source.clone() };
                    let mut d = draft(kind, route, format!("an alias in {source}"), Some(source));
                    d.span = Some(widen(&span));
                    d.rank = Rank::Alias;
                    drafts.push(d);
                }
                Err(error) => report.push(error),
            }
        }
    }
}

/// A file at the root that is generated unless the site has it.
fn made_by_folio(name: &str, kind: JobKind) -> Draft {
    Draft {
        rank: Rank::Default,
        ..draft(kind, join_or_root(&Route::root(), name), "Folio itself", None)
    }
}

fn singles(config: &Config, drafts: &mut Vec<Draft>) {
    let mut single = |name: &str, kind: JobKind| drafts.push(made_by_folio(name, kind));
    single("404.html", JobKind::NotFound);
    single("robots.txt", JobKind::Robots);
    single("highlight.css", JobKind::HighlightCss);
    if !config.ads.ads_txt.is_empty() {
        single("ads.txt", JobKind::AdsTxt);
    }
}

fn sitemaps(pages: usize, drafts: &mut Vec<Draft>) {
    let mut add = |name: &str, kind: JobKind| drafts.push(made_by_folio(name, kind));
    let parts = pages.div_ceil(SITEMAP_LIMIT);
    if parts <= 1 {
        return add("sitemap.xml", JobKind::Sitemap { part: 1 });
    }
    add("sitemap.xml", JobKind::SitemapIndex { parts });
    for part in 1..=parts {
        add(&format!("sitemap-{part}.xml"), JobKind::Sitemap { part });
    }
}

/// Adds the jobs to the plan. Two for one path are an error that names both.
fn settle(plan: &mut Plan, drafts: Vec<Draft>, report: &mut Report) {
    let mut by_key: HashMap<String, Draft> = HashMap::with_capacity(drafts.len());
    for d in drafts {
        let key = d.out.collision_key();
        let Some(other) = by_key.get(&key) else {
            by_key.insert(key, d);
            continue;
        };
        match (other.rank, d.rank) {
            (Rank::Firm | Rank::Alias, Rank::Default) => {}
            (Rank::Default, Rank::Firm | Rank::Alias) => {
                by_key.insert(key, d);
            }
            // Aliases come last, in the order of their files, so that the first one stays.
            (Rank::Firm | Rank::Alias, Rank::Alias) => report.push(unused_alias(other, &d)),
            _ => report.push(collision(other, &d)),
        }
    }
    let sorted: BTreeMap<OutPath, Draft> =
        by_key.into_values().map(|d| (d.out.clone(), d)).collect();
    let names: HashMap<String, &OutPath> =
        sorted.keys().map(|out| (out.collision_key(), out)).collect();
    for (out, d) in &sorted {
        let key = out.collision_key();
        for file in key.match_indices('/').filter_map(|(i, _)| names.get(&key[..i])) {
            let message = format!(
                "{} would be written below `{file}`, which is a file of the output",
                d.owner
            );
            let d = d.file.as_ref().map_or_else(
                || Diagnostic::error(message.clone()),
                |f| Diagnostic::error(message.clone()).in_file(f.as_str()),
            );
            report.push(d.hint("rename one of the two"));
        }
    }
    plan.routes = sorted.values().map(|d| d.job.route.clone()).collect();
    plan.jobs = sorted.into_iter().map(|(out, d)| (out, d.job)).collect();
}

/// An alias of a path that another file of the output has.
fn unused_alias(other: &Draft, alias: &Draft) -> Diagnostic {
    let route = &alias.job.route;
    let warning = if other.rank == Rank::Alias {
        Diagnostic::warning(format!(
            "the alias `{route}` is not used: {} has it already",
            other.owner
        ))
    } else {
        Diagnostic::warning(format!(
            "the alias `{route}` is not used: it is the route of {}",
            other.owner
        ))
    };
    let warning = warning.hint("remove the alias");
    match (&alias.file, &alias.span) {
        (Some(file), Some(span)) => warning.in_file(file.as_str()).at(span.clone()),
        _ => warning,
    }
}

fn collision(a: &Draft, b: &Draft) -> Diagnostic {
    let (first, second) = if a.owner <= b.owner { (a, b) } else { (b, a) };
    let message = if a.out == b.out {
        format!("{} and {} would both be written to `{}`", first.owner, second.owner, first.out)
    } else {
        format!(
            "{} would be written to `{}` and {} to `{}`, which are the same file on systems that \
             ignore case",
            first.owner, first.out, second.owner, second.out
        )
    };
    let d = Diagnostic::error(message).hint("give one of the two another slug or path");
    // The job whose path was written explicitly is the one to point at.
    let pointed = [second, first]
        .into_iter()
        .max_by_key(|d| (d.span.is_some(), d.file.is_some()))
        .unwrap_or(second);
    match (&pointed.file, &pointed.span) {
        (Some(file), Some(span)) => d.in_file(file.as_str()).at(span.clone()),
        (Some(file), None) => d.in_file(file.as_str()),
        (None, _) => d,
    }
}

/// Checks that every template that is set by name exists, and uses the default one instead if it
/// does not.
pub(super) fn check_templates(plan: &mut Plan, known: &BTreeSet<&str>, report: &mut Report) {
    for doc in plan.docs() {
        for template in doc.front.template.iter().chain(&doc.front.page_template) {
            if known.contains(template.value.as_str()) {
                continue;
            }
            let error = Diagnostic::error(format!("template `{}` does not exist", template.value))
                .in_file(doc.source.as_str())
                .at(widen(&template.span));
            let candidates = known.iter().copied().filter(|n| !n.starts_with("components/"));
            report.push(match nearest(&template.value, candidates) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error.hint("templates are the files in templates/"),
            });
        }
    }
    for page in plan.pages.iter_mut().filter(|p| !known.contains(p.template.as_str())) {
        page.template = "page.html".into();
    }
    for section in plan.sections.iter_mut().filter(|s| !known.contains(s.template.as_str())) {
        section.template = "section.html".into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_pages_than_a_sitemap_holds_make_an_index() {
        let names = |pages: usize| {
            let mut drafts = Vec::new();
            sitemaps(pages, &mut drafts);
            drafts.into_iter().map(|d| (d.out.to_string(), d.job.kind)).collect::<Vec<_>>()
        };
        assert_eq!(names(50_000), [("sitemap.xml".to_owned(), JobKind::Sitemap { part: 1 })]);
        let many = names(100_001);
        assert_eq!(many[0], ("sitemap.xml".to_owned(), JobKind::SitemapIndex { parts: 3 }));
        assert_eq!(many[3], ("sitemap-3.xml".to_owned(), JobKind::Sitemap { part: 3 }));
        assert_eq!(many.len(), 4);
    }
}
