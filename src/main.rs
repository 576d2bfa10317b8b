//! The `folio` program: reads the command line, runs the command, prints the report, and sets the
//! exit code: 0 done, 1 the site has errors, 2 wrong usage.

mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use folio::build::build;
use folio::check;
use folio::cli::{self, Build, Check, CheckFormat, Cli, Command, Init, New, StatsFormat, Theme};
use folio::diag::{Diagnostic, LocatedReport, Severity};
use folio::scaffold;
use jiff::Timestamp;
use terminal::{Bar, print_line, print_message, print_report, print_with, watch_memory};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    silence_formula_panics();
    let cli = Cli::parse();
    terminal::start_logging(cli.verbose, std::env::var("FOLIO_LOG").ok().as_deref());
    watch_memory();
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    let now = match cli::now(epoch.as_deref()) {
        Ok(now) => now,
        Err(message) => {
            print_report(&Diagnostic::error(message).into());
            return ExitCode::from(2);
        }
    };
    let result = match cli.command {
        Command::Build(args) => run_build(&args, now),
        #[cfg(feature = "serve")]
        Command::Serve(args) => return terminal::run_serve(&args, now, epoch.is_some()),
        Command::Check(args) => return run_check(&args, now),
        #[cfg(feature = "deploy")]
        Command::Deploy(args) => return terminal::run_deploy(&args, now),
        Command::New(args) => run_new(&args, now),
        Command::Init(args) => run_init(&args, now),
        Command::Theme(args) => run_theme(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "folio", &mut std::io::stdout());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            print_report(&report);
            let errors = cli::errors(report.count(Severity::Error));
            print_message(&format!("{errors}; nothing was changed"));
            ExitCode::FAILURE
        }
    }
}

/// Hides the messages of panics in pulldown-latex, which are reported as warnings about the
/// article.
fn silence_formula_panics() {
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|l| l.file().contains("pulldown-latex")) {
            default_hook(panic);
        }
    }));
}

fn run_build(args: &Build, now: Timestamp) -> Result<(), LocatedReport> {
    let bar = Bar::new(args.quiet);
    let result = build(&args.options(now, cli::program_version()), &bar);
    bar.clear();
    let outcome = result?;
    if !args.quiet {
        print_report(&outcome.report);
    }
    for (out, reason) in &outcome.reasons {
        print_message(&format!("{out}: {reason}"));
    }
    match args.stats {
        Some(StatsFormat::Json) => print_line(&cli::stats_json(&outcome.stats)),
        Some(StatsFormat::Text) => print_line(&cli::stats_text(&outcome.stats)),
        None => {}
    }
    if !args.quiet {
        let warnings = match outcome.report.count(Severity::Warning) {
            0 => String::new(),
            1 => "; 1 warning".to_owned(),
            n => format!("; {n} warnings"),
        };
        print_message(&format!("{}{warnings}", cli::summary(&outcome.stats)));
    }
    // The process is about to end, which frees the memory faster.
    std::mem::forget(outcome.memory);
    Ok(())
}

fn run_check(args: &Check, now: Timestamp) -> ExitCode {
    let bar = Bar::new(false);
    let outcome = check::run(&args.options(now, cli::program_version()), &bar);
    bar.clear();
    match args.format {
        CheckFormat::Json => print_with(|out| check::write_json(&outcome, out)),
        CheckFormat::Text => {
            print_report(&outcome.report);
            print_message(&check::summary(&outcome));
        }
    }
    if outcome.report.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run_new(args: &New, now: Timestamp) -> Result<(), LocatedReport> {
    let path = scaffold::article(
        &folio::load::find_root(&args.root),
        &args.path,
        args.title.as_deref(),
        now,
    )?;
    print_message(&format!("Wrote {}", path.display()));
    Ok(())
}

fn run_theme(args: &Theme) -> Result<(), LocatedReport> {
    match args {
        Theme::List { root } => {
            for file in scaffold::theme_files(&folio::load::find_root(root))? {
                let note = if file.is_overridden { "  (the site has its own)" } else { "" };
                print_line(&format!("{}{note}", file.path));
            }
        }
        Theme::Copy { files, root } => {
            for path in scaffold::copy_theme_files(&folio::load::find_root(root), files)? {
                print_message(&format!("Wrote {}", path.display()));
            }
        }
    }
    Ok(())
}

fn run_init(args: &Init, now: Timestamp) -> Result<(), LocatedReport> {
    for file in scaffold::site(&args.dir, args.ci, now)? {
        print_message(&format!("Wrote {}", file.display()));
    }
    print_message(&format!("Build it with: folio build --root {}", args.dir.display()));
    Ok(())
}
