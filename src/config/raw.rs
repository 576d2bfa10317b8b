//! The types that `site.toml` is written in. The JSON Schema under `schemas/` is generated from them, so a
//! doc comment here is what an editor shows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The settings of a Folio site.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Site {
    /// The site's name.
    pub title: String,
    /// The address it is published under, with a path prefix if there is one.
    pub base_url: String,
    #[serde(default)]
    pub description: String,
    /// The language of the texts, as a BCP 47 tag.
    #[serde(default = "language")]
    pub language: String,
    /// The time zone that dates without an offset are in (IANA name).
    #[serde(default = "timezone")]
    pub timezone: String,
    /// How many articles a page of a list shows, where nothing nearer says otherwise; 0 for all.
    #[serde(default = "paginate_by")]
    pub paginate_by: usize,
    /// The author of articles that name none.
    #[serde(default)]
    pub author: Author,
    #[serde(default)]
    pub menu: Menu,
    /// Section → pattern of its articles' addresses: `/{section}/{slug}/`; also {year} {month} {day} {category}.
    #[serde(default)]
    pub permalinks: BTreeMap<String, String>,
    /// category, tag, author and series are always there; others by name.
    #[serde(default)]
    pub taxonomies: BTreeMap<String, Taxonomy>,
    #[serde(default)]
    pub feeds: Feeds,
    #[serde(default)]
    pub markdown: Markdown,
    #[serde(default)]
    pub highlight: Highlight,
    /// The line of facts under an article's title.
    #[serde(default)]
    pub article: Article,
    #[serde(default)]
    pub ads: Ads,
    #[serde(default)]
    pub comments: Comments,
    #[serde(default)]
    pub counters: Counters,
    /// Where `folio deploy` takes the site, by name.
    #[serde(default)]
    pub deploy: BTreeMap<String, super::deploy::Raw>,
    /// The rules of `folio check`.
    #[serde(default)]
    pub check: super::Checks,
    /// Anything your templates want, as `site.extra`.
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

/// A person who writes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Author {
    pub name: String,
    pub url: String,
}

/// The links in the head and the foot of every page.
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

/// A way of grouping articles.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Taxonomy {
    /// Articles on a page of a term; 0 for all.
    pub paginate_by: Option<usize>,
    /// The name of its address: `/tags/` for `tag`.
    pub slug: Option<String>,
    /// Whether each term has feeds of its own (categories do unless told).
    pub feed: Option<bool>,
    /// Whether it has pages at all.
    pub render: bool,
}

impl Default for Taxonomy {
    fn default() -> Self {
        Self { paginate_by: None, slug: None, feed: None, render: true }
    }
}

/// Feeds of the site and of each category.
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
        Self { formats: vec![FeedFormat::Atom, FeedFormat::Rss, FeedFormat::Json], limit: 20, content: FeedContent::Full }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
    /// Straight quotes become curly ones, `--` a dash.
    pub smart_punctuation: bool,
    /// `$x$` and `$$x$$` become MathML.
    pub math: bool,
    /// A link beside each heading that leads to it.
    pub heading_anchors: bool,
    /// Whether headings move down a level where the body has level-one headings of its own.
    pub heading_shift: HeadingShift,
    pub external_links: ExternalLinks,
    /// What becomes of HTML in Markdown.
    pub unsafe_html: UnsafeHtml,
    /// How bad a link to an article that is not there is.
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

/// Attributes of links that lead to other hosts.
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
    /// Tags are left out, text stays.
    Strip,
    /// It is an error.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BrokenLinks {
    Error,
    Warn,
}

/// How code is coloured.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Highlight {
    /// The theme for light pages.
    pub light: String,
    /// The theme for dark pages.
    pub dark: String,
    /// Line numbers where a fence does not say otherwise.
    pub line_numbers: bool,
}

impl Default for Highlight {
    fn default() -> Self {
        Self { light: "InspiredGitHub".into(), dark: "TwoDark".into(), line_numbers: false }
    }
}

