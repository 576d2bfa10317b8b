//! Runs every rule over a site.

use super::context::Context;
use super::finding::{self, Finding};
use super::outcome::{CheckOutcome, LinkCounts};
use super::rules;
use super::site::CheckedSite;
use super::visit::visit;
use crate::config::checks::Level;
use crate::diag::Warned;
use crate::session::{DryRun, Progress, SessionOptions};

/// What to check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    pub session: SessionOptions,
    /// Whether links to other hosts are checked.
    pub external: bool,
}

/// Checks a site. Every problem is in the report, which is the same for any number of threads.
#[must_use]
pub fn run(options: &CheckOptions, progress: &dyn Progress) -> CheckOutcome {
    let mut dry_run = match DryRun::open(&options.session, progress) {
        Ok(dry_run) => dry_run,
        Err(report) => return CheckOutcome { report, ..CheckOutcome::default() },
    };
    let mut report = std::mem::take(&mut dry_run.report);
    let context = Context::new(&dry_run);
    let (visited, problems) =
        dry_run.each(progress, |out, job, file| visit(&context, out, job, file));
    report.extend(problems);
    let mut findings = Vec::new();
    let mut files = Vec::with_capacity(visited.len());
    for result in visited {
        files.push(result.map(|(file, found)| {
            findings.extend(found);
            file
        }));
    }
    let site = CheckedSite { context: &context, files };
    findings.extend(rules::on_site(&site));
    let external =
        if options.external { check_external(&site, options, progress) } else { Warned::default() };
    let counts = external.report_to(&mut report).map(|(found, counts)| {
        findings.extend(found);
        counts
    });
    report.extend(finding::report(findings));
    CheckOutcome {
        report: dry_run.finish_report(report),
        articles: context.plan.pages.len(),
        files: context.jobs.len(),
        external: counts,
    }
}

/// The findings about links to other hosts, and how many links there are.
type ExternalFindings = Option<(Vec<(&'static str, Level, Finding)>, LinkCounts)>;

#[cfg(feature = "external-links")]
fn check_external(
    site: &CheckedSite<'_>,
    options: &CheckOptions,
    progress: &dyn Progress,
) -> Warned<ExternalFindings> {
    match super::external::check(site, &options.session, progress) {
        Ok(Warned { value, warnings }) => Warned { value: Some(value), warnings },
        Err(error) => Warned::with(None, error),
    }
}

#[cfg(not(feature = "external-links"))]
fn check_external(
    _: &CheckedSite<'_>,
    _: &CheckOptions,
    _: &dyn Progress,
) -> Warned<ExternalFindings> {
    let error = crate::diag::Diagnostic::error("this folio cannot check links to other hosts")
        .hint("install folio with the feature `external-links`");
    Warned::with(None, error)
}
