//! What is known of a live site, and how an edit is taken in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::looking::{self, Edits};
use super::preview::{Preview, Site};
use super::{CACHE, Change, Look, overrides};
use crate::config::{self, Config};
use crate::diag::{Diagnostic, Report};
use crate::load::{Disk, Links, Origin, Sources, TemplateSource};
use crate::memo::{Mark, Pack};
use crate::parse::{Doc, Effort, Memo, Postponed, Settings};
use crate::paths::{OutPath, Route, SourcePath};
use crate::pipeline::files::{Entry, Handles, Store};
use crate::pipeline::stored::{Stored, Table};
use crate::pipeline::{Progress, parsing, visible_span};
use crate::plan::{self, CopyFrom, Faulty, JobKind, Visibility};
use crate::render::Renderer;
use crate::write::Claim;

/// An article as it can be shown.
#[derive(Default)]
struct Article {
    /// As it last was without errors; as far as it could be parsed when it never was.
    doc: Option<Arc<Doc>>,
    handles: Option<Handles>,
    quality: Quality,
    /// What is wrong with the file as it is now.
    errors: Report,
}

/// How much of an article's doc can be trusted.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quality {
    /// It was once parsed without errors.
    Good,
    #[default]
    Partial,
}

pub(super) struct State {
    config_text: String,
    config: Config,
    config_problems: Report,
    settings: Settings,
    sources: Sources,
    load_problems: Report,
    files: BTreeMap<SourcePath, Entry>,
    articles: BTreeMap<SourcePath, Article>,
    /// When everything was last looked at, in nanoseconds since the epoch.
    looked: u64,
    /// What was parsed: the store's pack, and what came after it.
    pack: Arc<Pack>,
    pack_name: String,
    table: Arc<RwLock<Table>>,
    /// Templates that could be read, for when the present ones cannot.
    good_templates: Vec<TemplateSource>,
    /// The mark of the templates that were last tried.
    tried_templates: Mark,
    plan_problems: Report,
    check_problems: Report,
    /// Whether anything has changed that these depend on.
    to_check: Edited,
    /// Whether anything but articles has changed, so that any template may fail.
    to_sample: Edited,
    template_problems: Report,
    counter_problems: Report,
    store_problems: Report,
    /// The seconds around now in which the same articles are to be seen.
    span: (i64, i64),
    memo: Memo,
    /// The articles that were edited last, whose pages are looked at first.
    edited: Vec<SourcePath>,
    /// Articles whose code is still to be highlighted.
    postponed: Vec<SourcePath>,
}

/// Of more articles than these the code is highlighted later, so that the first page does not wait for it.
const POSTPONED: usize = 256;

/// Of so many articles it then is at a time, between two messages.
const AT_ONCE: usize = 32;

fn effort(articles: usize) -> Effort {
    if articles > POSTPONED { Effort::Later } else { Effort::Now }
}

/// More paths than these are not looked at one by one.
const SINGLY: usize = 256;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| u64::try_from(d.as_nanos()).ok()).unwrap_or(0)
}

/// The folder that holds what was parsed, and the lock on it. Where a site's own cannot be written to, a temporary one.
fn state_folder(disk: &Disk, patience: Duration) -> Result<(PathBuf, Option<Claim>, Option<tempfile::TempDir>, Report), Report> {
    let refused = match Claim::wait(disk.root(), patience) {
        Ok(claim) => return Ok((claim.state().to_owned(), Some(claim), None, Report::default())),
        Err(refused) => refused,
    };
    let temporary = tempfile::tempdir().map_err(|_| Report::of(refused.clone()))?;
    let warning = Diagnostic::warning(format!("what is parsed is not kept: {}", refused.message)).hint("the next start reads every article again");
    Ok((temporary.path().to_owned(), None, Some(temporary), Report::of(warning)))
}

