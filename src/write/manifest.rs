//! The list of files that Folio made in an output folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::failed;
use crate::diag::Diagnostic;
use crate::memo::{self, Loaded, Mark, Prepared};
use crate::paths::OutPath;

/// Raised when the manifest's form changes.
const FORM: &str = "folio manifest 1";

/// What is known of a file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    pub hash: Mark,
    pub size: u64,
    /// Nanoseconds since the epoch, as the file system had it right after writing.
    pub modified: u64,
}

impl Written {
    pub(super) fn of(content: &[u8]) -> Self {
        Self { hash: Mark::of(content), size: content.len() as u64, modified: 0 }
    }
}

/// The files of an output folder.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub files: BTreeMap<OutPath, Written>,
}

impl Manifest {
    /// Reads a manifest; `None` when there is none, or none that can be believed.
    pub(super) fn read(path: &Path) -> Option<Self> {
        match memo::load(path, FORM) {
            Loaded::Whole(manifest) => Some(manifest),
            Loaded::Absent | Loaded::Foreign | Loaded::Damaged => None,
        }
    }

    /// Writes a manifest of these files beside its place; it is put there once the files stand.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub(super) fn prepare(path: &Path, files: BTreeMap<OutPath, Written>) -> Result<Prepared, Diagnostic> {
        memo::prepare(path, FORM, &Self { files }).map_err(|e| failed(path, "written", &e))
    }
}

/// Where the manifest of an output folder is kept.
pub(super) fn path(state: &Path, root: &Path, folder: &Path) -> PathBuf {
    let key = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned();
    state.join("outputs").join(format!("{}.manifest", &blake3::hash(key.as_bytes()).to_hex().as_str()[..16]))
}

/// When a file was last written, as its file system says; 0 when it does not.
pub(super) fn modified(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |data| time_of(&data))
}

/// As [`modified`], of what is known already.
pub(super) fn time_of(data: &fs::Metadata) -> u64 {
    let time = data.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    time.and_then(|t| u64::try_from(t.as_nanos()).ok()).unwrap_or(0)
}
