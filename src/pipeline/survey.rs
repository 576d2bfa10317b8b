//! A site looked at and not written: load … render for `folio check`.
//!
//! [`Survey::open`] goes as far as the renderer, and takes parsed articles from the store as a build does; what it had
//! to parse it leaves there, for the next build. [`Survey::each`] renders every file and hands it to a visitor, one
//! at a time on each thread, so that no more than that is ever held. The output, its manifest and its records are not
//! touched.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};

use rayon::prelude::*;

use super::files::Store;
use super::stored::{Stored, Table};
use super::{Options, PATIENCE, Progress, finished, now, parsing};
use crate::config::Config;
use crate::diag::{Diagnostic, Report};
use crate::load::Disk;
use crate::parse::{Effort, Settings};
use crate::paths::{OutPath, SourcePath};
use crate::plan::{self, CopyFrom, Job};
use crate::render::{Content, Renderer};
use crate::write::Claim;

/// A site that can be rendered, and what is wrong with it so far.
pub struct Survey {
    renderer: Renderer,
    disk: Disk,
    state: PathBuf,
    pool: rayon::ThreadPool,
    /// What a build would say, but for what finished pages show as well ([`plan::check_sources`]).
    pub report: Report,
}

/// A file of the output, which nobody writes.
#[derive(Debug)]
pub enum Made {
    Rendered(Vec<u8>),
    /// A file that is copied, and its size in bytes; [`Survey::copied`] reads it.
    Copied(u64),
}

impl Survey {
    /// Loads, parses and plans a site.
    ///
    /// # Errors
    /// Every problem of the site, ready to be shown, when nothing of it can be rendered.
    pub fn open(options: &Options, progress: &dyn Progress) -> Result<Self, Report> {
        let pool = super::threads(options.jobs)?;
        let disk = Disk::open(&options.root).map_err(Report::of)?;
        match pool.install(|| prepare(options, &disk, progress)) {
            Ok((renderer, state, report)) => Ok(Self { renderer, disk, state, pool, report }),
            Err(report) => Err(finished(report, &disk)),
        }
    }

    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// The folder that Folio keeps what it knows of the site in.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Renders every file of the plan and returns what `visit` makes of each, in the order of the plan; nothing for one
    /// that cannot be rendered, whose problems come in the report.
    pub fn each<T: Send>(&self, progress: &dyn Progress, visit: impl Fn(&OutPath, &Job, Made) -> T + Sync) -> (Vec<Option<T>>, Report) {
        let jobs: Vec<(&OutPath, &Job)> = self.renderer.plan().jobs.iter().collect();
        progress.stage("Checking", jobs.len());
        let seen: Vec<Result<T, Report>> = self.pool.install(|| {
            let one = |(out, job): &(&OutPath, &Job)| {
                let made = self.make(job).map(|made| visit(out, job, made));
                progress.step();
                made
            };
            jobs.par_iter().map(one).collect()
        });
        let mut report = Report::default();
        let mut results = Vec::with_capacity(seen.len());
        for result in seen {
            results.push(result.map_err(|problems| report.extend(problems)).ok());
        }
        (results, report)
    }

    fn make(&self, job: &Job) -> Result<Made, Report> {
        match self.renderer.render(job)?.content {
            Content::Bytes(bytes) => Ok(Made::Rendered(bytes)),
            Content::Copy(CopyFrom::Theme { bytes, .. }) => Ok(Made::Copied(bytes.len() as u64)),
            Content::Copy(CopyFrom::Site(source)) => {
                let gone = || Report::of(Diagnostic::error("this file went away while the site was checked").in_file(source.as_str()));
                self.disk.stamp(&source).map(|stamp| Made::Copied(stamp.size)).ok_or_else(gone)
            }
        }
    }

    /// The bytes of a copied file; `None` when it can no longer be read.
    #[must_use]
    pub fn copied(&self, from: &CopyFrom) -> Option<Vec<u8>> {
        match from {
            CopyFrom::Theme { bytes, .. } => Some(bytes.to_vec()),
            CopyFrom::Site(source) => self.disk.bytes(source).ok(),
        }
    }

    /// The text of a file of the site.
    #[must_use]
    pub fn text(&self, file: &SourcePath) -> Option<String> {
        self.disk.text(file).ok()
    }

    /// A report ready to be shown: sorted, repeats folded, with the lines that it points at.
    #[must_use]
    pub fn finished(&self, report: Report) -> Report {
        finished(report, &self.disk)
    }
}

fn prepare(options: &Options, disk: &Disk, progress: &dyn Progress) -> Result<(Renderer, PathBuf, Report), Report> {
    let text = disk.config().map_err(Report::of)?;
    let (config, mut report) = Config::read(&text, &options.overrides);
    let Some(config) = config else { return Err(report) };
    let claim = Claim::wait(disk.root(), PATIENCE).map_err(Report::of)?;
    let (sources, found) = disk.scan();
    report.extend(found);
    let (store, warning) = Store::open(claim.state(), &options.program, options.cache, now()).map_err(Report::of)?;
    let mut files = super::marked(&store, disk, &sources, &config);
    progress.stage("Reading", sources.articles.len());
    let settings = Settings::of(&config);
    let parsed = parsing::parse_all(&sources.articles, &mut files, &store, Effort::Now, disk, &settings, progress);
    parsed.errors.into_values().for_each(|errors| report.extend(errors));
    let (plan, problems) = plan::arrange(parsed.docs, &parsed.faulty, &sources, &config, options.visibility);
    report.extend(problems);
    let of_sources = plan::check_sources(&plan, &config);
    // Where no page can be rendered, no page shows the rest.
    let of_everything = plan::check(&plan, &config);

    let table = Arc::new(RwLock::new(Table::new(&plan, &files, |source| files.get(source).and_then(|e| e.parsed))));
    let inputs = Stored::new(disk.clone(), Arc::clone(&store.pack), &plan, table, settings.clone(), Arc::new(AtomicBool::new(false)));
    let renderer = Renderer::new(plan, config, sources.templates, Box::new(inputs)).map_err(|problems| {
        let mut report = report.clone();
        report.extend(problems);
        report.extend(of_everything);
        report
    })?;
    report.extend(of_sources);
    // An article with errors must be read again, or they would not be told again.
    if !report.has_errors()
        && let Err(e) = store.save(files, settings.mark())
    {
        report.push(Diagnostic::warning(format!("what was read could not be kept for the next build: {}", crate::load::reason(&e))));
    }
    report.extend(warning.into_iter().collect());
    Ok((renderer, claim.state().to_owned(), report))
}
