//! What is known of a live site, and how an edit is taken in.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use super::Look;
use super::article::{Article, faulty};
use super::looking::{self, Edits};
use super::preview::{Preview, Site};
use super::problems::Problems;
use super::samples::{assets, samples, static_route};
use crate::config::{self, Config, Overrides};
use crate::diag::{Diagnostic, Report};
use crate::load::{Disk, Links, Sources, TemplateSource, is_in_folders};
use crate::memo::{Mark, Marker, Pack};
use crate::parse::{Doc, Effort, Memo, Postponed, Settings};
use crate::paths::{Route, SourcePath};
use crate::pipeline::files::{Cache, Entry, Handles, Store};
use crate::pipeline::parsing::{self, Outcome};
use crate::pipeline::stored::{Stored, Table};
use crate::pipeline::{now, visible_span};
use crate::plan::{self, Plan, Visibility};
use crate::render::Renderer;
use crate::write::Claim;

pub(super) struct State {
    pub config_text: String,
    pub config: Config,
    pub settings: Settings,
    pub sources: Sources,
    pub files: BTreeMap<SourcePath, Entry>,
    /// Every article that the sources list.
    pub articles: BTreeMap<SourcePath, Article>,
    /// When everything was last looked at, in nanoseconds since the epoch.
    pub looked: u64,
    /// What was parsed: the store's pack, and what came after it.
    pub pack: Arc<Pack>,
    pub pack_name: String,
    /// Templates that could be read, for when the present ones cannot.
    pub good_templates: Vec<TemplateSource>,
    /// The mark of the templates that were last tried.
    pub tried_templates: Mark,
    pub problems: Problems,
    pub due: Due,
    pub memo: Memo,
    /// The files that were edited last.
    pub edited: Vec<SourcePath>,
    /// Articles whose code is still to be highlighted.
    pub postponed: Vec<SourcePath>,
}

/// What may be wrong since it was last looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The pages of the edited articles.
    #[default]
    Pages,
    /// Links and names too.
    Links,
    /// Pages with any template too.
    Everything,
}

/// Whether the plan that is shown is the one that would be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Plans {
    #[default]
    Alike,
    Apart,
}

/// What a look came to.
#[derive(Debug)]
pub(super) struct Taken {
    /// The files that have changed.
    pub files: Vec<SourcePath>,
    /// The addresses of changed files that are published as they are.
    pub assets: Vec<Route>,
}

/// Texts that the standing plan holds with, with where they lie.
type Fresh = Vec<(Arc<Doc>, Handles)>;

/// Of more articles than these the code is highlighted later, so that the first page does not wait for it.
const POSTPONED: usize = 256;

/// Of so many articles it then is at a time, between two messages.
const AT_ONCE: usize = 32;

/// So many articles are parsed in turn, with what the last ones taught.
const FEW: usize = 4;

/// More paths than these are not looked at one by one.
const SINGLY: usize = 256;

pub(super) fn effort(articles: usize) -> Effort {
    if articles > POSTPONED { Effort::Later } else { Effort::Now }
}

impl State {
    /// The counters' snapshot, where it lies outside of the site's folders.
    pub(super) fn outlying(&self) -> Option<SourcePath> {
        SourcePath::new(&self.config.counters.snapshot).ok().filter(|snapshot| !is_in_folders(snapshot))
    }

    /// Whether the same file may be reached by more than one path.
    pub(super) fn has_links(&self) -> bool {
        self.sources.links == Links::Some
    }

