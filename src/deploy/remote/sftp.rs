//! `sftp`: a folder on a host that ssh reaches. The system's own `ssh` makes the connection, so that its configuration, keys
//! and known hosts count; the SFTP protocol is spoken through it.

use std::collections::{BTreeSet, HashSet};
use std::io::Read;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openssh_sftp_client::error::SftpErrorKind;
use openssh_sftp_client::{Error, Sftp as Client, SftpOptions};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;

use super::{Claimed, Remote};
use crate::deploy::crew::Crew;
use crate::deploy::difference::Upload;
use crate::deploy::failure::{Failure, FailureKind};
use crate::deploy::files::Content;

/// A folder on a host.
pub struct Sftp {
    // Before the runtime, which it needs to come to its end.
    client: Option<Client>,
    _ssh: Child,
    runtime: Runtime,
    host: String,
    root: String,
    /// Folders that are known to be there.
    folders: Mutex<HashSet<String>>,
    part: AtomicU64,
    /// What ssh says.
    words: tempfile::NamedTempFile,
}

/// What is read or written at once: the least that every server takes.
const PIECE: u32 = 32 << 10;

impl Sftp {
    /// Connects to a host.
    ///
    /// # Errors
    /// When there is no `ssh`, it does not get through, or the folder is not there and cannot be made.
    pub fn open(host: &str, port: Option<u16>, root: &str) -> Result<Self, Failure> {
        let other = |e: std::io::Error| Failure::new(FailureKind::Other, e.to_string());
        let runtime = crate::net::runtime().map_err(other)?;
        let words = tempfile::NamedTempFile::new().map_err(other)?;
        let stderr = words.reopen().map_err(other)?;
        let (client, ssh) = runtime.block_on(async {
            let mut ssh = Command::new("ssh");
            ssh.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"]);
            if let Some(port) = port {
                ssh.arg("-p").arg(port.to_string());
            }
            ssh.args(["-s", "--", host, "sftp"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
            let mut ssh = ssh.spawn().map_err(|e| Failure::new(FailureKind::Other, format!("`ssh` cannot be started: {e}")))?;
            let (Some(stdin), Some(stdout)) = (ssh.stdin.take(), ssh.stdout.take()) else {
                return Err(Failure::new(FailureKind::Other, "`ssh` has no input or output"));
            };
            let client = tokio::time::timeout(Duration::from_secs(30), Client::new(stdin, stdout, SftpOptions::new())).await;
            match client {
                Ok(Ok(client)) => Ok((client, ssh)),
                Ok(Err(e)) => {
                    let _ = tokio::time::timeout(Duration::from_secs(5), ssh.wait()).await;
                    Err(refused(&words, &e.to_string()))
                }
                Err(_) => Err(refused(&words, "it does not answer")),
            }
        })?;
        let root = root.trim_end_matches('/').to_owned();
        let sftp =
            Self { client: Some(client), _ssh: ssh, runtime, host: host.to_owned(), root, folders: Mutex::default(), part: AtomicU64::new(0), words };
        sftp.runtime.block_on(sftp.make_folders(&format!("{}/x", sftp.root)))?;
        Ok(sftp)
    }

    fn client(&self) -> Result<&Client, Failure> {
        self.client.as_ref().ok_or_else(|| Failure::new(FailureKind::Passing, "the connection is closed"))
    }

    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    fn failure(&self, path: &str, e: &Error) -> Failure {
        match e {
            Error::SftpError(SftpErrorKind::PermDenied, _) => Failure::new(FailureKind::Denied, format!("`{path}`: permission denied there")),
            Error::SftpError(SftpErrorKind::NoSuchFile, _) => Failure::new(FailureKind::Missing, format!("`{path}`: no such file or folder there")),
            Error::SftpError(kind, message) => Failure::new(FailureKind::Other, format!("`{path}`: {kind:?}: {message}")),
            e => {
                let said = said(&self.words);
                let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
                Failure::new(FailureKind::Passing, format!("the connection failed: {e}{said}"))
            }
        }
    }

    /// Makes the folders above a path.
    async fn make_folders(&self, path: &str) -> Result<(), Failure> {
        let mut fs = self.client()?.fs();
        for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0) {
            let folder = &path[..at];
            if self.folders.lock().unwrap_or_else(PoisonError::into_inner).contains(folder) {
                continue;
            }
            let there = match fs.metadata(folder).await {
                Ok(data) => data.file_type().is_none_or(|t| t.is_dir()),
                Err(_) => match fs.create_dir(folder).await {
                    Ok(()) => true,
                    // Another thread may have been faster.
                    Err(e) => match fs.metadata(folder).await {
                        Ok(data) => data.file_type().is_none_or(|t| t.is_dir()),
                        Err(_) => return Err(self.failure(folder, &e)),
                    },
                },
            };
            if !there {
                return Err(Failure::new(FailureKind::Other, format!("`{folder}` is a file where a folder must be")));
            }
            self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
        }
        Ok(())
    }

    /// Writes beside the place and renames.
    async fn place_with(&self, path: &str, mut next: impl FnMut() -> std::io::Result<Vec<u8>>) -> Result<(), Failure> {
        let place = self.at(path);
        self.make_folders(&place).await?;
        let part = self.at(&format!(".folio-part-{}-{}", std::process::id(), self.part.fetch_add(1, Ordering::Relaxed)));
        let client = self.client()?;
        let mut size = 0_u64;
        let written: Result<(), Error> = async {
            let mut file = client.options().write(true).create(true).truncate(true).open(&part).await?;
            loop {
                let piece = next().map_err(Error::IOError)?;
                if piece.is_empty() {
                    break;
                }
                size += piece.len() as u64;
                file.write_all(&piece).await?;
            }
            file.close().await?;
            client.fs().rename(&part, &place).await
        }
        .await;
        let Err(e) = written else { return Ok(()) };
        let mut fs = client.fs();
        let _ = fs.remove_file(&part).await;
        // The protocol has one code for every failure, a full disk among them (draft-ietf-secsh-filexfer-02 §7).
        if matches!(e, Error::SftpError(SftpErrorKind::Failure, _))
            && client.support_statvfs()
            && let Ok(room) = fs.statvfs(if self.root.is_empty() { "/" } else { &self.root }).await
            && room.bavail.saturating_mul(room.frsize) < size.max(1 << 16)
        {
            return Err(Failure::new(FailureKind::Full, format!("`{path}`: there is no room left there")));
        }
        Err(self.failure(path, &e))
    }

    #[expect(clippy::default_trait_access, reason = "the buffer's type is a crate's that is not named otherwise")]
    async fn read_file(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let mut file = match self.client()?.open(self.at(path)).await {
            Err(Error::SftpError(SftpErrorKind::NoSuchFile, _)) => return Ok(None),
            result => result.map_err(|e| self.failure(path, &e))?,
        };
        let mut bytes = Vec::new();
        while let Some(piece) = file.read(PIECE, Default::default()).await.map_err(|e| self.failure(path, &e))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                break;
            }
        }
        let _ = file.close().await;
        super::within(path, bytes, limit).map(Some)
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), client.close()).await });
        }
    }
}

