//! Sections, taxonomies, and the order of lists.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::model::sort;
use super::model::{Hidden, Node, Page, PageId, Plan, Section, Taxonomy, Term, Visibility};
use super::slugs::{folder_slug, join_or_root, section_folder, taxonomy_slug, term_slug};
use unicode_normalization::UnicodeNormalization;

use crate::config::{Config, SortBy};
use crate::diag::{Diagnostic, MAX_SUGGESTIONS, Report, nearest};
use crate::parse::{Doc, front, widen};
use crate::paths::{Route, SourcePath};
use crate::slug::SlugRule;

/// Separates articles from `_index.md` files, and leaves out what is not visible.
pub(super) fn split(
    docs: Vec<Arc<Doc>>,
    visibility: Visibility,
    config: &Config,
    plan: &mut Plan,
) -> (Vec<Arc<Doc>>, Vec<Arc<Doc>>) {
    let mut pages = Vec::new();
    let mut sections = Vec::new();
    for doc in docs {
        plan.turning_points.extend(doc.front.date.into_iter().chain(doc.front.expires));
        match hidden_by(&doc, visibility, config) {
            Some(why) => {
                plan.hidden.insert(doc.source.clone(), why);
            }
            None if is_section_file(&doc.source) => sections.push(doc),
            None => pages.push(doc),
        }
    }
    (pages, sections)
}

/// `_index.md` anywhere, and `index.md` at the top, since the site itself is not an article.
fn is_section_file(source: &SourcePath) -> bool {
    source.stem() == "_index" || (source.stem() == "index" && source.parent() == "content")
}

fn hidden_by(doc: &Doc, visibility: Visibility, config: &Config) -> Option<Hidden> {
    let after = |moment: &crate::parse::Moment| moment.instant(&config.timezone) > visibility.now;
    if doc.front.draft && !visibility.include_drafts {
        return Some(Hidden::Draft);
    }
    if doc.front.date.as_ref().is_some_and(after) && !visibility.include_future {
        return Some(Hidden::Future);
    }
    if doc.front.expires.as_ref().is_some_and(|m| !after(m)) {
        return Some(Hidden::Expired);
    }
    None
}

