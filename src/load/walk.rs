//! Lists the files below a folder of a site, in an order that does not depend on the file system.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use walkdir::WalkDir;

use super::error::unreadable;
use super::root::SiteRoot;
use crate::diag::{Diagnostic, Report};
use crate::paths::SourcePath;

/// How many levels deep folders may be nested. Each page shows the way to it.
const MAX_DEPTH: usize = 64;

impl SiteRoot {
    /// Lists the files at or below a path that starts with one of the site's folders.
    pub(super) fn walk(
        &self,
        start: &str,
        has_symlinks: &mut bool,
        report: &mut Report,
    ) -> Vec<SourcePath> {
        let top = self.path.join(start);
        let folder = start.split('/').next().unwrap_or(start);
        if fs::symlink_metadata(&top).is_err() {
            return Vec::new();
        }
        if start == folder && !top.is_dir() {
            report.extend(self.not_a_folder(folder).into_iter().collect());
            return Vec::new();
        }
        let mut files = Vec::new();
        let mut walk = WalkDir::new(&top).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    // Usually a symbolic link that is broken or leads to a folder above itself.
                    *has_symlinks = true;
                    report.push(self.walk_error(&error));
                    continue;
                }
            };
            let is_folder = entry.file_type().is_dir();
            if (entry.depth() > 0 || start != folder)
                && is_ignored(&entry.file_name().to_string_lossy(), folder)
            {
                if is_folder {
                    walk.skip_current_dir();
                }
                continue;
            }
            if entry.path_is_symlink() {
                *has_symlinks = true;
                if !self.holds(entry.path()) {
                    report.push(self.outside(entry.path()));
                    if is_folder {
                        walk.skip_current_dir();
                    }
                    continue;
                }
            }
            if is_folder {
                if entry.depth() > MAX_DEPTH {
                    report.push(self.too_deep(entry.path()));
                    walk.skip_current_dir();
                }
                continue;
            }
            match self.source_path(entry.path(), entry.file_type()) {
                Ok(path) => files.push(path),
                Err(error) => report.push(error),
            }
        }
        files.sort();
        files
    }

    fn source_path(&self, path: &Path, kind: fs::FileType) -> Result<SourcePath, Diagnostic> {
        let name = self.relative(path);
        if !kind.is_file() {
            return Err(Diagnostic::error("this is neither a file nor a folder").in_file(name));
        }
        if path.strip_prefix(&self.path).ok().and_then(Path::to_str).is_none() {
            return Err(Diagnostic::error("the name of this file is not valid UTF-8")
                .in_file(name)
                .hint("rename it"));
        }
        SourcePath::new(&name).map_err(|e| {
            Diagnostic::error(format!("the name of this file is invalid: {e}"))
                .in_file(name)
                .hint("rename it")
        })
    }

    fn too_deep(&self, path: &Path) -> Diagnostic {
        Diagnostic::error(format!("this folder is nested more than {MAX_DEPTH} levels deep"))
            .in_file(self.relative(path))
            .hint("move it up")
    }

    /// The problem of one of the site's folders that exists and is no folder.
    pub(super) fn not_a_folder(&self, folder: &str) -> Option<Diagnostic> {
        let top = self.path.join(folder);
        let is_link = fs::symlink_metadata(&top).ok()?.is_symlink();
        if top.is_dir() {
            return None;
        }
        Some(if is_link {
            Diagnostic::error("this symbolic link must lead to a folder")
                .in_file(folder)
                .hint("correct the link, or remove it")
        } else {
            Diagnostic::error(format!("`{folder}` must be a folder, but it is a file"))
                .in_file(folder)
                .hint("remove it or rename it")
        })
    }

    fn walk_error(&self, error: &walkdir::Error) -> Diagnostic {
        let file = error.path().map_or_else(String::new, |p| self.relative(p));
        if let Some(ancestor) = error.loop_ancestor() {
            return Diagnostic::error(format!(
                "this symbolic link points to `{}`, a folder that it is in",
                self.relative(ancestor)
            ))
            .in_file(file)
            .hint("remove the link");
        }
        match error.io_error() {
            Some(e) if e.kind() == io::ErrorKind::NotFound => {
                Diagnostic::error("this symbolic link is broken")
                    .in_file(file)
                    .hint("remove the link")
            }
            Some(e) => unreadable(&file, e),
            None => Diagnostic::error("this cannot be read").in_file(file),
        }
    }
}

/// The ranges of a sorted list that hold a path, and the paths below it.
pub(super) fn at_or_below(list: &[SourcePath], path: &SourcePath) -> [Range<usize>; 2] {
    // In byte order, a path is followed by names such as `a-b`, which sort before `a/`, and then by
    // what lies below it.
    let own = list.partition_point(|p| p < path)..list.partition_point(|p| p <= path);
    let (from, to) = (format!("{path}/"), format!("{path}0"));
    [
        own,
        list.partition_point(|p| p.as_str() < from.as_str())
            ..list.partition_point(|p| p.as_str() < to.as_str()),
    ]
}

/// Replaces the entries of a sorted list at and below a path.
pub(super) fn replace_below(list: &mut Vec<SourcePath>, path: &SourcePath, found: Vec<SourcePath>) {
    let [own, below] = at_or_below(list, path);
    list.drain(below);
    list.drain(own);
    for path in found {
        let at = list.partition_point(|p| *p < path);
        list.insert(at, path);
    }
}

/// Whether a name on a path below its folder is ignored.
#[must_use]
pub fn is_ignored_path(path: &SourcePath, folder: &str) -> bool {
    path.below(folder).is_some_and(|rest| rest.split('/').any(|part| is_ignored(part, folder)))
}

/// Whether a name is that of a temporary file of an editor, a file of the operating system, or
/// version control. Dot files are kept only under `static/`, which may hold `.well-known` and
/// `.nojekyll`.
fn is_ignored(name: &str, folder: &str) -> bool {
    let is_temporary = matches!(
        name,
        ".DS_Store"
            | "Thumbs.db"
            | "desktop.ini"
            | ".git"
            | ".gitkeep"
            | ".gitignore"
            | ".hg"
            | ".svn"
            | "4913"
    ) || name.ends_with('~')
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || [".swp", ".swx", ".swo", ".bck"].iter().any(|e| name.ends_with(e))
        || name.contains("___jb_");
    is_temporary || (folder != "static" && name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_are_ignored() {
        for name in ["a.md~", ".#a.md", "a.md.swp", ".DS_Store", ".hidden.md"] {
            assert!(is_ignored(name, "content"), "{name}");
        }
        for name in ["_redirects", "CNAME", ".nojekyll", ".well-known"] {
            assert!(!is_ignored(name, "static"), "{name}");
        }
    }
}
