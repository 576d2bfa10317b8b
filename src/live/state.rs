//! What is known of a live site, and how an edit is taken in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::RwLock;

use super::article::{LiveArticle, collect, faulty};
use super::edits::{Edits, find_edits};
use super::plan_queries::{copied_routes, one_page_per_template, static_route};
use super::preview::{PlannedSite, Preview};
use super::problems::Problems;
use super::replan::{self, Replan};
use super::scan_scope::ScanScope;
use crate::cache::{Fingerprint, FingerprintHasher, Pack};
use crate::config::{self, Config, Overrides};
use crate::dependencies::DependencyTracker;
use crate::diag::{Diagnostic, Report};
use crate::load::{ConfigFiles, Disk, Sources, TemplateSource, is_in_folders, reason};
use crate::parse::{Doc, HighlightCache, Highlighting, Settings};
use crate::paths::{Route, SourcePath};
use crate::plan::{self, Plan, Visibility};
use crate::render::Renderer;
use crate::session::{
    ArticleHandles, ContentTable, FileEntry, FileTable, ParsedArticle, Progress, Session,
    SessionOptions, SiteLock, Store, StoredInputs, now, parse, parse_each,
};

pub(super) struct State {
    config_fingerprint: Fingerprint,
    config: Config,
    settings: Settings,
    sources: Sources,
    files: FileTable,
    /// Every article that the sources list.
    articles: BTreeMap<SourcePath, LiveArticle>,
    /// The time of the last complete scan, in nanoseconds since the epoch.
    scanned: u64,
    /// A branch of the stored pack.
    pack: Arc<Pack>,
    pack_name: String,
    /// The last templates that compiled, for when the present ones do not.
    valid_templates: Vec<TemplateSource>,
    /// The fingerprint of the templates that were compiled last.
    compiled_templates: Fingerprint,
    problems: Problems,
    pending_check: PendingCheck,
    highlight_cache: HighlightCache,
    /// The files that were edited last.
    pub edited: Vec<SourcePath>,
    /// Articles whose code is still to be highlighted.
    deferred: Vec<SourcePath>,
}

/// What has to be checked again, each including the ones before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum PendingCheck {
    /// The pages of the edited articles.
    #[default]
    Pages,
    /// Links and names between articles.
    Links,
    /// One page with each template.
    Everything,
}

/// The result of taking in an edit.
#[derive(Debug, Default)]
pub(super) struct EditOutcome {
    /// The changed files.
    pub files: Vec<SourcePath>,
    /// The routes of changed files that are published unchanged.
    pub assets: Vec<Route>,
}

/// Documents that replace those of the plan, with where they are stored.
type Replacements = Vec<(Arc<Doc>, ArticleHandles)>;

/// When more articles than this have to be parsed, highlighting their code is deferred, so that the
/// first page does not wait for it.
const DEFER_ABOVE: usize = 256;

/// How many articles are highlighted per batch, between messages.
const HIGHLIGHT_BATCH: usize = 32;

/// Up to this many articles are parsed sequentially, reusing the highlight cache.
const PARSE_SEQUENTIALLY: usize = 4;

/// When more paths than this may have changed, the whole site is scanned.
const MAX_SCAN_PATHS: usize = 256;

fn highlighting_for(articles: usize) -> Highlighting {
    if articles > DEFER_ABOVE { Highlighting::Deferred } else { Highlighting::Now }
}

