//! `site.toml`, read and validated.
//!
//! [`raw`] has the types of the file, from which the shipped schema is generated; [`Config`] is
//! what the stages use: the same settings, with the base URL, the time zone and the patterns
//! parsed.

mod base_url;
pub mod checks;
pub mod deploy;
mod located;
mod pattern;
pub mod raw;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::diag::{Diagnostic, Report, Severity};
use crate::language::Language;
use crate::paths::{Route, SourcePath, runs_code};
use crate::schema::{Reading, Shape};
use crate::slug::SlugRule;
use located::At;

pub use base_url::BaseUrl;
pub use checks::Checks;
pub use located::FILE;
pub use pattern::{Pattern, PatternPart};
pub use raw::{
    Ads, Article, Author, BrokenLinks, Comments, Counters, ExternalLinks, FeedContent, FeedFormat,
    Feeds, ForeignSyntax, HeadingShift, Highlight, Markdown, Menu, MenuItem, SlotPlace, SortBy,
    Taxonomy, UnsafeHtml,
};

/// The taxonomies that every site has, unless `render = false` turns them off.
pub const BUILT_IN_TAXONOMIES: [&str; 4] = ["category", "tag", "author", "series"];

/// The validated settings of a site.
#[derive(Clone, Debug)]
pub struct Config {
    pub title: String,
    pub base_url: BaseUrl,
    pub description: String,
    /// The BCP 47 tag.
    pub language: String,
    /// The texts and formats of the language.
    pub texts: Arc<Language>,
    pub timezone: TimeZone,
    pub slugs: SlugRule,
    pub author: Author,
    pub menu: Menu,
    pub paginate_by: usize,
    /// Section name (the first folder below `content/`) → the pattern of its articles' routes.
    pub permalinks: BTreeMap<String, Pattern>,
    /// By name, including the built-in ones.
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

/// What the command line overrides in the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub base_url: Option<String>,
}

impl Config {
    /// Reads `site.toml` with all its problems: syntax, unknown keys, wrong types, invalid values.
    ///
    /// If the report has errors, the configuration is what could be read of the rest, which is good
    /// enough to look for more problems, but not to build. It is `None` when nothing of the file
    /// can be used.
    #[must_use]
    pub fn read(
        text: &str,
        overrides: &Overrides,
        own_texts: impl FnOnce(&str) -> Option<String>,
    ) -> (Option<Self>, Report) {
        let mut tree = match toml_tree(text) {
            Ok(tree) => tree,
            Err(error) => return (None, Report::of(error)),
        };
        let mut report = Report::default();
        let at = At::new(text);
        deploy::refuse_secrets(&mut tree, &at, &mut report);
        let (raw, problems) =
            crate::schema::read::<raw::Site>(tree, &Shape::of::<raw::Site>(), Reading::Strict);
        report.extend(
            problems
                .iter()
                .map(|p| p.diagnose(Severity::Error, at.locator(), 0).in_file(FILE))
                .collect(),
        );
        let config = raw.map(|raw| {
            let own_texts =
                if is_language_tag(&raw.language) { own_texts(&raw.language) } else { None };
            resolve(raw, &at, overrides, own_texts.as_deref(), &mut report)
        });
        (config, report)
    }

    /// Reads a `site.toml` that must have no errors, and returns its warnings.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn parse(text: &str, overrides: &Overrides) -> Result<(Self, Report), Report> {
        match Self::read(text, overrides, |_| None) {
            (Some(config), report) if !report.has_errors() => Ok((config, report)),
            (_, report) => Err(report),
        }
    }

    /// The URLs of menus and of the author, which may be those of pages of the site.
    pub fn urls(&self) -> impl Iterator<Item = &String> {
        let items = self.menu.main.iter().chain(&self.menu.footer);
        items.map(|item| &item.url).chain([&self.author.url])
    }

    /// The pattern for articles of a section, if the site sets one.
    #[must_use]
    pub fn permalink(&self, section: &str) -> Option<&Pattern> {
        self.permalinks.get(section)
    }
}

