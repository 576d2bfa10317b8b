//! What each file of the output was rendered from, and whether it is still up to date.
//!
//! The method is that of verifying traces with early cut-off (Mokhov, Mitchell and Peyton Jones,
//! "Build Systems à la Carte", section 4.2.2): a file is up to date while each of its
//! [`Dependency`]s has the fingerprint it had, and each call that its templates made returns what
//! it returned. A [`DependencyTracker`] computes the dependencies of a job; [`Records`] store those
//! of a whole output; [`UpToDateCheck`] compares the two.
//!
//! This module alone knows what a job depends on. It calls `render` for views and results of
//! functions; `render` knows nothing of it. Values that templates receive are fingerprinted as a
//! whole, or by patterns that name every field, so that a new field cannot be forgotten.

mod dependency;
mod job;
mod reason;
mod records;
mod templates;

pub use dependency::{ContentFingerprints, Dependencies, Dependency, path_fingerprint};

pub use job::DependencyTracker;
pub use reason::{Reason, ReasonContext};
pub use records::{Recorder, Records, RecordsHeader, UpToDateCheck, is_up_to_date};
pub use templates::TemplateClosures;
