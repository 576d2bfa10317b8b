//! load → parse → plan → render → write, in order: the one place that knows about caching, and that owns
//! parallelism.
//!
//! [`build`] goes through them once; [`live`] keeps a site planned and renders what is looked at;
//! [`Survey`] renders everything and writes nothing.
//!
//! What earlier builds left is looked at in three steps, each sparing what comes after it: nothing at all has
//! changed (`records`, the whole); an article has not changed (`files`); a file of the output is made from the
//! same parts (`records`, each job).

mod explain;
mod files;
pub mod live;
mod parsing;
mod records;
mod rendering;
mod stored;
mod survey;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use files::Cache;
use files::Store;
use records::{Check, Records};
use rendering::{Mode, render_all};
use stored::{Stored, Table};
pub use survey::{Made, Survey};

use crate::config::{Config, Overrides};
use crate::diag::{Diagnostic, Report};
use crate::load::{Disk, Sources};
use crate::memo::{self, Mark, Marker};
use crate::parse::{Effort, Settings};
use crate::paths::{OutPath, SourcePath};
use crate::plan::{self, HiddenCounts, Plan, Shown, Visibility};
use crate::render::{Renderer, path_mark};
use crate::write::{Claim, Outcome, Output};

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub root: PathBuf,
    /// The output folder; `public` under the root unless given.
    pub output: Option<PathBuf>,
    pub overrides: Overrides,
    pub visibility: Visibility,
    /// Threads; as many as there are cores unless given.
    pub jobs: Option<usize>,
    pub cache: Cache,
    pub explain: Explain,
    /// Which program this is, to the build: what another one kept is not used.
    pub program: String,
}

/// Whether reasons are put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explain {
    Yes,
    No,
}

/// Hears how a build goes on.
pub trait Progress: Sync {
    /// A stage begins, with this many steps.
    fn stage(&self, name: &'static str, steps: usize);
    /// A step is done.
    fn step(&self);
}

/// What a build did.
#[derive(Debug)]
pub struct Built {
    pub stats: Stats,
    /// Warnings.
    pub report: Report,
    /// Per rendered file, why.
    pub reasons: Vec<(OutPath, String)>,
    pub remains: Remains,
}

/// What a build held in memory. A program that ends may forget it rather than take a large site apart piece by
/// piece; one that goes on drops it.
#[derive(Default)]
pub struct Remains {
    _renderer: Option<Renderer>,
    _before: Records,
}

impl std::fmt::Debug for Remains {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remains")
    }
}

/// The figures of a build.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Articles.
    pub pages: usize,
    /// Articles that are left out.
    pub hidden: HiddenCounts,
    /// Articles that were parsed, not taken from an earlier build.
    pub parsed: usize,
    /// Files that were rendered or copied.
    pub rendered: usize,
    /// Files taken from an earlier build.
    pub reused: usize,
    pub outcome: Outcome,
    pub load: Duration,
    pub parse: Duration,
    pub plan: Duration,
    pub render: Duration,
    pub write: Duration,
    pub total: Duration,
}

impl Stats {
    /// The figures of a build that had nothing to do.
    fn unchanged(&mut self, before: &Records, output: &Output) {
        self.pages = before.pages;
        self.hidden = before.hidden;
        self.outcome = output.as_it_is();
        self.reused = self.outcome.unchanged;
    }
}

/// How long to wait for the store: a preview holds it for a moment when it keeps what it has read. Another build
/// holds it longer, and is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Builds a site.
///
/// # Errors
/// Every problem of the site; nothing of the output has then been changed.
pub fn build(options: &Options, progress: &dyn Progress) -> Result<Built, Report> {
    let pool = threads(options.jobs)?;
    let disk = Disk::open(&options.root).map_err(Report::of)?;
    let result = pool.install(|| run(options, &disk, progress));
    match result {
        Ok(built) => Ok(Built { report: finished(built.report, &disk), ..built }),
        Err(report) => Err(finished(report, &disk)),
    }
}

