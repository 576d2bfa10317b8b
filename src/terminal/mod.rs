//! What `main` prints: lines, reports, a progress bar and the log.

mod bar;
#[cfg(feature = "deploy")]
mod deploy;
mod log;
mod memory;
mod output;
#[cfg(feature = "serve")]
mod serve;

pub use bar::Bar;
#[cfg(feature = "deploy")]
pub use deploy::run_deploy;
pub use log::start_logging;
pub use memory::watch_memory;
pub use output::{print_line, print_message, print_report, print_with};
#[cfg(feature = "serve")]
pub use serve::run_serve;
