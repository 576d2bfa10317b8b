//! `.folio-manifest.json`: what the last deploy put on a host. It comes from outside, so nothing in it is believed before it
//! has been checked: a path that leads out of the site, a name of Folio's own or a broken number is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::paths::OutPath;

/// The manifest's name on the host.
pub const NAME: &str = ".folio-manifest.json";
/// What a deploy that is under way has done so far.
pub const JOURNAL: &str = ".folio-journal.json";
/// Who is deploying.
pub const LOCK: &str = ".folio-lock.json";
/// The folder of what earlier deploys replaced.
pub const RELEASES: &str = ".folio-releases";

/// The most that is read of a manifest, in bytes: enough for half a million files.
pub const LIMIT: u64 = 64 << 20;

const FORM: u32 = 1;

/// A file on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// BLAKE3 of the content, the first 128 bits in hexadecimal.
    pub hash: String,
    /// Bytes.
    pub size: u64,
    /// A mark of its headers, where the host keeps any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<String>,
}

/// A file that is no longer part of the site and stays for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub entry: Entry,
    /// Since when, in seconds since the epoch.
    pub since: i64,
}

/// What a deploy put on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    pub folio: u32,
    /// When, in seconds since the epoch.
    #[serde(default)]
    pub deployed: i64,
    #[serde(default)]
    pub base_url: String,
    #[serde(default)]
    pub files: BTreeMap<String, Entry>,
    /// Old files with fingerprinted names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, Kept>,
    /// Files that are being deleted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaving: BTreeMap<String, Entry>,
}

/// What a deploy that was broken off had done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The manifest that it went out from.
    pub base: String,
    /// Paths that it may have touched.
    pub planned: Vec<String>,
    /// Files that have arrived.
    pub done: BTreeMap<String, Entry>,
    /// The release that keeps what it replaces, with the files in it.
    pub release: Option<Release>,
    /// Files of the release that are being copied: none of them has been replaced yet.
    #[serde(default)]
    pub copying: Vec<String>,
    /// The release that is being gone back to, where this is a rollback's.
    #[serde(default)]
    pub rolling_back: Option<String>,
}

/// What a deploy replaced or deleted: copies of those files and the manifest before it, in a folder below [`RELEASES`].
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
    /// An empty manifest of this form.
    #[must_use]
    pub fn new(base_url: &str, deployed: i64) -> Self {
        Self { folio: FORM, deployed, base_url: base_url.to_owned(), ..Self::default() }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// Why it cannot be believed, in words.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| format!("it is no manifest: {e}"))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.folio != FORM {
            return Err(format!("it is of form {}, and this folio reads form {FORM}", self.folio));
        }
        check_paths(self.files.keys().chain(self.kept.keys()).chain(self.leaving.keys()))?;
        let entries = self.files.iter().chain(self.leaving.iter()).chain(self.kept.iter().map(|(path, kept)| (path, &kept.entry)));
        check_entries(entries)
    }

    /// The manifest as it is written.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// Every file of ours that may be there, those on their way out too.
    #[must_use]
    pub fn owns(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.kept.contains_key(path) || self.leaving.contains_key(path)
    }
}

impl Journal {
    /// Reads a journal.
    ///
    /// # Errors
    /// Why it cannot be believed.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let journal: Self = serde_json::from_slice(bytes).map_err(|e| format!("it is no journal: {e}"))?;
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
            return Err(format!("`{}` is no name of a release", self.id.escape_default()));
        }
        check_paths(self.files.iter())
    }

    /// Where the manifest before it lies.
    #[must_use]
    pub fn before(&self) -> String {
        self.place(NAME)
    }

    /// Where the copy of a file lies.
    #[must_use]
    pub fn place(&self, path: &str) -> String {
        format!("{RELEASES}/{}/{path}", self.id)
    }
}

impl Releases {
    /// Where the list lies.
    pub const NAME: &str = ".folio-releases/releases.json";

    /// Reads the list.
    ///
    /// # Errors
    /// Why it cannot be believed.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let releases: Self = serde_json::from_slice(bytes).map_err(|e| format!("it is no list of releases: {e}"))?;
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

/// Whether a file of this name is Folio's own, or was put there under a name that a deploy never gives.
#[must_use]
pub fn is_own(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with(".folio-"))
}

fn check_paths<'a>(paths: impl Iterator<Item = &'a String>) -> Result<(), String> {
    for path in paths {
        OutPath::new(path).map_err(|e| format!("it names `{}`: {e}", path.escape_default()))?;
        if is_own(path) {
            return Err(format!("it names `{}`, which is Folio's own", path.escape_default()));
        }
    }
    Ok(())
}

fn check_entries<'a>(entries: impl Iterator<Item = (&'a String, &'a Entry)>) -> Result<(), String> {
    /// No host takes a file of more, and sums of a few million of them still fit.
    const LARGEST: u64 = 1 << 42;
    for (path, entry) in entries {
        let is_mark = |text: &str| text.len() <= 64 && text.chars().all(|c| c.is_ascii_hexdigit());
        if !is_mark(&entry.hash) || !entry.headers.as_deref().is_none_or(is_mark) {
            return Err(format!("what it says of `{}` is no hash", path.escape_default()));
        }
        if entry.size > LARGEST {
            return Err(format!("it says that `{}` has {} bytes", path.escape_default(), entry.size));
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
            let text = format!(r#"{{"folio":1,"files":{{"{path}":{{"hash":"{hash}","size":{size}}}}}}}"#);
            Manifest::read(text.as_bytes())
        };
        assert!(with("a/index.html", "5", "00ff").is_ok());
        for path in ["../x", "/etc/passwd", "a/../../b", "a\\\\b", "C:/x", "", "a//b", ".folio-releases/1/x", "a/.folio-lock.json", "con"] {
            assert!(with(path, "5", "00ff").is_err(), "{path}");
        }
        for size in ["18446744073709551615", "-1", "1e300", "99999999999999"] {
            assert!(with("a", size, "00ff").is_err(), "{size}");
        }
        assert!(with("a", "1", "<script>").is_err());
        assert!(Manifest::read(b"{\"folio\":2}").is_err() && Manifest::read(b"<html>").is_err() && Manifest::read(b"{}").is_err());
        assert!(Releases::read(br#"{"releases":[{"id":"../..","files":[]}]}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_path_of_a_manifest_escapes(path in "\\PC{0,30}") {
            let text = serde_json::json!({"folio": 1, "files": {(path.clone()): {"hash": "0", "size": 1}}}).to_string();
            if Manifest::read(text.as_bytes()).is_ok() {
                let joined = std::path::Path::new("/root").join(&path);
                proptest::prop_assert!(joined.starts_with("/root") && joined.components().all(|c| c != std::path::Component::ParentDir));
            }
        }
    }
}
