//! Threads that work through a list in any order, until one of them fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::error::HostError;
use crate::session::Progress;

/// A number of threads, and who hears about their progress.
pub struct WorkerPool<'a> {
    pub size: usize,
    pub progress: &'a dyn Progress,
}

impl WorkerPool<'_> {
    /// Calls `work` with each item. After a failure no more are started; those have no result.
    pub fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, HostError> + Sync,
    ) -> Vec<Option<Result<R, HostError>>> {
        let next = AtomicUsize::new(0);
        let stopped = AtomicBool::new(false);
        let results: Mutex<Vec<Option<Result<R, HostError>>>> =
            Mutex::new(items.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for _ in 0..self.size.min(items.len()) {
                scope.spawn(|| {
                    while !stopped.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(number) else { return };
                        let result = work(item);
                        if result.is_err() {
                            stopped.store(true, Ordering::Relaxed);
                        }
                        self.progress.step();
                        results.lock()[number] = Some(result);
                    }
                });
            }
        });
        results.into_inner()
    }
}
