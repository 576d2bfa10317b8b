//! The files of the default theme: a list of them, and copies for a site to change.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Report, nearest};
use crate::load::{Disk, theme};
use crate::paths::SourcePath;
use crate::write;

/// A file of the default theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeFile {
    /// The path in a site that overrides it, such as `templates/base.html`.
    pub path: String,
    /// Whether the site has a file of its own there.
    pub is_overridden: bool,
}

/// The files of the default theme, by path.
///
/// # Errors
/// When there is no site at `root`.
pub fn theme_files(root: &Path) -> Result<Vec<ThemeFile>, Diagnostic> {
    let disk = Disk::open(root)?;
    disk.config()?;
    let overridden = |path: &str| has_file(&disk, path);
    let file = |(path, _): (String, &[u8])| ThemeFile { is_overridden: overridden(&path), path };
    Ok(contents().map(file).collect())
}

/// Copies files of the default theme into a site, and returns the paths of the copies. A name is a
/// path below `templates/` or `static/`, with or without that folder.
///
/// # Errors
/// When a name is not one of the theme, or the site has the file already; then nothing is copied.
pub fn copy_theme_files(root: &Path, names: &[String]) -> Result<Vec<PathBuf>, Report> {
    let disk = Disk::open(root).map_err(Report::of)?;
    disk.config().map_err(Report::of)?;
    let mut problems = Report::default();
    let mut files = Vec::new();
    for name in names {
        match find(name) {
            Ok((path, _)) if has_file(&disk, &path) => problems.push(
                Diagnostic::error(format!("`{path}` exists already"))
                    .hint("change that file, or remove it first"),
            ),
            Ok(file) => files.push(file),
            Err(error) => problems.push(error),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    files
        .into_iter()
        .map(|(path, bytes)| {
            let target = disk.root().join(path);
            write::create(&target, bytes).map_err(Report::of).map(|()| target)
        })
        .collect()
}

fn has_file(disk: &Disk, path: &str) -> bool {
    SourcePath::new(path).is_ok_and(|path| disk.stamp(&path).is_some())
}

/// The path and bytes of each file.
fn contents() -> impl Iterator<Item = (String, &'static [u8])> {
    let statics = theme::STATIC.iter().map(|(name, bytes)| (format!("static/{name}"), *bytes));
    let templates =
        theme::TEMPLATES.iter().map(|(name, text)| (format!("templates/{name}"), text.as_bytes()));
    statics.chain(templates)
}

fn find(name: &str) -> Result<(String, &'static [u8]), Diagnostic> {
    let name = name.trim_start_matches("./");
    let is_meant =
        |path: &str| path == name || path.split_once('/').is_some_and(|(_, below)| below == name);
    if let Some(file) = contents().find(|(path, _)| is_meant(path)) {
        return Ok(file);
    }
    let error = Diagnostic::error(format!("the default theme has no file `{name}`"));
    let known: Vec<String> = contents().map(|(path, _)| path).collect();
    let below = known.iter().filter_map(|path| path.split_once('/')).map(|(_, below)| below);
    Err(match nearest(name, known.iter().map(String::as_str).chain(below)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`folio theme list` lists its files"),
    })
}
