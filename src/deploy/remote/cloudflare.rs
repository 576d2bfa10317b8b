//! `cloudflare-pages`: Direct Upload. The hashes of all files go there first; what is missing is sent in bundles; then a form
//! with the names of all files makes a deployment of it, which readers see at once. The deployments are described in
//! Cloudflare's API reference ("Pages"); the uploads are not, and follow what Cloudflare's own wrangler does
//! (`cloudflare/workers-sdk`, packages/wrangler/src/pages). Tried against a stand-in only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rayon::prelude::*;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::{Api, Ask, Body, believe, clean, id, manifest_file, until};
use super::{Context, Whole, WholeChange};
use crate::deploy::crew::Crew;
use crate::deploy::failure::{Failure, FailureKind};
use crate::deploy::files::LocalFile;
use crate::deploy::manifest::{LIMIT, Manifest, NAME};
use crate::deploy::{Force, Step};
use crate::paths::percent_encode;

/// A project of Cloudflare Pages.
pub struct Pages {
    api: Api,
    account: String,
    project: String,
    branch: String,
    force: Force,
}

/// The largest file (Cloudflare Pages, "Limits").
const LARGEST: u64 = 25 << 20;
/// The most files of a site (Cloudflare Pages, "Limits").
const MOST: usize = 20_000;
/// The most bytes and files that go up at once. wrangler sends 40 MiB and 2000; less keeps memory small.
const BUNDLE: (u64, usize) = (16 << 20, 1000);
/// So many bundles are on their way at once, as in wrangler.
const BUNDLES: usize = 3;
/// Files that are not shown but obeyed: they go with the form.
const RULES: [&str; 2] = ["_headers", "_redirects"];
/// Programs, which want more than to be sent.
const PROGRAMS: [&str; 2] = ["_worker.js", "_routes.json"];

/// What every answer is wrapped in.
#[derive(Debug, Deserialize)]
struct Wrapped<T> {
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
        self.trigger.as_ref().and_then(|t| t.metadata.as_ref()).and_then(|m| m.branch.as_deref()) == Some(branch)
    }

    fn time(&self) -> Option<Timestamp> {
        self.created_on.as_deref()?.parse().ok()
    }

    /// How far it is: whether it is there, or why it never will be.
    fn progress(&self) -> Result<Option<()>, Failure> {
        let Some(stage) = &self.latest_stage else { return Ok(None) };
        match (stage.name.as_deref(), stage.status.as_deref()) {
            (Some("deploy"), Some("success")) => Ok(Some(())),
            (_, Some(status @ ("failure" | "canceled"))) => {
                Err(Failure::new(FailureKind::Other, format!("Cloudflare could not make a deployment of what it was sent: {status}")))
            }
            _ => Ok(None),
        }
    }
}

impl Pages {
    /// A project, by the token in `CLOUDFLARE_API_TOKEN`. Nothing is asked yet.
    ///
    /// # Errors
    /// When there is no token, or `endpoint` cannot be used.
    pub fn open(account: &str, project: &str, branch: &str, endpoint: &str, context: Context<'_>) -> Result<Self, Failure> {
        let api = Api::open(endpoint, "CLOUDFLARE_API_TOKEN")?;
        Ok(Self { api, account: account.to_owned(), project: project.to_owned(), branch: branch.to_owned(), force: context.force })
    }

    fn at(&self, rest: &str) -> String {
        let part = |text: &str| percent_encode(text).replace('/', "%2F");
        format!("accounts/{}/pages/projects/{}{rest}", part(&self.account), part(&self.project))
    }

    fn ask<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<Option<T>, Failure> {
        let wrapped: Wrapped<T> = self.api.json(ask)?;
        if wrapped.success {
            return Ok(wrapped.result);
        }
        let errors = wrapped.errors.as_array().map(Vec::as_slice).unwrap_or_default();
        let said: Vec<&str> = errors.iter().filter_map(|e| e.get("message")?.as_str()).take(3).collect();
        Err(Failure::new(FailureKind::Other, format!("{} {}: it was refused: {}", ask.method, ask.path, clean(&said.join("; ")))))
    }

    fn must<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Failure> {
        self.ask(ask)?.ok_or_else(|| Failure::new(FailureKind::Other, format!("{} {}: the answer has no result", ask.method, ask.path)))
    }

    fn project(&self) -> Result<Project, Failure> {
        self.must(&Ask::get(&self.at("")).long())
    }

    fn deployments(&self, environment: &str) -> Result<Vec<Deployment>, Failure> {
        // Newest first; one page has more than are ever gone back over.
        Ok(self.ask(&Ask::get(&self.at(&format!("/deployments?env={environment}"))).long())?.unwrap_or_default())
    }

