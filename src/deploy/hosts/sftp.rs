//! `sftp`: a folder on a host that ssh reaches. The system's `ssh` makes the connection, with its
//! configuration, keys and known hosts; SFTP runs over it.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use openssh_sftp_client::error::SftpErrorKind;
use openssh_sftp_client::{Error, Sftp as Client, SftpOptions};
use parking_lot::Mutex;
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;

use super::size_limit::within;
use crate::deploy::difference::Upload;
use crate::deploy::error::HostError;
use crate::deploy::file_host::{FileHost, LockAttempt, RemoteFile};
use crate::deploy::files::FileContent;
use crate::deploy::worker_pool::WorkerPool;
use crate::diag::single_line_without_middle;

/// A folder on an SFTP server.
pub struct SftpHost {
    // Declared before the runtime, which it needs while it is dropped.
    client: Option<Client>,
    _ssh: Child,
    runtime: Runtime,
    host: String,
    root: String,
    /// Folders that are known to exist.
    folders: Mutex<HashSet<String>>,
    part: AtomicU64,
    /// The standard error of ssh.
    stderr: tempfile::NamedTempFile,
}

/// How many bytes are read or written at once: what every server accepts.
const CHUNK: u32 = 32 << 10;

impl SftpHost {
    /// Connects to a host.
    ///
    /// # Errors
    /// When there is no `ssh`, it cannot connect, or the folder cannot be created.
    pub fn open(host: &str, port: Option<u16>, root: &str) -> Result<Self, HostError> {
        let other = |e: std::io::Error| HostError::other(e.to_string());
        let runtime = crate::net::runtime().map_err(other)?;
        let stderr_file = tempfile::NamedTempFile::new().map_err(other)?;
        let stderr = stderr_file.reopen().map_err(other)?;
        let (client, ssh) = runtime.block_on(async {
            let mut ssh = Command::new("ssh");
            ssh.args([
                "-o",
                "BatchMode=yes",
                "-o",
                "ConnectTimeout=15",
                "-o",
                "ServerAliveInterval=15",
            ]);
            if let Some(port) = port {
                ssh.arg("-p").arg(port.to_string());
            }
            ssh.args(["-s", "--", host, "sftp"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(stderr)
                .kill_on_drop(true);
            let mut ssh = ssh
                .spawn()
                .map_err(|e| HostError::other(format!("`ssh` cannot be started: {e}")))?;
            let (Some(stdin), Some(stdout)) = (ssh.stdin.take(), ssh.stdout.take()) else {
                return Err(HostError::other("`ssh` has no input or output"));
            };
            let client = tokio::time::timeout(
                Duration::from_secs(30),
                Client::new(stdin, stdout, SftpOptions::new()),
            )
            .await;
            match client {
                Ok(Ok(client)) => Ok((client, ssh)),
                Ok(Err(e)) => {
                    let _ = tokio::time::timeout(Duration::from_secs(5), ssh.wait()).await;
                    Err(refused(&stderr_file, &e.to_string()))
                }
                Err(_) => Err(refused(&stderr_file, "the server does not respond")),
            }
        })?;
        let root = root.trim_end_matches('/').to_owned();
        let sftp = Self {
            client: Some(client),
            _ssh: ssh,
            runtime,
            host: host.to_owned(),
            root,
            folders: Mutex::default(),
            part: AtomicU64::new(0),
            stderr: stderr_file,
        };
        sftp.runtime.block_on(sftp.create_folders(&format!("{}/x", sftp.root)))?;
        Ok(sftp)
    }

    fn client(&self) -> Result<&Client, HostError> {
        self.client.as_ref().ok_or_else(|| HostError::transient("the connection is closed"))
    }

    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    fn failure(&self, path: &str, e: &Error) -> HostError {
        match e {
            Error::SftpError(SftpErrorKind::PermDenied, _) => {
                HostError::access_denied(format!("`{path}`: permission denied"))
            }
            Error::SftpError(SftpErrorKind::NoSuchFile, _) => {
                HostError::not_found(format!("`{path}`: no such file or folder"))
            }
            Error::SftpError(kind, message) => {
                HostError::other(format!("`{path}`: {kind:?}: {message}"))
            }
            e => {
                let stderr = read_stderr(&self.stderr);
                let stderr = if stderr.is_empty() { String::new() } else { format!(" ({stderr})") };
                HostError::transient(format!("the connection failed: {e}{stderr}"))
            }
        }
    }

    /// Creates the folders above a path.
    async fn create_folders(&self, path: &str) -> Result<(), HostError> {
        let mut fs = self.client()?.fs();
        for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0) {
            let folder = &path[..at];
            if self.folders.lock().contains(folder) {
                continue;
            }
            let there = match fs.metadata(folder).await {
                Ok(data) => data.file_type().is_none_or(|t| t.is_dir()),
                Err(_) => match fs.create_dir(folder).await {
                    Ok(()) => true,
                    // Another thread may have created it.
                    Err(e) => match fs.metadata(folder).await {
                        Ok(data) => data.file_type().is_none_or(|t| t.is_dir()),
                        Err(_) => return Err(self.failure(folder, &e)),
                    },
                },
            };
            if !there {
                return Err(HostError::other(format!(
                    "`{folder}` is a file, but the site needs a folder there"
                )));
            }
            self.folders.lock().insert(folder.to_owned());
        }
        Ok(())
    }

    /// Writes a temporary file and renames it.
    async fn write_with(
        &self,
        path: &str,
        mut next: impl FnMut() -> std::io::Result<Vec<u8>>,
    ) -> Result<(), HostError> {
        let place = self.at(path);
        self.create_folders(&place).await?;
        let part = self.at(&format!(
            ".folio-part-{}-{}",
            std::process::id(),
            self.part.fetch_add(1, Ordering::Relaxed)
        ));
        let client = self.client()?;
        let mut size = 0_u64;
        let written: Result<(), Error> = async {
            let mut file =
                client.options().write(true).create(true).truncate(true).open(&part).await?;
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
        // The protocol has one code for every failure, a full disk among them
        // (draft-ietf-secsh-filexfer-02 §7).
        if matches!(e, Error::SftpError(SftpErrorKind::Failure, _))
            && client.support_statvfs()
            && let Ok(room) = fs.statvfs(if self.root.is_empty() { "/" } else { &self.root }).await
            && room.bavail.saturating_mul(room.frsize) < size.max(1 << 16)
        {
            return Err(HostError::out_of_space(format!("`{path}`: no space left on the server")));
        }
        Err(self.failure(path, &e))
    }

    #[expect(
        clippy::default_trait_access,
        reason = "the buffer's type is a crate's that is not named otherwise"
    )]
    async fn read_file(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HostError> {
        let mut file = match self.client()?.open(self.at(path)).await {
            Err(Error::SftpError(SftpErrorKind::NoSuchFile, _)) => return Ok(None),
            result => result.map_err(|e| self.failure(path, &e))?,
        };
        let mut bytes = Vec::new();
        while let Some(piece) =
            file.read(CHUNK, Default::default()).await.map_err(|e| self.failure(path, &e))?
        {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > limit {
                break;
            }
        }
        let _ = file.close().await;
        within(path, bytes, limit).map(Some)
    }
}

impl Drop for SftpHost {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(async {
                tokio::time::timeout(Duration::from_secs(5), client.close()).await
            });
        }
    }
}

