//! What is wrong with a live site, by where it was found: each finding is replaced by the next look at its place.

use super::article::Article;
use crate::diag::Report;

/// Everything that is wrong but with articles and with single pages.
#[derive(Default)]
pub(super) struct Problems {
    pub config: Report,
    pub load: Report,
    pub plan: Report,
    /// What a finished plan shows.
    pub check: Report,
    pub templates: Report,
    pub counters: Report,
    pub store: Report,
}

impl Problems {
    /// All of them, with those of articles.
    pub(super) fn all<'a>(&self, articles: impl Iterator<Item = &'a Article>) -> Report {
        let Self { config, load, plan, check, templates, counters, store } = self;
        let mut all = Report::default();
        for report in [config, load, plan, check, templates, counters, store].into_iter().chain(articles.map(|a| &a.errors)) {
            if !report.is_empty() {
                all.extend(report.clone());
            }
        }
        all
    }
}
