//! A difference, carried out on a host that takes files one by one, in an order in which no page is ever there without
//! what it needs: what is replaced is copied aside; files go up group by group; the manifest says so; old files go.
//!
//! A journal on the host says how far it has come, so that a deploy that is broken off is gone on with.

use std::collections::{BTreeMap, BTreeSet};

use super::crew::Crew;
use super::difference::{Compare, Difference, Keeping, Upload};
use super::failure::{Failure, FailureKind, retry};
use super::files::LocalFile;
use super::lock::Lock;
use super::manifest::{JOURNAL, Journal, LIMIT, Manifest, NAME, Release, Releases};
use super::remote::Remote;
use super::{Force, Step};
use crate::diag::{Diagnostic, Report};

/// How many releases can be gone back to.
const RELEASES_KEPT: usize = 5;

/// What a host has.
#[derive(Clone, Debug, Default)]
pub struct There {
    /// What the last whole deploy put there.
    pub manifest: Manifest,
    /// A deploy that was broken off.
    pub journal: Option<Journal>,
    /// The manifest's bytes marked, as journals name it.
    mark: String,
}

impl There {
    /// Reads what a host has.
    ///
    /// # Errors
    /// When it cannot be asked, or what it says cannot be believed.
    pub fn read(remote: &dyn Remote) -> Result<Self, Failure> {
        let bytes = retry(|| remote.read(NAME, LIMIT))?;
        let manifest = bytes.as_deref().map(|b| Manifest::read(b).map_err(|e| unbelievable(NAME, &e))).transpose()?.unwrap_or_default();
        let mark = super::files::hash(&bytes.unwrap_or_default());
        let journal = retry(|| remote.read(JOURNAL, LIMIT))?;
        let journal = journal.as_deref().map(|b| Journal::read(b).map_err(|e| unbelievable(JOURNAL, &e))).transpose()?;
        // A journal of another manifest's: that deploy had come to its end.
        Ok(Self { manifest, journal: journal.filter(|j| j.base == mark), mark })
    }

    /// The files that are there, those of the broken deploy too.
    #[must_use]
    pub fn now(&self) -> Manifest {
        let mut manifest = self.manifest.clone();
        if let Some(journal) = &self.journal {
            manifest.files.extend(journal.done.iter().map(|(path, entry)| (path.clone(), entry.clone())));
            for path in &journal.planned {
                if !manifest.owns(path) {
                    // It may be there or not, whole or not: it is ours all the same.
                    manifest.leaving.insert(path.clone(), super::manifest::Entry { hash: String::new(), size: 0, headers: None });
                }
            }
        }
        manifest
    }
}

fn unbelievable(name: &str, why: &str) -> Failure {
    let message = format!("{name} there cannot be believed: {why}. Delete it there to deploy everything anew (with --force, over what is there)");
    Failure::new(FailureKind::Other, message)
}

