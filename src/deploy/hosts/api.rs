//! The API of a hosting service over HTTPS: a token with each request, and responses that are read
//! up to a limit and validated.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LINK, RETRY_AFTER};
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;
use url::{Host, Url};

use crate::deploy::error::{HostError, retry};
use crate::deploy::files::{FileContent, LocalFile, hash};
use crate::deploy::headers::{Group, Headers};
use crate::deploy::manifest::{MANIFEST, Manifest, ManifestEntry};
use crate::diag::single_line;
use crate::net;
use crate::paths::OutPath;

/// The largest response about one thing, in bytes.
const MAX_RESPONSE: u64 = 1 << 20;
/// The largest response with a list, in bytes.
const MAX_LIST: u64 = 64 << 20;
/// The longest pause that a service can ask for: rate limits are counted per minute.
const MAX_PAUSE: Duration = Duration::from_secs(61);
/// How long a service may take to process a deploy.
const MAX_PROCESSING: Duration = Duration::from_secs(600);

/// An API, with the token of a user.
pub struct Api {
    client: reqwest::Client,
    runtime: Runtime,
    endpoint: String,
    token: String,
    /// The service asked for no requests before this time.
    not_before: Mutex<Option<Instant>>,
}

/// A request.
pub struct ApiRequest<'a> {
    pub method: Method,
    /// The encoded path below the endpoint.
    pub path: &'a str,
    pub body: Body<'a>,
    /// A token other than the API's.
    pub token: Option<&'a str>,
    /// The largest response, in bytes.
    pub limit: u64,
}

