//! The only reader of a site's files.
//!
//! [`Disk`] knows the root and hands out [`Sources`]: the names of what is there, in an order that does not
//! depend on the file system, and the templates. Texts of articles are read one at a time ([`Disk::text`]),
//! so that nothing holds them all. Nothing outside the root is ever read: a link that leads out is an error.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

pub mod theme;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::config;
use crate::diag::{Diagnostic, Excerpt, Report};
use crate::memo::Mark;
use crate::paths::SourcePath;

/// An article larger than this is refused: it is a mistake, and its parts would not fit 32-bit offsets.
const MAX_TEXT: u64 = 1 << 30;

/// What is there to build from. Every list is sorted by path.
#[derive(Debug, Default)]
pub struct Sources {
    /// Markdown files under `content/`.
    pub articles: Vec<SourcePath>,
    /// Every other file under `content/`: images and downloads beside the articles.
    pub assets: Vec<SourcePath>,
    /// Files under `static/`.
    pub statics: Vec<StaticFile>,
    /// Files under `data/`.
    pub data: Vec<SourcePath>,
    /// The site's templates, and those of the default theme that it does not replace.
    pub templates: Vec<TemplateSource>,
    /// Files under `templates/`.
    pub own_templates: Vec<SourcePath>,
}

impl Sources {
    /// Every file of the site that a build reads, but for articles and `site.toml`.
    pub fn files(&self) -> impl Iterator<Item = SourcePath> + '_ {
        let statics = self.statics.iter().filter_map(|f| match &f.origin {
            Origin::Site(path) => Some(path.clone()),
            Origin::Theme(_) => None,
        });
        let templates = self.own_templates.iter().cloned();
        self.assets.iter().chain(&self.data).cloned().chain(statics).chain(templates)
    }
}

/// A file that is published as it is.
#[derive(Clone, Debug)]
pub struct StaticFile {
    /// The name below `static/`.
    pub name: String,
    pub origin: Origin,
}

/// Where a static file's bytes come from.
#[derive(Clone, Debug)]
pub enum Origin {
    Site(SourcePath),
    Theme(&'static [u8]),
}

/// A template's text.
#[derive(Clone, Debug)]
pub struct TemplateSource {
    /// The name below `templates/`, as `extends` and `include` know it.
    pub name: String,
    pub text: Cow<'static, str>,
}

impl TemplateSource {
    /// The name of the file for messages.
    #[must_use]
    pub fn file(name: &str) -> String {
        format!("templates/{name}")
    }
}

/// What a file system says of a file, by which it is known again without being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub modified: u64,
    /// When anything about the file last changed, which no program can set; 0 where that is not kept.
    pub changed: u64,
    pub inode: u64,
}

impl Stamp {
    /// The stamp of any file, which need not be of a site; `None` when it is not there.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|data| Self::of(&data))
    }

    fn of(data: &fs::Metadata) -> Self {
        let nanos = |t: io::Result<SystemTime>| {
            t.ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).and_then(|d| u64::try_from(d.as_nanos()).ok()).unwrap_or(0)
        };
        #[cfg(unix)]
        let (changed, inode) = {
            use std::os::unix::fs::MetadataExt;
            let seconds = u64::try_from(data.ctime()).unwrap_or(0);
            (seconds * 1_000_000_000 + u64::try_from(data.ctime_nsec()).unwrap_or(0), data.ino())
        };
        #[cfg(not(unix))]
        let (changed, inode) = (0, 0);
        Self { size: data.len(), modified: nanos(data.modified()), changed, inode }
    }

    /// Whether the file was left alone for a second before `moment` (nanoseconds since the epoch): then a later
    /// change shows in the stamp, however coarse the file system's clock.
    #[must_use]
    pub fn is_settled(&self, moment: u64) -> bool {
        self.modified.max(self.changed) + 1_000_000_000 < moment
    }
}

