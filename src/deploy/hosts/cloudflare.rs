//! `cloudflare-pages`: Direct Upload. The hashes of all files are sent first, then the missing
//! files in bundles, then a form with the names of all files, which creates a deployment.
//!
//! Deployments are described in Cloudflare's API reference ("Pages"). Uploads are not; they follow
//! Cloudflare's wrangler (`cloudflare/workers-sdk`, packages/wrangler/src/pages). Tested against a
//! simulated service only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parking_lot::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rayon::prelude::*;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

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

/// A project of Cloudflare Pages.
pub struct CloudflarePages {
    api: Api,
    account: String,
    project: String,
    branch: String,
    force: bool,
}

/// The largest file (Cloudflare Pages, "Limits").
const MAX_FILE_SIZE: u64 = 25 << 20;
/// The largest number of files (Cloudflare Pages, "Limits").
const MAX_FILES: usize = 20_000;
/// The largest bundle, in bytes and files. wrangler sends 40 MiB and 2000; less needs less memory.
const BUNDLE: (u64, usize) = (16 << 20, 1000);
/// How many bundles are sent at the same time, as in wrangler.
const CONCURRENT_BUNDLES: usize = 3;
/// Files that configure the service: they are sent with the form.
const RULES: [&str; 2] = ["_headers", "_redirects"];
/// Programs, which have to be built.
const PROGRAMS: [&str; 2] = ["_worker.js", "_routes.json"];

/// The envelope of every response.
#[derive(Debug, Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
    #[serde(default)]
    errors: Value,
}

/// `project` of the API, as far as it is of interest.
#[derive(Debug, Deserialize)]
struct Project {
    subdomain: Option<String>,
    production_branch: Option<String>,
    canonical_deployment: Option<Deployment>,
}

/// `deployment` of the API.
#[derive(Debug, Deserialize)]
struct Deployment {
    id: Option<String>,
    url: Option<String>,
    created_on: Option<String>,
    latest_stage: Option<Stage>,
    #[serde(rename = "deployment_trigger")]
    trigger: Option<Trigger>,
}

#[derive(Debug, Deserialize)]
struct Stage {
    name: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Trigger {
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    branch: Option<String>,
}

#[derive(Debug, Deserialize)]
struct UploadToken {
    jwt: String,
}

impl Deployment {
    fn is_of(&self, branch: &str) -> bool {
        self.trigger.as_ref().and_then(|t| t.metadata.as_ref()).and_then(|m| m.branch.as_deref())
            == Some(branch)
    }

    fn time(&self) -> Option<Timestamp> {
        self.created_on.as_deref()?.parse().ok()
    }

    /// Whether the deployment is complete.
    ///
    /// # Errors
    /// When it has failed.
    fn progress(&self) -> Result<Option<()>, HostError> {
        let Some(stage) = &self.latest_stage else { return Ok(None) };
        match (stage.name.as_deref(), stage.status.as_deref()) {
            (Some("deploy"), Some("success")) => Ok(Some(())),
            (_, Some(status @ ("failure" | "canceled"))) => {
                Err(HostError::other(format!("the deployment has the status `{status}`")))
            }
            _ => Ok(None),
        }
    }
}

impl CloudflarePages {
    /// A project, by the token in `CLOUDFLARE_API_TOKEN`. Nothing is requested yet.
    ///
    /// # Errors
    /// When there is no token, or `endpoint` cannot be used.
    pub fn open(
        account: &str,
        project: &str,
        branch: &str,
        endpoint: &str,
        force: bool,
    ) -> Result<Self, HostError> {
        let api = Api::open(endpoint, "CLOUDFLARE_API_TOKEN")?;
        Ok(Self {
            api,
            account: account.to_owned(),
            project: project.to_owned(),
            branch: branch.to_owned(),
            force,
        })
    }

    fn at(&self, rest: &str) -> String {
        let part = |text: &str| percent_encode(text).replace('/', "%2F");
        format!("accounts/{}/pages/projects/{}{rest}", part(&self.account), part(&self.project))
    }

