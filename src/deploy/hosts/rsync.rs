//! `rsync`: a folder that the system's rsync reaches. Files are passed to it by name, so that it
//! transfers exactly what is planned. Each batch is put into place at its end (`--delay-updates`).

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{ProcessOutput, run};
use super::size_limit::within;
use crate::deploy::difference::Upload;
use crate::deploy::error::{HostError, retry};
use crate::deploy::file_host::{BatchResult, FileHost, LockAttempt, RemoteFile};
use crate::deploy::files::FileContent;
use crate::deploy::worker_pool::WorkerPool;
use crate::session::NoProgress;

/// A folder that rsync reaches.
pub struct RsyncHost {
    destination: String,
    options: Vec<String>,
}

/// The largest lock file that is read, in bytes.
const MAX_LOCK: u64 = 1 << 16;

/// Permissions with which a web server can read the files, whatever the local ones are.
const MODES: &str = "--chmod=Du=rwx,Dgo=rx,Fu=rw,Fgo=r";

impl RsyncHost {
    /// A host that rsync reaches, without contacting it.
    ///
    /// # Errors
    /// When rsync is not installed.
    pub fn open(destination: &str, options: &[String]) -> Result<Self, HostError> {
        run(Command::new("rsync").arg("--version"), b"")?.success()?;
        Ok(Self {
            destination: destination.trim_end_matches('/').to_owned(),
            options: options.to_vec(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("rsync");
        command.arg("--timeout=60").args(&self.options);
        let names_shell = self.options.iter().any(|o| o == "-e" || o.starts_with("--rsh"));
        if !names_shell && std::env::var_os("RSYNC_RSH").is_none() {
            command.args(["-e", "ssh -o BatchMode=yes -o ConnectTimeout=15"]);
        }
        command
    }

    /// Sends named files of a folder.
    fn send(
        &self,
        from: &Path,
        names: &[&str],
        extra: &[&str],
    ) -> Result<ProcessOutput, HostError> {
        let mut command = self.command();
        // The files are known to differ, even if size and time are equal.
        command
            .args(["--recursive", "--times", "--ignore-times", "--from0", "--files-from=-", MODES])
            .args(extra);
        command.arg("--").arg(format!("{}/", from.display())).arg(format!("{}/", self.destination));
        run(&mut command, &name_list(names))
    }

    /// Fetches named files into a folder. Files that do not exist are skipped.
    fn fetch(&self, names: &[&str], to: &Path, extra: &[&str]) -> Result<(), HostError> {
        let mut command = self.command();
        command
            .args(["--recursive", "--times", "--ignore-missing-args", "--from0", "--files-from=-"])
            .args(extra);
        command.arg("--").arg(format!("{}/", self.destination)).arg(format!("{}/", to.display()));
        let ran = run(&mut command, &name_list(names))?;
        if may_mean_missing(ran.code) && !self.folder_exists()? {
            return Ok(());
        }
        ran.success().map(|_| ())
    }

    /// Passes names that do not exist locally, so that rsync deletes them on the host. The folders
    /// above them must exist locally.
    fn send_missing(&self, names: &[&str]) -> Result<ProcessOutput, HostError> {
        let empty = temporary_folder()?;
        for (parent, _) in names.iter().filter_map(|name| name.rsplit_once('/')) {
            fs::create_dir_all(empty.path().join(parent))
                .map_err(|e| HostError::local_file(parent, &e))?;
        }
        self.send(empty.path(), names, &["--delete-missing-args"])
    }

    /// Whether the folder exists, which it does not before the first deploy. Tells by a listing of
    /// the folder above it; a destination without one exists.
    fn folder_exists(&self) -> Result<bool, HostError> {
        let Some((parent, name)) = self.destination.rsplit_once('/') else { return Ok(true) };
        let mut command = self.command();
        command.args(["--list-only", "--8-bit-output", "--", &format!("{parent}/")]);
        let listed = run(&mut command, b"")?;
        if may_mean_missing(listed.code) {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(&listed.success()?).into_owned();
        Ok(text.lines().filter_map(listed_file).any(|(listed, _)| listed == name))
    }

    fn send_completely(&self, from: &Path, names: &[&str]) -> Result<(), HostError> {
        self.send(from, names, &["--delay-updates"])?.success().map(|_| ())
    }
}

/// Names in the form that rsync reads. Without `./`, one that starts with `#` or `;` would be a
/// comment.
fn name_list(names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| b"./".iter().copied().chain(name.bytes()).chain([0])).collect()
}

/// The exit code of rsync after a partial transfer due to an error (rsync(1), "EXIT VALUES").
const PARTIAL_TRANSFER: i32 = 23;

/// The exit code of rsync after an error in the selection of files (rsync(1), "EXIT VALUES").
const FILE_SELECTION: i32 = 3;

/// Whether rsync may have failed because the remote folder does not exist. Which of the two codes
/// that has depends on the version.
fn may_mean_missing(code: i32) -> bool {
    code == PARTIAL_TRANSFER || code == FILE_SELECTION
}

/// The name and size in a line of a listing, which has mode, size, date, time and name.
fn listed_file(line: &str) -> Option<(&str, RemoteFile)> {
    let mut rest = line;
    let mut columns = [""; 4];
    for column in &mut columns {
        (*column, rest) = rest.trim_start().split_once(' ')?;
    }
    let size = columns[1].replace([',', '.'], "").parse().ok()?;
    Some((rest.strip_prefix("./").unwrap_or(rest), RemoteFile { size, hash: None }))
}

fn temporary_folder() -> Result<TempDir, HostError> {
    tempfile::tempdir().map_err(|e| {
        HostError::local(format!("no temporary folder can be made: {}", crate::load::reason(&e)))
    })
}

fn put_into(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, HostError> {
    let place = folder.join(name);
    let failed = |e: std::io::Error| HostError::local_file(name, &e);
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(&place, bytes).map_err(failed)?;
    Ok(place)
}

/// The folder that a file of the site is relative to.
fn base_of(upload: &Upload) -> Option<PathBuf> {
    let FileContent::File(place) = &upload.file.content else { return None };
    place.ancestors().nth(upload.file.path.as_str().split('/').count()).map(Path::to_owned)
}

impl FileHost for RsyncHost {
    fn place(&self) -> String {
        self.destination.clone()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HostError> {
        let folder = temporary_folder()?;
        self.fetch(&[path], folder.path(), &[&format!("--max-size={}", limit + 1)])?;
        match fs::read(folder.path().join(path)) {
            Ok(bytes) => within(path, bytes, limit).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn put(&self, upload: &Upload) -> Result<(), HostError> {
        let bytes = upload
            .file
            .bytes()
            .map_err(|e| HostError::local_file(upload.file.path.as_str(), &e))?;
        self.write(upload.file.path.as_str(), &bytes)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        let folder = temporary_folder()?;
        put_into(folder.path(), path, bytes)?;
        self.send_completely(folder.path(), &[path])
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), HostError> {
        self.copy_all(
            &[(from.to_owned(), to.to_owned())],
            &WorkerPool { size: 1, progress: &NoProgress },
        )
    }

    fn delete(&self, path: &str) -> Result<(), HostError> {
        self.delete_all(&[path.to_owned()], &WorkerPool { size: 1, progress: &NoProgress })
    }

    fn existing(
        &self,
        paths: &[&str],
        _: &WorkerPool<'_>,
    ) -> Result<BTreeMap<String, RemoteFile>, HostError> {
        let nowhere = temporary_folder()?;
        let mut command = self.command();
        command.args([
            "--list-only",
            "--8-bit-output",
            "--ignore-missing-args",
            "--from0",
            "--files-from=-",
        ]);
        command.arg("--").arg(format!("{}/", self.destination)).arg(nowhere.path());
        let ran = run(&mut command, &name_list(paths))?;
        if may_mean_missing(ran.code) && !self.folder_exists()? {
            return Ok(BTreeMap::new());
        }
        // A path below a file cannot be examined, which rsync reports as a partial transfer.
        let listed = if ran.code == PARTIAL_TRANSFER { ran.stdout } else { ran.success()? };
        let wanted: BTreeSet<&str> = paths.iter().copied().collect();
        let text = String::from_utf8_lossy(&listed).into_owned();
        let files = text.lines().filter(|line| !line.starts_with('d')).filter_map(listed_file);
        let files = files.filter(|(name, _)| wanted.contains(name));
        Ok(files.map(|(name, file)| (name.to_owned(), file)).collect())
    }

    fn create_lock(&self, path: &str, bytes: &[u8]) -> Result<LockAttempt, HostError> {
        let folder = temporary_folder()?;
        put_into(folder.path(), path, bytes)?;
        // An existing file is kept; reading it back tells whose it is.
        self.send(folder.path(), &[path], &["--ignore-existing"])?.success()?;
        match self.read(path, MAX_LOCK)? {
            Some(there) if there != bytes => Ok(LockAttempt::Held(there)),
            _ => Ok(LockAttempt::Acquired),
        }
    }

    fn put_all(&self, uploads: &[&Upload], workers: &WorkerPool<'_>) -> BatchResult {
        let made = match temporary_folder() {
            Ok(made) => made,
            Err(f) => return BatchResult { done: Vec::new(), failed: vec![(0, f)] },
        };
        // Files of the output share a folder; generated files are written to a temporary one.
        let mut batches: Vec<(PathBuf, Vec<usize>)> = Vec::new();
        for (number, upload) in uploads.iter().enumerate() {
            let path = upload.file.path.as_str();
            let base = match (&upload.file.content, base_of(upload)) {
                (FileContent::Memory(bytes), _) => match put_into(made.path(), path, bytes) {
                    Ok(_) => made.path().to_owned(),
                    Err(f) => return BatchResult { done: Vec::new(), failed: vec![(number, f)] },
                },
                (FileContent::File(_), base) => base.unwrap_or_default(),
            };
            match batches.iter_mut().find(|(folder, _)| *folder == base) {
                Some((_, numbers)) => numbers.push(number),
                None => batches.push((base, vec![number])),
            }
        }
        let mut arrived = BatchResult::default();
        for (base, numbers) in batches {
            let names: Vec<&str> = numbers.iter().map(|n| uploads[*n].file.path.as_str()).collect();
            match retry(|| self.send_completely(&base, &names)) {
                Ok(()) => {
                    for _ in &numbers {
                        workers.progress.step();
                    }
                    arrived.done.extend(numbers);
                }
                Err(failure) => {
                    arrived.failed.push((numbers[0], failure));
                    return arrived;
                }
            }
        }
        arrived
    }

    fn copy_all(
        &self,
        pairs: &[(String, String)],
        workers: &WorkerPool<'_>,
    ) -> Result<(), HostError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let (from, to) = (temporary_folder()?, temporary_folder()?);
        let names: Vec<&str> = pairs.iter().map(|(from, _)| from.as_str()).collect();
        retry(|| self.fetch(&names, from.path(), &[]))?;
        let mut sent = Vec::new();
        for (source, target) in pairs {
            if let Ok(bytes) = fs::read(from.path().join(source)) {
                put_into(to.path(), target, &bytes)?;
                sent.push(target.as_str());
            }
            workers.progress.step();
        }
        retry(|| self.send_completely(to.path(), &sent))
    }

    fn delete_all(&self, paths: &[String], workers: &WorkerPool<'_>) -> Result<(), HostError> {
        if paths.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        retry(|| self.send_missing(&names)?.success().map(|_| ()))?;
        for _ in paths {
            workers.progress.step();
        }
        // Folders that are empty now are deleted too. Rsync fails for those that are not, as
        // intended.
        let folders: BTreeSet<&str> = paths
            .iter()
            .flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at]))
            .collect();
        let mut folders: Vec<&str> = folders.into_iter().collect();
        folders.sort_unstable_by_key(|folder| std::cmp::Reverse(folder.matches('/').count()));
        for level in folders.chunk_by(|a, b| a.matches('/').count() == b.matches('/').count()) {
            self.send_missing(level)?;
        }
        Ok(())
    }
}
