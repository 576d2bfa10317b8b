//! The command line: clap's arguments, the options they mean, and the texts that are printed.
//!
//! This module must not print: `main` does.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::Timestamp;

use crate::build::{BuildOptions, Stats};
use crate::check::CheckOptions;
use crate::config::Overrides;
#[cfg(feature = "deploy")]
use crate::deploy::{Action, DeployOptions};
#[cfg(feature = "serve")]
use crate::live::{Change, Clock, LiveOptions};
use crate::load;
use crate::plan::Visibility;
use crate::scaffold::Ci;
#[cfg(feature = "serve")]
use crate::serve::{Bind, Port, ServeOptions};
use crate::session::SessionOptions;

/// A static site generator for people who publish articles that compare things.
#[derive(Debug, Parser)]
#[command(name = "folio", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Log the stages and cache decisions (-v), or every file and request (-vv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the site
    Build(Build),
    /// Preview the site in a browser, updated with every change
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Check whether the site can be published
    Check(Check),
    /// Create an article
    New(New),
    /// Create a site
    Init(Init),
    /// List the files of the default theme, or copy some to change them
    #[command(subcommand)]
    Theme(Theme),
    /// Build the site and deploy it to a host
    #[cfg(feature = "deploy")]
    Deploy(Deploy),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `folio build`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub struct Build {
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// The output folder [default: public in the site's folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Use this base URL instead of the configured one
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// Include drafts
    #[arg(long)]
    pub drafts: bool,
    /// Include articles with a future date
    #[arg(long)]
    pub future: bool,
    /// Build from scratch, without the cache
    #[arg(long)]
    pub no_cache: bool,
    /// The number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Print why each file was rendered
    #[arg(long)]
    pub explain: bool,
    /// Print the figures of the build on standard output
    #[arg(long, value_name = "FORMAT")]
    pub stats: Option<StatsFormat>,
    /// Print errors only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `folio serve`.
#[cfg(feature = "serve")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub struct Serve {
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// The address to listen on: an IP address, or localhost for 127.0.0.1 and ::1
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: Bind,
    /// The port to listen on [default: 4000, or the next free one]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Answer requests for this host name, too
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Include drafts
    #[arg(long)]
    pub drafts: bool,
    /// Include articles with a future date
    #[arg(long)]
    pub future: bool,
    /// Open the site in a browser
    #[arg(long)]
    pub open: bool,
    /// Poll for changes instead of using file-system events
    #[arg(long)]
    pub poll: bool,
}

/// Arguments of `folio check`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub struct Check {
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// Check links to other hosts, too
    #[arg(long)]
    pub external: bool,
    /// Print the findings as text on standard error, or as JSON on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CheckFormat,
    /// Use this base URL instead of the configured one
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// Include drafts
    #[arg(long)]
    pub drafts: bool,
    /// Include articles with a future date
    #[arg(long)]
    pub future: bool,
    /// Check from scratch, without the cache
    #[arg(long)]
    pub no_cache: bool,
    /// The number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    Text,
    Json,
}

/// How figures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatsFormat {
    Text,
    Json,
}

/// Arguments of `folio deploy`.
#[cfg(feature = "deploy")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub struct Deploy {
    /// The name of a table `[deploy.NAME]` of site.toml [default: the only one]
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// Print what would be done, and do nothing
    #[arg(long, conflicts_with = "rollback")]
    pub dry_run: bool,
    /// Send every file, overwriting files that Folio did not put there and the lock of another
    /// deploy
    #[arg(long)]
    pub force: bool,
    /// Delete files without confirmation
    #[arg(long)]
    pub yes: bool,
    /// Publish the deploy before the last one again
    #[arg(long)]
    pub rollback: bool,
    /// Print a report on standard output
    #[arg(long, value_name = "FORMAT")]
    pub report: Option<ReportFormat>,
    /// Print errors only
    #[arg(short, long)]
    pub quiet: bool,
}

/// How a report is printed.
#[cfg(feature = "deploy")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Json,
}

/// Arguments of `folio new`.
#[derive(Debug, Args)]
pub struct New {
    /// The path below content/, such as posts/first.md
    pub path: String,
    /// The title [default: from the file name]
    #[arg(long)]
    pub title: Option<String>,
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
}

