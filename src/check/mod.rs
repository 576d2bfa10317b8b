//! `folio check`: says whether a site may go out. It may not write to an output, and changes nothing of the site.
//!
//! The pipeline renders every file ([`Survey`]); each page's HTML is read once into [`facts`], held against the rules
//! about pages, and dropped. What rules about the whole site need is kept ([`page::Kept`]), so that memory does not
//! grow with the sum of pages' texts. Findings become diagnostics in one report with what a build would say.
//!
//! A rule is one function in [`rules`], a line in its list there, and a line in `config::checks`.

mod address;
mod context;
mod external;
pub mod facts;
mod finding;
mod page;
mod report;
pub mod rules;
mod site;

pub use external::Counts;
pub use report::{json, summary};

use context::Context;
use site::{Site, look};

use crate::diag::Report;
use crate::paths::OutPath;
use crate::pipeline::{self, Progress, Survey};
use crate::plan::Job;

/// What to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// The site, and which articles of it. Nothing is built, so that the output folder says nothing here.
    pub site: pipeline::Options,
    pub external: External,
}

/// Whether links to other hosts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum External {
    Yes,
    No,
}

/// What a check came to.
#[derive(Debug, Default)]
pub struct Checked {
    pub report: Report,
    /// How many articles there are.
    pub articles: usize,
    /// How many files the output would have.
    pub files: usize,
    /// What became of the links to other hosts, when they were looked at.
    pub external: Option<Counts>,
}

/// Checks a site. Everything that is wrong comes in the report, which is the same for any number of threads.
#[must_use]
pub fn run(options: &Options, progress: &dyn Progress) -> Checked {
    let mut survey = match Survey::open(&options.site, progress) {
        Ok(survey) => survey,
        Err(report) => return Checked { report, ..Checked::default() },
    };
    let mut report = std::mem::take(&mut survey.report);
    let context = Context::new(&survey);
    let (looked, problems) = survey.each(progress, |out: &OutPath, job: &Job, made| look(&context, out, job, made));
    report.extend(problems);
    let mut found = Vec::new();
    let mut files = Vec::with_capacity(looked.len());
    for result in looked {
        files.push(result.map(|(file, on_page)| {
            found.extend(on_page);
            file
        }));
    }
    let site = Site { context: &context, files };
    found.extend(rules::on_site(&site));
    let external = (options.external == External::Yes).then(|| {
        external::check(&site, &survey, &options.site, progress).map(|(findings, counts, warning)| {
            found.extend(findings);
            report.extend(warning.into_iter().collect());
            counts
        })
    });
    let external = match external.transpose() {
        Ok(counts) => counts,
        Err(error) => {
            report.push(error);
            None
        }
    };
    report.extend(finding::report(found));
    Checked { report: survey.finished(report), articles: context.plan.pages.len(), files: context.jobs.len(), external }
}