impl State {
    /// Reads a site: what is in the store from there, the rest from its files, and keeps it for the next time.
    ///
    /// # Errors
    /// When `site.toml` is missing or nothing can be made of it, or there is no room for what is parsed.
    pub(super) fn start(disk: &Disk, program: &str, visibility: Visibility, patience: Duration, progress: &dyn Progress) -> Result<Self, Report> {
        let looked = now();
        let config_text = disk.config().map_err(Report::of)?;
        let (config, config_problems) = Config::read(&config_text, &overrides());
        let Some(config) = config else { return Err(config_problems) };
        let (folder, _claim, _temporary, mut store_problems) = state_folder(disk, patience)?;
        let (store, warning) = Store::open(&folder, program, CACHE, looked).map_err(Report::of)?;
        store_problems.extend(warning.into_iter().collect());
        let (sources, load_problems) = disk.scan();
        let settings = Settings::of(&config);
        let mut files = store.mark_files(disk, &sources);
        if let Ok(snapshot) = SourcePath::new(&config.counters.snapshot)
            && let Some(entry) = store.mark_one(disk, &snapshot)
        {
            files.insert(snapshot, entry);
        }
        progress.stage("Reading", sources.articles.len());
        let no_room = |e: std::io::Error| Report::of(Diagnostic::error(format!("there is no room for what is parsed: {}", crate::load::reason(&e))));
        let pack = Arc::new(store.pack.branch().map_err(no_room)?);
        let new = sources.articles.iter().filter(|path| files.get(*path).and_then(|e| store.parsed(e, settings.mark())).is_none()).count();
        let parsed = parsing::parse_all(&sources.articles, &mut files, &store, &pack, effort(new), disk, &settings, progress);
        let articles = collect(parsed, &files);
        for (source, article) in &articles {
            if let Some(entry) = files.get_mut(source).filter(|_| !article.is_whole()) {
                entry.parsed = None;
            }
        }
        let postponed = articles.iter().filter(|(_, a)| a.is_postponed()).map(|(source, _)| source.clone()).collect();
        let empty = plan::Plan::default();
        Ok(Self {
            table: Arc::new(RwLock::new(Table::new(&empty, &files, |_| None))),
            config_text,
            config,
            config_problems,
            settings,
            sources,
            load_problems,
            files,
            articles,
            looked,
            pack,
            pack_name: store.pack_name().to_owned(),
            good_templates: Vec::new(),
            tried_templates: Mark::default(),
            plan_problems: Report::default(),
            check_problems: Report::default(),
            to_check: Edited::Yes,
            to_sample: Edited::Yes,
            template_problems: Report::default(),
            counter_problems: Report::default(),
            store_problems,
            span: visible_at(visibility),
            memo: Memo::default(),
            edited: Vec::new(),
            postponed,
        })
    }

    /// The counters' snapshot, which may lie anywhere in the site.
    pub(super) fn outlying(&self) -> Option<SourcePath> {
        let snapshot = SourcePath::new(&self.config.counters.snapshot).ok()?;
        (!["content", "data", "static", "templates"].iter().any(|folder| snapshot.below(folder).is_some())).then_some(snapshot)
    }

    /// Whether the same file may be reached by more than one path.
    pub(super) fn has_links(&self) -> bool {
        self.sources.links == Links::Some
    }

    pub(super) fn until(&self) -> i64 {
        self.span.1
    }

    /// Looks for edits and takes them in.
    pub(super) fn look(&mut self, look: &Look, disk: &Disk, visibility: Visibility, preview: &Preview) -> Change {
        let many = matches!(look, Look::At(paths) if paths.len() > SINGLY);
        let everywhere = *look == Look::Everywhere || many || self.sources.links == Links::Some;
        let look = if everywhere { &Look::Everywhere } else { look };
        let looked = now();
        let settings = self.settings.mark();
        let config = self.look_at_config(disk);
        let names_before = self.names();
        match look {
            Look::Everywhere => (self.sources, self.load_problems) = disk.scan(),
            Look::At(paths) => {
                let below = paths.iter().filter(|p| ["content", "data", "static", "templates"].iter().any(|folder| p.below(folder).is_some()));
                disk.rescan(&mut self.sources, &mut self.load_problems, below);
            }
        }
        let outlying = self.outlying();
        let edits = looking::look(look, disk, &self.sources, outlying.as_ref(), &mut self.files, self.looked);
        if everywhere {
            self.looked = looked;
        }
        let texts = self.parse(&edits, settings != self.settings.mark(), disk, preview);
        let turned = !(self.span.0..self.span.1).contains(&visibility.now.as_second());
        let renamed = edits.renamed(&self.files);
        let structure = turned || config == Edited::Yes || names_before != self.names() || texts.structure == Edited::Yes;
        let there = preview.is_there();
        if structure || !there {
            self.plan(disk, visibility, preview, &renamed);
        } else if !edits.is_empty() || self.tried_templates != mark_of(&self.sources.templates) {
            self.put(&edits, texts.fresh, preview);
        }
        self.edited = edits.files();
        let gone = edits.removed.iter().filter_map(|(path, _)| Some(OutPath::new(path.below("static")?).ok()?.route()));
        let assets = assets(&edits.written, preview).into_iter().chain(gone).collect();
        let mut files = self.edited.clone();
        if config == Edited::Yes
            && let Ok(path) = SourcePath::new(config::FILE)
        {
            files.push(path);
        }
        Change { files, assets, ..Change::default() }
    }

