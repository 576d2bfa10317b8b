//! What to deploy, where to, and how.

use crate::build::BuildOptions;

/// What to deploy, where to, and how.
#[derive(Clone, Debug)]
pub struct DeployOptions {
    pub build: BuildOptions,
    /// The name of a table below `[deploy]`; the only one there is unless given.
    pub target: Option<String>,
    pub action: Action,
    /// Whether every file is sent again, also over files that Folio did not put there and over the
    /// lock of another deploy.
    pub force: bool,
    /// Whether many deletions are confirmed in advance.
    pub assume_yes: bool,
    /// Seconds since the epoch, which decide how long old files are retained.
    pub now: i64,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Deploy,
    /// Only report what a deploy would do.
    Plan,
    /// Publish the deploy before the last one again.
    RollBack,
}
