//! The progress bar.

use std::io::IsTerminal;

use folio::session::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar on a terminal, and nothing elsewhere.
pub struct Bar(pub ProgressBar);

impl Bar {
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(0)
        };
        let style = ProgressStyle::with_template("{msg:<10} {bar:30} {pos}/{len}");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&self, name: &'static str, steps: usize) {
        self.0.set_message(name);
        self.0.set_length(steps as u64);
        self.0.set_position(0);
    }

    fn step(&self) {
        self.0.inc(1);
    }
}
