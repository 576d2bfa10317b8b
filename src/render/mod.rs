//! Renders [`Job`]s to bytes. A job needs no other job's output: what it shows of other articles is
//! in the plan.
//!
//! A [`Renderer`] is shared by threads; each takes an [`engine::Engine`] from its pool for the
//! duration of a job. [`World`] turns the plan into views ([`job_view`], [`view`]); templates and
//! feeds render these. The functions that templates call are recorded in the job's [`Trace`]. This
//! module must not touch files: bodies and data come through [`Inputs`].

pub mod ads;
mod complexity;
mod component_error;
mod contract;
mod counters;
mod css;
mod engine;
mod errors;
mod feed;
mod feed_texts;
mod fill;
mod filters;
mod functions;
mod image_size;
mod inputs;
mod job_view;
mod link_url;
mod pages;
mod plain_file;
pub(crate) mod redirect;
mod site_view;
mod sitemap;
mod template_help;
mod template_names;
mod term_view;
mod trans;
pub mod view;
mod world;

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::cache::Fingerprint;
use crate::config::Config;
use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;
use crate::parse::{Doc, Target};
use crate::paths::SourcePath;
use crate::plan::links::From;
use crate::plan::{CopyFrom, Job, JobKind, Node, PageId, Plan};
use engine::Engine;

pub use feed::FeedView;
pub use inputs::Inputs;
pub use job_view::JobView;
pub use view::{ListView, PageNeighbours, SeriesView, TemplateView};
pub use world::{Audience, Call, Trace, TracedCall, World};

/// A rendered job.
#[derive(Debug)]
pub struct RenderOutput {
    pub content: Content,
    pub trace: Trace,
}

/// A file's content.
#[derive(Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    /// The file is copied unchanged.
    Copy(CopyFrom),
}

/// The diagnostic of an error in a template that is not one of the site's, such as an archetype.
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

/// The result of [`Renderer::with_first_valid`].
pub struct PreparedRenderer {
    /// `None` when no set of templates is valid.
    pub renderer: Option<Renderer>,
    pub template_problems: Report,
    pub counter_problems: Report,
}

impl Renderer {
    /// Compiles the templates and prepares rendering.
    ///
    /// # Errors
    /// Every problem of the templates and of the snapshot of counters.
    pub fn new(
        plan: Plan,
        config: Config,
        templates: Vec<TemplateSource>,
        inputs: Box<dyn Inputs>,
    ) -> Result<Self, Report> {
        let prepared = Self::with_first_valid(plan, config, vec![templates], inputs);
        let mut problems = prepared.counter_problems;
        problems.extend(prepared.template_problems);
        match prepared.renderer {
            Some(renderer) if problems.is_empty() => Ok(renderer),
            _ => Err(problems),
        }
    }

    /// Prepares rendering with the first set of templates that compiles. Without a valid snapshot
    /// of counters it continues with no counts. The problems of the first set and of the snapshot
    /// are in the result.
    #[must_use]
    pub fn with_first_valid(
        plan: Plan,
        config: Config,
        sets: Vec<Vec<TemplateSource>>,
        inputs: Box<dyn Inputs>,
    ) -> PreparedRenderer {
        let site = site_view::site(&config, &plan);
        let (counters, counter_problems) = match counters::Counters::read(&config, &*inputs) {
            Ok(counters) => (counters, Report::default()),
            Err(report) => (counters::Counters::default(), report),
        };
        let card_values = plan.pages.iter().map(|_| OnceLock::new()).collect();
        let world = Arc::new(World {
            plan,
            config,
            inputs,
            site,
            counters,
            highlight_css: OnceLock::new(),
            feed_texts: feed_texts::FeedTexts::default(),
            card_values,
            cards_kept: AtomicUsize::new(0),
        });
        let mut problems = None;
        for templates in sets {
            match Self::compile(&world, templates) {
                Ok(renderer) => {
                    return PreparedRenderer {
                        renderer: Some(renderer),
                        template_problems: problems.unwrap_or_default(),
                        counter_problems,
                    };
                }
                Err(report) => problems = problems.or(Some(report)),
            }
        }
        PreparedRenderer {
            renderer: None,
            template_problems: problems.unwrap_or_default(),
            counter_problems,
        }
    }

    fn compile(world: &Arc<World>, templates: Vec<TemplateSource>) -> Result<Self, Report> {
        let first = Engine::new(world, &templates)?;
        Ok(Self { world: Arc::clone(world), templates, pool: Mutex::new(vec![first]) })
    }

