//! A host's API over HTTPS: a token with each request, and answers that are read up to a limit and believed in nothing.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, HeaderMap, LINK, RETRY_AFTER};
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::deploy::Force;
use crate::deploy::failure::{Failure, FailureKind, retry};
use crate::deploy::files::{Content, LocalFile};
use crate::deploy::headers::{Group, Headers};
use crate::deploy::manifest::{Entry, Manifest, NAME};
use crate::net::{self, in_words};
use crate::paths::OutPath;

/// The most that is read of an answer about one thing, in bytes.
pub const SMALL: u64 = 1 << 20;
/// The most that is read of a list, in bytes.
pub const LIST: u64 = 64 << 20;
/// The longest that a host is heard when it says how long to wait: limits are counted by the minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(61);
/// How long a host may take to make a site of what it was sent.
const PATIENCE: Duration = Duration::from_secs(600);

/// An API, with the token that it knows us by.
pub struct Api {
    client: reqwest::Client,
    runtime: Runtime,
    endpoint: String,
    token: String,
    /// The host asked not to be asked before.
    not_before: Mutex<Option<Instant>>,
}

/// What the API is asked.
pub struct Ask<'a> {
    pub method: Method,
    /// Below the API's address, encoded.
    pub path: &'a str,
    pub body: Body<'a>,
    /// The token, where it is another than the API's.
    pub token: Option<&'a str>,
    /// The most that is read of the answer, in bytes.
    pub limit: u64,
}

/// What goes with a question. It is made anew for each attempt, so that nothing large is held twice.
pub enum Body<'a> {
    Nothing,
    Json(&'a Value),
    Bytes(&'a dyn Fn() -> Result<Vec<u8>, Failure>),
    Form(&'a dyn Fn() -> Form),
    /// Nothing, for a file as it is instead of what is known of it.
    Raw(&'static str),
}

/// What came back.
pub struct Answer {
    pub bytes: Vec<u8>,
    /// Whether the list goes on at the next page.
    pub more: More,
}

/// Whether a list goes on (RFC 8288 §3.3, `rel="next"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    Yes,
    No,
}

impl<'a> Ask<'a> {
    /// A question that changes nothing.
    #[must_use]
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: Body::Nothing, token: None, limit: SMALL }
    }

    /// A question that does something.
    #[must_use]
    pub fn post(path: &'a str, body: Body<'a>) -> Self {
        Self { method: Method::POST, path, body, token: None, limit: SMALL }
    }

    /// With room for a list in the answer.
    #[must_use]
    pub fn long(self) -> Self {
        Self { limit: LIST, ..self }
    }
}

