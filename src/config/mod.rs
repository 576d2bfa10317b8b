//! `site.toml`, read and validated.
//!
//! [`raw`] holds the types that the file is written in (and that the shipped schema is generated from);
//! [`Config`] is what the stages work with: the same settings, with the base URL, the time zone and the
//! patterns parsed. A `Config` that exists is valid.

mod base_url;
mod pattern;
pub mod raw;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::Value;

pub use base_url::BaseUrl;
pub use pattern::{Pattern, PatternPart};
pub use raw::{
    Ads, Article, Author, BrokenLinks, Comments, Counters, ExternalLinks, FeedContent, FeedFormat, Feeds, HeadingShift, Highlight, Markdown, Menu,
    MenuItem, SlotPlace, SortBy, Taxonomy, UnsafeHtml,
};

use crate::diag::{Diagnostic, Report, Severity};
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
    pub extra: Value,
}

/// What the command line overrides.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub base_url: Option<String>,
}

impl Config {
    /// Reads `site.toml`. Warnings come beside the configuration; with an error there is none.
    ///
    /// # Errors
    /// Every problem of the file: syntax, unknown keys, wrong types, missing and impossible values.
    pub fn parse(text: &str, overrides: &Overrides) -> Result<(Self, Report), Report> {
        let tree = toml_tree(text).map_err(Report::of)?;
        let (raw, problems) = crate::schema::read::<raw::Site>(tree, &Shape::of::<raw::Site>(), Reading::Strict);
        let mut report: Report = problems.iter().map(|p| p.diagnose(Severity::Error, text, Syntax::Toml, 0).in_file(FILE)).collect();
        let Some(raw) = raw else { return Err(report) };
        let config = resolve(raw, text, overrides, &mut report);
        match config {
            Some(config) if !report.has_errors() => Ok((config, report)),
            _ => Err(report),
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

    fn span(&self, path: &[&str]) -> std::ops::Range<usize> {
        let steps: Vec<Step> = path.iter().map(|k| Step::Key((*k).to_owned())).collect();
        locate(self.text, Syntax::Toml, &steps, Place::Value)
    }
}

fn resolve(raw: raw::Site, text: &str, overrides: &Overrides, report: &mut Report) -> Option<Config> {
    let at = At { text };
    let base_url = resolve_base_url(&raw.base_url, overrides, &at, report);
    let timezone = resolve_timezone(&raw.timezone, &at, report);
    let permalinks = resolve_permalinks(&raw.permalinks, &at, report);
    warn_of_what_is_not_there_yet(&raw, &at, report);
    check_themes(&raw.highlight, &at, report);
    if raw.title.trim().is_empty() && !is_missing(report, "title") {
        report.push(at.error(&["title"], "`title` is empty".into()));
    }
    let mut taxonomies = raw.taxonomies;
    for name in BUILT_IN_TAXONOMIES {
        taxonomies.entry(name.to_owned()).or_default();
    }
    Some(Config {
        title: raw.title,
        base_url: base_url?,
        description: raw.description,
        language: raw.language,
        timezone: timezone?,
        author: raw.author,
        menu: raw.menu,
        paginate_by: raw.paginate_by,
        permalinks,
        taxonomies,
        feeds: raw.feeds,
        markdown: raw.markdown,
        highlight: raw.highlight,
        article: raw.article,
        ads: raw.ads,
        comments: raw.comments,
        counters: raw.counters,
        extra: Value::Object(raw.extra.into_iter().collect()),
    })
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
