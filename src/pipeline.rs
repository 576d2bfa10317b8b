//! load → parse → plan → render → write, in order. The one place that owns parallelism and the spool.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::config::{Config, Overrides};
use crate::diag::{Diagnostic, Report};
use crate::load::{Disk, Sources};
use crate::memo::{Handle, Spool};
use crate::parse::{self, Body, Doc, Memo, Settings};
use crate::paths::{OutPath, SourcePath};
use crate::plan::{self, CopyFrom, Faulty, HiddenCounts, Job, Node, Plan, Visibility};
use crate::render::{Content, Inputs, Renderer};
use crate::write::{Claim, Outcome, Output, Stage};

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
}

/// The figures of a build.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Articles.
    pub pages: usize,
    /// Articles that are left out.
    pub hidden: HiddenCounts,
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

/// Builds a site.
///
/// # Errors
/// Every problem of the site; nothing of the output has then been changed.
pub fn build(options: &Options, progress: &dyn Progress) -> Result<Built, Report> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = options.jobs {
        pool = pool.num_threads(jobs);
    }
    let pool = pool.build().map_err(|e| Report::of(Diagnostic::error(format!("no threads can be started: {e}"))))?;
    let disk = Disk::open(&options.root).map_err(Report::of)?;
    let result = pool.install(|| run(options, &disk, progress));
    let finish = |mut report: Report| {
        report.fold_repeats();
        report.sort();
        report.attach(|file| disk.text_for_message(file));
        report
    };
    match result {
        Ok(built) => Ok(Built { report: finish(built.report), ..built }),
        Err(report) => Err(finish(report)),
    }
}

fn run(options: &Options, disk: &Disk, progress: &dyn Progress) -> Result<Built, Report> {
    let start = Instant::now();
    let mut stats = Stats::default();
    let mut clock = Clock(start);

    let text = disk.config().map_err(Report::of)?;
    let (config, mut report) = Config::read(&text, &options.overrides);
    let Some(config) = config else { return Err(report) };
    let claim = Claim::take(disk.root()).map_err(Report::of)?;
    let folder = options.output.clone().unwrap_or_else(|| disk.root().join("public"));
    let output = Output::open(&claim, disk.root(), &folder).map_err(Report::of)?;
    let (sources, found) = disk.scan();
    report.extend(found);
    stats.load = clock.lap();

    progress.stage("Reading", sources.articles.len());
    let spool = Spool::open(claim.state()).map_err(|e| Report::of(Diagnostic::error(format!("no temporary file can be made: {e}"))))?;
    let parsed = parse_all(&sources, disk, &Settings::of(&config), &spool, progress);
    let faulty = parsed.faulty;
    report.extend(parsed.report);
    stats.parse = clock.lap();

    let (plan, problems) = plan::plan(parsed.docs, &faulty, &sources, &config, options.visibility);
    report.extend(problems);
    stats.pages = plan.pages.len();
    stats.hidden = plan.hidden_counts();
    stats.plan = clock.lap();

    let inputs = Stored::new(disk.clone(), spool, &plan, &parsed.handles);
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
    let problems = render_all(&renderer, disk, &stage, if report.has_errors() { Mode::OnlyProblems } else { Mode::Stage }, progress);
    report.extend(problems);
    let staged = stage.finish();
    stats.render = clock.lap();
    if report.has_errors() {
        output.abandon();
        return Err(report);
    }
    stats.rendered = renderer.plan().jobs.len();
    let reasons = renderer.plan().jobs.keys().map(|out| (out.clone(), "there is no earlier build to take it from".to_owned())).collect();

    stats.outcome = output.commit(&staged).map_err(|d| {
        let mut all = report.clone();
        all.push(d);
        all
    })?;
    stats.write = clock.lap();
    stats.total = start.elapsed();
    Ok(Built { stats, report, reasons })
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

struct ParsedSite {
    docs: Vec<Arc<Doc>>,
    /// Where each article's body waits, by source path.
    handles: Vec<(SourcePath, Handle)>,
    /// Articles with errors of their own.
    faulty: Faulty,
    report: Report,
}

fn parse_all(sources: &Sources, disk: &Disk, settings: &Settings, spool: &Spool, progress: &dyn Progress) -> ParsedSite {
    let parsed = on_every_thread(sources.articles.len(), Memo::default, |memo, index| {
        let result = parse_one(&sources.articles[index], disk, settings, spool, memo);
        progress.step();
        result
    });
    let mut site = ParsedSite { docs: Vec::new(), handles: Vec::new(), faulty: Faulty::default(), report: Report::default() };
    for (source, result) in sources.articles.iter().zip(parsed) {
        match result {
            Ok((doc, handle, errors)) => {
                if errors.has_errors() {
                    site.faulty.parsed.insert(source.clone());
                    site.report.extend(errors);
                }
                site.handles.push((source.clone(), handle));
                site.docs.push(doc);
            }
            Err(error) => {
                site.faulty.unreadable.insert(source.clone());
                site.report.push(error);
            }
        }
    }
    site
}

/// Works through `0..count` on every thread of the pool; each makes a tool of its own and keeps it to itself.
/// The results come in the order of the numbers, whoever was fastest.
fn on_every_thread<Tool, T: Send>(count: usize, tool: impl Fn() -> Tool + Sync, work: impl Fn(&mut Tool, usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, T)> = rayon::broadcast(|_| {
        let mut tool = tool();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(&mut tool, index)));
        }
    })
    .into_iter()
    .flatten()
    .collect();
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn parse_one(
    source: &SourcePath,
    disk: &Disk,
    settings: &Settings,
    spool: &Spool,
    memo: &mut Memo,
) -> Result<(Arc<Doc>, Handle, Report), Diagnostic> {
    let text = disk.text(source)?;
    let parsed = parse::parse(source, &text, settings, memo);
    let handle = spool
        .put(&parsed.body.to_bytes())
        .map_err(|e| Diagnostic::error(format!("no temporary file can be written: {}", crate::load::reason(&e))))?;
    Ok((Arc::new(parsed.doc), handle, parsed.errors))
}

