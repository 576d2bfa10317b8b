//! `[check]`: the level of each rule of `folio check`, and the limits that rules use.
//!
//! [`Checks`] is the only list of the rules' names and default levels. What each rule does is in
//! `check::rules`; a test checks that both lists agree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `folio check` fails.
    Error,
    /// The finding is reported, and `folio check` succeeds.
    Warning,
    /// The rule is not checked.
    Off,
}

/// Defines [`Checks`] from the rules' names and default levels.
macro_rules! checks {
    ($($(#[$doc:meta])* $field:ident $name:literal = $default:ident;)*) => {
        /// The levels of the rules of `folio check`, and the limits that they use.
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct Checks {
            $($(#[$doc])* #[serde(rename = $name)] pub $field: Level,)*
            /// The longest title in characters, without the site's name at its end.
            pub title_max: usize,
            /// The longest description in characters.
            pub description_max: usize,
            /// The heaviest page in kilobytes (of 1000 bytes), with the style sheets, scripts and
            /// images of the site that it loads.
            pub page_weight: usize,
            /// How links to other hosts are checked.
            pub external: ExternalChecks,
        }

        impl Checks {
            /// The names of all rules.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The level of a rule; `Off` for an unknown name.
            #[must_use]
            pub fn level(&self, rule: &str) -> Level {
                match rule {
                    $($name => self.$field,)*
                    _ => Level::Off,
                }
            }
        }

        impl Default for Checks {
            fn default() -> Self {
                Self {
                    $($field: Level::$default,)*
                    title_max: 60,
                    description_max: 160,
                    page_weight: 1000,
                    external: ExternalChecks::default(),
                }
            }
        }
    };
}

checks! {
    /// A link to a path of the site that does not exist.
    broken_link "broken-link" = Error;
    /// A link to an anchor that its target does not have.
    broken_fragment "broken-fragment" = Error;
    /// An image, style sheet, script or other file that a page needs and that does not exist.
    missing_asset "missing-asset" = Error;
    /// With `--external`: a link to another host that does not work.
    external_link "external-link" = Error;
    /// A page without a title.
    missing_title "missing-title" = Error;
    /// A title longer than `title_max`.
    long_title "long-title" = Warning;
    /// Two articles or sections with the same title.
    duplicate_title "duplicate-title" = Warning;
    /// An article or section without a description.
    missing_description "missing-description" = Warning;
    /// A description longer than `description_max`.
    long_description "long-description" = Warning;
    /// Two articles or sections with the same description.
    duplicate_description "duplicate-description" = Warning;
    /// A page without a language.
    missing_language "missing-language" = Error;
    /// An image without alternative text.
    image_without_alt "image-without-alt" = Error;
    /// An image without width and height, which shifts the page when it is loaded.
    image_without_size "image-without-size" = Warning;
    /// A heading more than one level below the one before it.
    skipped_heading "skipped-heading" = Warning;
    /// Two terms that differ in letter case, or as singular and plural.
    similar_term "similar-term" = Warning;
    /// An article or section that no page links to.
    orphan "orphan" = Warning;
    /// An ad slot without an ad on a site that is deployed.
    placeholder_ad "placeholder-ad" = Warning;
    /// A code block in a language without a grammar.
    unknown_language "unknown-language" = Warning;
    /// Structured data that is not valid JSON-LD, or lacks what its type needs.
    invalid_json_ld "invalid-json-ld" = Error;
    /// A feed that is not valid.
    invalid_feed "invalid-feed" = Error;
    /// A sitemap that is not valid, or lists what does not exist.
    invalid_sitemap "invalid-sitemap" = Error;
    /// A page heavier than `page_weight`.
    heavy_page "heavy-page" = Warning;
    /// A page served over https that loads something over http.
    mixed_content "mixed-content" = Error;
    /// A rule of `_redirects` that hides a page, or that a page or an alias hides.
    shadowed_alias "shadowed-alias" = Error;
}

/// How links to other hosts are checked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExternalChecks {
    /// URLs that are not checked; `*` stands for any text: `https://intranet.example/*`.
    pub allow: Vec<String>,
    /// How many seconds to wait for a response.
    pub timeout: u64,
    /// How often to retry after a failure that may be temporary.
    pub retries: u64,
    /// How many requests are made to one host at the same time.
    pub per_host: usize,
    /// For how many days a working link is not checked again; 0 checks it each time.
    pub cache_days: u64,
    /// Statuses that count as working, besides 200 to 299.
    pub accept: Vec<u16>,
}

impl Default for ExternalChecks {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            timeout: 20,
            retries: 2,
            per_host: 2,
            cache_days: 7,
            accept: Vec::new(),
        }
    }
}
