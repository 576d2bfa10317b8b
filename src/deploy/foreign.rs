//! Files on a host that Folio did not put there: nothing is written over them.

use std::collections::BTreeSet;

use super::crew::Crew;
use super::difference::Difference;
use super::failure::{Failure, FailureKind};
use super::manifest::Manifest;
use super::remote::Remote;

/// Refuses to write over files of others, or to make a folder where one of them stands.
///
/// # Errors
/// When there are any, or the host cannot be asked.
pub fn refuse(remote: &dyn Remote, difference: &Difference, now: &Manifest, crew: &Crew<'_>) -> Result<(), Failure> {
    let ours = || now.files.keys().chain(now.kept.keys()).chain(now.leaving.keys()).map(String::as_str);
    let known: BTreeSet<&str> = ours().chain(ours().flat_map(folders)).collect();
    let new = difference.uploads.iter().map(|u| u.file.path.as_str()).filter(|path| !now.owns(path));
    let new: BTreeSet<&str> = new.flat_map(|path| folders(path).chain([path])).filter(|path| !known.contains(path)).collect();
    let new: Vec<&str> = new.into_iter().collect();
    if new.is_empty() {
        return Ok(());
    }
    tell(&remote.taken(&new, crew)?.into_iter().collect::<Vec<_>>())
}

/// Refuses what is among the files of others, or cannot stand beside them.
///
/// # Errors
/// When there are any.
pub fn refuse_listed<'a>(paths: impl Iterator<Item = &'a String>, others: &BTreeSet<String>) -> Result<(), Failure> {
    let clash = |path: &'a String| {
        let below = format!("{path}/");
        let above = folders(path).find_map(|folder| others.get(folder));
        let under = || others.range(below.clone()..).next().filter(|other| other.starts_with(&below));
        others.get(path).or(above).or_else(under).cloned()
    };
    tell(&paths.filter_map(clash).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>())
}

/// The folders that a path lies in, outer ones first.
pub fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

fn tell(taken: &[String]) -> Result<(), Failure> {
    if taken.is_empty() {
        return Ok(());
    }
    let some = taken.iter().take(5).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    let more = if taken.len() > 5 { format!(" and {} more", taken.len() - 5) } else { String::new() };
    let message = format!("{some}{more} would be written over, and Folio did not put it there; move it away, or take it over with --force");
    Err(Failure::new(FailureKind::Other, message))
}
