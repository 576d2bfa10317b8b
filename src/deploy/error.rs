//! The errors of a deploy.
//!
//! [`HostError`] is why a host did not do what it was asked; its variants tell what can be done
//! about it. [`HostError::diagnose`] is the only place that turns one into a diagnostic.

use std::error::Error;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use thiserror::Error;

use crate::diag::{Diagnostic, LocatedReport, single_line_without_middle};

/// The error that caused another.
pub type Source = Box<dyn Error + Send + Sync>;

/// Why a host did not do what it was asked.
#[derive(Debug, Error)]
pub enum HostError {
    /// It may succeed when it is tried again: a lost connection, an overloaded server.
    #[error("{message}")]
    Transient { message: String, source: Option<Source> },
    /// The credentials are missing, wrong or not sufficient.
    #[error("{message}")]
    AccessDenied { message: String, source: Option<Source> },
    /// The host has no space left.
    #[error("{message}")]
    OutOfSpace { message: String, source: Option<Source> },
    /// There is no such host, bucket, folder or file.
    #[error("{message}")]
    NotFound { message: String, source: Option<Source> },
    /// A local file cannot be read or published.
    #[error("{message}")]
    Local { message: String, source: Option<Source> },
    /// A program that the deploy runs has failed.
    #[error("{program} failed with exit code {code}: {stderr}")]
    Program { program: String, code: i32, stderr: String, is_transient: bool },
    #[error("{message}")]
    Other { message: String, source: Option<Source> },
}

/// Constructors for the variants with a message.
macro_rules! constructors {
    ($($name:ident => $variant:ident;)*) => {
        $(
            #[must_use]
            pub fn $name(message: impl Into<String>) -> Self {
                Self::$variant { message: message.into(), source: None }
            }
        )*
    };
}

impl HostError {
    constructors! {
        transient => Transient;
        access_denied => AccessDenied;
        out_of_space => OutOfSpace;
        not_found => NotFound;
        local => Local;
        other => Other;
    }

    /// A local file that cannot be read.
    #[must_use]
    pub fn local_file(path: &str, error: &std::io::Error) -> Self {
        Self::local(format!("`{path}` cannot be read: {}", crate::load::reason(error)))
    }

    /// Sets the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, error: impl Into<Source>) -> Self {
        match &mut self {
            Self::Transient { source, .. }
            | Self::AccessDenied { source, .. }
            | Self::OutOfSpace { source, .. }
            | Self::NotFound { source, .. }
            | Self::Local { source, .. }
            | Self::Other { source, .. } => *source = Some(error.into()),
            Self::Program { .. } => {}
        }
        self
    }

    /// Replaces the message by what `f` makes of it.
    #[must_use]
    pub fn map_message(mut self, f: impl FnOnce(&str) -> String) -> Self {
        match &mut self {
            Self::Transient { message, .. }
            | Self::AccessDenied { message, .. }
            | Self::OutOfSpace { message, .. }
            | Self::NotFound { message, .. }
            | Self::Local { message, .. }
            | Self::Other { message, .. }
            | Self::Program { stderr: message, .. } => *message = f(message),
        }
        self
    }

    /// Whether another attempt may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::Program { is_transient: true, .. })
    }

    /// The diagnostic of a deploy to `place` in which `what` failed. `credentials` is the help
    /// about access to this kind of host.
    #[must_use]
    pub fn diagnose(&self, what: &str, place: &str, credentials: &str) -> Diagnostic {
        let d = Diagnostic::error(format!("{place}: {what}: {}", error_chain(self)));
        match self {
            Self::AccessDenied { .. } | Self::Program { .. } => d.hint(credentials),
            Self::OutOfSpace { .. } => {
                d.hint("free some space there and run `folio deploy` again to resume")
            }
            Self::NotFound { .. } => d.hint("compare the names in [deploy] with those on the host"),
            Self::Transient { .. } => d.hint("run `folio deploy` again to resume"),
            Self::Local { .. } | Self::Other { .. } => d,
        }
    }
}

/// Why a deploy was not done, or not completed.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The arguments do not say what to deploy where.
    #[error("invalid arguments")]
    Usage(LocatedReport),
    /// Nothing was changed on the host.
    #[error("the deploy was not started")]
    Refused(LocatedReport),
    /// Some of it was done; the published site is consistent.
    #[error("the deploy is incomplete")]
    Incomplete(LocatedReport),
}

/// An error with the errors that caused it, each said once, on one line that is safe to print.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    const MAX_CHARS: usize = 600;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let message = inner.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        source = inner.source();
    }
    single_line_without_middle(&text, MAX_CHARS)
}

/// How often a transient failure is tried again, and the waits in between.
const RETRIES: usize = 3;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const WAIT_FACTOR: f32 = 4.0;

/// Runs `attempt`, and again after a wait while it fails with a transient error.
///
/// # Errors
/// The last error.
pub fn retry<T>(attempt: impl FnMut() -> Result<T, HostError>) -> Result<T, HostError> {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_factor(WAIT_FACTOR)
        .with_max_times(RETRIES);
    attempt
        .retry(backoff)
        .sleep(std::thread::sleep)
        .when(HostError::is_transient)
        .notify(|error, wait| tracing::debug!(%error, ?wait, "trying again"))
        .call()
}
