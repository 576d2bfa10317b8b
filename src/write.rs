//! Pages → disk: only what changed, each file whole, all of them or none.
//!
//! Files are first written to a staging folder on the output's file system ([`Stage::put`]); when every one
//! stands, [`Output::commit`] renames them into place. The manifest under `.folio/` lists what belongs to the
//! output; nothing else is ever deleted. Before the first rename it lists old and new files together, so that
//! a process killed at any moment leaves only files that the next build knows.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::load::reason;
use crate::paths::OutPath;

/// The folder at a site's root where Folio keeps what is its own.
pub const STATE: &str = ".folio";

/// Raised when the manifest's form changes.
const VERSION: u32 = 1;

/// What is known of a file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    hash: String,
    size: u64,
    /// Nanoseconds since the epoch, as the file system had it right after writing.
    modified: u64,
}

/// The files of an output folder that Folio made.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    files: BTreeMap<OutPath, Written>,
}

/// A claim on a site's state: while it lives no other process builds the site.
#[derive(Debug)]
pub struct Claim {
    state: PathBuf,
    _lock: File,
}

impl Claim {
    /// Takes the site's lock.
    ///
    /// # Errors
    /// When another process holds it, or the state folder cannot be written to.
    pub fn take(root: &Path) -> Result<Self, Diagnostic> {
        let state = root.join(STATE);
        fs::create_dir_all(&state).map_err(|e| failed(&state, "made", &e))?;
        let path = state.join("lock");
        let mut lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(|e| failed(&path, "opened", &e))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                let by = if holder.trim().is_empty() { String::new() } else { format!(" (process {})", holder.trim()) };
                return Err(Diagnostic::error(format!("another folio is building this site{by}")).hint("wait for it to end"));
            }
            // Where a file system has no locks it is better to build than to refuse.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let _ = lock.set_len(0);
        let _ = write!(lock, "{}", std::process::id());
        Ok(Self { state, _lock: lock })
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
}

