//! Threads that work at a list, in no order, until one of them fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::failure::Failure;
use crate::pipeline::Progress;

/// How many work, and who hears of it.
pub struct Crew<'a> {
    pub size: usize,
    pub progress: &'a dyn Progress,
}

impl Crew<'_> {
    /// Does something with each item. After a failure no more are begun; those have no result.
    pub fn each<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> Result<R, Failure> + Sync) -> Vec<Option<Result<R, Failure>>> {
        let next = AtomicUsize::new(0);
        let stopped = AtomicBool::new(false);
        let results: Mutex<Vec<Option<Result<R, Failure>>>> = Mutex::new(items.iter().map(|_| None).collect());
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
                        results.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(result);
                    }
                });
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