/// Creates a section for every folder with articles or an `_index.md`, and for their parents.
pub(super) fn build_sections(
    plan: &mut Plan,
    docs: Vec<Arc<Doc>>,
    pages: &[Arc<Doc>],
    config: &Config,
    report: &mut Report,
) {
    let mut paths: BTreeSet<String> = BTreeSet::from([String::new()]);
    let mut own: BTreeMap<String, Arc<Doc>> = BTreeMap::new();
    for doc in docs {
        let path = doc
            .source
            .parent()
            .strip_prefix("content")
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned();
        let source = doc.source.clone();
        if let Some(other) = own.insert(path, doc) {
            let error = Diagnostic::error(format!(
                "{} and {source} are both the index of the same section",
                other.source
            ))
            .in_file(source.as_str());
            report.push(error.hint("remove one of the two"));
        }
    }
    for path in
        own.keys().map(String::as_str).chain(pages.iter().map(|d| section_folder(&d.source)))
    {
        let mut path = path;
        while !path.is_empty() && paths.insert(path.to_owned()) {
            path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
    let mut ids: HashMap<String, usize> = HashMap::new();
    for path in paths {
        let doc = own.remove(&path);
        let parent = (!path.is_empty())
            .then(|| ids.get(path.rsplit_once('/').map_or("", |(p, _)| p)).copied().unwrap_or(0));
        let id = plan.sections.len();
        ids.insert(path.clone(), id);
        if let Some(parent) = parent {
            plan.sections[parent].subsections.push(id);
        }
        let section = section(path, doc, parent, plan, config, report);
        if let Some(doc) = &section.doc {
            plan.by_source.insert(doc.source.clone(), Node::Section(id));
        }
        plan.sections.push(section);
    }
}

fn section(
    path: String,
    doc: Option<Arc<Doc>>,
    parent: Option<usize>,
    plan: &Plan,
    config: &Config,
    report: &mut Report,
) -> Section {
    let name = path.rsplit('/').next().unwrap_or_default();
    let written = doc.as_ref().map(|d| d.title.clone()).filter(|t| !t.is_empty());
    let title = written
        .unwrap_or_else(|| if path.is_empty() { config.title.clone() } else { sentence(name) });
    let above = parent.map(|p| &plan.sections[p].route);
    let route = section_route(name, doc.as_deref(), above, config.slugs).unwrap_or_else(|error| {
        report.push(error);
        Route::root()
    });
    let front = doc.as_ref().map(|d| &d.front);
    let template = front.and_then(|f| f.template.as_ref()).map(|t| t.value.clone());
    Section {
        title,
        route,
        template: template.unwrap_or_else(|| {
            if path.is_empty() { "index.html".into() } else { "section.html".into() }
        }),
        sort_by: front.and_then(|f| f.sort_by).unwrap_or_default(),
        paginate_by: front.and_then(|f| f.paginate_by).unwrap_or(config.paginate_by),
        parent,
        subsections: Vec::new(),
        pages: Vec::new(),
        path,
        doc,
    }
}

/// The route of a section: the one that its `_index.md` sets, or one below its parent.
fn section_route(
    name: &str,
    doc: Option<&Doc>,
    parent: Option<&Route>,
    rule: SlugRule,
) -> Result<Route, Diagnostic> {
    let Some(parent) = parent else { return Ok(Route::root()) };
    let refuse = |source: &SourcePath, span: &std::ops::Range<u32>, why: String| {
        Err(Diagnostic::error(format!("the route of this section is invalid: {why}"))
            .in_file(source.as_str())
            .at(widen(span))
            .hint("write a folder, such as /guides/"))
    };
    if let Some((doc, path)) = doc.and_then(|d| Some((d, d.front.path.as_ref()?))) {
        if path.value.rsplit('/').next().is_some_and(|last| last.contains('.')) {
            return refuse(&doc.source, &path.span, "it names a file".into());
        }
        return Route::parse(&format!("{}/", path.value.trim_end_matches('/')))
            .or_else(|e| refuse(&doc.source, &path.span, e.to_string()));
    }
    if let Some((doc, slug)) = doc.and_then(|d| Some((d, d.front.slug.as_ref()?))) {
        if slug.value.contains('/') {
            return refuse(&doc.source, &slug.span, "its slug contains a slash".into());
        }
        return parent
            .join(&format!("{}/", slug.value))
            .or_else(|e| refuse(&doc.source, &slug.span, e.to_string()));
    }
    Ok(join_or_root(parent, &format!("{}/", folder_slug(name, rule))))
}

fn sentence(name: &str) -> String {
    let text = name.replace(['-', '_'], " ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Sorts every list.
pub(super) fn order(plan: &mut Plan) {
    for (id, page) in plan.pages.iter().enumerate() {
        plan.sections[page.section].pages.push(id);
    }
    let mut lists: Vec<Vec<PageId>> =
        plan.sections.iter_mut().map(|s| std::mem::take(&mut s.pages)).collect();
    for (section, list) in plan.sections.iter().zip(&mut lists) {
        sort(&plan.pages, list, section.sort_by);
    }
    for (section, list) in plan.sections.iter_mut().zip(lists) {
        section.pages = list;
    }
    let dated: Vec<PageId> =
        (0..plan.pages.len()).filter(|id| plan.pages[*id].instant.is_some()).collect();
    plan.articles = if dated.is_empty() { (0..plan.pages.len()).collect() } else { dated };
    let sort_by = plan.sections.first().map_or(SortBy::Date, |s| s.sort_by);
    let mut articles = std::mem::take(&mut plan.articles);
    sort(&plan.pages, &mut articles, sort_by);
    plan.articles = articles;
}

/// Groups articles under the terms of every taxonomy.
pub(super) fn build_taxonomies(plan: &mut Plan, config: &Config, report: &mut Report) {
    for (taxonomy, settings) in &config.taxonomies {
        let name = taxonomy.as_str();
        if !settings.render {
            continue;
        }
        let groups = group_by_term(plan, name, config);
        if groups.is_empty() {
            continue;
        }
        let slug = taxonomy_slug(name, config);
        let route = match Route::parse(&format!("/{slug}/")) {
            Ok(route) => route,
            Err(e) => {
                report.push(
                    Diagnostic::error(format!("the slug of taxonomy `{name}` is invalid: {e}"))
                        .in_file(crate::config::FILE),
                );
                continue;
            }
        };
        let feeds = if settings.feed.unwrap_or(name == "category") {
            config.feeds.formats.clone()
        } else {
            Vec::new()
        };
        let mut spelled = HashMap::new();
        let mut terms = Vec::new();
        let mut taken = BTreeMap::new();
        for (group, spellings) in &groups {
            let slug = distinct_slug(group, spellings, name, &mut taken, plan, report);
            let name = spellings
                .iter()
                .max_by_key(|(spelling, pages)| (pages.len(), Reverse(**spelling)))
                .map_or("", |(s, _)| *s);
            let mut pages: Vec<PageId> = spellings.values().flatten().copied().collect();
            sort(&plan.pages, &mut pages, SortBy::Date);
            pages.dedup();
            if is_series(taxonomy) {
                pages.reverse();
            }
            spelled.extend(spellings.keys().map(|s| ((*s).to_owned(), terms.len())));
            terms.push(Term {
                name: name.to_owned(),
                route: join_or_root(&route, &format!("{slug}/")),
                pages,
                text: None,
                feeds: feeds.clone(),
            });
        }
        plan.taxonomies.push(Taxonomy {
            name: taxonomy.clone(),
            route,
            terms,
            text: None,
            spellings: spelled,
        });
    }
}

/// A slug, and the letters that its spellings have in common: spellings that differ in letter case
/// alone are the same term.
type TermKey = (String, String);

/// The articles of each spelling of each term of a taxonomy.
fn group_by_term<'p>(
    plan: &'p Plan,
    taxonomy: &str,
    config: &'p Config,
) -> BTreeMap<TermKey, BTreeMap<&'p str, Vec<PageId>>> {
    let default_author = default_author(plan, taxonomy, config);
    let mut keys: HashMap<&str, TermKey> = HashMap::new();
    let mut groups: BTreeMap<TermKey, BTreeMap<&str, Vec<PageId>>> = BTreeMap::new();
    for (id, page) in plan.pages.iter().enumerate() {
        let own = page.doc.front.terms.get(taxonomy).into_iter().flatten().map(String::as_str);
        let default = default_author.filter(|_| takes_default_author(&page.doc));
        for term in own.chain(default) {
            let key = keys.entry(term).or_insert_with(|| {
                let folded = term.nfc().collect::<String>().to_lowercase();
                (term_slug(term, taxonomy, config), folded)
            });
            let group = match groups.get_mut(key) {
                Some(group) => group,
                None => groups.entry(key.clone()).or_default(),
            };
            group.entry(term).or_default().push(id);
        }
    }
    groups
}

/// The author of articles that name none, when the site has pages of authors: at least one article
/// names an author.
fn default_author<'c>(plan: &Plan, taxonomy: &str, config: &'c Config) -> Option<&'c str> {
    let name = config.author.name.as_str();
    let names_author =
        |page: &Page| page.doc.front.terms.get("author").is_some_and(|a| !a.is_empty());
    (taxonomy == "author" && !name.is_empty() && plan.pages.iter().any(names_author))
        .then_some(name)
}