impl Api {
    /// An API at this address, with the token of this environment variable. Nothing is asked yet.
    ///
    /// # Errors
    /// When there is no token, or the address would have it go over the network in the clear.
    pub fn open(endpoint: &str, variable: &str) -> Result<Self, Failure> {
        let other = |message: String| Failure::new(FailureKind::Other, message);
        let url = Url::parse(endpoint).map_err(|e| other(format!("`endpoint` is no address: {e}")))?;
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(other("`endpoint` must start with https://: a token goes with every request".to_owned()));
        }
        let token = std::env::var(variable).unwrap_or_default().trim().to_owned();
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            let what = if token.is_empty() { "is not set" } else { "is no token" };
            return Err(Failure::new(FailureKind::Denied, format!("{variable} {what}")));
        }
        Ok(Self {
            client: net::client().build().map_err(|e| other(in_words(&e)))?,
            runtime: net::runtime().map_err(|e| other(e.to_string()))?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            not_before: Mutex::new(None),
        })
    }

    /// Whether the API is one that tests run on this machine, whose sites have plain addresses too.
    fn is_plain(&self) -> bool {
        self.endpoint.starts_with("http://")
    }

    /// Asks, again after a while where it failed in passing.
    ///
    /// # Errors
    /// The last failure, with what the host says about it.
    pub fn call(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        retry(|| {
            self.hold();
            let request = self.request(ask)?;
            let (status, headers, bytes) = self.runtime.block_on(send(request, ask.limit)).map_err(|f| self.told(ask, f))?;
            if status.is_success() {
                let next = headers.get_all(LINK).iter().filter_map(|v| v.to_str().ok()).any(|v| v.contains("rel=\"next\""));
                return Ok(Answer { bytes, more: if next { More::Yes } else { More::No } });
            }
            if status == StatusCode::TOO_MANY_REQUESTS {
                self.pause(&headers);
            }
            let said = said(&bytes).map_or(String::new(), |text| format!(": {text}"));
            Err(self.told(ask, Failure::new(kind(status), format!("it answered {}{said}", status.as_u16()))))
        })
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// As [`Api::call`], and when the answer is not what it should be.
    pub fn json<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Failure> {
        let answer = self.call(ask)?;
        self.read(ask, &answer)
    }

    /// Reads an answer as JSON.
    ///
    /// # Errors
    /// When it is not what it should be.
    pub fn read<T: DeserializeOwned>(&self, ask: &Ask<'_>, answer: &Answer) -> Result<T, Failure> {
        serde_json::from_slice(&answer.bytes)
            .map_err(|e| self.told(ask, Failure::new(FailureKind::Other, format!("the answer cannot be understood: {}", clean(&e.to_string())))))
    }

    /// A file of the published site, as any reader gets it: without the token. `None` where there is none, where the
    /// address is none that a site has, or where the site does not answer: then nothing is known, which is no error.
    pub fn published(&self, address: &str, path: &str, limit: u64) -> Option<Vec<u8>> {
        let url = Url::parse(&format!("{}/{path}", address.trim_end_matches('/'))).ok()?;
        let is_site = url.scheme() == "https" || (url.scheme() == "http" && self.is_plain());
        if !is_site || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let request = || self.client.get(url.clone()).header("cache-control", "no-cache").timeout(Duration::from_secs(60));
        let answer = retry(|| match self.runtime.block_on(send(request(), limit))? {
            (status, ..) if kind(status) == FailureKind::Passing => Err(Failure::new(FailureKind::Passing, "")),
            answer => Ok(answer),
        });
        answer.ok().filter(|(status, ..)| *status == StatusCode::OK).map(|(_, _, bytes)| bytes)
    }

    fn request(&self, ask: &Ask<'_>) -> Result<RequestBuilder, Failure> {
        let request = self.client.request(ask.method.clone(), format!("{}/{}", self.endpoint, ask.path));
        let request = request.bearer_auth(ask.token.unwrap_or(&self.token));
        Ok(match &ask.body {
            Body::Nothing => request.timeout(Duration::from_secs(60)),
            Body::Raw(kind) => request.header(CONTENT_TYPE, *kind).header("accept", *kind).timeout(Duration::from_secs(60)),
            Body::Json(value) => request.header(CONTENT_TYPE, "application/json").body(value.to_string()).timeout(Duration::from_secs(300)),
            Body::Bytes(make) => request.header(CONTENT_TYPE, "application/octet-stream").body(make()?).timeout(Duration::from_secs(600)),
            Body::Form(make) => request.multipart(make()).timeout(Duration::from_secs(300)),
        })
    }

    /// Waits while the host does not want to be asked.
    fn hold(&self) {
        let until = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rest) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            std::thread::sleep(rest);
        }
    }

    /// Remembers for all threads how long the host wants to be left alone: `Retry-After` in seconds (RFC 9110 §10.2.3),
    /// else the time of `X-RateLimit-Reset` (Netlify's documentation, "Rate limiting").
    fn pause(&self, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse::<u64>().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let seconds = number(RETRY_AFTER.as_str()).or_else(|| number("x-ratelimit-reset").map(|at| at.saturating_sub(now)));
        if let Some(seconds) = seconds {
            let until = Instant::now() + Duration::from_secs(seconds).min(LONGEST_PAUSE);
            *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
    }

    /// The failure of a question, with nothing secret in it.
    fn told(&self, ask: &Ask<'_>, failure: Failure) -> Failure {
        let mut message = failure.message;
        for secret in [Some(self.token.as_str()), ask.token].into_iter().flatten() {
            message = message.replace(secret, "…");
        }
        Failure::new(failure.kind, format!("{} {}: {message}", ask.method, ask.path))
    }
}

/// Sends a request and reads the answer, up to so many bytes.
async fn send(request: RequestBuilder, limit: u64) -> Result<(StatusCode, HeaderMap, Vec<u8>), Failure> {
    let lost = |e: reqwest::Error| {
        let kind = if e.is_builder() { FailureKind::Other } else { FailureKind::Passing };
        Failure::new(kind, clean(&in_words(&e.without_url())))
    };
    let mut response: Response = request.send().await.map_err(lost)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(lost)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > limit {
            return Err(Failure::new(FailureKind::Other, format!("the answer has more than {limit} bytes")));
        }
    }
    Ok((status, headers, bytes))
}

