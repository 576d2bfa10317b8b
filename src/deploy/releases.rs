//! The releases of a host: what earlier deploys replaced, kept for rollbacks.

use super::error::{HostError, retry};
use super::file_host::FileHost;
use super::manifest::{MAX_MANIFEST, Manifest, Release, Releases, invalid};
use super::worker_pool::WorkerPool;

/// How many releases are kept.
const MAX_RELEASES: usize = 5;

/// Reads the list of releases.
///
/// # Errors
/// When it cannot be read or is invalid.
pub fn read(host: &dyn FileHost) -> Result<Releases, HostError> {
    match retry(|| host.read(Releases::NAME, MAX_MANIFEST))? {
        None => Ok(Releases::default()),
        Some(bytes) => Releases::read(&bytes).map_err(|e| invalid(Releases::NAME, &e)),
    }
}

/// Writes the list of releases.
///
/// # Errors
/// When the host does not accept it.
pub fn write(host: &dyn FileHost, releases: &Releases) -> Result<(), HostError> {
    retry(|| host.write(Releases::NAME, &releases.bytes()))
}

/// Adds a release to the list, with the manifest that it goes back to.
///
/// # Errors
/// When the host does not accept it.
pub fn add(host: &dyn FileHost, release: &Release, before: &Manifest) -> Result<(), HostError> {
    retry(|| host.write(&release.manifest_path(), &before.bytes()))?;
    let mut all = read(host)?;
    all.releases.retain(|r| r.id != release.id);
    all.releases.push(release.clone());
    write(host, &all)
}

/// Deletes the oldest releases beyond those that are kept, or all of them.
///
/// # Errors
/// When the host does not do it.
pub fn prune(
    host: &dyn FileHost,
    delete_all: bool,
    workers: &WorkerPool<'_>,
) -> Result<(), HostError> {
    let mut all = read(host)?;
    let keep = if delete_all { 0 } else { MAX_RELEASES };
    let surplus = all.releases.len().saturating_sub(keep);
    if surplus == 0 {
        return Ok(());
    }
    let old: Vec<Release> = all.releases.drain(..surplus).collect();
    let paths: Vec<String> = old.iter().flat_map(Release::all_paths).collect();
    host.delete_all(&paths, workers)?;
    write(host, &all)
}

/// An identifier that sorts by time.
pub fn new_id() -> String {
    let now = jiff::Timestamp::now();
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), std::process::id())
}