    /// What templates can see.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.world.plan
    }

    #[must_use]
    pub fn config(&self) -> &Config {
        &self.world.config
    }

    /// The templates, including those of the default theme that the site does not replace.
    #[must_use]
    pub fn templates(&self) -> &[TemplateSource] {
        &self.templates
    }

    /// Whether the site itself has a template, instead of using the one of the default theme.
    #[must_use]
    pub fn has_own_template(&self, name: &str) -> bool {
        self.templates.iter().any(|template| template.name == name && template.is_own())
    }

    /// Warnings about sections and terms that templates name and that do not exist.
    #[must_use]
    pub fn unknown_names(&self) -> Report {
        template_names::unknown_names(&self.templates, &self.world.plan)
    }

    /// Warnings about routes in the snapshot of counters that the site does not have.
    #[must_use]
    pub fn unknown_routes(&self) -> Report {
        self.world.counters.unknown_routes(&self.world.plan, &self.world.config)
    }

    /// The URL that a link of an article is written as on its page; `None` when its target does not
    /// exist.
    #[must_use]
    pub fn link_url(&self, target: &Target, from: From<'_>) -> Option<String> {
        self.world.link_url(target, from, Audience::Page)
    }

    /// The absolute URL that a link of an article is written as in feeds and metadata; `None` when
    /// its target does not exist.
    #[must_use]
    pub fn link_permalink(&self, target: &Target, from: From<'_>) -> Option<String> {
        self.world.link_url(target, from, Audience::Feed)
    }

    /// Renders one job.
    ///
    /// # Errors
    /// Every problem of its templates and components, with the page that was being rendered.
    pub fn render(&self, job: &Job) -> Result<RenderOutput, Report> {
        if let JobKind::Copy(from) = &job.kind {
            return Ok(RenderOutput { content: Content::Copy(from.clone()), trace: Trace::new() });
        }
        let engine = self.take_engine()?;
        engine.start();
        let bytes = self.bytes(job, &engine);
        let trace = engine.finish();
        self.return_engine(engine);
        Ok(RenderOutput { content: Content::Bytes(bytes?), trace })
    }

    fn bytes(&self, job: &Job, engine: &Engine) -> Result<Vec<u8>, Report> {
        let world = &*self.world;
        let text = match world.job_view(job) {
            JobView::Templated { template, view } => {
                pages::render(world, engine, job, template, &view)?
            }
            JobView::Feed(feed) => feed::render(world, engine, job, &feed)?,
            JobView::Text(text) => text,
        };
        Ok(text.into_bytes())
    }

    /// What rendering reads besides the plan.
    #[must_use]
    pub fn inputs(&self) -> &dyn Inputs {
        &*self.world.inputs
    }

    /// Opens a file that is copied.
    ///
    /// # Errors
    /// When it cannot be opened, or no longer exists.
    pub fn open_file(&self, path: &SourcePath) -> Result<File, Diagnostic> {
        self.world.inputs.open_file(path)?.ok_or_else(|| removed(path))
    }

    /// The bytes of a copied file.
    ///
    /// # Errors
    /// When it cannot be read, or no longer exists.
    pub fn file(&self, path: &SourcePath) -> Result<Vec<u8>, Diagnostic> {
        self.world.inputs.file(path)?.ok_or_else(|| removed(path))
    }

    /// Replaces the documents of articles whose text has changed, and returns the pages among them.
    /// The plan must [stay valid](Plan::is_valid_with) with them, and the inputs must return their
    /// bodies already.
    ///
    /// # Errors
    /// When the templates, which compiled before, no longer do.
    pub fn replace_documents(&mut self, docs: Vec<Arc<Doc>>) -> Result<Vec<PageId>, Report> {
        self.change(|world| {
            let mut pages = Vec::new();
            for doc in docs {
                let Some(Node::Page(id)) = world.plan.replace_document(doc) else { continue };
                if world.card_values[id].take().is_some() {
                    world.cards_kept.fetch_sub(1, Ordering::Relaxed);
                }
                world.feed_texts.remove(id);
                pages.push(id);
            }
            pages
        })
    }

    /// Replaces the templates by others of the same names.
    ///
    /// # Errors
    /// Every problem of the new templates; the old ones are then kept.
    pub fn replace_templates(&mut self, templates: Vec<TemplateSource>) -> Result<(), Report> {
        Engine::new(&self.world, &templates)?;
        self.templates = templates;
        self.change(|_| ())
    }

    /// Reads the snapshot of views and hearts again.
    ///
    /// # Errors
    /// When it is not valid; the old counts are then kept.
    pub fn reload_counters(&mut self) -> Result<(), Report> {
        let counters = counters::Counters::read(&self.world.config, &*self.world.inputs)?;
        self.change(|world| {
            world.counters = counters;
            // Cards may show them.
            world.card_values.iter_mut().for_each(|slot| drop(slot.take()));
            world.cards_kept.store(0, Ordering::Relaxed);
        })
    }

    /// Changes the world. The engines refer to it, so they are created anew.
    fn change<T>(&mut self, change: impl FnOnce(&mut World) -> T) -> Result<T, Report> {
        self.pool.get_mut().clear();
        let world = Arc::get_mut(&mut self.world).ok_or_else(|| {
            Report::of(
                Diagnostic::error("a page is still being rendered")
                    .hint("this is a bug in Folio; please report it"),
            )
        })?;
        let changed = change(world);
        let engine = Engine::new(&self.world, &self.templates)?;
        self.return_engine(engine);
        Ok(changed)
    }

    /// The fingerprint of what a call returns now.
    #[must_use]
    pub fn reevaluate(&self, call: &Call) -> Fingerprint {
        functions::reevaluate(&self.world, call)
    }

    fn take_engine(&self) -> Result<Engine, Report> {
        let pooled = self.pool.lock().pop();
        pooled.map_or_else(|| Engine::new(&self.world, &self.templates), Ok)
    }

    fn return_engine(&self, engine: Engine) {
        self.pool.lock().push(engine);
    }
}

fn removed(path: &SourcePath) -> Diagnostic {
    Diagnostic::error("this file was removed while the site was built")
        .in_file(path.as_str())
        .hint("build again")
}
