//! What browsers are notified of: changes of the site, and its problems.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::cache::Fingerprint;
use crate::paths::Route;

/// Broadcasts the current notice to every connection.
pub(super) struct Notices {
    /// Identifies this run of the server.
    run: String,
    /// Identifies the version of the program, and so of its scripts.
    program_version: String,
    sender: watch::Sender<Arc<Notice>>,
    connections: AtomicU64,
}

/// The current state.
#[derive(Clone, Debug, Default)]
pub(super) struct Notice {
    /// Increases with every change.
    pub number: u64,
    /// Changed files that are published unchanged, each with the number of the change.
    pub assets: VecDeque<(u64, Route)>,
    /// The errors of the site, as JSON for the overlay.
    pub problems: Arc<str>,
}

/// How many changed files are remembered.
const MAX_ASSETS: usize = 256;

impl Notices {
    pub(super) fn new(program: &str) -> Self {
        let started =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let run = Fingerprint::of(format!("{started:?} {}", std::process::id()).as_bytes());
        let first = Notice { problems: r#"{"css":"","html":""}"#.into(), ..Notice::default() };
        Self {
            run: format!("{:08x}", run.0 >> 32),
            program_version: format!("{:08x}", Fingerprint::of(program.as_bytes()).0 >> 32),
            sender: watch::Sender::new(Arc::new(first)),
            connections: AtomicU64::new(0),
        }
    }

    pub(super) fn program_version(&self) -> &str {
        &self.program_version
    }

    /// The id of the current change.
    pub(super) fn id(&self) -> String {
        self.id_of(self.sender.borrow().number)
    }

    /// The id of a change, which names the run of the server too.
    pub(super) fn id_of(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// The number of a change; `None` when its id is of another run.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        (run == self.run).then(|| number.parse().ok()).flatten()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Notice>> {
        self.sender.subscribe()
    }

    /// A number for a new connection.
    pub(super) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Notifies everybody that the site has changed.
    pub(super) fn site_changed(&self, assets: &[Route]) {
        self.sender.send_modify(|notice| {
            let notice = Arc::make_mut(notice);
            notice.number += 1;
            notice.assets.extend(assets.iter().map(|route| (notice.number, route.clone())));
            let too_many = notice.assets.len().saturating_sub(MAX_ASSETS);
            notice.assets.drain(..too_many);
        });
    }

    /// Notifies everybody of the current problems.
    pub(super) fn problems_changed(&self, json: Arc<str>) {
        self.sender.send_modify(|notice| {
            let notice = Arc::make_mut(notice);
            notice.number += 1;
            notice.problems = json;
        });
    }
}
