//! The functions of templates. Each call is recorded in the trace of the job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use serde::Serialize;
use serde_json::json;
use tera::value::Key;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::filters::DataProblem;
use super::image_size;
use super::view::into_map;
use super::world::{Audience, Call, Trace, World};
use crate::cache::Fingerprint;
use crate::config::SortBy;
use crate::diag::nearest;
use crate::paths::{OutPath, Route, SourcePath, percent_encode};
use crate::plan::{CopyFrom, JobKind, Node, PageId};

type Ask = fn(&World, &Kwargs, Audience) -> TeraResult<Value>;

/// A function of templates.
struct Function {
    name: &'static str,
    ask: Ask,
    parameters: &'static [Parameter],
}

/// An argument that a function takes.
struct Parameter {
    name: &'static str,
    kind: Kind,
    is_required: bool,
}

/// What an argument may be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Count,
    Flag,
}

const fn needed(name: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Text, is_required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, is_required: false }
}

/// Every function. `pages` takes the taxonomies of the site as well.
const FUNCTIONS: [Function; 9] = [
    Function {
        name: "pages",
        ask: pages,
        parameters: &[
            optional("section", Kind::Text),
            optional("sort", Kind::Text),
            optional("limit", Kind::Count),
            optional("offset", Kind::Count),
        ],
    },
    Function { name: "page", ask: page, parameters: &[needed("path")] },
    Function { name: "section", ask: section, parameters: &[needed("path")] },
    Function { name: "taxonomy", ask: taxonomy, parameters: &[needed("kind")] },
    Function {
        name: "data",
        ask: data,
        parameters: &[needed("path"), optional("required", Kind::Flag)],
    },
    Function { name: "asset", ask: asset, parameters: &[needed("path")] },
    Function {
        name: "image",
        ask: image,
        parameters: &[needed("src"), optional("width", Kind::Count)],
    },
    Function {
        name: "url",
        ask: url,
        parameters: &[needed("path"), optional("absolute", Kind::Flag)],
    },
    Function { name: "highlight_css", ask: highlight_css, parameters: &[] },
];

impl Function {
    /// Calls the function.
    fn call(&self, world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
        self.check_arguments(world, kwargs)?;
        (self.ask)(world, kwargs, audience)
    }

    /// Refuses arguments that the function does not have or that are of another kind, and calls
    /// without an argument that it needs.
    fn check_arguments(&self, world: &World, kwargs: &Kwargs) -> TeraResult<()> {
        let taxonomies = if self.name == "pages" { taxonomy_names(world) } else { Vec::new() };
        let known = || self.parameters.iter().map(|p| p.name).chain(taxonomies.iter().copied());
        let mut given: Vec<(String, &Value)> =
            kwargs.iter().map(|(key, value)| (key.to_string(), value)).collect();
        given.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (key, value) in &given {
            let parameter = self.parameters.iter().find(|p| p.name == key);
            if parameter.is_none() && !taxonomies.contains(&key.as_str()) {
                return Err(self.unknown_argument(key, known()));
            }
            parameter.map_or(Kind::Text, |p| p.kind).check(self.name, key, value)?;
        }
        let is_given = |p: &&Parameter| given.iter().any(|(key, _)| key == p.name);
        match self.parameters.iter().filter(|p| p.is_required).find(|p| !is_given(p)) {
            Some(Parameter { name, kind, .. }) => Err(Error::message(format!(
                "missing argument `{name}` of function `{}`{HELP}write `{name}={}`",
                self.name,
                kind.example()
            ))),
            None => Ok(()),
        }
    }

    fn unknown_argument<'k>(&self, key: &str, known: impl Iterator<Item = &'k str>) -> Error {
        let known: Vec<&str> = known.collect();
        let help = match nearest(key, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => "it takes no arguments".to_owned(),
            None => format!("arguments are {}", known.join(", ")),
        };
        let message = format!("unknown argument `{key}` of function `{}`", self.name);
        Error::message(format!("{message}{HELP}{help}"))
    }
}

