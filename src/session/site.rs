//! An opened site: its settings, its files, its cache and its lock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::RwLock;

use super::files::{FileTable, Store};
use super::lock::SiteLock;
use super::parsing::ParsedSite;
use super::progress::Progress;
use super::stored::{ContentTable, StoredInputs};
use crate::cache::{Fingerprint, FingerprintHasher};
use crate::config::{Config, Overrides};
use crate::diag::{Diagnostic, LocatedReport, Report};
use crate::load::{ConfigFiles, Disk, Sources};
use crate::parse::{Highlighting, Settings};
use crate::paths::SourcePath;
use crate::plan::{self, Plan, Visibility};
use crate::render::Renderer;

/// Which site to open, and how.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    pub root: PathBuf,
    pub overrides: Overrides,
    pub visibility: Visibility,
    /// The number of threads; one per core unless given.
    pub jobs: Option<usize>,
    /// Whether what earlier runs stored is used.
    pub use_cache: bool,
    /// The version of the program; what another version stored is not used.
    pub program: String,
}

/// How long to wait for the site's lock. A preview holds it only for moments, while it saves what
/// it has parsed; another build holds it longer and is not waited for.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The folder that a session stores its cache in.
#[derive(Debug)]
enum StateFolder {
    /// The site's own, locked.
    Locked(SiteLock),
    /// One that is deleted with the session, for a preview of a site that cannot be locked.
    Temporary(tempfile::TempDir),
}

