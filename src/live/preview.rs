//! What the site looks like now: routes are looked up in the plan, and pages are rendered when they
//! are requested.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use super::page_cache::{CachedPage, PageCache, RenderedPage};
use crate::cache::Fingerprint;
use crate::dependencies::{DependencyTracker, is_up_to_date};
use crate::diag::{Diagnostic, LocatedReport, Report};
use crate::load::Disk;
use crate::paths::{OutPath, Route, SourcePath};
use crate::plan::{CopyFrom, Job, JobKind, Plan};
use crate::render::{Content, Renderer, Trace};
use crate::session::{ArticleHandles, ContentTable, finish_report};

/// The pages of a site, shared by the threads that serve it and the one that updates it.
pub struct Preview {
    disk: Disk,
    site: RwLock<Option<PlannedSite>>,
    cache: Mutex<PageCache>,
    /// Pages that could not be rendered, with the generation in which that was tried.
    failed: Mutex<BTreeMap<OutPath, (u64, Report)>>,
    failure_count: AtomicU64,
    /// The pages that browsers have open, by the number of the browser's connection.
    open: Mutex<HashMap<u64, OutPath>>,
}

/// The site as it was last planned.
pub(super) struct PlannedSite {
    pub renderer: Renderer,
    pub tracker: DependencyTracker,
    /// The fingerprints and stored articles that the renderer's inputs and the tracker read.
    pub table: Arc<RwLock<ContentTable>>,
    /// Increases with every change.
    pub generation: u64,
    /// Old routes of moved pages → their new routes.
    pub moves: HashMap<Route, Route>,
    /// When the site was planned.
    pub now: jiff::Timestamp,
    /// The seconds since the epoch between which the same articles are visible.
    pub visible: (i64, i64),
}

/// What a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub out: OutPath,
    pub kind: ResourceKind,
    pub publication: Publication,
}

/// What kind of resource it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// Rendered on request: [`Preview::page`].
    Page,
    /// A file of the site, at this path on disk.
    File(PathBuf),
    /// A file of the default theme.
    ThemeFile(&'static [u8]),
}

/// Whether visitors of the published site would see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    Published,
    Draft,
    /// From this day on.
    Future(jiff::civil::Date),
}

/// After an edit of many articles, this many of their pages are rendered to find errors.
const MAX_EDITED_PAGES: usize = 64;

impl Preview {
    pub(super) fn new(disk: Disk) -> Self {
        Self {
            disk,
            site: RwLock::new(None),
            cache: Mutex::default(),
            failed: Mutex::default(),
            failure_count: AtomicU64::new(0),
            open: Mutex::default(),
        }
    }

