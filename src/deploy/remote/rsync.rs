//! `rsync`: a folder that the system's own rsync reaches. Files are named to it one by one, so that it moves what the plan
//! says and nothing else; each batch is put into place at its end (`--delay-updates`).

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Ran, run};
use super::{Arrived, Claimed, Remote};
use crate::deploy::crew::Crew;
use crate::deploy::difference::Upload;
use crate::deploy::failure::{Failure, FailureKind, retry};
use crate::deploy::files::Content;

/// A folder that rsync reaches.
pub struct Rsync {
    destination: String,
    options: Vec<String>,
}

/// Modes that a web server can read, whatever the files here have.
const MODES: &str = "--chmod=Du=rwx,Dgo=rx,Fu=rw,Fgo=r";

impl Rsync {
    /// # Errors
    /// When there is no rsync here.
    pub fn open(destination: &str, options: &[String]) -> Result<Self, Failure> {
        run(Command::new("rsync").arg("--version"), b"")?.well("rsync")?;
        Ok(Self { destination: destination.trim_end_matches('/').to_owned(), options: options.to_vec() })
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
    fn send(&self, from: &Path, names: &[&str], extra: &[&str]) -> Result<Ran, Failure> {
        let mut command = self.command();
        // The files are known to differ, whatever size and time say.
        command.args(["--recursive", "--times", "--ignore-times", "--from0", "--files-from=-", MODES]).args(extra);
        command.arg("--").arg(format!("{}/", from.display())).arg(format!("{}/", self.destination));
        run(&mut command, &listed(names))
    }

    /// Fetches named files into a folder; those that are not there are passed over.
    fn fetch(&self, names: &[&str], to: &Path, extra: &[&str]) -> Result<(), Failure> {
        let mut command = self.command();
        command.args(["--recursive", "--times", "--ignore-missing-args", "--from0", "--files-from=-"]).args(extra);
        command.arg("--").arg(format!("{}/", self.destination)).arg(format!("{}/", to.display()));
        let ran = run(&mut command, &listed(names))?;
        if is_no_folder(&ran) {
            return Ok(());
        }
        ran.well("rsync").map(|_| ())
    }

    /// Names what is not here, so that rsync deletes it there. The folders above are here: it looks into them first.
    fn send_missing(&self, names: &[&str]) -> Result<Ran, Failure> {
        let empty = temporary()?;
        for (parent, _) in names.iter().filter_map(|name| name.rsplit_once('/')) {
            fs::create_dir_all(empty.path().join(parent)).map_err(|e| Failure::local(parent, &e))?;
        }
        self.send(empty.path(), names, &["--delete-missing-args"])
    }

    fn send_well(&self, from: &Path, names: &[&str]) -> Result<(), Failure> {
        self.send(from, names, &["--delay-updates"])?.well("rsync").map(|_| ())
    }
}

/// Names as rsync reads them: one that starts with `#` or `;` would be a remark.
fn listed(names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| b"./".iter().copied().chain(name.bytes()).chain([0])).collect()
}

/// On the first deploy the folder itself is not there.
fn is_no_folder(ran: &Ran) -> bool {
    ran.code != 0 && ran.words.contains("No such file or directory") && ran.words.contains("change_dir")
}

/// The name in a line of a listing: mode, size, date and time stand before it.
fn name_of_listed(line: &str) -> Option<&str> {
    let mut rest = line;
    for _ in 0..4 {
        rest = rest.trim_start().split_once(' ')?.1;
    }
    Some(rest.strip_prefix("./").unwrap_or(rest))
}

fn temporary() -> Result<TempDir, Failure> {
    tempfile::tempdir().map_err(|e| Failure::new(FailureKind::Local, format!("no temporary folder can be made: {}", crate::load::reason(&e))))
}

fn put_into(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
    let place = folder.join(name);
    let failed = |e: std::io::Error| Failure::local(name, &e);
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(&place, bytes).map_err(failed)?;
    Ok(place)
}

/// The folder that a file of the site lies below.
fn base_of(upload: &Upload) -> Option<PathBuf> {
    let Content::File(place) = &upload.file.content else { return None };
    place.ancestors().nth(upload.file.path.as_str().split('/').count()).map(Path::to_owned)
}

