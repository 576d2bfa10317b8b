//! Ends a command before it exhausts the memory of the machine.
//!
//! The templates of a site are programs: one that doubles a text in a loop needs gigabytes within a
//! second, and Tera has no limit. What has been rendered by then is in the staging folder only, so
//! that nothing is lost.

use std::time::Duration;

use folio::diag::Diagnostic;

use super::print_report;

/// The most memory that a command may need.
const LARGEST: u64 = 8 << 30;

/// How often the memory is measured.
const INTERVAL: Duration = Duration::from_millis(100);

/// Watches the memory of the process, on systems that tell it.
#[expect(clippy::disallowed_methods, reason = "main cannot return while a template runs")]
pub fn watch_memory() {
    let Some(free) = free_memory() else { return };
    let limit = LARGEST.min(free / 4 * 3);
    let watch = move || {
        while used_memory().is_some_and(|used| used <= limit) {
            std::thread::sleep(INTERVAL);
        }
        print_report(&too_much(limit).into());
        std::process::exit(1);
    };
    // Without a thread to watch it, the command runs all the same.
    let _ = std::thread::Builder::new().name("memory".to_owned()).spawn(watch);
}

fn too_much(limit: u64) -> Diagnostic {
    let message = format!("this needs more than {:.1} GiB of memory", gibibytes(limit));
    Diagnostic::error(message).hint(
        "look for a template that builds a long text or list, for example with `~` or `replace` \
         in a loop",
    )
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn gibibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// The memory that is available to new processes, in bytes (proc(5), `/proc/meminfo`).
fn free_memory() -> Option<u64> {
    kilobytes(&read("/proc/meminfo")?, "MemAvailable:")
}

/// The memory that this process uses, in bytes (proc(5), `/proc/self/status`).
fn used_memory() -> Option<u64> {
    kilobytes(&read("/proc/self/status")?, "VmRSS:")
}

#[expect(clippy::disallowed_methods, reason = "not a file of the site")]
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The value of a line such as `VmRSS:   1024 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}
