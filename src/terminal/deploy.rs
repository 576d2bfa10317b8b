//! `folio deploy` on a terminal.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use folio::cli::{self, Deploy, ReportFormat};
use folio::deploy::{self, DeployError, Outcome, Summary};
use folio::diag::{LocatedReport, Severity};
use folio::session::Progress;
use jiff::Timestamp;

use super::bar::Bar;
use super::output::{print_line, print_message, print_report};

/// Deploys a site, and prints the outcome.
pub fn run_deploy(args: &Deploy, now: Timestamp) -> ExitCode {
    let bar = Bar::new(args.quiet);
    let reporter = TerminalReporter { bar: &bar, quiet: args.quiet };
    let result = deploy::run(&args.options(now, cli::program_version()), &reporter);
    bar.clear();
    let (report, code, consequence) = match result {
        Ok(summary) => {
            print_summary(args, &summary);
            return ExitCode::SUCCESS;
        }
        Err(DeployError::Usage(report)) => (report, 2, "nothing was changed"),
        Err(DeployError::Refused(report)) => (report, 1, "nothing was changed on the host"),
        Err(DeployError::Incomplete(report)) => (
            report,
            1,
            "the deploy is incomplete, the published site is still consistent; run `folio deploy` \
             again to resume",
        ),
    };
    print_report(&report);
    print_message(&format!("{}; {consequence}", cli::errors(report.count(Severity::Error))));
    ExitCode::from(code)
}

fn print_summary(args: &Deploy, summary: &Summary) {
    if summary.outcome == Outcome::Planned && !args.quiet {
        print_message(&summary.plan());
    }
    match args.report {
        Some(ReportFormat::Json) => print_line(&summary.json().to_string()),
        None => {}
    }
    if !args.quiet {
        print_message(&summary.line());
    }
}

/// Prints the progress of a deploy, and asks questions where somebody can answer.
struct TerminalReporter<'a> {
    bar: &'a Bar,
    quiet: bool,
}

impl TerminalReporter<'_> {
    /// Asks a question; `None` when the standard streams are not a terminal.
    fn answer(&self, question: &str) -> Option<String> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        self.bar.clear();
        let _ = write!(anstream::stderr(), "{question} ");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok()?;
        Some(line.trim().to_owned())
    }
}

impl Progress for TerminalReporter<'_> {
    fn stage(&self, name: &'static str, steps: usize) {
        self.bar.stage(name, steps);
    }

    fn step(&self) {
        self.bar.step();
    }
}

impl deploy::Reporter for TerminalReporter<'_> {
    fn plan(&self, summary: &Summary) {
        if !self.quiet {
            self.bar.0.suspend(|| print_message(&summary.plan()));
        }
    }

    fn built(&self, report: &LocatedReport) {
        if !self.quiet {
            self.bar.0.suspend(|| print_report(report));
        }
    }

    fn note(&self, text: &str) {
        self.bar.0.suspend(|| print_message(text));
    }

    fn ask(&self, question: &str) -> Option<bool> {
        self.answer(&format!("{question} [y/N]"))
            .map(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    fn choose(&self, names: &[&str]) -> Option<String> {
        self.answer(&format!("Deploy to which of {}?", names.join(", ")))
    }
}
