//! The only reader of a site's files.
//!
//! [`Disk`] knows the root and returns [`Sources`]: the names of the files, in an order that does
//! not depend on the file system, and the templates. The texts of articles are read one at a time
//! ([`Disk::text`]), so that memory does not grow with them. Nothing outside the root is read: a
//! symbolic link that leads out of it is an error.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

mod config_files;
mod error;
mod root;
mod text;
pub mod theme;
mod walk;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::cache::Fingerprint;
use crate::config::Overrides;
use crate::diag::{Diagnostic, Report};
use crate::paths::SourcePath;
use error::unreadable;
use root::SiteRoot;
pub use text::decode;
use text::{read_bytes, read_text};
use walk::{at_or_below, replace_below};

pub use config_files::ConfigFiles;
pub use error::reason;
pub use root::find_root;
pub use walk::is_ignored_path;

/// The folders of a site. Besides them, only `site.toml` and the configured snapshot of counters
/// are read.
pub const FOLDERS: [&str; 5] = ["content", "data", "languages", "static", "templates"];

/// Whether a path lies in one of a site's folders.
#[must_use]
pub fn is_in_folders(path: &SourcePath) -> bool {
    FOLDERS.iter().any(|folder| path.below(folder).is_some())
}

/// The files of a site. Every list is sorted by path.
#[derive(Debug, Default)]
pub struct Sources {
    /// Markdown files under `content/`.
    pub articles: Vec<SourcePath>,
    /// The other files under `content/`: images and downloads of articles.
    pub assets: Vec<SourcePath>,
    /// Files under `static/`.
    pub statics: Vec<StaticFile>,
    /// Files under `data/`.
    pub data: Vec<SourcePath>,
    /// The site's templates, and those of the default theme that it does not override.
    pub templates: Vec<TemplateSource>,
    /// Files under `templates/`.
    pub own_templates: Vec<SourcePath>,
    /// Whether anything of the site is reached through a symbolic link. Then a change of one path
    /// may be a change of others.
    pub has_symlinks: bool,
}

impl Sources {
    /// The files at or below a path.
    pub fn at_or_below(&self, path: &SourcePath) -> Vec<SourcePath> {
        let rest = self
            .data
            .iter()
            .chain(&self.own_templates)
            .chain(self.statics.iter().filter_map(StaticFile::source));
        let rest = rest.filter(|p| *p == path || p.below(path.as_str()).is_some()).cloned();
        let sorted = [&self.articles, &self.assets].into_iter().flat_map(|list| {
            let [own, below] = at_or_below(list, path);
            list[own].iter().chain(&list[below])
        });
        sorted.cloned().chain(rest).collect()
    }

    /// Every file of the site that a build reads, except articles and `site.toml`.
    pub fn files(&self) -> impl Iterator<Item = SourcePath> + '_ {
        let statics = self.statics.iter().filter_map(StaticFile::source).cloned();
        let templates = self.own_templates.iter().cloned();
        self.assets.iter().chain(&self.data).cloned().chain(statics).chain(templates)
    }
}

/// A file that is published unchanged.
#[derive(Clone, Debug)]
pub struct StaticFile {
    /// The path below `static/`.
    pub name: String,
    pub origin: Origin,
}

impl StaticFile {
    /// The site's own file; `None` for a file of the default theme.
    fn source(&self) -> Option<&SourcePath> {
        match &self.origin {
            Origin::Site(path) => Some(path),
            Origin::Theme(_) => None,
        }
    }
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
    /// The name that `extends` and `include` use: the path below `templates/`.
    pub name: String,
    pub text: Cow<'static, str>,
}

impl TemplateSource {
    /// Whether it is a file of the site, and not one of the default theme.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }

    /// The path of the file, for messages.
    #[must_use]
    pub fn file(name: &str) -> String {
        format!("templates/{name}")
    }
}

/// What the file system knows about a file, by which an unchanged file is recognised without
/// reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub modified: u64,
    /// When the file or its metadata last changed, in nanoseconds since the epoch, which programs
    /// cannot set; 0 where that is not known.
    pub changed: u64,
    pub inode: u64,
}