    /// Where readers find what this branch shows; `None` where it shows nothing yet.
    fn address(&self) -> Result<Option<String>, Failure> {
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

/// The name that Cloudflare knows a file by: of its content and its ending (wrangler, `hashFile`).
fn key(file: &LocalFile) -> Result<String, Failure> {
    let bytes = file.bytes().map_err(|e| Failure::local(file.path.as_str(), &e))?;
    Ok(key_of(file.path.as_str(), &bytes))
}

fn key_of(path: &str, bytes: &[u8]) -> String {
    let ending = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    blake3::hash(format!("{}{ending}", STANDARD.encode(bytes)).as_bytes()).to_hex()[..32].to_owned()
}

/// Files in bundles, none too large or of too many.
fn bundles<'a>(missing: &[(&'a str, &'a LocalFile)]) -> Vec<Vec<(&'a str, &'a LocalFile)>> {
    let mut all: Vec<Vec<(&str, &LocalFile)>> = Vec::new();
    let mut size = 0;
    for (key, file) in missing {
        match all.last_mut() {
            Some(bundle) if size + file.entry.size <= BUNDLE.0 && bundle.len() < BUNDLE.1 => bundle.push((key, file)),
            _ => {
                size = 0;
                all.push(vec![(key, file)]);
            }
        }
        size += file.entry.size;
    }
    all
}

/// An upload under way, with the token that Cloudflare gives for it, for a few minutes at a time.
struct Uploading<'a> {
    pages: &'a Pages,
    jwt: Mutex<String>,
}

impl<'a> Uploading<'a> {
    fn begin(pages: &'a Pages) -> Result<Self, Failure> {
        Ok(Self { pages, jwt: Mutex::new(Self::token(pages)?) })
    }

    fn token(pages: &Pages) -> Result<String, Failure> {
        let token: UploadToken = pages.must(&Ask::get(&pages.at("/upload-token")))?;
        if token.jwt.is_empty() || !token.jwt.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Failure::new(FailureKind::Other, "the answer has no token for uploads"));
        }
        Ok(token.jwt)
    }

    fn jwt(&self) -> String {
        self.jwt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks with the token for uploads, and with a new one where it has run out.
    fn ask<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<Option<T>, Failure> {
        let once = |jwt: &str| self.pages.ask(&Ask { token: Some(jwt), ..Ask::post(path, Body::Json(body)).long() });
        match once(&self.jwt()) {
            Err(f) if f.kind == FailureKind::Denied => {
                let new = Self::token(self.pages)?;
                self.jwt.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&new);
                once(&new)
            }
            result => result,
        }
    }

    /// Which of these are not there yet.
    fn missing(&self, keys: &[&str]) -> Result<BTreeSet<String>, Failure> {
        Ok(self.ask("pages/assets/check-missing", &json!({"hashes": keys}))?.unwrap_or_default())
    }

    fn send(&self, bundle: &[(&str, &LocalFile)]) -> Result<(), Failure> {
        let file = |(key, file): &(&str, &LocalFile)| {
            let bytes = file.bytes().map_err(|e| Failure::local(file.path.as_str(), &e))?;
            let kind = &file.headers.content_type;
            Ok(json!({"key": key, "value": STANDARD.encode(bytes), "metadata": {"contentType": kind}, "base64": true}))
        };
        let body = Value::Array(bundle.iter().map(file).collect::<Result<_, Failure>>()?);
        self.ask::<Value>("pages/assets/upload", &body).map(|_| ())
    }

    /// Says which files are in use. Without it they would only have to be sent again some day.
    fn keep(&self, keys: &[&str]) {
        let _ = self.ask::<Value>("pages/assets/upsert-hashes", &json!({"hashes": keys}));
    }
}

impl Whole for Pages {
    fn place(&self) -> String {
        format!("cloudflare-pages {} ({})", self.project, self.branch)
    }

    fn check(&self, here: &[LocalFile]) -> Result<(), Failure> {
        let local = |message: String| Err(Failure::new(FailureKind::Local, message));
        if let Some(file) = here.iter().find(|file| file.entry.size > LARGEST) {
            return local(format!("Cloudflare Pages takes files up to 25 MiB, and `{}` has {:.1}", file.path, mebibytes(file.entry.size)));
        }
        if let Some(file) = here.iter().find(|file| PROGRAMS.contains(&file.path.as_str())) {
            return local(format!("`{}` is a program of Cloudflare's, which Folio does not publish; use wrangler for this site", file.path));
        }
        // The manifest is a file too.
        if here.len() >= MOST {
            return local(format!("Cloudflare Pages takes sites of up to {MOST} files, and this one has {}", here.len() + 1));
        }
        Ok(())
    }

    /// There is no way in the API to read a file of a deployment. The manifest is read from the site's own address instead,
    /// as any reader may. A page that is shown in its place is no manifest: then nothing is known, and all files count as
    /// changed, though only what Cloudflare lacks is sent.
    fn look(&mut self) -> Result<(Option<Manifest>, BTreeSet<String>), Failure> {
        let bytes = self.address()?.and_then(|address| self.api.published(&address, NAME, LIMIT));
        let is_manifest = |bytes: &Vec<u8>| bytes.trim_ascii_start().starts_with(b"{");
        let manifest = bytes.filter(is_manifest).map(|bytes| believe(&bytes, self.force)).transpose()?.flatten();
        Ok((manifest, BTreeSet::new()))
    }

