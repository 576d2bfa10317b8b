//! A file of blobs that only grows.
//!
//! Blobs go in through [`Pack::put`], which returns a [`Handle`]; [`Pack::get`] reads a blob back
//! and verifies it. A pack must not know what its blobs mean.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
#[cfg(not(unix))]
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;

/// Where a blob lies in its pack, and the fingerprint that its content must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    offset: u64,
    len: u32,
    fingerprint: Fingerprint,
}

impl Handle {
    /// The mark of the blob's content.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The blob's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.len)
    }
}

/// A store of blobs, shared by threads.
#[derive(Debug)]
pub struct Pack {
    file: File,
    /// The second file of a pack that was made by [`Pack::branch`].
    branch: Option<Branch>,
    end: AtomicU64,
    #[cfg(not(unix))]
    seek: Mutex<()>,
}

/// A file that holds the blobs from offset `from` on.
#[derive(Debug)]
struct Branch {
    file: File,
    from: u64,
}

impl Pack {
    /// Creates a pack in `folder` under a new name that starts with `prefix`, and returns that name
    /// and the pack.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(folder: &Path, prefix: &str) -> io::Result<(String, Self)> {
        fs::create_dir_all(folder)?;
        // Names are never reused: a process that has an old pack open would mistake the new one
        // for it.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        for number in since.. {
            let name = format!("{prefix}{number:x}");
            match OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(folder.join(&name))
            {
                Ok(file) => return Ok((name, Self::from_file(file)?)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::other("no free file name is left"))
    }

    /// Opens a pack for reading and appending.
    ///
    /// # Errors
    /// When it does not exist or cannot be written to.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::from_file(OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn from_file(file: File) -> io::Result<Self> {
        let end = AtomicU64::new(file.metadata()?.len());
        Ok(Self {
            file,
            branch: None,
            end,
            #[cfg(not(unix))]
            seek: Mutex::new(()),
        })
    }

    /// A pack with the same blobs that appends new ones to an unnamed temporary file in `folder`,
    /// so that another process may append to the first file meanwhile. Handles of this pack are
    /// valid in the branch.
    ///
    /// # Errors
    /// When the folder cannot be written to, or this pack is a branch itself.
    pub fn branch(&self, folder: &Path) -> io::Result<Self> {
        if self.branch.is_some() {
            return Err(io::Error::other("a branch of a pack cannot be branched"));
        }
        let from = self.size();
        Ok(Self {
            file: self.file.try_clone()?,
            branch: Some(Branch { file: tempfile::tempfile_in(folder)?, from }),
            end: AtomicU64::new(from),
            #[cfg(not(unix))]
            seek: Mutex::new(()),
        })
    }

    /// Whether a blob lies in this branch's own file; always `false` for a pack that is no branch.
    #[must_use]
    pub fn is_own(&self, handle: Handle) -> bool {
        self.branch.as_ref().is_some_and(|branch| handle.offset >= branch.from)
    }

    /// The file that an offset lies in, and the offset within that file.
    fn locate(&self, offset: u64) -> (&File, u64) {
        match &self.branch {
            Some(branch) if offset >= branch.from => (&branch.file, offset - branch.from),
            _ => (&self.file, offset),
        }
    }

    /// The size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Appends a blob.
    ///
    /// # Errors
    /// When the disk is full, or the blob is larger than 4 GiB.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Handle> {
        let len = u32::try_from(bytes.len())
            .map_err(|_| io::Error::other("a blob is larger than 4 GiB"))?;
        let offset = self.end.fetch_add(u64::from(len), Ordering::Relaxed);
        self.write_at(bytes, offset)?;
        Ok(Handle { offset, len, fingerprint: Fingerprint::of(bytes) })
    }

    /// Reads a blob back.
    ///
    /// # Errors
    /// When the file cannot be read, or the bytes do not match the handle's fingerprint.
    pub fn get(&self, handle: Handle) -> io::Result<Vec<u8>> {
        if handle.offset.saturating_add(handle.size()) > self.size() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the pack is too short"));
        }
        let mut bytes = vec![0; handle.len as usize];
        self.read_at(&mut bytes, handle.offset)?;
        if Fingerprint::of(&bytes) != handle.fingerprint {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a blob of the pack is damaged",
            ));
        }
        Ok(bytes)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (file, offset) = self.locate(offset);
        std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let (file, offset) = self.locate(offset);
        std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
    }

    #[cfg(not(unix))]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let _guard = self.seek.lock();
        let (mut file, offset) = self.locate(offset);
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    #[cfg(not(unix))]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let _guard = self.seek.lock();
        let (mut file, offset) = self.locate(offset);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_and_its_pack_grow_independently() {
        let dir = tempfile::tempdir().unwrap();
        let (_, pack) = Pack::create(dir.path(), "pack-").unwrap();
        let old = pack.put(b"old").unwrap();
        let branch = pack.branch(dir.path()).unwrap();
        let (theirs, ours) = (pack.put(b"theirs").unwrap(), branch.put(b"ours").unwrap());
        assert_eq!(branch.get(old).unwrap(), b"old");
        assert_eq!(branch.get(ours).unwrap(), b"ours");
        assert_eq!(pack.get(theirs).unwrap(), b"theirs");
        assert!(branch.is_own(ours) && !branch.is_own(old) && !pack.is_own(theirs));
        assert!(branch.branch(dir.path()).is_err());
    }

    #[test]
    fn blobs_are_read_in_any_order_and_damage_is_detected() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        let (name, pack) = Pack::create(&folder, "pack-").unwrap();
        assert_ne!(Pack::create(&folder, "pack-").unwrap().0, name);
        let path = folder.join(name);
        let handles: Vec<_> =
            (0..100u8).map(|i| pack.put(&vec![i; usize::from(i)]).unwrap()).collect();
        let again = Pack::open(&path).unwrap();
        for (i, handle) in handles.iter().enumerate().rev() {
            assert_eq!(again.get(*handle).unwrap(), vec![u8::try_from(i).unwrap(); i]);
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes[..]).unwrap();
        assert!(Pack::open(&path).unwrap().get(handles[99]).is_err());
        std::fs::write(&path, &bytes[..10]).unwrap();
        assert!(Pack::open(&path).unwrap().get(handles[99]).is_err());
    }
}
