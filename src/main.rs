//! The `folio` program: reads the command line, runs it, prints the report, and sets the exit code: 0 done,
//! 1 the site has errors, 2 bad usage.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use folio::check;
use folio::cli::{self, Build, Check, CheckFormat, Cli, Command, Deploy, Init, New, ReportFormat, Serve, StatsFormat};
use folio::deploy::{self, Stopped, Summary};
use folio::diag::{Diagnostic, Report, Severity, Style};
use folio::pipeline::live::{Change, Clock};
use folio::pipeline::{self, Progress};
use folio::{scaffold, serve};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    quiet_formulas();
    let command = Cli::parse().command;
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    let now = match cli::now(epoch.as_deref()) {
        Ok(now) => now,
        Err(message) => {
            print_report(&Report::of(Diagnostic::error(message)));
            return ExitCode::from(2);
        }
    };
    let then = match command {
        Command::Serve(_) => "",
        _ => "; nothing was changed",
    };
    let result = match command {
        Command::Build(build) => run_build(&build, now),
        Command::Serve(serve) => run_serve(&serve, if epoch.is_some() { Clock::Fixed(now) } else { Clock::System }),
        Command::Check(check) => return run_check(&check, now),
        Command::Deploy(deploy) => return run_deploy(&deploy, now),
        Command::New(new) => run_new(&new, now),
        Command::Init(init) => run_init(&init, now),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "folio", &mut std::io::stdout());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            print_report(&report);
            say(&format!("{}{then}", cli::errors(report.count(Severity::Error))));
            ExitCode::FAILURE
        }
    }
}

/// A formula that brings pulldown-latex down is told as a warning of its article; the panic itself is not news.
fn quiet_formulas() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|l| l.file().contains("pulldown-latex")) {
            usual(panic);
        }
    }));
}

fn run_build(build: &Build, now: Timestamp) -> Result<(), Report> {
    let bar = Bar::new(build.quiet);
    let built = pipeline::build(&build.options(now, cli::program()), &bar);
    bar.clear();
    let built = built?;
    if !build.quiet {
        print_report(&built.report);
    }
    if build.explain {
        for (out, reason) in &built.reasons {
            say(&format!("{out}: {reason}"));
        }
    }
    match build.stats {
        Some(StatsFormat::Json) => print(&cli::stats_json(&built.stats)),
        Some(StatsFormat::Text) => print(&cli::stats_text(&built.stats)),
        None => {}
    }
    if !build.quiet {
        let warnings = match built.report.count(Severity::Warning) {
            0 => String::new(),
            1 => "; 1 warning".to_owned(),
            n => format!("; {n} warnings"),
        };
        say(&format!("{}{warnings}", cli::summary(&built.stats)));
    }
    std::mem::forget(built.remains);
    Ok(())
}

