//! `dir`: a folder of this machine, or one that is mounted.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Claimed, Context, Remote};
use crate::deploy::crew::Crew;
use crate::deploy::difference::Upload;
use crate::deploy::failure::{Failure, FailureKind};
use crate::deploy::files::Content;
use crate::diag::Diagnostic;

/// A folder to put the site into.
pub struct Folder {
    folder: PathBuf,
    shown: String,
}

impl Folder {
    /// Opens a folder, which need not be there yet; a relative path counts from the site's folder.
    ///
    /// # Errors
    /// When it is, holds or lies in the site's output, or is the site itself.
    pub fn open(path: &str, context: Context<'_>) -> Result<Self, Diagnostic> {
        let absolute = |path: &Path| crate::write::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (folder, output, root) = (absolute(&context.root.join(path)), absolute(context.output), absolute(context.root));
        if folder.starts_with(&output) || output.starts_with(&folder) || root.starts_with(&folder) {
            let error = Diagnostic::error(format!("the site cannot be deployed to `{}`: the site or its output lies there", folder.display()));
            return Err(error.in_file(crate::config::FILE).at_text(format!("\"{path}\"")).hint("name a folder of its own"));
        }
        Ok(Self { shown: folder.display().to_string(), folder })
    }

    /// The place of a file; nothing is written or deleted through a link below the folder.
    fn at(&self, path: &str) -> Result<PathBuf, Failure> {
        let place = self.folder.join(path);
        let parents = place.ancestors().skip(1).take_while(|p| *p != self.folder);
        match parents.filter(|p| p.is_symlink()).last() {
            Some(link) => Err(Failure::new(FailureKind::Other, format!("`{}` is a link, and nothing is written through one", link.display()))),
            None => Ok(place),
        }
    }

    /// Writes beside the place and renames.
    fn place_with(&self, path: &str, fill: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<(), Failure> {
        let place = self.at(path)?;
        let failed = |e: &io::Error| failed(&place, e);
        let parent = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(|e| failed(&e))?;
        let mut part = new_part().tempfile_in(parent).map_err(|e| failed(&e))?;
        fill(part.as_file_mut()).map_err(|e| failed(&e))?;
        if place.is_dir() {
            return Err(Failure::new(FailureKind::Other, format!("`{}` is a folder where a file must be", place.display())));
        }
        part.persist(&place).map_err(|e| failed(&e.error))?;
        Ok(())
    }
}

/// A file that a server may read once it stands.
fn new_part() -> tempfile::Builder<'static, 'static> {
    let mut part = tempfile::Builder::new();
    part.prefix(".folio-part-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        part.permissions(fs::Permissions::from_mode(0o644));
    }
    part
}

fn failed(place: &Path, e: &io::Error) -> Failure {
    let kind = match e.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => FailureKind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FailureKind::Full,
        _ => FailureKind::Other,
    };
    Failure::new(kind, format!("`{}`: {}", place.display(), crate::load::reason(e)))
}

impl Remote for Folder {
    fn place(&self) -> String {
        self.shown.clone()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let place = self.at(path)?;
        let file = match fs::File::open(&place) {
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
            result => result.map_err(|e| failed(&place, &e))?,
        };
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| failed(&place, &e))?;
        super::within(path, bytes, limit).map(Some)
    }

    fn put(&self, upload: &Upload) -> Result<(), Failure> {
        let path = upload.file.path.as_str();
        match &upload.file.content {
            Content::Made(bytes) => self.write(path, bytes),
            Content::File(source) => {
                let mut from = fs::File::open(source).map_err(|e| Failure::local(path, &e))?;
                self.place_with(path, |to| io::copy(&mut from, to).map(|_| ()))
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.place_with(path, |to| to.write_all(bytes))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        let place = self.at(from)?;
        match fs::File::open(&place) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(failed(&place, &e)),
            Ok(mut file) => self.place_with(to, |to| io::copy(&mut file, to).map(|_| ())),
        }
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        let place = self.at(path)?;
        if fs::symlink_metadata(&place).is_ok_and(|data| data.is_dir()) {
            return Ok(());
        }
        match fs::remove_file(&place) {
            Err(e) if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Err(failed(&place, &e)),
            _ => {}
        }
        for folder in place.ancestors().skip(1).take_while(|p| *p != self.folder) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn taken(&self, paths: &[&str], _: &Crew<'_>) -> Result<BTreeSet<String>, Failure> {
        let mut taken = BTreeSet::new();
        for path in paths {
            if fs::symlink_metadata(self.folder.join(path)).is_ok_and(|data| !data.is_dir()) {
                taken.insert((*path).to_owned());
            }
        }
        Ok(taken)
    }

    fn claim(&self, path: &str, bytes: &[u8]) -> Result<Claimed, Failure> {
        let place = self.at(path)?;
        fs::create_dir_all(&self.folder).map_err(|e| failed(&self.folder, &e))?;
        match OpenOptions::new().write(true).create_new(true).open(&place) {
            Ok(mut file) => file.write_all(bytes).map(|()| Claimed::Yes).map_err(|e| failed(&place, &e)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Claimed::Held(self.read(path, 1 << 16)?.unwrap_or_default())),
            Err(e) => Err(failed(&place, &e)),
        }
    }
}
