//! `netlify`: the file digest method of its API. The hashes of all files are sent first, then the
//! missing files; the deploy is published when it is complete.
//!
//! Written from Netlify's OpenAPI description (`netlify/open-api`), the Go client there, and "Get
//! started with the Netlify API". Tested against a simulated service only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rayon::prelude::*;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use sha1::{Digest, Sha1};

use super::api::{
    Api, ApiRequest, Body, MAX_MESSAGE, checked_id, manifest_file, poll_until, read_manifest,
};
use crate::deploy::error::HostError;
use crate::deploy::file_host::{AtomicChange, AtomicHost};
use crate::deploy::files::LocalFile;
use crate::deploy::manifest::{MANIFEST, MAX_MANIFEST, Manifest};
use crate::deploy::reporter::Step;
use crate::deploy::worker_pool::WorkerPool;
use crate::diag::single_line;
use crate::paths::percent_encode;

/// A site at Netlify.
pub struct NetlifyHost {
    api: Api,
    /// The id or domain of the site.
    site: String,
    force: bool,
}

/// For more files, Netlify processes the list after its response, as its own client requests.
const MAX_SYNCHRONOUS: usize = 100;
/// The media type that asks for a file instead of its metadata.
const RAW: &str = "application/vnd.bitballoon.v1.raw";
/// How many pages of a list are read.
const MAX_PAGES: usize = 1000;

/// `site` of the API, as far as it is of interest.
#[derive(Debug, Deserialize)]
struct Site {
    url: Option<String>,
    ssl_url: Option<String>,
    published_deploy: Option<Deploy>,
}

/// `deploy` of the API.
#[derive(Debug, Deserialize)]
struct Deploy {
    id: Option<String>,
    state: Option<String>,
    required: Option<Vec<String>>,
    error_message: Option<String>,
    created_at: Option<String>,
    context: Option<String>,
    locked: Option<bool>,
    skipped: Option<bool>,
}

/// `file` of the API.
#[derive(Debug, Deserialize)]
struct File {
    path: Option<String>,
    sha: Option<String>,
}

impl NetlifyHost {
    /// A site, by the token in `NETLIFY_AUTH_TOKEN`. Nothing is requested yet.
    ///
    /// # Errors
    /// When there is no token, or `endpoint` cannot be used.
    pub fn open(site: &str, endpoint: &str, force: bool) -> Result<Self, HostError> {
        Ok(Self { api: Api::open(endpoint, "NETLIFY_AUTH_TOKEN")?, site: site.to_owned(), force })
    }

    fn at(&self, rest: &str) -> String {
        format!("sites/{}{rest}", percent_encode(&self.site).replace('/', "%2F"))
    }

    fn site(&self) -> Result<Site, HostError> {
        self.api.json(&ApiRequest::get(&self.at("")))
    }

    /// A list, page by page.
    fn list<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, HostError> {
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = self.at(&format!("{path}page={page}&per_page=100"));
            let request = ApiRequest::get(&path).with_large_response();
            let response = self.api.call(&request)?;
            let some: Vec<T> = self.api.read(&request, &response)?;
            let is_last = some.is_empty() || !response.has_next_page;
            all.extend(some);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The published manifest, whose SHA-1 is known. Netlify's guide says that the API returns a
    /// file for another media type, but its description does not, so the published site is tried
    /// too. The bytes must have the hash.
    fn published(&self, site: &Site, sha: &str) -> Option<Vec<u8>> {
        let path = self.at(&format!("/files/{MANIFEST}"));
        let request =
            ApiRequest { body: Body::Raw(RAW), limit: MAX_MANIFEST, ..ApiRequest::get(&path) };
        let fits = |bytes: &Vec<u8>| sha1(bytes) == sha;
        let raw = self.api.call(&request).ok().map(|response| response.bytes).filter(fits);
        let site_url = site.ssl_url.as_deref().or(site.url.as_deref());
        raw.or_else(|| self.api.published(site_url?, MANIFEST, MAX_MANIFEST).filter(fits))
    }

    /// Waits until a deploy is in the wanted state.
    fn wait(&self, first: Deploy, is_done: impl Fn(&Deploy) -> bool) -> Result<Deploy, HostError> {
        let path = format!("deploys/{}", checked_id(first.id.as_deref())?);
        let mut now = Some(first);
        poll_until(|| {
            let deploy = now.take().map_or_else(|| self.api.json(&ApiRequest::get(&path)), Ok)?;
            match deploy.state.as_deref() {
                Some("error" | "rejected") => {
                    let why = deploy.error_message.as_deref().map_or(String::new(), |text| {
                        format!(": {}", single_line(text, MAX_MESSAGE))
                    });
                    Err(HostError::other(format!("Netlify could not process the deploy{why}")))
                }
                _ => Ok(is_done(&deploy).then_some(deploy)),
            }
        })
    }

    fn send(&self, deploy: &str, file: &LocalFile) -> Result<(), HostError> {
        let path = format!("deploys/{deploy}/files/{}", percent_encode(file.path.as_str()));
        let read = || file.bytes().map_err(|e| HostError::local_file(file.path.as_str(), &e));
        let request =
            ApiRequest { method: Method::PUT, ..ApiRequest::post(&path, Body::Bytes(&read)) };
        self.api.call(&request).map(|_| ())
    }
}

/// SHA-1 in hexadecimal, by which Netlify identifies content.
fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_earlier_deploy() -> HostError {
    HostError::other("there is no earlier deploy to go back to")
}

impl AtomicHost for NetlifyHost {
    fn place(&self) -> String {
        format!("netlify {}", self.site)
    }

