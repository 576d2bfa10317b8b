//! What rendering reads from outside of the plan.

use std::fs::File;

use crate::cache::Fingerprint;
use crate::diag::Diagnostic;
use crate::parse::Body;
use crate::paths::SourcePath;
use crate::plan::Node;

/// What rendering reads besides the plan.
pub trait Inputs: Send + Sync {
    /// The parsed body of an article or of a section's `_index.md`.
    ///
    /// # Errors
    /// When it cannot be read.
    fn body(&self, node: Node) -> Result<Body, Diagnostic>;

    /// The bytes of a file of the site; `None` when there is no such file.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic>;

    /// Opens a file of the site for copying it; `None` when there is no such file.
    ///
    /// # Errors
    /// When it exists and cannot be opened.
    fn open_file(&self, path: &SourcePath) -> Result<Option<File>, Diagnostic>;

    /// Tells that a file was found to have this content.
    fn found(&self, path: &SourcePath, fingerprint: Fingerprint);

    /// The width and height of an image of the site in pixels; `None` when it is not an image of a
    /// known kind.
    fn image_size(&self, path: &SourcePath) -> Option<(usize, usize)>;

    /// The fingerprint of a file's content, for URLs that change with it; `None` when there is no
    /// such file.
    fn file_fingerprint(&self, path: &SourcePath) -> Option<Fingerprint>;
}
