//! What deploys replaced, kept on the host so that it can be gone back to.

use std::collections::{BTreeMap, BTreeSet};

use super::Step;
use super::crew::Crew;
use super::failure::{Failure, FailureKind, retry};
use super::manifest::{Entry, JOURNAL, Journal, LIMIT, Manifest, NAME, Release, Releases};
use super::remote::Remote;
use super::there::{There, unbelievable};

/// How many can be gone back to.
const MOST: usize = 5;

/// The releases of a host.
///
/// # Errors
/// When it cannot be asked, or its list cannot be believed.
pub fn read(remote: &dyn Remote) -> Result<Releases, Failure> {
    match retry(|| remote.read(Releases::NAME, LIMIT))? {
        None => Ok(Releases::default()),
        Some(bytes) => Releases::read(&bytes).map_err(|e| unbelievable(Releases::NAME, &e)),
    }
}

/// Puts a release into the list of those that can be gone back to, with the manifest before it.
///
/// # Errors
/// When the host does not take it.
pub fn add(remote: &dyn Remote, release: &Release, before: &Manifest) -> Result<(), Failure> {
    retry(|| remote.write(&release.before(), &before.bytes()))?;
    let mut all = read(remote)?;
    all.releases.retain(|r| r.id != release.id);
    all.releases.push(release.clone());
    retry(|| remote.write(Releases::NAME, &all.bytes()))
}

/// Deletes releases beyond those that are kept; all of them where they no longer fit what is there.
///
/// # Errors
/// When the host does not do it.
pub fn prune(remote: &dyn Remote, keep: Keep, crew: &Crew<'_>) -> Result<(), Failure> {
    let mut all = read(remote)?;
    let surplus = match keep {
        Keep::Newest => all.releases.len().saturating_sub(MOST),
        Keep::None => all.releases.len(),
    };
    if surplus == 0 {
        return Ok(());
    }
    let old: Vec<Release> = all.releases.drain(..surplus).collect();
    let paths: Vec<String> = old.iter().flat_map(copies).collect();
    remote.delete_all(&paths, crew)?;
    retry(|| remote.write(Releases::NAME, &all.bytes()))
}

/// Which releases stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Newest,
    None,
}

/// Every file of a release.
fn copies(release: &Release) -> Vec<String> {
    release.files.iter().map(|path| release.place(path)).chain([release.before()]).collect()
}

/// A name that sorts by time.
pub fn new_id() -> String {
    let now = jiff::Timestamp::now();
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), std::process::id())
}

/// Puts back what the last release replaced: assets first, then pages and what tells of them; then what came with it goes.
/// A journal says that this is under way, and is deleted last; a rollback that was broken off is done again.
///
/// # Errors
/// When there is no release, or the host does not do it. The release is then still there.
pub fn roll_back(remote: &dyn Remote, crew: &Crew<'_>) -> Result<(Manifest, usize), Failure> {
    let there = There::read(remote)?;
    let mut all = read(remote)?;
    let under_way = there.journal.as_ref().and_then(|j| j.rolling_back.clone());
    let ended = under_way.is_some_and(|id| all.releases.iter().all(|r| r.id != id));
    if ended {
        // All that was left to do was to say so.
        retry(|| remote.delete(JOURNAL))?;
        return Ok((there.manifest, 0));
    }
    let Some(release) = all.releases.pop() else {
        return Err(Failure::new(FailureKind::Other, "there is no earlier release to go back to"));
    };
    let now = there.now();
    let before = retry(|| remote.read(&release.before(), LIMIT))?
        .ok_or_else(|| Failure::new(FailureKind::Other, "the manifest of the release before has gone"))?;
    let before = Manifest::read(&before).map_err(|e| unbelievable(&release.before(), &e))?;
    let gone: Vec<String> = now.files.keys().chain(now.leaving.keys()).filter(|path| !before.owns(path)).cloned().collect();
    let planned = there.touched().into_iter().chain(release.files.iter().cloned()).chain(gone.iter().cloned()).collect();
    let journal = Journal { base: there.mark.clone(), planned, rolling_back: Some(release.id.clone()), ..Journal::default() };
    retry(|| remote.write(JOURNAL, &journal.bytes()))?;

    crew.progress.stage(Step::Restoring.name(), release.files.len() + gone.len());
    let mut groups: BTreeMap<_, Vec<(String, String)>> = BTreeMap::new();
    for path in &release.files {
        groups.entry(super::headers::group(path)).or_default().push((release.place(path), path.clone()));
    }
    let in_the_way = super::publish::in_the_way(&gone, before.files.keys().map(String::as_str));
    let moved: BTreeSet<&String> = in_the_way.iter().collect();
    let gone: Vec<String> = gone.into_iter().filter(|path| !moved.contains(path)).collect();
    remote.delete_all(&in_the_way, crew)?;
    for group in groups.values() {
        remote.copy_all(group, crew)?;
    }
    let mut manifest = before;
    manifest.leaving = gone.iter().map(|path| (path.clone(), entry(&now, path))).collect();
    retry(|| remote.write(NAME, &manifest.bytes()))?;
    remote.delete_all(&gone, crew)?;
    manifest.leaving.clear();
    retry(|| remote.write(NAME, &manifest.bytes()))?;
    retry(|| remote.write(Releases::NAME, &all.bytes()))?;
    remote.delete_all(&copies(&release), crew)?;
    retry(|| remote.delete(JOURNAL))?;
    Ok((manifest, release.files.len() + gone.len() + in_the_way.len()))
}

/// What a manifest says of a path, wherever it says it.
pub fn entry(manifest: &Manifest, path: &str) -> Entry {
    let known = manifest.files.get(path).or_else(|| manifest.kept.get(path).map(|kept| &kept.entry)).or_else(|| manifest.leaving.get(path));
    known.cloned().unwrap_or(Entry { hash: String::new(), size: 0, headers: None })
}
