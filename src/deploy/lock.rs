//! One deploy at a time: a small file on the host says who is at it, and since when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Force;
use super::failure::{Failure, FailureKind, retry};
use super::manifest::LOCK;
use super::remote::{Claimed, Remote};

/// After this long a deploy that has not been heard of is taken for dead, in seconds.
const STALE: i64 = 30 * 60;

/// Who is deploying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    user: String,
    host: String,
    process: u32,
    /// Seconds since the epoch; set anew while the deploy goes on.
    since: i64,
    heard: i64,
}

/// A claim on a host. It is given back by [`Lock::release`]; one that is left behind is taken over by the next deploy from
/// this machine, or by any after half an hour.
pub struct Lock<'a> {
    remote: &'a dyn Remote,
    holder: Holder,
}

impl<'a> Lock<'a> {
    /// Takes the lock, with a note where another's was taken over.
    ///
    /// # Errors
    /// When somebody else is deploying, or the host cannot be asked.
    pub fn take(remote: &'a dyn Remote, force: Force) -> Result<(Self, Option<String>), Failure> {
        let now = Timestamp::now().as_second();
        let holder = Holder { user: user(), host: host(), process: std::process::id(), since: now, heard: now };
        let bytes = serde_json::to_vec(&holder).unwrap_or_default();
        let lock = Self { remote, holder };
        let Claimed::Held(held) = retry(|| remote.claim(LOCK, &bytes))? else { return Ok((lock, None)) };
        if held == bytes {
            return Ok((lock, None));
        }
        let other: Option<Holder> = serde_json::from_slice(&held).ok();
        let who = other.as_ref().map_or("somebody".to_owned(), Holder::in_words);
        if force == Force::No && other.is_some_and(|other| other.is_alive(&lock.holder)) {
            let message = format!("{who} is deploying to it; wait for that to end, or take over with --force if it has died");
            return Err(Failure::new(FailureKind::Other, message));
        }
        retry(|| remote.write(LOCK, &bytes))?;
        Ok((lock, Some(format!("took over from a deploy that did not end: {who}"))))
    }

    /// Does something under the lock, says once a minute that it goes on, and gives the lock back.
    pub fn hold<T>(self, work: impl FnOnce() -> T) -> T {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let end = End(&ended);
            scope.spawn(|| self.keep_alive(&ended));
            let result = work();
            drop(end);
            self.release();
            result
        })
    }

    fn keep_alive(&self, ended: &AtomicBool) {
        let mut last = Instant::now();
        while !ended.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
            if last.elapsed() >= Duration::from_secs(60) {
                last = Instant::now();
                let holder = Holder { heard: Timestamp::now().as_second(), ..self.holder.clone() };
                if self.is_ours() {
                    let _ = self.remote.write(LOCK, &serde_json::to_vec(&holder).unwrap_or_default());
                }
            }
        }
    }

    /// Whether nobody has taken it over.
    fn is_ours(&self) -> bool {
        let there = self.remote.read(LOCK, 1 << 16).ok().flatten();
        let holder = there.and_then(|bytes| serde_json::from_slice::<Holder>(&bytes).ok());
        holder.is_some_and(|h| (h.process, h.since, &h.host) == (self.holder.process, self.holder.since, &self.holder.host))
    }

    fn release(&self) {
        if self.is_ours() {
            let _ = self.remote.delete(LOCK);
        }
    }
}

/// Says at its end, however that comes, that work has ended.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Holder {
    fn in_words(&self) -> String {
        let since = Timestamp::from_second(self.since).map_or_else(|_| "an unknown time".to_owned(), |t| t.to_string());
        format!("{} on {} (process {}), since {since},", printable(&self.user), printable(&self.host), self.process)
    }

    /// Whether it may still be at work, as seen by another.
    fn is_alive(&self, other: &Self) -> bool {
        let is_here = self.host == other.host && cfg!(target_os = "linux");
        let has_gone = is_here && (self.process == other.process || !is_running(self.process));
        !has_gone && other.since.saturating_sub(self.heard) < STALE
    }
}

/// The lock comes from outside: nothing in it may steer a terminal, or fill it.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[expect(clippy::disallowed_methods, reason = "a look at the system's list of processes")]
fn is_running(process: u32) -> bool {
    std::path::Path::new(&format!("/proc/{process}")).exists()
}

fn user() -> String {
    ["USER", "USERNAME", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "somebody".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the machine's name, where the system keeps it")]
fn host() -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let kept = || std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    named.or_else(kept).unwrap_or_else(|| "a machine".to_owned())
}
