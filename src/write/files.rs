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
