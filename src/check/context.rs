//! What every rule can ask about the site as a whole.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use url::Url;

use super::page_kind::PageKind;
use crate::config::Config;
use crate::diag::nearest;
use crate::host_rules::{self, Redirect};
use crate::paths::{OutPath, Route};
use crate::plan::{Job, JobKind, Plan};
use crate::render::Renderer;
use crate::session::DryRun;

/// The site that is checked.
pub struct Context<'a> {
    pub dry_run: &'a DryRun,
    pub renderer: &'a Renderer,
    pub plan: &'a Plan,
    pub config: &'a Config,
    /// The scheme, host and port of the published site.
    pub origin: String,
    /// The files of the output; rules refer to a file by its index here.
    pub jobs: Vec<(&'a OutPath, &'a Job)>,
    numbers: BTreeMap<&'a OutPath, usize>,
    /// The rules of `_redirects`.
    pub redirects: Vec<Redirect>,
    /// Broken path → the most similar page, since the same broken link may occur on every page.
    nearest_pages: Mutex<BTreeMap<String, Option<String>>>,
}

impl<'a> Context<'a> {
    /// The context of a site that was opened for a dry run.
    #[must_use]
    pub fn new(dry_run: &'a DryRun) -> Self {
        let renderer = dry_run.renderer();
        let (plan, config) = (renderer.plan(), renderer.config());
        let jobs: Vec<(&OutPath, &Job)> = plan.jobs.iter().collect();
        let redirects = jobs.iter().find(|(out, _)| out.as_str() == "_redirects").and_then(
            |(_, job)| match &job.kind {
                JobKind::Copy(from) => dry_run.read_copy(from),
                _ => None,
            },
        );
        Self {
            dry_run,
            renderer,
            plan,
            config,
            origin: Url::parse(config.base_url.origin())
                .map(|url| url.origin().ascii_serialization())
                .unwrap_or_default(),
            numbers: jobs.iter().enumerate().map(|(number, (out, _))| (*out, number)).collect(),
            jobs,
            redirects: redirects
                .map(|bytes| host_rules::redirects(&String::from_utf8_lossy(&bytes)))
                .unwrap_or_default(),
            nearest_pages: Mutex::default(),
        }
    }

    /// The file at a path below the base URL, as hosts resolve it ([`Plan::answers`]).
    #[must_use]
    pub fn job_at(&self, path: &str) -> Option<usize> {
        let at = |path: &str| {
            Some(
                *self
                    .numbers
                    .get(&Route::parse(&crate::paths::percent_encode(path)).ok()?.out_path())?,
            )
        };
        at(path).or_else(|| (!path.ends_with('/')).then(|| at(&format!("{path}/"))).flatten())
    }

    /// The page of the site whose path is most similar to that of a URL, if any is similar.
    #[must_use]
    pub fn nearest_page(&self, url: &str) -> Option<String> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if let Some(known) = self.nearest_pages.lock().get(path) {
            return known.clone();
        }
        let pages = self
            .jobs
            .iter()
            .filter(|(out, job)| PageKind::of(out, job).is_some_and(PageKind::is_templated));
        let near = nearest(path, pages.map(|(_, job)| job.route.as_str())).map(str::to_owned);
        self.nearest_pages.lock().insert(path.to_owned(), near.clone());
        near
    }
}
