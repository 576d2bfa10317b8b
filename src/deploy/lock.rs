//! The lock of a host: a small file that tells who is deploying, and since when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{HostError, retry};
use super::file_host::{FileHost, LockAttempt};
use super::manifest::LOCK;
use crate::diag::single_line;

/// After this many seconds without a sign of life, a deploy counts as dead.
const STALE_AFTER: i64 = 30 * 60;
/// How often a deploy gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// How often the thread that gives it looks whether the deploy has ended.
const TICK: Duration = Duration::from_millis(20);
/// The largest lock file that is read, in bytes.
const MAX_LOCK: u64 = 1 << 16;

/// Who is deploying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    user: String,
    /// The name of the machine.
    host: String,
    process: u32,
    /// When the deploy started, in seconds since the epoch.
    since: i64,
    /// The last sign of life, in seconds since the epoch.
    heard: i64,
}

/// The exclusive right to deploy to a host. A lock that is left behind is taken over by the next
/// deploy from the same machine, or by any deploy after half an hour.
pub struct DeployLock<'a> {
    host: &'a dyn FileHost,
    holder: Holder,
}

impl<'a> DeployLock<'a> {
    /// Acquires the lock, with a note when it was taken over.
    ///
    /// # Errors
    /// When somebody else is deploying, or the host cannot be reached.
    pub fn acquire(
        host: &'a dyn FileHost,
        force: bool,
    ) -> Result<(Self, Option<String>), HostError> {
        let now = Timestamp::now().as_second();
        let holder = Holder {
            user: user_name(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            process: std::process::id(),
            since: now,
            heard: now,
        };
        let bytes = to_bytes(&holder);
        let lock = Self { host, holder };
        let LockAttempt::Held(held) = retry(|| host.create_lock(LOCK, &bytes))? else {
            return Ok((lock, None));
        };
        if held == bytes {
            return Ok((lock, None));
        }
        let other: Option<Holder> = serde_json::from_slice(&held).ok();
        let who = other.as_ref().map_or("somebody".to_owned(), Holder::describe);
        if !force && other.is_some_and(|other| other.may_be_alive(&lock.holder)) {
            return Err(HostError::other(format!(
                "{who} is deploying; wait until that has finished, or take over with --force"
            )));
        }
        retry(|| host.write(LOCK, &bytes))?;
        Ok((lock, Some(format!("took over the lock of an interrupted deploy: {who}"))))
    }

    /// Runs `work` under the lock, giving signs of life, and releases the lock.
    pub fn hold<T>(self, work: impl FnOnce() -> T) -> T {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let end = SetOnDrop(&ended);
            scope.spawn(|| self.give_signs_of_life(&ended));
            let result = work();
            drop(end);
            self.release();
            result
        })
    }

    fn give_signs_of_life(&self, ended: &AtomicBool) {
        let mut last = Instant::now();
        while !ended.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
            if last.elapsed() >= HEARTBEAT {
                last = Instant::now();
                let holder = Holder { heard: Timestamp::now().as_second(), ..self.holder.clone() };
                if self.is_still_held() {
                    let _ = self.host.write(LOCK, &to_bytes(&holder));
                }
            }
        }
    }

    /// Whether nobody has taken the lock over.
    fn is_still_held(&self) -> bool {
        let bytes = self.host.read(LOCK, MAX_LOCK).ok().flatten();
        let holder = bytes.and_then(|bytes| serde_json::from_slice::<Holder>(&bytes).ok());
        holder.is_some_and(|h| {
            let own = &self.holder;
            (h.process, h.since, &h.host) == (own.process, own.since, &own.host)
        })
    }

    fn release(&self) {
        if self.is_still_held() {
            let _ = self.host.delete(LOCK);
        }
    }
}

/// Sets a flag when it is dropped, also by a panic.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Holder {
    fn describe(&self) -> String {
        const MAX_CHARS: usize = 60;
        let since = Timestamp::from_second(self.since)
            .map_or_else(|_| "an unknown time".to_owned(), |t| t.to_string());
        format!(
            "{} on {} (process {}), since {since},",
            single_line(&self.user, MAX_CHARS),
            single_line(&self.host, MAX_CHARS),
            self.process
        )
    }

    /// Whether the holder may still be deploying, as seen by another.
    fn may_be_alive(&self, other: &Self) -> bool {
        let is_same_machine = self.host == other.host;
        let is_gone =
            is_same_machine && (self.process == other.process || !is_running(self.process));
        !is_gone && other.since.saturating_sub(self.heard) < STALE_AFTER
    }
}

/// Whether a process of this machine is running; `true` when the system cannot tell.
#[cfg(unix)]
fn is_running(process: u32) -> bool {
    let Some(pid) = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
fn is_running(_: u32) -> bool {
    true
}

fn to_bytes(holder: &Holder) -> Vec<u8> {
    serde_json::to_vec(holder).unwrap_or_default()
}

fn user_name() -> String {
    ["USER", "USERNAME", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "somebody".to_owned())
}
