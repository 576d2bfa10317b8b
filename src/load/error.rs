//! Errors of files that cannot be read.

use std::io;

use crate::diag::Diagnostic;

pub(super) fn unreadable(file: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("this cannot be read: {}", reason(error))).in_file(file)
}

/// The reason of an I/O error, without the number of the operating system.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
