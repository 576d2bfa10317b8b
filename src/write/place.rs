//! Putting staged files into place, so that a failure half-way leaves the output as it was.
//!
//! First everything that could be in the way is looked for, then files are renamed one by one. The file that
//! a rename replaces keeps a second name in the staging folder until all have gone well; after a failure
//! these go back.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::failed;
use super::manifest::Written;
use crate::diag::Diagnostic;
use crate::paths::OutPath;

/// A file ready to be put into place.
#[derive(Debug)]
pub(super) struct StagedFile {
    pub written: Written,
    /// Where the new content waits; `None` when the output has it already.
    pub staged: Option<PathBuf>,
}

/// The folders that a commit works in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folders<'a> {
    pub output: &'a Path,
    pub staging: &'a Path,
    /// Whether the output was empty, so that nothing can be in the way.
    pub is_new: bool,
}

/// What has been done so far, so that it can be undone.
#[derive(Debug, Default)]
struct Done {
    /// Files put in place, with where the old one waits.
    placed: Vec<(PathBuf, Option<PathBuf>)>,
    /// Files taken away, with where they wait.
    removed: Vec<(PathBuf, PathBuf)>,
    /// Folders made, outer before inner.
    folders: Vec<PathBuf>,
}

/// Puts the staged files of `new` into place, takes the files of `stale` away, and then does what `finish` says.
///
/// # Errors
/// When something is in the way or the file system refuses; everything is then as it was.
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
        // What cannot be finished goes back in one step as well.
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

/// The folder on the stage that a new output waits in.
pub(super) const TREE: &str = "tree";

/// Puts a whole new output into place.
fn whole(folders: Folders<'_>) -> io::Result<()> {
    if let Some(parent) = folders.output.parent() {
        fs::create_dir_all(parent)?;
    }
    // An empty folder may be there; one that is not stays, and its files are then placed one by one.
    if folders.output.exists() {
        fs::remove_dir(folders.output)?;
    }
    fs::rename(folders.staging.join(TREE), folders.output)
}

/// Refuses what would go through a link, or over a file that Folio did not make.
fn look_ahead(folders: Folders<'_>, new: &BTreeMap<OutPath, StagedFile>, old: &BTreeMap<OutPath, Written>) -> Result<(), Diagnostic> {
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
                return Err(in_the_way(&place, "is a link, and Folio writes through none"));
            }
            if !data.is_dir() && OutPath::new(folder).map_or(true, |p| !old.contains_key(&p)) {
                return Err(in_the_way(&place, "stands where a folder of the site must be"));
            }
        }
        let place = folders.output.join(text);
        let Ok(data) = fs::symlink_metadata(&place) else { continue };
        let holds_ours = || old.range(path..).any(|(p, _)| p.as_str().strip_prefix(text).is_some_and(|rest| rest.starts_with('/')));
        if data.is_dir() && !holds_ours() {
            return Err(in_the_way(&place, "is a folder where a file of the site must be"));
        }
        if !data.is_dir() && !old.contains_key(path) {
            return Err(in_the_way(&place, "is there, and Folio did not make it"));
        }
    }
    Ok(())
}

fn in_the_way(place: &Path, what: &str) -> Diagnostic {
    Diagnostic::error(format!("`{}` {what}", place.display())).hint("move it out of the output folder")
}

fn run(folders: Folders<'_>, new: &BTreeMap<OutPath, StagedFile>, stale: &[&OutPath], done: &mut Done) -> Result<(), Diagnostic> {
    let keys: HashSet<String> = new.keys().map(OutPath::collision_key).collect();
    let (first, last): (Vec<&OutPath>, Vec<&OutPath>) = stale.iter().partition(|path| must_go_first(path, &keys, new));
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
        let kept = if folders.is_new { None } else { keep(&to, folders.staging, done.placed.len())? };
        fs::rename(from, &to).map_err(|e| failed(&to, "written", &e))?;
        done.placed.push((to, kept));
    }
    remove(folders, &last, done)?;
    for path in stale {
        remove_empty_folders(folders.output, &folders.output.join(path.as_str()));
    }
    Ok(())
}

/// Gives the file at `place` a second name, if there is one.
fn keep(place: &Path, staging: &Path, number: usize) -> Result<Option<PathBuf>, Diagnostic> {
    if fs::symlink_metadata(place).is_err() {
        return Ok(None);
    }
    let kept = staging.join(format!("old-{number}"));
    fs::hard_link(place, &kept).or_else(|_| fs::copy(place, &kept).map(|_| ())).map_err(|e| failed(place, "kept", &e))?;
    Ok(Some(kept))
}

fn make_folders(folder: &Path, done: &mut Done) -> Result<(), Diagnostic> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|p| !p.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => done.folders.push(folder.to_owned()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(e) => return Err(failed(folder, "made", &e)),
        }
    }
    Ok(())
}

/// Moves files out of the output; a link is moved itself, whatever it leads to.
fn remove(folders: Folders<'_>, paths: &[&OutPath], done: &mut Done) -> Result<(), Diagnostic> {
    for path in paths {
        let file = folders.output.join(path.as_str());
        let leads_out = file.ancestors().skip(1).take_while(|p| *p != folders.output).any(Path::is_symlink);
        let Ok(data) = fs::symlink_metadata(&file) else { continue };
        if leads_out || data.is_dir() {
            continue;
        }
        let kept = folders.staging.join(format!("gone-{}", done.removed.len()));
        fs::rename(&file, &kept).map_err(|e| failed(&file, "deleted", &e))?;
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

/// Whether an old file must go before a new one can come: the same name to some file system, a folder of the
/// new one's, or a file below it.
fn must_go_first(old: &OutPath, keys: &HashSet<String>, new: &BTreeMap<OutPath, StagedFile>) -> bool {
    let key = old.collision_key();
    if keys.contains(&key) || key.match_indices('/').any(|(i, _)| keys.contains(&key[..i])) {
        return true;
    }
    let below = format!("{old}/");
    new.range::<OutPath, _>(old..).find(|(p, _)| p.as_str() >= below.as_str()).is_some_and(|(p, _)| p.as_str().starts_with(&below))
}

/// Puts everything back, as far as the file system lets it.
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
