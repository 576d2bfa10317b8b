//! Writes rendered files to disk: only what changed, each file completely, and all of them or none.
//!
//! Files are first written to a staging folder on the file system of the output ([`Stage::put`]).
//! When all are complete, [`Output::commit`] renames them into place. The manifest under `.folio/`
//! lists the files of the output; nothing else is ever replaced or deleted. Before the first rename
//! it lists old and new files together, so that the next build knows every file that a killed
//! process leaves behind.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

mod adopt;
mod error;
mod files;
mod manifest;
mod place;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::cache::{Fingerprint, LoadResult, PendingFile};
use crate::diag::{Diagnostic, Report};
use crate::paths::OutPath;
use adopt::Unlisted;
use manifest::{Manifest, Written, modified};
use place::{Folders, StagedFile};

pub(crate) use error::write_error;
pub use files::{create, entries, is_filled};

/// The folder at the root of a site that holds Folio's own files.
pub const STATE_FOLDER: &str = ".folio";

/// An output folder that can be written to.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    manifest_path: PathBuf,
    manifest: Manifest,
    staging: PathBuf,
    /// Whether the folder was empty when it was opened, so that no existing file has to be
    /// compared.
    is_new: bool,
    /// Why it is not known which files of the folder Folio wrote, until it is adopted.
    unlisted: Option<Unlisted>,
    /// The folder as messages name it.
    shown: String,
}

/// What a build changed in the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub written: usize,
    pub unchanged: usize,
    pub deleted: usize,
    /// The size of the whole output in bytes.
    pub bytes: u64,
}

impl Output {
    /// Opens an output folder, which need not exist yet.
    ///
    /// # Errors
    /// When it overlaps with the site's sources, contains files that Folio did not write, or cannot
    /// be written to.
    pub fn open(state: &Path, root: &Path, folder: &Path) -> Result<Self, Diagnostic> {
        let folder = absolute(folder).map_err(|e| write_error(folder, "found", &e))?;
        refuse_sources(state, root, &folder)?;
        if let Some(file) = folder.ancestors().find(|p| p.exists() && !p.is_dir()) {
            return Err(Diagnostic::error(format!(
                "the output cannot be written to `{}`, because `{}` is a file",
                shown(&folder, root),
                shown(file, root)
            ))
            .hint("choose a folder with --output"));
        }
        let manifest_path = manifest::path(state, root, &folder);
        let is_new = !is_filled(&folder);
        let (manifest, unlisted) = match Manifest::read(&manifest_path) {
            LoadResult::Valid(manifest) => (manifest, None),
            _ if is_new => (Manifest::default(), None),
            LoadResult::Missing => (Manifest::default(), Some(Unlisted::Missing)),
            LoadResult::Damaged | LoadResult::OtherVersion => {
                (Manifest::default(), Some(Unlisted::Damaged))
            }
        };
        let staging = staging_folder(state, &folder)?;
        let shown = shown(&folder, root);
        Ok(Self { folder, manifest_path, manifest, staging, is_new, unlisted, shown })
    }

    /// Takes over a folder for which there is no list of files, if all of its files are among
    /// `planned`. The report has a warning about it.
    ///
    /// # Errors
    /// When the folder has other files; they are named.
    pub fn adopt(&mut self, planned: impl Fn(&OutPath) -> bool) -> Result<Report, Diagnostic> {
        let Some(why) = self.unlisted else { return Ok(Report::default()) };
        let names = files::below(&self.folder);
        let own = adopt::own_files(why, &self.shown, names, planned)?;
        // Without a known time and hash, each file is compared with what is rendered.
        let unknown = |out| (out, Written { hash: Fingerprint::default(), size: 0, modified: 0 });
        self.manifest.files = own.value.into_iter().map(unknown).collect();
        self.unlisted = None;
        Ok(own.warnings)
    }

