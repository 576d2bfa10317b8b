//! The difference between the built site and what a host holds: what to upload, in which order, and
//! what to delete. Pure.

use std::collections::BTreeMap;

use super::files::LocalFile;
use super::headers::Group;
use super::manifest::{Manifest, ManifestEntry, RetainedFile};

/// Why a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadReason {
    /// The host does not have it.
    New,
    Content,
    /// Only its headers differ.
    Headers,
    /// The user wants every file to be sent.
    Forced,
}

/// A file to upload.
#[derive(Clone, Debug)]
pub struct Upload {
    pub file: LocalFile,
    pub reason: UploadReason,
    pub group: Group,
}

/// What a deploy has to do.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// By group, then by path.
    pub uploads: Vec<Upload>,
    pub unchanged: usize,
    /// The bytes to upload.
    pub bytes: u64,
    pub deletes: Vec<String>,
    /// Old files with hashed names that are retained for now.
    pub retained: BTreeMap<String, RetainedFile>,
    /// What the host holds afterwards.
    pub files: BTreeMap<String, ManifestEntry>,
}

/// How long old files with hashed names are retained.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Seconds since the epoch.
    pub now: i64,
    pub days: u32,
}

impl Difference {
    /// What has to be done so that a host that holds `remote` holds `files`. With `force` every
    /// file is uploaded.
    #[must_use]
    pub fn of(files: Vec<LocalFile>, remote: &Manifest, force: bool, retention: Retention) -> Self {
        let mut result = Self::default();
        for file in files {
            let path = file.path.as_str().to_owned();
            result.files.insert(path.clone(), file.entry.clone());
            // A retained file that is part of the site again need not be uploaded.
            let old = remote.files.get(&path).or_else(|| remote.kept.get(&path).map(|k| &k.entry));
            match reason(&file.entry, old, force) {
                None => result.unchanged += 1,
                Some(reason) => {
                    let group = if reason == UploadReason::New && file.group == Group::Pages {
                        Group::NewPages
                    } else {
                        file.group
                    };
                    result.bytes += file.entry.size;
                    result.uploads.push(Upload { file, reason, group });
                }
            }
        }
        result.uploads.sort_by(|a, b| (a.group, &a.file.path).cmp(&(b.group, &b.file.path)));
        result.retire(remote, retention);
        result
    }

    /// Retains or deletes files that are no longer part of the site.
    fn retire(&mut self, remote: &Manifest, retention: Retention) {
        let limit = i64::from(retention.days) * 24 * 60 * 60;
        let has_left = |path: &&String| !self.files.contains_key(*path);
        let mut deletes: Vec<String> = remote.leaving.keys().filter(has_left).cloned().collect();
        let mut kept = BTreeMap::new();
        for (path, entry) in remote.files.iter().filter(|(path, _)| has_left(path)) {
            if super::headers::group(path) == Group::Hashed && limit > 0 {
                kept.insert(
                    path.clone(),
                    RetainedFile { entry: entry.clone(), since: retention.now },
                );
            } else {
                deletes.push(path.clone());
            }
        }
        for (path, old) in remote.kept.iter().filter(|(path, _)| has_left(path)) {
            if retention.now.saturating_sub(old.since) < limit {
                kept.insert(path.clone(), old.clone());
            } else {
                deletes.push(path.clone());
            }
        }
        deletes.sort_unstable();
        deletes.dedup();
        self.deletes = deletes;
        self.retained = kept;
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uploads.is_empty() && self.deletes.is_empty()
    }

    /// Whether so much is deleted that it needs confirmation: more than `max` files, or more than a
    /// third of all.
    #[must_use]
    pub fn deletes_many(&self, remote: &Manifest, max: usize) -> bool {
        self.deletes.len() > max
            || self.deletes.len() * 3 > remote.files.len().max(self.files.len())
    }
}

fn reason(new: &ManifestEntry, old: Option<&ManifestEntry>, force: bool) -> Option<UploadReason> {
    match old {
        None => Some(UploadReason::New),
        Some(old) if old.hash != new.hash || old.size != new.size => Some(UploadReason::Content),
        Some(old) if old.headers != new.headers => Some(UploadReason::Headers),
        Some(_) if force => Some(UploadReason::Forced),
        Some(_) => None,
    }
}