    /// Netlify rejects names with these characters (its JavaScript client checks them, too).
    fn check(&self, files: &[LocalFile]) -> Result<(), HostError> {
        match files.iter().find(|file| file.path.as_str().contains(['#', '?'])) {
            Some(file) => Err(HostError::local(format!(
                "Netlify does not accept `#` and `?` in file names, as in `{}`",
                file.path
            ))),
            None => Ok(()),
        }
    }

    fn state(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), HostError> {
        let site = self.site()?;
        if site.published_deploy.is_none() {
            return Ok((None, BTreeSet::new()));
        }
        let file: File =
            match self.api.json(&ApiRequest::get(&self.at(&format!("/files/{MANIFEST}")))) {
                Ok(file) => file,
                Err(HostError::NotFound { .. }) => {
                    // The site was deployed by another program: all its files would be deleted.
                    let files: Vec<File> = self.list("/files?")?;
                    let paths = files
                        .into_iter()
                        .filter_map(|f| f.path)
                        .map(|path| path.trim_start_matches('/').to_owned());
                    return Ok((None, paths.collect()));
                }
                Err(f) => return Err(f),
            };
        let bytes = file.sha.and_then(|sha| self.published(&site, &sha));
        let manifest = bytes.map(|bytes| read_manifest(&bytes, self.force)).transpose()?.flatten();
        Ok((manifest, BTreeSet::new()))
    }

    fn publish(
        &mut self,
        change: &AtomicChange<'_>,
        workers: &WorkerPool<'_>,
    ) -> Result<(), HostError> {
        if self.site()?.published_deploy.is_some_and(|deploy| deploy.locked == Some(true)) {
            let message = "the published deploy is locked, so a new one would not be published; \
                           unlock \
                           it on the page `Deploys` of the site";
            return Err(HostError::other(message));
        }
        let manifest = manifest_file(change.manifest)?;
        let files: Vec<&LocalFile> = change.files.iter().chain([&manifest]).collect();
        let hash = |file: &&LocalFile| {
            file.bytes()
                .map(|bytes| sha1(&bytes))
                .map_err(|e| HostError::local_file(file.path.as_str(), &e))
        };
        let hashes: Vec<String> = files.par_iter().map(hash).collect::<Result<_, _>>()?;
        let digest: BTreeMap<String, &str> = files
            .iter()
            .zip(&hashes)
            .map(|(file, sha)| (format!("/{}", file.path), sha.as_str()))
            .collect();
        let body = json!({"files": digest, "async": files.len() > MAX_SYNCHRONOUS});
        let path = self.at("/deploys");
        let deploy: Deploy =
            self.api.json(&ApiRequest::post(&path, Body::Json(&body)).with_large_response())?;
        // Until the list is processed, `required` is incomplete.
        let is_prepared = |deploy: &Deploy| match deploy.state.as_deref() {
            Some("new" | "enqueued" | "pending_review" | "preparing") => false,
            Some("uploaded" | "processing" | "processed" | "ready") => true,
            _ => deploy.required.is_some(),
        };
        let mut deploy = self.wait(deploy, is_prepared)?;

        // Content that several files share is sent once.
        let by_hash: BTreeMap<&str, &LocalFile> =
            hashes.iter().map(String::as_str).zip(files).collect();
        let required: BTreeSet<String> =
            deploy.required.take().unwrap_or_default().into_iter().collect();
        let missing: Vec<&LocalFile> =
            required.iter().filter_map(|sha| by_hash.get(sha.as_str()).copied()).collect();
        workers.progress.stage(Step::Uploading.name(), missing.len());
        let name = checked_id(deploy.id.as_deref())?.to_owned();
        workers
            .each(&missing, |file| self.send(&name, file))
            .into_iter()
            .flatten()
            .collect::<Result<(), HostError>>()?;
        if !missing.is_empty() {
            deploy = self.api.json(&ApiRequest::get(&format!("deploys/{name}")))?;
        }
        self.wait(deploy, |deploy| deploy.state.as_deref() == Some("ready")).map(|_| ())
    }

    fn roll_back(&mut self) -> Result<String, HostError> {
        let published = self.site()?.published_deploy.ok_or_else(no_earlier_deploy)?;
        let time = |deploy: &Deploy| {
            deploy.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok())
        };
        let now = time(&published).ok_or_else(no_earlier_deploy)?;
        let deploys: Vec<Deploy> = self.list("/deploys?production=true&state=ready&")?;
        let is_candidate = |deploy: &Deploy| {
            deploy.state.as_deref() == Some("ready")
                && deploy.context.as_deref().is_none_or(|context| context == "production")
                && deploy.skipped != Some(true)
                && deploy.id != published.id
        };
        let earlier = deploys
            .iter()
            .filter(|deploy| is_candidate(deploy))
            .filter_map(|deploy| Some((time(deploy)?, deploy)));
        let (when, deploy) = earlier
            .filter(|(when, _)| *when < now)
            .max_by_key(|(when, _)| *when)
            .ok_or_else(no_earlier_deploy)?;
        let path = self.at(&format!("/deploys/{}/restore", checked_id(deploy.id.as_deref())?));
        self.api.call(&ApiRequest::post(&path, Body::Empty).with_large_response())?;
        Ok(format!("the deploy of {when}"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn contents_are_known_by_sha1() {
        // FIPS 180-4, example of one block.
        assert_eq!(super::sha1(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
