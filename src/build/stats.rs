//! The figures of a build.

use std::time::{Duration, Instant};

use crate::plan::HiddenCounts;
use crate::write::Outcome;

/// The figures of a build.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// The number of articles.
    pub pages: usize,
    /// The number of articles that are not built.
    pub hidden: HiddenCounts,
    /// How many articles were parsed rather than taken from the cache.
    pub parsed: usize,
    /// How many files were rendered or copied.
    pub rendered: usize,
    /// How many files were kept from the last build.
    pub reused: usize,
    pub outcome: Outcome,
    pub load: Duration,
    pub parse: Duration,
    pub plan: Duration,
    pub render: Duration,
    pub write: Duration,
    pub total: Duration,
}

/// Measures consecutive stages.
pub(super) struct StopWatch {
    start: Instant,
    lap: Instant,
}

impl StopWatch {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self { start: now, lap: now }
    }

    /// The time since the last call of `lap`, or since the start.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.lap;
        self.lap = now;
        lap
    }

    /// The time since the start.
    pub(super) fn total(&self) -> Duration {
        self.start.elapsed()
    }
}