impl State {
    /// Opens, parses and plans a site, and shows it in the preview.
    ///
    /// # Errors
    /// When `site.toml` is missing or cannot be used, or there is no room for parsed articles.
    pub(super) fn start(
        disk: &Disk,
        options: &SessionOptions,
        preview: &Preview,
        progress: &dyn Progress,
    ) -> Result<Self, Report> {
        let mut session = Session::open_or_temporary(disk, options)?;
        let pack_name = session.store.pack_name().to_owned();
        session.store = session.store.branch().map_err(|e| {
            Report::of(Diagnostic::error(format!(
                "parsed articles cannot be stored: {}",
                reason(&e)
            )))
        })?;
        let settings = session.settings.fingerprint();
        let is_stored = |path: &&SourcePath| {
            let entry = session.files.get(*path);
            entry.and_then(|entry| session.store.article(entry, settings)).is_some()
        };
        let total = session.sources.articles.len();
        let new = total - session.sources.articles.iter().filter(is_stored).count();
        let parsed = session.parse(highlighting_for(new), progress);
        let articles = collect(parsed, &mut session.files);
        let deferred = articles.iter().filter(|(_, article)| article.is_deferred());
        let mut state = Self {
            deferred: deferred.map(|(source, _)| source.clone()).collect(),
            articles,
            pack: Arc::clone(session.store.pack()),
            pack_name,
            scanned: session.scanned,
            valid_templates: Vec::new(),
            compiled_templates: Fingerprint::default(),
            problems: Problems {
                config: session.problems.config,
                scan: session.problems.scan,
                cache: session.problems.cache,
                ..Problems::default()
            },
            config_fingerprint: session.config_fingerprint,
            config: session.config,
            settings: session.settings,
            sources: session.sources,
            files: session.files,
            pending_check: PendingCheck::Everything,
            highlight_cache: HighlightCache::default(),
            edited: Vec::new(),
        };
        state.plan(disk, options.visibility, preview, &BTreeMap::new());
        Ok(state)
    }

    /// The snapshot of counters, where it lies outside of the site's folders.
    pub(super) fn unlisted_file(&self) -> Option<SourcePath> {
        let snapshot = SourcePath::new(&self.config.counters.snapshot).ok();
        snapshot.filter(|path| !is_in_folders(path))
    }

    /// Whether the same file may be reached by more than one path.
    pub(super) fn has_symlinks(&self) -> bool {
        self.sources.has_symlinks
    }

    /// Finds edits within a scope and takes them in.
    pub(super) fn rescan(
        &mut self,
        scope: &ScanScope,
        disk: &Disk,
        visibility: Visibility,
        preview: &Preview,
    ) -> EditOutcome {
        let old_settings = self.settings.fingerprint();
        let config_change = self.reload_config(disk);
        let edits = self.find_edits(scope, disk);
        let parse_all = old_settings != self.settings.fingerprint();
        let (article_change, replacements) = self.parse(&edits, parse_all, disk, preview);
        let needs_plan = config_change.max(article_change) == Replan::Yes
            || self.changes_other_names(&edits)
            || !preview.is_current_at(visibility.now);
        if needs_plan {
            tracing::debug!("the edit needs a new plan");
            self.plan(disk, visibility, preview, &edits.renamed(&self.files));
        } else if !edits.is_empty() || self.compiled_templates != self.templates_fingerprint() {
            self.update_plan(&edits, replacements, preview);
        }
        let removed = edits.removed.iter().filter_map(|(path, _)| static_route(path));
        let written = preview.with_plan(|plan| copied_routes(plan, &edits.written));
        let assets = written.unwrap_or_default().into_iter().chain(removed).collect();
        self.edited = edits.files();
        if config_change == Replan::Yes {
            self.edited.extend(SourcePath::new(config::FILE));
        }
        EditOutcome { files: self.edited.clone(), assets }
    }

    /// Lists the files again within a scope, and compares their content with what is known.
    fn find_edits(&mut self, scope: &ScanScope, disk: &Disk) -> Edits {
        let scope = match scope {
            ScanScope::Paths(paths) if paths.len() <= MAX_SCAN_PATHS && !self.has_symlinks() => {
                scope
            }
            _ => &ScanScope::Everything,
        };
        let started = now();
        match scope {
            ScanScope::Everything => (self.sources, self.problems.scan) = disk.scan(),
            ScanScope::Paths(paths) => disk.rescan(
                &mut self.sources,
                &mut self.problems.scan,
                paths.iter().filter(|path| is_in_folders(path)),
            ),
        }
        let unlisted = self.unlisted_file();
        let edits = find_edits(
            scope,
            disk,
            &self.sources,
            unlisted.as_ref(),
            &mut self.files,
            self.scanned,
        );
        if *scope == ScanScope::Everything {
            self.scanned = started;
        }
        edits
    }

    /// Whether files other than articles were added or removed: then the site has other jobs, or
    /// templates of other names.
    fn changes_other_names(&self, edits: &Edits) -> bool {
        let removed = edits.removed.iter().map(|(path, _)| path);
        edits.added.iter().chain(removed).any(|path| !self.is_article(path))
    }

