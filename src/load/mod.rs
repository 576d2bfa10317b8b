//! The only reader of a site's files.
//!
//! [`Disk`] knows the root and hands out [`Sources`]: the names of what is there, in an order that does not
//! depend on the file system, and the templates. Texts of articles are read one at a time ([`Disk::text`]),
//! so that nothing holds them all. Nothing outside the root is ever read: a link that leads out is an error.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

mod text;
pub mod theme;
mod walk;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use text::{decode, read_bytes, read_text};
pub use walk::is_below_litter;
use walk::{at_or_below, replace_below};

use crate::config;
use crate::diag::{Diagnostic, Report};
use crate::memo::Mark;
use crate::paths::SourcePath;

/// The folders of a site; beside them only `site.toml` is read, and the snapshot of counters where the site says.
pub const FOLDERS: [&str; 4] = ["content", "data", "static", "templates"];

/// Whether a path lies in one of a site's folders.
#[must_use]
pub fn is_in_folders(path: &SourcePath) -> bool {
    FOLDERS.iter().any(|folder| path.below(folder).is_some())
}

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
    pub links: Links,
}

/// Whether anything of a site is reached through a symbolic link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    #[default]
    None,
    /// Then a change of one path may be a change of others.
    Some,
}

impl Sources {
    /// The files that lie at or below a path.
    pub fn at_or_below(&self, path: &SourcePath) -> Vec<SourcePath> {
        let rest = self.data.iter().chain(&self.own_templates).chain(self.statics.iter().filter_map(StaticFile::source));
        let rest = rest.filter(|p| *p == path || p.below(path.as_str()).is_some()).cloned();
        let sorted = [&self.articles, &self.assets].into_iter().flat_map(|list| {
            let [own, below] = at_or_below(list, path);
            list[own].iter().chain(&list[below])
        });
        sorted.cloned().chain(rest).collect()
    }

    /// Every file of the site that a build reads, but for articles and `site.toml`.
    pub fn files(&self) -> impl Iterator<Item = SourcePath> + '_ {
        let statics = self.statics.iter().filter_map(StaticFile::source).cloned();
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

impl StaticFile {
    /// The site's own file; `None` for one of the default theme.
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
            let found = self.walk("content", &mut sources.links, &mut report);
            (sources.articles, sources.assets) = found.into_iter().partition(is_article);
        } else {
            report.push(
                Diagnostic::error("there is no `content/` folder")
                    .hint("articles are Markdown files under content/; `folio new posts/first.md` starts one"),
            );
        }
        self.scan_rest(&mut sources, &mut report);
        (sources, report)
    }

    /// Everything but `content/`.
    fn scan_rest(&self, sources: &mut Sources, report: &mut Report) {
        sources.data = self.walk("data", &mut sources.links, report);
        sources.statics = self.statics(&mut sources.links, report);
        sources.own_templates = self.walk("templates", &mut sources.links, report);
        sources.templates = self.templates(&sources.own_templates, report);
    }

    /// Lists again what lies at or below some paths of a site, and leaves the rest as it is. The paths are those of
    /// files or folders, there or not, each below `content/`, `data/`, `static/` or `templates/`. A site with symbolic
    /// links is listed whole: the same file may lie at several paths of it.
    pub fn rescan<'a>(&self, sources: &mut Sources, report: &mut Report, paths: impl Iterator<Item = &'a SourcePath>) {
        let (content, rest): (Vec<_>, Vec<_>) = paths.partition(|p| p.below("content").is_some());
        for path in content {
            *report = std::mem::take(report).without(path.as_str());
            let found = if is_below_litter(path, "content") { Vec::new() } else { self.walk(path.as_str(), &mut sources.links, report) };
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
        if sources.links == Links::Some {
            (*sources, *report) = self.scan();
        }
    }

    fn statics(&self, links: &mut Links, report: &mut Report) -> Vec<StaticFile> {
        let own = self.walk("static", links, report);
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

    /// Where a file lies; `None` when it is not there, or is reached through a link that leads out of the site.
    #[must_use]
    pub fn place(&self, path: &SourcePath) -> Option<PathBuf> {
        let full = self.root.join(path.as_str());
        self.holds(&full).then_some(full)
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

    fn relative(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy();
        if std::path::MAIN_SEPARATOR == '\\' { relative.replace('\\', "/") } else { relative.into_owned() }
    }
}

fn is_article(path: &SourcePath) -> bool {
    path.has_extension("md") || path.has_extension("markdown")
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
    fn a_rescan_comes_to_what_a_scan_does() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        for name in ["content/a.md", "content/a/b.md", "content/a/c.png", "content/a-b.md", "content/a0.md", "content/.x/y.md", "data/d.json"] {
            write(name);
        }
        let disk = Disk::open(dir.path()).unwrap();
        let (mut sources, mut report) = disk.scan();
        let mut look = |paths: &[&str]| {
            let paths: Vec<SourcePath> = paths.iter().map(|p| SourcePath::new(p).unwrap()).collect();
            disk.rescan(&mut sources, &mut report, paths.iter());
            let (whole, problems) = disk.scan();
            let names = |s: &Sources| format!("{:?} {:?} {:?} {:?}", s.articles, s.assets, s.data, s.own_templates);
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
            assert_eq!(sources.links, Links::Some);
        }
    }
}
