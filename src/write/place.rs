//! Moves staged files into place, so that a failure in between leaves the output as it was.
//!
//! First everything that could be in the way is checked, then files are renamed one by one. A file
//! that is replaced keeps a second name in the staging folder until all renames have succeeded, and
//! gets its place back after a failure.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::write_error;
use super::manifest::Written;
use crate::diag::Diagnostic;
use crate::paths::OutPath;

/// A file that is ready to be moved into place.
#[derive(Debug)]
pub(super) struct StagedFile {
    pub written: Written,
    /// The staged content; `None` when the output has it already.
    pub staged: Option<PathBuf>,
}

/// The folders of a commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folders<'a> {
    pub output: &'a Path,
    pub staging: &'a Path,
    /// Whether the output was empty, so that nothing can be in the way.
    pub is_new: bool,
}

/// What has been done so far, for undoing it.
#[derive(Debug, Default)]
struct Done {
    /// Files that were moved into place, with the backups of those they replaced.
    placed: Vec<(PathBuf, Option<PathBuf>)>,
    /// Deleted files, with their backups.
    removed: Vec<(PathBuf, PathBuf)>,
    /// Created folders, outer ones first.
    folders: Vec<PathBuf>,
}

/// Moves the staged files of `new` into place, deletes the files of `stale`, and then calls
/// `finish`.
///
/// # Errors
/// When something is in the way, or the file system fails; everything is then as it was before.
pub(super) fn commit(
    folders: Folders<'_>,
    new: &BTreeMap<OutPath, StagedFile>,
    old: &BTreeMap<OutPath, Written>,
    stale: &[&OutPath],
    finish: impl FnOnce() -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    if !folders.is_new {
        look_ahead(folders, new, old)?;
    }
    if folders.is_new && whole(folders).is_ok() {
        // If finishing fails, the new output is moved back in one step, too.
        return finish().inspect_err(|_| {
            let _ = fs::rename(folders.output, folders.staging.join(TREE));
        });
    }
    let mut done = Done::default();
    let result = run(folders, new, stale, &mut done).and_then(|()| finish());
    if result.is_err() {
        undo(&done);
    }
    result
}

/// The folder in the staging folder that holds a new output.
pub(super) const TREE: &str = "tree";

/// Moves a complete new output into place.
fn whole(folders: Folders<'_>) -> io::Result<()> {
    if let Some(parent) = folders.output.parent() {
        fs::create_dir_all(parent)?;
    }
    // An empty output folder is replaced. One that is not empty stays, and files are moved one by
    // one.
    if folders.output.exists() {
        fs::remove_dir(folders.output)?;
    }
    fs::rename(folders.staging.join(TREE), folders.output)
}