/// The line of facts under an article's title.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Article {
    /// How dates are shown (strftime): "%B %Y" gives June 2026.
    pub date_format: String,
    /// Reading speed, for the reading time.
    pub words_per_minute: usize,
    /// How many related articles are offered.
    pub related: usize,
}

impl Default for Article {
    fn default() -> Self {
        Self { date_format: "%B %Y".into(), words_per_minute: 200, related: 3 }
    }
}

/// Advertising.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ads {
    pub provider: AdProvider,
    /// What stands above each ad.
    pub label: String,
    /// Where your advertising policy is.
    pub policy: String,
    /// Lines of `ads.txt`.
    pub ads_txt: Vec<String>,
    /// The share of an article that ads may take before `check` warns.
    pub max_density: f64,
    /// How consent is asked for.
    pub consent: String,
    /// Hosts whose links are marked as sponsored.
    pub affiliate_hosts: Vec<String>,
    /// The places that ads stand in, by name.
    pub slots: BTreeMap<String, Slot>,
}

impl Default for Ads {
    fn default() -> Self {
        Self {
            provider: AdProvider::Placeholder,
            label: "Advertisement".into(),
            policy: String::new(),
            ads_txt: Vec::new(),
            max_density: 0.30,
            consent: String::new(),
            affiliate_hosts: Vec::new(),
            slots: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AdProvider {
    Placeholder,
    Adsense,
    Gpt,
    Ethicalads,
    Carbon,
    House,
    Html,
}

/// A named place for an ad.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    pub place: SlotPlace,
    /// Sizes that an ad may have, "300x250".
    #[serde(default)]
    pub sizes: Vec<String>,
    /// For in-content slots: not before this many words.
    #[serde(default)]
    pub after_words: Option<usize>,
    /// For in-content slots: then again after this many.
    #[serde(default)]
    pub every_words: Option<usize>,
    /// For in-content slots: at most this many on a page.
    #[serde(default)]
    pub max: Option<usize>,
    #[serde(default)]
    pub lazy: bool,
}

/// Width and height in CSS pixels of a size written as "300x250".
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
    pub provider: CommentProvider,
    /// Whether articles that do not say show the section.
    pub show: bool,
    pub heading: String,
    pub tagline: String,
    pub prompt: String,
    /// What stands where there are no comments.
    pub empty: String,
    pub empty_hint: String,
    /// When a provider is loaded: "click" or "visible".
    pub load: Option<Load>,
    pub giscus: ProviderTable,
    pub utterances: ProviderTable,
    pub disqus: ProviderTable,
    pub isso: ProviderTable,
    pub remark42: ProviderTable,
    pub cusdis: ProviderTable,
    pub mastodon: ProviderTable,
}

/// A provider's own settings.
pub type ProviderTable = BTreeMap<String, Value>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    Click,
    Visible,
}

impl Default for Comments {
    fn default() -> Self {
        Self {
            provider: CommentProvider::None,
            show: true,
            heading: "Comments".into(),
            tagline: "Join the discussion and tell us what you think.".into(),
            prompt: "Have something to add?".into(),
            empty: "No comments yet".into(),
            empty_hint: "Be the first to share your thoughts.".into(),
            load: None,
            giscus: ProviderTable::new(),
            utterances: ProviderTable::new(),
            disqus: ProviderTable::new(),
            isso: ProviderTable::new(),
            remark42: ProviderTable::new(),
            cusdis: ProviderTable::new(),
            mastodon: ProviderTable::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CommentProvider {
    None,
    Giscus,
    Utterances,
    Disqus,
    Isso,
    Remark42,
    Cusdis,
    Mastodon,
    Static,
}

/// Views and hearts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counters {
    pub provider: CounterProvider,
    /// A JSON file: route → {views, hearts}.
    pub snapshot: String,
}

impl Default for Counters {
    fn default() -> Self {
        Self { provider: CounterProvider::None, snapshot: "data/counters.json".into() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CounterProvider {
    None,
    Goatcounter,
    Umami,
    Endpoint,
}

/// The order of a section's articles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortBy {
    /// Newest first.
    #[default]
    Date,
    /// By title.
    Title,
    /// Lightest first.
    Weight,
}
