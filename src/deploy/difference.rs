//! The site as it is here against the site as it is there: what to upload, in which order, and what to delete. Pure.

use std::collections::BTreeMap;

use super::files::LocalFile;
use super::headers::Group;
use super::manifest::{Entry, Kept, Manifest};

/// Why a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// It is not there.
    New,
    Content,
    /// Only what the host says of it is different.
    Headers,
    /// The user wants every file anew.
    Forced,
}

/// A file to upload.
#[derive(Clone, Debug)]
pub struct Upload {
    pub file: LocalFile,
    pub why: Why,
    pub group: Group,
}

/// What a deploy has to do.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// By group, then by path.
    pub uploads: Vec<Upload>,
    pub unchanged: usize,
    /// Bytes of what is uploaded.
    pub bytes: u64,
    pub deletes: Vec<String>,
    /// Old files with fingerprinted names that stay for now.
    pub kept: BTreeMap<String, Kept>,
    /// What the host has when all is done.
    pub files: BTreeMap<String, Entry>,
}

/// How files are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Only what differs is uploaded.
    Difference,
    /// Everything is.
    Nothing,
}

/// For how long old files with fingerprinted names stay.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// Seconds since the epoch.
    pub now: i64,
    pub days: u32,
}

impl Difference {
    /// What is to be done so that a host with `there` has `here`.
    #[must_use]
    pub fn of(here: Vec<LocalFile>, there: &Manifest, compare: Compare, keeping: Keeping) -> Self {
        let mut result = Self::default();
        for file in here {
            let path = file.path.as_str().to_owned();
            result.files.insert(path.clone(), file.entry.clone());
            // A kept file is as it was; when it is part of the site again it need not be sent again.
            let old = there.files.get(&path).or_else(|| there.kept.get(&path).map(|k| &k.entry));
            match reason(&file.entry, old, compare) {
                None => result.unchanged += 1,
                Some(why) => {
                    let group = if why == Why::New && file.group == Group::Pages { Group::NewPages } else { file.group };
                    result.bytes += file.entry.size;
                    result.uploads.push(Upload { file, why, group });
                }
            }
        }
        result.uploads.sort_by(|a, b| (a.group, &a.file.path).cmp(&(b.group, &b.file.path)));
        result.retire(there, keeping);
        result
    }

    /// Decides about files that are no longer part of the site.
    fn retire(&mut self, there: &Manifest, keeping: Keeping) {
        let limit = i64::from(keeping.days) * 24 * 60 * 60;
        let gone = |path: &&String| !self.files.contains_key(*path);
        let mut deletes: Vec<String> = there.leaving.keys().filter(gone).cloned().collect();
        let mut kept = BTreeMap::new();
        for (path, entry) in there.files.iter().filter(|(path, _)| gone(path)) {
            if super::headers::group(path) == Group::Fingerprinted && limit > 0 {
                kept.insert(path.clone(), Kept { entry: entry.clone(), since: keeping.now });
            } else {
                deletes.push(path.clone());
            }
        }
        for (path, old) in there.kept.iter().filter(|(path, _)| gone(path)) {
            if keeping.now.saturating_sub(old.since) < limit {
                kept.insert(path.clone(), old.clone());
            } else {
                deletes.push(path.clone());
            }
        }
        deletes.sort_unstable();
        deletes.dedup();
        self.deletes = deletes;
        self.kept = kept;
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uploads.is_empty() && self.deletes.is_empty()
    }

    /// Paths of files that are uploaded for this reason.
    pub fn of_kind(&self, why: Why) -> impl Iterator<Item = &Upload> {
        self.uploads.iter().filter(move |u| u.why == why)
    }

    /// Whether more is deleted than goes without a question: more than `most`, or than a third of what is there.
    #[must_use]
    pub fn deletes_much(&self, there: &Manifest, most: usize) -> bool {
        self.deletes.len() > most || self.deletes.len() * 3 > there.files.len().max(self.files.len())
    }
}

fn reason(new: &Entry, old: Option<&Entry>, compare: Compare) -> Option<Why> {
    match old {
        None => Some(Why::New),
        Some(old) if old.hash != new.hash || old.size != new.size => Some(Why::Content),
        Some(old) if old.headers != new.headers => Some(Why::Headers),
        Some(_) if compare == Compare::Nothing => Some(Why::Forced),
        Some(_) => None,
    }
}
