//! Tera, with the functions and filters that templates are promised, and the trace of what they ask.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tera::{Context, Tera};

use super::{Audience, Trace, World, errors, filters, functions};
use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;

/// A set of templates that one thread renders with at a time.
pub(super) struct Engine {
    tera: Tera,
    trace: Arc<Mutex<Trace>>,
    /// Whether what is being rendered is for a feed, for the functions that write addresses.
    for_feed: Arc<AtomicBool>,
}

impl Engine {
    /// Reads the templates.
    ///
    /// # Errors
    /// Every syntax error of every template; where there is none, whatever is wrong between them.
    pub(super) fn new(world: &Arc<World>, templates: &[TemplateSource]) -> Result<Self, Report> {
        let trace = Arc::new(Mutex::new(Trace::new()));
        let for_feed = Arc::new(AtomicBool::new(false));
        let mut tera = bare(world, &trace, &for_feed);
        tera.global_context().insert_value("site", world.site.clone());
        let all = templates.iter().map(|t| (t.name.as_str(), t.text.as_ref()));
        if let Err(error) = tera.add_raw_templates(all) {
            return Err(every_error(&error, templates, || bare(world, &trace, &for_feed)));
        }
        Ok(Self { tera, trace, for_feed })
    }

    /// Begins a job's trace.
    pub(super) fn start(&self) {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends a job's trace and hands it over.
    pub(super) fn finish(&self) -> Trace {
        std::mem::take(&mut *self.trace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Renders a template; `subject` names what is being rendered, for messages.
    ///
    /// # Errors
    /// The template's line that failed, and the page it failed for.
    pub(super) fn template(&self, name: &str, context: &Context, subject: &str) -> Result<String, Diagnostic> {
        self.tera.render(name, context).map_err(|e| errors::rendering(&e).note(format!("while rendering {subject}")))
    }

    /// Renders a component.
    ///
    /// # Errors
    /// Tera's own error; the caller knows the place of the call.
    pub(super) fn component(
        &self,
        name: &str,
        arguments: &Context,
        implicits: &Context,
        body: Option<&str>,
        audience: Audience,
    ) -> Result<String, tera::Error> {
        self.for_feed.store(audience == Audience::Feed, Ordering::Relaxed);
        let html = self.tera.render_component_with_implicits(name, arguments, implicits, body, true);
        self.for_feed.store(false, Ordering::Relaxed);
        html
    }

    /// The names of the components there are.
    pub(super) fn components(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.tera.get_component_names().collect();
        names.sort_unstable();
        names
    }
}

fn bare(world: &Arc<World>, trace: &Arc<Mutex<Trace>>, for_feed: &Arc<AtomicBool>) -> Tera {
    let mut tera = Tera::default();
    functions::register(&mut tera, world, trace, for_feed);
    filters::register(&mut tera, &world.config);
    tera
}

/// Tera stops at the first template that it cannot read; each is tried by itself to tell of them all.
fn every_error(first: &tera::Error, templates: &[TemplateSource], bare: impl Fn() -> Tera) -> Report {
    let mut report = Report::default();
    for template in templates {
        if let Err(error) = bare().add_raw_template(&template.name, &template.text)
            && matches!(error.kind(), tera::ErrorKind::SyntaxError(_))
        {
            report.push(errors::rendering(&error));
        }
    }
    if report.is_empty() {
        report.extend(errors::loading(first, templates));
    }
    report
}
