//! `netlify`: the file digest method of its API. The hashes of all files go there first; what Netlify lacks is sent; then it
//! makes a deploy of it, which readers see at once. Written from Netlify's OpenAPI description (`netlify/open-api`), its Go
//! client in the same place, and "Get started with the Netlify API"; tried against a stand-in only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rayon::prelude::*;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use sha1::{Digest, Sha1};

use super::api::{Api, Ask, Body, More, believe, clean, id, manifest_file, until};
use super::{Context, Whole, WholeChange};
use crate::deploy::crew::Crew;
use crate::deploy::failure::{Failure, FailureKind};
use crate::deploy::files::LocalFile;
use crate::deploy::manifest::{LIMIT, Manifest, NAME};
use crate::deploy::{Force, Step};
use crate::paths::percent_encode;

/// A site at Netlify.
pub struct Netlify {
    api: Api,
    /// Its id or domain.
    site: String,
    force: Force,
}

/// Above so many files the list is worked through after the answer, as Netlify's own client has it.
const AT_ONCE: usize = 100;
/// The media type of a file as it is, instead of what is known of it.
const RAW: &str = "application/vnd.bitballoon.v1.raw";
/// So many pages of a list are read.
const PAGES: usize = 1000;

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

impl Netlify {
    /// A site, by the token in `NETLIFY_AUTH_TOKEN`. Nothing is asked yet.
    ///
    /// # Errors
    /// When there is no token, or `endpoint` cannot be used.
    pub fn open(site: &str, endpoint: &str, context: Context<'_>) -> Result<Self, Failure> {
        Ok(Self { api: Api::open(endpoint, "NETLIFY_AUTH_TOKEN")?, site: site.to_owned(), force: context.force })
    }

    fn at(&self, rest: &str) -> String {
        format!("sites/{}{rest}", percent_encode(&self.site).replace('/', "%2F"))
    }

    fn site(&self) -> Result<Site, Failure> {
        self.api.json(&Ask::get(&self.at("")))
    }

    /// A list, page by page.
    fn list<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let path = self.at(&format!("{path}page={page}&per_page=100"));
            let ask = Ask::get(&path).long();
            let answer = self.api.call(&ask)?;
            let some: Vec<T> = self.api.read(&ask, &answer)?;
            let is_last = some.is_empty() || answer.more == More::No;
            all.extend(some);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The bytes of the published manifest, which have this SHA-1. The OpenAPI description has a file's data only; that
    /// its bytes are given for another media type stands in Netlify's guide, and not everybody finds it so. So the site's own
    /// address is tried too, and whatever comes must have the hash. Else nothing is known.
    fn published(&self, site: &Site, sha: &str) -> Option<Vec<u8>> {
        let path = self.at(&format!("/files/{NAME}"));
        let ask = Ask { body: Body::Raw(RAW), limit: LIMIT, ..Ask::get(&path) };
        let fits = |bytes: &Vec<u8>| sha1(bytes) == sha;
        let raw = self.api.call(&ask).ok().map(|answer| answer.bytes).filter(fits);
        let address = site.ssl_url.as_deref().or(site.url.as_deref());
        raw.or_else(|| self.api.published(address?, NAME, LIMIT).filter(fits))
    }

    /// Waits until a deploy is as it should be.
    fn wait(&self, first: Deploy, is_done: impl Fn(&Deploy) -> bool) -> Result<Deploy, Failure> {
        let path = format!("deploys/{}", id(first.id.as_deref())?);
        let mut now = Some(first);
        until(|| {
            let deploy = now.take().map_or_else(|| self.api.json(&Ask::get(&path)), Ok)?;
            match deploy.state.as_deref() {
                Some("error" | "rejected") => {
                    let why = deploy.error_message.as_deref().map_or(String::new(), |text| format!(": {}", clean(text)));
                    Err(Failure::new(FailureKind::Other, format!("Netlify could not make a deploy of what it was sent{why}")))
                }
                _ => Ok(is_done(&deploy).then_some(deploy)),
            }
        })
    }

    fn send(&self, deploy: &str, file: &LocalFile) -> Result<(), Failure> {
        let path = format!("deploys/{deploy}/files/{}", percent_encode(file.path.as_str()));
        let read = || file.bytes().map_err(|e| Failure::local(file.path.as_str(), &e));
        let ask = Ask { method: Method::PUT, ..Ask::post(&path, Body::Bytes(&read)) };
        self.api.call(&ask).map(|_| ())
    }
}

/// SHA-1 in hexadecimal, which is how Netlify knows a content.
fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nothing() -> Failure {
    Failure::new(FailureKind::Other, "there is no earlier deploy to go back to")
}

impl Whole for Netlify {
    fn place(&self) -> String {
        format!("netlify {}", self.site)
    }

