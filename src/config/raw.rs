//! The types of `site.toml`. The JSON Schema under `schemas/` is generated from them, so editors
//! show these doc comments.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The settings of a Folio site.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Site {
    /// The name of the site.
    pub title: String,
    /// The URL that the site is published under, with a path prefix if it has one.
    pub base_url: String,
    #[serde(default)]
    pub description: String,
    /// The language of the site, as a BCP 47 tag.
    #[serde(default = "language")]
    pub language: String,
    /// The time zone of dates without an offset (IANA name).
    #[serde(default = "timezone")]
    pub timezone: String,
    /// How many articles a page of a list shows, unless a section or taxonomy sets it; 0 for all.
    #[serde(default = "paginate_by")]
    pub paginate_by: usize,
    /// The author of articles that name none.
    #[serde(default)]
    pub author: Author,
    #[serde(default)]
    pub menu: Menu,
    /// Section → pattern of the routes of its articles, such as `/{section}/{slug}/`; also {title}
    /// {year} {month} {day} {category}.
    #[serde(default)]
    pub permalinks: BTreeMap<String, String>,
    /// The taxonomies category, tag, author and series always exist; define others by name.
    #[serde(default)]
    pub taxonomies: BTreeMap<String, Taxonomy>,
    #[serde(default)]
    pub feeds: Feeds,
    #[serde(default)]
    pub markdown: Markdown,
    #[serde(default)]
    pub highlight: Highlight,
    #[serde(default)]
    pub slugs: Slugs,
    /// The meta line under the title of an article.
    #[serde(default)]
    pub article: Article,
    #[serde(default)]
    pub ads: Ads,
    /// The comments section. Articles have it when this table is there.
    #[serde(default = "Comments::hidden")]
    pub comments: Comments,
    #[serde(default)]
    pub counters: Counters,
    /// The deploy targets of `folio deploy`, by name.
    #[serde(default)]
    pub deploy: BTreeMap<String, super::deploy::Raw>,
    /// The rules of `folio check`.
    #[serde(default)]
    pub check: super::checks::Checks,
    /// Any values for your templates, as `site.extra`.
    #[serde(default)]
    pub extra: BTreeMap<String, Value>,
}

fn language() -> String {
    "en".into()
}

fn timezone() -> String {
    "UTC".into()
}

fn paginate_by() -> usize {
    20
}

/// An author.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Author {
    pub name: String,
    pub url: String,
}

/// The links in the header and the footer of every page.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Menu {
    pub main: Vec<MenuItem>,
    pub footer: Vec<MenuItem>,
}

/// A link of a menu.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MenuItem {
    pub name: String,
    /// A route of the site (`/about/`) or a whole URL.
    pub url: String,
}

/// A taxonomy, which groups articles.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Taxonomy {
    /// How many articles a page of a term shows; 0 for all.
    pub paginate_by: Option<usize>,
    /// The first part of its routes: `/tags/` for `tag`.
    pub slug: Option<String>,
    /// Term → the last part of its route, instead of the one made from its name.
    pub slugs: BTreeMap<String, String>,
    /// Whether each term has its own feeds (categories have them by default).
    pub feed: Option<bool>,
    /// Whether it has pages.
    pub render: bool,
}

impl Default for Taxonomy {
    fn default() -> Self {
        Self { paginate_by: None, slug: None, slugs: BTreeMap::new(), feed: None, render: true }
    }
}

/// The feeds of the site and of each category.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Feeds {
    pub formats: Vec<FeedFormat>,
    /// How many articles a feed holds.
    pub limit: usize,
    pub content: FeedContent,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            formats: vec![FeedFormat::Atom, FeedFormat::Rss, FeedFormat::Json],
            limit: 20,
            content: FeedContent::Full,
        }
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FeedFormat {
    Atom,
    Rss,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedContent {
    Full,
    Summary,
}

/// How Markdown is read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Markdown {
    /// Whether straight quotes become curly ones, and `--` a dash.
    pub smart_punctuation: bool,
    /// Whether `$x$` and `$$x$$` become MathML.
    pub math: bool,
    /// Whether each heading has a link to itself.
    pub heading_anchors: bool,
    /// Whether headings are shifted down a level when the text has level-one headings of its own.
    pub heading_shift: HeadingShift,
    pub external_links: ExternalLinks,
    /// What happens to HTML in Markdown.
    pub unsafe_html: UnsafeHtml,
    /// Whether the syntax of other tools in Markdown is reported.
    pub foreign_syntax: ForeignSyntax,
    /// Whether a link to an article that does not exist is an error or a warning.
    pub broken_links: BrokenLinks,
}

