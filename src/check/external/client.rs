//! Requests a URL to find out whether it works: HEAD first, GET when that is not conclusive, with
//! retries where they may help.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::config::checks::ExternalChecks;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;
/// The wait before the second attempt; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait, also when a host asks for a longer one.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Whether a URL works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    Works,
    /// It does not work, and will not soon. The reason continues a sentence that starts with the
    /// URL.
    Broken(String),
    /// It does not work at the moment.
    Unavailable(String),
}

impl Verdict {
    /// Why the URL does not work; `None` when it does.
    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Self::Works => None,
            Self::Broken(reason) | Self::Unavailable(reason) => Some(reason),
        }
    }

    /// Whether the verdict will still hold for a while.
    pub(super) fn is_lasting(&self) -> bool {
        !matches!(self, Self::Unavailable(_))
    }
}

/// A failed attempt after which another may succeed.
struct Transient {
    verdict: Verdict,
    /// How long the host asks to wait.
    retry_after: Option<Duration>,
}

/// Requests URLs.
pub(super) struct LinkClient {
    client: Client,
    accept: Vec<u16>,
    retries: usize,
}

impl LinkClient {
    /// # Errors
    /// When the system does not allow requests.
    pub(super) fn new(settings: &ExternalChecks) -> Result<Self, reqwest::Error> {
        let timeout = Duration::from_secs(settings.timeout.max(1));
        let client = crate::net::client()
            .user_agent(concat!(
                "Mozilla/5.0 (compatible; folio-check/",
                env!("CARGO_PKG_VERSION"),
                ")"
            ))
            .timeout(timeout)
            .redirect(Policy::custom(follow))
            .build()?;
        let retries = usize::try_from(settings.retries).unwrap_or(usize::MAX);
        Ok(Self { client, accept: settings.accept.clone(), retries })
    }

    /// Finds out whether a URL works.
    pub(super) async fn check(&self, url: &str) -> Verdict {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(MAX_WAIT)
            .with_max_times(self.retries);
        let attempts = (|| self.attempt(url)).retry(backoff).sleep(tokio::time::sleep).adjust(
            |failed: &Transient, wait| {
                wait.map(|wait| failed.retry_after.map_or(wait, |asked| asked.min(MAX_WAIT)))
            },
        );
        attempts.await.unwrap_or_else(|failed| failed.verdict)
    }

    /// Makes one attempt. Many hosts reject HEAD or respond wrongly, so only success and a request
    /// to slow down are conclusive.
    async fn attempt(&self, url: &str) -> Result<Verdict, Transient> {
        match self.client.request(Method::HEAD, url).send().await {
            Ok(response) if self.is_good(response.status()) => {
                return Ok(Verdict::Works);
            }
            Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => {
                return self.judge(&response);
            }
            // GET would fail in the same way.
            Err(e) if e.is_redirect() || e.is_connect() => return failed(&e),
            _ => {}
        }
        match self.client.request(Method::GET, url).send().await {
            Ok(response) => self.judge(&response),
            Err(e) => failed(&e),
        }
    }

    fn is_good(&self, status: StatusCode) -> bool {
        status.is_success() || self.accept.contains(&status.as_u16())
    }

    fn judge(&self, response: &Response) -> Result<Verdict, Transient> {
        let status = response.status();
        if self.is_good(status) {
            return Ok(Verdict::Works);
        }
        let reason = match status.canonical_reason() {
            Some(words) => format!("responds with {} {words}", status.as_u16()),
            None => format!("responds with {}", status.as_u16()),
        };
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let retry_after = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|v| v.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs);
            return Err(Transient { verdict: Verdict::Unavailable(reason), retry_after });
        }
        Ok(Verdict::Broken(reason))
    }
}

/// Follows a redirect, unless there were too many or the target is not a web page.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("too many redirects");
    }
    match attempt.url().scheme() {
        "http" | "https" => attempt.follow(),
        _ => attempt.error("a redirect to something other than a web page"),
    }
}

/// The verdict of a failed request, in words that are the same on every system.
fn failed(error: &reqwest::Error) -> Result<Verdict, Transient> {
    if error.is_redirect() {
        return Ok(Verdict::Broken(
            "redirects endlessly, or to something other than a web page".to_owned(),
        ));
    }
    if error.is_builder() {
        return Ok(Verdict::Broken("is not a valid URL".to_owned()));
    }
    let reason = match () {
        () if error.is_timeout() => "does not respond in time",
        () if error.is_connect() => "cannot be connected to",
        () => "closes the connection before it has responded",
    };
    Err(Transient { verdict: Verdict::Unavailable(reason.to_owned()), retry_after: None })
}
