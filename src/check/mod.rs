//! `folio check`: tells whether a site can be published. It writes to no output folder and changes
//! nothing of the site.
//!
//! Every file is rendered by a [`crate::session::DryRun`] and visited once ([`visit`]): a page's
//! HTML is read into [`facts`], checked by the rules about pages, and dropped. What rules about the
//! whole site need is kept in a [`page::PageSummary`], so that memory does not grow with the sum of
//! the pages. Findings become diagnostics in one report with what a build would report.
//!
//! A rule is one function in [`rules`], a line in its list, and a line in `config::checks`.

mod context;
#[cfg(feature = "external-links")]
mod external;
pub mod facts;
mod feed_file;
mod finding;
mod locate;
mod outcome;
mod page;
mod page_kind;
mod resolved_url;
pub mod rules;
mod run;
mod site;
mod sitemap_file;
mod visit;

pub use outcome::{CheckOutcome, LinkCounts, summary, write_json};
pub use run::{CheckOptions, run};
