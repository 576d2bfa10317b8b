//! Publishes the deploy before the last one again, from the last release.

use std::collections::{BTreeMap, BTreeSet};

use super::conflicts::{examples, in_the_way};
use super::error::{HostError, retry};
use super::file_host::FileHost;
use super::headers::group;
use super::manifest::{
    JOURNAL, Journal, MANIFEST, MAX_MANIFEST, Manifest, Release, Releases, invalid,
};
use super::releases;
use super::remote_state::RemoteState;
use super::reporter::Step;
use super::worker_pool::WorkerPool;

/// Why a rollback failed.
pub enum Failure {
    /// Nothing was changed.
    NotStarted(HostError),
    /// Some files were restored; running it again resumes it.
    Incomplete(HostError),
}

/// A completed rollback.
pub struct RolledBack {
    /// When the restored site was deployed, in seconds since the epoch.
    deployed: i64,
    /// How many files were restored or deleted.
    files: usize,
}

impl RolledBack {
    /// What the rollback did, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let when = jiff::Timestamp::from_second(self.deployed)
            .map_or_else(|_| "an unknown time".to_owned(), |t| t.to_string());
        format!("the deploy of {when} ({} files restored or deleted)", self.files)
    }
}

/// Restores what the last release replaced: assets first, then pages and feeds. Then it deletes
/// what the last deploy added. A journal records that this is in progress and is deleted last, so
/// that an interrupted rollback is run again.
///
/// # Errors
/// When there is no release, copies of it are missing and `force` is false, or the host does not do
/// it. The release then still exists.
pub fn run(
    host: &dyn FileHost,
    workers: &WorkerPool<'_>,
    force: bool,
) -> Result<RolledBack, Failure> {
    let state = RemoteState::read(host).map_err(Failure::NotStarted)?;
    let mut all = releases::read(host).map_err(Failure::NotStarted)?;
    if is_complete(&state, &all) {
        retry(|| host.delete(JOURNAL)).map_err(Failure::Incomplete)?;
        return Ok(RolledBack { deployed: state.manifest.deployed, files: 0 });
    }
    let Some(release) = all.releases.pop() else {
        let error = HostError::other("there is no earlier deploy to roll back to");
        return Err(Failure::NotStarted(error));
    };
    let before = manifest_of(host, &release).map_err(Failure::NotStarted)?;
    if !force {
        check_copies(host, &release, workers).map_err(Failure::NotStarted)?;
    }
    let plan = RollbackPlan::new(&state, &release, &before);
    plan.apply(host, workers, before, &all).map_err(Failure::Incomplete)
}

/// Whether all that is left of an interrupted rollback is its journal.
fn is_complete(state: &RemoteState, all: &Releases) -> bool {
    let in_progress = state.journal.as_ref().and_then(|j| j.rolling_back.as_ref());
    in_progress.is_some_and(|id| all.releases.iter().all(|r| r.id != *id))
}

fn manifest_of(host: &dyn FileHost, release: &Release) -> Result<Manifest, HostError> {
    let path = release.manifest_path();
    let bytes = retry(|| host.read(&path, MAX_MANIFEST))?
        .ok_or_else(|| HostError::other(format!("{path} of the earlier deploy is missing")))?;
    Manifest::read(&bytes).map_err(|e| invalid(&path, &e))
}

/// Checks that the copies of a release are there.
fn check_copies(
    host: &dyn FileHost,
    release: &Release,
    workers: &WorkerPool<'_>,
) -> Result<(), HostError> {
    let copies: Vec<String> = release.files.iter().map(|path| release.path_of(path)).collect();
    let paths: Vec<&str> = copies.iter().map(String::as_str).collect();
    let existing = host.existing(&paths, workers)?;
    let missing: BTreeSet<String> =
        copies.iter().filter(|path| !existing.contains_key(*path)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(HostError::other(format!(
        "{} of the earlier deploy {} missing; build and deploy that version of the site, or \
         restore the rest with --force",
        examples(&missing),
        if missing.len() == 1 { "is" } else { "are" }
    )))
}

/// What a rollback has to do.
struct RollbackPlan<'a> {
    state: &'a RemoteState,
    release: &'a Release,
    current: Manifest,
    /// Files of the last deploy to delete before others are restored.
    delete_first: Vec<String>,
    /// Files of the last deploy to delete afterwards.
    delete_last: Vec<String>,
}

impl<'a> RollbackPlan<'a> {
    fn new(state: &'a RemoteState, release: &'a Release, before: &Manifest) -> Self {
        let current = state.current();
        let added: Vec<String> = current
            .files
            .keys()
            .chain(current.leaving.keys())
            .filter(|path| !before.owns(path))
            .cloned()
            .collect();
        let delete_first = in_the_way(&added, before.files.keys().map(String::as_str));
        let first: BTreeSet<&String> = delete_first.iter().collect();
        let delete_last = added.iter().filter(|path| !first.contains(path)).cloned().collect();
        Self { state, release, current, delete_first, delete_last }
    }

    fn apply(
        &self,
        host: &dyn FileHost,
        workers: &WorkerPool<'_>,
        before: Manifest,
        remaining: &Releases,
    ) -> Result<RolledBack, HostError> {
        retry(|| host.write(JOURNAL, &self.journal().bytes()))?;
        let files = self.release.files.len() + self.delete_first.len() + self.delete_last.len();
        workers.progress.stage(Step::Restoring.name(), files);
        host.delete_all(&self.delete_first, workers)?;
        let mut groups: BTreeMap<_, Vec<(String, String)>> = BTreeMap::new();
        for path in &self.release.files {
            groups.entry(group(path)).or_default().push((self.release.path_of(path), path.clone()));
        }
        for pairs in groups.values() {
            host.copy_all(pairs, workers)?;
        }
        let mut manifest = before;
        let entry = |path: &String| (path.clone(), self.current.entry(path));
        manifest.leaving = self.delete_last.iter().map(entry).collect();
        retry(|| host.write(MANIFEST, &manifest.bytes()))?;
        host.delete_all(&self.delete_last, workers)?;
        manifest.leaving.clear();
        retry(|| host.write(MANIFEST, &manifest.bytes()))?;
        releases::write(host, remaining)?;
        host.delete_all(&self.release.all_paths().collect::<Vec<_>>(), workers)?;
        retry(|| host.delete(JOURNAL))?;
        Ok(RolledBack { deployed: manifest.deployed, files })
    }

    fn journal(&self) -> Journal {
        let touched = self.state.touched().into_iter();
        let deleted = self.delete_first.iter().chain(&self.delete_last);
        let planned: BTreeSet<String> =
            touched.chain(self.release.files.iter().chain(deleted).cloned()).collect();
        Journal {
            base: self.state.manifest_hash.clone(),
            planned: planned.into_iter().collect(),
            rolling_back: Some(self.release.id.clone()),
            ..Journal::default()
        }
    }
}