    /// The names of what is published as it is, of data, and of templates: with these the plan changes.
    fn names(&self) -> Mark {
        let mut marker = crate::memo::Marker::default();
        for file in &self.sources.statics {
            // A file of the site may come into the place of one of the theme, and go again.
            marker.text(&file.name).number(u64::from(matches!(file.origin, Origin::Site(_))));
        }
        for template in &self.sources.templates {
            marker.text(&template.name);
        }
        for path in self.sources.assets.iter().chain(&self.sources.data) {
            marker.text(path.as_str());
        }
        marker.finish()
    }

    fn look_at_config(&mut self, disk: &Disk) -> Edited {
        let text = match disk.config() {
            Ok(text) => text,
            Err(error) => {
                self.config_problems = Report::of(error);
                self.config_text = String::new();
                return Edited::No;
            }
        };
        if text == self.config_text {
            return Edited::No;
        }
        self.config_text.clone_from(&text);
        let (config, problems) = Config::read(&text, &overrides());
        let good = !problems.has_errors();
        self.config_problems = problems;
        match config {
            Some(config) if good => {
                self.settings = Settings::of(&config);
                self.config = config;
                Edited::Yes
            }
            _ => Edited::No,
        }
    }

    /// Parses what was edited; everything when the settings that parsing reads are other ones.
    fn parse(&mut self, edits: &Edits, all: bool, disk: &Disk, preview: &Preview) -> Texts {
        let mut texts = Texts::default();
        let mut open: Vec<SourcePath> = edits.written.iter().filter(|path| self.is_article(path)).cloned().collect();
        for (path, _) in &edits.removed {
            if self.is_article(path) {
                // It is there and cannot be read.
                open.push(path.clone());
            } else if self.articles.remove(path).is_some() {
                texts.structure = Edited::Yes;
            }
        }
        let before = self.articles.len();
        let listed = &self.sources.articles;
        self.articles.retain(|path, _| listed.binary_search(path).is_ok());
        if self.articles.len() != before {
            texts.structure = Edited::Yes;
        }
        if all {
            open.clone_from(&self.sources.articles);
        }
        let parsed = parsing::parse_each(&open, disk, &self.settings, &self.pack, &mut self.memo, effort(open.len()));
        for (source, result) in open.into_iter().zip(parsed) {
            if result.is_err() && disk.stamp(&source).is_none() {
                // It went away a moment ago.
                self.sources.articles.retain(|path| *path != source);
                self.files.remove(&source);
                self.articles.remove(&source);
                texts.structure = Edited::Yes;
                continue;
            }
            self.take(source, result, &mut texts, preview);
        }
        texts
    }

    fn is_article(&self, path: &SourcePath) -> bool {
        self.sources.articles.binary_search(path).is_ok()
    }

