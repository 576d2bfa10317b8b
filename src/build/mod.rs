//! Builds a site: a session, rendered and committed.
//!
//! What the last build left is consulted three times, and each time spares what follows: when no
//! input has changed at all, the build ends there; an article that has not changed is taken from
//! the cache instead of parsed; a file whose dependencies have not changed is kept instead of
//! rendered.
//!
//! If anything is wrong with the site, the later stages still run, without writing, so that one run
//! reports every problem.

mod explain;
mod rendering;
mod stats;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cache::{self, Fingerprint};
use crate::dependencies::{
    DependencyTracker, ReasonContext, Records, RecordsHeader, UpToDateCheck, path_fingerprint,
};
use crate::diag::{Diagnostic, LocatedReport, Report};
use crate::load::Disk;
use crate::parse::Highlighting;
use crate::paths::{OutPath, SourcePath};
use crate::plan::Plan;
use crate::render::Renderer;
use crate::session::{Progress, Session, SessionOptions, finish_report, thread_pool};
use crate::write::Output;
use rendering::{RenderContext, Rendering, render_all};
use stats::StopWatch;

pub use stats::Stats;

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    pub session: SessionOptions,
    /// The output folder; `public` under the root unless given.
    pub output: Option<PathBuf>,
    /// Whether the reasons for rendering each file are described.
    pub explain: bool,
}

/// What a build did.
#[derive(Debug)]
pub struct BuildOutcome {
    pub stats: Stats,
    /// The warnings.
    pub report: LocatedReport,
    /// Why each rendered file was rendered.
    pub reasons: Vec<(OutPath, String)>,
    pub memory: RetainedMemory,
}

/// What a build held in memory. A program that is about to end may forget it instead of freeing a
/// large site piece by piece.
#[derive(Default)]
pub struct RetainedMemory {
    _renderer: Option<Renderer>,
    _records: Records,
}

impl std::fmt::Debug for RetainedMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RetainedMemory")
    }
}