impl Stamp {
    /// The stamp of any file; `None` when it does not exist.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|data| Self::of(&data))
    }

    fn of(data: &fs::Metadata) -> Self {
        let nanos = |t: io::Result<SystemTime>| {
            t.ok()
                .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
                .and_then(|d| u64::try_from(d.as_nanos()).ok())
                .unwrap_or(0)
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

    /// Whether the file was left alone for a second before `moment` (nanoseconds since the epoch).
    /// Then a later change shows in the stamp, however coarse the clock of the file system is.
    #[must_use]
    pub fn is_settled(&self, moment: u64) -> bool {
        self.modified.max(self.changed) + 1_000_000_000 < moment
    }
}

/// A site on disk.
#[derive(Clone, Debug)]
pub struct Disk {
    root: SiteRoot,
}

impl Disk {
    /// # Errors
    /// When the folder does not exist.
    pub fn open(root: &Path) -> Result<Self, Diagnostic> {
        let real = root.canonicalize().map_err(|e| {
            Diagnostic::error(format!(
                "the site's folder `{}` cannot be opened: {}",
                root.display(),
                reason(&e)
            ))
        })?;
        if !real.is_dir() {
            return Err(Diagnostic::error(format!("`{}` is not a folder", root.display())));
        }
        Ok(Self { root: SiteRoot { path: real } })
    }

    /// The root, with symbolic links resolved.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root.path
    }

    /// The text of `site.toml`.
    ///
    /// # Errors
    /// When it does not exist, cannot be read or is not UTF-8.
    pub fn config(&self) -> Result<String, Diagnostic> {
        config_files::config_text(&self.root)
    }

    /// Reads `site.toml` and the site's own texts for its language, with all their problems.
    ///
    /// # Errors
    /// When `site.toml` does not exist, cannot be read or is not UTF-8.
    pub fn read_config(&self, overrides: &Overrides) -> Result<ConfigFiles, Diagnostic> {
        config_files::read_config(&self.root, overrides)
    }

    /// The site's own texts for a language; `None` when it has none.
    ///
    /// # Errors
    /// When the file cannot be read or is not UTF-8.
    pub fn own_texts(&self, tag: &str) -> Result<Option<String>, Diagnostic> {
        config_files::own_texts(&self.root, tag)
    }

    /// Lists the site. What cannot be listed or read is in the report.
    #[must_use]
    pub fn scan(&self) -> (Sources, Report) {
        let mut report = Report::default();
        let mut sources = Sources::default();
        if self.root.path.join("content").is_dir() {
            let found = self.root.walk("content", &mut sources.has_symlinks, &mut report);
            (sources.articles, sources.assets) = found.into_iter().partition(is_article);
        } else {
            let missing = || {
                Diagnostic::error("folder `content/` does not exist").hint(
                    "articles are Markdown files in content/; `folio new posts/first.md` creates \
                     one",
                )
            };
            report.push(self.root.not_a_folder("content").unwrap_or_else(missing));
        }
        self.scan_rest(&mut sources, &mut report);
        (sources, report)
    }

    /// Lists everything except `content/`.
    fn scan_rest(&self, sources: &mut Sources, report: &mut Report) {
        sources.data = self.root.walk("data", &mut sources.has_symlinks, report);
        sources.statics = self.statics(&mut sources.has_symlinks, report);
        sources.own_templates = self.root.walk("templates", &mut sources.has_symlinks, report);
        sources.templates = self.templates(&sources.own_templates, report);
        report.extend(self.root.not_a_folder("languages").into_iter().collect());
    }

    /// Lists again what is at or below some paths, and keeps the rest. The paths are those of files
    /// or folders, existing or not, below `content/`, `data/`, `static/` or `templates/`. A site
    /// with symbolic links is listed completely, since the same file may have several paths in it.
    pub fn rescan<'a>(
        &self,
        sources: &mut Sources,
        report: &mut Report,
        paths: impl Iterator<Item = &'a SourcePath>,
    ) {
        let (content, rest): (Vec<_>, Vec<_>) = paths.partition(|p| p.below("content").is_some());
        for path in content {
            *report = std::mem::take(report).without(path.as_str());
            let found = if is_ignored_path(path, "content") {
                Vec::new()
            } else {
                self.root.walk(path.as_str(), &mut sources.has_symlinks, report)
            };
            let (articles, assets): (Vec<_>, Vec<_>) = found.into_iter().partition(is_article);
            replace_below(&mut sources.articles, path, articles);
            replace_below(&mut sources.assets, path, assets);
        }
        if !rest.is_empty() {
            for folder in ["data", "static", "templates"] {
                *report = std::mem::take(report).without(folder);
            }
            self.scan_rest(sources, report);
        }
        if sources.has_symlinks {
            (*sources, *report) = self.scan();
        }
    }

    fn statics(&self, has_symlinks: &mut bool, report: &mut Report) -> Vec<StaticFile> {
        let own = self.root.walk("static", has_symlinks, report);
        let mut files: Vec<StaticFile> = own
            .into_iter()
            .filter_map(|path| {
                Some(StaticFile {
                    name: path.below("static")?.to_owned(),
                    origin: Origin::Site(path.clone()),
                })
            })
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
                Ok(text) => {
                    templates.push(TemplateSource { name: name.to_owned(), text: text.into() });
                }
                Err(error) => report.push(error),
            }
        }
        let is_own = |templates: &[TemplateSource], name: &str| {
            templates.iter().any(|t: &TemplateSource| t.name == name)
        };
        let has_own = !templates.is_empty();
        for (name, text) in theme::TEMPLATES {
            let text = Cow::Borrowed(*text);
            // Only a site with templates of its own can refer to those below `theme/`. A component
            // cannot be defined twice.
            let full_name = format!("{}{name}", theme::FOLDER);
            if has_own && !name.starts_with("components/") && !is_own(&templates, &full_name) {
                templates.push(TemplateSource { name: full_name, text: text.clone() });
            }
            if !is_own(&templates, name) {
                templates.push(TemplateSource { name: (*name).to_owned(), text });
            }
        }
        templates.sort_by(|a, b| a.name.cmp(&b.name));
        templates
    }

    /// A file's text: UTF-8, without a byte order mark, with lines that end in `\n`.
    ///
    /// # Errors
    /// When it cannot be read or is not UTF-8; the diagnostic points at the first invalid byte.
    pub fn text(&self, path: &SourcePath) -> Result<String, Diagnostic> {
        read_text(&self.root.path.join(path.as_str()), path.as_str())
    }

    /// The location of a file; `None` when it does not exist, or is reached through a symbolic link
    /// that leads out of the site.
    #[must_use]
    pub fn place(&self, path: &SourcePath) -> Option<PathBuf> {
        let full = self.root.path.join(path.as_str());
        self.root.holds(&full).then_some(full)
    }

    /// What the file system knows about a file; `None` when it does not exist.
    #[must_use]
    pub fn stamp(&self, path: &SourcePath) -> Option<Stamp> {
        Stamp::at(&self.root.path.join(path.as_str()))
    }

    /// A file's text as [`Disk::text`] returns it, with the fingerprint of its bytes.
    ///
    /// # Errors
    /// As [`Disk::text`].
    pub fn text_and_fingerprint(
        &self,
        path: &SourcePath,
    ) -> Result<(String, Fingerprint), Diagnostic> {
        let bytes = read_bytes(&self.root.path.join(path.as_str()), path.as_str())?;
        let fingerprint = Fingerprint::of(&bytes);
        Ok((decode(bytes, path.as_str())?, fingerprint))
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self, path: &SourcePath) -> Result<Vec<u8>, Diagnostic> {
        fs::read(self.root.path.join(path.as_str())).map_err(|e| unreadable(path.as_str(), &e))
    }

    /// The fingerprint of a file's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn fingerprint(&self, path: &SourcePath) -> Result<Fingerprint, Diagnostic> {
        fs::File::open(self.root.path.join(path.as_str()))
            .and_then(Fingerprint::of_reader)
            .map_err(|e| unreadable(path.as_str(), &e))
    }

    /// Opens a file for copying it; `None` when it does not exist.
    ///
    /// # Errors
    /// When it exists and cannot be opened.
    pub fn open_file(&self, path: &SourcePath) -> Result<Option<fs::File>, Diagnostic> {
        match fs::File::open(self.root.path.join(path.as_str())) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(unreadable(path.as_str(), &e)),
        }
    }

    /// A file's bytes; `None` when it does not exist.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn bytes_if_there(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        match fs::read(self.root.path.join(path.as_str())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(unreadable(path.as_str(), &e)),
        }
    }

    /// The width and height of an image in pixels; `None` when it cannot be read, or is not an
    /// image of a known kind.
    #[must_use]
    pub fn image_size(&self, path: &SourcePath) -> Option<(usize, usize)> {
        let size = imagesize::size(self.root.path.join(path.as_str())).ok()?;
        Some((size.width, size.height))
    }

    /// The text of a file that a message names: of the site or of the default theme.
    #[must_use]
    pub fn text_for_message(&self, file: &str) -> Option<String> {
        let path = SourcePath::new(file).ok()?;
        let theme_template = || {
            let name = path.below("templates")?;
            let name = name.strip_prefix(theme::FOLDER).unwrap_or(name);
            theme::TEMPLATES.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned())
        };
        let not_utf8 = || {
            let bytes = self.bytes(&path).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        self.text(&path).ok().or_else(not_utf8).or_else(theme_template)
    }

    /// Whether a new file at this path would lie in the site, with symbolic links of its folders
    /// resolved.
    #[must_use]
    pub fn may_hold(&self, path: &SourcePath) -> bool {
        let full = self.root.path.join(path.as_str());
        let there = full.ancestors().skip(1).find(|p| p.exists());
        there.is_some_and(|p| self.root.holds(p))
    }
}

