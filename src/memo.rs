//! Where bytes wait between two stages, so that memory does not grow with the sum of page bodies.
//!
//! A [`Spool`] is a nameless file: it takes blobs from any thread, gives each back by its [`Handle`], and
//! is gone with the process however that ends. It knows nothing of what the bytes mean.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(not(unix))]
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a blob lies in its spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    offset: u64,
    len: u32,
}

/// An append-only store of blobs, shared by threads.
#[derive(Debug)]
pub struct Spool {
    file: File,
    end: AtomicU64,
    #[cfg(not(unix))]
    seek: Mutex<()>,
}

impl Spool {
    /// Opens a nameless file in `folder`, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            end: AtomicU64::new(0),
            #[cfg(not(unix))]
            seek: Mutex::new(()),
        })
    }

    /// Appends a blob.
    ///
    /// # Errors
    /// When the disk is full, or a single blob passes 4 GiB.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Handle> {
        let len = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a single body is larger than 4 GiB"))?;
        let offset = self.end.fetch_add(u64::from(len), Ordering::Relaxed);
        self.write_at(bytes, offset)?;
        Ok(Handle { offset, len })
    }

    /// Reads a blob back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, handle: Handle) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; handle.len as usize];
        self.read_at(&mut bytes, handle.offset)?;
        Ok(bytes)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, offset)
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, offset)
    }

    #[cfg(not(unix))]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let _guard = self.seek.lock();
        (&self.file).seek(SeekFrom::Start(offset))?;
        (&self.file).write_all(bytes)
    }

    #[cfg(not(unix))]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let _guard = self.seek.lock();
        (&self.file).seek(SeekFrom::Start(offset))?;
        (&self.file).read_exact(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_come_back_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("new")).unwrap();
        let handles: Vec<_> = (0..100u8).map(|i| spool.put(&vec![i; usize::from(i)]).unwrap()).collect();
        for (i, handle) in handles.iter().enumerate().rev() {
            assert_eq!(spool.get(*handle).unwrap(), vec![u8::try_from(i).unwrap(); i]);
        }
    }
}