/// A site on disk.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// # Errors
    /// When the folder is not there.
    pub fn open(root: &Path) -> Result<Self, Diagnostic> {
        let real =
            root.canonicalize().map_err(|e| Diagnostic::error(format!("the site's folder `{}` cannot be opened: {}", root.display(), reason(&e))))?;
        if !real.is_dir() {
            return Err(Diagnostic::error(format!("`{}` is not a folder", root.display())));
        }
        Ok(Self { root: real })
    }

    /// The root, with every link resolved.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of `site.toml`.
    ///
    /// # Errors
    /// When it is not there, cannot be read or is not UTF-8.
    pub fn config(&self) -> Result<String, Diagnostic> {
        if !self.root.join(config::FILE).exists() {
            return Err(Diagnostic::error(format!("there is no {} in this folder", config::FILE))
                .hint("start a site with `folio init DIR`, or name a site's folder with --root"));
        }
        let path = self.root.join(config::FILE);
        if !self.holds(&path) {
            return Err(self.outside(&path));
        }
        read_text(&path, config::FILE)
    }

    /// Lists the site. Everything that cannot be listed or read comes in the report.
    #[must_use]
    pub fn scan(&self) -> (Sources, Report) {
        let mut report = Report::default();
        let mut sources = Sources::default();
        if self.root.join("content").is_dir() {
            for path in self.walk("content", &mut report) {
                if path.has_extension("md") || path.has_extension("markdown") {
                    sources.articles.push(path);
                } else {
                    sources.assets.push(path);
                }
            }
        } else {
            report.push(
                Diagnostic::error("there is no `content/` folder")
                    .hint("articles are Markdown files under content/; `folio new posts/first.md` starts one"),
            );
        }
        sources.data = self.walk("data", &mut report);
        sources.statics = self.statics(&mut report);
        sources.own_templates = self.walk("templates", &mut report);
        sources.templates = self.templates(&sources.own_templates, &mut report);
        (sources, report)
    }

    fn statics(&self, report: &mut Report) -> Vec<StaticFile> {
        let own = self.walk("static", report);
        let mut files: Vec<StaticFile> = own
            .into_iter()
            .filter_map(|path| Some(StaticFile { name: path.below("static")?.to_owned(), origin: Origin::Site(path.clone()) }))
            .collect();
        for (name, bytes) in theme::STATIC {
            if !files.iter().any(|f| f.name == *name) {
                files.push(StaticFile { name: (*name).to_owned(), origin: Origin::Theme(bytes) });
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    fn templates(&self, own: &[SourcePath], report: &mut Report) -> Vec<TemplateSource> {
        let mut templates = Vec::new();
        for path in own {
            let Some(name) = path.below("templates") else { continue };
            match self.text(path) {
                Ok(text) => templates.push(TemplateSource { name: name.to_owned(), text: text.into() }),
                Err(error) => report.push(error),
            }
        }
        for (name, text) in theme::TEMPLATES {
            if !templates.iter().any(|t: &TemplateSource| t.name == *name) {
                templates.push(TemplateSource { name: (*name).to_owned(), text: Cow::Borrowed(text) });
            }
        }
        templates.sort_by(|a, b| a.name.cmp(&b.name));
        templates
    }

    /// A file's text: UTF-8, without a byte order mark, lines ending in `\n`.
    ///
    /// # Errors
    /// When it cannot be read or is not UTF-8; the diagnostic points at the first wrong byte.
    pub fn text(&self, path: &SourcePath) -> Result<String, Diagnostic> {
        read_text(&self.root.join(path.as_str()), path.as_str())
    }

    /// What the file system says of a file; `None` when it is not there.
    #[must_use]
    pub fn stamp(&self, path: &SourcePath) -> Option<Stamp> {
        Stamp::at(&self.root.join(path.as_str()))
    }

    /// A file's text as [`Disk::text`] has it, with the mark of its bytes.
    ///
    /// # Errors
    /// As [`Disk::text`].
    pub fn marked_text(&self, path: &SourcePath) -> Result<(String, Mark), Diagnostic> {
        let bytes = read_bytes(&self.root.join(path.as_str()), path.as_str())?;
        let mark = Mark::of(&bytes);
        Ok((decode(bytes, path.as_str())?, mark))
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self, path: &SourcePath) -> Result<Vec<u8>, Diagnostic> {
        fs::read(self.root.join(path.as_str())).map_err(|e| unreadable(path.as_str(), &e))
    }

    /// A file's bytes, or `None` when it is not there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn bytes_if_there(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        match fs::read(self.root.join(path.as_str())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(unreadable(path.as_str(), &e)),
        }
    }

    /// The text of whatever file a message names: of the site, or of the default theme.
    #[must_use]
    pub fn text_for_message(&self, file: &str) -> Option<String> {
        let path = SourcePath::new(file).ok()?;
        self.text(&path).ok().or_else(|| {
            let name = path.below("templates")?;
            theme::TEMPLATES.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned())
        })
    }

    fn walk(&self, folder: &str, report: &mut Report) -> Vec<SourcePath> {
        let top = self.root.join(folder);
        if !top.is_dir() {
            return Vec::new();
        }
        let mut files = Vec::new();
        let mut walk = WalkDir::new(&top).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    report.push(self.walk_error(&error));
                    continue;
                }
            };
            if entry.depth() == 0 {
                if entry.path_is_symlink() && !self.holds(entry.path()) {
                    report.push(self.outside(entry.path()));
                    return Vec::new();
                }
                continue;
            }
            if is_ignored(&entry.file_name().to_string_lossy(), folder) {
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
                continue;
            }
            if entry.path_is_symlink() && !self.holds(entry.path()) {
                report.push(self.outside(entry.path()));
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
                continue;
            }
            if entry.file_type().is_dir() {
                continue;
            }
            match self.take(entry.path(), entry.file_type()) {
                Ok(path) => files.push(path),
                Err(error) => report.push(error),
            }
        }
        files.sort();
        files
    }

    /// Whether what a path leads to lies in the site.
    fn holds(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|p| p.starts_with(&self.root))
    }

    fn outside(&self, path: &Path) -> Diagnostic {
        Diagnostic::error("this link leads out of the site").in_file(self.relative(path)).hint("copy what it points to into the site")
    }

    /// Whether a new file at this path would lie in the site, links among its folders followed.
    #[must_use]
    pub fn may_hold(&self, path: &SourcePath) -> bool {
        let full = self.root.join(path.as_str());
        let there = full.ancestors().skip(1).find(|p| p.exists());
        there.is_some_and(|p| self.holds(p))
    }

    fn take(&self, path: &Path, kind: fs::FileType) -> Result<SourcePath, Diagnostic> {
        let name = self.relative(path);
        if !kind.is_file() {
            return Err(Diagnostic::error("this is neither a file nor a folder").in_file(name));
        }
        if path.strip_prefix(&self.root).ok().and_then(Path::to_str).is_none() {
            return Err(Diagnostic::error("this file's name is not valid UTF-8").in_file(name).hint("rename it"));
        }
        SourcePath::new(&name).map_err(|e| Diagnostic::error(format!("this file's name cannot be used: {e}")).in_file(name).hint("rename it"))
    }

    fn relative(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy();
        if std::path::MAIN_SEPARATOR == '\\' { relative.replace('\\', "/") } else { relative.into_owned() }
    }

    fn walk_error(&self, error: &walkdir::Error) -> Diagnostic {
        let file = error.path().map_or_else(String::new, |p| self.relative(p));
        if let Some(ancestor) = error.loop_ancestor() {
            return Diagnostic::error(format!("this link leads back to `{}`, in a circle", self.relative(ancestor)))
                .in_file(file)
                .hint("remove the link");
        }
        match error.io_error() {
            Some(e) if e.kind() == io::ErrorKind::NotFound => Diagnostic::error("this link leads nowhere").in_file(file).hint("remove the link"),
            Some(e) => unreadable(&file, e),
            None => Diagnostic::error("this cannot be read").in_file(file),
        }
    }
}

