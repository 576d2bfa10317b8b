//! A site that stays planned while it is edited, and renders the pages that are looked at.
//!
//! [`LiveSite`] belongs to one thread, which tells it what to rescan. It updates a [`Preview`],
//! which any number of threads ask for pages. Nothing is written to an output folder. Parsed
//! articles are shared with builds through the cache under `.folio/`, which is locked only while it
//! is read and written.
//!
//! An edit of texts alone replaces them in the current plan; an edit that affects where articles
//! are placed or listed makes a new plan. In both cases the last valid state stays visible: an
//! article that cannot be parsed keeps its last text, and templates with errors keep their last
//! version.

mod article;
mod edits;
mod page_cache;
mod plan_queries;
mod preview;
mod problems;
mod replan;
mod scan_scope;
mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::config::Overrides;
use crate::diag::{Diagnostic, LocatedReport, Report};
use crate::load::Disk;
use crate::paths::{Route, SourcePath};
use crate::plan::Visibility;
use crate::session::{NoProgress, Progress, SessionOptions, finish_report};
use state::{EditOutcome, State};

pub use page_cache::RenderedPage;
pub use preview::{Preview, Publication, Resource, ResourceKind};
pub use scan_scope::ScanScope;

/// Which site to keep live, and how.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    pub root: std::path::PathBuf,
    pub include_drafts: bool,
    pub include_future: bool,
    pub clock: Clock,
    /// See [`SessionOptions::program`].
    pub program: String,
}

/// What counts as now.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system clock.
    System,
    Fixed(Timestamp),
}

impl Clock {
    fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(now) => now,
        }
    }
}

/// What a rescan found.
#[derive(Debug)]
pub struct Change {
    /// The changed files, sorted by path.
    pub files: Vec<SourcePath>,
    /// The routes of changed files that are published unchanged.
    pub assets: Vec<Route>,
    /// How many visible pages changed: those open in a browser, and those of the edited articles.
    pub pages: usize,
    pub time: Duration,
}

/// A site that stays planned.
pub struct LiveSite {
    options: LiveOptions,
    disk: Disk,
    preview: Arc<Preview>,
    state: Option<State>,
    /// Why the site cannot be planned at all.
    start_problems: Report,
    /// What [`LiveSite::new_report`] returned last.
    reported: Option<Report>,
}

impl LiveSite {
    /// A site that has not been read yet: [`LiveSite::start`] does that.
    ///
    /// # Errors
    /// When the folder does not exist.
    pub fn open(options: LiveOptions) -> Result<Self, Report> {
        let disk = Disk::open(&options.root).map_err(Report::of)?;
        let preview = Arc::new(Preview::new(disk.clone()));
        Ok(Self {
            options,
            disk,
            preview,
            state: None,
            start_problems: Report::default(),
            reported: None,
        })
    }

    /// Reads and plans the site. A site with errors is shown as far as possible;
    /// [`LiveSite::new_report`] returns the errors.
    pub fn start(&mut self, progress: &dyn Progress) {
        let session = SessionOptions {
            root: self.options.root.clone(),
            overrides: Overrides::default(),
            visibility: self.visibility(),
            jobs: None,
            use_cache: true,
            program: self.options.program.clone(),
        };
        match State::start(&self.disk, &session, &self.preview, progress) {
            Ok(state) => {
                self.start_problems = Report::default();
                self.state = Some(state);
            }
            Err(report) => self.start_problems = report,
        }
    }

    /// The pages to show.
    #[must_use]
    pub fn preview(&self) -> Arc<Preview> {
        Arc::clone(&self.preview)
    }

    /// The site's folder, with symbolic links resolved.
    #[must_use]
    pub fn root(&self) -> &std::path::Path {
        self.disk.root()
    }

    /// A file outside of the site's folders that the site reads, relative to its root.
    #[must_use]
    pub fn unlisted_file(&self) -> Option<SourcePath> {
        self.state.as_ref().and_then(State::unlisted_file)
    }

    /// Whether the site has symbolic links, whose targets may change unseen by the watcher.
    #[must_use]
    pub fn has_symlinks(&self) -> bool {
        self.state.as_ref().is_some_and(State::has_symlinks)
    }

    fn visibility(&self) -> Visibility {
        Visibility {
            include_drafts: self.options.include_drafts,
            include_future: self.options.include_future,
            now: self.options.clock.now(),
        }
    }

    /// Rescans and takes in what has changed; afterwards the preview shows it.
    pub fn rescan(&mut self, scope: &ScanScope) -> Change {
        let start = Instant::now();
        let visibility = self.visibility();
        let outcome = match &mut self.state {
            Some(state) => state.rescan(scope, &self.disk, visibility, &self.preview),
            None => {
                self.start(&NoProgress);
                EditOutcome::default()
            }
        };
        let pages = self.preview.refresh(self.preview.pages_of(&outcome.files));
        Change { files: outcome.files, assets: outcome.assets, pages, time: start.elapsed() }
    }

    /// When articles next become visible or hidden without an edit.
    #[must_use]
    pub fn next_visibility_change(&self) -> Option<Timestamp> {
        match self.options.clock {
            Clock::System => Timestamp::from_second(self.preview.visible_until()?).ok(),
            Clock::Fixed(_) => None,
        }
    }

    /// Looks for problems that no page waits for: broken links, templates that fail. To be called
    /// after [`LiveSite::rescan`].
    pub fn check(&mut self) {
        if let Some(state) = &mut self.state {
            state.check(&self.preview);
        }
    }

    /// Whether there is deferred work: [`LiveSite::do_deferred_work`].
    #[must_use]
    pub fn has_deferred_work(&self) -> bool {
        self.state.as_ref().is_some_and(State::has_deferred_articles)
    }

    /// Does a small part of the deferred work, which is highlighting code.
    pub fn do_deferred_work(&mut self) {
        if let Some(state) = &mut self.state {
            state.highlight_deferred(&self.disk, &self.preview);
        }
    }

    /// Every problem of the site, if that has changed since the last call. Problems of pages are
    /// those of pages that were rendered.
    pub fn new_report(&mut self) -> Option<LocatedReport> {
        let mut report = self.start_problems.clone();
        let edited = self.state.as_ref().map_or(&[][..], |state| &state.edited);
        if let Some(state) = &self.state {
            report.extend(state.problems());
        }
        report.extend(self.preview.failures());
        // An equal report may point at lines of an edited file that have changed.
        if self.reported.as_ref() == Some(&report)
            && !edited.iter().any(|file| report.mentions(file.as_str()))
        {
            return None;
        }
        self.reported = Some(report.clone());
        Some(finish_report(report, &self.disk))
    }

    /// The number of visible articles.
    #[must_use]
    pub fn articles(&self) -> usize {
        self.preview.articles()
    }

    /// Saves parsed articles for the next build or preview.
    ///
    /// # Errors
    /// When the cache cannot be written to, or a build holds the site's lock.
    pub fn save(&self) -> Result<(), Diagnostic> {
        match &self.state {
            Some(state) => state.save(&self.disk, &self.options.program),
            None => Ok(()),
        }
    }
}
