//! [`Job`] → bytes. One job needs no other job's output: what it shows of other articles is in the plan.
//!
//! A [`Renderer`] is shared by threads; each takes an [`engine::Engine`] from its pool for the length of a
//! job. What a template asks for is recorded in the job's [`Trace`]. Nothing here touches a file: bodies and
//! data come through [`Inputs`].

mod address;
pub mod ads;
mod closure;
mod counters;
mod css;
mod engine;
mod errors;
mod feed;
mod fill;
mod filters;
mod functions;
mod image_size;
mod pages;
mod parts;
pub(crate) mod redirect;
mod sitemap;
pub mod view;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use tera::Value;

use crate::config::Config;
use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;
use crate::memo::Mark;
use crate::parse::{Body, Doc, Target};
use crate::paths::SourcePath;
use crate::plan::links::From;
use crate::plan::{CopyFrom, Job, JobKind, Node, Plan};
use closure::Closures;
use engine::Engine;
use parts::Shared;
pub use parts::{Part, Parts, path_mark};

/// What rendering reads besides the plan.
pub trait Inputs: Send + Sync {
    /// The parsed body of an article or a section's `_index.md`.
    ///
    /// # Errors
    /// When it cannot be read back.
    fn body(&self, node: Node) -> Result<Body, Diagnostic>;

    /// The bytes of a file of the site; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic>;

    /// The mark of what is known of an article but its body.
    fn doc_mark(&self, node: Node) -> Mark;

    /// The mark of a body.
    fn body_mark(&self, node: Node) -> Mark;

    /// The mark of a file's content; `None` when there is none.
    fn mark(&self, path: &SourcePath) -> Option<Mark>;
}

/// Everything that templates can see, unchanging while a site is rendered.
pub struct World {
    pub plan: Plan,
    pub config: Config,
    pub inputs: Box<dyn Inputs>,
    /// The config as templates see it.
    pub site: Value,
    /// Route → views and hearts.
    pub counters: counters::Counters,
    closures: Closures,
    shared: Shared,
    highlight_css: OnceLock<String>,
    feed_texts: feed::Texts,
    card_values: Vec<OnceLock<Value>>,
    cards_kept: AtomicUsize,
}

impl World {
    /// The style sheet for highlighted code.
    pub(crate) fn highlight_css(&self) -> &str {
        self.highlight_css.get_or_init(|| css::highlight(&self.config))
    }
}

/// Who reads what is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// A visitor of the site.
    Page,
    /// A feed reader: every address is absolute, and there are no ads.
    Feed,
}

/// A call that a template made, as it can be made again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Call {
    pub function: String,
    /// The arguments as a JSON object, its keys sorted.
    pub arguments: String,
    pub audience: Audience,
}

/// A call with the mark of what came back; a miss has one too.
pub type TracedCall = (Call, Mark);

/// What a job read while it rendered, in order.
pub type Trace = Vec<TracedCall>;

/// A rendered job.
#[derive(Debug)]
pub struct Rendered {
    pub content: Content,
    pub trace: Trace,
}

/// A file's content.
#[derive(Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    /// To be copied as it is.
    Copy(CopyFrom),
}

/// A template error outside of a site's own templates, with its place in `file`.
#[must_use]
pub fn template_error(error: &tera::Error, file: &str) -> Diagnostic {
    let mut d = errors::rendering(error);
    d.file = (!file.is_empty()).then(|| file.to_owned());
    d
}

/// Renders jobs.
pub struct Renderer {
    world: Arc<World>,
    templates: Vec<TemplateSource>,
    pool: Mutex<Vec<Engine>>,
}

/// What [`Renderer::first_of`] came to.
pub struct Prepared {
    /// `None` when no set of templates can be read.
    pub renderer: Option<Renderer>,
    pub template_problems: Report,
    pub counter_problems: Report,
}