    /// Looks for edits and takes them in.
    pub(super) fn look(&mut self, look: &Look, disk: &Disk, visibility: Visibility, preview: &Preview) -> Taken {
        let look = match look {
            Look::At(paths) if paths.len() <= SINGLY && !self.has_links() => look,
            _ => &Look::Everywhere,
        };
        let looked = now();
        let settings = self.settings.mark();
        let mut plans = self.look_at_config(disk);
        let config = plans;
        match look {
            Look::Everywhere => (self.sources, self.problems.load) = disk.scan(),
            Look::At(paths) => disk.rescan(&mut self.sources, &mut self.problems.load, paths.iter().filter(|path| is_in_folders(path))),
        }
        let outlying = self.outlying();
        let edits = looking::look(look, disk, &self.sources, outlying.as_ref(), &mut self.files, self.looked);
        if *look == Look::Everywhere {
            self.looked = looked;
        }
        let (texts, fresh) = self.parse(&edits, settings != self.settings.mark(), disk, preview);
        plans = plans.max(texts);
        // With names other files have jobs, and other templates are there to be asked for.
        let is_other = |path: &SourcePath| !self.is_article(path);
        if edits.added.iter().chain(edits.removed.iter().map(|(path, _)| path)).any(is_other) || !preview.holds_at(visibility.now) {
            plans = Plans::Apart;
        }
        if plans == Plans::Apart {
            self.plan(disk, visibility, preview, &edits.renamed(&self.files));
        } else if !edits.is_empty() || self.tried_templates != mark_of(&self.sources.templates) {
            self.put(&edits, fresh, preview);
        }
        let gone = edits.removed.iter().filter_map(|(path, _)| static_route(path));
        let assets = preview.with_plan(|plan| assets(plan, &edits.written)).unwrap_or_default().into_iter().chain(gone).collect();
        self.edited = edits.files();
        if config == Plans::Apart {
            self.edited.extend(SourcePath::new(config::FILE));
        }
        Taken { files: self.edited.clone(), assets }
    }

    fn look_at_config(&mut self, disk: &Disk) -> Plans {
        let text = match disk.config() {
            Ok(text) => text,
            Err(error) => {
                self.problems.config = Report::of(error);
                self.config_text = String::new();
                return Plans::Alike;
            }
        };
        if text == self.config_text {
            return Plans::Alike;
        }
        let (config, problems) = Config::read(&text, &Overrides::default());
        let config = config.filter(|_| !problems.has_errors());
        self.config_text = text;
        self.problems.config = problems;
        let Some(config) = config else { return Plans::Alike };
        self.settings = Settings::of(&config);
        self.config = config;
        Plans::Apart
    }

    /// Parses what was edited; `all` of it when the settings that parsing reads are other ones.
    fn parse(&mut self, edits: &Edits, all: bool, disk: &Disk, preview: &Preview) -> (Plans, Fresh) {
        let (mut plans, mut fresh) = (Plans::Alike, Fresh::new());
        // One that went and is listed all the same is there and cannot be read.
        let open = edits.written.iter().chain(edits.removed.iter().map(|(path, _)| path)).filter(|path| self.is_article(path));
        let open: Vec<SourcePath> = if all { self.sources.articles.clone() } else { open.cloned().collect() };
        for (source, result) in open.iter().zip(self.parse_each(&open, disk)) {
            if result.is_err() && disk.stamp(source).is_none() {
                // It went away a moment ago.
                self.sources.articles.retain(|path| path != source);
                self.files.remove(source);
            } else {
                plans = plans.max(self.take(source, result, &mut fresh, preview));
            }
        }
        // Every listed article is known by now; when more are, some are no longer listed.
        if self.articles.len() > self.sources.articles.len() {
            let listed = &self.sources.articles;
            self.articles.retain(|path, _| listed.binary_search(path).is_ok());
            plans = Plans::Apart;
        }
        (plans, fresh)
    }

    fn parse_each(&mut self, articles: &[SourcePath], disk: &Disk) -> Vec<Result<Outcome, Diagnostic>> {
        if articles.len() <= FEW {
            return self.parse_in_turn(articles, disk);
        }
        parsing::parse_each(articles, disk, &self.settings, &self.pack, effort(articles.len()))
    }

