//! What a site looks like now: routes are found in its plan, and pages rendered when they are asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use super::kept::{Kept, Page};
use crate::diag::{Diagnostic, Report};
use crate::load::Disk;
use crate::memo::Mark;
use crate::paths::{OutPath, Route, SourcePath};
use crate::pipeline::files::Handles;
use crate::pipeline::stored::Table;
use crate::plan::{CopyFrom, JobKind, Plan};
use crate::render::{Content, Renderer};

/// A site to look at, shared by the threads that serve it and the one that changes it.
pub struct Preview {
    disk: Disk,
    site: RwLock<Option<Site>>,
    kept: Mutex<Kept>,
    /// Pages that could not be rendered, with the generation in which that was tried.
    failed: Mutex<BTreeMap<OutPath, (u64, Report)>>,
    failures_seen: AtomicU64,
    /// The pages that browsers have open, by the number of the browser's connection.
    open: Mutex<HashMap<u64, OutPath>>,
}

/// The site as it was last planned.
pub(super) struct Site {
    pub renderer: Renderer,
    /// What the renderer's inputs know of files.
    pub table: Arc<RwLock<Table>>,
    pub prefix: String,
    /// Grows with every change.
    pub generation: u64,
    /// Where pages have gone that are no longer at these routes.
    pub moves: HashMap<Route, Route>,
    /// When it was planned.
    pub now: jiff::Timestamp,
    /// The seconds around then in which the same articles are to be seen.
    pub span: (i64, i64),
}

/// Something that a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub out: OutPath,
    pub what: What,
    pub standing: Standing,
}

/// What kind of thing it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// To be rendered: [`Preview::page`].
    Page,
    /// A file of the site, at this place on disk.
    File(PathBuf),
    /// A file of the default theme.
    Theme(&'static [u8]),
}

/// Whether visitors of the published site would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Published,
    Draft,
    /// From this day on.
    Future(jiff::civil::Date),
}

/// A page's bytes.
#[derive(Clone, Debug)]
pub struct Shown {
    pub bytes: Arc<[u8]>,
    /// The mark of the bytes.
    pub mark: Mark,
}

