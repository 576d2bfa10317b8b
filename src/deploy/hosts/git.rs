//! `git`: one commit per deploy on a branch, made by git itself. Earlier deploys stay in the
//! history, files that Folio did not put there stay in the tree, and commits that were pushed in
//! the meantime are not overwritten.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{ProcessOutput, run};
use crate::deploy::error::{HostError, retry};
use crate::deploy::file_host::{AtomicChange, AtomicHost};
use crate::deploy::files::{FileContent, LocalFile};
use crate::deploy::manifest::{MANIFEST, MAX_MANIFEST, Manifest, invalid};
use crate::deploy::reporter::Step;
use crate::deploy::worker_pool::WorkerPool;

/// A branch of a repository.
pub struct GitHost {
    remote: String,
    branch: String,
    /// A temporary bare repository.
    folder: TempDir,
    root: PathBuf,
    /// The commit of the branch.
    head: Option<String>,
    /// Every file in the branch.
    tree: BTreeSet<String>,
}

/// The name of the branch in the temporary repository.
const REMOTE_REF: &str = "refs/folio/remote";

impl GitHost {
    /// A branch, without contacting the repository.
    ///
    /// # Errors
    /// When git is not installed.
    pub fn open(remote: &str, branch: &str, root: &Path) -> Result<Self, HostError> {
        let folder = tempfile::tempdir()
            .map_err(|e| HostError::local(format!("no temporary folder can be made: {e}")))?;
        // A path is relative to the site's folder, like any other in site.toml.
        let is_path = !remote.contains("://")
            && !remote.split('/').next().is_some_and(|first| first.contains(':'));
        let remote =
            if is_path { root.join(remote).display().to_string() } else { remote.to_owned() };
        let git = Self {
            remote,
            branch: branch.to_owned(),
            folder,
            root: root.to_owned(),
            head: None,
            tree: BTreeSet::new(),
        };
        git.git(&["init", "--quiet", "--bare"], b"")?.success()?;
        Ok(git)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("--git-dir")
            .arg(self.folder.path())
            .args(["-c", "core.longPaths=true", "-c", "core.autocrlf=false", "-c", "gc.auto=0"])
            .args(args);
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        command
    }

    fn git(&self, args: &[&str], input: &[u8]) -> Result<ProcessOutput, HostError> {
        run(&mut self.command(args), input)
    }

