//! Which files have changed: stamps say which to read, contents decide.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Look;
use crate::load::{Disk, Sources};
use crate::memo::Mark;
use crate::paths::SourcePath;
use crate::pipeline::files::Entry;

/// Files that are not what they were.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// New files, and files with another content.
    pub written: Vec<SourcePath>,
    /// With the content that they had.
    pub removed: Vec<(SourcePath, Mark)>,
    /// Those among the written that were not there before.
    pub added: Vec<SourcePath>,
}

impl Edits {
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }

    /// Every file, in order.
    pub(super) fn files(&self) -> Vec<SourcePath> {
        let mut all: Vec<SourcePath> = self.written.iter().chain(self.removed.iter().map(|(path, _)| path)).cloned().collect();
        all.sort();
        all
    }

    /// Files that went, with one that came and holds the same.
    pub(super) fn renamed(&self, files: &BTreeMap<SourcePath, Entry>) -> BTreeMap<SourcePath, SourcePath> {
        let came = |mark: Mark| self.added.iter().find(|path| files.get(*path).is_some_and(|e| e.mark == mark));
        self.removed.iter().filter_map(|(path, mark)| Some((path.clone(), came(*mark)?.clone()))).collect()
    }
}

/// Brings `files` up to date where it was told to look, and says what has changed. `looked` is when everything was
/// last looked at, in nanoseconds since the epoch: a stamp that was settled by then is believed.
pub(super) fn look(
    look: &Look,
    disk: &Disk,
    sources: &Sources,
    outlying: Option<&SourcePath>,
    files: &mut BTreeMap<SourcePath, Entry>,
    looked: u64,
) -> Edits {
    let (there, known): (Vec<SourcePath>, Vec<SourcePath>) = match look {
        Look::Everywhere => {
            let there = sources.articles.iter().cloned().chain(sources.files()).chain(outlying.cloned());
            (there.collect(), files.keys().cloned().collect())
        }
        Look::At(paths) => {
            let there = paths.iter().flat_map(|path| sources.at_or_below(path)).chain(outlying.filter(|o| paths.contains(*o)).cloned());
            (there.collect(), paths.iter().flat_map(|path| known_at_or_below(files, path)).collect())
        }
    };
    let seen: Vec<(SourcePath, Entry)> = there.into_par_iter().filter_map(|path| see(disk, path, files, looked)).collect();
    let mut edits = Edits::default();
    let mut still = std::collections::BTreeSet::new();
    for (path, entry) in seen {
        still.insert(path.clone());
        match files.insert(path.clone(), entry) {
            Some(old) if old.mark == entry.mark => {}
            Some(_) => edits.written.push(path),
            None => {
                edits.added.push(path.clone());
                edits.written.push(path);
            }
        }
    }
    for path in known.into_iter().filter(|path| !still.contains(path)) {
        if let Some(old) = files.remove(&path) {
            edits.removed.push((path, old.mark));
        }
    }
    edits.written.sort();
    edits.written.dedup();
    edits
}

fn known_at_or_below<'a>(files: &'a BTreeMap<SourcePath, Entry>, path: &SourcePath) -> impl Iterator<Item = SourcePath> + 'a {
    let (own, below) = (path.clone(), format!("{path}/"));
    let rest = files.range(own..).map(|(path, _)| path.clone());
    let path = path.clone();
    // Between a path and what lies below it stand names that go on from it with a sign less than a slash.
    rest.take_while(move |p| p.as_str() < below.as_str() || p.as_str().starts_with(&below))
        .filter(move |p| *p == path || p.below(path.as_str()).is_some())
}

/// A file as it is now; `None` when it cannot be read.
fn see(disk: &Disk, path: SourcePath, files: &BTreeMap<SourcePath, Entry>, looked: u64) -> Option<(SourcePath, Entry)> {
    let stamp = disk.stamp(&path)?;
    let old = files.get(&path);
    if let Some(old) = old.filter(|old| old.stamp == stamp && stamp.is_settled(looked)) {
        return Some((path, *old));
    }
    let mark = Mark::of(&disk.bytes(&path).ok()?);
    let parsed = old.filter(|old| old.mark == mark).and_then(|old| old.parsed);
    Some((path, Entry { stamp, mark, parsed }))
}
