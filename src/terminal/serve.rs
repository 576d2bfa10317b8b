//! `folio serve` on a terminal.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use folio::cli::{self, Serve};
use folio::diag::{Diagnostic, LocatedReport, Severity};
use folio::live::{Change, Clock};
use folio::serve;
use indicatif::ProgressBar;
use jiff::Timestamp;

use super::bar::Bar;
use super::output::{print_message, print_report};

/// Serves a site until the process is asked to stop. With `is_fixed`, `now` stays the same.
pub fn run_serve(args: &Serve, now: Timestamp, is_fixed: bool) -> ExitCode {
    let clock = if is_fixed { Clock::Fixed(now) } else { Clock::System };
    let bar = Bar::new(false);
    let editor_url = std::env::var("FOLIO_EDITOR_URL").ok();
    let options = args.options(clock, cli::program_version(), editor_url);
    let reporter: Arc<dyn serve::Reporter> =
        Arc::new(TerminalReporter { bar: bar.0.clone(), open: args.open });
    match serve::run(&options, &bar, &reporter) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            let report = LocatedReport::from(report);
            print_report(&report);
            print_message(&cli::errors(report.count(Severity::Error)));
            ExitCode::FAILURE
        }
    }
}

/// Prints what the server does.
struct TerminalReporter {
    bar: ProgressBar,
    /// Whether to open a browser.
    open: bool,
}

impl serve::Reporter for TerminalReporter {
    fn serving(&self, urls: &[String], articles: usize, time: Duration) {
        self.bar.finish_and_clear();
        let articles =
            if articles == 1 { "1 article".to_owned() } else { format!("{articles} articles") };
        print_message(&format!(
            "Serving {} ({articles}, ready in {:.0} ms); stop with Ctrl-C",
            urls.join(" and "),
            time.as_secs_f64() * 1000.0
        ));
        if let Some(url) = urls.first().filter(|_| self.open)
            && let Err(e) = open::that_detached(url)
        {
            print_message(&format!("cannot open a browser: {e}"));
        }
    }

    fn changed(&self, change: &Change) {
        print_message(&cli::changed(change));
    }

    fn problems(&self, new: &LocatedReport, errors: usize, before: usize) {
        print_report(new);
        match errors {
            0 if before > 0 => print_message("No errors"),
            0 => {}
            n => print_message(&cli::errors(n)),
        }
    }

    fn warning(&self, warning: &Diagnostic) {
        print_report(&warning.clone().into());
    }
}