impl Kind {
    /// Refuses a value of another kind.
    fn check(self, function: &str, key: &str, value: &Value) -> TeraResult<()> {
        let fits = match self {
            Self::Text => value.as_str().is_some(),
            Self::Count => value.as_i128().is_some_and(|n| n >= 0),
            Self::Flag => value.as_bool().is_some(),
        };
        if fits || value.is_none() || value.is_undefined() {
            return Ok(());
        }
        Err(Error::message(format!(
            "argument `{key}` of function `{function}` is not {}{HELP}write `{key}={}`",
            self.noun(),
            self.example()
        )))
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Count => "a whole number, 0 or more",
            Self::Flag => "true or false",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Text => "\"…\"",
            Self::Count => "3",
            Self::Flag => "true",
        }
    }
}

/// The taxonomies of the site: those of `site.toml`, and those that articles use.
fn taxonomy_names(world: &World) -> Vec<&str> {
    world.config.taxonomies.keys().map(String::as_str).collect()
}

/// Separates a message of a function from its help, which Tera does not have.
pub(super) const HELP: &str = "; help: ";

/// Registers every function, recording calls in `trace`.
pub(super) fn register(
    tera: &mut Tera,
    world: &Arc<World>,
    trace: &Arc<Mutex<Trace>>,
    for_feed: &Arc<AtomicBool>,
) {
    for function in &FUNCTIONS {
        let (world, trace, for_feed) = (Arc::clone(world), Arc::clone(trace), Arc::clone(for_feed));
        tera.register_function(
            function.name,
            move |kwargs: Kwargs, _: &State| -> TeraResult<Value> {
                let audience =
                    if for_feed.load(Ordering::Relaxed) { Audience::Feed } else { Audience::Page };
                let answer = function.call(&world, &kwargs, audience);
                let call = Call {
                    function: function.name.to_owned(),
                    arguments: arguments(&kwargs),
                    audience,
                };
                trace.lock().push((call, fingerprint_of(&answer)));
                answer
            },
        );
    }
}

/// The fingerprint of what a recorded call returns now; the default one if it cannot be evaluated.
pub(super) fn reevaluate(world: &World, call: &Call) -> Fingerprint {
    let function = FUNCTIONS.iter().find(|function| function.name == call.function);
    let arguments: Option<serde_json::Value> = serde_json::from_str(&call.arguments).ok();
    let arguments = arguments.and_then(|a| Value::from_serializable(&a).into_map());
    match (function, arguments) {
        (Some(function), Some(arguments)) => {
            fingerprint_of(&function.call(world, &Kwargs::new(Arc::new(arguments)), call.audience))
        }
        _ => Fingerprint::default(),
    }
}

fn fingerprint_of(answer: &TeraResult<Value>) -> Fingerprint {
    match answer {
        Ok(value) => Fingerprint::of_json(&(value, value.is_safe())),
        Err(error) => Fingerprint::of(error.to_string().as_bytes()),
    }
}

/// The arguments as a JSON object with its keys sorted.
fn arguments(kwargs: &Kwargs) -> String {
    let sorted: BTreeMap<String, &Value> =
        kwargs.iter().map(|(key, value)| (key.to_string(), value)).collect();
    serde_json::to_string(&sorted).unwrap_or_default()
}

fn value(of: &impl Serialize) -> Value {
    Value::from_serializable(of)
}

/// `pages(section=, tag=, category=, author=, sort=, limit=, offset=)`: cards.
fn pages(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let plan = &world.plan;
    let mut ids: Vec<PageId> = match kwargs.get::<&str>("section")? {
        Some(path) => plan
            .sections
            .iter()
            .find(|s| s.path == path.trim_matches('/'))
            .map(|s| s.pages.clone())
            .unwrap_or_default(),
        None => plan.articles.clone(),
    };
    for taxonomy in taxonomy_names(world) {
        if let Some(term) = kwargs.get::<&str>(taxonomy)? {
            // Two spellings of a term are the same, as on its page.
            let number = |name: &str| {
                plan.taxonomies.iter().find(|t| t.name == taxonomy)?.spellings.get(name).copied()
            };
            let wanted = number(term);
            let is_it =
                |name: &String| name == term || (wanted.is_some() && number(name) == wanted);
            ids.retain(|id| {
                plan.pages[*id]
                    .doc
                    .front
                    .terms
                    .get(taxonomy)
                    .is_some_and(|terms| terms.iter().any(is_it))
            });
        }
    }
    if let Some(sort) = kwargs.get::<&str>("sort")? {
        let by = match sort {
            "date" => SortBy::Date,
            "title" => SortBy::Title,
            "weight" => SortBy::Weight,
            "update_date" => SortBy::UpdateDate,
            "slug" => SortBy::Slug,
            "permalink" => SortBy::Permalink,
            "none" => SortBy::None,
            other => {
                return Err(Error::message(format!(
                    "`sort` cannot be \"{other}\"{HELP}values are date, title, weight, \
                     update_date, slug, permalink and none"
                )));
            }
        };
        plan.sort(&mut ids, by);
    }
    let offset = kwargs.get::<usize>("offset")?.unwrap_or(0);
    let limit = kwargs.get::<usize>("limit")?.unwrap_or(usize::MAX);
    Ok(world.card_values(&ids.into_iter().skip(offset).take(limit).collect::<Vec<_>>()))
}

