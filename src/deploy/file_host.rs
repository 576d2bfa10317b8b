//! What a host must be able to do: [`FileHost`] takes files one by one, [`AtomicHost`] takes a
//! whole site in one step.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{Difference, Upload};
use super::error::{HostError, retry};
use super::files::LocalFile;
use super::manifest::Manifest;
use super::worker_pool::WorkerPool;

/// The result of trying to create a file that must not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockAttempt {
    Acquired,
    /// The file exists, with this content.
    Held(Vec<u8>),
}

/// What a host tells of a file without sending it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// In bytes.
    pub size: u64,
    /// As manifests have it, where the host can tell.
    pub hash: Option<String>,
}

/// The largest lock file that is read, in bytes.
const MAX_LOCK: u64 = 1 << 16;

/// A host that takes files one by one. Paths are relative to the site's place on the host, checked,
/// and use `/` as the separator.
pub trait FileHost: Send + Sync {
    /// Where the site goes, for messages.
    fn place(&self) -> String;

    /// Whether the host stores content types and lifetimes with its files.
    fn keeps_headers(&self) -> bool {
        false
    }

    /// Reads a file of at most `limit` bytes; `None` when it does not exist.
    ///
    /// # Errors
    /// When it cannot be read, or is larger.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HostError>;

    /// Writes a file of the site. Readers see the old content or the new one.
    ///
    /// # Errors
    /// When the host does not accept it.
    fn put(&self, upload: &Upload) -> Result<(), HostError>;

    /// Writes a small file of Folio's own.
    ///
    /// # Errors
    /// As [`FileHost::put`].
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), HostError>;

    /// Copies a file on the host, with its headers. A file that does not exist is skipped.
    ///
    /// # Errors
    /// When the host does not do it.
    fn copy(&self, from: &str, to: &str) -> Result<(), HostError>;

    /// Deletes a file, and the folders that are empty afterwards. A path that does not exist or is
    /// a folder is skipped.
    ///
    /// # Errors
    /// When the host does not do it.
    fn delete(&self, path: &str) -> Result<(), HostError>;

    /// What the host tells of those of the paths that exist and are not folders.
    ///
    /// # Errors
    /// When the host cannot tell.
    fn existing(
        &self,
        paths: &[&str],
        workers: &WorkerPool<'_>,
    ) -> Result<BTreeMap<String, RemoteFile>, HostError>;

    /// Creates a file that must not exist yet. Where a host cannot guarantee that, the file is read
    /// back.
    ///
    /// # Errors
    /// When the host cannot be reached.
    fn create_lock(&self, path: &str, bytes: &[u8]) -> Result<LockAttempt, HostError> {
        if let Some(held) = self.read(path, MAX_LOCK)? {
            return Ok(LockAttempt::Held(held));
        }
        self.write(path, bytes)?;
        match self.read(path, MAX_LOCK)? {
            Some(other) if other != bytes => Ok(LockAttempt::Held(other)),
            _ => Ok(LockAttempt::Acquired),
        }
    }

    /// Writes many files in any order, and returns which succeeded and the first failures.
    fn put_all(&self, uploads: &[&Upload], workers: &WorkerPool<'_>) -> BatchResult {
        BatchResult::of(workers.each(uploads, |upload| retry(|| self.put(upload))))
    }

    /// Copies many files.
    ///
    /// # Errors
    /// The first failure, by path.
    fn copy_all(
        &self,
        pairs: &[(String, String)],
        workers: &WorkerPool<'_>,
    ) -> Result<(), HostError> {
        let results = workers.each(pairs, |(from, to)| retry(|| self.copy(from, to)));
        results.into_iter().flatten().collect()
    }

    /// Deletes many files.
    ///
    /// # Errors
    /// The first failure, by path.
    fn delete_all(&self, paths: &[String], workers: &WorkerPool<'_>) -> Result<(), HostError> {
        let results = workers.each(paths, |path| retry(|| self.delete(path)));
        results.into_iter().flatten().collect()
    }
}

/// The result of writing many files.
#[derive(Debug, Default)]
pub struct BatchResult {
    /// The indices of the files that were written.
    pub done: Vec<usize>,
    /// The failures, with the indices of the files.
    pub failed: Vec<(usize, HostError)>,
}

impl BatchResult {
    /// From one result per file; `None` for a file that was not tried.
    #[must_use]
    pub fn of(results: Vec<Option<Result<(), HostError>>>) -> Self {
        let mut batch = Self::default();
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Some(Ok(())) => batch.done.push(index),
                Some(Err(error)) => batch.failed.push((index, error)),
                None => {}
            }
        }
        batch
    }
}

/// A host that takes a whole site in one step, and shows the old one until the new one is complete.
pub trait AtomicHost {
    /// Where the site goes, for messages.
    fn place(&self) -> String;

    /// Checks whether the host accepts a site of these files, without contacting it.
    ///
    /// # Errors
    /// Why it does not.
    fn check(&self, _files: &[LocalFile]) -> Result<(), HostError> {
        Ok(())
    }

    /// The manifest of the last deploy, and the paths of files that no manifest lists.
    ///
    /// # Errors
    /// When the host cannot be reached, or its manifest is invalid.
    fn state(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), HostError>;

    /// Publishes the site.
    ///
    /// # Errors
    /// When the host does not accept it. The old site is then still published.
    fn publish(
        &mut self,
        change: &AtomicChange<'_>,
        workers: &WorkerPool<'_>,
    ) -> Result<(), HostError>;

    /// Publishes the site of the deploy before the last one again, and describes it.
    ///
    /// # Errors
    /// When there is no such deploy, or the host does not do it.
    fn roll_back(&mut self) -> Result<String, HostError>;
}

/// What an [`AtomicHost`] publishes.
#[derive(Clone, Copy, Debug)]
pub struct AtomicChange<'a> {
    pub difference: &'a Difference,
    /// Every file of the site.
    pub files: &'a [LocalFile],
    pub manifest: &'a Manifest,
    /// Whether every file is sent again.
    pub force: bool,
}