/// An output folder that may be written to.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    manifest_path: PathBuf,
    manifest: Manifest,
    staging: PathBuf,
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
        refuse_sources(root, &folder)?;
        let key = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().into_owned();
        let name = blake3::hash(key.as_bytes()).to_hex().as_str()[..16].to_owned();
        let manifest_path = claim.state.join("outputs").join(format!("{name}.json"));
        let manifest = read_manifest(&manifest_path);
        if manifest.is_none() && is_filled(&folder) {
            return Err(Diagnostic::error(format!(
                "the output folder `{}` is not empty, and Folio did not make what is in it",
                shown(&folder, root)
            ))
            .hint("empty it, or name another folder with --output"));
        }
        let staging = staging_folder(claim, &folder)?;
        Ok(Self { folder, manifest_path, manifest: manifest.unwrap_or_default(), staging })
    }

    /// A stage to put files on.
    #[must_use]
    pub fn stage(&self) -> Stage<'_> {
        Stage { output: self, next: AtomicU64::new(0), staged: Mutex::new(BTreeMap::new()) }
    }

    /// Removes the staging folder and all that was staged; the output stays as it was.
    pub fn abandon(self) {
        let _ = fs::remove_dir_all(&self.staging);
    }

    /// Puts what was staged into place and deletes what is no longer part of the site.
    ///
    /// # Errors
    /// When a file cannot be moved or deleted. Every file is then whole, old or new.
    pub fn commit(self, staged: &Staged) -> Result<Outcome, Diagnostic> {
        let result = self.place(staged);
        let _ = fs::remove_dir_all(&self.staging);
        result
    }

    fn place(&self, staged: &Staged) -> Result<Outcome, Diagnostic> {
        let new = &staged.files;
        let stale: Vec<&OutPath> = self.manifest.files.keys().filter(|path| !new.contains_key(*path)).collect();
        let changed = new.values().any(|f| f.staged.is_some()) || !stale.is_empty();
        if changed {
            self.write_manifest(new.iter().map(|(p, f)| (p, &f.written)), &self.manifest.files)?;
        }
        let keys: HashSet<String> = new.keys().map(OutPath::collision_key).collect();
        let (first, last): (Vec<&OutPath>, Vec<&OutPath>) = stale.iter().partition(|path| in_the_way(path, &keys, new));
        self.delete(&first)?;
        let mut outcome = Outcome { deleted: stale.len(), ..Outcome::default() };
        let mut files = BTreeMap::new();
        let mut folders = HashSet::new();
        for (path, file) in new {
            outcome.bytes += file.written.size;
            let mut written = file.written.clone();
            match &file.staged {
                Some(from) => {
                    let to = self.folder.join(path.as_str());
                    make_folder(&to, &mut folders)?;
                    fs::rename(from, &to).map_err(|e| failed(&to, "written", &e))?;
                    written.modified = modified(&to);
                    outcome.written += 1;
                }
                None => outcome.unchanged += 1,
            }
            files.insert(path.clone(), written);
        }
        self.delete(&last)?;
        if changed || files != self.manifest.files {
            self.write_manifest(files.iter(), &BTreeMap::new())?;
        }
        if new.is_empty() {
            fs::create_dir_all(&self.folder).map_err(|e| failed(&self.folder, "made", &e))?;
        }
        Ok(outcome)
    }

    /// Deletes files of the manifest and the folders that this empties.
    fn delete(&self, paths: &[&OutPath]) -> Result<(), Diagnostic> {
        for path in paths {
            let file = self.folder.join(path.as_str());
            match fs::remove_file(&file) {
                Err(e) if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory) => {
                    return Err(failed(&file, "deleted", &e));
                }
                _ => {}
            }
            let mut folder = file.parent();
            while let Some(dir) = folder.filter(|d| *d != self.folder && d.starts_with(&self.folder)) {
                if fs::remove_dir(dir).is_err() {
                    break;
                }
                folder = dir.parent();
            }
        }
        Ok(())
    }

    fn write_manifest<'a>(
        &self,
        files: impl Iterator<Item = (&'a OutPath, &'a Written)>,
        also: &BTreeMap<OutPath, Written>,
    ) -> Result<(), Diagnostic> {
        let mut all = also.clone();
        all.extend(files.map(|(p, w)| (p.clone(), w.clone())));
        let text = serde_json::to_vec(&Manifest { version: VERSION, files: all }).unwrap_or_default();
        replace(&self.manifest_path, &text)
    }
}

/// Files ready to be put into place.
#[derive(Debug, Default)]
pub struct Staged {
    files: BTreeMap<OutPath, StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    written: Written,
    /// Where the new content waits; `None` when the output has it already.
    staged: Option<PathBuf>,
}

/// Takes the files of a build from many threads.
#[derive(Debug)]
pub struct Stage<'a> {
    output: &'a Output,
    next: AtomicU64,
    staged: Mutex<BTreeMap<OutPath, StagedFile>>,
}

impl Stage<'_> {
    /// Takes a file's content. What the output has already is not written again.
    ///
    /// # Errors
    /// When the staging folder cannot be written to.
    pub fn put(&self, path: &OutPath, content: &[u8]) -> Result<(), Diagnostic> {
        let mut written = Written { hash: blake3::hash(content).to_hex().as_str()[..32].to_owned(), size: content.len() as u64, modified: 0 };
        let target = self.output.folder.join(path.as_str());
        let staged = match self.output.holds(path, &target, &written, content) {
            Some(modified) => {
                written.modified = modified;
                None
            }
            None => {
                let file = self.output.staging.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
                fs::write(&file, content).map_err(|e| failed(&target, "written", &e))?;
                Some(file)
            }
        };
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), StagedFile { written, staged });
        Ok(())
    }

    /// All that was taken.
    #[must_use]
    pub fn finish(self) -> Staged {
        Staged { files: self.staged.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }
}

impl Output {
    /// Whether the output has this very content at `path`; then when it was written.
    ///
    /// Size and time as the manifest has them are believed; anything else is compared byte for byte.
    fn holds(&self, path: &OutPath, target: &Path, new: &Written, content: &[u8]) -> Option<u64> {
        let data = fs::symlink_metadata(target).ok()?;
        if !data.is_file() || data.len() != new.size {
            return None;
        }
        let time = modified(target);
        let known = self.manifest.files.get(path);
        let same = match known {
            Some(old) if old.modified == time => old.hash == new.hash,
            _ => fs::read(target).is_ok_and(|bytes| bytes == content),
        };
        same.then_some(time)
    }
}