    fn send<T: DeserializeOwned>(&self, request: &ApiRequest<'_>) -> Result<Option<T>, HostError> {
        let wrapped: Envelope<T> = self.api.json(request)?;
        if wrapped.success {
            return Ok(wrapped.result);
        }
        let errors = wrapped.errors.as_array().map(Vec::as_slice).unwrap_or_default();
        let said: Vec<&str> =
            errors.iter().filter_map(|e| e.get("message")?.as_str()).take(3).collect();
        Err(HostError::other(format!(
            "{} {}: it was refused: {}",
            request.method,
            request.path,
            single_line(&said.join("; "), MAX_MESSAGE)
        )))
    }

    fn send_for_result<T: DeserializeOwned>(
        &self,
        request: &ApiRequest<'_>,
    ) -> Result<T, HostError> {
        self.send(request)?.ok_or_else(|| {
            HostError::other(format!(
                "{} {}: the response has no result",
                request.method, request.path
            ))
        })
    }

    fn project(&self) -> Result<Project, HostError> {
        self.send_for_result(&ApiRequest::get(&self.at("")).with_large_response())
    }

    fn deployments(&self, environment: &str) -> Result<Vec<Deployment>, HostError> {
        // Newest first; one page has more than are ever gone back over.
        Ok(self
            .send(
                &ApiRequest::get(&self.at(&format!("/deployments?env={environment}")))
                    .with_large_response(),
            )?
            .unwrap_or_default())
    }

    /// The URL of the branch's site; `None` when nothing was deployed yet.
    fn site_url(&self) -> Result<Option<String>, HostError> {
        let project = self.project()?;
        if project.production_branch.as_deref() == Some(self.branch.as_str()) {
            return Ok(project
                .canonical_deployment
                .and(project.subdomain)
                .map(|host| if host.contains("://") { host } else { format!("https://{host}") }));
        }
        let mut deployments = self.deployments("preview")?;
        deployments.retain(|d| d.is_of(&self.branch));
        Ok(deployments.into_iter().max_by_key(Deployment::time).and_then(|d| d.url))
    }
}

/// The key of a file: a hash of its content and extension (wrangler, `hashFile`).
fn key(file: &LocalFile) -> Result<String, HostError> {
    let bytes = file.bytes().map_err(|e| HostError::local_file(file.path.as_str(), &e))?;
    Ok(key_of(file.path.as_str(), &bytes))
}

fn key_of(path: &str, bytes: &[u8]) -> String {
    let ending = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    blake3::hash(format!("{}{ending}", STANDARD.encode(bytes)).as_bytes()).to_hex()[..32].to_owned()
}

/// Splits files into bundles.
fn bundles<'a>(missing: &[(&'a str, &'a LocalFile)]) -> Vec<Vec<(&'a str, &'a LocalFile)>> {
    let mut all: Vec<Vec<(&str, &LocalFile)>> = Vec::new();
    let mut size = 0;
    for (key, file) in missing {
        match all.last_mut() {
            Some(bundle) if size + file.entry.size <= BUNDLE.0 && bundle.len() < BUNDLE.1 => {
                bundle.push((key, file));
            }
            _ => {
                size = 0;
                all.push(vec![(key, file)]);
            }
        }
        size += file.entry.size;
    }
    all
}

/// An upload, with its token, which is valid for a few minutes.
struct UploadSession<'a> {
    pages: &'a CloudflarePages,
    jwt: Mutex<String>,
}

impl<'a> UploadSession<'a> {
    fn begin(pages: &'a CloudflarePages) -> Result<Self, HostError> {
        Ok(Self { pages, jwt: Mutex::new(Self::token(pages)?) })
    }

    fn token(pages: &CloudflarePages) -> Result<String, HostError> {
        let token: UploadToken =
            pages.send_for_result(&ApiRequest::get(&pages.at("/upload-token")))?;
        if token.jwt.is_empty() || !token.jwt.chars().all(|c| c.is_ascii_graphic()) {
            return Err(HostError::other("the response has no upload token"));
        }
        Ok(token.jwt)
    }

    fn jwt(&self) -> String {
        self.jwt.lock().clone()
    }

    /// ApiRequests with the token for uploads, and with a new one where it has run out.
    fn request<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Option<T>, HostError> {
        let once = |jwt: &str| {
            self.pages.send(&ApiRequest {
                token: Some(jwt),
                ..ApiRequest::post(path, Body::Json(body)).with_large_response()
            })
        };
        match once(&self.jwt()) {
            Err(HostError::AccessDenied { .. }) => {
                let new = Self::token(self.pages)?;
                self.jwt.lock().clone_from(&new);
                once(&new)
            }
            result => result,
        }
    }

