//! Netlify's API as far as Folio asks it, written from its OpenAPI description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::fake_service::{Api, Asked, Reply};

pub const TOKEN: &str = "nfp_good_token";
const RAW: &str = "application/vnd.bitballoon.v1.raw";

/// What Netlify has.
#[derive(Default)]
pub struct Netlify {
    url: String,
    pub deploys: Vec<Deploy>,
    pub contents: BTreeMap<String, Vec<u8>>,
    pub published: Option<String>,
    pub locked: bool,
    /// Whether files are given as they are, or only what is known of them.
    pub hides_raw: bool,
    /// Why the next deploy comes to nothing.
    pub breaks: Option<String>,
}

pub struct Deploy {
    pub id: String,
    pub files: BTreeMap<String, String>,
    pub state: String,
    /// Its `required` is told only when it is prepared.
    prepared: bool,
    created_at: String,
}

pub fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"code": status, "message": message}))
}

impl Netlify {
    /// Another's deploy, published.
    pub fn put(&mut self, files: &[(&str, &[u8])]) {
        let mut known = BTreeMap::new();
        for (path, bytes) in files {
            known.insert(format!("/{path}"), sha1(bytes));
            self.contents.insert(sha1(bytes), bytes.to_vec());
        }
        let deploy = self.add(known);
        self.deploys[deploy].state = "ready".into();
        self.published = Some(self.deploys[deploy].id.clone());
    }

    fn add(&mut self, files: BTreeMap<String, String>) -> usize {
        let number = self.deploys.len();
        let created_at = format!("2026-11-24T10:{number:02}:00.123Z");
        self.deploys.push(Deploy {
            id: format!("d{number}"),
            files,
            state: "uploading".into(),
            prepared: true,
            created_at,
        });
        number
    }

    /// The site that readers see.
    pub fn site(&self) -> BTreeMap<String, Vec<u8>> {
        let deploy = self.deploys.iter().find(|d| Some(&d.id) == self.published.as_ref());
        let files = deploy.into_iter().flat_map(|d| &d.files);
        files.map(|(path, sha)| (path[1..].to_owned(), self.contents[sha].clone())).collect()
    }

    fn missing(&self, deploy: &Deploy) -> BTreeSet<String> {
        deploy.files.values().filter(|sha| !self.contents.contains_key(*sha)).cloned().collect()
    }

    fn deploy_json(&self, deploy: &Deploy) -> Value {
        let mut value = json!({
            "id": deploy.id, "state": deploy.state, "created_at": deploy.created_at,
            "context": "production",
            "locked": self.locked && Some(&deploy.id) == self.published.as_ref(),
            "error_message": if deploy.state == "error" { self.breaks.clone() } else { None },
        });
        value["required"] = if deploy.prepared { json!(self.missing(deploy)) } else { json!([]) };
        value
    }

    /// A deploy goes on a step each time it is looked at.
    fn step(&mut self, number: usize) {
        let missing = self.missing(&self.deploys[number]);
        let deploy = &mut self.deploys[number];
        let next = match deploy.state.as_str() {
            "preparing" => "prepared",
            "uploading" | "prepared" if missing.is_empty() => "processing",
            "processing" if self.breaks.is_some() => "error",
            "processing" => "ready",
            other => other,
        }
        .to_owned();
        deploy.state.clone_from(&next);
        if next == "prepared" {
            deploy.prepared = true;
        }
        if next == "ready" && !self.locked {
            self.published = Some(deploy.id.clone());
        }
    }

    fn create(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        let Some(files) = body["files"].as_object() else { return error(422, "files is missing") };
        let is_sha = |sha: &str| sha.len() == 40 && sha.chars().all(|c| c.is_ascii_hexdigit());
        let files: BTreeMap<String, String> = files
            .iter()
            .map(|(path, sha)| (path.clone(), sha.as_str().unwrap_or_default().to_owned()))
            .collect();
        if files.iter().any(|(path, sha)| !path.starts_with('/') || !is_sha(sha)) {
            return error(422, "a path or a SHA-1 is none");
        }
        let number = self.add(files);
        if body["async"] == true {
            self.deploys[number].state = "preparing".into();
            self.deploys[number].prepared = false;
        }
        Reply::json(200, &self.deploy_json(&self.deploys[number]))
    }