    /// A stage for the files of a build.
    #[must_use]
    pub fn stage(&self) -> Stage<'_> {
        Stage {
            output: self,
            next: AtomicU64::new(0),
            folders: Mutex::default(),
            staged: Mutex::new(BTreeMap::new()),
        }
    }

    /// The file with the recorded dependencies of this output.
    #[must_use]
    pub fn records_path(&self) -> PathBuf {
        self.manifest_path.with_extension("records")
    }

    /// Whether every file of the manifest is unchanged since it was written.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.unlisted.is_none()
            && self.manifest.files.iter().all(|(path, written)| self.is_as_written(path, written))
    }

    fn is_as_written(&self, path: &OutPath, written: &Written) -> bool {
        let file = self.folder.join(path.as_str());
        fs::symlink_metadata(&file).is_ok_and(|data| {
            data.is_file()
                && data.len() == written.size
                && manifest::time_of(&data) == written.modified
        })
    }

    /// The outcome of a build that changes nothing.
    #[must_use]
    pub fn unchanged_outcome(&self) -> Outcome {
        let files = &self.manifest.files;
        Outcome {
            unchanged: files.len(),
            bytes: files.values().map(|w| w.size).sum(),
            ..Outcome::default()
        }
    }

    /// Deletes the staging folder. The output stays as it was.
    pub fn abandon(self) {
        let _ = fs::remove_dir_all(&self.staging);
    }

    /// Moves staged files into place, and deletes files that are no longer part of the site.
    ///
    /// # Errors
    /// When something is in the way, or the file system fails. The output is then as it was before.
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
        let outcome = Outcome {
            written,
            unchanged: new.len() - written,
            deleted: stale.len(),
            bytes: new.values().map(|f| f.written.size).sum(),
        };
        let files: BTreeMap<OutPath, Written> =
            new.iter().map(|(path, file)| (path.clone(), file.written.clone())).collect();
        if new.is_empty() {
            fs::create_dir_all(&self.folder).map_err(|e| write_error(&self.folder, "made", &e))?;
        }
        if files == *old && !old.is_empty() {
            return Ok(outcome);
        }
        // From here on the records no longer match the output. The build writes new ones at the
        // end.
        match fs::remove_file(self.records_path()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(write_error(&self.records_path(), "deleted", &e));
            }
            _ => {}
        }
        let put = |manifest: PendingFile| {
            manifest.commit().map_err(|e| write_error(&self.manifest_path, "written", &e))
        };
        let finished = Manifest::prepare(&self.manifest_path, files.clone())?;
        // If no path is new, the old manifest already lists everything that a killed process can
        // leave behind.
        if files.keys().any(|path| !old.contains_key(path)) {
            let mut both = old.clone();
            both.extend(files);
            put(Manifest::prepare(&self.manifest_path, both)?)?;
        }
        let folders = Folders { output: &self.folder, staging: &self.staging, is_new: self.is_new };
        place::commit(folders, new, old, &stale, || put(finished))?;
        Ok(outcome)
    }

    /// When the output file at `path` was modified, if it has this content.
    ///
    /// If size and time are as recorded, the recorded hash is compared; otherwise the content is.
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

impl Output {
    /// What is known of the output file at `path`, if its content has this fingerprint.
    fn holds_copy(&self, path: &OutPath, target: &Path, hash: Fingerprint) -> Option<Written> {
        if self.is_new {
            return None;
        }
        let old = self.manifest.files.get(path)?;
        if self.is_as_written(path, old) {
            return (old.hash == hash).then(|| old.clone());
        }
        let data = fs::symlink_metadata(target).ok().filter(fs::Metadata::is_file)?;
        let modified = manifest::time_of(&data);
        let found = File::open(target).and_then(Fingerprint::of_reader).ok()?;
        (found == hash).then_some(Written { hash, size: data.len(), modified })
    }
}

/// Files that are ready to be moved into place.
#[derive(Debug, Default)]
pub struct Staged {
    files: BTreeMap<OutPath, StagedFile>,
}

/// Receives the files of a build from many threads.
#[derive(Debug)]
pub struct Stage<'a> {
    output: &'a Output,
    next: AtomicU64,
    /// Folders that were created.
    folders: Mutex<HashSet<PathBuf>>,
    staged: Mutex<BTreeMap<OutPath, StagedFile>>,
}

