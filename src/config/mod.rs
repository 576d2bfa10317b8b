//! `site.toml`, read and validated.
//!
//! [`raw`] holds the types that the file is written in (and that the shipped schema is generated from);
//! [`Config`] is what the stages work with: the same settings, with the base URL, the time zone and the
//! patterns parsed. A `Config` that exists is valid.

mod base_url;
pub mod checks;
pub mod deploy;
mod pattern;
pub mod raw;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::Value;

pub use base_url::BaseUrl;
pub use checks::Checks;
pub use pattern::{Pattern, PatternPart};
pub use raw::{
    Ads, Article, Author, BrokenLinks, Comments, Counters, ExternalLinks, FeedContent, FeedFormat, Feeds, HeadingShift, Highlight, Markdown, Menu,
    MenuItem, SlotPlace, SortBy, Taxonomy, UnsafeHtml,
};

use crate::diag::{Diagnostic, Report, Severity};
use crate::paths::{Route, SourcePath, runs_code};
use crate::schema::locate::{Place, Syntax, locate};
use crate::schema::{Reading, Shape, Step};

/// The name of the configuration file at the root of a site.
pub const FILE: &str = "site.toml";

/// The taxonomies that every site has, unless it turns them off with `render = false`.
pub const BUILT_IN_TAXONOMIES: [&str; 4] = ["category", "tag", "author", "series"];

/// A site's settings, valid.
#[derive(Clone, Debug)]
pub struct Config {
    pub title: String,
    pub base_url: BaseUrl,
    pub description: String,
    pub language: String,
    pub timezone: TimeZone,
    pub author: Author,
    pub menu: Menu,
    pub paginate_by: usize,
    /// Section name (the first folder below `content/`) → the pattern of its articles' routes.
    pub permalinks: BTreeMap<String, Pattern>,
    /// By name; the built-in ones are always there.
    pub taxonomies: BTreeMap<String, Taxonomy>,
    pub feeds: Feeds,
    pub markdown: Markdown,
    pub highlight: Highlight,
    pub article: Article,
    pub ads: Ads,
    pub comments: Comments,
    pub counters: Counters,
    pub check: Checks,
    /// By name.
    pub deploy: Vec<deploy::Destination>,
    pub extra: Value,
}

/// What the command line overrides.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub base_url: Option<String>,
}

impl Config {
    /// Reads `site.toml`, with every problem of it: syntax, unknown keys, wrong types, impossible values.
    ///
    /// With errors in the report the configuration is what could be made of the rest: good enough to look for
    /// more problems with, not to build with. There is none where nothing can be made of the file at all.
    #[must_use]
    pub fn read(text: &str, overrides: &Overrides) -> (Option<Self>, Report) {
        let mut tree = match toml_tree(text) {
            Ok(tree) => tree,
            Err(error) => return (None, Report::of(error)),
        };
        let mut report = Report::default();
        deploy::refuse_secrets(&mut tree, &At { text }, &mut report);
        let (raw, problems) = crate::schema::read::<raw::Site>(tree, &Shape::of::<raw::Site>(), Reading::Strict);
        report.extend(problems.iter().map(|p| p.diagnose(Severity::Error, text, Syntax::Toml, 0).in_file(FILE)).collect());
        let config = raw.map(|raw| resolve(raw, text, overrides, &mut report));
        (config, report)
    }

    /// Reads a `site.toml` that must be without errors; warnings come beside it.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(text: &str, overrides: &Overrides) -> Result<(Self, Report), Report> {
        match Self::read(text, overrides) {
            (Some(config), report) if !report.has_errors() => Ok((config, report)),
            (_, report) => Err(report),
        }
    }

    /// The pattern for articles of a section, if the site sets one.
    #[must_use]
    pub fn permalink(&self, section: &str) -> Option<&Pattern> {
        self.permalinks.get(section)
    }
}

/// Parses TOML into a plain tree; dates become text.
///
/// # Errors
/// A syntax error, with its place.
pub fn toml_tree(text: &str) -> Result<Value, Diagnostic> {
    let table = toml::from_str::<toml::Table>(text).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        Diagnostic::error(format!("this is not valid TOML: {}", e.message())).in_file(FILE).at(span)
    })?;
    Ok(plain(toml::Value::Table(table)))
}

fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(s) => Value::String(s),
        toml::Value::Integer(n) => Value::from(n),
        toml::Value::Float(n) => serde_json::Number::from_f64(n).map_or_else(|| Value::String(n.to_string()), Value::Number),
        toml::Value::Boolean(b) => Value::Bool(b),
        toml::Value::Datetime(d) => Value::String(d.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(k, v)| (k, plain(v))).collect()),
    }
}

