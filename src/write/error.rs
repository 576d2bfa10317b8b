//! Errors of files that cannot be written.

use std::io;
use std::path::Path;

use crate::diag::Diagnostic;
use crate::load::reason;

/// The error of a file that cannot be `verb`, such as "written".
pub(crate) fn write_error(path: &Path, verb: &str, error: &io::Error) -> Diagnostic {
    let d = Diagnostic::error(format!("`{}` cannot be {verb}: {}", path.display(), reason(error)));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            d.hint("the last build stays as it was; free some disk space and build again")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            d.hint("choose a folder that you may write to with --output")
        }
        io::ErrorKind::AlreadyExists => d.hint("choose another name"),
        _ => d,
    }
}