/// So many threads; as many as there are cores unless said.
fn threads(jobs: Option<usize>) -> Result<rayon::ThreadPool, Report> {
    let pool = jobs.map_or_else(rayon::ThreadPoolBuilder::new, |jobs| rayon::ThreadPoolBuilder::new().num_threads(jobs));
    pool.build().map_err(|e| Report::of(Diagnostic::error(format!("no threads can be started: {e}"))))
}

/// Every file of the site that a build depends on, marked.
fn marked(store: &Store, disk: &Disk, sources: &Sources, config: &Config) -> BTreeMap<SourcePath, files::Entry> {
    let mut files = store.mark_files(disk, sources);
    // The counters may lie anywhere in the site.
    if let Ok(snapshot) = SourcePath::new(&config.counters.snapshot)
        && let Some(entry) = store.mark_one(disk, &snapshot)
    {
        files.insert(snapshot, entry);
    }
    files
}

fn run(options: &Options, disk: &Disk, progress: &dyn Progress) -> Result<Built, Report> {
    let start = Instant::now();
    let looked = now();
    let mut stats = Stats::default();
    let mut clock = Clock(start);

    let text = disk.config().map_err(Report::of)?;
    let (config, mut report) = Config::read(&text, &options.overrides);
    let Some(config) = config else { return Err(report) };
    let claim = Claim::wait(disk.root(), PATIENCE).map_err(Report::of)?;
    let folder = options.output.clone().unwrap_or_else(|| disk.root().join("public"));
    let output = Output::open(&claim, disk.root(), &folder).map_err(Report::of)?;
    let (sources, found) = disk.scan();
    report.extend(found);
    let (store, warning) = Store::open(claim.state(), &options.program, options.cache, looked).map_err(Report::of)?;
    let (before, also) = Records::load(&output, &options.program, options.cache);
    let stored_warnings = warning.into_iter().chain(also).next();
    let mut files = marked(&store, disk, &sources, &config);
    let unread = whole(options, &text, &sources, &files);
    stats.load = clock.lap();

    if !report.has_errors() && before.still_holds(unread, options.visibility.now) && output.is_intact() {
        stats.unchanged(&before, &output);
        output.abandon();
        stats.total = start.elapsed();
        return Ok(Built { stats, report: before.warnings.into_iter().collect(), reasons: Vec::new(), remains: Remains::default() });
    }

    progress.stage("Reading", sources.articles.len());
    let settings = Settings::of(&config);
    let parsed = parsing::parse_all(&sources.articles, &mut files, &store, Effort::Now, disk, &settings, progress);
    stats.parsed = parsed.parsed;
    parsed.errors.into_values().for_each(|errors| report.extend(errors));
    // Now that every article has been read, or known, its mark is its content's.
    let whole = whole(options, &text, &sources, &files);
    stats.parse = clock.lap();

    let (plan, problems) = plan::plan(parsed.docs, &parsed.faulty, &sources, &config, options.visibility);
    report.extend(problems);
    stats.pages = plan.pages.len();
    stats.hidden = plan.hidden_counts();
    let (from, until) = visible_span(&plan, &config, options.visibility.now);
    stats.plan = clock.lap();

    let moved = Arc::new(AtomicBool::new(false));
    let table = Arc::new(RwLock::new(Table::new(&plan, &files, |source| files.get(source).and_then(|e| e.parsed))));
    let inputs = Stored::new(disk.clone(), Arc::clone(&store.pack), &plan, table, settings.clone(), Arc::clone(&moved));
    let renderer = match Renderer::new(plan, config, sources.templates, Box::new(inputs)) {
        Ok(renderer) => renderer,
        Err(problems) => {
            report.extend(problems);
            output.abandon();
            return Err(report);
        }
    };
    progress.stage("Rendering", renderer.plan().jobs.len());
    let stage = output.stage();
    let mode = if report.has_errors() { Mode::OnlyProblems } else { Mode::Stage };
    let rendering = render_all(&renderer, &Check::new(&before, &renderer), &stage, mode, progress);
    report.extend(rendering.report);
    let staged = stage.finish();
    stats.render = clock.lap();
    if report.has_errors() {
        output.abandon();
        return Err(report);
    }
    stats.rendered = rendering.reasons.len();
    stats.reused = rendering.reused;

    let records_path = output.records_path();
    stats.outcome = output.commit(&staged).map_err(|d| {
        let mut all = report.clone();
        all.push(d);
        all
    })?;
    let templates = renderer.template_marks();
    let article = |path: Mark| {
        let page = renderer.plan().pages.iter().find(|p| path_mark(&p.doc.source) == path)?;
        Some((page.doc.source.clone(), explain::changed(&page.doc.source, &store, renderer.plan())))
    };
    let reasons = match options.explain {
        Explain::Yes => {
            rendering.reasons.iter().map(|(out, reason)| (out.clone(), records::in_words(reason, &templates, &before, &article))).collect()
        }
        Explain::No => Vec::new(),
    };
    let warnings = finished(report.clone(), disk);
    let rest = Records {
        whole,
        from,
        until,
        pages: stats.pages,
        hidden: stats.hidden,
        warnings: warnings.items().to_vec(),
        templates,
        ..Records::default()
    };
    // A file that changed while the build ran was marked as one thing and shown as another: nothing is recorded.
    let records = (!moved.load(Ordering::Relaxed)).then(|| rendering.recorder.finish(rest));
    if let Err(e) = keep(&records_path, &options.program, records.as_ref(), store, files, settings.mark()) {
        report.push(
            Diagnostic::warning(format!("this build could not be kept for the next: {}", crate::load::reason(&e)))
                .hint("the next build does all of it again"),
        );
    }
    report.extend(stored_warnings.into_iter().collect());
    stats.write = clock.lap();
    stats.total = start.elapsed();
    Ok(Built { stats, report, reasons, remains: Remains { _renderer: Some(renderer), _before: before } })
}