/// What editors and systems leave behind, and version control. Dot files count under `static/` only, where
/// `.well-known` and `.nojekyll` are wanted.
fn is_ignored(name: &str, folder: &str) -> bool {
    let litter = matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | ".git" | ".gitkeep" | ".gitignore" | ".hg" | ".svn" | "4913")
        || name.ends_with('~')
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || [".swp", ".swx", ".swo", ".bck"].iter().any(|e| name.ends_with(e))
        || name.contains("___jb_");
    litter || (folder != "static" && name.starts_with('.'))
}

fn read_text(path: &Path, name: &str) -> Result<String, Diagnostic> {
    decode(read_bytes(path, name)?, name)
}

fn read_bytes(path: &Path, name: &str) -> Result<Vec<u8>, Diagnostic> {
    let data = fs::metadata(path).map_err(|e| unreadable(name, &e))?;
    if !data.is_file() {
        return Err(Diagnostic::error("this is not a file").in_file(name));
    }
    let len = data.len();
    if len > MAX_TEXT {
        return Err(Diagnostic::error(format!("this file is larger than {} MiB", MAX_TEXT >> 20)).in_file(name));
    }
    fs::read(path).map_err(|e| unreadable(name, &e))
}

fn decode(bytes: Vec<u8>, name: &str) -> Result<String, Diagnostic> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Diagnostic::error("this file is UTF-16, not UTF-8").in_file(name).hint("save it as UTF-8"));
    }
    let mut text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let byte = e.as_bytes()[at];
        let lossy = String::from_utf8_lossy(e.as_bytes());
        let mut d =
            Diagnostic::error(format!("this file is not valid UTF-8: byte 0x{byte:02X}")).in_file(name).at(at..at + 1).hint("save it as UTF-8");
        d.excerpt = Some(Excerpt::of(&lossy, &(at..at + 3)));
        d
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..3);
    }
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    Ok(text)
}

fn unreadable(file: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("this cannot be read: {}", reason(error))).in_file(file)
}

/// An I/O error's reason, without the operating system's number.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_line_ends_are_normalised() {
        assert_eq!(decode(b"\xEF\xBB\xBFa\r\nb\rc".to_vec(), "x").unwrap(), "a\nb\nc");
        let error = decode(b"ok\nb\xFFd".to_vec(), "x").unwrap_err();
        assert_eq!(error.excerpt.map(|e| (e.line, e.column)), Some((2, 2)));
        assert!(decode(b"\xFF\xFEa\0".to_vec(), "x").unwrap_err().message.contains("UTF-16"));
    }

    #[test]
    fn litter_is_left_out() {
        for name in ["a.md~", ".#a.md", "a.md.swp", ".DS_Store", ".hidden.md"] {
            assert!(is_ignored(name, "content"), "{name}");
        }
        for name in ["_redirects", "CNAME", ".nojekyll", ".well-known"] {
            assert!(!is_ignored(name, "static"), "{name}");
        }
    }
}