/// Builds a site.
///
/// # Errors
/// Every problem of the site. The output has then not been changed.
pub fn build(
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<BuildOutcome, LocatedReport> {
    let pool = thread_pool(options.session.jobs)?;
    let disk = Disk::open(&options.session.root)?;
    pool.install(|| run(options, &disk, progress)).map_err(|report| finish_report(report, &disk))
}

fn run(
    options: &BuildOptions,
    disk: &Disk,
    progress: &dyn Progress,
) -> Result<BuildOutcome, Report> {
    let mut watch = StopWatch::start();
    let mut stats = Stats::default();

    let mut session = Session::open(disk, &options.session)?;
    let mut report = session.site_problems();
    let mut output = open_output(options, &session)?;
    let records = load_records(options, &output, &mut session);
    stats.load = watch.lap();
    if !report.has_errors() && is_unchanged(options, &session, &records, &output) {
        return Ok(unchanged(stats, records, output, &watch));
    }
    let plan = parse_and_plan(options, &mut session, &mut report, &mut stats, &mut watch, progress);
    match output.adopt(|out| plan.jobs.contains_key(out)) {
        // It concerns this build only, so it is not recorded with the warnings about the site.
        Ok(warning) => session.problems.cache.extend(warning),
        Err(error) => report.push(error),
    }

    let table = session.content_table(&plan);
    let renderer = match session.renderer(plan, &table) {
        Ok(renderer) => renderer,
        Err(problems) => {
            report.extend(problems);
            output.abandon();
            return Err(report);
        }
    };
    report.extend(renderer.unknown_names());
    report.extend(renderer.unknown_routes());
    let tracker = DependencyTracker::new(renderer.plan(), renderer.templates(), table);
    let stage = output.stage();
    let context = RenderContext {
        renderer: &renderer,
        tracker: &tracker,
        check: UpToDateCheck::new(&records, &renderer),
        stage: &stage,
        has_errors: report.has_errors(),
    };
    let mut rendering = render_all(&context, progress);
    report.extend(std::mem::take(&mut rendering.report));
    stats.render = watch.lap();

    let staged = stage.finish();
    if report.has_errors() {
        output.abandon();
        return Err(report);
    }
    stats.rendered = rendering.reasons.len();
    stats.reused = rendering.kept;
    let records_path = output.records_path();
    stats.outcome = output.commit(&staged).map_err(|error| with_error(&report, error))?;

    let reasons = describe_reasons(options, &rendering, &records, &tracker, &session, &renderer);
    let report = finish_report(report, disk);
    let header = records_header(options, &session, &renderer, &tracker, &report, stats);
    let new_records = rendering.recorder.finish(header);
    let report = save(options, session, &records_path, &new_records, report);
    stats.write = watch.lap();
    stats.total = watch.total();
    let memory = RetainedMemory { _renderer: Some(renderer), _records: records };
    Ok(BuildOutcome { stats, report, reasons, memory })
}

fn parse_and_plan(
    options: &BuildOptions,
    session: &mut Session,
    report: &mut Report,
    stats: &mut Stats,
    watch: &mut StopWatch,
    progress: &dyn Progress,
) -> Plan {
    let mut parsed = session.parse(Highlighting::Now, progress);
    for errors in std::mem::take(&mut parsed.errors).into_values() {
        report.extend(errors);
    }
    stats.parsed = parsed.parsed;
    stats.parse = watch.lap();
    let (plan, problems) = session.plan(&mut parsed, options.session.visibility);
    report.extend(problems);
    stats.pages = plan.pages.len();
    stats.hidden = plan.hidden_counts();
    stats.plan = watch.lap();
    plan
}

fn open_output(options: &BuildOptions, session: &Session) -> Result<Output, Report> {
    let root = session.disk.root();
    let folder = options.output.clone().unwrap_or_else(|| root.join("public"));
    Output::open(session.state_folder(), root, &folder).map_err(Report::of)
}

/// The records of the last build of this output. One warning about a damaged cache is enough.
fn load_records(options: &BuildOptions, output: &Output, session: &mut Session) -> Records {
    let SessionOptions { program, use_cache, .. } = &options.session;
    let loaded = Records::load(&output.records_path(), program, *use_cache);
    if session.problems.cache.is_empty() {
        session.problems.cache = loaded.warnings;
    }
    loaded.value
}

fn is_unchanged(
    options: &BuildOptions,
    session: &Session,
    records: &Records,
    output: &Output,
) -> bool {
    let inputs = session.input_fingerprint(&options.session);
    let unchanged = records.is_up_to_date(inputs, options.session.visibility.now);
    unchanged && output.is_intact()
}

/// The outcome of a build that has nothing to do: that of the last one, with its warnings.
fn unchanged(stats: Stats, records: Records, output: Output, watch: &StopWatch) -> BuildOutcome {
    tracing::debug!("nothing has changed");
    let outcome = output.unchanged_outcome();
    output.abandon();
    let header = records.header;
    let stats = Stats {
        pages: header.pages,
        hidden: header.hidden,
        outcome,
        reused: outcome.unchanged,
        total: watch.total(),
        ..stats
    };
    BuildOutcome {
        stats,
        report: header.warnings,
        reasons: Vec::new(),
        memory: RetainedMemory::default(),
    }
}

fn describe_reasons(
    options: &BuildOptions,
    rendering: &Rendering,
    records: &Records,
    tracker: &DependencyTracker,
    session: &Session,
    renderer: &Renderer,
) -> Vec<(OutPath, String)> {
    if !options.explain {
        return Vec::new();
    }
    let plan = renderer.plan();
    let sources: BTreeMap<Fingerprint, &SourcePath> =
        plan.pages.iter().map(|p| (path_fingerprint(&p.doc.source), &p.doc.source)).collect();
    let article = |path: Fingerprint| {
        let source = (*sources.get(&path)?).clone();
        let fields = explain::changed_fields(&source, &session.store, plan);
        Some((source, fields))
    };
    let templates = tracker.templates().fingerprints();
    let context = ReasonContext {
        templates_before: &records.header.templates,
        templates: &templates,
        article: &article,
    };
    let reasons = rendering.reasons.iter();
    reasons.map(|(out, reason)| (out.clone(), reason.describe(&context))).collect()
}

/// What is recorded of the build as a whole. Now that every article has been parsed or taken from
/// the cache, the fingerprint of the inputs is complete.
fn records_header(
    options: &BuildOptions,
    session: &Session,
    renderer: &Renderer,
    tracker: &DependencyTracker,
    report: &LocatedReport,
    stats: Stats,
) -> RecordsHeader {
    let now = options.session.visibility.now;
    let (visible_from, visible_until) =
        renderer.plan().visible_span(&renderer.config().timezone, now);
    RecordsHeader {
        inputs: session.input_fingerprint(&options.session),
        visible_from,
        visible_until,
        pages: stats.pages,
        hidden: stats.hidden,
        warnings: report.clone(),
        templates: tracker.templates().fingerprints(),
    }
}

/// Saves what the next build can use, and adds problems of the cache to the report. The records
/// come first: without them, the files are only read again. A failure costs time but nothing else,
/// so it is a warning.
fn save(
    options: &BuildOptions,
    mut session: Session,
    records_path: &Path,
    records: &Records,
    mut report: LocatedReport,
) -> LocatedReport {
    let cache_problems = std::mem::take(&mut session.problems.cache);
    // A file that changed while the build ran was fingerprinted with one content and rendered with
    // another. Without records the next build renders everything.
    let saved = if session.has_changed_files() {
        Ok(())
    } else {
        cache::save(records_path, &options.session.program, records)
    };
    if let Err(e) = saved.and_then(|()| session.save()) {
        let reason = crate::load::reason(&e);
        let warning = Diagnostic::warning(format!("the cache cannot be saved: {reason}"))
            .hint("the next build starts from scratch");
        report.extend(warning.into());
    }
    report.extend(cache_problems.into());
    report
}

fn with_error(report: &Report, error: Diagnostic) -> Report {
    let mut report = report.clone();
    report.push(error);
    report
}
