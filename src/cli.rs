//! The command line: clap's arguments, and what they mean to the pipeline.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::Timestamp;

use crate::check;
use crate::config::Overrides;
use crate::deploy::{self, Action, Consent, Force};
use crate::pipeline::live::{Change, Clock, LiveOptions};
use crate::pipeline::{Cache, Explain, Options, Stats};
use crate::plan::{Shown, Visibility};
use crate::scaffold::Ci;
use crate::serve::{self, Bind, Port, Watching};

/// A static site generator for people who publish articles that compare things.
#[derive(Debug, Parser)]
#[command(name = "folio", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the site into its output folder
    Build(Build),
    /// Show the site in a browser while it is written
    Serve(Serve),
    /// Say whether the site may go out
    Check(Check),
    /// Write a new article with front matter
    New(New),
    /// Write a new site that builds at once
    Init(Init),
    /// Build the site and take it to its host
    Deploy(Deploy),
    /// Print a completion script
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
}

/// Arguments of `folio build`.
#[expect(clippy::struct_excessive_bools, reason = "flags, as they are written; `options` gives them meaning")]
#[derive(Debug, Args)]
pub struct Build {
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// The folder to build into [default: public under the root]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Publish under this address instead of the configured one
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// Build drafts too
    #[arg(long)]
    pub drafts: bool,
    /// Build articles with a date in the future too
    #[arg(long)]
    pub future: bool,
    /// Take nothing from earlier builds
    #[arg(long)]
    pub no_cache: bool,
    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Say of each rendered file why it was rendered
    #[arg(long)]
    pub explain: bool,
    /// Print the build's figures on standard output
    #[arg(long, value_name = "FORMAT")]
    pub stats: Option<StatsFormat>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `folio serve`.
#[expect(clippy::struct_excessive_bools, reason = "flags, as they are written; `options` gives them meaning")]
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
    /// Answer to this name too
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Show drafts too
    #[arg(long)]
    pub drafts: bool,
    /// Show articles with a date in the future too
    #[arg(long)]
    pub future: bool,
    /// Open the site in the browser
    #[arg(long)]
    pub open: bool,
    /// Look at every file twice a second instead of waiting for the system's word: for network drives and containers
    #[arg(long)]
    pub poll: bool,
}

/// Arguments of `folio check`.
#[expect(clippy::struct_excessive_bools, reason = "flags, as they are written; `options` gives them meaning")]
#[derive(Debug, Args)]
pub struct Check {
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// Look at links to other hosts too
    #[arg(long)]
    pub external: bool,
    /// How the findings are printed: as text on standard error, or as JSON on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CheckFormat,
    /// Check the site as it would be under this address instead of the configured one
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// Check drafts too
    #[arg(long)]
    pub drafts: bool,
    /// Check articles with a date in the future too
    #[arg(long)]
    pub future: bool,
    /// Take nothing from earlier builds and checks
    #[arg(long)]
    pub no_cache: bool,
    /// How many threads to use [default: one a core]
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
#[expect(clippy::struct_excessive_bools, reason = "flags, as they are written; `options` gives them meaning")]
#[derive(Debug, Args)]
pub struct Deploy {
    /// Where to: the name of a table of [deploy] in site.toml [default: the only one]
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "rollback")]
    pub dry_run: bool,
    /// Send every file anew, over files that Folio did not put there and over another's lock
    #[arg(long)]
    pub force: bool,
    /// Delete files without a question, however many
    #[arg(long)]
    pub yes: bool,
    /// Put back what was there before the last deploy
    #[arg(long)]
    pub rollback: bool,
    /// Print what was done on standard output
    #[arg(long, value_name = "FORMAT")]
    pub report: Option<ReportFormat>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Json,
}

/// Arguments of `folio new`.
#[derive(Debug, Args)]
pub struct New {
    /// Where it goes, below content/: posts/first.md
    pub path: String,
    /// Its title [default: made of the file's name]
    #[arg(long)]
    pub title: Option<String>,
    /// The site's folder
    #[arg(long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: PathBuf,
}

/// Arguments of `folio init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to make
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Write a workflow that builds and publishes the site on this host
    #[arg(long, value_name = "HOST")]
    pub ci: Option<Ci>,
}

impl Build {
    /// What the arguments mean.
    #[must_use]
    pub fn options(&self, now: Timestamp, program: String) -> Options {
        Options {
            root: self.root.clone(),
            output: self.output.clone(),
            overrides: Overrides { base_url: self.base_url.clone() },
            visibility: Visibility { drafts: shown(self.drafts), future: shown(self.future), now },
            jobs: self.jobs.map(usize::from),
            cache: if self.no_cache { Cache::Ignore } else { Cache::Use },
            explain: if self.explain { Explain::Yes } else { Explain::No },
            program,
        }
    }
}

impl Deploy {
    /// What the arguments mean.
    #[must_use]
    pub fn options(&self, now: Timestamp, program: String) -> deploy::Options {
        deploy::Options {
            build: Options {
                root: self.root.clone(),
                output: None,
                overrides: Overrides::default(),
                visibility: Visibility { drafts: Shown::No, future: Shown::No, now },
                jobs: None,
                cache: Cache::Use,
                explain: Explain::No,
                program,
            },
            target: self.target.clone(),
            action: match (self.rollback, self.dry_run) {
                (true, _) => Action::RollBack,
                (false, true) => Action::Plan,
                (false, false) => Action::Deploy,
            },
            force: if self.force { Force::Yes } else { Force::No },
            consent: if self.yes { Consent::Given } else { Consent::Ask },
            now: now.as_second(),
        }
    }
}