impl StateFolder {
    fn path(&self) -> &Path {
        match self {
            Self::Locked(lock) => lock.state_folder(),
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// The problems found while a site was opened, by the step that found them.
#[derive(Debug, Default)]
pub struct OpenProblems {
    pub config: Report,
    pub scan: Report,
    pub cache: Report,
}

/// An opened site.
#[derive(Debug)]
pub struct Session {
    pub disk: Disk,
    /// The fingerprint of the files that the configuration was read from.
    pub config_fingerprint: Fingerprint,
    pub config: Config,
    pub settings: Settings,
    pub sources: Sources,
    pub files: FileTable,
    pub store: Store,
    pub problems: OpenProblems,
    /// When the files were scanned, in nanoseconds since the epoch.
    pub scanned: u64,
    state: StateFolder,
    /// Set when rendering finds that a file has changed since it was fingerprinted.
    changed: Arc<AtomicBool>,
}

impl Session {
    /// Opens and locks a site.
    ///
    /// # Errors
    /// When `site.toml` cannot be used, another process holds the lock, or the state folder cannot
    /// be written to.
    pub fn open(disk: &Disk, options: &SessionOptions) -> Result<Self, Report> {
        let config = read_config(disk, &options.overrides)?;
        let lock = SiteLock::acquire_within(disk.root(), LOCK_TIMEOUT).map_err(Report::of)?;
        Self::load(disk, options, config, StateFolder::Locked(lock))
    }

    /// Opens a site as [`Session::open`] does; when it cannot be locked, with a cache in a
    /// temporary folder and a warning.
    ///
    /// # Errors
    /// When `site.toml` cannot be used, or there is no temporary folder either.
    pub fn open_or_temporary(disk: &Disk, options: &SessionOptions) -> Result<Self, Report> {
        let config = read_config(disk, &options.overrides)?;
        match SiteLock::acquire_within(disk.root(), LOCK_TIMEOUT) {
            Ok(lock) => Self::load(disk, options, config, StateFolder::Locked(lock)),
            Err(refused) => {
                let folder = tempfile::tempdir().map_err(|_| Report::of(refused.clone()))?;
                let warning = Diagnostic::warning(format!(
                    "parsed articles are not cached: {}",
                    refused.message
                ))
                .hint("the next start may parse every article again");
                let state = StateFolder::Temporary(folder);
                let mut session = Self::load(disk, options, config, state)?;
                session.problems.cache.push(warning);
                Ok(session)
            }
        }
    }

    fn load(
        disk: &Disk,
        options: &SessionOptions,
        (config_fingerprint, config, config_problems): (Fingerprint, Config, Report),
        state: StateFolder,
    ) -> Result<Self, Report> {
        let scanned = now();
        let (sources, scan_problems) = disk.scan();
        let store = Store::open(state.path(), &options.program, options.use_cache, scanned)
            .map_err(Report::of)?;
        let mut cache_problems = Report::default();
        let store = store.report_to(&mut cache_problems);
        let mut files = store.fingerprint_files(disk, &sources);
        // The snapshot of counters may lie outside of the folders that are scanned.
        if let Ok(snapshot) = SourcePath::new(&config.counters.snapshot)
            && let Some(entry) = store.fingerprint_unlisted(disk, &snapshot)
        {
            files.insert(snapshot, entry);
        }
        tracing::debug!(
            articles = sources.articles.len(),
            files = files.len(),
            state = %state.path().display(),
            "opened the site"
        );
        Ok(Self {
            disk: disk.clone(),
            settings: Settings::of(&config),
            config_fingerprint,
            config,
            sources,
            files,
            store,
            problems: OpenProblems {
                config: config_problems,
                scan: scan_problems,
                cache: cache_problems,
            },
            scanned,
            state,
            changed: Arc::default(),
        })
    }

    /// The folder that the session stores its cache in.
    #[must_use]
    pub fn state_folder(&self) -> &Path {
        self.state.path()
    }

    /// The problems found so far, except those of the cache.
    #[must_use]
    pub fn site_problems(&self) -> Report {
        let mut report = self.problems.config.clone();
        report.extend(self.problems.scan.clone());
        report
    }

    /// The fingerprint of everything that an output depends on, except the time. It is complete
    /// only once every article has been parsed or taken from the cache.
    #[must_use]
    pub fn input_fingerprint(&self, options: &SessionOptions) -> Fingerprint {
        let Visibility { include_drafts, include_future, now: _ } = options.visibility;
        let Overrides { base_url } = &options.overrides;
        let mut hasher = FingerprintHasher::default();
        hasher.fingerprint(self.config_fingerprint).json(&(
            base_url,
            include_drafts,
            include_future,
        ));
        for template in &self.sources.templates {
            hasher.text(&template.name).text(&template.text);
        }
        for (path, entry) in &self.files {
            hasher.text(path.as_str()).fingerprint(entry.fingerprint);
        }
        hasher.finish()
    }

    /// Parses every article that the cache does not have.
    pub fn parse(&mut self, highlighting: Highlighting, progress: &dyn Progress) -> ParsedSite {
        progress.stage("Reading", self.sources.articles.len());
        let site = super::parsing::parse_all(
            &self.sources.articles,
            &mut self.files,
            &self.store,
            highlighting,
            &self.disk,
            &self.settings,
            progress,
        );
        tracing::debug!(parsed = site.parsed, cached = site.docs.len() - site.parsed, "parsed");
        site
    }

    /// Plans the site. Problems between articles, such as broken links, are left to
    /// [`plan::check`].
    #[must_use]
    pub fn plan(&self, site: &mut ParsedSite, visibility: Visibility) -> (Plan, Report) {
        let docs = std::mem::take(&mut site.docs);
        plan::plan(docs, &site.faulty, &self.sources, &self.config, visibility)
    }

    /// The table of where the articles of a plan are stored.
    #[must_use]
    pub fn content_table(&self, plan: &Plan) -> Arc<RwLock<ContentTable>> {
        let handles = |source: &SourcePath| self.files.get(source)?.article;
        Arc::new(RwLock::new(ContentTable::new(plan, &self.files, handles)))
    }

    /// Prepares rendering of a plan.
    ///
    /// # Errors
    /// Every problem of the templates and of the snapshot of counters.
    pub fn renderer(
        &self,
        plan: Plan,
        table: &Arc<RwLock<ContentTable>>,
    ) -> Result<Renderer, Report> {
        let inputs = StoredInputs::new(
            self.disk.clone(),
            Arc::clone(self.store.pack()),
            &plan,
            Arc::clone(table),
            self.settings.clone(),
            Arc::clone(&self.changed),
        );
        let templates = self.sources.templates.clone();
        Renderer::new(plan, self.config.clone(), templates, Box::new(inputs))
    }

    /// Whether rendering has found a file that changed since it was fingerprinted.
    #[must_use]
    pub fn has_changed_files(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// Saves what the next run can use.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub fn save(self) -> std::io::Result<()> {
        self.store.save(self.files, self.settings.fingerprint())
    }
}

fn read_config(
    disk: &Disk,
    overrides: &Overrides,
) -> Result<(Fingerprint, Config, Report), Report> {
    let ConfigFiles { text, own_texts, config, problems } =
        disk.read_config(overrides).map_err(Report::of)?;
    match config {
        Some(config) => {
            Ok((ConfigFiles::fingerprint(&text, own_texts.as_deref()), config, problems))
        }
        None => Err(problems),
    }
}

/// A pool of this many threads; one per core unless given.
///
/// # Errors
/// When the system does not start them.
pub fn thread_pool(jobs: Option<usize>) -> Result<rayon::ThreadPool, Report> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0));
    pool.build().map_err(|e| Report::of(Diagnostic::error(format!("cannot start threads: {e}"))))
}

/// The system clock in nanoseconds since the epoch: for comparing with file times, never for
/// output.
#[must_use]
pub fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

/// A report that can be shown: repeats folded, sorted, and with the lines that it points at.
#[must_use]
pub fn finish_report(mut report: Report, disk: &Disk) -> LocatedReport {
    report.fold_repeats();
    report.locate(|file| disk.text_for_message(file))
}