/// Of so many edited articles the pages are rendered to see whether they can be.
const LOOKED_AT: usize = 64;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Preview {
    pub(super) fn new(disk: Disk) -> Self {
        Self {
            disk,
            site: RwLock::new(None),
            kept: Mutex::default(),
            failed: Mutex::default(),
            failures_seen: AtomicU64::new(0),
            open: Mutex::default(),
        }
    }

    fn site(&self) -> RwLockReadGuard<'_, Option<Site>> {
        self.site.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into the plan.
    pub(super) fn with_plan<T>(&self, look: impl FnOnce(&Plan) -> T) -> Option<T> {
        self.site().as_ref().map(|site| look(site.renderer.plan()))
    }

    /// Whether there is a plan, and the same articles are to be seen as when it was made.
    pub(super) fn holds_at(&self, now: jiff::Timestamp) -> bool {
        self.site().as_ref().is_some_and(|site| (site.span.0..site.span.1).contains(&now.as_second()))
    }

    /// The second in which other articles are to be seen.
    pub(super) fn until(&self) -> Option<i64> {
        self.site().as_ref().map(|site| site.span.1)
    }

    /// A number that grows with every change of what is to be seen.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.site().as_ref().map_or(0, |site| site.generation)
    }

    /// Takes in where an article lies now that is the same as before.
    pub(super) fn put(&self, source: &SourcePath, handles: Handles) {
        if let Some(site) = self.site().as_ref()
            && let Some(node) = site.renderer.plan().by_source.get(source)
        {
            site.table.write().unwrap_or_else(PoisonError::into_inner).put(*node, handles);
        }
    }

    /// Where pages go with a new plan.
    pub(super) fn moves_to(&self, new: &Plan, renamed: &BTreeMap<SourcePath, SourcePath>) -> HashMap<Route, Route> {
        self.site().as_ref().map(|site| site.moves_to(new, renamed)).unwrap_or_default()
    }

    /// Changes the site in place, once nobody is rendering a page of it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Site) -> T) -> Option<T> {
        let mut site = self.site.write().unwrap_or_else(PoisonError::into_inner);
        let site = site.as_mut()?;
        site.generation += 1;
        Some(change(site))
    }

    /// Puts another site in the place of this one, whose generation it goes on from.
    pub(super) fn replace(&self, mut new: Site) {
        let mut site = self.site.write().unwrap_or_else(PoisonError::into_inner);
        new.generation = site.as_ref().map_or(1, |old| old.generation + 1);
        let old = site.replace(new);
        drop(site);
        // A large site takes a while to be taken apart.
        std::thread::spawn(move || drop(old));
    }

    /// Articles that are shown.
    #[must_use]
    pub fn articles(&self) -> usize {
        self.with_plan(|plan| plan.pages.len()).unwrap_or(0)
    }

    /// Whether there is anything to show: not while a site's configuration has never been right.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.site().is_some()
    }

    /// The path that the site's own lies below, without a slash at its end: `""` or `/blog`.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.site().as_ref().map(|site| site.prefix.clone()).unwrap_or_default()
    }

    /// What answers at exactly this route.
    #[must_use]
    pub fn find(&self, route: &Route) -> Option<Found> {
        let out = route.out_path();
        let site = self.site();
        let site = site.as_ref()?;
        let job = site.renderer.plan().jobs.get(&out)?;
        let what = match &job.kind {
            JobKind::Copy(CopyFrom::Site(source)) => What::File(self.disk.place(source)?),
            JobKind::Copy(CopyFrom::Theme { bytes, .. }) => What::Theme(bytes),
            _ => What::Page,
        };
        Some(Found { out, what, standing: site.standing(&job.kind) })
    }

    /// The content of a small file of the output that steers a host, such as `_redirects`.
    #[must_use]
    pub fn steering(&self, name: &str) -> Option<String> {
        const LARGEST: u64 = 1 << 20;
        let source = self.with_plan(|plan| match &plan.jobs.get(&OutPath::new(name).ok()?)?.kind {
            JobKind::Copy(CopyFrom::Site(source)) => Some(source.clone()),
            _ => None,
        })??;
        let small = self.disk.stamp(&source).is_some_and(|stamp| stamp.size <= LARGEST);
        small.then(|| self.disk.text(&source).ok()).flatten()
    }

    /// Where a page has gone that was at this route before it was renamed.
    #[must_use]
    pub fn moved(&self, route: &Route) -> Option<Route> {
        let site = self.site();
        let site = site.as_ref()?;
        let to = site.moves.get(route)?;
        site.renderer.plan().jobs.contains_key(&to.out_path()).then(|| to.clone())
    }

    /// Renders a page, or takes it as it was rendered before while it is still right. A page that cannot be rendered
    /// now is shown as it last was.
    ///
    /// # Errors
    /// Why the page cannot be rendered, when it never could.
    pub fn page(&self, out: &OutPath) -> Result<Shown, Report> {
        let site = self.site();
        let Some(site) = site.as_ref() else { return Err(gone()) };
        let Some(job) = site.renderer.plan().jobs.get(out) else { return Err(gone()) };
        let before = lock(&self.kept).get(out);
        if let Some(page) = &before
            && page.generation == site.generation
        {
            return Ok(page.shown());
        }
        if let Some((generation, report)) = lock(&self.failed).get(out)
            && *generation == site.generation
        {
            return before.map_or_else(|| Err(report.clone()), |page| Ok(page.shown()));
        }
        let parts = Arc::new(site.renderer.parts(job));
        if let Some(page) = before.as_ref().filter(|page| page.is_right(&parts, &site.renderer)) {
            let page = Page { generation: site.generation, ..page.clone() };
            lock(&self.kept).put(out, page.clone());
            lock(&self.failed).remove(out);
            return Ok(page.shown());
        }
        match site.render(job) {
            Ok((bytes, trace)) => {
                let mark = Mark::of(&bytes);
                let page = Page { generation: site.generation, parts, trace: Arc::new(trace), bytes: bytes.into(), mark };
                lock(&self.kept).put(out, page.clone());
                lock(&self.failed).remove(out);
                Ok(page.shown())
            }
            Err(report) => {
                self.fail(out, site.generation, &report);
                before.map_or(Err(report), |page| Ok(page.shown()))
            }
        }
    }

    /// A report with the lines that it points at.
    #[must_use]
    pub fn explain(&self, report: Report) -> Report {
        crate::pipeline::finished(report, &self.disk)
    }

    fn fail(&self, out: &OutPath, generation: u64, report: &Report) {
        let old = lock(&self.failed).insert(out.clone(), (generation, report.clone()));
        if old.is_none_or(|(_, old)| old != *report) {
            self.failures_seen.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A number that grows when a page is found that cannot be rendered.
    #[must_use]
    pub fn failures_seen(&self) -> u64 {
        self.failures_seen.load(Ordering::Relaxed)
    }

    /// The pages of these files.
    pub(super) fn pages_of(&self, files: &[SourcePath]) -> Vec<OutPath> {
        let pages = |plan: &Plan| {
            let routes = files.iter().filter_map(|file| plan.by_source.get(file)).map(|node| plan.route_of(*node).out_path());
            routes.filter(|out| plan.jobs.contains_key(out)).take(LOOKED_AT).collect()
        };
        self.with_plan(pages).unwrap_or_default()
    }

    /// Why pages cannot be rendered.
    pub(super) fn failures(&self) -> Report {
        let mut all = Report::default();
        for (_, report) in lock(&self.failed).values() {
            all.extend(report.clone());
        }
        all
    }

    /// Tries failed pages again, forgetting those that are no longer there.
    pub(super) fn retry(&self) {
        let outs: Vec<OutPath> = lock(&self.failed).keys().cloned().collect();
        for out in outs {
            if self.with_plan(|plan| plan.jobs.contains_key(&out)) == Some(true) {
                let _ = self.page(&out);
            } else {
                lock(&self.failed).remove(&out);
            }
        }
    }

    /// Notes that a browser has a page open.
    pub fn opened(&self, connection: u64, out: OutPath) {
        lock(&self.open).insert(connection, out);
    }

    /// Notes that it has it no longer.
    pub fn closed(&self, connection: u64) {
        lock(&self.open).remove(&connection);
    }

    /// Renders these pages and those that are open, and counts the ones that have changed.
    pub(super) fn refresh(&self, mut pages: Vec<OutPath>) -> usize {
        pages.extend(lock(&self.open).values().cloned());
        pages.sort();
        pages.dedup();
        let changed = |out: &&OutPath| {
            let before = lock(&self.kept).get(out).map(|page| page.mark);
            self.page(out).is_ok_and(|shown| before != Some(shown.mark))
        };
        pages.iter().filter(changed).count()
    }
}

fn gone() -> Report {
    Report::of(Diagnostic::error("this page is no longer there"))
}

impl Page {
    fn shown(&self) -> Shown {
        Shown { bytes: Arc::clone(&self.bytes), mark: self.mark }
    }

    fn is_right(&self, parts: &[(crate::render::Part, Mark)], renderer: &Renderer) -> bool {
        **self.parts == *parts && self.trace.iter().all(|(call, mark)| renderer.ask_again(call) == *mark)
    }
}

impl Site {
    fn render(&self, job: &crate::plan::Job) -> Result<(Vec<u8>, crate::render::Trace), Report> {
        let rendered = self.renderer.render(job)?;
        let bytes = match rendered.content {
            Content::Bytes(bytes) => bytes,
            Content::Copy(CopyFrom::Site(source)) => self.renderer.file(&source).map_err(Report::of)?,
            Content::Copy(CopyFrom::Theme { bytes, .. }) => bytes.to_vec(),
        };
        Ok((bytes, rendered.trace))
    }

    fn standing(&self, kind: &JobKind) -> Standing {
        let JobKind::Page(id) = kind else { return Standing::Published };
        let page = &self.renderer.plan().pages[*id];
        match page.doc.front.date {
            _ if page.doc.front.draft => Standing::Draft,
            Some(date) if page.instant.is_some_and(|at| at > self.now.as_second()) => Standing::Future(date.civil.date()),
            _ => Standing::Published,
        }
    }

    /// Where pages go with a new plan: those of a file that has another route now, those of a file that went away while one
    /// with the same content came, and those that had moved before.
    fn moves_to(&self, new: &Plan, renamed: &BTreeMap<SourcePath, SourcePath>) -> HashMap<Route, Route> {
        let old = self.renderer.plan();
        let mut moves = HashMap::new();
        for page in &old.pages {
            let source = renamed.get(&page.doc.source).unwrap_or(&page.doc.source);
            if let Some(node) = new.by_source.get(source) {
                let to = new.route_of(*node);
                if *to != page.route {
                    moves.insert(page.route.clone(), to.clone());
                }
            }
        }
        let further = |to: &Route| moves.get(to).unwrap_or(to).clone();
        let before: Vec<_> = self.moves.iter().map(|(from, to)| (from.clone(), further(to))).collect();
        moves.extend(before);
        moves.retain(|from, to| from != to && !new.jobs.contains_key(&from.out_path()) && new.jobs.contains_key(&to.out_path()));
        moves
    }
}