/// What becomes of rendered files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Stage,
    /// The build has failed already; rendering only tells what else is wrong.
    OnlyProblems,
}

fn render_all(renderer: &Renderer, disk: &Disk, stage: &Stage<'_>, mode: Mode, progress: &dyn Progress) -> Report {
    let problems = Mutex::new(Report::default());
    let broken = AtomicBool::new(false);
    let jobs: Vec<(&OutPath, &Job)> = renderer.plan().jobs.iter().collect();
    jobs.par_iter().for_each(|(out, job)| {
        if broken.load(Ordering::Relaxed) {
            return;
        }
        let result = renderer.render(job).and_then(|rendered| match mode {
            Mode::OnlyProblems => Ok(()),
            Mode::Stage => put(out, rendered.content, disk, stage).inspect_err(|_| broken.store(true, Ordering::Relaxed)).map_err(Report::of),
        });
        if let Err(report) = result {
            problems.lock().unwrap_or_else(PoisonError::into_inner).extend(report);
        }
        progress.step();
    });
    problems.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn put(out: &OutPath, content: Content, disk: &Disk, stage: &Stage<'_>) -> Result<(), Diagnostic> {
    match content {
        Content::Bytes(bytes) => stage.put(out, &bytes),
        Content::Copy(CopyFrom::Site(source)) => stage.put(out, &disk.bytes(&source)?),
        Content::Copy(CopyFrom::Theme { bytes, .. }) => stage.put(out, bytes),
    }
}

/// Bodies from the spool, files from the disk.
struct Stored {
    disk: Disk,
    spool: Spool,
    pages: Vec<Option<Handle>>,
    sections: Vec<Option<Handle>>,
}

impl Stored {
    fn new(disk: Disk, spool: Spool, plan: &Plan, handles: &[(SourcePath, Handle)]) -> Self {
        let mut pages = vec![None; plan.pages.len()];
        let mut sections = vec![None; plan.sections.len()];
        for (source, handle) in handles {
            match plan.by_source.get(source) {
                Some(Node::Page(id)) => pages[*id] = Some(*handle),
                Some(Node::Section(id)) => sections[*id] = Some(*handle),
                None => {}
            }
        }
        Self { disk, spool, pages, sections }
    }
}

impl Inputs for Stored {
    fn body(&self, node: Node) -> Result<Body, Diagnostic> {
        let handle = match node {
            Node::Page(id) => self.pages.get(id).copied().flatten(),
            Node::Section(id) => self.sections.get(id).copied().flatten(),
        };
        let Some(handle) = handle else { return Ok(Body::default()) };
        let bytes = self.spool.get(handle).map_err(|e| Diagnostic::error(format!("a parsed article cannot be read back: {e}")))?;
        Body::from_bytes(&bytes).ok_or_else(|| Diagnostic::error("a parsed article cannot be read back"))
    }

    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        self.disk.bytes_if_there(path)
    }
}
