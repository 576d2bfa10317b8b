//! Reads files as text: UTF-8, without a byte order mark, with lines that end in `\n`.

use std::fs;
use std::path::Path;

use super::error::unreadable;
use crate::diag::Diagnostic;

/// Larger articles are rejected: they are a mistake, and their offsets do not fit into 32 bits.
const MAX_TEXT: u64 = 1 << 30;

pub(super) fn read_text(path: &Path, name: &str) -> Result<String, Diagnostic> {
    decode(read_bytes(path, name)?, name)
}

pub(super) fn read_bytes(path: &Path, name: &str) -> Result<Vec<u8>, Diagnostic> {
    let data = fs::metadata(path).map_err(|e| unreadable(name, &e))?;
    if !data.is_file() {
        return Err(Diagnostic::error("this is not a file").in_file(name));
    }
    let len = data.len();
    if len > MAX_TEXT {
        return Err(Diagnostic::error(format!("this file is larger than {} MiB", MAX_TEXT >> 20))
            .in_file(name));
    }
    fs::read(path).map_err(|e| unreadable(name, &e))
}

/// The text of a file of the site: `bytes` without a byte order mark, with lines that end in `\n`.
///
/// # Errors
/// When the bytes are not valid UTF-8; `name` is the file of the diagnostic.
pub fn decode(bytes: Vec<u8>, name: &str) -> Result<String, Diagnostic> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Diagnostic::error("this file is UTF-16, not UTF-8")
            .in_file(name)
            .hint("save it as UTF-8"));
    }
    let mut text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let byte = e.as_bytes()[at];
        // The replacement character that stands for the byte in a message takes three bytes.
        Diagnostic::error(format!("this file is not valid UTF-8: byte 0x{byte:02X}"))
            .in_file(name)
            .at(at..at + 3)
            .hint("save it as UTF-8")
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..3);
    }
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_line_ends_are_normalised() {
        assert_eq!(decode(b"\xEF\xBB\xBFa\r\nb\rc".to_vec(), "x").unwrap(), "a\nb\nc");
        let error = decode(b"ok\nb\xFFd".to_vec(), "x").unwrap_err();
        assert_eq!(error.span(), Some(4..7));
        assert!(decode(b"\xFF\xFEa\0".to_vec(), "x").unwrap_err().message.contains("UTF-16"));
    }
}