    fn publish(&mut self, change: &WholeChange<'_>, crew: &Crew<'_>) -> Result<(), Failure> {
        let manifest = manifest_file(change.manifest)?;
        let (rules, files): (Vec<&LocalFile>, Vec<&LocalFile>) =
            change.here.iter().chain([&manifest]).partition(|file| RULES.contains(&file.path.as_str()));
        let keys: Vec<String> = files.par_iter().map(|file| key(file)).collect::<Result<_, _>>()?;
        // A content that several files have is sent once.
        let by_key: BTreeMap<&str, &LocalFile> = keys.iter().map(String::as_str).zip(files.iter().copied()).collect();
        let all: Vec<&str> = by_key.keys().copied().collect();

        let uploading = Uploading::begin(self)?;
        let missing: Vec<(&str, &LocalFile)> = match change.force {
            Force::Yes => by_key.into_iter().collect(),
            Force::No => {
                let missing = uploading.missing(&all)?;
                by_key.into_iter().filter(|(key, _)| missing.contains(*key)).collect()
            }
        };
        let bundles = bundles(&missing);
        crew.progress.stage(Step::Uploading.name(), bundles.len());
        let few = Crew { size: crew.size.min(BUNDLES), progress: crew.progress };
        few.each(&bundles, |bundle| uploading.send(bundle)).into_iter().flatten().collect::<Result<(), Failure>>()?;
        uploading.keep(&all);

        let names: BTreeMap<String, &str> = files.iter().zip(&keys).map(|(file, key)| (format!("/{}", file.path), key.as_str())).collect();
        let names = serde_json::to_string(&names).unwrap_or_default();
        let read = |file: &&LocalFile| file.bytes().map(|b| (file.path.as_str().to_owned(), b)).map_err(|e| Failure::local(file.path.as_str(), &e));
        let rules: Vec<(String, Vec<u8>)> = rules.iter().map(read).collect::<Result<_, _>>()?;
        let form = || {
            let form = Form::new().text("manifest", names.clone()).text("branch", self.branch.clone());
            rules.iter().fold(form, |form, (name, bytes)| form.part(name.clone(), Part::bytes(bytes.clone()).file_name(name.clone())))
        };
        let first: Deployment = self.must(&Ask::post(&self.at("/deployments"), Body::Form(&form)).long())?;
        let path = self.at(&format!("/deployments/{}", id(first.id.as_deref())?));
        let mut now = Some(first);
        until(|| now.take().map_or_else(|| self.must::<Deployment>(&Ask::get(&path)), Ok)?.progress())
    }

    fn roll_back(&mut self) -> Result<String, Failure> {
        let nothing = || Failure::new(FailureKind::Other, "there is no earlier deployment to go back to");
        let project = self.project()?;
        if project.production_branch.as_deref() != Some(self.branch.as_str()) {
            let message = format!("Cloudflare rolls back the production branch only, and `{}` is not that", self.branch);
            return Err(Failure::new(FailureKind::Other, message));
        }
        let shown = project.canonical_deployment.ok_or_else(nothing)?;
        let now = shown.time().ok_or_else(nothing)?;
        let deployments = self.deployments("production")?;
        let whole = deployments.iter().filter(|d| d.id != shown.id && matches!(d.progress(), Ok(Some(()))));
        let earlier = whole.filter_map(|d| Some((d.time()?, d))).filter(|(when, _)| *when < now);
        let (when, deployment) = earlier.max_by_key(|(when, _)| *when).ok_or_else(nothing)?;
        let path = self.at(&format!("/deployments/{}/rollback", id(deployment.id.as_deref())?));
        self.ask::<Value>(&Ask::post(&path, Body::Nothing).long())?;
        Ok(format!("the deployment of {when}"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a person, with one digit after the point")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::files::Content;
    use crate::deploy::headers::{Group, Headers};
    use crate::deploy::manifest::Entry;
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
            content: Content::Made(Vec::new().into()),
            entry: Entry { hash: String::new(), size, headers: None },
            headers: Headers { content_type: String::new(), cache_control: String::new() },
            group: Group::Assets,
        };
        let (large, small) = (file(15 << 20), file(1 << 20));
        let sizes = |files: &[&LocalFile]| bundles(&files.iter().map(|f| ("k", *f)).collect::<Vec<_>>()).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[&large, &small, &small, &large]), [2, 2]);
        assert_eq!(sizes(&[&large, &large]), [1, 1]);
        assert_eq!(sizes(&vec![&file(0); 2001]), [1000, 1000, 1]);
        assert!(sizes(&[]).is_empty());
    }
}