/// `page(path="posts/a.md")` or `page(path="/posts/a/")` returns the card of an article, or
/// nothing.
fn page(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let by_source = world
        .plan
        .node(&format!("content/{}", path.trim_start_matches("@/").trim_start_matches('/')));
    if let Some(Node::Page(id)) = by_source {
        return Ok(world.card_value(id));
    }
    let job = Route::parse(path).ok().and_then(|r| world.plan.jobs.get(&r.out_path()));
    Ok(match job.map(|j| &j.kind) {
        Some(JobKind::Page(id)) => world.card_value(*id),
        _ => Value::none(),
    })
}

/// `section(path="posts")` returns a section with the cards of its articles, or nothing.
fn section(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let path = path.trim_start_matches("@/").trim_end_matches("_index.md").trim_matches('/');
    let Some(id) = world.plan.sections.iter().position(|s| s.path == path) else {
        return Ok(Value::none());
    };
    let mut section = into_map(value(&world.section_view(id)));
    section.insert(key("pages"), world.card_values(world.plan.listed(id)));
    Ok(Value::from(section))
}

/// `taxonomy(kind="tag")` returns its terms, each with its number of articles.
fn taxonomy(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let kind = kwargs.must_get::<&str>("kind")?;
    let Some(index) = world.plan.taxonomies.iter().position(|t| t.name == kind) else {
        return Ok(Value::none());
    };
    Ok(value(&world.taxonomy_view(index)))
}

/// `data(path="x.yaml")` returns a file under `data/`; with `required=false` nothing if it does not
/// exist.
fn data(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let source = SourcePath::new(&format!("data/{}", path.trim_start_matches('/')))
        .map_err(|e| Error::message(format!("`data` cannot read \"{path}\": {e}")))?;
    // Only files that were scanned exist here, since the build detects no changes of others.
    let scanned = world.inputs.file_fingerprint(&source).is_some();
    let bytes = if scanned {
        world.inputs.file(&source).map_err(|d| Error::message(d.message))?
    } else {
        None
    };
    let Some(bytes) = bytes else {
        if kwargs.get::<bool>("required")? == Some(false) {
            return Ok(Value::none());
        }
        return Err(Error::message(format!("file {source} does not exist")));
    };
    crate::render::filters::parse_data(&source, &bytes)
        .map(|tree| value(&tree))
        .map_err(|problem| data_error(&problem))
}

/// Marks a message of `data` that is a [`DataProblem`] as JSON: Tera's errors are texts.
pub(super) const DATA_PROBLEM: &str = "data problem: ";

fn data_error(problem: &DataProblem) -> Error {
    let json = serde_json::to_string(problem).unwrap_or_default();
    Error::message(format!("{DATA_PROBLEM}{json}"))
}

/// `asset(path="style.css")` returns the URL of a copied file, with a part of its fingerprint so
/// that caches do not serve an old version.
fn asset(world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let route = Route::parse(path)
        .map_err(|e| Error::message(format!("`asset` cannot find \"{path}\": {e}")))?;
    let Some(job) = world.plan.jobs.get(&route.out_path()) else {
        let names = world
            .plan
            .jobs
            .iter()
            .filter(|(_, j)| matches!(j.kind, JobKind::Copy(_)))
            .map(|(out, _)| out.as_str());
        let hint = nearest(path.trim_start_matches('/'), names)
            .map_or(String::new(), |n| format!("{HELP}did you mean `{n}`?"));
        return Err(Error::message(format!("file `{path}` does not exist in static/{hint}")));
    };
    let fingerprint = copied_fingerprint(world, &route.out_path(), &job.kind)?;
    Ok(Value::from(format!("{}?v={fingerprint}", world.link(&route, audience))))
}