/// Rejects paths through symbolic links, and files that Folio did not write.
fn look_ahead(
    folders: Folders<'_>,
    new: &BTreeMap<OutPath, StagedFile>,
    old: &BTreeMap<OutPath, Written>,
) -> Result<(), Diagnostic> {
    let mut known: HashSet<&str> = HashSet::new();
    for (path, _) in new.iter().filter(|(_, f)| f.staged.is_some()) {
        let text = path.as_str();
        for (i, _) in text.match_indices('/') {
            let folder = &text[..i];
            if !known.insert(folder) {
                continue;
            }
            let place = folders.output.join(folder);
            let Ok(data) = fs::symlink_metadata(&place) else { continue };
            if data.is_symlink() {
                return Err(in_the_way(&place, "is a symbolic link, which Folio does not follow"));
            }
            if !data.is_dir() && OutPath::new(folder).map_or(true, |p| !old.contains_key(&p)) {
                return Err(in_the_way(&place, "must be a folder, but it is a file"));
            }
        }
        let place = folders.output.join(text);
        let Ok(data) = fs::symlink_metadata(&place) else { continue };
        let holds_ours = || {
            old.range(path..).any(|(p, _)| {
                p.as_str().strip_prefix(text).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        if data.is_dir() && !holds_ours() {
            return Err(in_the_way(&place, "must be a file, but it is a folder"));
        }
        if !data.is_dir() && !old.contains_key(path) {
            return Err(in_the_way(&place, "exists, and Folio did not create it"));
        }
    }
    Ok(())
}

fn in_the_way(place: &Path, what: &str) -> Diagnostic {
    Diagnostic::error(format!("`{}` {what}", place.display()))
        .hint("move it out of the output folder")
}

fn run(
    folders: Folders<'_>,
    new: &BTreeMap<OutPath, StagedFile>,
    stale: &[&OutPath],
    done: &mut Done,
) -> Result<(), Diagnostic> {
    let keys: HashSet<String> = new.keys().map(OutPath::collision_key).collect();
    let (first, last): (Vec<&OutPath>, Vec<&OutPath>) =
        stale.iter().partition(|path| must_go_first(path, &keys, new));
    remove(folders, &first, done)?;
    let mut made: HashSet<PathBuf> = HashSet::new();
    for (path, file) in new {
        let Some(from) = &file.staged else { continue };
        let to = folders.output.join(path.as_str());
        if let Some(folder) = to.parent()
            && made.insert(folder.to_owned())
        {
            make_folders(folder, done)?;
        }
        let kept =
            if folders.is_new { None } else { keep(&to, folders.staging, done.placed.len())? };
        fs::rename(from, &to).map_err(|e| write_error(&to, "written", &e))?;
        done.placed.push((to, kept));
    }
    remove(folders, &last, done)?;
    for path in stale {
        remove_empty_folders(folders.output, &folders.output.join(path.as_str()));
    }
    Ok(())
}

/// Gives the file at `place` a second name, if it exists.
fn keep(place: &Path, staging: &Path, number: usize) -> Result<Option<PathBuf>, Diagnostic> {
    if fs::symlink_metadata(place).is_err() {
        return Ok(None);
    }
    let kept = staging.join(format!("old-{number}"));
    fs::hard_link(place, &kept)
        .or_else(|_| fs::copy(place, &kept).map(|_| ()))
        .map_err(|e| write_error(place, "kept", &e))?;
    Ok(Some(kept))
}

fn make_folders(folder: &Path, done: &mut Done) -> Result<(), Diagnostic> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|p| !p.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => done.folders.push(folder.to_owned()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(e) => return Err(write_error(folder, "made", &e)),
        }
    }
    Ok(())
}

/// Moves files out of the output. A symbolic link is moved itself, whatever it points to.
fn remove(folders: Folders<'_>, paths: &[&OutPath], done: &mut Done) -> Result<(), Diagnostic> {
    for path in paths {
        let file = folders.output.join(path.as_str());
        let leads_out =
            file.ancestors().skip(1).take_while(|p| *p != folders.output).any(Path::is_symlink);
        let Ok(data) = fs::symlink_metadata(&file) else { continue };
        if leads_out || data.is_dir() {
            continue;
        }
        let kept = folders.staging.join(format!("gone-{}", done.removed.len()));
        fs::rename(&file, &kept).map_err(|e| write_error(&file, "deleted", &e))?;
        done.removed.push((file.clone(), kept));
        remove_empty_folders(folders.output, &file);
    }
    Ok(())
}

fn remove_empty_folders(output: &Path, file: &Path) {
    let mut folder = file.parent();
    while let Some(dir) = folder.filter(|d| *d != output && d.starts_with(output)) {
        if fs::remove_dir(dir).is_err() && dir.exists() {
            break;
        }
        folder = dir.parent();
    }
}

/// Whether an old file must be deleted before a new one can be created: its name is equal on some
/// file system, or one of them is a folder of the other.
fn must_go_first(
    old: &OutPath,
    keys: &HashSet<String>,
    new: &BTreeMap<OutPath, StagedFile>,
) -> bool {
    let key = old.collision_key();
    if keys.contains(&key) || key.match_indices('/').any(|(i, _)| keys.contains(&key[..i])) {
        return true;
    }
    let below = format!("{old}/");
    new.range::<OutPath, _>(old..)
        .find(|(p, _)| p.as_str() >= below.as_str())
        .is_some_and(|(p, _)| p.as_str().starts_with(&below))
}

/// Undoes everything, as far as the file system allows.
fn undo(done: &Done) {
    for (place, kept) in done.placed.iter().rev() {
        let _ = match kept {
            Some(kept) => fs::rename(kept, place),
            None => fs::remove_file(place),
        };
    }
    for folder in done.folders.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
    for (place, kept) in done.removed.iter().rev() {
        if let Some(folder) = place.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let _ = fs::rename(kept, place);
    }
}