impl Stage<'_> {
    /// Stages a file. A file that the output has already is not written again.
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
                let file = self.place_for(path).map_err(|e| write_error(&target, "written", &e))?;
                fs::write(&file, content).map_err(|e| write_error(&target, "written", &e))?;
                // Renaming keeps the time.
                written.modified = modified(&file);
                Some(file)
            }
        };
        self.staged.lock().insert(path.clone(), StagedFile { written, staged });
        Ok(())
    }

    /// Stages a copy of a file, which is never in memory as a whole. `known` is the fingerprint
    /// that it should have: a file that the output has already is not copied again. Returns the
    /// fingerprint that it has.
    ///
    /// # Errors
    /// When the file cannot be read, or the staging folder cannot be written to.
    pub fn put_copy(
        &self,
        path: &OutPath,
        known: Option<Fingerprint>,
        open: impl FnOnce() -> Result<File, Diagnostic>,
    ) -> Result<Fingerprint, Diagnostic> {
        let target = self.output.folder.join(path.as_str());
        if let Some(hash) = known
            && let Some(written) = self.output.holds_copy(path, &target, hash)
        {
            self.staged.lock().insert(path.clone(), StagedFile { written, staged: None });
            return Ok(hash);
        }
        let failed = |e: io::Error| write_error(&target, "written", &e);
        let mut from = open()?;
        let staged = self.place_for(path).map_err(failed)?;
        // On Linux the kernel copies, or shares the blocks where the file system can.
        let mut to = File::create(&staged).map_err(failed)?;
        let size = io::copy(&mut from, &mut to).map_err(failed)?;
        drop(to);
        // The copy is read, since the file itself may change meanwhile.
        let hash = File::open(&staged).and_then(Fingerprint::of_reader).map_err(failed)?;
        let written = Written { hash, size, modified: modified(&staged) };
        self.staged.lock().insert(path.clone(), StagedFile { written, staged: Some(staged) });
        Ok(hash)
    }

    /// Where a file is staged. For a new output the staging folder has its structure, so that all
    /// of it is moved into place in one step.
    fn place_for(&self, path: &OutPath) -> io::Result<PathBuf> {
        if !self.output.is_new {
            return Ok(self
                .output
                .staging
                .join(self.next.fetch_add(1, Ordering::Relaxed).to_string()));
        }
        let file = self.output.staging.join(place::TREE).join(path.as_str());
        if let Some(folder) = file.parent() {
            let known = self.folders.lock().contains(folder);
            if !known {
                fs::create_dir_all(folder)?;
                self.folders.lock().insert(folder.to_owned());
            }
        }
        Ok(file)
    }

    /// Keeps a file of the output; `false` when it was changed or removed since it was written.
    #[must_use]
    pub fn keep(&self, path: &OutPath) -> bool {
        let Some(written) =
            self.output.manifest.files.get(path).filter(|w| self.output.is_as_written(path, w))
        else {
            return false;
        };
        let file = StagedFile { written: written.clone(), staged: None };
        self.staged.lock().insert(path.clone(), file);
        true
    }

    /// The staged files.
    #[must_use]
    pub fn finish(self) -> Staged {
        Staged { files: self.staged.into_inner() }
    }
}

/// The absolute path, with symbolic links of its existing part resolved.
///
/// # Errors
/// When the working directory is unknown.
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

/// Checks that the output does not overlap with the sources of the site, or lie in another output.
fn refuse_sources(state: &Path, root: &Path, folder: &Path) -> Result<(), Diagnostic> {
    let refuse = |why: &str| {
        let error =
            Diagnostic::error(format!("the output folder cannot be `{}`: {why}", folder.display()));
        Err(error.hint("choose another folder with --output, such as public"))
    };
    if root.starts_with(folder) {
        return refuse("it contains the site itself");
    }
    for part in ["content", "templates", "static", "data", "src", STATE_FOLDER, ".git"] {
        if folder.starts_with(root.join(part)) {
            return refuse(&format!("it is part of the site's {part}/"));
        }
    }
    let is_output = |other: &Path| manifest::path(state, root, other).exists();
    match folder.ancestors().skip(1).take_while(|p| *p != root).find(|p| is_output(p)) {
        Some(other) => {
            refuse(&format!("it is inside {}, another output of the site", shown(other, root)))
        }
        None => Ok(()),
    }
}

/// Creates an empty folder on the file system of the output: in the state folder if possible, else
/// beside the output, else (if the output is a mount point) inside it for the duration of the
/// build.
fn staging_folder(state: &Path, output: &Path) -> Result<PathBuf, Diagnostic> {
    let name = format!(
        ".folio-staging-{}",
        &blake3::hash(output.to_string_lossy().as_bytes()).to_hex().as_str()[..8]
    );
    let existing = output.ancestors().find(|p| p.exists()).unwrap_or(output);
    let beside = output.parent().unwrap_or(output);
    let mut last = None;
    for folder in [state, beside, output] {
        if folder != output && (!folder.exists() || device(folder) != device(existing)) {
            continue;
        }
        let staging = folder.join(&name);
        let _ = fs::remove_dir_all(&staging);
        match fs::create_dir_all(&staging) {
            Ok(()) => return Ok(staging),
            Err(e) => last = Some(write_error(output, "written to", &e)),
        }
    }
    Err(last.unwrap_or_else(|| {
        Diagnostic::error(format!("`{}` cannot be written to", output.display()))
    }))
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

/// The paths in the manifest of an output folder, for tests and tools.
#[must_use]
pub fn listed(root: &Path, folder: &Path) -> BTreeSet<String> {
    let Ok(folder) = absolute(folder) else { return BTreeSet::new() };
    match Manifest::read(&manifest::path(&root.join(STATE_FOLDER), root, &folder)) {
        LoadResult::Valid(m) => m.files.keys().map(ToString::to_string).collect(),
        _ => BTreeSet::new(),
    }
}
