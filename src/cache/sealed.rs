//! A file that holds one value behind a header: a magic number, the hash of the writer's version
//! and a checksum over the value.
//!
//! Values go in and come out through serde and postcard. A file that fails verification is reported
//! as such and never deserialised.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The result of reading a sealed file.
#[derive(Debug, PartialEq, Eq)]
pub enum LoadResult<T> {
    /// The file is intact.
    Valid(T),
    /// There is no such file.
    Missing,
    /// Another version of the program wrote it.
    OtherVersion,
    /// Its content is not what was written.
    Damaged,
}

const MAGIC: &[u8; 8] = b"folio\0\0\x01";
const HASH: usize = 32;

/// Reads a sealed file. `version` names the program and format that the value depends on.
#[must_use]
pub fn load<T: DeserializeOwned>(path: &Path, version: &str) -> LoadResult<T> {
    let Ok(bytes) = fs::read(path) else { return LoadResult::Missing };
    let Some((seal, body)) = bytes.split_at_checked(MAGIC.len() + 2 * HASH) else {
        return LoadResult::Damaged;
    };
    if &seal[..MAGIC.len()] != MAGIC {
        return LoadResult::Damaged;
    }
    if seal[MAGIC.len()..MAGIC.len() + HASH] != *blake3::hash(version.as_bytes()).as_bytes() {
        return LoadResult::OtherVersion;
    }
    if seal[MAGIC.len() + HASH..] != *blake3::hash(body).as_bytes() {
        return LoadResult::Damaged;
    }
    postcard::from_bytes(body).map_or(LoadResult::Damaged, LoadResult::Valid)
}

/// Writes a sealed file atomically.
///
/// # Errors
/// When the folder cannot be written to.
pub fn save<T: Serialize>(path: &Path, version: &str, value: &T) -> io::Result<()> {
    prepare(path, version, value)?.commit()
}

/// A sealed file that is complete but does not have its final name yet.
#[derive(Debug)]
pub struct PendingFile {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl PendingFile {
    /// Gives the file its final name, replacing the old one atomically.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn commit(self) -> io::Result<()> {
        self.file.persist(&self.path).map(|_| ()).map_err(|e| e.error)
    }
}

/// Writes a sealed file under a temporary name beside its final one.
///
/// # Errors
/// When the folder cannot be written to.
pub fn prepare<T: Serialize>(path: &Path, version: &str, value: &T) -> io::Result<PendingFile> {
    let body = postcard::to_stdvec(value).map_err(io::Error::other)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(blake3::hash(version.as_bytes()).as_bytes())?;
    file.write_all(blake3::hash(&body).as_bytes())?;
    file.write_all(&body)?;
    Ok(PendingFile { file, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_intact_files_of_the_same_version_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/value");
        assert_eq!(load::<Vec<u32>>(&path, "x"), LoadResult::Missing);
        save(&path, "x", &vec![1u32, 2, 3]).unwrap();
        assert_eq!(load(&path, "x"), LoadResult::Valid(vec![1u32, 2, 3]));
        assert_eq!(load::<Vec<u32>>(&path, "y"), LoadResult::OtherVersion);
        let whole = fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(!matches!(load::<Vec<u32>>(&path, "x"), LoadResult::Valid(_)), "byte {i}");
            fs::write(&path, &whole[..i]).unwrap();
            assert!(!matches!(load::<Vec<u32>>(&path, "x"), LoadResult::Valid(_)), "cut at {i}");
        }
    }
}
