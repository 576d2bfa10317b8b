//! What a job can depend on.

use serde::{Deserialize, Serialize};

use crate::cache::Fingerprint;
use crate::paths::SourcePath;
use crate::plan::Node;

/// One thing that a job is rendered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dependency {
    /// Its template, with everything that this extends, includes and calls.
    Template,
    /// The configuration that every page can see.
    Site,
    /// The values that its template receives, except rendered text and cards.
    View,
    /// The parsed document of its article: front matter, outline, links and component calls.
    Document,
    /// The text of its article.
    Body,
    /// The URLs that the links of its text resolve to.
    Links,
    /// The card of an article, identified by the fingerprint of the article's path.
    Card(Fingerprint),
    /// A whole article, identified likewise.
    Article(Fingerprint),
    /// The content of a file that is copied.
    File,
}

/// The dependencies of a job with their fingerprints, in a fixed order.
pub type Dependencies = Vec<(Dependency, Fingerprint)>;

/// Fingerprints of what the site's files contain.
pub trait ContentFingerprints: Send + Sync {
    /// The fingerprint of a parsed document.
    fn document(&self, node: Node) -> Fingerprint;

    /// The fingerprint of a parsed body.
    fn body(&self, node: Node) -> Fingerprint;

    /// The fingerprint of a file that is not an article; `None` when there is no such file.
    fn file(&self, path: &SourcePath) -> Option<Fingerprint>;
}

/// The fingerprint that identifies an article in a [`Dependency`].
#[must_use]
pub fn path_fingerprint(path: &SourcePath) -> Fingerprint {
    Fingerprint::of(path.as_str().as_bytes())
}
