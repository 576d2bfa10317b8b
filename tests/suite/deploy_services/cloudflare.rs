//! The API of Cloudflare Pages as far as Folio asks it, written from Cloudflare's API reference and
//! from what wrangler sends.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fake_service::{Api, Asked, Reply};

pub const TOKEN: &str = "cf_good_token";
const PROJECT: &str = "/accounts/acc/pages/projects/proj";

/// What Cloudflare has.
#[derive(Default)]
pub struct Cloudflare {
    url: String,
    pub assets: BTreeMap<String, (Vec<u8>, String)>,
    pub deployments: Vec<Deployment>,
    /// The number of the one that readers see.
    pub shown: Option<usize>,
    /// How many tokens for uploads were given out; the newest counts.
    pub tokens: usize,
    /// Pages that are not there are answered with the front page.
    pub falls_back: bool,
    /// The next deployments come to nothing.
    pub breaks: bool,
}

pub struct Deployment {
    pub files: BTreeMap<String, String>,
    pub rules: BTreeMap<String, Vec<u8>>,
    pub branch: String,
    ready: bool,
}

pub fn key(path: &str, bytes: &[u8]) -> String {
    let ending =
        Path::new(path).extension().map_or(String::new(), |e| e.to_string_lossy().into_owned());
    blake3::hash((STANDARD.encode(bytes) + &ending).as_bytes()).to_hex()[..32].to_owned()
}

fn result(value: &Value) -> Reply {
    Reply::json(200, &json!({"success": true, "errors": [], "messages": [], "result": value}))
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({
            "success": false, "errors": [{"code": 8_000_000, "message": message}],
            "messages": [], "result": null,
        }),
    )
}

impl Cloudflare {
    /// The site that readers see.
    pub fn site(&self) -> BTreeMap<String, Vec<u8>> {
        self.shown.map(|number| self.files(number)).unwrap_or_default()
    }

    pub fn files(&self, number: usize) -> BTreeMap<String, Vec<u8>> {
        let deployment = &self.deployments[number];
        deployment
            .files
            .iter()
            .map(|(path, key)| (path[1..].to_owned(), self.assets[key].0.clone()))
            .collect()
    }

    fn jwt(&self) -> String {
        format!("jwt{}", self.tokens)
    }

    fn json(&self, number: usize) -> Value {
        let deployment = &self.deployments[number];
        let production = deployment.branch == "main";
        let status = match (deployment.ready, self.breaks) {
            (false, _) => "active",
            (true, true) => "failure",
            (true, false) => "success",
        };
        json!({
            "id": format!("n{number}"), "url": format!("{}/preview/{number}", self.url),
            "created_on": format!("2026-11-24T10:{number:02}:00.5Z"),
            "environment": if production { "production" } else { "preview" },
            "latest_stage": {"name": "deploy", "status": status},
            "deployment_trigger": {"type": "ad_hoc", "metadata": {"branch": deployment.branch}},
        })
    }

    fn assets(&mut self, asked: &Asked) -> Reply {
        if asked.header("authorization") != format!("Bearer {}", self.jwt()) {
            return error(401, "the token has run out");
        }
        let body = asked.json();
        match asked.path.as_str() {
            "/pages/assets/check-missing" => {
                let all = body["hashes"].as_array().cloned().unwrap_or_default();
                let missing: Vec<Value> = all
                    .into_iter()
                    .filter(|h| !self.assets.contains_key(h.as_str().unwrap_or_default()))
                    .collect();
                result(&json!(missing))
            }
            "/pages/assets/upload" => {
                for file in body.as_array().cloned().unwrap_or_default() {
                    let (Some(key), Ok(bytes), true) = (
                        file["key"].as_str(),
                        STANDARD.decode(file["value"].as_str().unwrap_or("?")),
                        file["base64"] == true,
                    ) else {
                        return error(400, "this is no file");
                    };
                    let kind =
                        file["metadata"]["contentType"].as_str().unwrap_or_default().to_owned();
                    self.assets.insert(key.to_owned(), (bytes, kind));
                }
                result(&Value::Null)
            }
            "/pages/assets/upsert-hashes" => result(&Value::Null),
            _ => error(404, "no such thing"),
        }
    }