/// What ssh wrote to its standard error, on one line.
fn read_stderr(file: &tempfile::NamedTempFile) -> String {
    const MAX_CHARS: usize = 500;
    let mut text = String::new();
    if let Ok(file) = file.reopen() {
        let _ = file.take(4096).read_to_string(&mut text);
    }
    single_line_without_middle(&text, MAX_CHARS)
}

/// The error of a connection that ssh did not make.
fn refused(stderr: &tempfile::NamedTempFile, otherwise: &str) -> HostError {
    let stderr = read_stderr(stderr);
    HostError::access_denied(if stderr.is_empty() { otherwise.to_owned() } else { stderr })
}

impl FileHost for SftpHost {
    fn place(&self) -> String {
        format!("sftp://{}/{}", self.host, self.root.trim_start_matches('/'))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HostError> {
        self.runtime.block_on(self.read_file(path, limit))
    }

    fn put(&self, upload: &Upload) -> Result<(), HostError> {
        let path = upload.file.path.as_str();
        match &upload.file.content {
            FileContent::Memory(bytes) => self.write(path, bytes),
            FileContent::File(source) => {
                let mut file = open(source).map_err(|e| HostError::local_file(path, &e))?;
                self.runtime.block_on(self.write_with(path, || {
                    let mut piece = Vec::with_capacity(CHUNK as usize);
                    (&mut file).take(u64::from(CHUNK)).read_to_end(&mut piece)?;
                    Ok(piece)
                }))
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        let mut pieces = bytes.chunks(CHUNK as usize);
        self.runtime
            .block_on(self.write_with(path, || Ok(pieces.next().unwrap_or_default().to_vec())))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), HostError> {
        // Whole: what is copied is a file of the site.
        const LARGEST: u64 = 1 << 32;
        match self.read(from, LARGEST)? {
            Some(bytes) => self.write(to, &bytes),
            None => Ok(()),
        }
    }

    fn delete(&self, path: &str) -> Result<(), HostError> {
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
                self.folders.lock().remove(&self.at(parent));
                folder = parent;
            }
            Ok(())
        })
    }

    fn existing(
        &self,
        paths: &[&str],
        workers: &WorkerPool<'_>,
    ) -> Result<BTreeMap<String, RemoteFile>, HostError> {
        let found = workers.each(paths, |path| {
            let data = self.runtime.block_on(async {
                Ok(self.client()?.fs().symlink_metadata(self.at(path)).await)
            })?;
            match data {
                Ok(data) if data.file_type().is_some_and(|kind| kind.is_dir()) => Ok(None),
                Ok(data) => {
                    let size = data.len().unwrap_or_default();
                    Ok(Some(((*path).to_owned(), RemoteFile { size, hash: None })))
                }
                Err(Error::SftpError(SftpErrorKind::NoSuchFile, _)) => Ok(None),
                Err(e) => Err(self.failure(path, &e)),
            }
        });
        found.into_iter().flatten().filter_map(Result::transpose).collect()
    }

    fn create_lock(&self, path: &str, bytes: &[u8]) -> Result<LockAttempt, HostError> {
        let at = self.at(path);
        let made: Result<(), Error> = self.runtime.block_on(async {
            let client = self
                .client
                .as_ref()
                .ok_or(Error::BackgroundTaskFailure(&"the connection is closed"))?;
            let mut file = client.options().write(true).create_new(true).open(&at).await?;
            file.write_all(bytes).await?;
            file.close().await
        });
        match made {
            Ok(()) => Ok(LockAttempt::Acquired),
            Err(e) => match self.read(path, 1 << 16)? {
                Some(held) => Ok(LockAttempt::Held(held)),
                None => Err(self.failure(path, &e)),
            },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the file that is sent")]
fn open(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(path)
}