/// Whether an old file must go before a new one can come: the same name to some file system, a folder of the
/// new one's, or a file below it.
fn in_the_way(old: &OutPath, keys: &HashSet<String>, new: &BTreeMap<OutPath, StagedFile>) -> bool {
    let key = old.collision_key();
    if keys.contains(&key) || key.match_indices('/').any(|(i, _)| keys.contains(&key[..i])) {
        return true;
    }
    let below = format!("{old}/");
    new.range::<OutPath, _>(old..).find(|(p, _)| p.as_str() >= below.as_str()).is_some_and(|(p, _)| p.as_str().starts_with(&below))
}

/// Makes the folder of a file, once.
fn make_folder(file: &Path, made: &mut HashSet<PathBuf>) -> Result<(), Diagnostic> {
    let Some(folder) = file.parent() else { return Ok(()) };
    if made.contains(folder) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|e| failed(folder, "made", &e))?;
    made.insert(folder.to_owned());
    Ok(())
}

/// Writes a file so that it is never seen half written.
///
/// # Errors
/// When the folder cannot be written to.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Diagnostic> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|e| failed(path, "written", &e))
}

/// Writes a file that must not be there yet, with the folders around it.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn create(path: &Path, content: &str) -> Result<(), Diagnostic> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| failed(folder, "made", &e))?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| failed(path, "written", &e))?;
    file.write_all(content.as_bytes()).map_err(|e| failed(path, "written", &e))
}

/// Whether a folder is there and has anything in it.
#[must_use]
pub fn is_filled(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) => e.kind() != io::ErrorKind::NotFound,
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
fn absolute(path: &Path) -> io::Result<PathBuf> {
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

/// The output must not be, hold or lie in what the site is made of.
fn refuse_sources(root: &Path, folder: &Path) -> Result<(), Diagnostic> {
    let refuse = |why: &str| {
        Err(Diagnostic::error(format!("the output folder cannot be `{}`: {why}", folder.display()))
            .hint("name a folder of its own with --output, such as public"))
    };
    if root.starts_with(folder) {
        return refuse("the site itself lies in it");
    }
    for part in ["content", "templates", "static", "data", "src", STATE, ".git"] {
        if folder.starts_with(root.join(part)) {
            return refuse(&format!("it is part of the site's {part}/"));
        }
    }
    Ok(())
}

fn read_manifest(path: &Path) -> Option<Manifest> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (manifest.version == VERSION).then_some(manifest)
}

fn modified(path: &Path) -> u64 {
    let time = fs::metadata(path).and_then(|m| m.modified()).ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    time.and_then(|t| u64::try_from(t.as_nanos()).ok()).unwrap_or(0)
}

/// An empty folder on the same file system as the output: under the state folder if that is, else beside the
/// output, else (where the output is a mount of its own) inside it for the time of the build.
fn staging_folder(claim: &Claim, output: &Path) -> Result<PathBuf, Diagnostic> {
    let name = format!(".folio-staging-{}", blake3::hash(output.to_string_lossy().as_bytes()).to_hex().as_str()[..8].to_owned());
    let existing = output.ancestors().find(|p| p.exists()).unwrap_or(output);
    let beside = output.parent().unwrap_or(output);
    let candidates = [claim.state.as_path(), beside, output];
    let mut last = None;
    for folder in candidates {
        let reference = if folder == output { output } else { folder };
        if folder != output && (!reference.exists() || device(reference) != device(existing)) {
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
    let key = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().into_owned();
    let name = blake3::hash(key.as_bytes()).to_hex().as_str()[..16].to_owned();
    let manifest = read_manifest(&root.join(STATE).join("outputs").join(format!("{name}.json")));
    manifest.map(|m| m.files.keys().map(ToString::to_string).collect()).unwrap_or_default()
}
