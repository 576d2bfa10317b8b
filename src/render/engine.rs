//! Tera, with Folio's functions and filters, and the trace of the calls of templates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use tera::{Context, Tera};

use super::complexity::too_complex;
use super::contract::Contracts;
use super::world::{Audience, Trace, World};
use super::{errors, filters, functions, trans};
use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;
use crate::parse::Call;

/// Compiled templates, which one thread renders at a time.
pub(super) struct Engine {
    tera: Tera,
    contracts: Contracts,
    trace: Arc<Mutex<Trace>>,
    /// Whether a feed is being rendered, for the functions that return URLs.
    for_feed: Arc<AtomicBool>,
}

impl Engine {
    /// Compiles the templates.
    ///
    /// # Errors
    /// Every syntax error of every template or, if there are none, the problems between templates.
    pub(super) fn new(world: &Arc<World>, templates: &[TemplateSource]) -> Result<Self, Report> {
        let complex = too_complex(templates);
        if !complex.is_empty() {
            return Err(complex);
        }
        let trace = Arc::new(Mutex::new(Trace::new()));
        let for_feed = Arc::new(AtomicBool::new(false));
        let mut tera = bare(world, &trace, &for_feed);
        tera.global_context().insert_value("site", world.site.clone());
        let all = templates.iter().map(|t| (t.name.as_str(), t.text.as_ref()));
        if let Err(error) = tera.add_raw_templates(all) {
            return Err(every_error(&error, templates, || bare(world, &trace, &for_feed)));
        }
        let contracts = Contracts::of(&tera, templates);
        Ok(Self { tera, contracts, trace, for_feed })
    }

    /// Starts the trace of a job.
    pub(super) fn start(&self) {
        self.trace.lock().clear();
    }

    /// Ends the trace of a job and returns it.
    pub(super) fn finish(&self) -> Trace {
        std::mem::take(&mut *self.trace.lock())
    }

    /// Renders a template; `subject` names what is being rendered, for messages.
    ///
    /// # Errors
    /// The location in the template, with the page that was being rendered.
    pub(super) fn template(
        &self,
        name: &str,
        context: &Context,
        subject: &str,
    ) -> Result<String, Diagnostic> {
        let mut output = LimitedOutput::default();
        let result = self.tera.render_to(name, context, &mut output);
        let note = || format!("while rendering {subject}");
        if output.is_full {
            return Err(too_large(name).note(note()));
        }
        result.map_err(|e| errors::rendering(&e).note(note()))?;
        output.into_text().map_err(|e| Diagnostic::error(e.to_string()).note(note()))
    }

    /// Renders a component.
    ///
    /// # Errors
    /// Tera's own error; the caller knows the location of the call.
    pub(super) fn component(
        &self,
        name: &str,
        arguments: &Context,
        implicits: &Context,
        body: Option<&str>,
        audience: Audience,
    ) -> Result<String, tera::Error> {
        self.for_feed.store(audience == Audience::Feed, Ordering::Relaxed);
        let mut output = LimitedOutput::default();
        let result = self.tera.render_component_with_implicits_to(
            name,
            arguments,
            implicits,
            body,
            true,
            &mut output,
        );
        self.for_feed.store(false, Ordering::Relaxed);
        if output.is_full {
            let limit = MAX_OUTPUT >> 20;
            return Err(tera::Error::message(format!("it writes more than {limit} MiB")));
        }
        result?;
        output.into_text().map_err(|e| tera::Error::message(e.to_string()))
    }

    /// The names of all components.
    pub(super) fn component_names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.tera.get_component_names().collect();
        names.sort_unstable();
        names
    }

    /// What is wrong with a call by what its component declares, without a location.
    pub(super) fn contract_problems(&self, call: &Call) -> Vec<Diagnostic> {
        self.contracts.problems(call)
    }

    /// The arguments that a component declares.
    pub(super) fn component_definition(&self, name: &str) -> Option<tera::ComponentInfo> {
        self.tera.get_component_definition(name)
    }
}

/// The largest page that a template may write, in bytes.
const MAX_OUTPUT: usize = 256 << 20;

/// Collects what a template writes, up to [`MAX_OUTPUT`].
#[derive(Default)]
struct LimitedOutput {
    bytes: Vec<u8>,
    is_full: bool,
}

impl LimitedOutput {
    fn into_text(self) -> Result<String, std::string::FromUtf8Error> {
        String::from_utf8(self.bytes)
    }
}

impl std::io::Write for LimitedOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT {
            self.is_full = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn too_large(template: &str) -> Diagnostic {
    Diagnostic::error(format!("template `{template}` writes more than {} MiB", MAX_OUTPUT >> 20))
        .in_file(TemplateSource::file(template))
        .hint("look for a loop that is inside another one")
}

fn bare(world: &Arc<World>, trace: &Arc<Mutex<Trace>>, for_feed: &Arc<AtomicBool>) -> Tera {
    let mut tera = Tera::default();
    functions::register(&mut tera, world, trace, for_feed);
    filters::register(&mut tera, &world.config);
    trans::register(&mut tera, &world.config.texts);
    tera
}

/// Tera stops at the first template with an error; each is compiled separately to find all of them.
fn every_error(
    first: &tera::Error,
    templates: &[TemplateSource],
    bare: impl Fn() -> Tera,
) -> Report {
    let mut report = Report::default();
    for template in templates {
        if let Err(error) = bare().add_raw_template(&template.name, &template.text)
            && matches!(error.kind(), tera::ErrorKind::SyntaxError(_))
        {
            report.push(errors::syntax(&error, &template.text));
        }
    }
    if report.is_empty() {
        let components: Vec<&str> =
            templates.iter().flat_map(|t| defined_components(&t.text)).collect();
        report.extend(errors::loading(first, templates, &components));
    }
    report
}

/// The names of the components that a template defines.
fn defined_components(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("{% component ").filter_map(|(at, tag)| {
        text[at + tag.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next()
    })
}
