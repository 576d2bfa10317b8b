//! Publishes a difference on a host that takes files one by one.
//!
//! What will be replaced is backed up; files are uploaded group by group, so that no page is ever
//! published without what it needs; the manifest is written; old files are deleted. A journal on
//! the host records the progress, so that an interrupted deploy is resumed.

use std::collections::BTreeSet;

use super::conflicts;
use super::difference::{Difference, Upload};
use super::error::{HostError, retry};
use super::file_host::FileHost;
use super::files::LocalFile;
use super::manifest::{JOURNAL, Journal, MANIFEST, Manifest, Release};
use super::releases;
use super::remote_state::RemoteState;
use super::reporter::Step;
use super::verify;
use super::worker_pool::WorkerPool;

/// Publishes a difference.
pub struct Publisher<'a> {
    pub host: &'a dyn FileHost,
    pub workers: &'a WorkerPool<'a>,
    pub state: &'a RemoteState,
    pub difference: &'a Difference,
    pub manifest: Manifest,
}

/// What failed, with the errors.
type Failures = Vec<(String, HostError)>;

/// The journal is written after this many uploads at most, and at least eight times per deploy.
const MAX_UNRECORDED: usize = 500;

impl Publisher<'_> {
    /// Publishes, and returns how many files were verified.
    ///
    /// # Errors
    /// Every failed upload of the first group that has any, or the first other failure. Later
    /// groups were not started.
    pub fn run(self) -> Result<usize, Failures> {
        let one = |what: &'static str| move |e: HostError| vec![(what.to_owned(), e)];
        let mut journal = self.prepare().map_err(one("the upload could not be prepared"))?;
        self.upload(&mut journal)?;
        let verified =
            self.verify(&mut journal).map_err(one("the upload could not be verified"))?;
        self.finish().map_err(one("the deploy could not be completed"))?;
        Ok(verified)
    }

    /// Backs up what will be replaced or deleted, records the plan in a journal, and deletes files
    /// that are in the way.
    fn prepare(&self) -> Result<Journal, HostError> {
        let old = self.state.journal.clone().unwrap_or_default();
        let touched = self.state.touched();
        let uploads: BTreeSet<&str> =
            self.difference.uploads.iter().map(|u| u.file.path.as_str()).collect();
        let replaced = self.replaced(&uploads, &touched);
        let release = self.release(&old, &replaced);
        let copying: BTreeSet<String> = match &release {
            Some(_) => replaced.into_iter().chain(old.copying.iter().cloned()).collect(),
            None => BTreeSet::new(),
        };
        let is_uploaded_again = |path: &String| uploads.contains(path.as_str());
        let mut journal = Journal {
            base: self.state.manifest_hash.clone(),
            planned: old.planned,
            done: old.done.into_iter().filter(|(path, _)| !is_uploaded_again(path)).collect(),
            release,
            copying: copying.into_iter().collect(),
            rolling_back: old.rolling_back,
        };
        self.back_up(&journal)?;
        journal.copying.clear();
        let in_the_way = self.in_the_way();
        let planned: BTreeSet<String> = touched
            .into_iter()
            .chain(uploads.iter().map(|path| (*path).to_owned()))
            .chain(in_the_way.iter().cloned())
            .collect();
        journal.planned = planned.into_iter().collect();
        retry(|| self.host.write(JOURNAL, &journal.bytes()))?;
        // Where a folder replaces a file or the reverse, there is neither for a moment.
        self.host.delete_all(&in_the_way, self.workers)?;
        Ok(journal)
    }

    /// The files that will be replaced or deleted, except those that an interrupted deploy may have
    /// touched, which it has backed up.
    fn replaced(&self, uploads: &BTreeSet<&str>, touched: &BTreeSet<String>) -> BTreeSet<String> {
        let before = &self.state.manifest;
        let deletes = self.difference.deletes.iter().map(String::as_str);
        uploads
            .iter()
            .copied()
            .chain(deletes)
            .filter(|path| before.files.contains_key(*path) || before.kept.contains_key(*path))
            .filter(|path| !touched.contains(*path))
            .map(str::to_owned)
            .collect()
    }

    /// Old files that are where the site has a folder, or the reverse.
    fn in_the_way(&self) -> Vec<String> {
        let files = self.difference.files.keys().map(String::as_str);
        conflicts::in_the_way(&self.difference.deletes, files)
    }

    /// The release that holds what this deploy replaces. There is none when nothing was deployed
    /// before, nothing changes, or what the host holds is not known.
    fn release(&self, old: &Journal, replaced: &BTreeSet<String>) -> Option<Release> {
        let mut release = match &old.release {
            Some(release) => release.clone(),
            None if self.state.journal.is_some() || self.state.manifest.folio == 0 => return None,
            None if self.difference.uploads.is_empty() && replaced.is_empty() => return None,
            None => Release { id: releases::new_id(), files: Vec::new() },
        };
        let files: BTreeSet<String> =
            release.files.into_iter().chain(replaced.iter().cloned()).collect();
        release.files = files.into_iter().collect();
        Some(release)
    }

    /// Makes the copies of the release that may not exist yet. None of these files has been
    /// replaced.
    fn back_up(&self, journal: &Journal) -> Result<(), HostError> {
        let Some(release) = &journal.release else { return Ok(()) };
        if !journal.copying.is_empty() {
            self.workers.progress.stage(Step::BackingUp.name(), journal.copying.len());
            // The journal comes first, so that every copy is known.
            retry(|| self.host.write(JOURNAL, &journal.bytes()))?;
            let pairs: Vec<(String, String)> =
                journal.copying.iter().map(|path| (path.clone(), release.path_of(path))).collect();
            self.host.copy_all(&pairs, self.workers)?;
        }
        releases::add(self.host, release, &self.state.manifest)
    }

    fn upload(&self, journal: &mut Journal) -> Result<(), Failures> {
        let uploads: Vec<&Upload> = self.difference.uploads.iter().collect();
        self.workers.progress.stage(Step::Uploading.name(), uploads.len());
        let batch_size = uploads.len().div_ceil(8).max(MAX_UNRECORDED);
        for group in uploads.chunk_by(|a, b| a.group == b.group) {
            for batch in group.chunks(batch_size) {
                let result = self.host.put_all(batch, self.workers);
                let written = result.done.iter().map(|index| &batch[*index].file);
                let entry = |file: &LocalFile| (file.path.as_str().to_owned(), file.entry.clone());
                journal.done.extend(written.map(entry));
                let recorded = retry(|| self.host.write(JOURNAL, &journal.bytes()));
                if !result.failed.is_empty() {
                    let describe = |(index, error): (usize, HostError)| {
                        (format!("`{}` could not be uploaded", batch[index].file.path), error)
                    };
                    return Err(result.failed.into_iter().map(describe).collect());
                }
                recorded.map_err(|e| vec![("the journal could not be written".to_owned(), e)])?;
            }
        }
        Ok(())
    }

    /// Verifies a sample before the manifest says that the upload is complete. The next deploy
    /// uploads a file that differs again.
    fn verify(&self, journal: &mut Journal) -> Result<usize, HostError> {
        let sent: Vec<&LocalFile> = self.difference.uploads.iter().map(|u| &u.file).collect();
        verify::verify_files(self.host, &sent).map_err(|(path, error)| {
            journal.done.remove(&path);
            let _ = self.host.write(JOURNAL, &journal.bytes());
            error
        })
    }

    /// Writes the manifest, deletes old files, and cleans up.
    fn finish(mut self) -> Result<(), HostError> {
        // Files that were in the way have been deleted, and new files may be at their paths.
        let deleted: BTreeSet<String> = self.in_the_way().into_iter().collect();
        let deletes = self.difference.deletes.iter().filter(|path| !deleted.contains(*path));
        let deletes: Vec<String> = deletes.cloned().collect();
        let mut manifest = std::mem::take(&mut self.manifest);
        let current = self.state.current();
        manifest.leaving = deletes.iter().map(|path| (path.clone(), current.entry(path))).collect();
        retry(|| self.host.write(MANIFEST, &manifest.bytes()))?;
        self.workers.progress.stage(Step::Deleting.name(), deletes.len());
        self.host.delete_all(&deletes, self.workers)?;
        if !manifest.leaving.is_empty() {
            manifest.leaving.clear();
            retry(|| self.host.write(MANIFEST, &manifest.bytes()))?;
        }
        // After an interrupted rollback, the releases no longer match what the host holds.
        releases::prune(self.host, self.state.is_rolling_back(), self.workers)?;
        retry(|| self.host.delete(JOURNAL))?;
        verify::verify_manifest(self.host, &manifest.bytes())
    }
}
