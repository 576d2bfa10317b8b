//! A file of blobs that only grows.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
#[cfg(not(unix))]
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Mark;

/// Where a blob lies in its pack, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    offset: u64,
    len: u32,
    mark: Mark,
}

impl Handle {
    /// The mark of the blob's content.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
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
    /// What lies beyond the first file, when this pack goes on in a file of its own.
    branch: Option<Branch>,
    end: AtomicU64,
    #[cfg(not(unix))]
    seek: Mutex<()>,
}

/// A second file, which holds what comes after `from`.
#[derive(Debug)]
struct Branch {
    file: File,
    from: u64,
}

impl Pack {
    /// Makes a new pack in `folder`, under a name that starts with `prefix`, and returns that name with it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(folder: &Path, prefix: &str) -> io::Result<(String, Self)> {
        fs::create_dir_all(folder)?;
        // A name is not used twice: a process that still has the old pack open would take the new one for it.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        for number in since.. {
            let name = format!("{prefix}{number:x}");
            match OpenOptions::new().read(true).write(true).create_new(true).open(folder.join(&name)) {
                Ok(file) => return Ok((name, Self::of(file)?)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::other("no name is left"))
    }

    /// Opens a pack to read and to append to.
    ///
    /// # Errors
    /// When it is not there or cannot be written to.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn of(file: File) -> io::Result<Self> {
        let end = AtomicU64::new(file.metadata()?.len());
        Ok(Self {
            file,
            branch: None,
            end,
            #[cfg(not(unix))]
            seek: Mutex::new(()),
        })
    }

    /// A pack that holds all that this one does and puts what is new into a nameless file of its own in `folder`, which
    /// goes with it: others may then append to the first file. Handles mean the same in both.
    ///
    /// # Errors
    /// When the folder cannot be written to, or this pack has branched already.
    pub fn branch(&self, folder: &Path) -> io::Result<Self> {
        if self.branch.is_some() {
            return Err(io::Error::other("this pack has branched already"));
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

    /// Whether a blob lies in the file that this pack has to itself.
    #[must_use]
    pub fn is_own(&self, handle: Handle) -> bool {
        self.branch.as_ref().is_some_and(|branch| handle.offset >= branch.from)
    }

    /// The file that an offset lies in, and the place there.
    fn place(&self, offset: u64) -> (&File, u64) {
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
    /// When the disk is full, or a single blob passes 4 GiB.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Handle> {
        let len = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a single body is larger than 4 GiB"))?;
        let offset = self.end.fetch_add(u64::from(len), Ordering::Relaxed);
        self.write_at(bytes, offset)?;
        Ok(Handle { offset, len, mark: Mark::of(bytes) })
    }

    /// Reads a blob back.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else there.
    pub fn get(&self, handle: Handle) -> io::Result<Vec<u8>> {
        if handle.offset.saturating_add(handle.size()) > self.size() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the pack is too short"));
        }
        let mut bytes = vec![0; handle.len as usize];
        self.read_at(&mut bytes, handle.offset)?;
        if Mark::of(&bytes) != handle.mark {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a blob of the pack is damaged"));
        }
        Ok(bytes)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (file, offset) = self.place(offset);
        std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let (file, offset) = self.place(offset);
        std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
    }

    #[cfg(not(unix))]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let _guard = self.seek.lock();
        let (mut file, offset) = self.place(offset);
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    #[cfg(not(unix))]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let _guard = self.seek.lock();
        let (mut file, offset) = self.place(offset);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_goes_on_by_itself() {
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
    fn blobs_come_back_in_any_order_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        let (name, pack) = Pack::create(&folder, "pack-").unwrap();
        assert_ne!(Pack::create(&folder, "pack-").unwrap().0, name);
        let path = folder.join(name);
        let handles: Vec<_> = (0..100u8).map(|i| pack.put(&vec![i; usize::from(i)]).unwrap()).collect();
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
