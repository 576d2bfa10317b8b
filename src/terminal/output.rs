//! Lines and reports on the standard streams.

use std::io::{IsTerminal, Write};

use folio::diag::{ColorChoice, LocatedReport};

/// Prints a line on standard output. A closed pipe is not an error.
pub fn print_line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints what a function writes, and a line end, on standard output.
pub fn print_with(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let _ = write(&mut out).and_then(|()| writeln!(out)).and_then(|()| out.flush());
}

/// Prints a line for a person on standard error.
pub fn print_message(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints a report on standard error.
pub fn print_report(report: &LocatedReport) {
    let is_terminal = std::io::stderr().is_terminal();
    let color = if is_terminal { ColorChoice::Always } else { ColorChoice::Never };
    let _ = write!(anstream::stderr(), "{}", report.render(color));
}