    fn reload_config(&mut self, disk: &Disk) -> Replan {
        let text = match disk.config() {
            Ok(text) => text,
            Err(error) => {
                self.problems.config = Report::of(error);
                self.config_fingerprint = Fingerprint::default();
                return Replan::No;
            }
        };
        let own_texts = disk.own_texts(&self.config.language).ok().flatten();
        if ConfigFiles::fingerprint(&text, own_texts.as_deref()) == self.config_fingerprint {
            return Replan::No;
        }
        let ConfigFiles { text, own_texts, config, problems } =
            match disk.read_config(&Overrides::default()) {
                Ok(files) => files,
                Err(error) => {
                    self.problems.config = Report::of(error);
                    return Replan::No;
                }
            };
        let config = config.filter(|_| !problems.has_errors());
        self.config_fingerprint = ConfigFiles::fingerprint(&text, own_texts.as_deref());
        self.problems.config = problems;
        let Some(config) = config else { return Replan::No };
        self.settings = Settings::of(&config);
        self.config = config;
        Replan::Yes
    }

    /// Parses the edited articles, or every article with `parse_all`.
    fn parse(
        &mut self,
        edits: &Edits,
        parse_all: bool,
        disk: &Disk,
        preview: &Preview,
    ) -> (Replan, Replacements) {
        let (mut replan, mut replacements) = (Replan::No, Replacements::new());
        let sources = self.articles_to_parse(edits, parse_all);
        for (source, result) in sources.iter().zip(self.parse_articles(&sources, disk)) {
            if result.is_err() && disk.stamp(source).is_none() {
                // The file was removed a moment ago.
                self.sources.articles.retain(|path| path != source);
                self.files.remove(source);
            } else {
                replan = replan.max(self.take_article(source, result, &mut replacements, preview));
            }
        }
        // Every listed article is known by now. If more are known, some are no longer listed.
        if self.articles.len() > self.sources.articles.len() {
            let listed = &self.sources.articles;
            self.articles.retain(|path, _| listed.binary_search(path).is_ok());
            replan = Replan::Yes;
        }
        (replan, replacements)
    }

    fn articles_to_parse(&self, edits: &Edits, parse_all: bool) -> Vec<SourcePath> {
        if parse_all {
            return self.sources.articles.clone();
        }
        // A file that is listed but counts as removed exists and cannot be read.
        let removed = edits.removed.iter().map(|(path, _)| path);
        let edited = edits.written.iter().chain(removed);
        edited.filter(|path| self.is_article(path)).cloned().collect()
    }

    fn parse_articles(
        &mut self,
        articles: &[SourcePath],
        disk: &Disk,
    ) -> Vec<Result<ParsedArticle, Diagnostic>> {
        if articles.len() <= PARSE_SEQUENTIALLY {
            return self.parse_sequentially(articles, disk);
        }
        let highlighting = highlighting_for(articles.len());
        parse_each(articles, disk, &self.settings, &self.pack, highlighting)
    }

    fn parse_sequentially(
        &mut self,
        articles: &[SourcePath],
        disk: &Disk,
    ) -> Vec<Result<ParsedArticle, Diagnostic>> {
        articles
            .iter()
            .map(|source| {
                parse(source, disk, &self.settings, &self.pack, &mut self.highlight_cache)
            })
            .collect()
    }

    fn is_article(&self, path: &SourcePath) -> bool {
        self.sources.articles.binary_search(path).is_ok()
    }

    /// Takes in an article that was parsed again; returns whether it needs a new plan.
    fn take_article(
        &mut self,
        source: &SourcePath,
        result: Result<ParsedArticle, Diagnostic>,
        replacements: &mut Replacements,
        preview: &Preview,
    ) -> Replan {
        if let (Ok(parsed), Some(entry)) = (&result, self.files.get_mut(source)) {
            let is_deferred = parsed.handles.highlighting == Highlighting::Deferred;
            let can_be_saved = !parsed.errors.has_errors() && !is_deferred;
            entry.fingerprint = parsed.fingerprint;
            entry.article = can_be_saved.then_some(parsed.handles);
            if is_deferred {
                self.deferred.push(source.clone());
            }
        }
        let before = self.articles.get(source);
        let article = LiveArticle::after_edit(before, result);
        let replan = replan::after_article(source, before, &article, &self.problems, preview);
        if replan == Replan::No
            && let (Some(old), Some(new)) = (before.and_then(|b| b.doc.as_ref()), &article.doc)
        {
            if self.problems.check.mentions(source.as_str())
                || !plan::has_same_check_results(old, new)
            {
                self.pending_check = self.pending_check.max(PendingCheck::Links);
            }
            replacements.extend(article.handles.map(|handles| (Arc::clone(new), handles)));
        }
        self.articles.insert(source.clone(), article);
        replan
    }

