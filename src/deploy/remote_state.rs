//! What a host holds, as far as its manifest and journal tell.

use std::collections::BTreeSet;

use super::error::{HostError, retry};
use super::file_host::FileHost;
use super::files::hash;
use super::manifest::{JOURNAL, Journal, MANIFEST, MAX_MANIFEST, Manifest, ManifestEntry, invalid};

/// What a host holds.
#[derive(Clone, Debug, Default)]
pub struct RemoteState {
    /// The manifest of the last complete deploy.
    pub manifest: Manifest,
    /// The journal of a deploy or rollback that was interrupted.
    pub journal: Option<Journal>,
    /// The hash of the manifest, by which journals refer to it.
    pub manifest_hash: String,
}

impl RemoteState {
    /// Reads the state of a host.
    ///
    /// # Errors
    /// When it cannot be read, or the manifest or journal is invalid.
    pub fn read(host: &dyn FileHost) -> Result<Self, HostError> {
        let bytes = retry(|| host.read(MANIFEST, MAX_MANIFEST))?;
        let manifest = bytes
            .as_deref()
            .map(|b| Manifest::read(b).map_err(|e| invalid(MANIFEST, &e)))
            .transpose()?
            .unwrap_or_default();
        let manifest_hash = hash(&bytes.unwrap_or_default());
        let journal = retry(|| host.read(JOURNAL, MAX_MANIFEST))?
            .map(|b| Journal::read(&b).map_err(|e| invalid(JOURNAL, &e)))
            .transpose()?;
        // A journal about another manifest is left over from a deploy that was completed. A
        // rollback replaces the manifest, and deletes its journal last.
        let journal = journal.filter(|j| j.base == manifest_hash || j.rolling_back.is_some());
        Ok(Self { manifest, journal, manifest_hash })
    }

    /// Whether a rollback was interrupted.
    #[must_use]
    pub fn is_rolling_back(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.rolling_back.is_some())
    }

    /// The files that the host holds now. Files that an interrupted deploy has uploaded count; of
    /// those it may have touched, only the names are known.
    #[must_use]
    pub fn current(&self) -> Manifest {
        let mut manifest = self.manifest.clone();
        let Some(journal) = &self.journal else { return manifest };
        for path in journal.planned.iter().filter(|path| !journal.done.contains_key(*path)) {
            manifest.kept.remove(path);
            match manifest.files.get_mut(path) {
                Some(entry) => *entry = ManifestEntry::unknown(),
                None => {
                    manifest.leaving.insert(path.clone(), ManifestEntry::unknown());
                }
            }
        }
        for (path, entry) in &journal.done {
            manifest.kept.remove(path);
            manifest.files.insert(path.clone(), entry.clone());
        }
        manifest
    }

    /// Paths whose content may no longer be what the manifest says.
    #[must_use]
    pub fn touched(&self) -> BTreeSet<String> {
        self.journal
            .iter()
            .flat_map(|journal| journal.planned.iter().chain(journal.done.keys()))
            .cloned()
            .collect()
    }
}
