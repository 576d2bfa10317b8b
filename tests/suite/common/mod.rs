//! A site in a temporary folder, built by the real program and looked at: a chain of edit, build,
//! look.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

pub mod browser;
pub mod everything;
pub mod hosts;
pub mod random;
pub mod server;
pub mod web;

/// A site under test.
pub struct Site {
    folder: TempDir,
}

/// What a run of the program came to.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Site {
    /// An empty folder.
    pub fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A site with a title, an address and nothing else.
    pub fn new() -> Self {
        Self::bare()
            .file("site.toml", "title = \"T\"\nbase_url = \"https://t.example\"\n")
            .file("content/_index.md", "")
    }

    /// A copy of a folder.
    pub fn copy_of(folder: &Path) -> Self {
        let site = Self::bare();
        copy(folder, site.root());
        site
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a file of the site.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Runs `folio` with these arguments in the site's folder.
    pub fn folio(&self, args: &[&str]) -> Run {
        let output = Command::cargo_bin("folio")
            .unwrap()
            .current_dir(self.root())
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .args(args)
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Builds the site, which must go well.
    #[track_caller]
    pub fn build(&self) -> &Self {
        let run = self.folio(&["build"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        self
    }

    /// Builds the site, which must fail, and returns what was said.
    #[track_caller]
    pub fn build_fails(&self) -> String {
        let before = self.output();
        let run = self.folio(&["build"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_eq!(before, self.output(), "a failed build changed the output");
        run.stderr
    }

    /// Builds the site and returns what was said besides the summary.
    #[track_caller]
    pub fn warnings(&self) -> String {
        let run = self.folio(&["build"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let text = run.stderr.trim_end();
        text.rsplit_once('\n').map_or("", |(warnings, _)| warnings).trim_end().to_owned()
    }

    /// Every file of the output with its content.
    pub fn output(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("public"))
    }

    /// The names of the output's files.
    pub fn names(&self) -> Vec<String> {
        self.output().into_keys().collect()
    }

    /// A file of the output as text.
    #[track_caller]
    pub fn page(&self, name: &str) -> String {
        fs::read_to_string(self.path("public").join(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; there are {:?}", self.names()))
    }

    pub fn has(&self, name: &str) -> bool {
        self.path("public").join(name).is_file()
    }

    /// The content of a page's article.
    #[track_caller]
    pub fn content(&self, name: &str) -> String {
        let page = self.page(name);
        let start = page.find("<div class=\"content\">").expect("the page has content") + 21;
        let end = page.find("<footer class=\"article-foot\">").expect("the page has a foot");
        let content = &page[start..end];
        content[..content.rfind("</div>").unwrap()].trim().to_owned()
    }
}

/// Every file below a folder with its content, names with `/`.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|e| e.file_type().is_file())
    {
        let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        found.insert(name, fs::read(entry.path()).unwrap());
    }
    found
}

pub fn copy(from: &Path, to: &Path) {
    for (name, content) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// The project's own folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of shared cases beside the checkout; where it is missing the test says so and ends.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = project().parent()?.join("shared").join(name);
    if path.exists() {
        return Some(path);
    }
    skip(&format!("../shared/{name} is not beside this checkout"));
    None
}

/// Says on the screen that a test was skipped for want of a program. Where `FOLIO_REQUIRE_TOOLS` is
/// set that is a failure instead.
pub fn skip_without(program: &str) {
    assert!(
        std::env::var_os("FOLIO_REQUIRE_TOOLS").is_none(),
        "{program} is required here and not installed"
    );
    skip(&format!("{program} is not installed"));
}

/// Says on the screen that a test was skipped, and why.
pub fn skip(reason: &str) {
    // Not by `println`, which the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}