    /// Takes in an article that was parsed anew.
    fn take(&mut self, source: SourcePath, result: Result<parsing::Single, Diagnostic>, texts: &mut Texts, preview: &Preview) {
        if let (Ok(single), Some(entry)) = (&result, self.files.get_mut(&source)) {
            entry.mark = single.mark;
            let is_whole = !single.errors.has_errors() && single.handles.postponed == Postponed::Nothing;
            entry.parsed = is_whole.then_some(single.handles);
            if single.handles.postponed == Postponed::Code {
                self.postponed.push(source.clone());
            }
        }
        let before = self.articles.get(&source);
        let article = match result {
            Ok(single) if single.errors.has_errors() && before.is_some_and(|old| old.quality == Quality::Good) => {
                Article { errors: single.errors, ..before.map(Article::again).unwrap_or_default() }
            }
            Ok(single) => Article {
                quality: if single.errors.has_errors() { Quality::Partial } else { Quality::Good },
                doc: Some(Arc::new(single.doc)),
                handles: Some(single.handles),
                errors: single.errors,
            },
            Err(error) => Article { errors: Report::of(error), ..before.map(Article::again).unwrap_or_default() },
        };
        let holds = match (before.and_then(|b| b.doc.as_ref()), &article.doc) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new) || self.holds(&source, old, new, preview),
            (None, None) => true,
            _ => false,
        };
        if let (Some(old), Some(new)) = (before.and_then(|b| b.doc.as_ref()), &article.doc)
            && (self.check_problems.tells_of(source.as_str()) || !plan::checks_alike(old, new))
        {
            self.to_check = Edited::Yes;
        }
        // A plan made with part of an article is told so.
        let quality = before.is_some_and(|b| b.quality == article.quality);
        if !holds || !quality {
            texts.structure = Edited::Yes;
        } else if let (Some(doc), Some(handles)) = (&article.doc, article.handles) {
            texts.fresh.push((Arc::clone(doc), handles));
        }
        self.articles.insert(source, article);
    }

    /// Whether the plan holds with an article's new text. What the plan found wrong points into the old one.
    fn holds(&self, source: &SourcePath, old: &Doc, new: &Doc, preview: &Preview) -> bool {
        !self.plan_problems.tells_of(source.as_str()) && preview.with_plan(|plan| plan.holds_with(old, new)) == Some(true)
    }

    /// Plans a site for the first time.
    pub(super) fn plan_anew(&mut self, disk: &Disk, visibility: Visibility, preview: &Preview) {
        self.plan(disk, visibility, preview, &BTreeMap::new());
    }

    /// Plans the site and shows that plan.
    fn plan(&mut self, disk: &Disk, visibility: Visibility, preview: &Preview, renamed: &BTreeMap<SourcePath, SourcePath>) {
        let docs = self.articles.values().filter_map(|a| a.doc.clone()).collect();
        let (plan, problems) = plan::arrange(docs, &self.faulty(), &self.sources, &self.config, visibility);
        self.plan_problems = problems;
        (self.to_check, self.to_sample) = (Edited::Yes, Edited::Yes);
        self.span = visible_span(&plan, &self.config, visibility.now);
        let moves = preview.moves_to(&plan, renamed);
        let table = Table::new(&plan, &self.files, |source| self.articles.get(source).and_then(|a| a.handles));
        let table = Arc::new(RwLock::new(table));
        let Some(renderer) = self.renderer(plan, &table, disk) else { return };
        self.table = table;
        preview.replace(Site {
            renderer,
            prefix: self.config.base_url.prefix().to_owned(),
            origin: self.config.base_url.origin().to_owned(),
            generation: 0,
            moves,
            now: visibility.now,
        });
    }

    fn faulty(&self) -> Faulty {
        let partial = |a: &&Article| a.quality == Quality::Partial;
        let with = |has_doc: bool| {
            let some = self.articles.iter().filter(move |(_, a)| partial(a) && a.doc.is_some() == has_doc);
            some.map(|(source, _)| source.clone()).collect::<BTreeSet<_>>()
        };
        Faulty { parsed: with(true), unreadable: with(false) }
    }

    /// A renderer with the templates as they are; where these cannot be read, with the last that could.
    fn renderer(&mut self, plan: plan::Plan, table: &Arc<RwLock<Table>>, disk: &Disk) -> Option<Renderer> {
        let moved = Arc::new(AtomicBool::new(false));
        let inputs = Stored::new(disk.clone(), Arc::clone(&self.pack), &plan, Arc::clone(table), self.settings.clone(), moved);
        let sets = vec![self.sources.templates.clone(), self.good_templates.clone()];
        self.tried_templates = mark_of(&self.sources.templates);
        let prepared = Renderer::first_of(plan, self.config.clone(), sets, Box::new(inputs));
        if prepared.template_problems.is_empty() {
            self.good_templates.clone_from(&self.sources.templates);
        }
        self.template_problems = prepared.template_problems;
        self.counter_problems = prepared.counter_problems;
        prepared.renderer
    }

    /// Puts new texts, templates and data into the plan that stands.
    fn put(&mut self, edits: &Edits, fresh: Vec<(Arc<Doc>, Handles)>, preview: &Preview) {
        if edits.files().iter().any(|path| !self.articles.contains_key(path)) {
            self.to_sample = Edited::Yes;
        }
        // By their texts, not by what was marked: a template is read before it is marked, and may change in between.
        let tried = mark_of(&self.sources.templates);
        let templates = (tried != self.tried_templates).then(|| self.sources.templates.clone());
        self.tried_templates = tried;
        let counters = edits.files().iter().any(|path| path.as_str() == self.config.counters.snapshot);
        let result = preview.change(|site| {
            {
                let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
                for path in edits.written.iter().filter(|path| !self.articles.contains_key(*path)) {
                    table.mark(path, self.files.get(path).map(|e| e.mark));
                }
                for (path, _) in &edits.removed {
                    table.mark(path, None);
                }
                for (doc, handles) in &fresh {
                    if let Some(node) = site.renderer.plan().by_source.get(&doc.source) {
                        table.put(*node, *handles);
                    }
                }
            }
            let put = site.renderer.put(fresh.into_iter().map(|(doc, _)| doc).collect());
            let counted = counters.then(|| site.renderer.recount());
            let read = templates.as_ref().map(|templates| site.renderer.retemplate(templates.clone()));
            (put, counted, read)
        });
        let Some((put, counted, read)) = result else { return };
        if let Some(counted) = counted {
            self.counter_problems = counted.err().unwrap_or_default();
        }
        match read {
            Some(Ok(())) => {
                self.good_templates = templates.unwrap_or_default();
                self.template_problems = Report::default();
            }
            Some(Err(unread)) => self.template_problems = unread,
            None => {}
        }
        self.template_problems.extend(put.err().unwrap_or_default());
    }

    /// Looks for what is wrong between articles, and renders a page with each template to see whether it can be.
    pub(super) fn check(&mut self, preview: &Preview) {
        if std::mem::take(&mut self.to_check) == Edited::Yes {
            self.check_problems = preview.with_plan(|plan| plan::check(plan, &self.config)).unwrap_or_default();
        }
        let mut outs = Vec::new();
        if std::mem::take(&mut self.to_sample) == Edited::Yes {
            outs = preview.with_plan(samples).unwrap_or_default();
        }
        outs.extend(preview.pages_of(&self.edited));
        for out in outs {
            let _ = preview.page(&out);
        }
        preview.retry();
    }

    pub(super) fn problems(&self) -> Report {
        let mut all = self.config_problems.clone();
        for report in
            [&self.load_problems, &self.plan_problems, &self.check_problems, &self.template_problems, &self.counter_problems, &self.store_problems]
                .into_iter()
                .chain(self.articles.values().map(|a| &a.errors).filter(|r| !r.is_empty()))
        {
            all.extend(report.clone());
        }
        all
    }

    /// Whether code is still to be highlighted.
    pub(super) fn has_postponed(&self) -> bool {
        !self.postponed.is_empty()
    }

    /// Highlights the code of some articles. What is shown stays the same: a page whose code is still plain is parsed
    /// for itself.
    pub(super) fn go_on(&mut self, disk: &Disk, preview: &Preview) {
        let rest = self.postponed.len().saturating_sub(AT_ONCE);
        let mut some = self.postponed.split_off(rest);
        some.retain(|source| self.articles.get(source).is_some_and(Article::is_postponed));
        let parsed = parsing::parse_each(&some, disk, &self.settings, &self.pack, &mut self.memo, Effort::Now);
        for (source, single) in some.into_iter().zip(parsed) {
            let (Ok(single), Some(article), Some(entry)) = (single, self.articles.get_mut(&source), self.files.get_mut(&source)) else { continue };
            // One that has changed meanwhile is about to be looked at.
            if single.mark != entry.mark || single.errors.has_errors() || article.errors.has_errors() {
                continue;
            }
            article.handles = Some(single.handles);
            entry.parsed = Some(single.handles);
            if let Some(Some(node)) = preview.with_plan(|plan| plan.by_source.get(&source).copied()) {
                self.table.write().unwrap_or_else(PoisonError::into_inner).put(node, single.handles);
            }
        }
    }

    /// Keeps what was parsed for the next start.
    ///
    /// # Errors
    /// When the store cannot be written to, or a build holds it.
    pub(super) fn keep(&self, disk: &Disk, program: &str) -> Result<(), Diagnostic> {
        let is_own = |e: &Entry| e.parsed.is_some_and(|handles| self.pack.is_own(handles.doc));
        if !self.files.values().any(is_own) {
            return Ok(());
        }
        let claim = Claim::take(disk.root())?;
        let (mut store, _) = Store::open(claim.state(), program, CACHE, self.looked)?;
        store
            .adopt(&self.files, &self.pack, &self.pack_name, self.settings.mark())
            .map_err(|e| Diagnostic::warning(format!("what was parsed could not be kept: {}", crate::load::reason(&e))))
    }
}