/// Refuses to write over files that Folio did not put there.
///
/// # Errors
/// When there are any, or the host cannot be asked.
pub fn refuse_foreign(remote: &dyn Remote, difference: &Difference, now: &Manifest, crew: &Crew<'_>) -> Result<(), Failure> {
    let new: Vec<&str> = difference.uploads.iter().map(|u| u.file.path.as_str()).filter(|path| !now.owns(path)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let taken: Vec<String> = remote.taken(&new, crew)?.into_iter().collect();
    foreign(&taken)
}

/// # Errors
/// When there are any.
pub fn foreign(taken: &[String]) -> Result<(), Failure> {
    if taken.is_empty() {
        return Ok(());
    }
    let some = taken.iter().take(5).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    let more = if taken.len() > 5 { format!(" and {} more", taken.len() - 5) } else { String::new() };
    let message = format!("{some}{more} would be written over, and Folio did not put it there; move it away, or take it over with --force");
    Err(Failure::new(FailureKind::Other, message))
}

/// Carries a difference out.
pub struct Publishing<'a, 'l> {
    pub remote: &'a dyn Remote,
    pub crew: &'a Crew<'a>,
    pub there: &'a There,
    pub difference: &'a Difference,
    pub manifest: Manifest,
    pub lock: &'a mut Lock<'l>,
}

impl Publishing<'_, '_> {
    /// # Errors
    /// Every file of the first group that has any which did not arrive, or what else the host refused. Groups after it were
    /// not begun.
    pub fn run(mut self, failed: &dyn Fn(&str, &Failure) -> Diagnostic) -> Result<(), Report> {
        let one = |what: &'static str| move |f: Failure| Report::of(failed(what, &f));
        let mut journal = self.begin().map_err(|f| Report::of(failed("it could not be prepared", &f)))?;
        self.upload(&mut journal, failed)?;
        let deletes = &self.difference.deletes;
        let mut manifest = std::mem::take(&mut self.manifest);
        let now = self.there.now();
        manifest.leaving =
            deletes.iter().filter_map(|path| Some((path.clone(), now.leaving.get(path).or_else(|| entry_of(&now, path))?.clone()))).collect();
        retry(|| self.remote.write(NAME, &manifest.bytes())).map_err(one("the manifest could not be written"))?;
        self.crew.progress.stage(Step::Deleting.name(), deletes.len());
        self.remote.delete_all(deletes, self.crew).map_err(one("an old file could not be deleted"))?;
        if !manifest.leaving.is_empty() {
            manifest.leaving.clear();
            retry(|| self.remote.write(NAME, &manifest.bytes())).map_err(one("the manifest could not be written"))?;
        }
        retry(|| self.remote.delete(JOURNAL)).map_err(one("the journal could not be deleted"))?;
        self.prune().map_err(one("an old release could not be deleted"))
    }

    /// Copies aside what will be replaced or deleted, and says on the host what is about to happen.
    fn begin(&mut self) -> Result<Journal, Failure> {
        let old = self.there.journal.clone().unwrap_or_default();
        let before = &self.there.manifest;
        let uploads = self.difference.uploads.iter().map(|u| u.file.path.as_str());
        let replaced = uploads.chain(self.difference.deletes.iter().map(String::as_str)).filter(|path| before.files.contains_key(*path));
        // What the broken deploy has replaced already it has copied as well.
        let replaced: Vec<String> = replaced.filter(|path| !old.done.contains_key(*path)).map(str::to_owned).collect();
        let mut release = old.release.clone().unwrap_or_else(|| Release { id: new_id(), files: Vec::new() });
        let known: BTreeSet<&String> = release.files.iter().filter(|path| !old.copying.contains(path)).collect();
        let missing: BTreeSet<String> = replaced.into_iter().chain(old.copying.clone()).filter(|path| !known.contains(path)).collect();
        let pairs: Vec<(String, String)> = missing.iter().map(|path| (path.clone(), release.place(path))).collect();
        release.files = release.files.iter().cloned().chain(missing.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect();
        let planned: BTreeSet<String> = self.difference.uploads.iter().map(|u| u.file.path.as_str().to_owned()).chain(old.planned).collect();
        let planned = planned.into_iter().filter(|path| !before.files.contains_key(path)).collect();
        // A first deploy has nothing that could be gone back to.
        let release = (before.folio != 0).then_some(release);
        let mut journal = Journal { base: self.there.mark.clone(), planned, done: old.done, release, copying: missing.into_iter().collect() };
        if journal.release.is_some() && !pairs.is_empty() {
            self.crew.progress.stage(Step::Keeping.name(), pairs.len());
            // The list comes first, so that no copy is ever left that nothing knows.
            retry(|| self.remote.write(JOURNAL, &journal.bytes()))?;
            self.remote.copy_all(&pairs, self.crew)?;
        }
        journal.copying.clear();
        if let Some(release) = &journal.release {
            retry(|| self.remote.write(&release.before(), &before.bytes()))?;
            self.list(release)?;
        }
        retry(|| self.remote.write(JOURNAL, &journal.bytes()))?;
        Ok(journal)
    }

    /// Puts a release into the list of those that can be gone back to.
    fn list(&self, release: &Release) -> Result<(), Failure> {
        let mut releases = releases(self.remote)?;
        releases.releases.retain(|r| r.id != release.id);
        releases.releases.push(release.clone());
        retry(|| self.remote.write(Releases::NAME, &releases.bytes()))
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
                self.lock.keep_alive();
            }
        }
        Ok(())
    }

    /// Deletes releases beyond those that are kept.
    fn prune(&self) -> Result<(), Failure> {
        let mut all = releases(self.remote)?;
        let surplus = all.releases.len().saturating_sub(RELEASES_KEPT);
        if surplus == 0 {
            return Ok(());
        }
        let old: Vec<Release> = all.releases.drain(..surplus).collect();
        let paths: Vec<String> = old.iter().flat_map(copies).collect();
        self.remote.delete_all(&paths, self.crew)?;
        retry(|| self.remote.write(Releases::NAME, &all.bytes()))
    }
}

