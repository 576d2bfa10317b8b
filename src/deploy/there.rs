//! What a host has, as far as it is known.

use std::collections::BTreeSet;

use super::failure::{Failure, FailureKind, retry};
use super::manifest::{Entry, JOURNAL, Journal, LIMIT, Manifest, NAME};
use super::remote::Remote;

/// What a host has.
#[derive(Clone, Debug, Default)]
pub struct There {
    /// What the last whole deploy put there.
    pub manifest: Manifest,
    /// A deploy or a rollback that was broken off.
    pub journal: Option<Journal>,
    /// The manifest's bytes marked, as journals name it.
    pub mark: String,
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
        // A journal of another manifest's: that deploy had come to its end. A rollback writes its own first and deletes it last.
        Ok(Self { manifest, journal: journal.filter(|j| j.base == mark || j.rolling_back.is_some()), mark })
    }

    /// The files that are there. Those that a broken deploy has brought count; of those that it may have touched nothing is
    /// known but that they are ours.
    #[must_use]
    pub fn now(&self) -> Manifest {
        let mut manifest = self.manifest.clone();
        let Some(journal) = &self.journal else { return manifest };
        let unknown = || Entry { hash: String::new(), size: 0, headers: None };
        for path in journal.planned.iter().filter(|path| !journal.done.contains_key(*path)) {
            manifest.kept.remove(path);
            match manifest.files.get_mut(path) {
                Some(entry) => *entry = unknown(),
                None => {
                    manifest.leaving.insert(path.clone(), unknown());
                }
            }
        }
        for (path, entry) in &journal.done {
            manifest.kept.remove(path);
            manifest.files.insert(path.clone(), entry.clone());
        }
        manifest
    }

    /// Paths whose content may not be what the manifest says any more.
    #[must_use]
    pub fn touched(&self) -> BTreeSet<String> {
        self.journal.iter().flat_map(|journal| journal.planned.iter().chain(journal.done.keys())).cloned().collect()
    }
}

/// What a host says of itself and cannot be so.
pub fn unbelievable(name: &str, why: &str) -> Failure {
    let message = format!("{name} there cannot be believed: {why}. Delete it there to deploy everything anew (with --force, over what is there)");
    Failure::new(FailureKind::Other, message)
}
