//! A file that holds one value, with a seal: which program wrote it, and a checksum over all of it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a sealed file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Loaded<T> {
    Whole(T),
    /// There is none.
    Absent,
    /// Another program, or another version of this one, wrote it.
    Foreign,
    /// It is not what was written.
    Damaged,
}

const MAGIC: &[u8; 8] = b"folio\0\0\x01";
const HASH: usize = 32;

/// Reads a sealed file. `stamp` names the program and whatever else the value depends on.
#[must_use]
pub fn load<T: DeserializeOwned>(path: &Path, stamp: &str) -> Loaded<T> {
    let Ok(bytes) = fs::read(path) else { return Loaded::Absent };
    let Some((seal, body)) = bytes.split_at_checked(MAGIC.len() + 2 * HASH) else { return Loaded::Damaged };
    if &seal[..MAGIC.len()] != MAGIC {
        return Loaded::Damaged;
    }
    if seal[MAGIC.len()..MAGIC.len() + HASH] != *blake3::hash(stamp.as_bytes()).as_bytes() {
        return Loaded::Foreign;
    }
    if seal[MAGIC.len() + HASH..] != *blake3::hash(body).as_bytes() {
        return Loaded::Damaged;
    }
    postcard::from_bytes(body).map_or(Loaded::Damaged, Loaded::Whole)
}

/// Writes a sealed file, so that it is never seen half written.
///
/// # Errors
/// When the folder cannot be written to.
pub fn save<T: Serialize>(path: &Path, stamp: &str, value: &T) -> io::Result<()> {
    prepare(path, stamp, value)?.put()
}

/// A sealed file that is written whole and not yet in its place.
#[derive(Debug)]
pub struct Prepared {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Prepared {
    /// Puts the file into its place, in one step.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn put(self) -> io::Result<()> {
        self.file.persist(&self.path).map(|_| ()).map_err(|e| e.error)
    }
}

/// Writes a sealed file beside its place.
///
/// # Errors
/// When the folder cannot be written to.
pub fn prepare<T: Serialize>(path: &Path, stamp: &str, value: &T) -> io::Result<Prepared> {
    let body = postcard::to_stdvec(value).map_err(io::Error::other)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(blake3::hash(stamp.as_bytes()).as_bytes())?;
    file.write_all(blake3::hash(&body).as_bytes())?;
    file.write_all(&body)?;
    Ok(Prepared { file, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/value");
        assert_eq!(load::<Vec<u32>>(&path, "x"), Loaded::Absent);
        save(&path, "x", &vec![1u32, 2, 3]).unwrap();
        assert_eq!(load(&path, "x"), Loaded::Whole(vec![1u32, 2, 3]));
        assert_eq!(load::<Vec<u32>>(&path, "y"), Loaded::Foreign);
        let whole = fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(!matches!(load::<Vec<u32>>(&path, "x"), Loaded::Whole(_)), "byte {i}");
            fs::write(&path, &whole[..i]).unwrap();
            assert!(!matches!(load::<Vec<u32>>(&path, "x"), Loaded::Whole(_)), "cut at {i}");
        }
    }
}
