//! Opens the host of a deploy target.

use std::path::Path;

use super::cloudflare::CloudflarePages;
use super::folder::FolderHost;
use super::git::GitHost;
use super::netlify::NetlifyHost;
use super::object_store::ObjectHost;
use super::rsync::RsyncHost;
use super::sftp::SftpHost;
use crate::config::deploy::{Destination, Target};
use crate::deploy::error::HostError;
use crate::deploy::file_host::{AtomicHost, FileHost};
use crate::diag::Diagnostic;

/// A host.
pub enum Host {
    Files(Box<dyn FileHost>),
    Atomic(Box<dyn AtomicHost>),
}

impl Host {
    /// Where the site goes, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Files(host) => host.place(),
            Self::Atomic(host) => host.place(),
        }
    }

    /// Whether the host stores the headers of each file.
    #[must_use]
    pub fn keeps_headers(&self) -> bool {
        match self {
            Self::Files(host) => host.keeps_headers(),
            Self::Atomic(_) => false,
        }
    }
}

/// What a host is opened with besides its destination.
#[derive(Clone, Copy, Debug)]
pub struct HostContext<'a> {
    /// The site's folder.
    pub root: &'a Path,
    /// The output folder.
    pub output: &'a Path,
    /// Whether every file is sent again.
    pub force: bool,
}

/// Opens a host.
///
/// # Errors
/// When it cannot be reached, or denies access.
pub fn open(destination: &Destination, context: HostContext<'_>) -> Result<Host, Diagnostic> {
    let target = &destination.target;
    if let Target::Dir { path } = target {
        return Ok(Host::Files(Box::new(FolderHost::open(path, context.root, context.output)?)));
    }
    open_remote(target, context).map_err(|error| {
        let place = name_of(target, &destination.name);
        error.diagnose("cannot open the host", &place, credentials_help(target))
    })
}

fn open_remote(target: &Target, context: HostContext<'_>) -> Result<Host, HostError> {
    let force = context.force;
    Ok(match target {
        Target::Sftp { host, port, root } => {
            Host::Files(Box::new(SftpHost::open(host, *port, root)?))
        }
        Target::Rsync { destination, options } => {
            Host::Files(Box::new(RsyncHost::open(destination, options)?))
        }
        Target::Git { remote, branch, .. } => {
            Host::Atomic(Box::new(GitHost::open(remote, branch, context.root)?))
        }
        Target::Netlify { site, endpoint } => {
            Host::Atomic(Box::new(NetlifyHost::open(site, endpoint, force)?))
        }
        Target::CloudflarePages { account_id, project, branch, endpoint } => Host::Atomic(
            Box::new(CloudflarePages::open(account_id, project, branch, endpoint, force)?),
        ),
        _ => Host::Files(Box::new(ObjectHost::open(target)?)),
    })
}

/// The name of a host that could not be opened.
fn name_of(target: &Target, name: &str) -> String {
    match target {
        Target::Sftp { host, .. } => format!("sftp {host}"),
        Target::Rsync { destination, .. } => destination.clone(),
        Target::Git { remote, .. } => remote.clone(),
        Target::Netlify { site, .. } => format!("netlify {site}"),
        Target::CloudflarePages { project, .. } => format!("cloudflare-pages {project}"),
        _ => name.to_owned(),
    }
}

/// How to give Folio access to a kind of host.
#[must_use]
pub fn credentials_help(target: &Target) -> &'static str {
    match target {
        Target::Dir { .. } => "make the folder writable",
        Target::S3 { .. } => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) of a user who \
             may read and write the bucket"
        }
        Target::Gcs { .. } => {
            "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account that may read \
             and write the bucket"
        }
        Target::Azblob { .. } => "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
        Target::Webdav { .. } => {
            "set `user` in [deploy] and FOLIO_WEBDAV_PASSWORD in the environment"
        }
        Target::Sftp { .. } | Target::Rsync { .. } => {
            "check that `ssh` connects to this host without asking: a key in the agent, and the \
             host in known_hosts"
        }
        Target::Git { .. } => "check that `git push` to this repository works without asking",
        Target::Netlify { .. } => {
            "set NETLIFY_AUTH_TOKEN to a personal access token of a user who may deploy this site"
        }
        Target::CloudflarePages { .. } => {
            "set CLOUDFLARE_API_TOKEN to a token with the permission `Cloudflare Pages: Edit` for \
             this account"
        }
    }
}