    /// Netlify refuses names with these signs (its JavaScript client says so before it asks).
    fn check(&self, here: &[LocalFile]) -> Result<(), Failure> {
        match here.iter().find(|file| file.path.as_str().contains(['#', '?'])) {
            Some(file) => Err(Failure::new(FailureKind::Local, format!("Netlify takes no file with # or ? in its name, as `{}` has", file.path))),
            None => Ok(()),
        }
    }

    fn look(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), Failure> {
        let site = self.site()?;
        if site.published_deploy.is_none() {
            return Ok((None, BTreeSet::new()));
        }
        let file: File = match self.api.json(&Ask::get(&self.at(&format!("/files/{NAME}")))) {
            Ok(file) => file,
            Err(f) if f.kind == FailureKind::Missing => {
                // Somebody else's deploy: all of it would go.
                let files: Vec<File> = self.list("/files?")?;
                let paths = files.into_iter().filter_map(|f| f.path).map(|path| path.trim_start_matches('/').to_owned());
                return Ok((None, paths.collect()));
            }
            Err(f) => return Err(f),
        };
        let bytes = file.sha.and_then(|sha| self.published(&site, &sha));
        let manifest = bytes.map(|bytes| believe(&bytes, self.force)).transpose()?.flatten();
        Ok((manifest, BTreeSet::new()))
    }

    fn publish(&mut self, change: &WholeChange<'_>, crew: &Crew<'_>) -> Result<(), Failure> {
        if self.site()?.published_deploy.is_some_and(|deploy| deploy.locked == Some(true)) {
            let message = "the published deploy is locked there, so that a new one would not be shown; unlock it on the site's page of deploys";
            return Err(Failure::new(FailureKind::Other, message));
        }
        let manifest = manifest_file(change.manifest)?;
        let files: Vec<&LocalFile> = change.here.iter().chain([&manifest]).collect();
        let hash = |file: &&LocalFile| file.bytes().map(|bytes| sha1(&bytes)).map_err(|e| Failure::local(file.path.as_str(), &e));
        let hashes: Vec<String> = files.par_iter().map(hash).collect::<Result<_, _>>()?;
        let digest: BTreeMap<String, &str> = files.iter().zip(&hashes).map(|(file, sha)| (format!("/{}", file.path), sha.as_str())).collect();
        let body = json!({"files": digest, "async": files.len() > AT_ONCE});
        let path = self.at("/deploys");
        let deploy: Deploy = self.api.json(&Ask::post(&path, Body::Json(&body)).long())?;
        // Before it has worked through the list, what it says is required is not all.
        let is_prepared = |deploy: &Deploy| match deploy.state.as_deref() {
            Some("new" | "enqueued" | "pending_review" | "preparing") => false,
            Some("uploaded" | "processing" | "processed" | "ready") => true,
            _ => deploy.required.is_some(),
        };
        let mut deploy = self.wait(deploy, is_prepared)?;

        // A content that several files have is sent once.
        let by_hash: BTreeMap<&str, &LocalFile> = hashes.iter().map(String::as_str).zip(files).collect();
        let required: BTreeSet<String> = deploy.required.take().unwrap_or_default().into_iter().collect();
        let missing: Vec<&LocalFile> = required.iter().filter_map(|sha| by_hash.get(sha.as_str()).copied()).collect();
        crew.progress.stage(Step::Uploading.name(), missing.len());
        let name = id(deploy.id.as_deref())?.to_owned();
        crew.each(&missing, |file| self.send(&name, file)).into_iter().flatten().collect::<Result<(), Failure>>()?;
        if !missing.is_empty() {
            deploy = self.api.json(&Ask::get(&format!("deploys/{name}")))?;
        }
        self.wait(deploy, |deploy| deploy.state.as_deref() == Some("ready")).map(|_| ())
    }

    fn roll_back(&mut self) -> Result<String, Failure> {
        let published = self.site()?.published_deploy.ok_or_else(nothing)?;
        let time = |deploy: &Deploy| deploy.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        let now = time(&published).ok_or_else(nothing)?;
        let deploys: Vec<Deploy> = self.list("/deploys?production=true&state=ready&")?;
        let is_shown = |deploy: &Deploy| {
            deploy.state.as_deref() == Some("ready")
                && deploy.context.as_deref().is_none_or(|context| context == "production")
                && deploy.skipped != Some(true)
                && deploy.id != published.id
        };
        let earlier = deploys.iter().filter(|deploy| is_shown(deploy)).filter_map(|deploy| Some((time(deploy)?, deploy)));
        let (when, deploy) = earlier.filter(|(when, _)| *when < now).max_by_key(|(when, _)| *when).ok_or_else(nothing)?;
        let path = self.at(&format!("/deploys/{}/restore", id(deploy.id.as_deref())?));
        self.api.call(&Ask::post(&path, Body::Nothing).long())?;
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