/// Whether something is other than it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Edited {
    Yes,
    #[default]
    No,
}

/// What parsing came to.
#[derive(Default)]
struct Texts {
    /// Whether the site is to be planned anew.
    structure: Edited,
    /// New texts that the plan holds with.
    fresh: Vec<(Arc<Doc>, Handles)>,
}

impl Article {
    /// Whether what was parsed is all there is in the file.
    fn is_whole(&self) -> bool {
        !self.errors.has_errors() && !self.is_postponed()
    }

    fn is_postponed(&self) -> bool {
        self.handles.is_some_and(|handles| handles.postponed == Postponed::Code)
    }

    /// The same text again.
    fn again(&self) -> Self {
        Self { doc: self.doc.clone(), handles: self.handles, quality: self.quality, errors: Report::default() }
    }
}

/// What parsing a whole site came to, by file.
fn collect(parsed: parsing::ParsedSite, files: &BTreeMap<SourcePath, Entry>) -> BTreeMap<SourcePath, Article> {
    let mut errors: BTreeMap<String, Report> = BTreeMap::new();
    for problem in parsed.report.items() {
        errors.entry(problem.file.clone().unwrap_or_default()).or_default().push(problem.clone());
    }
    let mut of = |source: &SourcePath| errors.remove(source.as_str()).unwrap_or_default();
    let mut articles: BTreeMap<SourcePath, Article> = BTreeMap::new();
    for doc in parsed.docs {
        let errors = of(&doc.source);
        let quality = if errors.has_errors() { Quality::Partial } else { Quality::Good };
        let handles = files.get(&doc.source).and_then(|e| e.parsed);
        articles.insert(doc.source.clone(), Article { doc: Some(doc), handles, quality, errors });
    }
    for source in parsed.faulty.unreadable {
        let errors = of(&source);
        articles.insert(source, Article { doc: None, handles: None, quality: Quality::Partial, errors });
    }
    articles
}

