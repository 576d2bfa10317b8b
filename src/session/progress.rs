//! How a session reports how far it has come.

/// Receives the progress of long work.
pub trait Progress: Sync {
    /// A stage with this many steps begins.
    fn stage(&self, name: &'static str, steps: usize);
    /// A step of the stage is done.
    fn step(&self);
}

/// Progress that nobody watches.
pub struct NoProgress;

impl Progress for NoProgress {
    fn stage(&self, _: &'static str, _: usize) {}
    fn step(&self) {}
}
