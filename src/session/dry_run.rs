//! A render without writing, for `folio check`.
//!
//! [`DryRun::open`] goes as far as the renderer, taking parsed articles from the cache as a build
//! does and storing there what it had to parse. [`DryRun::each`] renders every file and passes it
//! to a visitor, one file per thread at a time, so that no more is ever held in memory. The output
//! folder, its manifest and its records are not touched.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::progress::Progress;
use super::site::{Session, SessionOptions, finish_report, thread_pool};
use crate::diag::{Diagnostic, LocatedReport, Report};
use crate::load::Disk;
use crate::parse::Highlighting;
use crate::paths::{OutPath, SourcePath};
use crate::plan::{self, CopyFrom, Job};
use crate::render::{Content, Renderer};

/// A site that can be rendered, and the problems found so far.
pub struct DryRun {
    renderer: Renderer,
    disk: Disk,
    state_folder: PathBuf,
    pool: rayon::ThreadPool,
    /// What a build would report, except what rendered pages show as well
    /// ([`plan::check_sources`]).
    pub report: Report,
}

/// A file of the output that is not written.
#[derive(Debug)]
pub enum RenderedFile {
    Bytes(Vec<u8>),
    /// A copied file, with its size in bytes; [`DryRun::read_copy`] reads it.
    Copy(u64),
}

impl DryRun {
    /// Loads, parses and plans a site.
    ///
    /// # Errors
    /// Every problem of the site, when nothing of it can be rendered.
    pub fn open(options: &SessionOptions, progress: &dyn Progress) -> Result<Self, LocatedReport> {
        let pool = thread_pool(options.jobs)?;
        let disk = Disk::open(&options.root)?;
        match pool.install(|| prepare(options, &disk, progress)) {
            Ok((renderer, state_folder, report)) => {
                Ok(Self { renderer, disk, state_folder, pool, report })
            }
            Err(report) => Err(finish_report(report, &disk)),
        }
    }

    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// The folder of the site's state, `.folio/`.
    #[must_use]
    pub fn state_folder(&self) -> &Path {
        &self.state_folder
    }

    /// Renders every file of the plan and returns what `visit` makes of each, in the order of the
    /// plan; `None` for a file that cannot be rendered, whose problems are in the report.
    pub fn each<T: Send>(
        &self,
        progress: &dyn Progress,
        visit: impl Fn(&OutPath, &Job, RenderedFile) -> T + Sync,
    ) -> (Vec<Option<T>>, Report) {
        let jobs: Vec<(&OutPath, &Job)> = self.renderer.plan().jobs.iter().collect();
        progress.stage("Checking", jobs.len());
        let visited: Vec<Result<T, Report>> = self.pool.install(|| {
            jobs.par_iter()
                .map(|(out, job)| {
                    let result = self.render(job).map(|file| visit(out, job, file));
                    progress.step();
                    result
                })
                .collect()
        });
        let mut report = Report::default();
        let results = visited
            .into_iter()
            .map(|result| result.map_err(|problems| report.extend(problems)).ok())
            .collect();
        (results, report)
    }

    fn render(&self, job: &Job) -> Result<RenderedFile, Report> {
        match self.renderer.render(job)?.content {
            Content::Bytes(bytes) => Ok(RenderedFile::Bytes(bytes)),
            Content::Copy(CopyFrom::Theme { bytes, .. }) => {
                Ok(RenderedFile::Copy(bytes.len() as u64))
            }
            Content::Copy(CopyFrom::Site(source)) => match self.disk.stamp(&source) {
                Some(stamp) => Ok(RenderedFile::Copy(stamp.size)),
                None => Err(Report::of(
                    Diagnostic::error("this file was removed while the site was checked")
                        .in_file(source.as_str()),
                )),
            },
        }
    }

    /// The bytes of a copied file; `None` when it can no longer be read.
    #[must_use]
    pub fn read_copy(&self, from: &CopyFrom) -> Option<Vec<u8>> {
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

    /// A report that can be shown, as [`finish_report`] makes it.
    #[must_use]
    pub fn finish_report(&self, report: Report) -> LocatedReport {
        finish_report(report, &self.disk)
    }
}

fn prepare(
    options: &SessionOptions,
    disk: &Disk,
    progress: &dyn Progress,
) -> Result<(Renderer, PathBuf, Report), Report> {
    let mut session = Session::open(disk, options)?;
    let mut report = session.site_problems();
    let parsed = session.parse(Highlighting::Now, progress);
    parsed.errors.into_values().for_each(|errors| report.extend(errors));
    let (plan, problems) = plan::arrange(
        parsed.docs,
        &parsed.faulty,
        &session.sources,
        &session.config,
        options.visibility,
    );
    report.extend(problems);
    let source_problems = plan::check_sources(&plan, &session.config);
    // When no page can be rendered, the rules about pages cannot report the rest.
    let all_problems = plan::check(&plan, &session.config);
    let table = session.content_table(&plan);
    let renderer = session.renderer(plan, &table).map_err(|problems| {
        let mut report = report.clone();
        report.extend(problems);
        report.extend(all_problems);
        report
    })?;
    report.extend(source_problems);
    report.extend(renderer.unknown_names());
    report.extend(renderer.unknown_routes());
    let cache_problems = std::mem::take(&mut session.problems.cache);
    let state_folder = session.state_folder().to_owned();
    // An article with errors is not cached: it has to be parsed again for them to be reported
    // again.
    if !report.has_errors()
        && let Err(e) = session.save()
    {
        let reason = crate::load::reason(&e);
        report.push(Diagnostic::warning(format!("the cache cannot be saved: {reason}")));
    }
    report.extend(cache_problems);
    Ok((renderer, state_folder, report))
}
