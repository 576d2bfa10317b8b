//! Single files outside of an output folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::error::write_error;
use crate::diag::Diagnostic;

/// Creates a file that must not exist yet, with its parent folders.
///
/// # Errors
/// When it exists, or cannot be written.
pub fn create(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Diagnostic> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| write_error(folder, "made", &e))?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|e| write_error(path, "written", &e))?;
    file.write_all(content.as_ref()).map_err(|e| write_error(path, "written", &e))
}

/// Whether a folder exists and is not empty.
#[must_use]
pub fn is_filled(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) => e.kind() != io::ErrorKind::NotFound,
    }
}

/// The names of what a folder contains, sorted; none when it cannot be read.
#[must_use]
pub fn entries(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> =
        found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

/// The paths of all files below a folder, relative to it and with `/`, sorted. Symbolic links count
/// as files.
#[must_use]
pub(super) fn below(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = entries.filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir());
    files
        .filter_map(|entry| {
            let relative = entry.path().strip_prefix(folder).ok()?;
            let parts = relative.components().map(|c| c.as_os_str().to_string_lossy());
            Some(parts.collect::<Vec<_>>().join("/"))
        })
        .collect()
}