/// The system's clock, in nanoseconds since the epoch: for stamps, never for what is shown.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| u64::try_from(d.as_nanos()).ok()).unwrap_or(0)
}

/// Stores what the next build can use. The records come first: without them the files are only read again.
fn keep(
    path: &Path,
    program: &str,
    records: Option<&Records>,
    store: Store,
    files: BTreeMap<SourcePath, files::Entry>,
    settings: Mark,
) -> std::io::Result<()> {
    if let Some(records) = records {
        memo::save(path, program, records)?;
    }
    store.save(files, settings)
}

/// The mark of everything that goes into an output, but for the time.
fn whole(options: &Options, config: &str, sources: &Sources, files: &BTreeMap<SourcePath, files::Entry>) -> Mark {
    let mut marker = Marker::default();
    marker.text(config).json(&(&options.overrides.base_url, options.visibility.drafts == Shown::Yes, options.visibility.future == Shown::Yes));
    for template in &sources.templates {
        marker.text(&template.name).text(&template.text);
    }
    for (path, entry) in files {
        marker.text(path.as_str()).mark(entry.mark);
    }
    marker.finish()
}

/// The seconds around now in which the same articles are to be seen, whatever else happens.
fn visible_span(plan: &Plan, config: &Config, now: jiff::Timestamp) -> (i64, i64) {
    let (mut from, mut until) = (i64::MIN, i64::MAX);
    for second in plan.turning_points.iter().map(|m| m.instant(&config.timezone).as_second()) {
        if second > now.as_second() {
            until = until.min(second);
        } else {
            from = from.max(second);
        }
    }
    (from, until)
}

/// A report ready to be shown.
fn finished(mut report: Report, disk: &Disk) -> Report {
    report.fold_repeats();
    report.sort();
    report.attach(|file| disk.text_for_message(file));
    report
}

/// Measures stages one after the other.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}
