//! A repository to push to.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{need, run, write};

/// A bare repository on the disk, and a home for a git that has no settings.
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// An empty bare repository; needs git.
    pub fn bare() -> Option<Self> {
        need("git")?;
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        write(&repository.folder.path().join("home/.keep"), "");
        run(repository.git(repository.folder.path()).args([
            "init",
            "-q",
            "--bare",
            "--initial-branch=main",
            "remote.git",
        ]));
        Some(repository)
    }

    /// What to push to: a path, which git takes as an address.
    pub fn remote(&self) -> String {
        self.folder.path().join("remote.git").display().to_string()
    }

    /// The variables a git runs with: an empty HOME, no settings of the system, an author.
    pub fn env(&self) -> Vec<(String, String)> {
        let home = self.folder.path().join("home").display().to_string();
        let set = [
            ("HOME", home.as_str()),
            ("XDG_CONFIG_HOME", &home),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_AUTHOR_NAME", "Tester"),
            ("GIT_AUTHOR_EMAIL", "tester@t.example"),
            ("GIT_COMMITTER_NAME", "Tester"),
            ("GIT_COMMITTER_EMAIL", "tester@t.example"),
        ];
        set.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The branches there are.
    pub fn branches(&self) -> Vec<String> {
        self.ask(&["for-each-ref", "--format=%(refname:short)", "refs/heads"])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Every file of a branch, by name; the branch must be there.
    #[track_caller]
    pub fn head_files(&self, branch: &str) -> BTreeMap<String, Vec<u8>> {
        let names = self.ask(&["ls-tree", "-r", "-z", "--name-only", branch]);
        let remote = self.remote();
        names
            .split_terminator('\0')
            .map(|name| {
                (
                    name.to_owned(),
                    run(self.git(Path::new(&remote)).args([
                        "cat-file",
                        "blob",
                        &format!("{branch}:{name}"),
                    ])),
                )
            })
            .collect()
    }

    /// The messages of a branch's commits, the newest first; the branch must be there.
    #[track_caller]
    pub fn log(&self, branch: &str) -> Vec<String> {
        self.ask(&["log", "-z", "--format=%B", branch])
            .split_terminator('\0')
            .map(|m| m.trim_end().to_owned())
            .collect()
    }

    /// Commits a file to a branch as somebody else would, with the file's name as the message.
    #[track_caller]
    pub fn commit(&self, branch: &str, name: &str, content: &[u8]) {
        let clone = tempfile::tempdir().unwrap();
        let at = clone.path();
        run(self.git(at).args(["clone", "-q", &self.remote(), "."]));
        if self.branches().iter().any(|b| b == branch) {
            run(self.git(at).args(["checkout", "-q", branch]));
        } else {
            run(self.git(at).args(["checkout", "-q", "--orphan", branch]));
        }
        write(&at.join(name), content);
        run(self.git(at).args(["add", "--force", name]));
        run(self.git(at).args(["commit", "-q", "-m", name]));
        run(self.git(at).args(["push", "-q", "origin", branch]));
    }

    #[track_caller]
    fn ask(&self, args: &[&str]) -> String {
        String::from_utf8(run(self.git(Path::new(&self.remote())).args(args))).unwrap()
    }

    fn git(&self, at: &Path) -> Command {
        let mut command = Command::new("git");
        // A hook that runs the tests has these set.
        command
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .envs(self.env())
            .current_dir(at);
        command
    }
}
