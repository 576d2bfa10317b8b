//! The manifest: the files that Folio wrote to an output folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::error::write_error;
use crate::cache::{self, Fingerprint, LoadResult, PendingFile};
use crate::diag::Diagnostic;
use crate::paths::OutPath;

/// The version of the format.
const FORM: &str = "folio manifest 1";

/// What is known of a written file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    pub hash: Fingerprint,
    pub size: u64,
    /// When it was modified, in nanoseconds since the epoch, as the file system reported it after
    /// writing.
    pub modified: u64,
}

impl Written {
    pub(super) fn of(content: &[u8]) -> Self {
        Self { hash: Fingerprint::of(content), size: content.len() as u64, modified: 0 }
    }
}

/// The files of an output folder.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub files: BTreeMap<OutPath, Written>,
}

impl Manifest {
    /// Reads a manifest.
    pub(super) fn read(path: &Path) -> LoadResult<Self> {
        cache::load(path, FORM)
    }

    /// Writes a manifest under a temporary name; it replaces the old one when the files are in
    /// place.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub(super) fn prepare(
        path: &Path,
        files: BTreeMap<OutPath, Written>,
    ) -> Result<PendingFile, Diagnostic> {
        cache::prepare(path, FORM, &Self { files }).map_err(|e| write_error(path, "written", &e))
    }
}

/// The path of the manifest of an output folder.
pub(super) fn path(state: &Path, root: &Path, folder: &Path) -> PathBuf {
    let key = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned();
    state
        .join("outputs")
        .join(format!("{}.manifest", &blake3::hash(key.as_bytes()).to_hex().as_str()[..16]))
}

/// When a file was last modified, in nanoseconds since the epoch; 0 when that is not known.
pub(super) fn modified(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |data| time_of(&data))
}

/// As [`modified`], from metadata that was read already.
pub(super) fn time_of(data: &fs::Metadata) -> u64 {
    let time = data.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    time.and_then(|t| u64::try_from(t.as_nanos()).ok()).unwrap_or(0)
}