impl Default for Markdown {
    fn default() -> Self {
        Self {
            smart_punctuation: false,
            math: false,
            heading_anchors: true,
            heading_shift: HeadingShift::Auto,
            external_links: ExternalLinks::default(),
            unsafe_html: UnsafeHtml::Allow,
            foreign_syntax: ForeignSyntax::Warn,
            broken_links: BrokenLinks::Error,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeadingShift {
    Auto,
    Off,
}

/// The attributes of links to other hosts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExternalLinks {
    /// For example "noopener".
    pub rel: String,
    /// For example "_blank".
    pub target: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnsafeHtml {
    /// It is kept.
    Allow,
    /// Its tags are removed, and its text is kept.
    Strip,
    /// It is an error.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForeignSyntax {
    /// One warning for each kind of syntax in each article.
    Warn,
    /// It is shown as text without a warning.
    Ignore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BrokenLinks {
    Error,
    Warn,
}

/// How the names of articles, sections, headings and terms become parts of URLs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Slugs {
    /// Whether letters of other scripts are written in Latin letters.
    pub ascii: bool,
}

/// Syntax highlighting.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Highlight {
    /// The theme for light mode.
    pub light: String,
    /// The theme for dark mode.
    pub dark: String,
    /// Whether code blocks have line numbers by default.
    pub line_numbers: bool,
}

impl Default for Highlight {
    fn default() -> Self {
        Self { light: "InspiredGitHub".into(), dark: "TwoDark".into(), line_numbers: false }
    }
}

/// The meta line under the title of an article.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Article {
    /// The format of dates: month, day, short, medium, long, full, or a pattern of strftime.
    pub date_format: String,
    /// The reading speed, for the reading time.
    pub words_per_minute: usize,
    /// How many related articles an article shows.
    pub related: usize,
}

impl Default for Article {
    fn default() -> Self {
        Self { date_format: "month".into(), words_per_minute: 200, related: 3 }
    }
}

/// Advertising.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ads {
    /// The text above each ad [default: "Advertisement" in the language of the site].
    pub label: Option<String>,
    /// The URL of your advertising policy.
    pub policy: String,
    /// The lines of `ads.txt`.
    pub ads_txt: Vec<String>,
    /// Hosts whose links are marked as sponsored.
    pub affiliate_hosts: Vec<String>,
    /// The ad slots, by name.
    pub slots: BTreeMap<String, Slot>,
}

/// A named place for an ad.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    pub place: SlotPlace,
    /// The sizes of an ad, such as "300x250".
    #[serde(default)]
    pub sizes: Vec<String>,
    /// For in-content slots: after how many words the first ad is placed.
    #[serde(default)]
    pub after_words: Option<usize>,
    /// For in-content slots: after how many further words the next one is placed.
    #[serde(default)]
    pub every_words: Option<usize>,
    /// For in-content slots: how many ads a page has at most.
    #[serde(default)]
    pub max: Option<usize>,
}

/// The width and height in CSS pixels of a size such as "300x250".
#[must_use]
pub fn ad_size(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once(['x', '×'])?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SlotPlace {
    BeforeContent,
    AfterContent,
    InContent,
    Manual,
    Sidebar,
}

/// The comments section.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Comments {
    /// Whether articles have the section by default.
    pub show: bool,
    /// The texts of the section; without them it has those of the site's language.
    pub heading: Option<String>,
    pub tagline: Option<String>,
    pub prompt: Option<String>,
    /// The text in an empty section.
    pub empty: Option<String>,
    pub empty_hint: Option<String>,
}

impl Comments {
    /// The comments of a site that does not configure any.
    fn hidden() -> Self {
        Self { show: false, ..Self::default() }
    }
}

impl Default for Comments {
    fn default() -> Self {
        Self {
            show: true,
            heading: None,
            tagline: None,
            prompt: None,
            empty: None,
            empty_hint: None,
        }
    }
}

/// Views and hearts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counters {
    /// The path of a JSON file: route → {views, hearts}.
    pub snapshot: String,
}

impl Default for Counters {
    fn default() -> Self {
        Self { snapshot: "data/counters.json".into() }
    }
}

/// How the articles of a section are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// Newest first.
    #[default]
    Date,
    /// By title.
    Title,
    /// By weight, smallest first.
    Weight,
    /// By the date of the last change, newest first.
    UpdateDate,
    /// By the last part of the route.
    Slug,
    /// By the whole route.
    Permalink,
    /// By the path of the file.
    None,
}
