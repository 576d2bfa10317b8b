//! The lock on a site's state: one process at a time builds a site.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{STATE, failed};
use crate::diag::Diagnostic;

/// A claim on a site's state; it ends with the value, or with the process however that ends.
#[derive(Debug)]
pub struct Claim {
    state: PathBuf,
    _lock: File,
}

/// Why a claim was not given.
enum Refused {
    /// Another process holds it.
    Held(Diagnostic),
    Unwritable(Diagnostic),
}

impl Claim {
    /// Takes the site's lock.
    ///
    /// # Errors
    /// When another process holds it, or the state folder cannot be written to.
    pub fn take(root: &Path) -> Result<Self, Diagnostic> {
        Self::wait(root, Duration::ZERO)
    }

    /// Takes the site's lock, waiting for another process to end.
    ///
    /// # Errors
    /// As [`Claim::take`], once `patience` has run out.
    pub fn wait(root: &Path, patience: Duration) -> Result<Self, Diagnostic> {
        let start = Instant::now();
        loop {
            match Self::attempt(root) {
                Ok(claim) => return Ok(claim),
                Err(Refused::Held(_)) if start.elapsed() < patience => std::thread::sleep(Duration::from_millis(50)),
                Err(Refused::Held(refused) | Refused::Unwritable(refused)) => return Err(refused),
            }
        }
    }

    fn attempt(root: &Path) -> Result<Self, Refused> {
        let state = root.join(STATE);
        let unwritable = |path: &Path, verb: &str, e: &std::io::Error| {
            let hint = format!("Folio keeps what it knows of earlier builds in {STATE}/ beside site.toml; make the site's folder writable");
            Refused::Unwritable(failed(path, verb, e).hint(hint))
        };
        fs::create_dir_all(&state).map_err(|e| unwritable(&state, "made", &e))?;
        let path = state.join("lock");
        let mut lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(|e| unwritable(&path, "opened", &e))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                let by = if holder.trim().is_empty() { String::new() } else { format!(" (process {})", holder.trim()) };
                return Err(Refused::Held(Diagnostic::error(format!("another folio is building this site{by}")).hint("wait for it to end")));
            }
            // Where a file system has no locks it is better to build than to refuse.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let _ = lock.set_len(0);
        let _ = write!(lock, "{}", std::process::id());
        Ok(Self { state, _lock: lock })
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
}
