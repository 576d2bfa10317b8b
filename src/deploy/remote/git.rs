//! `git`: one commit a deploy on a branch, through git itself. What was there stays in the history, files that Folio did not
//! put there stay in the tree, and a branch that has moved in the meantime is not pushed over.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Ran, run};
use super::{Context, Whole, WholeChange};
use crate::deploy::Force;
use crate::deploy::crew::Crew;
use crate::deploy::failure::{Failure, FailureKind, retry};
use crate::deploy::files::{Content, LocalFile};
use crate::deploy::manifest::{LIMIT, Manifest, NAME};

/// A branch of a repository.
pub struct Git {
    remote: String,
    branch: String,
    /// A bare repository of our own, for the time of the deploy.
    folder: TempDir,
    root: PathBuf,
    /// The commit that the branch was at.
    head: Option<String>,
    /// Every file in the branch.
    tree: BTreeSet<String>,
}

/// The name of the branch in the repository of our own.
const THERE: &str = "refs/folio/there";

impl Git {
    /// # Errors
    /// When there is no git here.
    pub fn open(remote: &str, branch: &str, context: Context<'_>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|e| Failure::new(FailureKind::Local, format!("no temporary folder can be made: {e}")))?;
        // A path counts from the site's folder, as any other in site.toml.
        let is_path = !remote.contains("://") && !remote.split('/').next().is_some_and(|first| first.contains(':'));
        let remote = if is_path { context.root.join(remote).display().to_string() } else { remote.to_owned() };
        let git = Self { remote, branch: branch.to_owned(), folder, root: context.root.to_owned(), head: None, tree: BTreeSet::new() };
        git.git(&["init", "--quiet", "--bare"], b"")?.well("git init")?;
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

    fn git(&self, args: &[&str], input: &[u8]) -> Result<Ran, Failure> {
        run(&mut self.command(args), input)
    }

    fn text(&self, args: &[&str], input: &[u8]) -> Result<String, Failure> {
        let bytes = self.git(args, input)?.well(&format!("git {}", args[0]))?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Fetches the newest commits of the branch; none where there is no such branch.
    fn fetch(&mut self, depth: u32) -> Result<(), Failure> {
        let heads = retry(|| self.text(&["ls-remote", "--", &self.remote, &format!("refs/heads/{}", self.branch)], b""))?;
        let Some(head) = heads.split_whitespace().next().map(str::to_owned) else { return Ok(()) };
        let reference = format!("+refs/heads/{}:{THERE}", self.branch);
        retry(|| self.text(&["fetch", "--quiet", "--no-tags", &format!("--depth={depth}"), "--", &self.remote, &reference], b""))?;
        self.head = Some(head);
        Ok(())
    }

    /// The identity that commits are made under: the site's own, else git's, else ours.
    fn identity(&self) -> Vec<(&'static str, String)> {
        let ask = |key: &str| {
            let ran = run(Command::new("git").arg("-C").arg(&self.root).args(["config", key]), b"").ok()?;
            let value = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
            (ran.code == 0 && !value.is_empty()).then_some(value)
        };
        let or = |variable: &str, key: &str, default: &str| std::env::var(variable).ok().or_else(|| ask(key)).unwrap_or_else(|| default.to_owned());
        let name = or("GIT_AUTHOR_NAME", "user.name", "Folio");
        let email = or("GIT_AUTHOR_EMAIL", "user.email", "folio@localhost");
        vec![("GIT_AUTHOR_NAME", name.clone()), ("GIT_AUTHOR_EMAIL", email.clone()), ("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email)]
    }

    fn commit(&self, tree: &str, parent: Option<&str>, message: &str) -> Result<String, Failure> {
        let mut args = vec!["commit-tree", tree];
        if let Some(parent) = parent {
            args.extend(["-p", parent]);
        }
        let mut command = self.command(&args);
        command.envs(self.identity());
        let bytes = run(&mut command, message.as_bytes())?.well("git commit-tree")?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// The numbers of contents, put into the repository.
    fn store(&self, files: &[&LocalFile]) -> Result<Vec<String>, Failure> {
        let mut ids = Vec::with_capacity(files.len());
        for part in files.chunks(500) {
            let mut paths = String::new();
            let made = tempfile::tempdir().map_err(|e| Failure::new(FailureKind::Local, e.to_string()))?;
            for (number, file) in part.iter().enumerate() {
                let place = match &file.content {
                    Content::File(place) => std::path::absolute(place).map_err(|e| Failure::local(file.path.as_str(), &e))?,
                    Content::Made(bytes) => {
                        write_down(made.path().join(number.to_string()), bytes).map_err(|e| Failure::local(file.path.as_str(), &e))?
                    }
                };
                let _ = writeln!(paths, "{}", place.display());
            }
            let text = self.text(&["hash-object", "-w", "--no-filters", "--stdin-paths"], paths.as_bytes())?;
            ids.extend(text.lines().map(str::to_owned));
        }
        if ids.len() == files.len() { Ok(ids) } else { Err(Failure::new(FailureKind::Other, "git did not take every file")) }
    }

    fn push(&self, commit: &str, force: Force) -> Result<(), Failure> {
        let reference = format!("{commit}:refs/heads/{}", self.branch);
        let mut args = vec!["push", "--quiet"];
        if force == Force::Yes {
            args.push("--force");
        }
        args.extend(["--", &self.remote, &reference]);
        match self.git(&args, b"")?.well("git push") {
            Err(f) if f.message.contains("non-fast-forward") || f.message.contains("fetch first") || f.message.contains("[rejected]") => {
                let message = format!("somebody else pushed to `{}` in the meantime; deploy again", self.branch);
                Err(Failure::new(FailureKind::Other, message))
            }
            result => result.map(|_| ()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "git reads files only")]
fn write_down(place: PathBuf, bytes: &[u8]) -> std::io::Result<PathBuf> {
    std::fs::write(&place, bytes).map(|()| place)
}

impl Whole for Git {
    fn place(&self) -> String {
        format!("{} ({})", self.remote, self.branch)
    }

    fn look(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), Failure> {
        self.fetch(1)?;
        if self.head.is_none() {
            return Ok((None, BTreeSet::new()));
        }
        let listed = self.git(&["ls-tree", "-r", "-z", "--name-only", THERE], b"")?.well("git ls-tree")?;
        self.tree = listed.split(|b| *b == 0).filter(|n| !n.is_empty()).map(|n| String::from_utf8_lossy(n).into_owned()).collect();
        if !self.tree.contains(NAME) {
            return Ok((None, self.tree.clone()));
        }
        let manifest = self.manifest_of(THERE)?;
        let others = self.tree.iter().filter(|path| !manifest.owns(path) && *path != NAME).cloned().collect();
        Ok((Some(manifest), others))
    }

    fn publish(&mut self, change: &WholeChange<'_>, crew: &Crew<'_>) -> Result<(), Failure> {
        crew.progress.stage(crate::deploy::Step::Uploading.name(), change.difference.uploads.len());
        let uploads: Vec<&LocalFile> = match change.force {
            Force::Yes => change.here.iter().collect(),
            Force::No => change.difference.uploads.iter().map(|u| &u.file).collect(),
        };
        if self.head.is_some() {
            self.text(&["read-tree", THERE], b"")?;
        }
        let ids = self.store(&uploads)?;
        let manifest = self.text(&["hash-object", "-w", "--stdin"], &change.manifest.bytes())?;
        let mut index = Vec::new();
        let mut set = |mode: &str, id: &str, path: &str| index.extend_from_slice(format!("{mode} {id}\t{path}\0").as_bytes());
        // What leaves goes first: a file may come to stand where a folder was.
        for path in change.difference.deletes.iter().filter(|path| self.tree.contains(*path)) {
            set("0", &"0".repeat(40), path);
        }
        for (file, id) in uploads.iter().zip(&ids) {
            set("100644", id, file.path.as_str());
            crew.progress.step();
        }
        set("100644", &manifest, NAME);
        self.text(&["update-index", "-z", "--index-info"], &index)?;
        let tree = self.text(&["write-tree"], b"")?;
        let when = jiff::Timestamp::from_second(change.manifest.deployed).map(|t| t.to_string()).unwrap_or_default();
        let d = change.difference;
        let message = format!("Deploy of {when}\n\n{} files changed, {} deleted, {} unchanged\n", d.uploads.len(), d.deletes.len(), d.unchanged);
        let commit = self.commit(&tree, self.head.as_deref(), &message)?;
        self.push(&commit, change.force)
    }

    fn roll_back(&mut self) -> Result<String, Failure> {
        const DEPTH: u32 = 100;
        self.fetch(DEPTH)?;
        let Some(head) = self.head.clone() else { return Err(nothing_before()) };
        let target = self.deploy_before()?;
        let now = self.manifest_of(THERE)?;
        let before = self.manifest_of(&target)?;
        let owned: BTreeSet<&String> = before.files.keys().chain(before.kept.keys()).collect();
        self.text(&["read-tree", THERE], b"")?;
        // Files that others put there stay as they are.
        let listed = self.git(&["ls-tree", "-r", "-z", "--full-tree", &target], b"")?.well("git ls-tree")?;
        let mut index = Vec::new();
        for path in now.files.keys().chain(now.kept.keys()).filter(|path| !owned.contains(path)) {
            index.extend_from_slice(format!("0 {}\t{path}\0", "0".repeat(40)).as_bytes());
        }
        for entry in String::from_utf8_lossy(&listed).split('\0') {
            let Some((kind, path)) = entry.split_once('\t') else { continue };
            if path == NAME || owned.contains(&path.to_owned()) {
                index.extend_from_slice(format!("{kind}\t{path}\0").as_bytes());
            }
        }
        self.text(&["update-index", "-z", "--index-info"], &index)?;
        let tree = self.text(&["write-tree"], b"")?;
        let subject = self.text(&["log", "-1", "--format=%s", &target], b"")?;
        let undone = self.text(&["log", "-1", "--format=%s", THERE, "--", NAME], b"")?;
        let commit = self.commit(&tree, Some(&head), &format!("Revert \"{undone}\"\n\nThis goes back to {target}.\n"))?;
        self.push(&commit, Force::No)?;
        Ok(format!("the commit \"{subject}\""))
    }
}

fn nothing_before() -> Failure {
    Failure::new(FailureKind::Other, "there is no earlier deploy to go back to")
}

impl Git {
    /// The commit of the deploy before the one that the branch shows. A commit that goes back has the manifest of an older
    /// one: what it went back from is passed over.
    fn deploy_before(&self) -> Result<String, Failure> {
        let log = self.text(&["log", "--format=%H", THERE, "--", NAME], b"")?;
        let commits: Vec<&str> = log.lines().collect();
        let manifest = |commit: &str| self.text(&["rev-parse", "--verify", "--quiet", &format!("{commit}:{NAME}")], b"").unwrap_or_default();
        let manifests: Vec<String> = commits.iter().map(|commit| manifest(commit)).collect();
        let shown = manifests.first().filter(|m| !m.is_empty()).ok_or_else(nothing_before)?;
        let oldest = manifests.iter().rposition(|m| m == shown).unwrap_or(0);
        match (commits.get(oldest + 1), manifests.get(oldest + 1)) {
            (Some(commit), Some(manifest)) if !manifest.is_empty() => Ok((*commit).to_owned()),
            _ => Err(nothing_before()),
        }
    }

    /// # Errors
    /// When there is none, or none that can be believed.
    fn manifest_of(&self, commit: &str) -> Result<Manifest, Failure> {
        let object = format!("{commit}:{NAME}");
        let size: u64 = self.text(&["cat-file", "-s", &object], b"")?.parse().unwrap_or(u64::MAX);
        if size > LIMIT {
            return Err(Failure::new(FailureKind::Other, format!("{NAME} there has {size} bytes, which no manifest has")));
        }
        let bytes = self.git(&["cat-file", "blob", &object], b"")?.well("git cat-file")?;
        Manifest::read(&bytes).map_err(|e| crate::deploy::there::unbelievable(NAME, &e))
    }
}