fn kind(status: StatusCode) -> FailureKind {
    match status.as_u16() {
        401 | 403 => FailureKind::Denied,
        404 => FailureKind::Missing,
        408 | 425 | 429 | 500..=599 => FailureKind::Passing,
        _ => FailureKind::Other,
    }
}

/// What an answer says about an error: Netlify's `message`, or Cloudflare's `errors`.
fn said(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let messages: Vec<&str> = match value.get("errors") {
        Some(Value::Array(errors)) => errors.iter().filter_map(|e| e.get("message")?.as_str()).take(3).collect(),
        _ => value.get("message").and_then(Value::as_str).into_iter().collect(),
    };
    let text = clean(&messages.join("; "));
    (!text.is_empty()).then_some(text)
}

/// Words of a host's that may be shown: on one line, not long, with nothing in them that a terminal would obey.
#[must_use]
pub fn clean(text: &str) -> String {
    let shown = |c: &char| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(shown).take(300).collect::<String>().trim().to_owned()
}

/// An identifier that a host gave, which goes into an address.
///
/// # Errors
/// When it is none.
pub fn id(text: Option<&str>) -> Result<&str, Failure> {
    match text {
        Some(text) if !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) => Ok(text),
        _ => Err(Failure::new(FailureKind::Other, "the answer names no deploy")),
    }
}

/// Asks until something is there, for ten minutes at the longest.
///
/// # Errors
/// As the question, and when it takes longer.
pub fn until<T>(mut ask: impl FnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let start = Instant::now();
    let mut wait = Duration::from_millis(200);
    while start.elapsed() < PATIENCE {
        if let Some(there) = ask()? {
            return Ok(there);
        }
        std::thread::sleep(wait);
        wait = (wait * 3 / 2).min(Duration::from_secs(5));
    }
    Err(Failure::new(FailureKind::Other, "it was sent, and after ten minutes is not there yet: look at the host's own pages"))
}

/// The manifest as a file of the site, which is how these hosts keep it.
///
/// # Errors
/// Never, as long as its name is one.
pub fn manifest_file(manifest: &Manifest) -> Result<LocalFile, Failure> {
    let path = OutPath::new(NAME).map_err(|e| Failure::new(FailureKind::Local, e.to_string()))?;
    let bytes = manifest.bytes();
    let entry = Entry { hash: crate::deploy::files::hash(&bytes), size: bytes.len() as u64, headers: None };
    let headers = Headers { content_type: "application/json".to_owned(), cache_control: String::new() };
    Ok(LocalFile { path, content: Content::Made(bytes.into()), entry, headers, group: Group::Assets })
}

/// The manifest in these bytes.
///
/// # Errors
/// When it cannot be believed. Where the user wants everything anew, then nothing is known instead.
pub fn believe(bytes: &[u8], force: Force) -> Result<Option<Manifest>, Failure> {
    match Manifest::read(bytes) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(_) if force == Force::Yes => Ok(None),
        Err(e) => {
            let message = format!("{NAME} there cannot be believed: {}. Take the site there over with --force", clean(&e));
            Err(Failure::new(FailureKind::Other, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_host_are_shown_without_what_a_terminal_obeys() {
        assert_eq!(clean("\u{1b}[31mno\r\n\u{202e}pe\u{7}"), "[31mnope");
        assert_eq!(clean(&"x".repeat(5000)).len(), 300);
        assert_eq!(said(br#"{"code":1,"message":"a\u001b[2Jb"}"#).as_deref(), Some("a[2Jb"));
        assert_eq!(said(br#"{"errors":[{"message":"one"},{"message":"two"},7]}"#).as_deref(), Some("one; two"));
        for odd in [&b"[]"[..], b"{\"errors\":{}}", b"{\"message\":[]}", b"<html>", b"", b"{\"errors\":[[]]}"] {
            assert_eq!(said(odd), None);
        }
    }

    #[test]
    fn identifiers_lead_nowhere_else() {
        assert!(id(Some("5f0-aB_9")).is_ok());
        for odd in [None, Some(""), Some("../x"), Some("a/b"), Some("a?b"), Some("ä")] {
            assert!(id(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_token_does_not_go_out_in_the_clear() {
        for endpoint in ["http://api.example", "ftp://127.0.0.1", "nonsense", "http://127.0.0.1.example"] {
            let Err(failure) = Api::open(endpoint, "PATH") else { panic!("{endpoint} was taken") };
            assert!(failure.message.contains("endpoint"), "{}", failure.message);
        }
    }
}
