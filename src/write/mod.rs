//! Pages → disk: only what changed, each file whole, all of them or none.
//!
//! Files are first written to a staging folder on the output's file system ([`Stage::put`]); when every one
//! stands, [`Output::commit`] renames them into place. The manifest under `.folio/` lists what belongs to the
//! output; nothing else is ever replaced or deleted. Before the first rename it lists old and new files
//! together, so that a process killed at any moment leaves only files that the next build knows.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

mod claim;
mod files;
mod manifest;
mod place;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub use claim::Claim;
pub use files::{create, is_filled};

use crate::diag::Diagnostic;
use crate::load::reason;
use crate::memo::Prepared;
use crate::paths::OutPath;
use manifest::{Manifest, Written, modified};
use place::{Folders, StagedFile};

/// The folder at a site's root where Folio keeps what is its own.
pub const STATE: &str = ".folio";

/// An output folder that may be written to.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    manifest_path: PathBuf,
    manifest: Manifest,
    staging: PathBuf,
    /// Whether there was nothing in the folder when it was opened, so that nothing need be looked for there.
    is_new: bool,
}

/// What a build did to the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub written: usize,
    pub unchanged: usize,
    pub deleted: usize,
    /// The size of the whole output.
    pub bytes: u64,
}

impl Output {
    /// Opens an output folder, which need not be there yet.
    ///
    /// # Errors
    /// When it is part of the site, holds files that Folio did not make, or cannot be written to.
    pub fn open(claim: &Claim, root: &Path, folder: &Path) -> Result<Self, Diagnostic> {
        let folder = absolute(folder).map_err(|e| failed(folder, "found", &e))?;
        refuse_sources(claim, root, &folder)?;
        if let Some(file) = folder.ancestors().find(|p| p.exists() && !p.is_dir()) {
            return Err(Diagnostic::error(format!("the output cannot go to `{}`: `{}` is a file", shown(&folder, root), shown(file, root)))
                .hint("name a folder with --output"));
        }
        let manifest_path = manifest::path(claim.state(), root, &folder);
        let manifest = Manifest::read(&manifest_path);
        if manifest.is_none() && is_filled(&folder) {
            return Err(Diagnostic::error(format!(
                "the output folder `{}` is not empty, and Folio did not make what is in it",
                shown(&folder, root)
            ))
            .hint("empty it, or name another folder with --output"));
        }
        let is_new = !is_filled(&folder);
        let staging = staging_folder(claim, &folder)?;
        Ok(Self { folder, manifest_path, manifest: manifest.unwrap_or_default(), staging, is_new })
    }