fn is_article(path: &SourcePath) -> bool {
    path.has_extension("md") || path.has_extension("markdown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rescan_comes_to_what_a_scan_does() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        for name in [
            "content/a.md",
            "content/a/b.md",
            "content/a/c.png",
            "content/a-b.md",
            "content/a0.md",
            "content/.x/y.md",
            "data/d.json",
        ] {
            write(name);
        }
        let disk = Disk::open(dir.path()).unwrap();
        let (mut sources, mut report) = disk.scan();
        let mut look = |paths: &[&str]| {
            let paths: Vec<SourcePath> =
                paths.iter().map(|p| SourcePath::new(p).unwrap()).collect();
            disk.rescan(&mut sources, &mut report, paths.iter());
            let (whole, problems) = disk.scan();
            let names = |s: &Sources| {
                format!("{:?} {:?} {:?} {:?}", s.articles, s.assets, s.data, s.own_templates)
            };
            assert_eq!(names(&sources), names(&whole), "{paths:?}");
            assert_eq!(report, problems);
        };
        write("content/a/n/new.md");
        write("content/a/z.md");
        look(&["content/a/n", "content/a/z.md"]);
        fs::remove_dir_all(dir.path().join("content/a")).unwrap();
        look(&["content/a"]);
        write("content/a/.swp.swp");
        write("content/.git/x.md");
        look(&["content/a", "content/.git/x.md", "content/a/gone.md"]);
        fs::rename(dir.path().join("content/a0.md"), dir.path().join("content/a/b")).unwrap();
        fs::remove_file(dir.path().join("data/d.json")).unwrap();
        write("templates/page.html");
        look(&["content/a0.md", "content/a/b", "data/d.json", "templates/page.html"]);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("..", dir.path().join("content/a/loop")).unwrap();
            look(&["content/a/loop"]);
            assert!(sources.has_symlinks);
        }
    }
}
