//! What every rule may ask about the site as a whole.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Url;

use super::page::Kind;
use crate::config::Config;
use crate::diag::nearest;
use crate::paths::{OutPath, Route};
use crate::pipeline::Survey;
use crate::plan::{Hidden, Job, JobKind, Node, Plan};
use crate::render::Renderer;
use crate::rules::{self, Redirect};

/// The site that is checked.
pub struct Context<'a> {
    pub survey: &'a Survey,
    pub renderer: &'a Renderer,
    pub plan: &'a Plan,
    pub config: &'a Config,
    /// Scheme, host and port that the site is published under.
    pub origin: String,
    /// The files of the output; rules know a file by its number here.
    pub jobs: Vec<(&'a OutPath, &'a Job)>,
    numbers: BTreeMap<&'a OutPath, usize>,
    /// What `_redirects` says.
    pub redirects: Vec<Redirect>,
    /// What each address that leads nowhere was most likely meant for: the same one may stand on every page.
    near: Mutex<BTreeMap<String, Option<String>>>,
    /// Whether every article could be read: else what is not there may only be missing for that reason.
    pub articles: Articles,
}

/// Whether every article could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Articles {
    All,
    Some,
}

impl<'a> Context<'a> {
    #[must_use]
    pub fn new(survey: &'a Survey) -> Self {
        let renderer = survey.renderer();
        let (plan, config) = (renderer.plan(), renderer.config());
        let jobs: Vec<(&OutPath, &Job)> = plan.jobs.iter().collect();
        let unread = plan.hidden.values().any(|why| *why == Hidden::Unreadable);
        let redirects = jobs.iter().find(|(out, _)| out.as_str() == "_redirects").and_then(|(_, job)| match &job.kind {
            JobKind::Copy(from) => survey.copied(from),
            _ => None,
        });
        Self {
            survey,
            renderer,
            plan,
            config,
            origin: Url::parse(config.base_url.origin()).map(|url| url.origin().ascii_serialization()).unwrap_or_default(),
            numbers: jobs.iter().enumerate().map(|(number, (out, _))| (*out, number)).collect(),
            jobs,
            redirects: redirects.map(|bytes| rules::redirects(&String::from_utf8_lossy(&bytes))).unwrap_or_default(),
            near: Mutex::default(),
            articles: if unread { Articles::Some } else { Articles::All },
        }
    }

    /// The file that answers at a path below the site's address, as hosts resolve it ([`Plan::answers`]).
    #[must_use]
    pub fn job_at(&self, path: &str) -> Option<usize> {
        let at = |path: &str| Some(*self.numbers.get(&Route::parse(&crate::paths::percent_encode(path)).ok()?.out_path())?);
        at(path).or_else(|| (!path.ends_with('/')).then(|| at(&format!("{path}/"))).flatten())
    }

    /// The page of the site whose address is most like this one, if any is.
    #[must_use]
    pub fn near(&self, address: &str) -> Option<String> {
        let path = address.split(['?', '#']).next().unwrap_or_default();
        if let Some(known) = self.near.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return known.clone();
        }
        let pages = self.jobs.iter().filter(|(out, job)| Kind::of(out, job).is_some_and(Kind::is_templated));
        let near = nearest(path, pages.map(|(_, job)| job.route.as_str())).map(str::to_owned);
        self.near.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), near.clone());
        near
    }

    /// The article or section that a file is the page of.
    #[must_use]
    pub fn node(job: &Job) -> Option<Node> {
        match job.kind {
            JobKind::Page(id) => Some(Node::Page(id)),
            JobKind::Section { section, .. } => Some(Node::Section(section)),
            _ => None,
        }
    }
}