/// Points at a value of `site.toml`.
struct At<'a> {
    text: &'a str,
}

impl At<'_> {
    fn error(&self, path: &[&str], message: String) -> Diagnostic {
        Diagnostic::error(message).in_file(FILE).at(self.span(path))
    }

    fn warning(&self, path: &[&str], message: String) -> Diagnostic {
        Diagnostic::warning(message).in_file(FILE).at(self.span(path))
    }

    /// The number of a value's line.
    fn line(&self, path: &[&str]) -> usize {
        self.text[..self.span(path).start].matches('\n').count() + 1
    }

    fn span(&self, path: &[&str]) -> std::ops::Range<usize> {
        let steps: Vec<Step> = path.iter().map(|k| Step::Key((*k).to_owned())).collect();
        locate(self.text, Syntax::Toml, &steps, Place::Value)
    }
}

fn resolve(raw: raw::Site, text: &str, overrides: &Overrides, report: &mut Report) -> Config {
    let at = At { text };
    let base_url = resolve_base_url(&raw.base_url, overrides, &at, report);
    let timezone = resolve_timezone(&raw.timezone, &at, report);
    let permalinks = resolve_permalinks(&raw.permalinks, &at, report);
    let deploy = deploy::resolve(raw.deploy.clone(), &at, report);
    warn_of_what_is_not_there_yet(&raw, &at, report);
    check_themes(&raw.highlight, &at, report);
    check_values(&raw, &at, report);
    if raw.title.trim().is_empty() && !is_missing(report, "title") {
        report.push(at.error(&["title"], "`title` is empty".into()));
    }
    let mut taxonomies = raw.taxonomies;
    for name in BUILT_IN_TAXONOMIES {
        taxonomies.entry(name.to_owned()).or_default();
    }
    let mut feeds = raw.feeds;
    feeds.formats.sort_unstable();
    feeds.formats.dedup();
    Config {
        title: raw.title,
        base_url: base_url.unwrap_or_else(BaseUrl::placeholder),
        description: raw.description,
        language: raw.language,
        timezone: timezone.unwrap_or(TimeZone::UTC),
        author: raw.author,
        menu: raw.menu,
        paginate_by: raw.paginate_by,
        permalinks,
        taxonomies,
        feeds,
        markdown: raw.markdown,
        highlight: raw.highlight,
        article: raw.article,
        ads: raw.ads,
        comments: raw.comments,
        counters: raw.counters,
        check: raw.check,
        deploy,
        extra: Value::Object(raw.extra.into_iter().collect()),
    }
}

/// Whether it has been told already that this key is missing.
fn is_missing(report: &Report, key: &str) -> bool {
    report.items().iter().any(|d| d.message.starts_with(&format!("`{key}` is missing")))
}

fn resolve_base_url(given: &str, overrides: &Overrides, at: &At<'_>, report: &mut Report) -> Option<BaseUrl> {
    if let Some(url) = &overrides.base_url {
        return BaseUrl::parse(url)
            .map_err(|e| {
                report.push(
                    Diagnostic::error(format!("`--base-url {url}` cannot be used: {e}"))
                        .hint("write it like https://example.org or https://example.org/blog"),
                );
            })
            .ok();
    }
    if is_missing(report, "base_url") {
        return None;
    }
    BaseUrl::parse(given)
        .map_err(|e| {
            let hint = if given.contains("://") {
                "write it like https://example.org/blog".to_owned()
            } else {
                format!("did you mean \"https://{}\"?", given.trim_start_matches('/'))
            };
            report.push(at.error(&["base_url"], format!("`base_url` cannot be used: {e}")).hint(hint));
        })
        .ok()
}

fn resolve_timezone(name: &str, at: &At<'_>, report: &mut Report) -> Option<TimeZone> {
    // The bundled database only: the machine's own could differ from another machine's.
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(name);
    if zone.is_err() && name != "UTC" {
        report.push(
            at.error(&["timezone"], format!("there is no time zone `{name}`")).hint("use a name from the IANA database, such as Europe/Berlin"),
        );
        return None;
    }
    Some(zone.unwrap_or(TimeZone::UTC))
}

fn resolve_permalinks(raw: &BTreeMap<String, String>, at: &At<'_>, report: &mut Report) -> BTreeMap<String, Pattern> {
    let mut patterns = BTreeMap::new();
    for (section, text) in raw {
        match Pattern::parse(text) {
            Ok(pattern) => {
                patterns.insert(section.clone(), pattern);
            }
            Err(e) => report.push(at.error(&["permalinks", section], format!("this pattern cannot be used: {e}")).hint(pattern::HINT)),
        }
    }
    patterns
}