/// Parses TOML into an untyped tree, in which dates are texts.
///
/// # Errors
/// A syntax error, with its location.
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
        toml::Value::Float(n) => serde_json::Number::from_f64(n)
            .map_or_else(|| Value::String(n.to_string()), Value::Number),
        toml::Value::Boolean(b) => Value::Bool(b),
        toml::Value::Datetime(d) => Value::String(d.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(k, v)| (k, plain(v))).collect())
        }
    }
}

fn resolve(
    raw: raw::Site,
    at: &At<'_>,
    overrides: &Overrides,
    own_texts: Option<&str>,
    report: &mut Report,
) -> Config {
    let (texts, text_problems) = Language::read(&raw.language, own_texts);
    if is_language_tag(&raw.language) {
        report.extend(text_problems);
    }
    let sample = jiff::civil::date(2026, 6, 12).at(0, 0, 0, 0);
    if let Err(e) = texts.date(sample, &raw.article.date_format) {
        report.push(
            at.error(&["article", "date_format"], format!("this date format is invalid: {e}"))
                .hint("write \"month\", \"long\" or a pattern such as \"%-d %B %Y\""),
        );
    }
    let base_url = resolve_base_url(&raw.base_url, overrides, at, report);
    let timezone = resolve_timezone(&raw.timezone, at, report);
    let permalinks = resolve_permalinks(&raw.permalinks, at, report);
    let deploy = deploy::resolve(raw.deploy.clone(), at, report);
    check_themes(&raw.highlight, at, report);
    check_values(&raw, at, report);
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
        slugs: SlugRule::new(&raw.language, raw.slugs.ascii),
        title: raw.title,
        base_url: base_url.unwrap_or_else(BaseUrl::placeholder),
        description: raw.description,
        texts: Arc::new(texts),
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

/// Whether this key has been reported as missing already.
fn is_missing(report: &Report, key: &str) -> bool {
    report.items().iter().any(|d| d.message.starts_with(&format!("`{key}` is missing")))
}

fn resolve_base_url(
    given: &str,
    overrides: &Overrides,
    at: &At<'_>,
    report: &mut Report,
) -> Option<BaseUrl> {
    if let Some(url) = &overrides.base_url {
        return BaseUrl::parse(url)
            .map_err(|e| {
                report.push(
                    Diagnostic::error(format!("`--base-url {url}` is invalid: {e}"))
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
            report.push(at.error(&["base_url"], format!("`base_url` is invalid: {e}")).hint(hint));
        })
        .ok()
}

fn resolve_timezone(name: &str, at: &At<'_>, report: &mut Report) -> Option<TimeZone> {
    // Only the bundled time zone database is used, since that of the system may differ from others.
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(name);
    if zone.is_err() && name != "UTC" {
        report.push(
            at.error(&["timezone"], format!("time zone `{name}` does not exist"))
                .hint("use a name from the IANA database, such as Europe/Berlin"),
        );
        return None;
    }
    Some(zone.unwrap_or(TimeZone::UTC))
}

fn resolve_permalinks(
    raw: &BTreeMap<String, String>,
    at: &At<'_>,
    report: &mut Report,
) -> BTreeMap<String, Pattern> {
    let mut patterns = BTreeMap::new();
    for (section, text) in raw {
        match Pattern::parse(text) {
            Ok(pattern) => {
                patterns.insert(section.clone(), pattern);
            }
            Err(e) => report.push(
                at.error(&["permalinks", section], format!("this pattern is invalid: {e}"))
                    .hint(pattern::HINT),
            ),
        }
    }
    patterns
}

fn check_themes(highlight: &Highlight, at: &At<'_>, report: &mut Report) {
    let names: Vec<&str> =
        two_face::theme::EmbeddedLazyThemeSet::theme_names().iter().map(|n| n.as_name()).collect();
    for (key, name) in [("light", &highlight.light), ("dark", &highlight.dark)] {
        if !names.contains(&name.as_str()) {
            let error =
                at.error(&["highlight", key], format!("highlight theme `{name}` does not exist"));
            let nearest = crate::diag::nearest(name, names.iter().copied())
                .map_or(String::new(), |n| format!("did you mean \"{n}\"? "));
            report.push(error.hint(format!("{nearest}Themes are {}", names.join(", "))));
        }
    }
}

/// Rejects values of the right type that are invalid all the same.
fn check_values(raw: &raw::Site, at: &At<'_>, report: &mut Report) {
    if !is_language_tag(&raw.language) {
        let message = format!("`language` is not a language tag: \"{}\"", raw.language);
        report
            .push(at.error(&["language"], message).hint("write a tag such as \"en\" or \"pt-BR\""));
    }
    if raw.article.words_per_minute == 0 {
        let message = "`article.words_per_minute` is 0".to_owned();
        report.push(
            at.error(&["article", "words_per_minute"], message).hint("write a number such as 200"),
        );
    }
    for (name, slot) in &raw.ads.slots {
        if let Some(size) = slot.sizes.iter().find(|size| raw::ad_size(size).is_none()) {
            report.push(
                at.error(
                    &["ads", "slots", name, "sizes"],
                    format!("\"{size}\" is not a valid size"),
                )
                .hint("write width and height in pixels: \"300x250\""),
            );
        }
    }
    let urls =
        raw.menu.main.iter().chain(&raw.menu.footer).map(|item| &item.url).chain([&raw.author.url]);
    for url in urls.filter(|url| runs_code(url)) {
        report.push(
            Diagnostic::error("this URL would run code in the reader's browser")
                .in_file(FILE)
                .at_text(url),
        );
    }
    for (name, taxonomy) in &raw.taxonomies {
        if let Some(slug) = taxonomy
            .slug
            .as_ref()
            .filter(|s| Route::parse(&format!("/{s}/")).is_err() || s.is_empty())
        {
            report.push(
                at.error(&["taxonomies", name, "slug"], format!("\"{slug}\" is invalid in a URL"))
                    .hint("use letters, digits and hyphens"),
            );
        }
    }
    check_term_slugs(raw, at, report);
    if SourcePath::new(&raw.counters.snapshot).is_err() {
        report.push(
            at.error(
                &["counters", "snapshot"],
                format!("\"{}\" is not a path of a file of the site", raw.counters.snapshot),
            )
            .hint("write a path such as data/counters.json"),
        );
    }
}

/// Whether a text has the form of a language tag (BCP 47 §2.1): a language of two or three letters,
/// or `x`, and subtags of up to eight letters and digits.
fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language = matches!(language.len(), 2 | 3) || language.eq_ignore_ascii_case("x");
    is_language
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Rejects slugs of terms that cannot be part of a route.
fn check_term_slugs(raw: &raw::Site, at: &At<'_>, report: &mut Report) {
    for (name, taxonomy) in &raw.taxonomies {
        for (term, slug) in &taxonomy.slugs {
            let is_valid = !slug.is_empty()
                && !slug.contains('/')
                && Route::parse(&format!("/{slug}/")).is_ok();
            if !is_valid {
                let message = format!("\"{slug}\" is invalid in a URL");
                report.push(
                    at.error(&["taxonomies", name, "slugs", term], message)
                        .hint("use letters, digits and hyphens"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_make_a_site() {
        let (config, report) = Config::parse(
            "title = 'A'\nbase_url = 'https://a.example/blog/'\n",
            &Overrides::default(),
        )
        .unwrap();
        assert!(report.is_empty());
        assert_eq!(config.base_url.prefix(), "/blog");
        assert_eq!(config.taxonomies.len(), 4);
    }

    #[test]
    fn missing_keys_hide_no_other_problem() {
        let report = Config::parse("timezone = 'Mars/Base'", &Overrides::default()).unwrap_err();
        assert_eq!(report.items().len(), 3, "{report:#?}");
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let text = "titel = 'A'\nbase_url = 'example.org'\ntimezone = 'Mars/Base'\n\
                    paginate_by = 'x'\ntitle = ''\n[permalinks]\nposts = '/{yaer}/'\n";
        let report = Config::parse(text, &Overrides::default()).unwrap_err();
        assert_eq!(report.items().len(), 6, "{report:#?}");
    }
}