/// The start of the fingerprint of a copied file's content, in hexadecimal.
fn copied_fingerprint(world: &World, out: &OutPath, kind: &JobKind) -> TeraResult<String> {
    let fingerprint = match kind {
        JobKind::Copy(CopyFrom::Theme { bytes, .. }) => Fingerprint::of(bytes),
        JobKind::Copy(CopyFrom::Site(source)) => {
            world.inputs.file_fingerprint(source).unwrap_or_default()
        }
        JobKind::HighlightCss => Fingerprint::of(world.highlight_css().as_bytes()),
        _ => {
            return Err(Error::message(format!(
                "`{out}` is a page, not a file that is copied; link to it with `url`"
            )));
        }
    };
    Ok(format!("{:08x}", fingerprint.0 >> 32))
}

/// `image(src=…, width=…)` returns the URL and display size of an image of the site. `src` is a
/// route, or a path below `content/` or `static/`.
fn image(world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
    let src = kwargs.must_get::<&str>("src")?;
    let wanted = kwargs.get::<usize>("width")?;
    let found = find_image(world, src, audience);
    let Some((url, source)) = found else {
        return Ok(value(&json!({ "url": src, "width": wanted, "height": null })));
    };
    let (width, height) =
        image_size::of(world, &source).map_or((None, None), |(w, h)| match wanted {
            Some(wanted) if w > 0 => (Some(wanted), Some(h.saturating_mul(wanted).div_ceil(w))),
            _ => (Some(w), Some(h)),
        });
    Ok(value(&json!({ "url": url, "width": width, "height": height })))
}

fn find_image(world: &World, src: &str, audience: Audience) -> Option<(String, CopyFrom)> {
    let base = &world.config.base_url;
    let bare = src.strip_prefix(base.origin()).unwrap_or(src);
    let bare = bare.strip_prefix(base.prefix()).unwrap_or(bare);
    let beside = SourcePath::new(&format!("content/{}", src.trim_start_matches('/'))).ok();
    if let Some((source, route)) =
        beside.and_then(|p| world.plan.assets.get(&p).map(|r| (p.clone(), r)))
    {
        return Some((world.link(route, audience), CopyFrom::Site(source)));
    }
    let route = Route::parse(bare).ok()?;
    match &world.plan.jobs.get(&route.out_path())?.kind {
        JobKind::Copy(from) => Some((world.link(&route, audience), from.clone())),
        _ => None,
    }
}

/// `url(path=…)` returns a URL as links of the site have it. Takes a route, `@/posts/a.md`, or an
/// absolute URL.
fn url(world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let absolute = kwargs.get::<bool>("absolute")?.unwrap_or(audience == Audience::Feed);
    if path.contains("://")
        || path.starts_with("//")
        || path.starts_with("mailto:")
        || path.starts_with('#')
    {
        return Ok(Value::from(path));
    }
    let cut = path.find(['?', '#']).unwrap_or(path.len());
    let (path, rest) = path.split_at(cut);
    let encoded = match path.strip_prefix("@/") {
        Some(source) => {
            let source = format!("content/{source}");
            let node = world.plan.node(&source);
            let node = node.ok_or_else(|| {
                Error::message(format!("`url` leads to {source}, which does not exist"))
            })?;
            world.plan.route_of(node).encoded()
        }
        None => {
            let path = crate::paths::percent_decode(path);
            format!("/{}", percent_encode(path.trim_start_matches('/')))
        }
    };
    let base = &world.config.base_url;
    Ok(Value::from(format!(
        "{}{rest}",
        if absolute { base.absolute(&encoded) } else { base.local(&encoded) }
    )))
}

/// `highlight_css()` returns the rules for highlighted code, for a `style` element.
#[expect(clippy::unnecessary_wraps, reason = "has the type of its siblings in the table")]
fn highlight_css(world: &World, _: &Kwargs, _: Audience) -> TeraResult<Value> {
    Ok(Value::safe_string(world.highlight_css()))
}

/// A key of a template's map.
pub(super) fn key(name: &'static str) -> Key<'static> {
    Key::from(name)
}