    /// A stage to put files on.
    #[must_use]
    pub fn stage(&self) -> Stage<'_> {
        Stage { output: self, next: AtomicU64::new(0), folders: Mutex::default(), staged: Mutex::new(BTreeMap::new()) }
    }

    /// Where the pipeline keeps what it knows of this output.
    #[must_use]
    pub fn records_path(&self) -> PathBuf {
        self.manifest_path.with_extension("records")
    }

    /// Whether every file of the manifest is as it was written.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.manifest.files.iter().all(|(path, written)| self.is_as_written(path, written))
    }

    fn is_as_written(&self, path: &OutPath, written: &Written) -> bool {
        let file = self.folder.join(path.as_str());
        fs::symlink_metadata(&file).is_ok_and(|data| data.is_file() && data.len() == written.size && manifest::time_of(&data) == written.modified)
    }

    /// The outcome of a build that has nothing to do.
    #[must_use]
    pub fn as_it_is(&self) -> Outcome {
        let files = &self.manifest.files;
        Outcome { unchanged: files.len(), bytes: files.values().map(|w| w.size).sum(), ..Outcome::default() }
    }

    /// Removes the staging folder and all that was staged; the output stays as it was.
    pub fn abandon(self) {
        let _ = fs::remove_dir_all(&self.staging);
    }

    /// Puts what was staged into place and deletes what is no longer part of the site.
    ///
    /// # Errors
    /// When something is in the way or the file system refuses. The output is then as it was before.
    pub fn commit(self, staged: &Staged) -> Result<Outcome, Diagnostic> {
        let result = self.place(staged);
        let _ = fs::remove_dir_all(&self.staging);
        result
    }

    fn place(&self, staged: &Staged) -> Result<Outcome, Diagnostic> {
        let new = &staged.files;
        let old = &self.manifest.files;
        let stale: Vec<&OutPath> = old.keys().filter(|path| !new.contains_key(*path)).collect();
        let written = new.values().filter(|f| f.staged.is_some()).count();
        let outcome = Outcome { written, unchanged: new.len() - written, deleted: stale.len(), bytes: new.values().map(|f| f.written.size).sum() };
        let files: BTreeMap<OutPath, Written> = new.iter().map(|(path, file)| (path.clone(), file.written.clone())).collect();
        if new.is_empty() {
            fs::create_dir_all(&self.folder).map_err(|e| failed(&self.folder, "made", &e))?;
        }
        if files == *old && !old.is_empty() {
            return Ok(outcome);
        }
        // From here on what the records say of the output is no longer so; the pipeline writes new ones in the end.
        match fs::remove_file(self.records_path()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&self.records_path(), "deleted", &e)),
            _ => {}
        }
        let put = |manifest: Prepared| manifest.put().map_err(|e| failed(&self.manifest_path, "written", &e));
        let finished = Manifest::prepare(&self.manifest_path, files.clone())?;
        // Where no name is new the old manifest lists all that a killed process could leave.
        if files.keys().any(|path| !old.contains_key(path)) {
            let mut both = old.clone();
            both.extend(files);
            put(Manifest::prepare(&self.manifest_path, both)?)?;
        }
        let folders = Folders { output: &self.folder, staging: &self.staging, is_new: self.is_new };
        place::commit(folders, new, old, &stale, || put(finished))?;
        Ok(outcome)
    }

    /// Whether the output has this very content at `path`; then when it was written.
    ///
    /// Size and time as the manifest has them are believed; anything else is compared byte for byte.
    fn holds(&self, path: &OutPath, target: &Path, new: &Written, content: &[u8]) -> Option<u64> {
        if self.is_new {
            return None;
        }
        let data = fs::symlink_metadata(target).ok()?;
        if !data.is_file() || data.len() != new.size {
            return None;
        }
        let time = modified(target);
        let same = match self.manifest.files.get(path) {
            Some(old) if old.modified == time => old.hash == new.hash,
            _ => fs::read(target).is_ok_and(|bytes| bytes == content),
        };
        same.then_some(time)
    }
}

/// Files ready to be put into place.
#[derive(Debug, Default)]
pub struct Staged {
    files: BTreeMap<OutPath, StagedFile>,
}

/// Takes the files of a build from many threads.
#[derive(Debug)]
pub struct Stage<'a> {
    output: &'a Output,
    next: AtomicU64,
    /// Folders that have been made.
    folders: Mutex<HashSet<PathBuf>>,
    staged: Mutex<BTreeMap<OutPath, StagedFile>>,
}

impl Stage<'_> {
    /// Takes a file's content. What the output has already is not written again.
    ///
    /// # Errors
    /// When the staging folder cannot be written to.
    pub fn put(&self, path: &OutPath, content: &[u8]) -> Result<(), Diagnostic> {
        let mut written = Written::of(content);
        let target = self.output.folder.join(path.as_str());
        let staged = match self.output.holds(path, &target, &written, content) {
            Some(modified) => {
                written.modified = modified;
                None
            }
            None => {
                let file = self.place_for(path).map_err(|e| failed(&target, "written", &e))?;
                fs::write(&file, content).map_err(|e| failed(&target, "written", &e))?;
                // A rename takes the time along.
                written.modified = modified(&file);
                Some(file)
            }
        };
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), StagedFile { written, staged });
        Ok(())
    }

    /// Where the content of a file waits: for a new output as it will lie there, so that all of it can be put into
    /// place in one step.
    fn place_for(&self, path: &OutPath) -> io::Result<PathBuf> {
        if !self.output.is_new {
            return Ok(self.output.staging.join(self.next.fetch_add(1, Ordering::Relaxed).to_string()));
        }
        let file = self.output.staging.join(place::TREE).join(path.as_str());
        if let Some(folder) = file.parent() {
            let known = self.folders.lock().unwrap_or_else(PoisonError::into_inner).contains(folder);
            if !known {
                fs::create_dir_all(folder)?;
                self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
            }
        }
        Ok(file)
    }

    /// Keeps a file as the output has it; `false` when it is not there as it was written.
    #[must_use]
    pub fn keep(&self, path: &OutPath) -> bool {
        let Some(written) = self.output.manifest.files.get(path).filter(|w| self.output.is_as_written(path, w)) else { return false };
        let file = StagedFile { written: written.clone(), staged: None };
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), file);
        true
    }

    /// All that was taken.
    #[must_use]
    pub fn finish(self) -> Staged {
        Staged { files: self.staged.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }
}