    fn text(&self, args: &[&str], input: &[u8]) -> Result<String, HostError> {
        let bytes = self.git(args, input)?.success()?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Fetches the newest commits of the branch, if it exists.
    fn fetch(&mut self, depth: u32) -> Result<(), HostError> {
        let heads = retry(|| {
            self.text(
                &["ls-remote", "--", &self.remote, &format!("refs/heads/{}", self.branch)],
                b"",
            )
        })?;
        let Some(head) = heads.split_whitespace().next().map(str::to_owned) else { return Ok(()) };
        let reference = format!("+refs/heads/{}:{REMOTE_REF}", self.branch);
        retry(|| {
            self.text(
                &[
                    "fetch",
                    "--quiet",
                    "--no-tags",
                    &format!("--depth={depth}"),
                    "--",
                    &self.remote,
                    &reference,
                ],
                b"",
            )
        })?;
        self.head = Some(head);
        Ok(())
    }

    /// The identity of commits: from the environment, from git's configuration, or Folio's.
    fn identity(&self) -> Vec<(&'static str, String)> {
        let ask = |key: &str| {
            let output =
                run(Command::new("git").arg("-C").arg(&self.root).args(["config", key]), b"")
                    .ok()?;
            let value = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            (output.code == 0 && !value.is_empty()).then_some(value)
        };
        let or = |variable: &str, key: &str, default: &str| {
            std::env::var(variable).ok().or_else(|| ask(key)).unwrap_or_else(|| default.to_owned())
        };
        let name = or("GIT_AUTHOR_NAME", "user.name", "Folio");
        let email = or("GIT_AUTHOR_EMAIL", "user.email", "folio@localhost");
        vec![
            ("GIT_AUTHOR_NAME", name.clone()),
            ("GIT_AUTHOR_EMAIL", email.clone()),
            ("GIT_COMMITTER_NAME", name),
            ("GIT_COMMITTER_EMAIL", email),
        ]
    }

    fn commit(&self, tree: &str, parent: Option<&str>, message: &str) -> Result<String, HostError> {
        let mut args = vec!["commit-tree", tree];
        if let Some(parent) = parent {
            args.extend(["-p", parent]);
        }
        let mut command = self.command(&args);
        command.envs(self.identity());
        let bytes = run(&mut command, message.as_bytes())?.success()?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Stores files in the temporary repository, and returns their object ids.
    fn store(&self, files: &[&LocalFile]) -> Result<Vec<String>, HostError> {
        let mut ids = Vec::with_capacity(files.len());
        for part in files.chunks(500) {
            let mut paths = String::new();
            let made = tempfile::tempdir().map_err(|e| HostError::local(e.to_string()))?;
            for (number, file) in part.iter().enumerate() {
                let place = match &file.content {
                    FileContent::File(place) => std::path::absolute(place)
                        .map_err(|e| HostError::local_file(file.path.as_str(), &e))?,
                    FileContent::Memory(bytes) => {
                        write_file(made.path().join(number.to_string()), bytes)
                            .map_err(|e| HostError::local_file(file.path.as_str(), &e))?
                    }
                };
                let _ = writeln!(paths, "{}", place.display());
            }
            let text = self
                .text(&["hash-object", "-w", "--no-filters", "--stdin-paths"], paths.as_bytes())?;
            ids.extend(text.lines().map(str::to_owned));
        }
        if ids.len() == files.len() {
            Ok(ids)
        } else {
            Err(HostError::other("git did not store every file"))
        }
    }

    fn push(&self, commit: &str, force: bool) -> Result<(), HostError> {
        let reference = format!("{commit}:refs/heads/{}", self.branch);
        let mut args = vec!["push", "--porcelain"];
        if force {
            args.push("--force");
        }
        args.extend(["--", &self.remote, &reference]);
        let output = self.git(&args, b"")?;
        // In the porcelain format, a line that starts with `!` is a rejected reference
        // (git-push(1)).
        if output.code != 0 && output.stdout.split(|b| *b == b'\n').any(|l| l.starts_with(b"!\t")) {
            return Err(HostError::other(format!(
                "`{}` was changed by somebody else in the meantime, or does not accept the push; \
                 deploy again",
                self.branch
            )));
        }
        output.success().map(|_| ())
    }
}

#[expect(clippy::disallowed_methods, reason = "git reads contents from files only")]
fn write_file(place: PathBuf, bytes: &[u8]) -> std::io::Result<PathBuf> {
    std::fs::write(&place, bytes).map(|()| place)
}

impl AtomicHost for GitHost {
    fn place(&self) -> String {
        format!("{} ({})", self.remote, self.branch)
    }

    fn state(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), HostError> {
        self.fetch(1)?;
        if self.head.is_none() {
            return Ok((None, BTreeSet::new()));
        }
        let listed =
            self.git(&["ls-tree", "-r", "-z", "--name-only", REMOTE_REF], b"")?.success()?;
        self.tree = listed
            .split(|b| *b == 0)
            .filter(|n| !n.is_empty())
            .map(|n| String::from_utf8_lossy(n).into_owned())
            .collect();
        if !self.tree.contains(MANIFEST) {
            return Ok((None, self.tree.clone()));
        }
        let manifest = self.manifest_of(REMOTE_REF)?;
        let others = self
            .tree
            .iter()
            .filter(|path| !manifest.owns(path) && *path != MANIFEST)
            .cloned()
            .collect();
        Ok((Some(manifest), others))
    }

    fn publish(
        &mut self,
        change: &AtomicChange<'_>,
        workers: &WorkerPool<'_>,
    ) -> Result<(), HostError> {
        workers.progress.stage(Step::Uploading.name(), change.difference.uploads.len());
        let uploads: Vec<&LocalFile> = if change.force {
            change.files.iter().collect()
        } else {
            change.difference.uploads.iter().map(|u| &u.file).collect()
        };
        if self.head.is_some() {
            self.text(&["read-tree", REMOTE_REF], b"")?;
        }
        let ids = self.store(&uploads)?;
        let manifest = self.text(&["hash-object", "-w", "--stdin"], &change.manifest.bytes())?;
        let mut index = Vec::new();
        let mut set = |mode: &str, id: &str, path: &str| {
            index.extend_from_slice(format!("{mode} {id}\t{path}\0").as_bytes());
        };
        // Deletions come first, since a file may replace a folder.
        for path in change.difference.deletes.iter().filter(|path| self.tree.contains(*path)) {
            set("0", &"0".repeat(40), path);
        }
        for (file, id) in uploads.iter().zip(&ids) {
            set("100644", id, file.path.as_str());
            workers.progress.step();
        }
        set("100644", &manifest, MANIFEST);
        self.text(&["update-index", "-z", "--index-info"], &index)?;
        let tree = self.text(&["write-tree"], b"")?;
        let when = jiff::Timestamp::from_second(change.manifest.deployed)
            .map(|t| t.to_string())
            .unwrap_or_default();
        let d = change.difference;
        let message = format!(
            "Deploy of {when}\n\n{} files changed, {} deleted, {} unchanged\n",
            d.uploads.len(),
            d.deletes.len(),
            d.unchanged
        );
        let commit = self.commit(&tree, self.head.as_deref(), &message)?;
        self.push(&commit, change.force)
    }

    fn roll_back(&mut self) -> Result<String, HostError> {
        const DEPTH: u32 = 100;
        self.fetch(DEPTH)?;
        let Some(head) = self.head.clone() else { return Err(no_earlier_deploy()) };
        let target = self.previous_deploy()?;
        let now = self.manifest_of(REMOTE_REF)?;
        let before = self.manifest_of(&target)?;
        let owned: BTreeSet<&String> = before.files.keys().chain(before.kept.keys()).collect();
        self.text(&["read-tree", REMOTE_REF], b"")?;
        // Files of others stay as they are.
        let listed = self.git(&["ls-tree", "-r", "-z", "--full-tree", &target], b"")?.success()?;
        let mut index = Vec::new();
        for path in now.files.keys().chain(now.kept.keys()).filter(|path| !owned.contains(path)) {
            index.extend_from_slice(format!("0 {}\t{path}\0", "0".repeat(40)).as_bytes());
        }
        for entry in String::from_utf8_lossy(&listed).split('\0') {
            let Some((kind, path)) = entry.split_once('\t') else { continue };
            if path == MANIFEST || owned.contains(&path.to_owned()) {
                index.extend_from_slice(format!("{kind}\t{path}\0").as_bytes());
            }
        }
        self.text(&["update-index", "-z", "--index-info"], &index)?;
        let tree = self.text(&["write-tree"], b"")?;
        let subject = self.text(&["log", "-1", "--format=%s", &target], b"")?;
        let undone = self.text(&["log", "-1", "--format=%s", REMOTE_REF, "--", MANIFEST], b"")?;
        let commit = self.commit(
            &tree,
            Some(&head),
            &format!("Revert \"{undone}\"\n\nThis goes back to {target}.\n"),
        )?;
        self.push(&commit, false)?;
        Ok(format!("the commit \"{subject}\""))
    }
}

fn no_earlier_deploy() -> HostError {
    HostError::other("there is no earlier deploy to go back to")
}

impl GitHost {
    /// The commit of the deploy before the one that is published. A rollback has the manifest of an
    /// older deploy; the deploys that it undid are skipped.
    fn previous_deploy(&self) -> Result<String, HostError> {
        let log = self.text(&["log", "--format=%H", REMOTE_REF, "--", MANIFEST], b"")?;
        let commits: Vec<&str> = log.lines().collect();
        let manifest = |commit: &str| {
            self.text(&["rev-parse", "--verify", "--quiet", &format!("{commit}:{MANIFEST}")], b"")
                .unwrap_or_default()
        };
        let manifests: Vec<String> = commits.iter().map(|commit| manifest(commit)).collect();
        let published =
            manifests.first().filter(|m| !m.is_empty()).ok_or_else(no_earlier_deploy)?;
        let oldest = manifests.iter().rposition(|m| m == published).unwrap_or(0);
        match (commits.get(oldest + 1), manifests.get(oldest + 1)) {
            (Some(commit), Some(manifest)) if !manifest.is_empty() => Ok((*commit).to_owned()),
            _ => Err(no_earlier_deploy()),
        }
    }

    /// The manifest in a commit.
    ///
    /// # Errors
    /// When there is none, or it is invalid.
    fn manifest_of(&self, commit: &str) -> Result<Manifest, HostError> {
        let object = format!("{commit}:{MANIFEST}");
        let size: u64 = self.text(&["cat-file", "-s", &object], b"")?.parse().unwrap_or(u64::MAX);
        if size > MAX_MANIFEST {
            return Err(HostError::other(format!(
                "{MANIFEST} has {size} bytes, more than any manifest"
            )));
        }
        let bytes = self.git(&["cat-file", "blob", &object], b"")?.success()?;
        Manifest::read(&bytes).map_err(|e| invalid(MANIFEST, &e))
    }
}