fn check_themes(highlight: &Highlight, at: &At<'_>, report: &mut Report) {
    let names: Vec<&str> = two_face::theme::EmbeddedLazyThemeSet::theme_names().iter().map(|n| n.as_name()).collect();
    for (key, name) in [("light", &highlight.light), ("dark", &highlight.dark)] {
        if !names.contains(&name.as_str()) {
            let error = at.error(&["highlight", key], format!("there is no highlight theme `{name}`"));
            let nearest = crate::diag::nearest(name, names.iter().copied()).map_or(String::new(), |n| format!("did you mean \"{n}\"? "));
            report.push(error.hint(format!("{nearest}Themes: {}", names.join(", "))));
        }
    }
}

/// Values that have the right type and still cannot be used.
fn check_values(raw: &raw::Site, at: &At<'_>, report: &mut Report) {
    if raw.language.trim().is_empty() {
        report.push(at.error(&["language"], "`language` is empty".into()).hint("write a tag such as \"en\" or \"pt-BR\""));
    }
    let sample = jiff::civil::date(2026, 6, 12).at(0, 0, 0, 0);
    if let Err(e) = jiff::fmt::strtime::format(&raw.article.date_format, sample) {
        report.push(
            at.error(&["article", "date_format"], format!("this date format cannot be used: {e}")).hint("write it like \"%B %Y\" or \"%-d %B %Y\""),
        );
    }
    for (name, slot) in &raw.ads.slots {
        if let Some(size) = slot.sizes.iter().find(|size| raw::ad_size(size).is_none()) {
            report.push(
                at.error(&["ads", "slots", name, "sizes"], format!("\"{size}\" is not a size")).hint("write width and height in pixels: \"300x250\""),
            );
        }
    }
    let urls = raw.menu.main.iter().chain(&raw.menu.footer).map(|item| &item.url).chain([&raw.author.url]);
    for url in urls.filter(|url| runs_code(url)) {
        report.push(Diagnostic::error("this address would run code in the reader's browser").in_file(FILE).at_text(url));
    }
    for (name, taxonomy) in &raw.taxonomies {
        if let Some(slug) = taxonomy.slug.as_ref().filter(|s| Route::parse(&format!("/{s}/")).is_err() || s.is_empty()) {
            report.push(
                at.error(&["taxonomies", name, "slug"], format!("\"{slug}\" cannot be part of an address")).hint("use letters, digits and hyphens"),
            );
        }
    }
    if SourcePath::new(&raw.counters.snapshot).is_err() {
        report.push(
            at.error(&["counters", "snapshot"], format!("\"{}\" is no file of the site", raw.counters.snapshot))
                .hint("name a file such as data/counters.json"),
        );
    }
}

/// Settings that the contract names and this version only takes note of.
fn warn_of_what_is_not_there_yet(raw: &raw::Site, at: &At<'_>, report: &mut Report) {
    if raw.ads.provider != raw::AdProvider::Placeholder {
        report.push(at.warning(&["ads", "provider"], "this ad provider is not built in yet: labelled placeholders show instead".into()));
    }
    if raw.comments.provider != raw::CommentProvider::None {
        report.push(at.warning(&["comments", "provider"], "this comments provider is not built in yet: the empty section shows instead".into()));
    }
    if raw.counters.provider != raw::CounterProvider::None {
        report.push(
            at.warning(&["counters", "provider"], "this counter is not built in yet: numbers come from front matter and the snapshot only".into()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_make_a_site() {
        let (config, report) = Config::parse("title = 'A'\nbase_url = 'https://a.example/blog/'\n", &Overrides::default()).unwrap();
        assert!(report.is_empty());
        assert_eq!(config.base_url.prefix(), "/blog");
        assert_eq!(config.taxonomies.len(), 4);
    }

    #[test]
    fn what_is_missing_hides_nothing_else() {
        let report = Config::parse("timezone = 'Mars/Base'", &Overrides::default()).unwrap_err();
        assert_eq!(report.count(Severity::Error), 3, "{report:#?}");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let text = "titel = 'A'\nbase_url = 'example.org'\ntimezone = 'Mars/Base'\npaginate_by = 'x'\ntitle = ''\n[permalinks]\nposts = '/{yaer}/'\n";
        let report = Config::parse(text, &Overrides::default()).unwrap_err();
        assert_eq!(report.count(Severity::Error), 6, "{report:#?}");
    }
}
