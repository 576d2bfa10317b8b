//! What one build keeps for the next, in files under `.folio/`.
//!
//! A [`Fingerprint`] tells whether content has changed. A [`Pack`] stores blobs, and a sealed file
//! ([`save`], [`load`]) stores one value. Both are verified when they are read: a flipped byte, a
//! truncated file or one written by another version counts as missing. Sealed files are replaced
//! atomically. A pack only grows, and nothing refers to what a killed process appended to it.
//!
//! This module must not know any stage: it stores bytes and values that others define.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

mod fingerprint;
mod pack;
mod sealed;

use std::fs;
use std::path::Path;

use crate::diag::Diagnostic;

pub use fingerprint::{Fingerprint, FingerprintHasher};
pub use pack::{Handle, Pack};
pub use sealed::{LoadResult, PendingFile, load, prepare, save};

/// The warning about a cache that fails verification.
#[must_use]
pub fn damaged_warning() -> Diagnostic {
    Diagnostic::warning("the cache under .folio/ is damaged; everything was built from scratch")
}

/// Deletes the files in `folder` whose names start with `prefix`, except the one called `name`.
pub fn keep_only(folder: &Path, prefix: &str, name: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.file_name();
        if other.to_str().is_some_and(|n| n.starts_with(prefix) && n != name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