    /// The keys of files that the service does not have.
    fn missing(&self, keys: &[&str]) -> Result<BTreeSet<String>, HostError> {
        Ok(self
            .request("pages/assets/check-missing", &json!({"hashes": keys}))?
            .unwrap_or_default())
    }

    fn send(&self, bundle: &[(&str, &LocalFile)]) -> Result<(), HostError> {
        let file = |(key, file): &(&str, &LocalFile)| {
            let bytes = file.bytes().map_err(|e| HostError::local_file(file.path.as_str(), &e))?;
            let kind = &file.headers.content_type;
            Ok(json!({
                "key": key,
                "value": STANDARD.encode(bytes),
                "metadata": {"contentType": kind},
                "base64": true,
            }))
        };
        let body = Value::Array(bundle.iter().map(file).collect::<Result<_, HostError>>()?);
        self.request::<Value>("pages/assets/upload", &body).map(|_| ())
    }

    /// Tells which files are in use, so that they need not be sent again. Failure is harmless.
    fn keep(&self, keys: &[&str]) {
        let _ = self.request::<Value>("pages/assets/upsert-hashes", &json!({"hashes": keys}));
    }
}

impl AtomicHost for CloudflarePages {
    fn place(&self) -> String {
        format!("cloudflare-pages {} ({})", self.project, self.branch)
    }

    fn check(&self, files: &[LocalFile]) -> Result<(), HostError> {
        let local = |message: String| Err(HostError::local(message));
        if let Some(file) = files.iter().find(|file| file.entry.size > MAX_FILE_SIZE) {
            return local(format!(
                "Cloudflare Pages takes files of at most {MAX_FILE_SIZE} bytes, but `{}` has {}",
                file.path, file.entry.size
            ));
        }
        if let Some(file) = files.iter().find(|file| PROGRAMS.contains(&file.path.as_str())) {
            return local(format!(
                "`{}` is a program, which Folio cannot deploy; use wrangler for this site",
                file.path
            ));
        }
        // The manifest is a file, too.
        if files.len() >= MAX_FILES {
            return local(format!(
                "Cloudflare Pages takes sites of up to {MAX_FILES} files, and this one has {}",
                files.len() + 1
            ));
        }
        Ok(())
    }

    /// The API cannot read a file of a deployment, so the manifest is read from the published site.
    /// If that has a page instead, every file counts as changed; still, only missing files are
    /// sent.
    fn state(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), HostError> {
        let bytes =
            self.site_url()?.and_then(|url| self.api.published(&url, MANIFEST, MAX_MANIFEST));
        let is_manifest = |bytes: &Vec<u8>| bytes.trim_ascii_start().starts_with(b"{");
        let manifest = bytes
            .filter(is_manifest)
            .map(|bytes| read_manifest(&bytes, self.force))
            .transpose()?
            .flatten();
        Ok((manifest, BTreeSet::new()))
    }