    /// Plans the site and shows the plan. `renamed` maps the old paths of renamed files to the new
    /// ones.
    fn plan(
        &mut self,
        disk: &Disk,
        visibility: Visibility,
        preview: &Preview,
        renamed: &BTreeMap<SourcePath, SourcePath>,
    ) {
        let docs = self.articles.values().filter_map(|a| a.doc.clone()).collect();
        let (plan, problems) =
            plan::arrange(docs, &faulty(&self.articles), &self.sources, &self.config, visibility);
        self.problems.plan = problems;
        self.pending_check = PendingCheck::Everything;
        let visible = plan.visible_span(&self.config.timezone, visibility.now);
        let moves = preview.moves_to(&plan, renamed);
        let handles = |source: &SourcePath| self.articles.get(source)?.handles;
        let table = ContentTable::new(&plan, &self.files, handles);
        let table = Arc::new(RwLock::new(table));
        let Some(renderer) = self.renderer(plan, &table, disk) else { return };
        self.problems.plan.extend(renderer.unknown_names());
        self.problems.counters.extend(renderer.unknown_routes());
        let content = Arc::clone(&table);
        let tracker = DependencyTracker::new(renderer.plan(), renderer.templates(), content);
        preview.replace(PlannedSite {
            renderer,
            tracker,
            table,
            generation: 0,
            moves,
            now: visibility.now,
            visible,
        });
    }

    /// A renderer with the present templates or, when they do not compile, with the last ones that
    /// did; `None` when there are none.
    fn renderer(
        &mut self,
        plan: Plan,
        table: &Arc<RwLock<ContentTable>>,
        disk: &Disk,
    ) -> Option<Renderer> {
        let inputs = StoredInputs::new(
            disk.clone(),
            Arc::clone(&self.pack),
            &plan,
            Arc::clone(table),
            self.settings.clone(),
            Arc::new(AtomicBool::new(false)),
        );
        let sets = vec![self.sources.templates.clone(), self.valid_templates.clone()];
        self.compiled_templates = self.templates_fingerprint();
        let prepared =
            Renderer::with_first_valid(plan, self.config.clone(), sets, Box::new(inputs));
        if prepared.template_problems.is_empty() {
            self.valid_templates.clone_from(&self.sources.templates);
        }
        self.problems.templates = prepared.template_problems;
        self.problems.counters = prepared.counter_problems;
        prepared.renderer
    }

    /// Replaces texts, templates and data in the current plan.
    fn update_plan(&mut self, edits: &Edits, replacements: Replacements, preview: &Preview) {
        let other_files: Vec<&SourcePath> =
            edits.written.iter().filter(|path| !self.is_article(path)).collect();
        if !other_files.is_empty() {
            self.pending_check = PendingCheck::Everything;
        }
        // The texts decide, not the fingerprints in `files`: a template is read before it is
        // fingerprinted, and may change in between.
        let fingerprint = self.templates_fingerprint();
        let templates =
            (fingerprint != self.compiled_templates).then(|| self.sources.templates.clone());
        self.compiled_templates = fingerprint;
        let snapshot = &self.config.counters.snapshot;
        let reload_counters = other_files.iter().any(|path| path.as_str() == snapshot);
        let updated = preview.change(|site| {
            let mut table = site.table.write();
            for path in other_files {
                table.set_file(path, self.files.get(path).map(|e| e.fingerprint));
            }
            for (doc, handles) in &replacements {
                if let Some(node) = site.renderer.plan().by_source.get(&doc.source) {
                    table.set_article(*node, *handles);
                }
            }
            drop(table);
            site.update(replacements, reload_counters, templates.clone())
        });
        let Some(updated) = updated else { return };
        if let Some(counters) = updated.counters {
            self.problems.counters = counters;
        }
        match updated.templates {
            Some(Ok(())) => {
                self.valid_templates = templates.unwrap_or_default();
                self.problems.templates = Report::default();
            }
            Some(Err(problems)) => self.problems.templates = problems,
            None => {}
        }
        self.problems.templates.extend(updated.documents);
    }