impl Remote for Rsync {
    fn place(&self) -> String {
        self.destination.clone()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let folder = temporary()?;
        self.fetch(&[path], folder.path(), &[&format!("--max-size={}", limit + 1)])?;
        match fs::read(folder.path().join(path)) {
            Ok(bytes) => super::within(path, bytes, limit).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn put(&self, upload: &Upload) -> Result<(), Failure> {
        let bytes = upload.file.bytes().map_err(|e| Failure::local(upload.file.path.as_str(), &e))?;
        self.write(upload.file.path.as_str(), &bytes)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let folder = temporary()?;
        put_into(folder.path(), path, bytes)?;
        self.send_well(folder.path(), &[path])
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        self.copy_all(&[(from.to_owned(), to.to_owned())], &Crew { size: 1, progress: &Silent })
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        self.delete_all(&[path.to_owned()], &Crew { size: 1, progress: &Silent })
    }

    fn taken(&self, paths: &[&str], _: &Crew<'_>) -> Result<BTreeSet<String>, Failure> {
        let nowhere = temporary()?;
        let mut command = self.command();
        command.args(["--list-only", "--8-bit-output", "--ignore-missing-args", "--from0", "--files-from=-"]);
        command.arg("--").arg(format!("{}/", self.destination)).arg(nowhere.path());
        let ran = run(&mut command, &listed(paths))?;
        if is_no_folder(&ran) {
            return Ok(BTreeSet::new());
        }
        // A name below a file is none that is there, and rsync says so as an error.
        let listed = if ran.code == 23 && ran.words.contains("link_stat") { ran.stdout } else { ran.well("rsync")? };
        let wanted: BTreeSet<&str> = paths.iter().copied().collect();
        let text = String::from_utf8_lossy(&listed).into_owned();
        let files = text.lines().filter(|line| !line.starts_with('d')).filter_map(name_of_listed);
        Ok(files.filter(|name| wanted.contains(name)).map(str::to_owned).collect())
    }

    fn claim(&self, path: &str, bytes: &[u8]) -> Result<Claimed, Failure> {
        let folder = temporary()?;
        put_into(folder.path(), path, bytes)?;
        // One that is there stays; reading back tells whose it is.
        self.send(folder.path(), &[path], &["--ignore-existing"])?.well("rsync")?;
        match self.read(path, 1 << 16)? {
            Some(there) if there != bytes => Ok(Claimed::Held(there)),
            _ => Ok(Claimed::Yes),
        }
    }

    fn put_all(&self, uploads: &[&Upload], crew: &Crew<'_>) -> Arrived {
        let made = match temporary() {
            Ok(made) => made,
            Err(f) => return Arrived { done: Vec::new(), failed: vec![(0, f)] },
        };
        // Files of the output lie together; those that are made for the host are written down first.
        let mut batches: Vec<(PathBuf, Vec<usize>)> = Vec::new();
        for (number, upload) in uploads.iter().enumerate() {
            let path = upload.file.path.as_str();
            let base = match (&upload.file.content, base_of(upload)) {
                (Content::Made(bytes), _) => match put_into(made.path(), path, bytes) {
                    Ok(_) => made.path().to_owned(),
                    Err(f) => return Arrived { done: Vec::new(), failed: vec![(number, f)] },
                },
                (Content::File(_), base) => base.unwrap_or_default(),
            };
            match batches.iter_mut().find(|(folder, _)| *folder == base) {
                Some((_, numbers)) => numbers.push(number),
                None => batches.push((base, vec![number])),
            }
        }
        let mut arrived = Arrived::default();
        for (base, numbers) in batches {
            let names: Vec<&str> = numbers.iter().map(|n| uploads[*n].file.path.as_str()).collect();
            match retry(|| self.send_well(&base, &names)) {
                Ok(()) => {
                    for _ in &numbers {
                        crew.progress.step();
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

    fn copy_all(&self, pairs: &[(String, String)], crew: &Crew<'_>) -> Result<(), Failure> {
        if pairs.is_empty() {
            return Ok(());
        }
        let (from, to) = (temporary()?, temporary()?);
        let names: Vec<&str> = pairs.iter().map(|(from, _)| from.as_str()).collect();
        retry(|| self.fetch(&names, from.path(), &[]))?;
        let mut sent = Vec::new();
        for (source, target) in pairs {
            if let Ok(bytes) = fs::read(from.path().join(source)) {
                put_into(to.path(), target, &bytes)?;
                sent.push(target.as_str());
            }
            crew.progress.step();
        }
        retry(|| self.send_well(to.path(), &sent))
    }

    fn delete_all(&self, paths: &[String], crew: &Crew<'_>) -> Result<(), Failure> {
        if paths.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        retry(|| self.send_missing(&names)?.well("rsync").map(|_| ()))?;
        for _ in paths {
            crew.progress.step();
        }
        // Folders that are empty now go too; one that is not stays, and rsync says so, which is as it should be.
        let folders: BTreeSet<&str> = paths.iter().flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at])).collect();
        let mut folders: Vec<&str> = folders.into_iter().collect();
        folders.sort_unstable_by_key(|folder| std::cmp::Reverse(folder.matches('/').count()));
        for level in folders.chunk_by(|a, b| a.matches('/').count() == b.matches('/').count()) {
            self.send_missing(level)?;
        }
        Ok(())
    }
}

/// Hears nothing.
struct Silent;

impl crate::pipeline::Progress for Silent {
    fn stage(&self, _: &'static str, _: usize) {}
    fn step(&self) {}
}
