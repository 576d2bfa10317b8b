//! The files that Folio writes to a host: the manifest of the last deploy, the journal of a deploy
//! in progress, and the list of releases.
//!
//! They come from outside, so they are checked when they are read: a path that leads out of the
//! site, a name reserved for Folio or an impossible number makes them invalid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::HostError;
use crate::paths::OutPath;

/// The file name of the manifest.
pub const MANIFEST: &str = ".folio-manifest.json";
/// The file name of the journal.
pub const JOURNAL: &str = ".folio-journal.json";
/// The file name of the lock.
pub const LOCK: &str = ".folio-lock.json";
/// The folder of the releases.
pub const RELEASES: &str = ".folio-releases";

/// The largest manifest that is read, in bytes: enough for half a million files.
pub const MAX_MANIFEST: u64 = 64 << 20;

/// The version of the format.
const VERSION: u32 = 1;

/// A file on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// BLAKE3 of the content, the first 128 bits in hexadecimal.
    pub hash: String,
    /// Bytes.
    pub size: u64,
    /// A mark of its headers, where the host keeps any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<String>,
}

impl ManifestEntry {
    /// An entry that equals no file.
    #[must_use]
    pub fn unknown() -> Self {
        Self { hash: String::new(), size: 0, headers: None }
    }
}

/// A file that is no longer part of the site and stays for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetainedFile {
    pub entry: ManifestEntry,
    /// When it left the site, in seconds since the epoch.
    pub since: i64,
}

/// What the last deploy uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format; 0 when nothing was deployed.
    #[serde(default)]
    pub folio: u32,
    /// When it was deployed, in seconds since the epoch.
    #[serde(default)]
    pub deployed: i64,
    #[serde(default)]
    pub base_url: String,
    #[serde(default)]
    pub files: BTreeMap<String, ManifestEntry>,
    /// Old files with hashed names that are retained for a while.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, RetainedFile>,
    /// Files that are being deleted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaving: BTreeMap<String, ManifestEntry>,
}

/// The progress of a deploy or rollback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The hash of the manifest that it started from.
    pub base: String,
    /// Paths that it may have changed.
    pub planned: Vec<String>,
    /// Files that were uploaded.
    pub done: BTreeMap<String, ManifestEntry>,
    /// The release that holds what it replaces.
    pub release: Option<Release>,
    /// Files that are being copied to the release; none of them has been replaced yet.
    #[serde(default)]
    pub copying: Vec<String>,
    /// The release that is being restored, if this is the journal of a rollback.
    #[serde(default)]
    pub rolling_back: Option<String>,
}

/// What a deploy replaced or deleted: copies of these files and the manifest before it, in a folder
/// below [`RELEASES`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub id: String,
    pub files: Vec<String>,
}

/// The releases of a host, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    pub releases: Vec<Release>,
}

impl Manifest {
    /// An empty manifest.
    #[must_use]
    pub fn new(base_url: &str, deployed: i64) -> Self {
        Self { folio: VERSION, deployed, base_url: base_url.to_owned(), ..Self::default() }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// Why it is invalid.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|e| format!("not a manifest: {e}"))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.folio != VERSION {
            return Err(format!(
                "unsupported manifest version {} (expected {VERSION})",
                self.folio
            ));
        }
        check_paths(self.files.keys().chain(self.kept.keys()).chain(self.leaving.keys()))?;
        let entries = self
            .files
            .iter()
            .chain(self.leaving.iter())
            .chain(self.kept.iter().map(|(path, kept)| (path, &kept.entry)));
        check_entries(entries)
    }

    /// The manifest's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// The entry of a path, wherever the manifest lists it.
    #[must_use]
    pub fn entry(&self, path: &str) -> ManifestEntry {
        let kept = || self.kept.get(path).map(|kept| &kept.entry);
        let entry = self.files.get(path).or_else(kept).or_else(|| self.leaving.get(path));
        entry.cloned().unwrap_or_else(ManifestEntry::unknown)
    }

    /// Whether a path is that of a file that Folio uploaded, including files being deleted.
    #[must_use]
    pub fn owns(&self, path: &str) -> bool {
        self.files.contains_key(path)
            || self.kept.contains_key(path)
            || self.leaving.contains_key(path)
    }
}

impl Journal {
    /// Reads a journal.
    ///
    /// # Errors
    /// Why it is invalid.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let journal: Self =
            serde_json::from_slice(bytes).map_err(|e| format!("not a journal: {e}"))?;
        check_paths(journal.planned.iter().chain(journal.done.keys()).chain(&journal.copying))?;
        check_entries(journal.done.iter())?;
        journal.release.iter().try_for_each(Release::check)?;
        Ok(journal)
    }

    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        json(self)
    }
}

