//! What can go wrong between here and a host, and what to do about it.

use std::fmt;
use std::time::Duration;

use crate::diag::Diagnostic;

/// Why a host did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
}

/// Kinds of failure, by what there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It may go well the next time: a lost connection, an overloaded server.
    Passing,
    /// The host does not know us, or does not let us.
    Denied,
    /// The host has no room.
    Full,
    /// There is no such host, bucket, folder.
    Missing,
    /// This is about the files here.
    Local,
    Other,
}

impl Failure {
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A failure of a file here.
    #[must_use]
    pub fn local(path: &str, e: &std::io::Error) -> Self {
        Self::new(FailureKind::Local, format!("`{path}` cannot be read: {}", crate::load::reason(e)))
    }

    /// The failure as an error of a deploy to this place; `hint` is for where there is no other.
    #[must_use]
    pub fn diagnose(&self, what: &str, place: &str, secrets: &str) -> Diagnostic {
        let d = Diagnostic::error(format!("{place}: {what}: {}", self.message));
        match self.kind {
            FailureKind::Denied => d.hint(secrets.to_owned()),
            FailureKind::Full => d.hint("free some room there and deploy again: it goes on from where it stopped"),
            FailureKind::Missing => d.hint("compare the names in [deploy] with those at the host"),
            FailureKind::Passing => d.hint("deploy again: it goes on from where it stopped"),
            FailureKind::Local | FailureKind::Other => d,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How often something is tried that may go well the next time, and how long is waited in between.
const WAITS: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(800), Duration::from_millis(3200)];

/// Does something, again after a while where it failed in passing.
///
/// # Errors
/// The last failure.
pub fn retry<T>(mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for wait in WAITS {
        match attempt() {
            Err(failure) if failure.kind == FailureKind::Passing => std::thread::sleep(wait),
            result => return result,
        }
    }
    attempt()
}
