//! The problems of a live site, by the step that found them. Each step replaces its own.

use super::article::LiveArticle;
use crate::diag::Report;

/// Every problem except those of articles and of single pages.
#[derive(Default)]
pub(super) struct Problems {
    pub config: Report,
    pub scan: Report,
    pub plan: Report,
    /// Found by [`crate::plan::check`].
    pub check: Report,
    pub templates: Report,
    pub counters: Report,
    pub cache: Report,
}

impl Problems {
    /// All of them, with those of articles.
    pub(super) fn all<'a>(&self, articles: impl Iterator<Item = &'a LiveArticle>) -> Report {
        let Self { config, scan, plan, check, templates, counters, cache } = self;
        let mut all = Report::default();
        let steps = [config, scan, plan, check, templates, counters, cache].into_iter();
        for report in steps.chain(articles.map(|a| &a.errors)).filter(|r| !r.is_empty()) {
            all.extend(report.clone());
        }
        all
    }
}
