//! Single files that are not part of an output.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::failed;
use crate::diag::Diagnostic;

/// Writes a file that must not be there yet, with the folders around it.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn create(path: &Path, content: &str) -> Result<(), Diagnostic> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| failed(folder, "made", &e))?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| failed(path, "written", &e))?;
    file.write_all(content.as_bytes()).map_err(|e| failed(path, "written", &e))
}

/// Whether a folder is there and has anything in it.
#[must_use]
pub fn is_filled(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) => e.kind() != io::ErrorKind::NotFound,
    }
}