    fn site(&self) -> RwLockReadGuard<'_, Option<PlannedSite>> {
        self.site.read()
    }

    /// Calls `f` with the plan; `None` when there is none.
    pub(super) fn with_plan<T>(&self, f: impl FnOnce(&Plan) -> T) -> Option<T> {
        self.site().as_ref().map(|site| f(site.renderer.plan()))
    }

    /// Whether there is a plan, and the same articles are visible as when it was made.
    pub(super) fn is_current_at(&self, now: jiff::Timestamp) -> bool {
        self.site()
            .as_ref()
            .is_some_and(|site| (site.visible.0..site.visible.1).contains(&now.as_second()))
    }

    /// The second since the epoch from which other articles are visible.
    pub(super) fn visible_until(&self) -> Option<i64> {
        self.site().as_ref().map(|site| site.visible.1)
    }

    /// A number that increases whenever the site changes.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.site().as_ref().map_or(0, |site| site.generation)
    }

    /// Records where an unchanged article is stored now.
    pub(super) fn set_article(&self, source: &SourcePath, handles: ArticleHandles) {
        if let Some(site) = self.site().as_ref()
            && let Some(node) = site.renderer.plan().by_source.get(source)
        {
            site.table.write().set_article(*node, handles);
        }
    }

    /// Old route → new route of the pages that a new plan moves.
    pub(super) fn moves_to(
        &self,
        new: &Plan,
        renamed: &BTreeMap<SourcePath, SourcePath>,
    ) -> HashMap<Route, Route> {
        self.site().as_ref().map(|site| site.moves_to(new, renamed)).unwrap_or_default()
    }

    /// Changes the site in place, while no page of it is being rendered.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut PlannedSite) -> T) -> Option<T> {
        let mut site = self.site.write();
        let site = site.as_mut()?;
        site.generation += 1;
        Some(change(site))
    }

    /// Replaces the site. Its generation continues that of the old one.
    pub(super) fn replace(&self, mut new: PlannedSite) {
        let mut site = self.site.write();
        new.generation = site.as_ref().map_or(1, |old| old.generation + 1);
        let old = site.replace(new);
        drop(site);
        // Freeing a large site takes a while.
        std::thread::spawn(move || drop(old));
    }

    /// The number of visible articles.
    #[must_use]
    pub fn articles(&self) -> usize {
        self.with_plan(|plan| plan.pages.len()).unwrap_or(0)
    }

    /// Whether there is a site to show; not before its configuration was valid once.
    #[must_use]
    pub fn has_site(&self) -> bool {
        self.site().is_some()
    }

    /// The path of the base URL, without a trailing slash: `""` or `/blog`.
    #[must_use]
    pub fn prefix(&self) -> String {
        let site = self.site();
        let prefix = site.as_ref().map(|site| site.renderer.config().base_url.prefix().to_owned());
        prefix.unwrap_or_default()
    }

    /// The resource at exactly this route.
    #[must_use]
    pub fn find(&self, route: &Route) -> Option<Resource> {
        let out = route.out_path();
        let site = self.site();
        let site = site.as_ref()?;
        let job = site.renderer.plan().jobs.get(&out)?;
        let kind = match &job.kind {
            JobKind::Copy(CopyFrom::Site(source)) => ResourceKind::File(self.disk.place(source)?),
            JobKind::Copy(CopyFrom::Theme { bytes, .. }) => ResourceKind::ThemeFile(bytes),
            _ => ResourceKind::Page,
        };
        Some(Resource { out, kind, publication: site.publication(&job.kind) })
    }

    /// The content of a small file of the output that configures a host, such as `_redirects`.
    #[must_use]
    pub fn host_file(&self, name: &str) -> Option<String> {
        const MAX_BYTES: u64 = 1 << 20;
        let source =
            self.with_plan(|plan| match &plan.jobs.get(&OutPath::new(name).ok()?)?.kind {
                JobKind::Copy(CopyFrom::Site(source)) => Some(source.clone()),
                _ => None,
            })??;
        let is_small = self.disk.stamp(&source).is_some_and(|stamp| stamp.size <= MAX_BYTES);
        is_small.then(|| self.disk.text(&source).ok()).flatten()
    }

    /// The new route of a page that was at this route before it was renamed.
    #[must_use]
    pub fn moved_to(&self, route: &Route) -> Option<Route> {
        let site = self.site();
        let site = site.as_ref()?;
        let to = site.moves.get(route)?;
        site.renderer.plan().jobs.contains_key(&to.out_path()).then(|| to.clone())
    }

    /// Renders a page, or takes it from the cache while it is up to date. A page that cannot be
    /// rendered is shown as it last was.
    ///
    /// # Errors
    /// Why the page cannot be rendered, when it never could.
    pub fn page(&self, out: &OutPath) -> Result<RenderedPage, Report> {
        let site = self.site();
        let Some(site) = site.as_ref() else { return Err(no_such_page()) };
        let Some(job) = site.renderer.plan().jobs.get(out) else { return Err(no_such_page()) };
        let cached = self.cache.lock().get(out);
        if let Some(cached) = &cached
            && cached.generation == site.generation
        {
            return Ok(cached.page.clone());
        }
        if let Some((generation, report)) = self.failed.lock().get(out)
            && *generation == site.generation
        {
            return cached.map_or_else(|| Err(report.clone()), |cached| Ok(cached.page));
        }
        match site.render_or_reuse(job, cached.as_ref()) {
            Ok(current) => {
                let page = current.page.clone();
                self.cache.lock().insert(out, current);
                self.failed.lock().remove(out);
                Ok(page)
            }
            Err(report) => {
                self.record_failure(out, site.generation, &report);
                cached.map_or(Err(report), |cached| Ok(cached.page))
            }
        }
    }

    /// A report that can be shown, as [`finish_report`] makes it.
    #[must_use]
    pub fn finish_report(&self, report: Report) -> LocatedReport {
        finish_report(report, &self.disk)
    }

    fn record_failure(&self, out: &OutPath, generation: u64, report: &Report) {
        let old = self.failed.lock().insert(out.clone(), (generation, report.clone()));
        if old.is_none_or(|(_, old)| old != *report) {
            self.failure_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A number that increases whenever a page is found that cannot be rendered.
    #[must_use]
    pub fn failure_count(&self) -> u64 {
        self.failure_count.load(Ordering::Relaxed)
    }

    /// The pages of these files.
    pub(super) fn pages_of(&self, files: &[SourcePath]) -> Vec<OutPath> {
        self.with_plan(|plan| {
            files
                .iter()
                .filter_map(|file| plan.by_source.get(file))
                .map(|node| plan.route_of(*node).out_path())
                .filter(|out| plan.jobs.contains_key(out))
                .take(MAX_EDITED_PAGES)
                .collect()
        })
        .unwrap_or_default()
    }

    /// Why pages cannot be rendered.
    pub(super) fn failures(&self) -> Report {
        let mut all = Report::default();
        for (_, report) in self.failed.lock().values() {
            all.extend(report.clone());
        }
        all
    }

    /// Renders failed pages again, and drops those that are no longer planned.
    pub(super) fn retry_failed(&self) {
        let outs: Vec<OutPath> = self.failed.lock().keys().cloned().collect();
        for out in outs {
            if self.with_plan(|plan| plan.jobs.contains_key(&out)) == Some(true) {
                let _ = self.page(&out);
            } else {
                self.failed.lock().remove(&out);
            }
        }
    }

    /// Records that a browser has a page open.
    pub fn page_opened(&self, connection: u64, out: OutPath) {
        self.open.lock().insert(connection, out);
    }

    /// Records that a browser has closed its page.
    pub fn page_closed(&self, connection: u64) {
        self.open.lock().remove(&connection);
    }

    /// Renders these pages and the open ones, and returns how many have changed.
    pub(super) fn refresh(&self, mut pages: Vec<OutPath>) -> usize {
        pages.extend(self.open.lock().values().cloned());
        pages.sort();
        pages.dedup();
        let has_changed = |out: &&OutPath| {
            let before = self.cache.lock().get(out).map(|cached| cached.page.fingerprint);
            self.page(out).is_ok_and(|page| before != Some(page.fingerprint))
        };
        pages.iter().filter(has_changed).count()
    }
}

fn no_such_page() -> Report {
    Report::of(Diagnostic::error("this page no longer exists"))
}

impl PlannedSite {
    /// Renders a page, or takes over the cached one if it is up to date.
    fn render_or_reuse(
        &self,
        job: &Job,
        cached: Option<&CachedPage>,
    ) -> Result<CachedPage, Report> {
        let dependencies = self.tracker.dependencies(self.renderer.world(), job);
        let reusable = cached.filter(|cached| {
            is_up_to_date(&cached.dependencies, &cached.trace, &dependencies, &self.renderer)
        });
        if let Some(cached) = reusable {
            return Ok(CachedPage { generation: self.generation, ..cached.clone() });
        }
        let (bytes, trace) = self.render(job)?;
        let fingerprint = Fingerprint::of(&bytes);
        Ok(CachedPage {
            generation: self.generation,
            dependencies: Arc::new(dependencies),
            trace: Arc::new(trace),
            page: RenderedPage { bytes: bytes.into(), fingerprint },
        })
    }

    fn render(&self, job: &Job) -> Result<(Vec<u8>, Trace), Report> {
        let rendered = self.renderer.render(job)?;
        let bytes = match rendered.content {
            Content::Bytes(bytes) => bytes,
            Content::Copy(CopyFrom::Site(source)) => {
                self.renderer.file(&source).map_err(Report::of)?
            }
            Content::Copy(CopyFrom::Theme { bytes, .. }) => bytes.to_vec(),
        };
        Ok((bytes, rendered.trace))
    }

    fn publication(&self, kind: &JobKind) -> Publication {
        let JobKind::Page(id) = kind else { return Publication::Published };
        let page = &self.renderer.plan().pages[*id];
        match page.doc.front.date {
            _ if page.doc.front.draft => Publication::Draft,
            Some(date) if page.instant.is_some_and(|at| at > self.now.as_second()) => {
                Publication::Future(date.civil.date())
            }
            _ => Publication::Published,
        }
    }

    /// Old route → new route of the pages that a new plan moves: pages of files with another route
    /// now, pages of renamed files, and pages that had moved before.
    fn moves_to(
        &self,
        new: &Plan,
        renamed: &BTreeMap<SourcePath, SourcePath>,
    ) -> HashMap<Route, Route> {
        let mut moves = HashMap::new();
        for page in &self.renderer.plan().pages {
            let source = renamed.get(&page.doc.source).unwrap_or(&page.doc.source);
            if let Some(node) = new.by_source.get(source) {
                let to = new.route_of(*node);
                if *to != page.route {
                    moves.insert(page.route.clone(), to.clone());
                }
            }
        }
        let earlier: Vec<(Route, Route)> = self
            .moves
            .iter()
            .map(|(from, to)| (from.clone(), moves.get(to).unwrap_or(to).clone()))
            .collect();
        moves.extend(earlier);
        moves.retain(|from, to| {
            from != to
                && !new.jobs.contains_key(&from.out_path())
                && new.jobs.contains_key(&to.out_path())
        });
        moves
    }
}