    /// Checks what may have become wrong since the last check.
    pub(super) fn check(&mut self, preview: &Preview) {
        let pending = std::mem::take(&mut self.pending_check);
        if pending >= PendingCheck::Links {
            let problems = preview.with_plan(|plan| plan::check(plan, &self.config));
            self.problems.check = problems.unwrap_or_default();
        }
        let mut outs = preview.pages_of(&self.edited);
        if pending >= PendingCheck::Everything {
            outs.extend(preview.with_plan(one_page_per_template).unwrap_or_default());
        }
        for out in outs {
            // The preview remembers the page, or why it cannot be rendered.
            let _ = preview.page(&out);
        }
        preview.retry_failed();
    }

    /// Every problem except those of single pages.
    pub(super) fn problems(&self) -> Report {
        self.problems.all(self.articles.values())
    }

    /// Whether code is still to be highlighted.
    pub(super) fn has_deferred_articles(&self) -> bool {
        !self.deferred.is_empty()
    }

    /// Highlights the code of one batch of articles. No page changes: a page with code that is not
    /// highlighted yet is parsed again when it is rendered.
    pub(super) fn highlight_deferred(&mut self, disk: &Disk, preview: &Preview) {
        let rest = self.deferred.len().saturating_sub(HIGHLIGHT_BATCH);
        let mut batch = self.deferred.split_off(rest);
        batch.retain(|source| self.articles.get(source).is_some_and(LiveArticle::is_deferred));
        for (source, parsed) in batch.iter().zip(self.parse_sequentially(&batch, disk)) {
            let (Ok(parsed), Some(article), Some(entry)) =
                (parsed, self.articles.get_mut(source), self.files.get_mut(source))
            else {
                continue;
            };
            // If the file has changed, the next rescan takes it in.
            if parsed.fingerprint == entry.fingerprint
                && !parsed.errors.has_errors()
                && article.errors.is_empty()
            {
                article.handles = Some(parsed.handles);
                entry.article = Some(parsed.handles);
                preview.set_article(source, parsed.handles);
            }
        }
    }

    /// Saves parsed articles for the next start.
    ///
    /// # Errors
    /// When the cache cannot be written to, or a build holds the site's lock.
    pub(super) fn save(&self, disk: &Disk, program: &str) -> Result<(), Diagnostic> {
        let is_new = |e: &FileEntry| e.article.is_some_and(|a| self.pack.is_own(a.doc));
        if !self.files.values().any(is_new) {
            return Ok(());
        }
        let lock = SiteLock::acquire(disk.root())?;
        let store = Store::open(lock.state_folder(), program, true, self.scanned)?.value;
        let settings = self.settings.fingerprint();
        store
            .save_branch(self.files.clone(), &self.pack, &self.pack_name, settings)
            .map_err(|e| Diagnostic::warning(format!("the cache cannot be saved: {}", reason(&e))))
    }

    fn templates_fingerprint(&self) -> Fingerprint {
        let mut hasher = FingerprintHasher::default();
        for template in &self.sources.templates {
            hasher.text(&template.name).text(&template.text);
        }
        hasher.finish()
    }
}

/// The results of updating a planned site in place.
struct PlanUpdate {
    documents: Report,
    counters: Option<Report>,
    templates: Option<Result<(), Report>>,
}

impl PlannedSite {
    fn update(
        &mut self,
        replacements: Replacements,
        reload_counters: bool,
        templates: Option<Vec<TemplateSource>>,
    ) -> PlanUpdate {
        let docs = replacements.into_iter().map(|(doc, _)| doc).collect();
        let documents = match self.renderer.replace_documents(docs) {
            Ok(pages) => {
                for id in pages {
                    self.tracker.forget_page(id);
                }
                Report::default()
            }
            Err(problems) => problems,
        };
        let counters = reload_counters.then(|| {
            let reloaded = self.renderer.reload_counters();
            self.tracker.forget_pages(self.renderer.plan());
            reloaded.err().unwrap_or_else(|| self.renderer.unknown_routes())
        });
        let templates = templates.map(|templates| {
            let replaced = self.renderer.replace_templates(templates);
            self.tracker.set_templates(self.renderer.templates());
            replaced
        });
        PlanUpdate { documents, counters, templates }
    }
}
