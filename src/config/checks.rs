//! `[check]`: how bad each finding of `folio check` is, and the limits that rules measure with.
//!
//! The table of [`Checks`] is the one list of the rules' names and default levels; what each rule does is in
//! `check::rules`, and a test holds the two together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The site may not go out.
    Error,
    /// It is told, and the site may go out.
    Warning,
    /// It is not told.
    Off,
}

/// Makes the table of `[check]` of the rules' names and default levels.
macro_rules! checks {
    ($($(#[$doc:meta])* $field:ident $name:literal = $default:ident;)*) => {
        /// The rules of `folio check` with their levels, and the limits that they measure with.
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct Checks {
            $($(#[$doc])* #[serde(rename = $name)] pub $field: Level,)*
            /// The most characters of a title, without the site's name at its end.
            pub title_max: usize,
            /// The most characters of a description.
            pub description_max: usize,
            /// The most kilobytes (of 1000 bytes) of a page with the style sheets, scripts and images of the site that it
            /// shows.
            pub page_weight: usize,
            /// How links to other hosts are looked at.
            pub external: ExternalChecks,
        }

        impl Checks {
            /// Every rule's name.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The level of a rule; off for a name that is none.
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
    /// A link to a path of the site that nothing answers at.
    broken_link "broken-link" = Error;
    /// A link to a part of a page that the page does not have.
    broken_fragment "broken-fragment" = Error;
    /// An image, style sheet, script or other file of the site that a page needs and nothing makes.
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
    /// A page that does not say what language it is in.
    missing_language "missing-language" = Error;
    /// An image without a text that stands for it.
    image_without_alt "image-without-alt" = Error;
    /// An image without width and height, which moves the text when it comes.
    image_without_size "image-without-size" = Warning;
    /// A heading more than one level below the one before it.
    skipped_heading "skipped-heading" = Warning;
    /// An article or section that no page links to.
    orphan "orphan" = Warning;
    /// Code in a language that has no grammar.
    unknown_language "unknown-language" = Warning;
    /// Structured data that is no JSON-LD, or lacks what its type needs.
    invalid_json_ld "invalid-json-ld" = Error;
    /// A feed that feed readers cannot read.
    invalid_feed "invalid-feed" = Error;
    /// A sitemap that cannot be read, or that lists what is not there.
    invalid_sitemap "invalid-sitemap" = Error;
    /// A page heavier than `page_weight`.
    heavy_page "heavy-page" = Warning;
    /// A secure page that loads something over plain http.
    mixed_content "mixed-content" = Error;
    /// A line of `_redirects` that hides a page, or that a page or an alias hides.
    shadowed_alias "shadowed-alias" = Error;
}

/// How links to other hosts are looked at.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExternalChecks {
    /// Addresses that are not looked at; `*` stands for anything: `https://intranet.example/*`.
    pub allow: Vec<String>,
    /// Seconds to wait for an answer.
    pub timeout: u64,
    /// How often to try again.
    pub retries: u64,
    /// Requests to one host at the same time.
    pub per_host: usize,
    /// Days that a link which works is not looked at again; 0 looks each time.
    pub cache_days: u64,
    /// Statuses that count as working, besides those from 200 to 299.
    pub accept: Vec<u16>,
}

impl Default for ExternalChecks {
    fn default() -> Self {
        Self { allow: Vec::new(), timeout: 20, retries: 2, per_host: 2, cache_days: 7, accept: Vec::new() }
    }
}
