//! A site that is kept planned while it is edited, and rendered when it is looked at.
//!
//! [`Live`] belongs to one thread, which tells it where to look; what it makes of the site it puts into a
//! [`Preview`], which any number of threads ask for pages. Nothing is written to an output. What was parsed is
//! shared with builds through the store under `.folio/`, which is locked only while it is read and written.
//!
//! An edit of texts alone puts the new ones into the plan that stands; anything by which articles are placed,
//! named or grouped makes a new plan. Either way what is wrong is left as it last was right: an article that
//! cannot be parsed keeps its last text, templates that cannot be read keep their last state.

mod article;
mod kept;
mod looking;
mod preview;
mod problems;
mod samples;
mod start;
mod state;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use preview::{Found, Preview, Shown, Standing, What};
use state::{State, Taken};

use super::{Progress, finished};
use crate::diag::{Diagnostic, Report};
use crate::load::Disk;
use crate::paths::{Route, SourcePath};
use crate::plan::{Shown as Show, Visibility};

/// What to keep live, and how.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    pub root: std::path::PathBuf,
    pub drafts: Show,
    pub future: Show,
    pub clock: Clock,
    /// See [`super::Options::program`].
    pub program: String,
}

/// What counts as now.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock, as time goes on.
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

/// Where something may have changed. It says where to look and nothing more: contents decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    Everywhere,
    /// At and below these paths, each below one of the site's folders, or at a file beside `site.toml`.
    At(BTreeSet<SourcePath>),
}

/// What a look came to.
#[derive(Debug)]
pub struct Change {
    /// The files that have changed, in order.
    pub files: Vec<SourcePath>,
    /// The addresses of changed files that are published as they are.
    pub assets: Vec<Route>,
    /// How many pages are to be seen that have changed: those that are open in a browser, and the pages of the
    /// articles that were edited.
    pub pages: usize,
    pub time: Duration,
}

/// A site that is kept planned.
pub struct Live {
    options: LiveOptions,
    disk: Disk,
    preview: Arc<Preview>,
    state: Option<State>,
    /// What keeps the site from being planned at all.
    hopeless: Report,
    /// What was told last to be wrong.
    told: Option<Report>,
}

impl Live {
    /// A site in this folder, of which nothing is known yet: [`Live::start`] reads it.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn open(options: LiveOptions) -> Result<Self, Report> {
        let disk = Disk::open(&options.root).map_err(Report::of)?;
        let preview = Arc::new(Preview::new(disk.clone()));
        Ok(Self { options, disk, preview, state: None, hopeless: Report::default(), told: None })
    }

    /// Reads the site. One with errors is live too, as far as it goes: [`Live::news`] tells them.
    pub fn start(&mut self, progress: &dyn Progress) {
        match State::start(&self.disk, &self.options.program, self.visibility(), &self.preview, progress) {
            Ok(state) => {
                self.hopeless = Report::default();
                self.state = Some(state);
            }
            Err(report) => self.hopeless = report,
        }
    }

    /// What is to be shown.
    #[must_use]
    pub fn preview(&self) -> Arc<Preview> {
        Arc::clone(&self.preview)
    }

    /// The site's folder, links resolved.
    #[must_use]
    pub fn root(&self) -> &std::path::Path {
        self.disk.root()
    }

    /// A file beside the site's folders that it reads, below its root.
    #[must_use]
    pub fn outlying(&self) -> Option<SourcePath> {
        self.state.as_ref().and_then(State::outlying)
    }

    /// Whether the site has symbolic links, of whose targets no event may tell.
    #[must_use]
    pub fn has_links(&self) -> bool {
        self.state.as_ref().is_some_and(State::has_links)
    }

    fn visibility(&self) -> Visibility {
        Visibility { drafts: self.options.drafts, future: self.options.future, now: self.options.clock.now() }
    }

    /// Looks for changes and takes them in; afterwards [`Live::preview`] shows them.
    pub fn look(&mut self, look: &Look) -> Change {
        let start = Instant::now();
        let visibility = self.visibility();
        let taken = match &mut self.state {
            Some(state) => state.look(look, &self.disk, visibility, &self.preview),
            None => {
                self.start(&Quiet);
                Taken { files: Vec::new(), assets: Vec::new() }
            }
        };
        let pages = self.preview.refresh(self.preview.pages_of(&taken.files));
        Change { files: taken.files, assets: taken.assets, pages, time: start.elapsed() }
    }

    /// When articles next come to be seen or no longer are, whatever is edited.
    #[must_use]
    pub fn next_turn(&self) -> Option<Timestamp> {
        let until = self.preview.until()?;
        matches!(self.options.clock, Clock::System).then(|| Timestamp::from_second(until).ok()).flatten()
    }

    /// Looks for what else is wrong: links that lead nowhere, templates that fail. For after a [`Live::look`], since
    /// nobody waits for it to see a page.
    pub fn check(&mut self) {
        if let Some(state) = &mut self.state {
            state.check(&self.preview);
        }
    }

    /// Whether there is work that nobody waits for: [`Live::go_on`].
    #[must_use]
    pub fn has_more_to_do(&self) -> bool {
        self.state.as_ref().is_some_and(State::has_postponed)
    }

    /// Does a little of the work that nobody waits for.
    pub fn go_on(&mut self) {
        if let Some(state) = &mut self.state {
            state.go_on(&self.disk, &self.preview);
        }
    }

    /// Everything that is wrong, ready to be shown, when that is not what was told last. Errors of pages are those of
    /// pages that were rendered.
    pub fn news(&mut self) -> Option<Report> {
        let mut report = self.hopeless.clone();
        let edited = self.state.as_ref().map_or(&[][..], |state| &state.edited);
        if let Some(state) = &self.state {
            report.extend(state.problems());
        }
        report.extend(self.preview.failures());
        // The same may be said of a line that is another one now.
        if self.told.as_ref() == Some(&report) && !edited.iter().any(|file| report.tells_of(file.as_str())) {
            return None;
        }
        self.told = Some(report.clone());
        Some(finished(report, &self.disk))
    }

    /// Articles that are shown.
    #[must_use]
    pub fn articles(&self) -> usize {
        self.preview.articles()
    }

    /// Keeps what was parsed for the next build or preview.
    ///
    /// # Errors
    /// When the store cannot be written to, or a build holds it.
    pub fn keep(&self) -> Result<(), Diagnostic> {
        match &self.state {
            Some(state) => state.keep(&self.disk, &self.options.program),
            None => Ok(()),
        }
    }
}

/// Tells nobody.
struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _: &'static str, _: usize) {}
    fn step(&self) {}
}
