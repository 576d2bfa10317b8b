//! The lock on a site's state folder: only one process at a time builds a site.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::diag::Diagnostic;
use crate::write::{STATE_FOLDER, write_error};

/// The exclusive right to build a site. It ends when the value is dropped or the process ends.
#[derive(Debug)]
pub struct SiteLock {
    state_folder: PathBuf,
    _file: File,
}

/// Why the lock could not be acquired.
enum LockError {
    /// Another process holds it.
    Held(Diagnostic),
    /// The state folder cannot be written to.
    Unwritable(Diagnostic),
}

/// How long to sleep between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

impl SiteLock {
    /// Acquires the lock of the site in `root`.
    ///
    /// # Errors
    /// When another process holds the lock, or the state folder cannot be written to.
    pub fn acquire(root: &Path) -> Result<Self, Diagnostic> {
        Self::acquire_within(root, Duration::ZERO)
    }

    /// Acquires the lock, waiting up to `timeout` for another process to release it.
    ///
    /// # Errors
    /// When the lock is still held after `timeout`, or the state folder cannot be written to.
    pub fn acquire_within(root: &Path, timeout: Duration) -> Result<Self, Diagnostic> {
        let start = Instant::now();
        loop {
            match Self::try_acquire(root) {
                Ok(lock) => return Ok(lock),
                Err(LockError::Held(_)) if start.elapsed() < timeout => {
                    std::thread::sleep(RETRY_INTERVAL);
                }
                Err(LockError::Held(error) | LockError::Unwritable(error)) => return Err(error),
            }
        }
    }

    fn try_acquire(root: &Path) -> Result<Self, LockError> {
        let state_folder = root.join(STATE_FOLDER);
        fs::create_dir_all(&state_folder).map_err(|e| unwritable(&state_folder, "created", &e))?;
        let path = state_folder.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| unwritable(&path, "opened", &e))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(held(&mut file)),
            // On a file system without locks, building is better than refusing to.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let _ = file.set_len(0);
        let _ = write!(file, "{}", std::process::id());
        Ok(Self { state_folder, _file: file })
    }

    /// The folder of the site's state, `.folio/` below its root.
    #[must_use]
    pub fn state_folder(&self) -> &Path {
        &self.state_folder
    }
}

fn held(file: &mut File) -> LockError {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let by = match holder.trim() {
        "" => String::new(),
        process => format!(" (process {process})"),
    };
    LockError::Held(
        Diagnostic::error(format!("another folio process is building this site{by}"))
            .hint("wait until it has finished"),
    )
}

fn unwritable(path: &Path, verb: &str, error: &std::io::Error) -> LockError {
    LockError::Unwritable(write_error(path, verb, error).hint(format!(
        "Folio stores its cache and lock in {STATE_FOLDER}/ beside site.toml; make the site's \
         folder writable"
    )))
}
