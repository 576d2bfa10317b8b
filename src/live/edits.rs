//! Finds out which files have changed: stamps tell which files to read, and fingerprints of their
//! content decide.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::scan_scope::ScanScope;
use crate::cache::Fingerprint;
use crate::load::{Disk, Sources};
use crate::paths::SourcePath;
use crate::session::{FileEntry, FileTable};

/// Files that have changed.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// New files, and files with other content.
    pub written: Vec<SourcePath>,
    /// Removed files, with the fingerprints of what they contained.
    pub removed: Vec<(SourcePath, Fingerprint)>,
    /// The new files among `written`.
    pub added: Vec<SourcePath>,
}

impl Edits {
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }

    /// Every changed file, sorted by path.
    pub(super) fn files(&self) -> Vec<SourcePath> {
        let removed = self.removed.iter().map(|(path, _)| path);
        let mut all: Vec<SourcePath> = self.written.iter().chain(removed).cloned().collect();
        all.sort();
        all
    }

    /// Removed files whose content was added under another path: old path → new path.
    pub(super) fn renamed(&self, files: &FileTable) -> BTreeMap<SourcePath, SourcePath> {
        let new_path = |content: Fingerprint| {
            let mut added = self.added.iter();
            added.find(|path| files.get(*path).is_some_and(|e| e.fingerprint == content))
        };
        self.removed
            .iter()
            .filter_map(|(path, content)| Some((path.clone(), new_path(*content)?.clone())))
            .collect()
    }
}

/// Updates `files` within a scope, and returns what has changed. `scanned` is the time of the last
/// complete scan, in nanoseconds since the epoch: a stamp that was settled by then is trusted.
/// `unlisted` is a file that the site reads although no scan lists it.
pub(super) fn find_edits(
    scope: &ScanScope,
    disk: &Disk,
    sources: &Sources,
    unlisted: Option<&SourcePath>,
    files: &mut FileTable,
    scanned: u64,
) -> Edits {
    let (present, known): (Vec<SourcePath>, Vec<SourcePath>) = match scope {
        ScanScope::Everything => {
            let listed = sources.articles.iter().cloned().chain(sources.files());
            (listed.chain(unlisted.cloned()).collect(), files.keys().cloned().collect())
        }
        ScanScope::Paths(paths) => {
            let listed = paths.iter().flat_map(|path| sources.at_or_below(path));
            let unlisted = unlisted.filter(|path| paths.contains(*path)).cloned();
            let known = paths.iter().flat_map(|path| known_at_or_below(files, path));
            (listed.chain(unlisted).collect(), known.collect())
        }
    };
    let read: Vec<(SourcePath, FileEntry)> = present
        .into_par_iter()
        .filter_map(|path| {
            let entry = FileEntry::read(disk, &path, files.get(&path), scanned)?;
            Some((path, entry))
        })
        .collect();
    let mut edits = Edits::default();
    let mut readable = BTreeSet::new();
    for (path, entry) in read {
        readable.insert(path.clone());
        match files.insert(path.clone(), entry) {
            Some(old) if old.fingerprint == entry.fingerprint => {}
            Some(_) => edits.written.push(path),
            None => {
                edits.added.push(path.clone());
                edits.written.push(path);
            }
        }
    }
    for path in known.into_iter().filter(|path| !readable.contains(path)) {
        if let Some(old) = files.remove(&path) {
            edits.removed.push((path, old.fingerprint));
        }
    }
    edits.written.sort();
    edits.written.dedup();
    edits
}

fn known_at_or_below<'a>(
    files: &'a FileTable,
    path: &SourcePath,
) -> impl Iterator<Item = SourcePath> + 'a {
    let (path, prefix) = (path.clone(), format!("{path}/"));
    let from = files.range(path.clone()..).map(|(path, _)| path.clone());
    // Names such as `a-b`, which sort between `a` and `a/`, lie in the range but not below the
    // path.
    let end = prefix.clone();
    from.take_while(move |p| p.as_str() < end.as_str() || p.as_str().starts_with(&end))
        .filter(move |p| *p == path || p.as_str().starts_with(&prefix))
}