    fn upload(&mut self, number: usize, path: &str, asked: &Asked) -> Reply {
        if asked.header("content-type") != "application/octet-stream" {
            return error(415, "this is no octet stream");
        }
        let sha = sha1(&asked.body);
        if self.deploys[number].files.get(&format!("/{path}")) != Some(&sha) {
            return error(422, "the content is not the one that was announced");
        }
        self.contents.insert(sha.clone(), asked.body.clone());
        Reply::json(200, &json!({"path": format!("/{path}"), "sha": sha}))
    }

    fn files(&self, asked: &Asked) -> Reply {
        // Pages of two, so that there are several.
        let page: usize = asked.asks("page").and_then(|p| p.parse().ok()).unwrap_or(1);
        let all: Vec<Value> = self
            .site()
            .iter()
            .map(|(path, bytes)| json!({"path": format!("/{path}"), "sha": sha1(bytes)}))
            .collect();
        let some: Vec<&Value> = all.iter().skip((page - 1) * 2).take(2).collect();
        let reply = Reply::json(200, &json!(some));
        if page * 2 < all.len() {
            reply.with("link", format!("<{}/x?page={}>; rel=\"next\"", self.url, page + 1))
        } else {
            reply
        }
    }

    fn file(&self, path: &str, asked: &Asked) -> Reply {
        match self.site().get(path) {
            None => error(404, "Not Found"),
            Some(bytes) if asked.header("content-type") == RAW && !self.hides_raw => {
                Reply::bytes(200, bytes.clone())
            }
            Some(bytes) => Reply::json(
                200,
                &json!({
                    "id": path, "path": format!("/{path}"), "sha": sha1(bytes), "size": bytes.len(),
                }),
            ),
        }
    }

    fn restore(&mut self, id: &str) -> Reply {
        match self.deploys.iter().find(|d| d.id == id && d.state == "ready") {
            None => error(404, "Not Found"),
            Some(deploy) => {
                self.published = Some(deploy.id.clone());
                Reply::json(201, &self.deploy_json(deploy))
            }
        }
    }
}

impl Api for Netlify {
    fn at(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(path) = asked.path.strip_prefix("/shown/") {
            return self.site().get(path).map_or_else(
                || Reply::bytes(404, "none"),
                |bytes| Reply::bytes(200, bytes.clone()),
            );
        }
        if asked.header("authorization") != format!("Bearer {TOKEN}") {
            return error(401, "Access Denied\u{1b}[2J");
        }
        let parts: Vec<&str> = asked.path.trim_start_matches('/').splitn(5, '/').collect();
        let number = |id: &str| self.deploys.iter().position(|d| d.id == id);
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["sites", "my.site"]) => {
                let published =
                    self.deploys.iter().find(|d| Some(&d.id) == self.published.as_ref());
                let published = published.map(|d| self.deploy_json(d));
                Reply::json(
                    200,
                    &json!({
                        "id": "1", "ssl_url": format!("{}/shown", self.url),
                        "published_deploy": published,
                    }),
                )
            }
            ("GET", ["sites", "my.site", "files"]) => self.files(asked),
            ("GET", ["sites", "my.site", "files", path]) => self.file(path, asked),
            ("GET", ["sites", "my.site", "deploys"]) => {
                let all: Vec<Value> =
                    self.deploys.iter().rev().map(|d| self.deploy_json(d)).collect();
                Reply::json(200, &json!(all))
            }
            ("POST", ["sites", "my.site", "deploys"]) => self.create(asked),
            ("POST", ["sites", "my.site", "deploys", id, "restore"]) => self.restore(id),
            ("GET", ["deploys", id]) => match number(id) {
                Some(number) => {
                    self.step(number);
                    Reply::json(200, &self.deploy_json(&self.deploys[number]))
                }
                None => error(404, "Not Found"),
            },
            ("PUT", ["deploys", id, "files", rest @ ..]) => match number(id) {
                Some(number) => self.upload(number, &rest.join("/"), asked),
                None => error(404, "Not Found"),
            },
            _ => error(404, "Not Found"),
        }
    }
}