    fn parse_in_turn(&mut self, articles: &[SourcePath], disk: &Disk) -> Vec<Result<Outcome, Diagnostic>> {
        articles.iter().map(|source| parsing::parse(source, disk, &self.settings, &self.pack, &mut self.memo)).collect()
    }

    fn is_article(&self, path: &SourcePath) -> bool {
        self.sources.articles.binary_search(path).is_ok()
    }

    /// Takes in an article that was parsed anew; whether the plan stands with it.
    fn take(&mut self, source: &SourcePath, result: Result<Outcome, Diagnostic>, fresh: &mut Fresh, preview: &Preview) -> Plans {
        if let (Ok(outcome), Some(entry)) = (&result, self.files.get_mut(source)) {
            entry.mark = outcome.mark;
            let is_whole = !outcome.errors.has_errors() && outcome.handles.postponed == Postponed::Nothing;
            entry.parsed = is_whole.then_some(outcome.handles);
            if outcome.handles.postponed == Postponed::Code {
                self.postponed.push(source.clone());
            }
        }
        let before = self.articles.get(source);
        let article = Article::after(before, result);
        let old = before.and_then(|b| b.doc.as_ref());
        // A plan made with part of an article is told so.
        let same_quality = before.is_some_and(|b| b.quality == article.quality);
        let plans = match (old, &article.doc) {
            (None, None) if same_quality => Plans::Alike,
            (Some(old), Some(new)) if same_quality && (Arc::ptr_eq(old, new) || self.holds(source, old, new, preview)) => {
                if self.problems.check.tells_of(source.as_str()) || !plan::checks_alike(old, new) {
                    self.due = self.due.max(Due::Links);
                }
                fresh.extend(article.handles.map(|handles| (Arc::clone(new), handles)));
                Plans::Alike
            }
            _ => Plans::Apart,
        };
        self.articles.insert(source.clone(), article);
        plans
    }

    /// Whether the plan holds with an article's new text. What the plan found wrong points into the old one.
    fn holds(&self, source: &SourcePath, old: &Doc, new: &Doc, preview: &Preview) -> bool {
        !self.problems.plan.tells_of(source.as_str()) && preview.with_plan(|plan| plan.holds_with(old, new)) == Some(true)
    }

    /// Plans the site and shows that plan. `renamed` says what files that went are called now.
    pub(super) fn plan(&mut self, disk: &Disk, visibility: Visibility, preview: &Preview, renamed: &BTreeMap<SourcePath, SourcePath>) {
        let docs = self.articles.values().filter_map(|a| a.doc.clone()).collect();
        let (plan, problems) = plan::arrange(docs, &faulty(&self.articles), &self.sources, &self.config, visibility);
        self.problems.plan = problems;
        self.due = Due::Everything;
        let span = visible_span(&plan, &self.config, visibility.now);
        let moves = preview.moves_to(&plan, renamed);
        let table = Table::new(&plan, &self.files, |source| self.articles.get(source).and_then(|a| a.handles));
        let table = Arc::new(RwLock::new(table));
        let Some(renderer) = self.renderer(plan, &table, disk) else { return };
        let prefix = self.config.base_url.prefix().to_owned();
        preview.replace(Site { renderer, table, prefix, generation: 0, moves, now: visibility.now, span });
    }

    /// A renderer with the templates as they are; where these cannot be read, with the last that could.
    fn renderer(&mut self, plan: Plan, table: &Arc<RwLock<Table>>, disk: &Disk) -> Option<Renderer> {
        let moved = Arc::new(AtomicBool::new(false));
        let inputs = Stored::new(disk.clone(), Arc::clone(&self.pack), &plan, Arc::clone(table), self.settings.clone(), moved);
        let sets = vec![self.sources.templates.clone(), self.good_templates.clone()];
        self.tried_templates = mark_of(&self.sources.templates);
        let prepared = Renderer::first_of(plan, self.config.clone(), sets, Box::new(inputs));
        if prepared.template_problems.is_empty() {
            self.good_templates.clone_from(&self.sources.templates);
        }
        self.problems.templates = prepared.template_problems;
        self.problems.counters = prepared.counter_problems;
        prepared.renderer
    }