    fn deploy(&mut self, asked: &Asked) -> Reply {
        let parts = form(asked);
        let text = |name: &str| {
            parts
                .get(name)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                .unwrap_or_default()
        };
        let Ok(files) = serde_json::from_str::<BTreeMap<String, String>>(&text("manifest")) else {
            return error(400, "there is no manifest");
        };
        for (path, hash) in &files {
            let known = self.assets.get(hash).is_some_and(|(bytes, _)| key(path, bytes) == *hash);
            if !path.starts_with('/') || !known {
                return error(400, &format!("{path} was not uploaded"));
            }
        }
        let rules = parts
            .iter()
            .filter(|(name, _)| name.starts_with('_'))
            .map(|(n, b)| (n.clone(), b.clone()))
            .collect();
        self.deployments.push(Deployment { files, rules, branch: text("branch"), ready: false });
        result(&self.json(self.deployments.len() - 1))
    }

    fn project(&mut self, rest: &str, asked: &Asked) -> Reply {
        let number = |text: &str| {
            text.strip_prefix('n')
                .and_then(|n| n.parse().ok())
                .filter(|n: &usize| *n < self.deployments.len())
        };
        match (
            asked.method.as_str(),
            rest.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice(),
        ) {
            ("GET", [""]) => {
                let shown = self.shown.map(|number| self.json(number));
                let subdomain = format!("{}/shown", self.url);
                result(&json!({
                    "name": "proj", "subdomain": subdomain, "production_branch": "main",
                    "canonical_deployment": shown,
                }))
            }
            ("GET", ["upload-token"]) => {
                self.tokens += 1;
                result(&json!({"jwt": self.jwt()}))
            }
            ("GET", ["deployments"]) => {
                let env = asked.asks("env").unwrap_or_default();
                let all: Vec<Value> = (0..self.deployments.len())
                    .rev()
                    .map(|n| self.json(n))
                    .filter(|d| d["environment"] == env)
                    .collect();
                result(&json!(all))
            }
            ("POST", ["deployments"]) => self.deploy(asked),
            ("GET", ["deployments", id]) => match number(id) {
                Some(number) => {
                    self.deployments[number].ready = true;
                    if self.deployments[number].branch == "main" && !self.breaks {
                        self.shown = Some(number);
                    }
                    result(&self.json(number))
                }
                None => error(404, "no such deployment"),
            },
            ("POST", ["deployments", id, "rollback"]) => {
                match number(id).filter(|n| self.deployments[*n].ready) {
                    Some(number) => {
                        self.shown = Some(number);
                        result(&self.json(number))
                    }
                    None => error(404, "no such deployment"),
                }
            }
            _ => error(404, "no such thing"),
        }
    }
}

/// The parts of a form (RFC 7578).
fn form(asked: &Asked) -> BTreeMap<String, Vec<u8>> {
    let Some((_, boundary)) =
        asked.header("content-type").split_once("multipart/form-data; boundary=")
    else {
        return BTreeMap::new();
    };
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|w| w == what);
    let fingerprint = format!("--{boundary}\r\n").into_bytes();
    let end = format!("\r\n--{boundary}").into_bytes();
    let mut parts = BTreeMap::new();
    let mut rest = asked.body.as_slice();
    while let Some(at) = find(rest, &fingerprint) {
        rest = &rest[at + fingerprint.len()..];
        let Some(head) = find(rest, b"\r\n\r\n") else { break };
        let name = String::from_utf8_lossy(&rest[..head])
            .split("name=\"")
            .nth(1)
            .and_then(|t| t.split('"').next())
            .unwrap_or_default()
            .to_owned();
        rest = &rest[head + 4..];
        let Some(length) = find(rest, &end) else { break };
        parts.insert(name, rest[..length].to_vec());
        rest = &rest[length + 2..];
    }
    parts
}

impl Api for Cloudflare {
    fn at(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let page = |files: &BTreeMap<String, Vec<u8>>, path: &str| {
            let file =
                files.get(path).or_else(|| files.get("index.html").filter(|_| self.falls_back));
            file.map_or_else(|| Reply::bytes(404, "none"), |bytes| Reply::bytes(200, bytes.clone()))
        };
        if let Some(path) = asked.path.strip_prefix("/shown/") {
            return page(&self.site(), path);
        }
        if let Some((number, path)) =
            asked.path.strip_prefix("/preview/").and_then(|rest| rest.split_once('/'))
        {
            return page(&self.files(number.parse().unwrap()), path);
        }
        if asked.path.starts_with("/pages/assets/") {
            return self.assets(asked);
        }
        if asked.header("authorization") != format!("Bearer {TOKEN}") {
            return error(403, "Authentication error");
        }
        match asked.path.strip_prefix(PROJECT) {
            Some(rest) => self.project(rest, asked),
            None => error(404, "no such project"),
        }
    }
}