/// Arguments of `folio init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to create
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Add a workflow that builds and publishes the site on this host
    #[arg(long, value_name = "HOST")]
    pub ci: Option<Ci>,
}

/// What to do with the default theme.
#[derive(Debug, Subcommand)]
pub enum Theme {
    /// List the files of the default theme
    List {
        /// The site's folder
        #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
        root: PathBuf,
    },
    /// Copy files of the default theme into the site
    Copy {
        /// Files as `folio theme list` shows them, such as templates/base.html
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// The site's folder
        #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
        root: PathBuf,
    },
}

impl Build {
    /// The options that the arguments mean.
    #[must_use]
    pub fn options(&self, now: Timestamp, program: String) -> BuildOptions {
        BuildOptions {
            session: SessionOptions {
                root: load::find_root(&self.root),
                overrides: Overrides { base_url: self.base_url.clone() },
                visibility: Visibility {
                    include_drafts: self.drafts,
                    include_future: self.future,
                    now,
                },
                jobs: self.jobs.map(usize::from),
                use_cache: !self.no_cache,
                program,
            },
            output: self.output.clone(),
            explain: self.explain,
        }
    }
}

#[cfg(feature = "deploy")]
impl Deploy {
    /// The options that the arguments mean.
    #[must_use]
    pub fn options(&self, now: Timestamp, program: String) -> DeployOptions {
        let session = SessionOptions {
            root: load::find_root(&self.root),
            overrides: Overrides::default(),
            visibility: Visibility { include_drafts: false, include_future: false, now },
            jobs: None,
            use_cache: true,
            program,
        };
        DeployOptions {
            build: BuildOptions { session, output: None, explain: false },
            target: self.target.clone(),
            action: match (self.rollback, self.dry_run) {
                (true, _) => Action::RollBack,
                (false, true) => Action::Plan,
                (false, false) => Action::Deploy,
            },
            force: self.force,
            assume_yes: self.yes,
            now: now.as_second(),
        }
    }
}

impl Check {
    /// The options that the arguments mean.
    #[must_use]
    pub fn options(&self, now: Timestamp, program: String) -> CheckOptions {
        let session = SessionOptions {
            root: load::find_root(&self.root),
            overrides: Overrides { base_url: self.base_url.clone() },
            visibility: Visibility {
                include_drafts: self.drafts,
                include_future: self.future,
                now,
            },
            jobs: self.jobs.map(usize::from),
            use_cache: !self.no_cache,
            program,
        };
        CheckOptions { session, external: self.external }
    }
}

#[cfg(feature = "serve")]
impl Serve {
    /// The options that the arguments mean.
    #[must_use]
    pub fn options(
        &self,
        clock: Clock,
        program: String,
        editor_url: Option<String>,
    ) -> ServeOptions {
        const DEFAULT_PORT: u16 = 4000;
        ServeOptions {
            live: LiveOptions {
                root: load::find_root(&self.root),
                include_drafts: self.drafts,
                include_future: self.future,
                clock,
                program,
            },
            bind: self.bind,
            port: self.port.map_or(Port::From(DEFAULT_PORT), Port::Exactly),
            allow_hosts: self.allow_host.clone(),
            poll: self.poll,
            editor_url,
        }
    }
}

/// A valid base URL.
fn base_url(text: &str) -> Result<String, String> {
    crate::config::BaseUrl::parse(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("{e}; write it like https://example.org/blog"))
}

/// What counts as now: `SOURCE_DATE_EPOCH` (reproducible-builds.org) if it is set, or the system
/// clock.
///
/// # Errors
/// When the variable is not a number of seconds.
pub fn now(epoch: Option<&str>) -> Result<Timestamp, String> {
    let Some(text) = epoch else { return Ok(Timestamp::now()) };
    let seconds = text
        .trim()
        .parse()
        .map_err(|_| format!("SOURCE_DATE_EPOCH is not a number of seconds: {text}"))?;
    Timestamp::from_second(seconds).map_err(|e| format!("SOURCE_DATE_EPOCH is out of range: {e}"))
}

