//! Hosts, one file a kind. A [`Remote`] takes files one by one; a [`Whole`] takes a site at once.

mod api;
mod cloudflare;
mod folder;
mod git;
mod netlify;
mod object;
mod process;
mod rsync;
mod sftp;

use std::collections::BTreeSet;
use std::path::Path;

use super::crew::Crew;
use super::difference::{Difference, Upload};
use super::failure::{Failure, FailureKind, retry};
use super::manifest::Manifest;
use crate::config::deploy::{Destination, Target};
use crate::diag::Diagnostic;

/// Whether a host keeps types and lifetimes with its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepsHeaders {
    Yes,
    No,
}

/// What came of claiming a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    Yes,
    /// This is there already.
    Held(Vec<u8>),
}

/// A host that takes files one by one. Paths are relative to the site's place there, checked, with `/` between their parts.
pub trait Remote: Send + Sync {
    /// Where the site goes, for messages.
    fn place(&self) -> String;

    fn keeps_headers(&self) -> KeepsHeaders {
        KeepsHeaders::No
    }

    /// Reads a file of at most `limit` bytes; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is longer.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure>;

    /// Writes a file. A reader sees the old one or the new one.
    ///
    /// # Errors
    /// When the host does not take it.
    fn put(&self, upload: &Upload) -> Result<(), Failure>;

    /// Writes a small file of Folio's own.
    ///
    /// # Errors
    /// As [`Remote::put`].
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure>;

    /// Copies a file on the host, with its headers; one that is not there is passed over.
    ///
    /// # Errors
    /// When the host does not do it.
    fn copy(&self, from: &str, to: &str) -> Result<(), Failure>;

    /// Deletes a file, and folders that are empty then where the host has folders. One that is not there, or is a folder, is no
    /// error.
    ///
    /// # Errors
    /// When the host does not do it.
    fn delete(&self, path: &str) -> Result<(), Failure>;

    /// At which of these paths something stands that is no folder.
    ///
    /// # Errors
    /// When the host cannot be asked.
    fn taken(&self, paths: &[&str], crew: &Crew<'_>) -> Result<BTreeSet<String>, Failure>;

    /// Writes a file that must not be there yet. Where a host cannot promise that, the file is read back.
    ///
    /// # Errors
    /// When the host cannot be asked.
    fn claim(&self, path: &str, bytes: &[u8]) -> Result<Claimed, Failure> {
        if let Some(held) = self.read(path, 1 << 16)? {
            return Ok(Claimed::Held(held));
        }
        self.write(path, bytes)?;
        match self.read(path, 1 << 16)? {
            Some(there) if there != bytes => Ok(Claimed::Held(there)),
            _ => Ok(Claimed::Yes),
        }
    }

    /// Writes many files and returns which arrived, with the first failures. The order within is free.
    fn put_all(&self, uploads: &[&Upload], crew: &Crew<'_>) -> Arrived {
        let results = crew.each(uploads, |upload| retry(|| self.put(upload)));
        Arrived::of(results)
    }

    /// Copies many files.
    ///
    /// # Errors
    /// The first failure, by path.
    fn copy_all(&self, pairs: &[(String, String)], crew: &Crew<'_>) -> Result<(), Failure> {
        crew.each(pairs, |(from, to)| retry(|| self.copy(from, to))).into_iter().flatten().collect()
    }

    /// Deletes many files.
    ///
    /// # Errors
    /// The first failure, by path.
    fn delete_all(&self, paths: &[String], crew: &Crew<'_>) -> Result<(), Failure> {
        crew.each(paths, |path| retry(|| self.delete(path))).into_iter().flatten().collect()
    }
}

/// What came of writing many files.
#[derive(Debug, Default)]
pub struct Arrived {
    /// The numbers of those that are there.
    pub done: Vec<usize>,
    /// What failed, with the number of the file.
    pub failed: Vec<(usize, Failure)>,
}

impl Arrived {
    /// From a result each; none where nothing was tried any more.
    #[must_use]
    pub fn of(results: Vec<Option<Result<(), Failure>>>) -> Self {
        let mut arrived = Self::default();
        for (number, result) in results.into_iter().enumerate() {
            match result {
                Some(Ok(())) => arrived.done.push(number),
                Some(Err(failure)) => arrived.failed.push((number, failure)),
                None => {}
            }
        }
        arrived
    }
}

/// A host that takes a site at once, and shows the old one until all of the new one is there.
pub trait Whole {
    /// Where the site goes, for messages.
    fn place(&self) -> String;

    /// Whether the host takes a site of these files; nothing is asked of it.
    ///
    /// # Errors
    /// When it would not.
    fn check(&self, _here: &[super::files::LocalFile]) -> Result<(), Failure> {
        Ok(())
    }

    /// What is there: the manifest of the last deploy. Paths that are there and in no manifest come beside it.
    ///
    /// # Errors
    /// When the host cannot be asked, or what it has cannot be believed.
    fn look(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), Failure>;

