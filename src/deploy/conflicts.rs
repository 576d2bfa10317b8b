//! Conflicts between the files of a deploy and what is at their paths on the host.

use std::collections::BTreeSet;

use super::difference::Difference;
use super::error::HostError;
use super::file_host::FileHost;
use super::manifest::Manifest;
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
    refuse(&host.existing(&new, workers)?)
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
    const EXAMPLES: usize = 5;
    if existing.is_empty() {
        return Ok(());
    }
    let examples: Vec<String> =
        existing.iter().take(EXAMPLES).map(|path| format!("`{path}`")).collect();
    let more = match existing.len().saturating_sub(EXAMPLES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(HostError::other(format!(
        "{}{more} would be overwritten, and Folio did not put it there; move it away, or overwrite \
         it with --force",
        examples.join(", ")
    )))
}