impl Renderer {
    /// Prepares templates.
    ///
    /// # Errors
    /// Every template that cannot be read, and whatever they refer to that is not there.
    pub fn new(plan: Plan, config: Config, templates: Vec<TemplateSource>, inputs: Box<dyn Inputs>) -> Result<Self, Report> {
        let prepared = Self::first_of(plan, config, vec![templates], inputs);
        let mut problems = prepared.counter_problems;
        problems.extend(prepared.template_problems);
        match prepared.renderer {
            Some(renderer) if problems.is_empty() => Ok(renderer),
            _ => Err(problems),
        }
    }

    /// Prepares the first of several sets of templates that can be read, and goes without numbers of views where
    /// their file cannot. Whatever is wrong with the first set, or with that file, comes beside it.
    #[must_use]
    pub fn first_of(plan: Plan, config: Config, sets: Vec<Vec<TemplateSource>>, inputs: Box<dyn Inputs>) -> Prepared {
        let site = view::site(&config, &plan);
        let (counters, counter_problems) = match counters::Counters::read(&config, &*inputs) {
            Ok(counters) => (counters, Report::default()),
            Err(report) => (counters::Counters::default(), report),
        };
        let card_values = plan.pages.iter().map(|_| OnceLock::new()).collect();
        let shared = Shared::new(&plan);
        let mut world = Arc::new(World {
            plan,
            config,
            inputs,
            site,
            counters,
            closures: Closures::new(&[]),
            shared,
            highlight_css: OnceLock::new(),
            feed_texts: feed::Texts::default(),
            card_values,
            cards_kept: AtomicUsize::new(0),
        });
        let mut unread = None;
        for templates in sets {
            match Self::read(&mut world, templates) {
                Ok(renderer) => {
                    return Prepared { renderer: Some(renderer), template_problems: unread.unwrap_or_default(), counter_problems };
                }
                Err(report) => unread = unread.or(Some(report)),
            }
        }
        Prepared { renderer: None, template_problems: unread.unwrap_or_default(), counter_problems }
    }