fn mark_of(templates: &[TemplateSource]) -> Mark {
    let mut marker = crate::memo::Marker::default();
    for template in templates {
        marker.text(&template.name).text(&template.text);
    }
    marker.finish()
}

/// A page for each template, by kind of page.
fn samples(plan: &plan::Plan) -> Vec<OutPath> {
    let mut seen: BTreeSet<(&'static str, &str)> = BTreeSet::new();
    let mut outs = Vec::new();
    for (out, job) in &plan.jobs {
        let kind = match &job.kind {
            JobKind::Page(id) => ("page", plan.pages[*id].template.as_str()),
            JobKind::Section { section, .. } => ("section", plan.sections[*section].template.as_str()),
            JobKind::Taxonomy(_) => ("taxonomy", ""),
            JobKind::Term { .. } => ("term", ""),
            JobKind::Archive => ("archive", ""),
            JobKind::Year(_) => ("year", ""),
            JobKind::NotFound => ("404", ""),
            _ => continue,
        };
        if seen.insert(kind) {
            outs.push(out.clone());
        }
    }
    outs
}

/// The addresses of files that are published as they are.
fn assets(files: &[SourcePath], preview: &Preview) -> Vec<Route> {
    let in_plan = |plan: &plan::Plan| {
        let route = |file: &SourcePath| {
            let published = file.below("static").and_then(|name| OutPath::new(name).ok()).map(|out| out.route());
            let route = plan.assets.get(file).cloned().or(published)?;
            let is_it = matches!(&plan.jobs.get(&route.out_path())?.kind, JobKind::Copy(CopyFrom::Site(source)) if source == file);
            is_it.then_some(route)
        };
        files.iter().filter_map(route).collect()
    };
    preview.with_plan(in_plan).unwrap_or_default()
}

/// The present second: until a plan says more.
fn visible_at(visibility: Visibility) -> (i64, i64) {
    let now = visibility.now.as_second();
    (now, now + 1)
}
