//! A difference, carried out on a host that takes files one by one, in an order in which no page is ever there without
//! what it needs: what is replaced is copied aside; files go up group by group; the manifest says so; old files go.
//!
//! A journal on the host says how far it has come, so that a deploy that is broken off is gone on with.

use std::collections::BTreeSet;

use super::Step;
use super::after;
use super::crew::Crew;
use super::difference::{Difference, Upload};
use super::failure::{Failure, retry};
use super::files::LocalFile;
use super::foreign::folders;
use super::manifest::{JOURNAL, Journal, Manifest, NAME, Release};
use super::releases::{self, Keep};
use super::remote::Remote;
use super::there::There;
use crate::diag::{Diagnostic, Report};

/// Carries a difference out.
pub struct Publishing<'a> {
    pub remote: &'a dyn Remote,
    pub crew: &'a Crew<'a>,
    pub there: &'a There,
    pub difference: &'a Difference,
    pub manifest: Manifest,
}

impl Publishing<'_> {
    /// Does it, and returns how many files were read back.
    ///
    /// # Errors
    /// Every file of the first group that has any which did not arrive, or what else the host refused. Groups after it were
    /// not begun.
    pub fn run(mut self, failed: &dyn Fn(&str, &Failure) -> Diagnostic) -> Result<usize, Report> {
        let one = |what: &'static str| move |f: Failure| Report::of(failed(what, &f));
        let mut journal = self.begin().map_err(|f| Report::of(failed("it could not be prepared", &f)))?;
        self.upload(&mut journal, failed)?;
        let verified = self.verify(&mut journal).map_err(one("reading it back"))?;
        self.finish().map_err(one("it could not be finished"))?;
        Ok(verified)
    }

    /// Writes the manifest, deletes what is old, and clears up.
    fn finish(&mut self) -> Result<(), Failure> {
        // What stood in the way has gone already, and something else stands there now.
        let gone: BTreeSet<String> = self.in_the_way().into_iter().collect();
        let deletes: Vec<String> = self.difference.deletes.iter().filter(|path| !gone.contains(*path)).cloned().collect();
        let mut manifest = std::mem::take(&mut self.manifest);
        let now = self.there.now();
        manifest.leaving = deletes.iter().map(|path| (path.clone(), releases::entry(&now, path))).collect();
        retry(|| self.remote.write(NAME, &manifest.bytes()))?;
        self.crew.progress.stage(Step::Deleting.name(), deletes.len());
        self.remote.delete_all(&deletes, self.crew)?;
        if !manifest.leaving.is_empty() {
            manifest.leaving.clear();
            retry(|| self.remote.write(NAME, &manifest.bytes()))?;
        }
        let after_rollback = self.there.journal.as_ref().is_some_and(|j| j.rolling_back.is_some());
        releases::prune(self.remote, if after_rollback { Keep::None } else { Keep::Newest }, self.crew)?;
        retry(|| self.remote.delete(JOURNAL))?;
        after::verify_manifest(self.remote, &manifest.bytes())
    }

    /// Copies aside what will be replaced or deleted, says on the host what is about to happen, and clears the way.
    fn begin(&mut self) -> Result<Journal, Failure> {
        let old = self.there.journal.clone().unwrap_or_default();
        let before = &self.there.manifest;
        let touched = self.there.touched();
        let uploads: BTreeSet<&str> = self.difference.uploads.iter().map(|u| u.file.path.as_str()).collect();
        let all = uploads.iter().copied().chain(self.difference.deletes.iter().map(String::as_str));
        // What the broken deploy may have replaced already it has copied as well.
        let replaced = all.filter(|path| before.files.contains_key(*path) || before.kept.contains_key(*path)).filter(|path| !touched.contains(*path));
        let replaced: BTreeSet<String> = replaced.map(str::to_owned).collect();
        let release = self.release(&old, &replaced);
        let copying: Vec<String> = match &release {
            Some(_) => replaced.iter().cloned().chain(old.copying.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect(),
            None => Vec::new(),
        };
        let in_the_way = self.in_the_way();
        let mut journal = Journal { base: self.there.mark.clone(), copying, release, rolling_back: old.rolling_back, ..Journal::default() };
        journal.done = old.done.into_iter().filter(|(path, _)| !uploads.contains(path.as_str())).collect();
        journal.planned = old.planned;
        self.copy_aside(&journal)?;
        journal.copying.clear();
        let planned: BTreeSet<String> =
            touched.into_iter().chain(uploads.iter().map(|p| (*p).to_owned())).chain(in_the_way.iter().cloned()).collect();
        journal.planned = planned.into_iter().collect();
        retry(|| self.remote.write(JOURNAL, &journal.bytes()))?;
        // A folder where a file was, or the other way round: for a moment neither is there.
        self.remote.delete_all(&in_the_way, self.crew)?;
        Ok(journal)
    }

    /// Old files that stand where the site has a folder, or the other way round.
    fn in_the_way(&self) -> Vec<String> {
        in_the_way(&self.difference.deletes, self.difference.files.keys().map(String::as_str))
    }

    /// The release that keeps what this deploy replaces. There is none where there was nothing before, or nothing changes, or what
    /// is there is not known.
    fn release(&self, old: &Journal, replaced: &BTreeSet<String>) -> Option<Release> {
        let mut release = match &old.release {
            Some(release) => release.clone(),
            None if self.there.journal.is_some() || self.there.manifest.folio == 0 => return None,
            None if self.difference.uploads.is_empty() && replaced.is_empty() => return None,
            None => Release { id: releases::new_id(), files: Vec::new() },
        };
        release.files = release.files.into_iter().chain(replaced.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect();
        Some(release)
    }

    /// Makes the copies of the release that are not known to have been made. Nothing of them has been replaced yet.
    fn copy_aside(&self, journal: &Journal) -> Result<(), Failure> {
        let Some(release) = &journal.release else { return Ok(()) };
        if !journal.copying.is_empty() {
            self.crew.progress.stage(Step::Keeping.name(), journal.copying.len());
            // The journal comes first, so that no copy is ever left that nothing knows.
            retry(|| self.remote.write(JOURNAL, &journal.bytes()))?;
            let pairs: Vec<(String, String)> = journal.copying.iter().map(|path| (path.clone(), release.place(path))).collect();
            self.remote.copy_all(&pairs, self.crew)?;
        }
        releases::add(self.remote, release, &self.there.manifest)
    }

    fn upload(&mut self, journal: &mut Journal, failed: &dyn Fn(&str, &Failure) -> Diagnostic) -> Result<(), Report> {
        let uploads: Vec<&Upload> = self.difference.uploads.iter().collect();
        self.crew.progress.stage(Step::Uploading.name(), uploads.len());
        for group in uploads.chunk_by(|a, b| a.group == b.group) {
            // In parts, so that the journal does not fall far behind, and is not written too often either.
            for part in group.chunks(uploads.len().div_ceil(8).max(500)) {
                let arrived = self.remote.put_all(part, self.crew);
                journal.done.extend(arrived.done.iter().map(|n| (part[*n].file.path.as_str().to_owned(), part[*n].file.entry.clone())));
                let wrote = retry(|| self.remote.write(JOURNAL, &journal.bytes()));
                if !arrived.failed.is_empty() {
                    let mut report = Report::default();
                    for (number, failure) in &arrived.failed {
                        report.push(failed(&format!("`{}` could not be uploaded", part[*number].file.path), failure));
                    }
                    return Err(report);
                }
                wrote.map_err(|f| Report::of(failed("the journal could not be written", &f)))?;
            }
        }
        Ok(())
    }

    /// Reads a sample back before the manifest says that all is there; what is not as it was sent is sent again by the next deploy.
    fn verify(&self, journal: &mut Journal) -> Result<usize, Failure> {
        let sent: Vec<&LocalFile> = self.difference.uploads.iter().map(|u| &u.file).collect();
        after::verify_files(self.remote, &sent).map_err(|(path, failure)| {
            journal.done.remove(&path);
            let _ = self.remote.write(JOURNAL, &journal.bytes());
            failure
        })
    }
}

/// Files that are to be deleted and stand where a folder must be, or lie in a folder where a file must be.
pub fn in_the_way<'a>(deletes: &[String], files: impl Iterator<Item = &'a str>) -> Vec<String> {
    let files: BTreeSet<&str> = files.collect();
    let above: BTreeSet<&str> = files.iter().flat_map(|path| folders(path)).collect();
    let clashes = |path: &&String| above.contains(path.as_str()) || folders(path).any(|folder| files.contains(folder));
    deletes.iter().filter(clashes).cloned().collect()
}
