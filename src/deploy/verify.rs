//! Verifies what was uploaded by reading it back.

use super::error::{HostError, retry};
use super::file_host::FileHost;
use super::files::{LocalFile, hash};
use super::manifest::{MANIFEST, MAX_MANIFEST};

/// How many files are read back.
const SAMPLE: usize = 8;
/// The largest file that is read back, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Reads a sample of the files back, compares them, and returns how many there were.
///
/// # Errors
/// The path of a file that differs or cannot be read, and why.
pub fn verify_files(
    host: &dyn FileHost,
    sent: &[&LocalFile],
) -> Result<usize, (String, HostError)> {
    let small: Vec<&&LocalFile> = sent.iter().filter(|f| f.entry.size <= MAX_FILE).collect();
    let sample: Vec<&&LocalFile> =
        small.iter().step_by(small.len().div_ceil(SAMPLE).max(1)).copied().collect();
    for file in &sample {
        let path = file.path.as_str();
        let bytes = retry(|| host.read(path, MAX_FILE)).map_err(|e| (path.to_owned(), e))?;
        if bytes.is_none_or(|bytes| hash(&bytes) != file.entry.hash) {
            let error = HostError::other(format!("`{path}` differs from what was sent"));
            return Err((path.to_owned(), error));
        }
    }
    Ok(sample.len())
}

/// Reads the manifest back and compares it.
///
/// # Errors
/// When it differs or cannot be read.
pub fn verify_manifest(host: &dyn FileHost, manifest: &[u8]) -> Result<(), HostError> {
    match retry(|| host.read(MANIFEST, MAX_MANIFEST))? {
        Some(bytes) if bytes == manifest => Ok(()),
        _ => Err(HostError::other(format!(
            "{MANIFEST} differs from what was sent; is somebody else deploying to this host?"
        ))),
    }
}
