//! A limit on what is read from a host.

use crate::deploy::error::HostError;

/// The bytes of a file, if there are at most `limit`.
///
/// # Errors
/// When there are more, which no file of Folio's has.
pub(super) fn within(path: &str, bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, HostError> {
    if bytes.len() as u64 > limit {
        return Err(HostError::other(format!("`{path}` is larger than {limit} bytes")));
    }
    Ok(bytes)
}
