//! Asks a host whether an address works: HEAD, and GET where that says nothing; a few times where it may help.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::config::checks::ExternalChecks;

/// The most redirects that are followed.
const REDIRECTS: usize = 10;
/// The wait before the second attempt; each further one waits twice as long.
const WAIT: Duration = Duration::from_millis(500);
/// The longest that a host may ask to wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an address comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    Good,
    /// It does not work, and will not soon; in words that go on from the address.
    Gone(String),
    /// It does not work now.
    Down(String),
}

impl Verdict {
    /// What is wrong, if anything.
    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Self::Good => None,
            Self::Gone(reason) | Self::Down(reason) => Some(reason),
        }
    }

    pub(super) fn is_lasting(&self) -> bool {
        !matches!(self, Self::Down(_))
    }
}

/// Asks.
pub(super) struct Asker {
    client: Client,
    accept: Vec<u16>,
    attempts: u32,
}

/// What one attempt came to.
enum Reply {
    Settled(Verdict),
    /// Another attempt may come to something else, after a wait that the host may have named.
    Again(Verdict, Option<Duration>),
}

impl Asker {
    /// # Errors
    /// When the system gives no way to make requests.
    pub(super) fn new(settings: &ExternalChecks) -> Result<Self, reqwest::Error> {
        let timeout = Duration::from_secs(settings.timeout.max(1));
        let client = crate::net::client()
            .user_agent(concat!("Mozilla/5.0 (compatible; folio-check/", env!("CARGO_PKG_VERSION"), ")"))
            .timeout(timeout)
            .redirect(Policy::custom(follow))
            .build()?;
        let attempts = u32::try_from(settings.retries).unwrap_or(u32::MAX).saturating_add(1);
        Ok(Self { client, accept: settings.accept.clone(), attempts })
    }

    /// Finds out whether an address works.
    pub(super) async fn ask(&self, url: &str) -> Verdict {
        let mut wait = WAIT;
        let mut attempt = 1;
        loop {
            let (verdict, named) = match self.attempt(url).await {
                Reply::Settled(verdict) => return verdict,
                Reply::Again(verdict, named) => (verdict, named),
            };
            if attempt >= self.attempts {
                return verdict;
            }
            tokio::time::sleep(named.unwrap_or(wait).min(PATIENCE)).await;
            wait = wait.saturating_mul(2).min(PATIENCE);
            attempt += 1;
        }
    }

    /// Many hosts refuse HEAD, or answer it wrongly: only a good answer to it counts, and a plea to slow down.
    async fn attempt(&self, url: &str) -> Reply {
        match self.client.request(Method::HEAD, url).send().await {
            Ok(response) if self.is_good(response.status()) => return Reply::Settled(Verdict::Good),
            Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => return self.judge(&response),
            // Asking in another way leads round the same circle, or to the same closed door.
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

    fn judge(&self, response: &Response) -> Reply {
        let status = response.status();
        if self.is_good(status) {
            return Reply::Settled(Verdict::Good);
        }
        let reason = match status.canonical_reason() {
            Some(words) => format!("answers {} {words}", status.as_u16()),
            None => format!("answers {}", status.as_u16()),
        };
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let named = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
            return Reply::Again(Verdict::Down(reason), named);
        }
        Reply::Settled(Verdict::Gone(reason))
    }
}

/// Follows a redirect, unless there were too many or it leads to no page.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("too many redirects");
    }
    match attempt.url().scheme() {
        "http" | "https" => attempt.follow(),
        _ => attempt.error("a redirect to no web page"),
    }
}

/// The reason of a failure in words that are the same on every system.
fn failed(error: &reqwest::Error) -> Reply {
    if error.is_redirect() {
        return Reply::Settled(Verdict::Gone("redirects without end, or to no web page".to_owned()));
    }
    if error.is_builder() {
        return Reply::Settled(Verdict::Gone("is no address that can be asked for".to_owned()));
    }
    let reason = match () {
        () if error.is_timeout() => "does not answer in time",
        () if error.is_connect() => "cannot be connected to",
        () => "breaks off its answer",
    };
    Reply::Again(Verdict::Down(reason.to_owned()), None)
}