impl Release {
    fn check(&self) -> Result<(), String> {
        if self.id.is_empty() || !self.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("`{}` is not the id of a release", self.id.escape_default()));
        }
        check_paths(self.files.iter())
    }

    /// The path of the manifest that it goes back to.
    #[must_use]
    pub fn manifest_path(&self) -> String {
        self.path_of(MANIFEST)
    }

    /// The path of the copy of a file.
    #[must_use]
    pub fn path_of(&self, path: &str) -> String {
        format!("{RELEASES}/{}/{path}", self.id)
    }

    /// The paths of all its files.
    pub fn all_paths(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|path| self.path_of(path)).chain([self.manifest_path()])
    }
}

impl Releases {
    /// The path of the list.
    pub const NAME: &str = ".folio-releases/releases.json";

    /// Reads the list.
    ///
    /// # Errors
    /// Why it is invalid.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let releases: Self =
            serde_json::from_slice(bytes).map_err(|e| format!("not a list of releases: {e}"))?;
        releases.releases.iter().try_for_each(Release::check)?;
        Ok(releases)
    }

    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        json(self)
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The error about an invalid file of Folio's on a host.
#[must_use]
pub fn invalid(name: &str, why: &str) -> HostError {
    HostError::other(format!(
        "the remote {name} is invalid: {why}; delete it to deploy everything again (with --force, \
         over the existing files)"
    ))
}

/// Whether a name is reserved for Folio's own files.
#[must_use]
pub fn is_reserved(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with(".folio-"))
}

fn check_paths<'a>(paths: impl Iterator<Item = &'a String>) -> Result<(), String> {
    for path in paths {
        OutPath::new(path).map_err(|e| format!("it lists `{}`: {e}", path.escape_default()))?;
        if is_reserved(path) {
            return Err(format!("it lists `{}`, which is reserved", path.escape_default()));
        }
    }
    Ok(())
}

fn check_entries<'a>(
    entries: impl Iterator<Item = (&'a String, &'a ManifestEntry)>,
) -> Result<(), String> {
    /// No host accepts larger files, and sums of a few million of them do not overflow.
    const MAX_SIZE: u64 = 1 << 42;
    for (path, entry) in entries {
        let is_hash = |text: &str| text.len() <= 64 && text.chars().all(|c| c.is_ascii_hexdigit());
        if !is_hash(&entry.hash) || !entry.headers.as_deref().is_none_or(is_hash) {
            return Err(format!("the hash of `{}` is invalid", path.escape_default()));
        }
        if entry.size > MAX_SIZE {
            return Err(format!("the size of `{}` is {} bytes", path.escape_default(), entry.size));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_manifests_are_refused() {
        let with = |path: &str, size: &str, hash: &str| {
            let text =
                format!(r#"{{"folio":1,"files":{{"{path}":{{"hash":"{hash}","size":{size}}}}}}}"#);
            Manifest::read(text.as_bytes())
        };
        assert!(with("a/index.html", "5", "00ff").is_ok());
        for path in [
            "../x",
            "/etc/passwd",
            "a/../../b",
            "a\\\\b",
            "C:/x",
            "",
            "a//b",
            ".folio-releases/1/x",
            "a/.folio-lock.json",
            "con",
        ] {
            assert!(with(path, "5", "00ff").is_err(), "{path}");
        }
        for size in ["18446744073709551615", "-1", "1e300", "99999999999999"] {
            assert!(with("a", size, "00ff").is_err(), "{size}");
        }
        assert!(with("a", "1", "<script>").is_err());
        assert!(
            Manifest::read(b"{\"folio\":2}").is_err()
                && Manifest::read(b"<html>").is_err()
                && Manifest::read(b"{}").is_err()
        );
        assert!(Releases::read(br#"{"releases":[{"id":"../..","files":[]}]}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_path_of_a_manifest_escapes(path in "\\PC{0,30}") {
            let entry = serde_json::json!({"hash": "0", "size": 1});
            let files = serde_json::json!({(path.clone()): entry});
            let text = serde_json::json!({"folio": 1, "files": files}).to_string();
            if Manifest::read(text.as_bytes()).is_ok() {
                let joined = std::path::Path::new("/root").join(&path);
                let parent = std::path::Component::ParentDir;
                proptest::prop_assert!(joined.starts_with("/root"));
                proptest::prop_assert!(joined.components().all(|c| c != parent));
            }
        }
    }
}