/// What ssh has said, on one line.
fn said(words: &tempfile::NamedTempFile) -> String {
    let mut text = String::new();
    if let Ok(file) = words.reopen() {
        let _ = file.take(4096).read_to_string(&mut text);
    }
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("Warning: Permanently"));
    lines.collect::<Vec<_>>().join("; ").chars().filter(|c| !c.is_control()).collect()
}

/// Why ssh did not get through.
fn refused(words: &tempfile::NamedTempFile, otherwise: &str) -> Failure {
    let said = said(words);
    let message = if said.is_empty() { otherwise.to_owned() } else { said };
    Failure::new(super::process::ssh_kind(&message), message)
}

impl Remote for Sftp {
    fn place(&self) -> String {
        format!("sftp://{}/{}", self.host, self.root.trim_start_matches('/'))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.runtime.block_on(self.read_file(path, limit))
    }

    fn put(&self, upload: &Upload) -> Result<(), Failure> {
        let path = upload.file.path.as_str();
        match &upload.file.content {
            Content::Made(bytes) => self.write(path, bytes),
            Content::File(source) => {
                let mut file = open(source).map_err(|e| Failure::local(path, &e))?;
                self.runtime.block_on(self.place_with(path, || {
                    let mut piece = Vec::with_capacity(PIECE as usize);
                    (&mut file).take(u64::from(PIECE)).read_to_end(&mut piece)?;
                    Ok(piece)
                }))
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut pieces = bytes.chunks(PIECE as usize);
        self.runtime.block_on(self.place_with(path, || Ok(pieces.next().unwrap_or_default().to_vec())))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        // Whole: what is copied is a file of the site.
        const LARGEST: u64 = 1 << 32;
        match self.read(from, LARGEST)? {
            Some(bytes) => self.write(to, &bytes),
            None => Ok(()),
        }
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        let place = self.at(path);
        self.runtime.block_on(async {
            let mut fs = self.client()?.fs();
            match fs.remove_file(&place).await {
                Ok(()) | Err(Error::SftpError(SftpErrorKind::NoSuchFile, _)) => {}
                // A folder is no file of ours.
                Err(e) => match fs.metadata(&place).await {
                    Ok(data) if data.file_type().is_some_and(|kind| kind.is_dir()) => return Ok(()),
                    _ => return Err(self.failure(path, &e)),
                },
            }
            let mut folder = path;
            while let Some((parent, _)) = folder.rsplit_once('/') {
                if fs.remove_dir(self.at(parent)).await.is_err() {
                    break;
                }
                self.folders.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.at(parent));
                folder = parent;
            }
            Ok(())
        })
    }

    fn taken(&self, paths: &[&str], crew: &Crew<'_>) -> Result<BTreeSet<String>, Failure> {
        let found = crew.each(paths, |path| {
            let data = self.runtime.block_on(async { Ok(self.client()?.fs().symlink_metadata(self.at(path)).await) })?;
            match data {
                Ok(data) if data.file_type().is_some_and(|kind| kind.is_dir()) => Ok(None),
                Ok(_) => Ok(Some((*path).to_owned())),
                Err(Error::SftpError(SftpErrorKind::NoSuchFile, _)) => Ok(None),
                Err(e) => Err(self.failure(path, &e)),
            }
        });
        found.into_iter().flatten().filter_map(Result::transpose).collect()
    }

    fn claim(&self, path: &str, bytes: &[u8]) -> Result<Claimed, Failure> {
        let at = self.at(path);
        let made: Result<(), Error> = self.runtime.block_on(async {
            let client = self.client.as_ref().ok_or(Error::BackgroundTaskFailure(&"the connection is closed"))?;
            let mut file = client.options().write(true).create_new(true).open(&at).await?;
            file.write_all(bytes).await?;
            file.close().await
        });
        match made {
            Ok(()) => Ok(Claimed::Yes),
            Err(e) => match self.read(path, 1 << 16)? {
                Some(held) => Ok(Claimed::Held(held)),
                None => Err(self.failure(path, &e)),
            },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the file that is sent")]
fn open(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(path)
}
