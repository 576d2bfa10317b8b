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

impl Claim {
    /// Takes the site's lock.
    ///
    /// # Errors
    /// When another process holds it, or the state folder cannot be written to.
    pub fn take(root: &Path) -> Result<Self, Diagnostic> {
        let state = root.join(STATE);
        let unwritable = |path: &Path, verb: &str, e: &std::io::Error| {
            failed(path, verb, e)
                .hint(format!("Folio keeps what it knows of earlier builds in {STATE}/ beside site.toml; make the site's folder writable"))
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
                return Err(Diagnostic::error(format!("another folio is building this site{by}")).hint("wait for it to end"));
            }
            // Where a file system has no locks it is better to build than to refuse.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let _ = lock.set_len(0);
        let _ = write!(lock, "{}", std::process::id());
        Ok(Self { state, _lock: lock })
    }

    /// Takes the site's lock, waiting for another process to end.
    ///
    /// # Errors
    /// As [`Claim::take`], once `patience` has run out.
    pub fn wait(root: &Path, patience: Duration) -> Result<Self, Diagnostic> {
        let start = Instant::now();
        loop {
            match Self::take(root) {
                Err(_) if is_held(root) && start.elapsed() < patience => std::thread::sleep(Duration::from_millis(50)),
                result => return result,
            }
        }
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
}

/// Whether another process holds the lock.
fn is_held(root: &Path) -> bool {
    let lock = OpenOptions::new().read(true).write(true).open(root.join(STATE).join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}