    /// Puts new texts, templates and data into the plan that stands.
    fn put(&mut self, edits: &Edits, fresh: Fresh, preview: &Preview) {
        let others: Vec<&SourcePath> = edits.written.iter().filter(|path| !self.is_article(path)).collect();
        if !others.is_empty() {
            self.due = Due::Everything;
        }
        // By their texts, not by what was marked: a template is read before it is marked, and may change in between.
        let tried = mark_of(&self.sources.templates);
        let templates = (tried != self.tried_templates).then(|| self.sources.templates.clone());
        self.tried_templates = tried;
        let counters = others.iter().any(|path| path.as_str() == self.config.counters.snapshot);
        let changed = preview.change(|site| {
            let mut table = site.table.write().unwrap_or_else(PoisonError::into_inner);
            for path in others {
                table.mark(path, self.files.get(path).map(|e| e.mark));
            }
            for (doc, handles) in &fresh {
                if let Some(node) = site.renderer.plan().by_source.get(&doc.source) {
                    table.put(*node, *handles);
                }
            }
            drop(table);
            let put = site.renderer.put(fresh.into_iter().map(|(doc, _)| doc).collect());
            let counted = counters.then(|| site.renderer.recount());
            let read = templates.as_ref().map(|templates| site.renderer.retemplate(templates.clone()));
            (put, counted, read)
        });
        let Some((put, counted, read)) = changed else { return };
        if let Some(counted) = counted {
            self.problems.counters = counted.err().unwrap_or_default();
        }
        match read {
            Some(Ok(())) => {
                self.good_templates = templates.unwrap_or_default();
                self.problems.templates = Report::default();
            }
            Some(Err(unread)) => self.problems.templates = unread,
            None => {}
        }
        self.problems.templates.extend(put.err().unwrap_or_default());
    }

    /// Looks for what may be wrong since it last did.
    pub(super) fn check(&mut self, preview: &Preview) {
        let due = std::mem::take(&mut self.due);
        if due >= Due::Links {
            self.problems.check = preview.with_plan(|plan| plan::check(plan, &self.config)).unwrap_or_default();
        }
        let mut outs = preview.pages_of(&self.edited);
        if due >= Due::Everything {
            outs.extend(preview.with_plan(samples).unwrap_or_default());
        }
        for out in outs {
            // What it comes to is kept, or told among the preview's failures.
            let _ = preview.page(&out);
        }
        preview.retry();
    }

    /// Everything that is wrong, but with pages.
    pub(super) fn problems(&self) -> Report {
        self.problems.all(self.articles.values())
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
        for (source, outcome) in some.iter().zip(self.parse_in_turn(&some, disk)) {
            let (Ok(outcome), Some(article), Some(entry)) = (outcome, self.articles.get_mut(source), self.files.get_mut(source)) else { continue };
            // One that has changed meanwhile is about to be looked at.
            if outcome.mark == entry.mark && !outcome.errors.has_errors() && article.errors.is_empty() {
                article.handles = Some(outcome.handles);
                entry.parsed = Some(outcome.handles);
                preview.put(source, outcome.handles);
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
        let (store, _) = Store::open(claim.state(), program, Cache::Use, self.looked)?;
        let failed = |e| Diagnostic::warning(format!("what was parsed could not be kept: {}", crate::load::reason(&e)));
        store.adopt(self.files.clone(), &self.pack, &self.pack_name, self.settings.mark()).map_err(failed)
    }
}

fn mark_of(templates: &[TemplateSource]) -> Mark {
    let mut marker = Marker::default();
    for template in templates {
        marker.text(&template.name).text(&template.text);
    }
    marker.finish()
}