    /// Puts the site there.
    ///
    /// # Errors
    /// When the host does not take it. What was there is still there.
    fn publish(&mut self, change: &WholeChange<'_>, crew: &Crew<'_>) -> Result<(), Failure>;

    /// Puts back what was there before, and says what that is.
    ///
    /// # Errors
    /// When there is nothing to go back to, or the host does not do it.
    fn roll_back(&mut self) -> Result<String, Failure>;
}

/// What a [`Whole`] host is given.
#[derive(Clone, Copy, Debug)]
pub struct WholeChange<'a> {
    pub difference: &'a Difference,
    /// Every file of the site.
    pub here: &'a [super::files::LocalFile],
    pub manifest: &'a Manifest,
    /// The user said so.
    pub force: super::Force,
}

/// A host.
pub enum Host {
    Files(Box<dyn Remote>),
    Whole(Box<dyn Whole>),
}

impl Host {
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Files(remote) => remote.place(),
            Self::Whole(whole) => whole.place(),
        }
    }

    #[must_use]
    pub fn keeps_headers(&self) -> KeepsHeaders {
        match self {
            Self::Files(remote) => remote.keeps_headers(),
            Self::Whole(_) => KeepsHeaders::No,
        }
    }
}

/// What a host is opened with besides its destination.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The site's folder.
    pub root: &'a Path,
    /// The output folder.
    pub output: &'a Path,
    /// The user wants everything anew.
    pub force: super::Force,
}

/// Opens a host.
///
/// # Errors
/// When it cannot be reached, or will not have us.
pub fn open(destination: &Destination, context: Context<'_>) -> Result<Host, Diagnostic> {
    let failed = |failure: &Failure, place: &str| failure.diagnose("it cannot be opened", place, secrets(&destination.target));
    let files = |remote: Result<Box<dyn Remote>, Failure>, place: &str| remote.map(Host::Files).map_err(|f| failed(&f, place));
    match &destination.target {
        Target::Dir { path } => Ok(Host::Files(Box::new(folder::Folder::open(path, context)?))),
        Target::S3 { .. } | Target::Gcs { .. } | Target::Azblob { .. } | Target::Webdav { .. } => {
            files(object::Store::open(&destination.target).map(|s| Box::new(s) as Box<dyn Remote>), &destination.name)
        }
        Target::Sftp { host, port, root } => {
            files(sftp::Sftp::open(host, *port, root).map(|s| Box::new(s) as Box<dyn Remote>), &format!("sftp {host}"))
        }
        Target::Rsync { destination: place, options } => files(rsync::Rsync::open(place, options).map(|s| Box::new(s) as Box<dyn Remote>), place),
        Target::Git { remote, branch, .. } => {
            let git = git::Git::open(remote, branch, context).map_err(|f| failed(&f, remote))?;
            Ok(Host::Whole(Box::new(git)))
        }
        Target::Netlify { site, endpoint } => {
            let netlify = netlify::Netlify::open(site, endpoint, context).map_err(|f| failed(&f, &format!("netlify {site}")))?;
            Ok(Host::Whole(Box::new(netlify)))
        }
        Target::CloudflarePages { account_id, project, branch, endpoint } => {
            let pages = cloudflare::Pages::open(account_id, project, branch, endpoint, context);
            Ok(Host::Whole(Box::new(pages.map_err(|f| failed(&f, &format!("cloudflare-pages {project}")))?)))
        }
    }
}

/// Where the secrets of a kind of host come from, as a hint.
#[must_use]
pub fn secrets(target: &Target) -> &'static str {
    match target {
        Target::Dir { .. } => "make the folder writable for you",
        Target::S3 { .. } => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), and see that they may read and write the bucket"
        }
        Target::Gcs { .. } => "name the file of a service account in GOOGLE_APPLICATION_CREDENTIALS, and see that it may read and write the bucket",
        Target::Azblob { .. } => "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
        Target::Webdav { .. } => "set `user` in [deploy] and FOLIO_WEBDAV_PASSWORD in the environment",
        Target::Sftp { .. } | Target::Rsync { .. } => {
            "see that `ssh` to this host works without a question: a key in your agent, and the host in known_hosts"
        }
        Target::Git { .. } => "see that `git push` to this repository works without a question",
        Target::Netlify { .. } => "set NETLIFY_AUTH_TOKEN to a personal access token of somebody who may deploy this site",
        Target::CloudflarePages { .. } => "set CLOUDFLARE_API_TOKEN to a token with the permission Cloudflare Pages: Edit for this account",
    }
}

/// What was read, if it is not longer than it may be.
fn within(path: &str, bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, Failure> {
    if bytes.len() as u64 > limit {
        return Err(Failure::new(FailureKind::Other, format!("`{path}` there has more than {limit} bytes, which no such file of Folio's has")));
    }
    Ok(bytes)
}