/// The body of a request. It is created for each attempt, so that nothing large is held twice.
pub enum Body<'a> {
    Empty,
    Json(&'a Value),
    Bytes(&'a dyn Fn() -> Result<Vec<u8>, HostError>),
    Form(&'a dyn Fn() -> Form),
    /// Empty, with this media type in `Accept`, which asks for a file instead of its metadata.
    Raw(&'static str),
}

/// A response.
pub struct ApiResponse {
    pub bytes: Vec<u8>,
    /// Whether a list has another page (RFC 8288 §3.3, `rel="next"`).
    pub has_next_page: bool,
}

impl<'a> ApiRequest<'a> {
    /// A request that changes nothing.
    #[must_use]
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: Body::Empty, token: None, limit: MAX_RESPONSE }
    }

    /// A request that does something.
    #[must_use]
    pub fn post(path: &'a str, body: Body<'a>) -> Self {
        Self { method: Method::POST, path, body, token: None, limit: MAX_RESPONSE }
    }

    /// Allows a response with a list.
    #[must_use]
    pub fn with_large_response(self) -> Self {
        Self { limit: MAX_LIST, ..self }
    }
}

impl Api {
    /// An API with the token in an environment variable, without contacting it.
    ///
    /// # Errors
    /// When there is no token, or the endpoint would receive it unencrypted.
    pub fn open(endpoint: &str, variable: &str) -> Result<Self, HostError> {
        let url = Url::parse(endpoint)
            .map_err(|e| HostError::other("`endpoint` is not a valid URL").with_source(e))?;
        let is_loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
            return Err(HostError::other(
                "`endpoint` must start with https://, since a token is sent with every request",
            ));
        }
        let token = std::env::var(variable).unwrap_or_default().trim().to_owned();
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            let what = if token.is_empty() { "is not set" } else { "is not a token" };
            return Err(HostError::access_denied(format!("{variable} {what}")));
        }
        Ok(Self {
            client: net::client()
                .build()
                .map_err(|e| HostError::other("cannot create an HTTP client").with_source(e))?,
            runtime: net::runtime()
                .map_err(|e| HostError::other("cannot start a runtime").with_source(e))?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token,
            not_before: Mutex::new(None),
        })
    }

    /// Whether the API is one that tests run on this machine, whose sites are served over http too.
    fn is_unencrypted(&self) -> bool {
        self.endpoint.starts_with("http://")
    }

    /// Sends a request, and again after a while if it fails temporarily.
    ///
    /// # Errors
    /// The last failure, with what the service says about it.
    pub fn call(&self, request: &ApiRequest<'_>) -> Result<ApiResponse, HostError> {
        retry(|| {
            self.wait_for_pause();
            let builder = self.request(request)?;
            let sent = self.runtime.block_on(send(builder, request.limit));
            let (status, headers, bytes) = sent.map_err(|e| self.describe(request, e))?;
            if status.is_success() {
                let next = headers
                    .get_all(LINK)
                    .iter()
                    .filter_map(|v| v.to_str().ok())
                    .any(|v| v.contains("rel=\"next\""));
                return Ok(ApiResponse { bytes, has_next_page: next });
            }
            if status == StatusCode::TOO_MANY_REQUESTS {
                self.pause(&headers);
            }
            let details = error_message(&bytes).map_or(String::new(), |text| format!(": {text}"));
            let message = format!("the service responded with {}{details}", status.as_u16());
            Err(self.describe(request, by_status(status)(message)))
        })
    }

    /// Sends a request, and reads the response as JSON.
    ///
    /// # Errors
    /// As [`Api::call`] and [`Api::read`].
    pub fn json<T: DeserializeOwned>(&self, request: &ApiRequest<'_>) -> Result<T, HostError> {
        let response = self.call(request)?;
        self.read(request, &response)
    }

    /// Reads a response as JSON.
    ///
    /// # Errors
    /// When it has another form.
    pub fn read<T: DeserializeOwned>(
        &self,
        request: &ApiRequest<'_>,
        response: &ApiResponse,
    ) -> Result<T, HostError> {
        serde_json::from_slice(&response.bytes).map_err(|e| {
            self.describe(request, HostError::other("cannot read the response").with_source(e))
        })
    }

    /// A file of the published site, requested without the token as any reader does. `None` when it
    /// does not exist, the site's URL is invalid, or the site does not respond.
    pub fn published(&self, site_url: &str, path: &str, limit: u64) -> Option<Vec<u8>> {
        let url = Url::parse(&format!("{}/{path}", site_url.trim_end_matches('/'))).ok()?;
        let is_site = url.scheme() == "https" || (url.scheme() == "http" && self.is_unencrypted());
        if !is_site || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let request = || {
            self.client
                .get(url.clone())
                .header("cache-control", "no-cache")
                .timeout(Duration::from_secs(60))
        };
        let response = retry(|| match self.runtime.block_on(send(request(), limit))? {
            (status, ..) if is_transient(status) => Err(HostError::transient("")),
            response => Ok(response),
        });
        response.ok().filter(|(status, ..)| *status == StatusCode::OK).map(|(_, _, bytes)| bytes)
    }

    fn request(&self, request: &ApiRequest<'_>) -> Result<RequestBuilder, HostError> {
        let url = format!("{}/{}", self.endpoint, request.path);
        let builder = self.client.request(request.method.clone(), url);
        let builder = builder.bearer_auth(request.token.unwrap_or(&self.token));
        Ok(match &request.body {
            Body::Empty => builder.timeout(Duration::from_secs(60)),
            Body::Raw(kind) => builder
                .header(CONTENT_TYPE, *kind)
                .header("accept", *kind)
                .timeout(Duration::from_secs(60)),
            Body::Json(value) => builder
                .header(CONTENT_TYPE, "application/json")
                .body(value.to_string())
                .timeout(Duration::from_secs(300)),
            Body::Bytes(make) => builder
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(make()?)
                .timeout(Duration::from_secs(600)),
            Body::Form(make) => builder.multipart(make()).timeout(Duration::from_secs(300)),
        })
    }

    /// Waits while the service wants no requests.
    fn wait_for_pause(&self) {
        let until = *self.not_before.lock();
        if let Some(rest) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            std::thread::sleep(rest);
        }
    }

    /// Records for all threads how long the service wants no requests: `Retry-After` in seconds
    /// (RFC 9110 §10.2.3), or the time of `X-RateLimit-Reset` (Netlify's documentation, "Rate
    /// limiting").
    fn pause(&self, headers: &HeaderMap) {
        let number = |name: &str| {
            headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.trim().parse::<u64>().ok())
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let seconds = number(RETRY_AFTER.as_str())
            .or_else(|| number("x-ratelimit-reset").map(|at| at.saturating_sub(now)));
        if let Some(seconds) = seconds {
            let until = Instant::now() + Duration::from_secs(seconds).min(MAX_PAUSE);
            *self.not_before.lock() = Some(until);
        }
    }

    /// Adds the request to an error, and removes tokens from its message.
    fn describe(&self, request: &ApiRequest<'_>, error: HostError) -> HostError {
        error.map_message(|message| {
            let mut message = format!("{} {}: {message}", request.method, request.path);
            for secret in [Some(self.token.as_str()), request.token].into_iter().flatten() {
                message = message.replace(secret, "…");
            }
            message
        })
    }
}

/// Sends a request, and reads the response up to a number of bytes.
async fn send(
    request: RequestBuilder,
    limit: u64,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), HostError> {
    let lost = |e: reqwest::Error| {
        let make = if e.is_builder() { HostError::other } else { HostError::transient };
        make("the request failed".to_owned()).with_source(e.without_url())
    };
    let mut response: Response = request.send().await.map_err(lost)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(lost)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > limit {
            return Err(HostError::other(format!("the response is larger than {limit} bytes")));
        }
    }
    Ok((status, headers, bytes))
}