/// Whether an article is by the default author.
fn takes_default_author(doc: &Doc) -> bool {
    doc.front.date.is_some() && doc.front.terms.get("author").is_none_or(Vec::is_empty)
}

/// Whether the articles of a taxonomy's terms are listed in the order in which they are read.
pub(crate) fn is_series(taxonomy: &str) -> bool {
    taxonomy == "series"
}

/// The slug of a term, with a number if another term has the same one, which is reported at an
/// article that has the term.
fn distinct_slug(
    (slug, folded): &TermKey,
    spellings: &BTreeMap<&str, Vec<PageId>>,
    taxonomy: &str,
    taken: &mut BTreeMap<String, String>,
    plan: &Plan,
    report: &mut Report,
) -> String {
    let Some(first) = taken.get(slug).cloned() else {
        taken.insert(slug.clone(), folded.clone());
        return slug.clone();
    };
    let mut number = 2;
    while taken.contains_key(&format!("{slug}-{number}")) {
        number += 1;
    }
    let own = format!("{slug}-{number}");
    taken.insert(own.clone(), folded.clone());
    let first_use = spellings
        .iter()
        .next()
        .and_then(|(term, pages)| Some((&plan.pages.get(*pages.first()?)?.doc.source, *term)));
    if let Some((source, term)) = first_use {
        report.push(
            Diagnostic::warning(format!(
                "the terms `{first}` and `{term}` have the same slug `{slug}`; the second one gets \
                 `{own}`"
            ))
            .in_file(source.as_str())
            .at_text(term)
            .hint(format!(
                "use one spelling, or set a slug in site.toml: [taxonomies.{taxonomy}.slugs] \
                 \"{term}\" = \"…\""
            )),
        );
    }
    own
}