/// Says whether the site may go out: by the report, and by the exit code.
fn run_check(check: &Check, now: Timestamp) -> ExitCode {
    let bar = Bar::new(false);
    let checked = check::run(&check.options(now, cli::program()), &bar);
    bar.clear();
    match check.format {
        CheckFormat::Json => print(&check::json(&checked)),
        CheckFormat::Text => {
            print_report(&checked.report);
            say(&check::summary(&checked));
        }
    }
    if checked.report.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run_serve(serve: &Serve, clock: Clock) -> Result<(), Report> {
    let bar = Bar::new(false);
    let options = serve.options(clock, cli::program(), std::env::var("FOLIO_EDITOR_URL").ok());
    let told: Arc<dyn serve::Told> = Arc::new(Terminal { bar: bar.0.clone(), open: serve.open });
    serve::run(&options, &bar, &told)
}

/// Says on the terminal what the server does.
struct Terminal {
    bar: ProgressBar,
    open: bool,
}

impl serve::Told for Terminal {
    fn serving(&self, urls: &[String], articles: usize, time: Duration) {
        self.bar.finish_and_clear();
        let articles = if articles == 1 { "1 article".to_owned() } else { format!("{articles} articles") };
        say(&format!("Serving {} ({articles}, ready in {:.0} ms); stop with Ctrl-C", urls.join(" and "), time.as_secs_f64() * 1000.0));
        if let Some(url) = urls.first().filter(|_| self.open)
            && let Err(e) = open::that_detached(url)
        {
            say(&format!("No browser could be opened: {e}"));
        }
    }

    fn changed(&self, change: &Change) {
        say(&cli::changed(change));
    }

    fn problems(&self, new: &Report, errors: usize, before: usize) {
        print_report(new);
        match errors {
            0 if before > 0 => say("No errors"),
            0 => {}
            n => say(&cli::errors(n)),
        }
    }

    fn trouble(&self, trouble: &Diagnostic) {
        print_report(&Report::of(trouble.clone()));
    }
}

fn run_deploy(args: &Deploy, now: Timestamp) -> ExitCode {
    let bar = Bar::new(args.quiet);
    let person = Person { bar: &bar, quiet: args.quiet };
    let result = deploy::run(&args.options(now, cli::program()), &person);
    bar.clear();
    let (report, code, then) = match result {
        Ok(summary) => {
            if summary.done == deploy::Done::Planned && !args.quiet {
                say(&summary.plan());
            }
            match args.report {
                Some(ReportFormat::Json) => print(&summary.json().to_string()),
                None => {}
            }
            if !args.quiet {
                say(&summary.line());
            }
            return ExitCode::SUCCESS;
        }
        Err(Stopped::Usage(report)) => (report, 2, "; nothing was changed"),
        Err(Stopped::Refused(report)) => (report, 1, "; nothing was changed at the host"),
        Err(Stopped::Halfway(report)) => (report, 1, "; the site there still hangs together: deploy again to go on"),
    };
    print_report(&report);
    say(&format!("{}{then}", cli::errors(report.count(Severity::Error))));
    ExitCode::from(code)
}

/// The person at the terminal, if there is one.
struct Person<'a> {
    bar: &'a Bar,
    quiet: bool,
}

impl Person<'_> {
    /// Asks a question; `None` where nobody is there.
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

impl Progress for Person<'_> {
    fn stage(&self, name: &'static str, steps: usize) {
        self.bar.stage(name, steps);
    }

    fn step(&self) {
        self.bar.step();
    }
}

impl deploy::Told for Person<'_> {
    fn plan(&self, summary: &Summary) {
        if !self.quiet {
            self.bar.0.suspend(|| say(&summary.plan()));
        }
    }

    fn built(&self, report: &Report) {
        if !self.quiet {
            self.bar.0.suspend(|| print_report(report));
        }
    }

    fn note(&self, text: &str) {
        self.bar.0.suspend(|| say(text));
    }

    fn ask(&self, question: &str) -> Option<bool> {
        self.answer(&format!("{question} [y/N]")).map(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    fn choose(&self, names: &[&str]) -> Option<String> {
        self.answer(&format!("Deploy to which of {}?", names.join(", ")))
    }
}

fn run_new(new: &New, now: Timestamp) -> Result<(), Report> {
    let path = scaffold::article(&new.root, &new.path, new.title.as_deref(), now).map_err(Report::of)?;
    say(&format!("Wrote {}", path.display()));
    Ok(())
}

fn run_init(init: &Init, now: Timestamp) -> Result<(), Report> {
    let files = scaffold::site(&init.dir, init.ci, now).map_err(Report::of)?;
    for file in files {
        say(&format!("Wrote {}", file.display()));
    }
    say(&format!("Build it with: folio build --root {}", init.dir.display()));
    Ok(())
}

/// A line on standard output. A reader that has gone away is no error.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line for a person, on standard error.
fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn print_report(report: &Report) {
    let style = if std::io::stderr().is_terminal() { Style::Coloured } else { Style::Plain };
    let _ = write!(anstream::stderr(), "{}", report.render(style));
}

/// A progress bar on a terminal, nothing elsewhere.
struct Bar(ProgressBar);

impl Bar {
    fn new(quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let style = ProgressStyle::with_template("{msg:<10} {bar:30} {pos}/{len}");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    fn clear(&self) {
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