/// The version of the program: its release and, since the release stays the same during
/// development, the size and time of its file.
#[must_use]
pub fn program_version() -> String {
    let file = std::env::current_exe().ok().and_then(|path| crate::load::Stamp::at(&path));
    let build = file.map(|stamp| format!("{} {}", stamp.size, stamp.modified));
    format!("folio {} {}", env!("CARGO_PKG_VERSION"), build.unwrap_or_default())
}

/// The figures as one JSON object.
#[must_use]
pub fn stats_json(stats: &Stats) -> String {
    let ms = |d: std::time::Duration| (d.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    serde_json::json!({
        "pages": stats.pages,
        "parsed": stats.parsed,
        "rendered": stats.rendered,
        "reused": stats.reused,
        "written": stats.outcome.written,
        "deleted": stats.outcome.deleted,
        "bytes": stats.outcome.bytes,
        "stages": {
            "load_ms": ms(stats.load),
            "parse_ms": ms(stats.parse),
            "plan_ms": ms(stats.plan),
            "render_ms": ms(stats.render),
            "write_ms": ms(stats.write),
        },
        "total_ms": ms(stats.total),
    })
    .to_string()
}

/// The figures as text.
#[must_use]
pub fn stats_text(stats: &Stats) -> String {
    let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
    format!(
        "pages     {:>10}\nrendered  {:>10}\nreused    {:>10}\nwritten   {:>10}\n\
         deleted   {:>10}\nbytes     {:>10}\nload      {:>10.1} ms\nparse     {:>10.1} ms\n\
         plan      {:>10.1} ms\nrender    {:>10.1} ms\n\
         write     {:>10.1} ms\ntotal     {:>10.1} ms",
        stats.pages,
        stats.rendered,
        stats.reused,
        stats.outcome.written,
        stats.outcome.deleted,
        stats.outcome.bytes,
        ms(stats.load),
        ms(stats.parse),
        ms(stats.plan),
        ms(stats.render),
        ms(stats.write),
        ms(stats.total),
    )
}

/// What a build did, in one line.
#[must_use]
pub fn summary(stats: &Stats) -> String {
    let seconds = stats.total.as_secs_f64();
    let time = if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    };
    let files = |n: usize| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
    let pages =
        if stats.pages == 1 { "1 article".to_owned() } else { format!("{} articles", stats.pages) };
    let mut parts = vec![
        format!("{} written", files(stats.outcome.written)),
        format!("{} unchanged", stats.outcome.unchanged),
    ];
    if stats.outcome.deleted > 0 {
        parts.push(format!("{} deleted", stats.outcome.deleted));
    }
    let hidden = [
        (stats.hidden.drafts, if stats.hidden.drafts == 1 { "draft" } else { "drafts" }),
        (stats.hidden.future, "with a future date"),
        (stats.hidden.expired, "expired"),
    ];
    let hidden: Vec<String> =
        hidden.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let hidden = if hidden.is_empty() {
        String::new()
    } else {
        format!(" (not built: {})", hidden.join(", "))
    };
    format!("Built {pages}{hidden} in {time}: {}", parts.join(", "))
}

/// A number of errors in words.
#[must_use]
pub fn errors(count: usize) -> String {
    if count == 1 { "1 error".to_owned() } else { format!("{count} errors") }
}

/// A change of the live site in one line: `posts/a.md → 1 page, 9 ms`.
#[cfg(feature = "serve")]
#[must_use]
pub fn changed(change: &Change) -> String {
    let name =
        |path: &crate::paths::SourcePath| path.below("content").unwrap_or(path.as_str()).to_owned();
    let files = match change.files.as_slice() {
        [] => "the site".to_owned(),
        few if few.len() <= 3 => few.iter().map(name).collect::<Vec<_>>().join(", "),
        many => format!("{} files", many.len()),
    };
    let pages =
        if change.pages == 1 { "1 page".to_owned() } else { format!("{} pages", change.pages) };
    let ms = change.time.as_secs_f64() * 1000.0;
    let time = if ms < 1.0 { "under 1 ms".to_owned() } else { format!("{ms:.0} ms") };
    format!("{files} → {pages}, {time}")
}