fn entry_of<'m>(manifest: &'m Manifest, path: &str) -> Option<&'m super::manifest::Entry> {
    manifest.files.get(path).or_else(|| manifest.kept.get(path).map(|kept| &kept.entry))
}

/// Every file of a release.
fn copies(release: &Release) -> Vec<String> {
    release.files.iter().map(|path| release.place(path)).chain([release.before()]).collect()
}

/// The releases of a host.
///
/// # Errors
/// When it cannot be asked, or its list cannot be believed.
pub fn releases(remote: &dyn Remote) -> Result<Releases, Failure> {
    match retry(|| remote.read(Releases::NAME, LIMIT))? {
        None => Ok(Releases::default()),
        Some(bytes) => Releases::read(&bytes).map_err(|e| unbelievable(Releases::NAME, &e)),
    }
}

/// A name that sorts by time.
fn new_id() -> String {
    let now = jiff::Timestamp::now();
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), std::process::id())
}

/// The difference of the site here and a host.
#[must_use]
pub fn compare(here: Vec<LocalFile>, now: &Manifest, force: Force, keeping: Keeping) -> Difference {
    let compare = if force == Force::Yes { Compare::Nothing } else { Compare::Difference };
    Difference::of(here, now, compare, keeping)
}

/// Puts back what the last release replaced: assets first, then pages and what tells of them; then what came with it goes.
///
/// # Errors
/// When there is no release, or the host does not do it. The release is then still there.
pub fn roll_back(remote: &dyn Remote, crew: &Crew<'_>) -> Result<(Manifest, usize), Failure> {
    let there = There::read(remote)?;
    let mut all = releases(remote)?;
    let Some(release) = all.releases.pop() else {
        return Err(Failure::new(FailureKind::Other, "there is no earlier release to go back to"));
    };
    let now = there.now();
    let before = retry(|| remote.read(&release.before(), LIMIT))?
        .ok_or_else(|| Failure::new(FailureKind::Other, "the manifest of the release before has gone"))?;
    let before = Manifest::read(&before).map_err(|e| unbelievable(&release.before(), &e))?;
    let mut pairs: BTreeMap<_, Vec<(String, String)>> = BTreeMap::new();
    for path in &release.files {
        pairs.entry(super::headers::group(path)).or_default().push((release.place(path), path.clone()));
    }
    let gone: Vec<String> = now.files.keys().chain(now.leaving.keys()).filter(|path| !before.owns(path)).cloned().collect();
    crew.progress.stage(Step::Restoring.name(), release.files.len() + gone.len());
    for group in pairs.values() {
        remote.copy_all(group, crew)?;
    }
    let mut manifest = before;
    manifest.leaving = gone.iter().filter_map(|path| Some((path.clone(), entry_of(&now, path).or_else(|| now.leaving.get(path))?.clone()))).collect();
    retry(|| remote.write(NAME, &manifest.bytes()))?;
    remote.delete_all(&gone, crew)?;
    manifest.leaving.clear();
    retry(|| remote.write(NAME, &manifest.bytes()))?;
    retry(|| remote.delete(JOURNAL))?;
    retry(|| remote.write(Releases::NAME, &all.bytes()))?;
    remote.delete_all(&copies(&release), crew)?;
    Ok((manifest, release.files.len() + gone.len()))
}
