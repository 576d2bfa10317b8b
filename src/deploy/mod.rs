//! `folio deploy`: uploads the built site, only what differs, in an order in which no page is ever
//! published without what it needs.
//!
//! ```text
//! output folder → files::list → LocalFiles ┐
//! host → RemoteState ──────────────────────┴→ Difference → publish (or an AtomicHost) → verify
//! ```
//!
//! [`difference`] and [`headers`] are pure. [`hosts`] has one file per kind of host; only these
//! know how to reach it, through the traits in [`file_host`]. What a host returns is verified
//! before it is used ([`manifest`]). Nothing here changes the output folder.

mod conflicts;
mod difference;
mod error;
mod file_host;
mod files;
mod headers;
mod hosts;
mod index_now;
mod lock;
pub mod manifest;
#[cfg(test)]
mod memory_host;
mod options;
mod publish;
mod redirects;
mod releases;
mod remote_state;
mod reporter;
mod rollback;
mod run;
mod summary;
mod verify;
mod worker_pool;

pub use error::DeployError;
pub use options::{Action, DeployOptions};
pub use reporter::Reporter;
pub use run::run;
pub use summary::{Outcome, Summary};