/// A name with the number of articles that have it, and its first location.
type Seen<'a> = BTreeMap<&'a str, (usize, &'a SourcePath, std::ops::Range<usize>)>;

/// Counts how many articles have each name.
fn count<'a>(
    plan: &'a Plan,
    names: impl Fn(&'a Doc) -> &'a [(String, std::ops::Range<u32>)],
) -> Seen<'a> {
    let mut seen = Seen::new();
    for doc in plan.docs() {
        let mut here = BTreeSet::new();
        for (name, span) in names(doc) {
            if here.insert(name.as_str()) {
                seen.entry(name).or_insert((0, &doc.source, widen(span))).0 += 1;
            }
        }
    }
    seen
}

/// One warning for each unknown key and taxonomy, however many articles have it, and the articles'
/// own warnings.
pub(super) fn tell_unknown_names(plan: &Plan, config: &Config, report: &mut Report) {
    for doc in plan.docs() {
        for remark in &doc.remarks {
            report.push(remark.diagnose(&doc.source));
        }
    }
    tell_unconfigured(plan, config, report);
    for (number, (name, (count, source, span))) in
        count(plan, |doc| &doc.unknown_keys).into_iter().enumerate()
    {
        let known = front::known_keys().filter(|_| number < MAX_SUGGESTIONS);
        let message = format!("unknown key `{name}` in the front matter of {}", articles(count));
        let warning = Diagnostic::warning(message).in_file(source.as_str()).at(span);
        report.push(match nearest(name, known) {
            Some(known) => warning.hint(format!(
                "did you mean `{known}`? Keys for your own templates belong under `extra`"
            )),
            None => warning.hint("keys for your own templates belong under `extra`"),
        });
    }
}

/// One warning for each language without a grammar.
pub(super) fn tell_unknown_languages(plan: &Plan, report: &mut Report) {
    for (number, (name, (count, source, span))) in
        count(plan, |doc| &doc.unknown_languages).into_iter().enumerate()
    {
        let message = format!(
            "no grammar for the language `{name}`, used in {}: the code is not highlighted",
            articles(count)
        );
        let suggests = number < MAX_SUGGESTIONS;
        let known = crate::parse::highlight::known_languages().filter(|_| suggests);
        let warning = Diagnostic::warning(message).in_file(source.as_str()).at(span);
        report.push(match nearest(name, known) {
            Some(near) => warning.hint(format!("did you mean `{near}`?")),
            None => warning.hint("write `text` if the code needs no highlighting"),
        });
    }
}

/// One warning for each taxonomy and ad slot that articles name and that is not configured.
fn tell_unconfigured(plan: &Plan, config: &Config, report: &mut Report) {
    let mut taxonomies: BTreeMap<&str, &SourcePath> = BTreeMap::new();
    let mut slots: BTreeMap<&str, &SourcePath> = BTreeMap::new();
    for doc in plan.pages.iter().map(|p| &p.doc) {
        for name in doc
            .front
            .terms
            .iter()
            .map(|(name, _)| name)
            .filter(|n| !config.taxonomies.contains_key(*n))
        {
            taxonomies.entry(name).or_insert(&doc.source);
        }
        for name in doc.front.ads.slots.keys().filter(|n| !config.ads.slots.contains_key(*n)) {
            slots.entry(name).or_insert(&doc.source);
        }
    }
    for (name, source) in taxonomies {
        let warning = Diagnostic::warning(format!(
            "this site has no taxonomy `{name}`, so its terms have no pages"
        ))
        .in_file(source.as_str())
        .at_text(name);
        report.push(match nearest(name, config.taxonomies.keys().map(String::as_str)) {
            Some(known) => warning.hint(format!("did you mean `{known}`?")),
            None => warning.hint(format!("add [taxonomies.{name}] to site.toml")),
        });
    }
    for (name, source) in slots {
        let warning = Diagnostic::warning(format!("ad slot `{name}` does not exist"))
            .in_file(source.as_str())
            .at_text(name);
        report.push(warning.suggest(name, config.ads.slots.keys().map(String::as_str)));
    }
    for section in
        config.permalinks.keys().filter(|name| !plan.sections.iter().any(|s| s.path == **name))
    {
        let warning =
            Diagnostic::warning(format!("section `{section}` of this pattern does not exist"))
                .in_file(crate::config::FILE)
                .at_text(format!("{section} ="));
        report.push(warning.suggest(section, plan.sections.iter().map(|s| s.path.as_str())));
    }
}

pub(super) fn articles(count: usize) -> String {
    if count == 1 { "1 article".into() } else { format!("{count} articles") }
}
