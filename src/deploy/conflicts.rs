//! Conflicts between the files of a deploy and what is at their paths on the host.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::Difference;
use super::error::HostError;
use super::file_host::{FileHost, RemoteFile};
use super::manifest::{Manifest, ManifestEntry};
use super::worker_pool::WorkerPool;

/// Checks that a deploy overwrites no files of others, and needs no folder where one of them is.
///
/// # Errors
/// The files of others that are in the way, or that the host cannot tell.
pub fn check(
    host: &dyn FileHost,
    difference: &Difference,
    current: &Manifest,
    workers: &WorkerPool<'_>,
) -> Result<(), HostError> {
    let own = || {
        let paths = current.files.keys().chain(current.kept.keys()).chain(current.leaving.keys());
        paths.map(String::as_str)
    };
    let known: BTreeSet<&str> = own().chain(own().flat_map(parent_folders)).collect();
    let new: BTreeSet<&str> = difference
        .uploads
        .iter()
        .map(|u| u.file.path.as_str())
        .filter(|path| !current.owns(path))
        .flat_map(|path| parent_folders(path).chain([path]))
        .filter(|path| !known.contains(path))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let new: Vec<&str> = new.into_iter().collect();
    refuse(&host.existing(&new, workers)?.into_keys().collect())
}

/// The files of the last deploy that a difference replaces or deletes and that are no longer as
/// that deploy left them. Of files that an interrupted deploy may have `touched` that is not known.
///
/// # Errors
/// When the host cannot tell.
pub fn changed(
    host: &dyn FileHost,
    difference: &Difference,
    current: &Manifest,
    touched: &BTreeSet<String>,
    workers: &WorkerPool<'_>,
) -> Result<BTreeSet<String>, HostError> {
    let replaced = difference.uploads.iter().map(|u| u.file.path.as_str());
    let paths = replaced.chain(difference.deletes.iter().map(String::as_str));
    let known: BTreeMap<&str, ManifestEntry> = paths
        .filter(|path| !touched.contains(*path))
        .map(|path| (path, current.entry(path)))
        .filter(|(_, entry)| !entry.hash.is_empty())
        .collect();
    if known.is_empty() {
        return Ok(BTreeSet::new());
    }
    let paths: Vec<&str> = known.keys().copied().collect();
    let is_changed = |(path, found): &(String, RemoteFile)| {
        known.get(path.as_str()).is_some_and(|entry| {
            entry.size != found.size || found.hash.as_ref().is_some_and(|hash| *hash != entry.hash)
        })
    };
    let existing = host.existing(&paths, workers)?;
    Ok(existing.into_iter().filter(is_changed).map(|(path, _)| path).collect())
}

/// Keeps those of the files to be deleted that were changed on the host, and returns them.
///
/// # Errors
/// The changed files that would be replaced, or are where a folder of the site must be.
pub fn keep_changed(
    difference: &mut Difference,
    changed: &BTreeSet<String>,
) -> Result<Vec<String>, HostError> {
    let (kept, deletes): (Vec<String>, Vec<String>) =
        std::mem::take(&mut difference.deletes).into_iter().partition(|p| changed.contains(p));
    difference.deletes = deletes;
    let in_the_way = in_the_way(&kept, difference.files.keys().map(String::as_str));
    let replaced = difference.uploads.iter().map(|u| u.file.path.as_str());
    let replaced = replaced.filter(|path| changed.contains(*path)).map(str::to_owned);
    let refused: BTreeSet<String> = replaced.chain(in_the_way).collect();
    if refused.is_empty() {
        return Ok(kept);
    }
    Err(HostError::other(format!(
        "{} would be overwritten, and changed on the host since the last deploy; take the change \
         over into the site, or overwrite it with --force",
        examples(&refused)
    )))
}

/// Checks the same against a list of the files of others.
///
/// # Errors
/// The files of others that are in the way.
pub fn check_listed<'a>(
    paths: impl Iterator<Item = &'a String>,
    others: &BTreeSet<String>,
) -> Result<(), HostError> {
    let conflict = |path: &'a String| {
        let prefix = format!("{path}/");
        let above = parent_folders(path).find_map(|folder| others.get(folder));
        let below =
            || others.range(prefix.clone()..).next().filter(|other| other.starts_with(&prefix));
        others.get(path).or(above).or_else(below).cloned()
    };
    refuse(&paths.filter_map(conflict).collect())
}

/// The folders that a path lies in, outer ones first.
pub fn parent_folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Those of the files to be deleted that are where a folder must be, or lie in a folder where a
/// file must be.
pub fn in_the_way<'a>(deletes: &[String], files: impl Iterator<Item = &'a str>) -> Vec<String> {
    let files: BTreeSet<&str> = files.collect();
    let folders: BTreeSet<&str> = files.iter().flat_map(|path| parent_folders(path)).collect();
    let is_in_the_way = |path: &&String| {
        folders.contains(path.as_str()) || parent_folders(path).any(|folder| files.contains(folder))
    };
    deletes.iter().filter(is_in_the_way).cloned().collect()
}

fn refuse(existing: &BTreeSet<String>) -> Result<(), HostError> {
    if existing.is_empty() {
        return Ok(());
    }
    Err(HostError::other(format!(
        "{} would be overwritten, and Folio did not put it there; move it away, or overwrite it \
         with --force",
        examples(existing)
    )))
}

/// The first few of some paths, and how many more there are.
pub fn examples(paths: &BTreeSet<String>) -> String {
    const EXAMPLES: usize = 5;
    let first: Vec<String> = paths.iter().take(EXAMPLES).map(|path| format!("`{path}`")).collect();
    match paths.len().saturating_sub(EXAMPLES) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