impl Check {
    /// What the arguments mean.
    #[must_use]
    pub fn options(&self, now: Timestamp, program: String) -> check::Options {
        let site = Options {
            root: self.root.clone(),
            output: None,
            overrides: Overrides { base_url: self.base_url.clone() },
            visibility: Visibility { drafts: shown(self.drafts), future: shown(self.future), now },
            jobs: self.jobs.map(usize::from),
            cache: if self.no_cache { Cache::Ignore } else { Cache::Use },
            explain: Explain::No,
            program,
        };
        check::Options { site, external: if self.external { check::External::Yes } else { check::External::No } }
    }
}

impl Serve {
    /// What the arguments mean.
    #[must_use]
    pub fn options(&self, clock: Clock, program: String, editor_url: Option<String>) -> serve::Options {
        const PORT: u16 = 4000;
        serve::Options {
            live: LiveOptions { root: self.root.clone(), drafts: shown(self.drafts), future: shown(self.future), clock, program },
            bind: self.bind,
            port: self.port.map_or(Port::From(PORT), Port::Exactly),
            allow_hosts: self.allow_host.clone(),
            watching: if self.poll { Watching::Poll } else { Watching::Events },
            editor_url,
        }
    }
}

fn shown(yes: bool) -> Shown {
    if yes { Shown::Yes } else { Shown::No }
}

/// A base URL that can be used.
fn base_url(text: &str) -> Result<String, String> {
    crate::config::BaseUrl::parse(text).map(|_| text.to_owned()).map_err(|e| format!("{e}; write it like https://example.org/blog"))
}

/// What counts as now: `SOURCE_DATE_EPOCH` (reproducible-builds.org) where it is set, else the clock.
///
/// # Errors
/// When the variable holds no number of seconds.
pub fn now(epoch: Option<&str>) -> Result<Timestamp, String> {
    let Some(text) = epoch else { return Ok(Timestamp::now()) };
    let seconds = text.trim().parse().map_err(|_| format!("SOURCE_DATE_EPOCH is not a number of seconds: {text}"))?;
    Timestamp::from_second(seconds).map_err(|e| format!("SOURCE_DATE_EPOCH is out of range: {e}"))
}

/// Which program this is: its version and, since one under development keeps its version through many changes,
/// its file's size and time.
#[must_use]
pub fn program() -> String {
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

/// The figures for a person.
#[must_use]
pub fn stats_text(stats: &Stats) -> String {
    let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
    format!(
        "pages     {:>10}\nrendered  {:>10}\nreused    {:>10}\nwritten   {:>10}\ndeleted   {:>10}\nbytes     {:>10}\nload      {:>10.1} ms\nparse     {:>10.1} ms\nplan      {:>10.1} ms\nrender    {:>10.1} ms\nwrite     {:>10.1} ms\ntotal     {:>10.1} ms",
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

/// One line that says what a build did.
#[must_use]
pub fn summary(stats: &Stats) -> String {
    let seconds = stats.total.as_secs_f64();
    let time = if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") };
    let files = |n: usize| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
    let pages = if stats.pages == 1 { "1 article".to_owned() } else { format!("{} articles", stats.pages) };
    let mut parts = vec![format!("{} written", files(stats.outcome.written)), format!("{} unchanged", stats.outcome.unchanged)];
    if stats.outcome.deleted > 0 {
        parts.push(format!("{} deleted", stats.outcome.deleted));
    }
    let hidden = [
        (stats.hidden.drafts, if stats.hidden.drafts == 1 { "draft" } else { "drafts" }),
        (stats.hidden.future, "in the future"),
        (stats.hidden.expired, "expired"),
    ];
    let hidden: Vec<String> = hidden.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let hidden = if hidden.is_empty() { String::new() } else { format!(" (left out: {})", hidden.join(", ")) };
    format!("Built {pages}{hidden} in {time}: {}", parts.join(", "))
}

/// So many errors, in words.
#[must_use]
pub fn errors(count: usize) -> String {
    if count == 1 { "1 error".to_owned() } else { format!("{count} errors") }
}

/// One line that says what a look at the site came to: `posts/a.md → 1 page, 9 ms`.
#[must_use]
pub fn changed(change: &Change) -> String {
    let name = |path: &crate::paths::SourcePath| path.below("content").unwrap_or(path.as_str()).to_owned();
    let files = match change.files.as_slice() {
        [] => "the site".to_owned(),
        few if few.len() <= 3 => few.iter().map(name).collect::<Vec<_>>().join(", "),
        many => format!("{} files", many.len()),
    };
    let pages = if change.pages == 1 { "1 page".to_owned() } else { format!("{} pages", change.pages) };
    let ms = change.time.as_secs_f64() * 1000.0;
    let time = if ms < 1.0 { "under 1 ms".to_owned() } else { format!("{ms:.0} ms") };
    format!("{files} → {pages}, {time}")
}
