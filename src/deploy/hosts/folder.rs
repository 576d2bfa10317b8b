//! `dir`: a local folder, or one that is mounted.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::size_limit::within;
use crate::deploy::difference::Upload;
use crate::deploy::error::HostError;
use crate::deploy::file_host::{FileHost, LockAttempt, RemoteFile};
use crate::deploy::files::{FileContent, hash_file};
use crate::deploy::worker_pool::WorkerPool;
use crate::diag::Diagnostic;

/// A folder that holds the site.
pub struct FolderHost {
    folder: PathBuf,
    shown: String,
}

impl FolderHost {
    /// Opens a folder, which need not exist yet. A relative path is relative to the site's folder.
    ///
    /// # Errors
    /// When it overlaps with the site's output, or contains the site.
    pub fn open(path: &str, root: &Path, output: &Path) -> Result<Self, Diagnostic> {
        let absolute =
            |path: &Path| crate::write::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (folder, output, root) = (absolute(&root.join(path)), absolute(output), absolute(root));
        if folder.starts_with(&output) || output.starts_with(&folder) || root.starts_with(&folder) {
            let error = Diagnostic::error(format!(
                "cannot deploy to `{}`: it overlaps with the site or its output",
                folder.display()
            ));
            return Err(error
                .in_file(crate::config::FILE)
                .at_text(format!("\"{path}\""))
                .hint("choose a separate folder"));
        }
        Ok(Self { shown: folder.display().to_string(), folder })
    }

    /// The path of a file. Nothing is written or deleted through a symbolic link.
    fn at(&self, path: &str) -> Result<PathBuf, HostError> {
        let place = self.folder.join(path);
        let parents = place.ancestors().skip(1).take_while(|p| *p != self.folder);
        match parents.filter(|p| p.is_symlink()).last() {
            Some(link) => Err(HostError::other(format!(
                "`{}` is a symbolic link, through which nothing is written",
                link.display()
            ))),
            None => Ok(place),
        }
    }

    /// Writes a temporary file and renames it.
    fn write_with(
        &self,
        path: &str,
        fill: impl FnOnce(&mut fs::File) -> io::Result<()>,
    ) -> Result<(), HostError> {
        let place = self.at(path)?;
        let failed = |e: &io::Error| failed(&place, e);
        let parent = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(|e| failed(&e))?;
        let mut part = temporary_file().tempfile_in(parent).map_err(|e| failed(&e))?;
        fill(part.as_file_mut()).map_err(|e| failed(&e))?;
        if place.is_dir() {
            return Err(HostError::other(format!(
                "`{}` is a folder, but the site has a file there",
                place.display()
            )));
        }
        part.persist(&place).map_err(|e| failed(&e.error))?;
        Ok(())
    }
}

/// A temporary file that a web server may read after it is renamed.
fn temporary_file() -> tempfile::Builder<'static, 'static> {
    let mut part = tempfile::Builder::new();
    part.prefix(".folio-part-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        part.permissions(fs::Permissions::from_mode(0o644));
    }
    part
}

fn failed(place: &Path, e: &io::Error) -> HostError {
    let message = format!("`{}`: {}", place.display(), crate::load::reason(e));
    match e.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            HostError::access_denied(message)
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            HostError::out_of_space(message)
        }
        _ => HostError::other(message),
    }
}

impl FileHost for FolderHost {
    fn place(&self) -> String {
        self.shown.clone()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HostError> {
        let place = self.at(path)?;
        let file = match fs::File::open(&place) {
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            result => result.map_err(|e| failed(&place, &e))?,
        };
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| failed(&place, &e))?;
        within(path, bytes, limit).map(Some)
    }

    fn put(&self, upload: &Upload) -> Result<(), HostError> {
        let path = upload.file.path.as_str();
        match &upload.file.content {
            FileContent::Memory(bytes) => self.write(path, bytes),
            FileContent::File(source) => {
                let mut from =
                    fs::File::open(source).map_err(|e| HostError::local_file(path, &e))?;
                self.write_with(path, |to| io::copy(&mut from, to).map(|_| ()))
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        self.write_with(path, |to| to.write_all(bytes))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), HostError> {
        let place = self.at(from)?;
        match fs::File::open(&place) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(failed(&place, &e)),
            Ok(mut file) => self.write_with(to, |to| io::copy(&mut file, to).map(|_| ())),
        }
    }

    fn delete(&self, path: &str) -> Result<(), HostError> {
        let place = self.at(path)?;
        if fs::symlink_metadata(&place).is_ok_and(|data| data.is_dir()) {
            return Ok(());
        }
        match fs::remove_file(&place) {
            Err(e)
                if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Err(failed(&place, &e));
            }
            _ => {}
        }
        for folder in place.ancestors().skip(1).take_while(|p| *p != self.folder) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn existing(
        &self,
        paths: &[&str],
        _: &WorkerPool<'_>,
    ) -> Result<BTreeMap<String, RemoteFile>, HostError> {
        let mut found = BTreeMap::new();
        for path in paths {
            let place = self.folder.join(path);
            let Ok(data) = fs::symlink_metadata(&place) else { continue };
            if !data.is_dir() {
                // A file that cannot be read is not as it was left.
                let hash = hash_file(&place).map_or_else(|_| String::new(), |(hash, _)| hash);
                let file = RemoteFile { size: data.len(), hash: Some(hash) };
                found.insert((*path).to_owned(), file);
            }
        }
        Ok(found)
    }

    fn create_lock(&self, path: &str, bytes: &[u8]) -> Result<LockAttempt, HostError> {
        let place = self.at(path)?;
        fs::create_dir_all(&self.folder).map_err(|e| failed(&self.folder, &e))?;
        match OpenOptions::new().write(true).create_new(true).open(&place) {
            Ok(mut file) => file
                .write_all(bytes)
                .map(|()| LockAttempt::Acquired)
                .map_err(|e| failed(&place, &e)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Ok(LockAttempt::Held(self.read(path, 1 << 16)?.unwrap_or_default()))
            }
            Err(e) => Err(failed(&place, &e)),
        }
    }
}