/// The kind of error that a status means.
fn by_status(status: StatusCode) -> fn(String) -> HostError {
    match status.as_u16() {
        401 | 403 => HostError::access_denied,
        404 => HostError::not_found,
        _ if is_transient(status) => HostError::transient,
        _ => HostError::other,
    }
}

fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500..=599)
}

/// The longest message of a service that is shown, in characters.
pub const MAX_MESSAGE: usize = 300;

/// The message in a response about an error: Netlify's `message`, or Cloudflare's `errors`.
fn error_message(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let messages: Vec<&str> = match value.get("errors") {
        Some(Value::Array(errors)) => {
            errors.iter().filter_map(|e| e.get("message")?.as_str()).take(3).collect()
        }
        _ => value.get("message").and_then(Value::as_str).into_iter().collect(),
    };
    let text = single_line(&messages.join("; "), MAX_MESSAGE);
    (!text.is_empty()).then_some(text)
}

/// An identifier of a service, which becomes part of a URL.
///
/// # Errors
/// When it has other characters than letters, digits, `-` and `_`.
pub fn checked_id(text: Option<&str>) -> Result<&str, HostError> {
    match text {
        Some(text)
            if !text.is_empty()
                && text.len() <= 100
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) =>
        {
            Ok(text)
        }
        _ => Err(HostError::other("the response has no valid id of a deploy")),
    }
}

/// Calls `poll` until it returns something, for at most ten minutes.
///
/// # Errors
/// As `poll`, and when it takes longer.
pub fn poll_until<T>(
    mut poll: impl FnMut() -> Result<Option<T>, HostError>,
) -> Result<T, HostError> {
    let start = Instant::now();
    let mut wait = Duration::from_millis(200);
    while start.elapsed() < MAX_PROCESSING {
        if let Some(result) = poll()? {
            return Ok(result);
        }
        std::thread::sleep(wait);
        wait = (wait * 3 / 2).min(Duration::from_secs(5));
    }
    Err(HostError::other(
        "the service has not finished the deploy after ten minutes; look at its dashboard",
    ))
}

/// The manifest as a file of the site, as which these services store it.
///
/// # Errors
/// When its name is not a valid path.
pub fn manifest_file(manifest: &Manifest) -> Result<LocalFile, HostError> {
    let path = OutPath::new(MANIFEST).map_err(|e| HostError::local(e.to_string()))?;
    let bytes = manifest.bytes();
    let entry = ManifestEntry { hash: hash(&bytes), size: bytes.len() as u64, headers: None };
    let headers =
        Headers { content_type: "application/json".to_owned(), cache_control: String::new() };
    Ok(LocalFile {
        path,
        content: FileContent::Memory(bytes.into()),
        entry,
        headers,
        group: Group::Assets,
    })
}

/// Reads a manifest. With `force`, an invalid one counts as missing.
///
/// # Errors
/// When it is invalid.
pub fn read_manifest(bytes: &[u8], force: bool) -> Result<Option<Manifest>, HostError> {
    match Manifest::read(bytes) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(_) if force => Ok(None),
        Err(e) => Err(HostError::other(format!(
            "the remote {MANIFEST} is invalid: {}; deploy over it with --force",
            single_line(&e, MAX_MESSAGE)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_messages_are_read_and_made_safe_to_print() {
        assert_eq!(
            error_message(br#"{"code":1,"message":"a\u001b[2Jb"}"#).as_deref(),
            Some("a[2Jb")
        );
        assert_eq!(
            error_message(br#"{"errors":[{"message":"one"},{"message":"two"},7]}"#).as_deref(),
            Some("one; two")
        );
        for odd in [
            &b"[]"[..],
            b"{\"errors\":{}}",
            b"{\"message\":[]}",
            b"<html>",
            b"",
            b"{\"errors\":[[]]}",
        ] {
            assert_eq!(error_message(odd), None);
        }
    }

    #[test]
    fn identifiers_cannot_change_a_url() {
        assert!(checked_id(Some("5f0-aB_9")).is_ok());
        for odd in [None, Some(""), Some("../x"), Some("a/b"), Some("a?b"), Some("ä")] {
            assert!(checked_id(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn tokens_are_never_sent_unencrypted() {
        for endpoint in
            ["http://api.example", "ftp://127.0.0.1", "nonsense", "http://127.0.0.1.example"]
        {
            let Err(error) = Api::open(endpoint, "PATH") else { panic!("{endpoint} was accepted") };
            assert!(error.to_string().contains("endpoint"), "{error}");
        }
    }
}
