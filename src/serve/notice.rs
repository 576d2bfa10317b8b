//! What browsers are told: that something has changed, and what is wrong.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::memo::Mark;
use crate::paths::Route;

/// The last state of things, for whoever asks, and for everybody when it changes.
pub(super) struct Notices {
    /// Tells this run of the server from any other.
    boot: String,
    /// The program, whose script may be another one next time.
    build: String,
    sender: watch::Sender<Arc<Notice>>,
    connections: AtomicU64,
}

/// The state of things.
#[derive(Clone, Debug, Default)]
pub(super) struct Notice {
    /// Grows with every change.
    pub number: u64,
    /// Changed files that are published as they are, each with the number of the change.
    pub assets: VecDeque<(u64, Route)>,
    /// Errors as a page has them, in JSON.
    pub problems: Arc<str>,
}

/// So many changed files are remembered.
const REMEMBERED: usize = 256;

impl Notices {
    pub(super) fn new(program: &str) -> Self {
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let boot = Mark::of(format!("{started:?} {}", std::process::id()).as_bytes());
        let first = Notice { problems: r#"{"css":"","html":""}"#.into(), ..Notice::default() };
        Self {
            boot: format!("{:08x}", boot.0 >> 32),
            build: format!("{:08x}", Mark::of(program.as_bytes()).0 >> 32),
            sender: watch::Sender::new(Arc::new(first)),
            connections: AtomicU64::new(0),
        }
    }

    pub(super) fn build(&self) -> &str {
        &self.build
    }

    /// The present change, as a browser can name it when it asks again.
    pub(super) fn id(&self) -> String {
        self.id_of(self.sender.borrow().number)
    }

    pub(super) fn id_of(&self, number: u64) -> String {
        format!("{}-{number}", self.boot)
    }

    /// The number in an id of this run.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let (boot, number) = id.split_once('-')?;
        (boot == self.boot).then(|| number.parse().ok()).flatten()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Notice>> {
        self.sender.subscribe()
    }

    /// A number for a new connection.
    pub(super) fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Tells everybody that the site has changed.
    pub(super) fn changed(&self, assets: &[Route]) {
        self.sender.send_modify(|notice| {
            let notice = Arc::make_mut(notice);
            notice.number += 1;
            notice.assets.extend(assets.iter().map(|route| (notice.number, route.clone())));
            let too_many = notice.assets.len().saturating_sub(REMEMBERED);
            notice.assets.drain(..too_many);
        });
    }

    /// Tells everybody what is wrong now.
    pub(super) fn problems(&self, json: Arc<str>) {
        self.sender.send_modify(|notice| {
            let notice = Arc::make_mut(notice);
            notice.number += 1;
            notice.problems = json;
        });
    }
}