    fn publish(
        &mut self,
        change: &AtomicChange<'_>,
        workers: &WorkerPool<'_>,
    ) -> Result<(), HostError> {
        let manifest = manifest_file(change.manifest)?;
        let (rules, files): (Vec<&LocalFile>, Vec<&LocalFile>) = change
            .files
            .iter()
            .chain([&manifest])
            .partition(|file| RULES.contains(&file.path.as_str()));
        let keys: Vec<String> = files.par_iter().map(|file| key(file)).collect::<Result<_, _>>()?;
        // Content that several files share is sent once.
        let by_key: BTreeMap<&str, &LocalFile> =
            keys.iter().map(String::as_str).zip(files.iter().copied()).collect();
        let all: Vec<&str> = by_key.keys().copied().collect();

        let upload = UploadSession::begin(self)?;
        let missing: Vec<(&str, &LocalFile)> = if change.force {
            by_key.into_iter().collect()
        } else {
            let missing = upload.missing(&all)?;
            by_key.into_iter().filter(|(key, _)| missing.contains(*key)).collect()
        };
        let bundles = bundles(&missing);
        workers.progress.stage(Step::Uploading.name(), bundles.len());
        let few =
            WorkerPool { size: workers.size.min(CONCURRENT_BUNDLES), progress: workers.progress };
        few.each(&bundles, |bundle| upload.send(bundle))
            .into_iter()
            .flatten()
            .collect::<Result<(), HostError>>()?;
        upload.keep(&all);

        let names: BTreeMap<String, &str> = files
            .iter()
            .zip(&keys)
            .map(|(file, key)| (format!("/{}", file.path), key.as_str()))
            .collect();
        let names = serde_json::to_string(&names).unwrap_or_default();
        let read = |file: &&LocalFile| {
            file.bytes()
                .map(|b| (file.path.as_str().to_owned(), b))
                .map_err(|e| HostError::local_file(file.path.as_str(), &e))
        };
        let rules: Vec<(String, Vec<u8>)> = rules.iter().map(read).collect::<Result<_, _>>()?;
        let form = || {
            let form =
                Form::new().text("manifest", names.clone()).text("branch", self.branch.clone());
            rules.iter().fold(form, |form, (name, bytes)| {
                form.part(name.clone(), Part::bytes(bytes.clone()).file_name(name.clone()))
            })
        };
        let first: Deployment = self.send_for_result(
            &ApiRequest::post(&self.at("/deployments"), Body::Form(&form)).with_large_response(),
        )?;
        let path = self.at(&format!("/deployments/{}", checked_id(first.id.as_deref())?));
        let mut now = Some(first);
        poll_until(|| {
            now.take()
                .map_or_else(|| self.send_for_result::<Deployment>(&ApiRequest::get(&path)), Ok)?
                .progress()
        })
    }

    fn roll_back(&mut self) -> Result<String, HostError> {
        let none = || HostError::other("there is no earlier deployment to go back to");
        let project = self.project()?;
        if project.production_branch.as_deref() != Some(self.branch.as_str()) {
            let message = format!(
                "Cloudflare can roll back the production branch only, which `{}` is not",
                self.branch
            );
            return Err(HostError::other(message));
        }
        let published = project.canonical_deployment.ok_or_else(none)?;
        let now = published.time().ok_or_else(none)?;
        let deployments = self.deployments("production")?;
        let complete = deployments
            .iter()
            .filter(|d| d.id != published.id && matches!(d.progress(), Ok(Some(()))));
        let earlier = complete.filter_map(|d| Some((d.time()?, d))).filter(|(when, _)| *when < now);
        let (when, deployment) = earlier.max_by_key(|(when, _)| *when).ok_or_else(none)?;
        let path =
            self.at(&format!("/deployments/{}/rollback", checked_id(deployment.id.as_deref())?));
        self.send::<Value>(&ApiRequest::post(&path, Body::Empty).with_large_response())?;
        Ok(format!("the deployment of {when}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::files::FileContent;
    use crate::deploy::headers::{Group, Headers};
    use crate::deploy::manifest::ManifestEntry;
    use crate::paths::OutPath;

    #[test]
    fn the_ending_counts_and_a_dot_in_front_is_none() {
        let direct = |text: &str| blake3::hash(text.as_bytes()).to_hex()[..32].to_owned();
        assert_eq!(key_of("a/x.html", b"hi"), direct("aGk=html"));
        assert_eq!(key_of("a.b/.nojekyll", b"hi"), direct("aGk="));
        assert_eq!(key_of(".folio-manifest.json", b"hi"), direct("aGk=json"));
    }

    #[test]
    fn bundles_have_a_size() {
        let file = |size: u64| LocalFile {
            path: OutPath::new("x").unwrap(),
            content: FileContent::Memory(Vec::new().into()),
            entry: ManifestEntry { hash: String::new(), size, headers: None },
            headers: Headers { content_type: String::new(), cache_control: String::new() },
            group: Group::Assets,
        };
        let (large, small) = (file(15 << 20), file(1 << 20));
        let sizes = |files: &[&LocalFile]| {
            bundles(&files.iter().map(|f| ("k", *f)).collect::<Vec<_>>())
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[&large, &small, &small, &large]), [2, 2]);
        assert_eq!(sizes(&[&large, &large]), [1, 1]);
        assert_eq!(sizes(&vec![&file(0); 2001]), [1000, 1000, 1]);
        assert!(sizes(&[]).is_empty());
    }
}
