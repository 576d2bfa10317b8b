//! The thread that keeps the live site up to date and reports what has changed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::options::Reporter;
use super::problems::Problems;
use super::shared::{Message, Shared};
use super::watch::{self, Watcher};
use crate::live::{LiveSite, ScanScope};

pub(super) struct Keeper {
    live: LiveSite,
    shared: Arc<Shared>,
    reporter: Arc<dyn Reporter>,
    problems: Problems,
    /// Without a watcher, the site is polled.
    watcher: Option<Watcher>,
    save_state: SaveState,
}

/// Whether parsed articles are saved for builds and for the next start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SaveState {
    /// All of them, or all but so few that they can be saved at the end.
    Saved,
    Pending,
}

/// How often the site is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// After an edit of more files than this, parsed articles are saved at once.
const SAVE_ABOVE: usize = 256;

impl Keeper {
    pub(super) fn new(
        live: LiveSite,
        shared: Arc<Shared>,
        reporter: Arc<dyn Reporter>,
        problems: Problems,
        watcher: Option<Watcher>,
    ) -> Self {
        Self { live, shared, reporter, problems, watcher, save_state: SaveState::Pending }
    }

    /// Handles messages until one asks to stop.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        self.check();
        loop {
            self.save_if_pending();
            match messages.recv_timeout(self.timeout()) {
                Ok(Message::Rescan(scope)) => {
                    match watch::collect_scopes(scope, messages, self.live.root()) {
                        Some(scope) => self.handle_events(&scope),
                        None => break,
                    }
                }
                Ok(Message::PageFailed) => self.report_problems(),
                Err(RecvTimeoutError::Timeout) if self.live.has_deferred_work() => {
                    self.live.do_deferred_work();
                }
                Err(RecvTimeoutError::Timeout) => self.rescan(&ScanScope::Everything),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // If a build holds the lock, it saves what it parses itself.
        let _ = self.live.save();
    }

    fn save_if_pending(&mut self) {
        if self.save_state == SaveState::Pending
            && !self.live.has_deferred_work()
            && self.live.save().is_ok()
        {
            self.save_state = SaveState::Saved;
        }
    }

    /// How long to wait for a message before rescanning anyway.
    fn timeout(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        const SHORTEST: Duration = Duration::from_millis(10);
        if self.live.has_deferred_work() {
            return Duration::ZERO;
        }
        let next = self.live.next_visibility_change();
        let until_next = next.map_or(LONGEST, |next| {
            next.duration_since(jiff::Timestamp::now()).try_into().unwrap_or(Duration::ZERO)
        });
        let has_all_events = self.watcher.is_some() && !self.live.has_symlinks();
        until_next.clamp(SHORTEST, if has_all_events { LONGEST } else { POLL_INTERVAL })
    }

    /// Rescans what file-system events name.
    fn handle_events(&mut self, scope: &ScanScope) {
        // New folders are watched before they are scanned, so that no change in between is missed.
        // Before a complete scan all folders are watched anew: they may have been replaced.
        if *scope == ScanScope::Everything
            && let Some(watcher) = &mut self.watcher
        {
            watcher.reset();
        }
        self.watch_new_folders();
        let unlisted = self.live.unlisted_file();
        self.rescan(scope);
        if self.live.unlisted_file() != unlisted {
            self.watch_new_folders();
            self.rescan(&ScanScope::Everything);
        }
    }

    fn rescan(&mut self, scope: &ScanScope) {
        let before = self.shared.preview.generation();
        let change = self.live.rescan(scope);
        // The site may have changed without an edit, when an article became visible.
        if self.shared.preview.generation() != before || !change.assets.is_empty() {
            self.shared.notices.site_changed(&change.assets);
        }
        if !change.files.is_empty() {
            self.reporter.changed(&change);
        }
        self.check();
        if change.files.len() > SAVE_ABOVE {
            self.save_state = SaveState::Pending;
        }
    }

    fn watch_new_folders(&mut self) {
        let unlisted = self.live.unlisted_file();
        if let Some(watcher) = &mut self.watcher
            && let Err(warning) = watcher.watch_new_folders(unlisted.as_ref())
        {
            self.reporter.warning(&warning);
            self.watcher = None;
        }
    }

    fn check(&mut self) {
        self.live.check();
        self.report_problems();
    }

    fn report_problems(&mut self) {
        let Some(report) = self.live.new_report() else { return };
        if let Some(update) = self.problems.update(report, self.live.root()) {
            self.shared.notices.problems_changed(update.json);
            self.reporter.problems(&update.new, update.errors, update.before);
        }
    }
}