    fn read(world: &mut Arc<World>, templates: Vec<TemplateSource>) -> Result<Self, Report> {
        if let Some(world) = Arc::get_mut(world) {
            world.closures = Closures::new(&templates);
        }
        let first = Engine::new(world, &templates)?;
        Ok(Self { world: Arc::clone(world), templates, pool: Mutex::new(vec![first]) })
    }

    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.world.plan
    }

    #[must_use]
    pub fn config(&self) -> &Config {
        &self.world.config
    }

    /// The templates, those of the default theme among them.
    #[must_use]
    pub fn templates(&self) -> &[TemplateSource] {
        &self.templates
    }

    /// The address that a link of an article is written as on its page; `None` when it leads nowhere.
    #[must_use]
    pub fn address(&self, target: &Target, from: From<'_>) -> Option<String> {
        self.world.address(target, from, Audience::Page)
    }

    /// Renders one job.
    ///
    /// # Errors
    /// Every problem of its templates and components, with the page that was being rendered.
    pub fn render(&self, job: &Job) -> Result<Rendered, Report> {
        if let JobKind::Copy(from) = &job.kind {
            return Ok(Rendered { content: Content::Copy(from.clone()), trace: Trace::new() });
        }
        let engine = self.take_engine()?;
        engine.start();
        let bytes = self.bytes(job, &engine);
        let trace = engine.finish();
        self.give_back(engine);
        Ok(Rendered { content: Content::Bytes(bytes?), trace })
    }

    fn bytes(&self, job: &Job, engine: &Engine) -> Result<Vec<u8>, Report> {
        let world = &*self.world;
        let text = match &job.kind {
            JobKind::Feed { format, scope } => feed::render(world, engine, job, *format, *scope)?,
            JobKind::Sitemap { .. }
            | JobKind::SitemapIndex { .. }
            | JobKind::Robots
            | JobKind::AdsTxt
            | JobKind::HighlightCss
            | JobKind::Redirect { .. } => plain(world, &job.kind),
            _ => pages::render(world, engine, job)?,
        };
        Ok(text.into_bytes())
    }

    /// The bytes of a file that is copied.
    ///
    /// # Errors
    /// When it cannot be read, or is no longer there.
    pub fn file(&self, path: &SourcePath) -> Result<Vec<u8>, Diagnostic> {
        let gone = || Diagnostic::error("this file went away while the site was built").in_file(path.as_str()).hint("build again");
        self.world.inputs.file(path)?.ok_or_else(gone)
    }

    /// Puts articles' new texts into the place of their old ones. The plan must be one that
    /// [holds](Plan::holds_with) with them, and the inputs must know of them already.
    ///
    /// # Errors
    /// What keeps the templates from being read, which were read before.
    pub fn put(&mut self, docs: Vec<Arc<Doc>>) -> Result<(), Report> {
        self.change(|world| {
            for doc in docs {
                let Some(Node::Page(id)) = world.plan.put(doc) else { continue };
                if world.card_values[id].take().is_some() {
                    world.cards_kept.fetch_sub(1, Ordering::Relaxed);
                }
                world.shared.forget(id);
                world.feed_texts.forget(id);
            }
        })
    }

    /// Goes on with other templates of the same names.
    ///
    /// # Errors
    /// Every problem of the new ones; the renderer then goes on with those that it had.
    pub fn retemplate(&mut self, templates: Vec<TemplateSource>) -> Result<(), Report> {
        let first = Engine::new(&self.world, &templates)?;
        drop(first);
        self.templates = templates;
        let closures = Closures::new(&self.templates);
        self.change(|world| world.closures = closures)
    }

    /// Reads the views and hearts again.
    ///
    /// # Errors
    /// When the snapshot is no such table; the renderer then goes on with the numbers that it had.
    pub fn recount(&mut self) -> Result<(), Report> {
        let counters = counters::Counters::read(&self.world.config, &*self.world.inputs)?;
        self.change(|world| {
            world.counters = counters;
            // A card may show them.
            world.card_values.iter_mut().for_each(|slot| drop(slot.take()));
            world.cards_kept.store(0, Ordering::Relaxed);
            world.shared = Shared::new(&world.plan);
        })
    }

    /// Changes the world. The engines refer to it, so that new ones take their place.
    fn change<T>(&mut self, change: impl FnOnce(&mut World) -> T) -> Result<T, Report> {
        self.pool.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        let world = Arc::get_mut(&mut self.world);
        let world = world.ok_or_else(|| Report::of(Diagnostic::error("a page is still being rendered").hint("this is a mistake in Folio")))?;
        let changed = change(world);
        let engine = Engine::new(&self.world, &self.templates)?;
        self.give_back(engine);
        Ok(changed)
    }

    /// What a job is made of.
    #[must_use]
    pub fn parts(&self, job: &Job) -> Parts {
        self.world.parts(job)
    }

    /// The mark of what a call gives now.
    #[must_use]
    pub fn ask_again(&self, call: &Call) -> Mark {
        functions::ask_again(&self.world, call)
    }

    /// The mark of every template by name.
    #[must_use]
    pub fn template_marks(&self) -> BTreeMap<String, Mark> {
        self.world.closures.marks()
    }

    fn take_engine(&self) -> Result<Engine, Report> {
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.map_or_else(|| Engine::new(&self.world, &self.templates), Ok)
    }

    fn give_back(&self, engine: Engine) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(engine);
    }
}

/// The text of a job that needs no template.
fn plain(world: &World, kind: &JobKind) -> String {
    match kind {
        JobKind::Sitemap { part } => sitemap::part(world, *part),
        JobKind::SitemapIndex { parts } => sitemap::index(world, *parts),
        JobKind::Robots => sitemap::robots(world),
        JobKind::AdsTxt => world.config.ads.ads_txt.iter().map(|line| format!("{line}\n")).collect(),
        JobKind::HighlightCss => world.highlight_css().to_owned(),
        JobKind::Redirect { to, .. } => redirect::page(world, to),
        _ => String::new(),
    }
}