fn failed(path: &Path, verb: &str, error: &io::Error) -> Diagnostic {
    let d = Diagnostic::error(format!("`{}` cannot be {verb}: {}", path.display(), reason(error)));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => d.hint("the last build stays as it was; free some room and build again"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => d.hint("choose a folder that you may write to with --output"),
        io::ErrorKind::AlreadyExists => d.hint("choose another name"),
        _ => d,
    }
}

/// A path made absolute, its existing part with links resolved.
///
/// # Errors
/// When the working folder is not known.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    let full = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut at = full.as_path();
    loop {
        if let Ok(real) = at.canonicalize() {
            return Ok(missing.iter().rev().fold(real, |p, name| p.join(name)));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return Ok(full) };
        missing.push(name.to_owned());
        at = parent;
    }
}

fn shown(folder: &Path, root: &Path) -> String {
    folder.strip_prefix(root).unwrap_or(folder).display().to_string()
}

/// The output must not be, hold or lie in what the site is made of, or lie in another output of the site.
fn refuse_sources(claim: &Claim, root: &Path, folder: &Path) -> Result<(), Diagnostic> {
    let refuse = |why: &str| {
        let error = Diagnostic::error(format!("the output folder cannot be `{}`: {why}", folder.display()));
        Err(error.hint("name a folder of its own with --output, such as public"))
    };
    if root.starts_with(folder) {
        return refuse("the site itself lies in it");
    }
    for part in ["content", "templates", "static", "data", "src", STATE, ".git"] {
        if folder.starts_with(root.join(part)) {
            return refuse(&format!("it is part of the site's {part}/"));
        }
    }
    let is_output = |other: &Path| manifest::path(claim.state(), root, other).exists();
    match folder.ancestors().skip(1).take_while(|p| *p != root).find(|p| is_output(p)) {
        Some(other) => refuse(&format!("it lies in another output of the site, {}", shown(other, root))),
        None => Ok(()),
    }
}

/// An empty folder on the same file system as the output: under the state folder if that is, else beside the
/// output, else (where the output is a mount of its own) inside it for the time of the build.
fn staging_folder(claim: &Claim, output: &Path) -> Result<PathBuf, Diagnostic> {
    let name = format!(".folio-staging-{}", &blake3::hash(output.to_string_lossy().as_bytes()).to_hex().as_str()[..8]);
    let existing = output.ancestors().find(|p| p.exists()).unwrap_or(output);
    let beside = output.parent().unwrap_or(output);
    let mut last = None;
    for folder in [claim.state(), beside, output] {
        if folder != output && (!folder.exists() || device(folder) != device(existing)) {
            continue;
        }
        let staging = folder.join(&name);
        let _ = fs::remove_dir_all(&staging);
        match fs::create_dir_all(&staging) {
            Ok(()) => return Ok(staging),
            Err(e) => last = Some(failed(output, "written to", &e)),
        }
    }
    Err(last.unwrap_or_else(|| Diagnostic::error(format!("`{}` cannot be written to", output.display()))))
}

#[cfg(unix)]
fn device(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map_or(0, |m| m.dev())
}

#[cfg(not(unix))]
fn device(path: &Path) -> Option<std::path::Component<'_>> {
    path.components().next()
}

/// The files of an output folder's manifest, for tests and tools.
#[must_use]
pub fn listed(root: &Path, folder: &Path) -> BTreeSet<String> {
    let Ok(folder) = absolute(folder) else { return BTreeSet::new() };
    let manifest = Manifest::read(&manifest::path(&root.join(STATE), root, &folder));
    manifest.map(|m| m.files.keys().map(ToString::to_string).collect()).unwrap_or_default()
}
