//! What a live site scans for changes.

use std::collections::BTreeSet;

use crate::paths::SourcePath;

/// Where something may have changed. It limits what is rescanned; fingerprints of the content
/// decide what has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanScope {
    Everything,
    /// At and below these paths. Each lies in one of the site's folders, or is a file that the site
    /// reads beside them.
    Paths(BTreeSet<SourcePath>),
}
