//! The functions that templates ask the site with. Each call goes into the trace of the job.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::json;
use tera::value::Key;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::{Audience, Call, Trace, World, image_size};
use crate::config::SortBy;
use crate::diag::nearest;
use crate::memo::Mark;
use crate::paths::{OutPath, Route, SourcePath, percent_encode};
use crate::plan::{CopyFrom, JobKind, Node, PageId};

type Ask = fn(&World, &Kwargs, Audience) -> TeraResult<Value>;

const FUNCTIONS: [(&str, Ask); 9] = [
    ("pages", pages),
    ("page", page),
    ("section", section),
    ("taxonomy", taxonomy),
    ("data", data),
    ("asset", asset),
    ("image", image),
    ("url", url),
    ("highlight_css", highlight_css),
];

/// Registers every function, recording into `trace`.
pub(super) fn register(tera: &mut Tera, world: &Arc<World>, trace: &Arc<Mutex<Trace>>, for_feed: &Arc<AtomicBool>) {
    for (name, ask) in FUNCTIONS {
        let (world, trace, for_feed) = (Arc::clone(world), Arc::clone(trace), Arc::clone(for_feed));
        tera.register_function(name, move |kwargs: Kwargs, _: &State| -> TeraResult<Value> {
            let audience = if for_feed.load(Ordering::Relaxed) { Audience::Feed } else { Audience::Page };
            let answer = ask(&world, &kwargs, audience);
            let call = Call { function: name.to_owned(), arguments: arguments(&kwargs), audience };
            trace.lock().unwrap_or_else(PoisonError::into_inner).push((call, mark_of(&answer)));
            answer
        });
    }
}

/// The mark of what a traced call gives now; one that cannot be made again has a mark of its own.
pub(super) fn ask_again(world: &World, call: &Call) -> Mark {
    let ask = FUNCTIONS.iter().find(|(name, _)| *name == call.function).map(|(_, ask)| ask);
    let arguments: Option<serde_json::Value> = serde_json::from_str(&call.arguments).ok();
    let arguments = arguments.and_then(|a| Value::from_serializable(&a).into_map());
    match (ask, arguments) {
        (Some(ask), Some(arguments)) => mark_of(&ask(world, &Kwargs::new(Arc::new(arguments)), call.audience)),
        _ => Mark::default(),
    }
}

fn mark_of(answer: &TeraResult<Value>) -> Mark {
    match answer {
        Ok(value) => Mark::of_json(&(value, value.is_safe())),
        Err(error) => Mark::of(error.to_string().as_bytes()),
    }
}

/// The arguments as a JSON object with its keys sorted.
fn arguments(kwargs: &Kwargs) -> String {
    let sorted: BTreeMap<String, &Value> = kwargs.iter().map(|(key, value)| (key.to_string(), value)).collect();
    serde_json::to_string(&sorted).unwrap_or_default()
}

fn value(of: &impl Serialize) -> Value {
    Value::from_serializable(of)
}

/// `pages(section=, tag=, category=, author=, sort=, limit=, offset=)`: cards.
fn pages(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let plan = &world.plan;
    let mut ids: Vec<PageId> = match kwargs.get::<&str>("section")? {
        Some(path) => plan.sections.iter().find(|s| s.path == path.trim_matches('/')).map(|s| s.pages.clone()).unwrap_or_default(),
        None => plan.articles.clone(),
    };
    for taxonomy in ["tag", "category", "author", "series"] {
        if let Some(term) = kwargs.get::<&str>(taxonomy)? {
            // Two spellings of a term are one, as on its page.
            let number = |name: &str| plan.taxonomies.iter().find(|t| t.name == taxonomy)?.spellings.get(name).copied();
            let wanted = number(term);
            let is_it = |name: &String| name == term || (wanted.is_some() && number(name) == wanted);
            ids.retain(|id| plan.pages[*id].doc.front.terms.get(taxonomy).is_some_and(|terms| terms.iter().any(is_it)));
        }
    }
    if let Some(sort) = kwargs.get::<&str>("sort")? {
        let by = match sort {
            "date" => SortBy::Date,
            "title" => SortBy::Title,
            "weight" => SortBy::Weight,
            other => return Err(Error::message(format!("`sort` cannot be \"{other}\"; it is date, title or weight"))),
        };
        plan.sort(&mut ids, by);
    }
    let offset = kwargs.get::<usize>("offset")?.unwrap_or(0);
    let limit = kwargs.get::<usize>("limit")?.unwrap_or(usize::MAX);
    Ok(world.card_values(&ids.into_iter().skip(offset).take(limit).collect::<Vec<_>>()))
}

/// `page(path="posts/a.md")` or `page(path="/posts/a/")`: its card, or nothing.
fn page(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let by_source = world.plan.node(&format!("content/{}", path.trim_start_matches("@/").trim_start_matches('/')));
    if let Some(Node::Page(id)) = by_source {
        return Ok(world.card_value(id));
    }
    let job = Route::parse(path).ok().and_then(|r| world.plan.jobs.get(&r.out_path()));
    Ok(match job.map(|j| &j.kind) {
        Some(JobKind::Page(id)) => world.card_value(*id),
        _ => Value::none(),
    })
}

/// `section(path="posts")`: the section with the cards of its articles, or nothing.
fn section(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let path = path.trim_start_matches("@/").trim_end_matches("_index.md").trim_matches('/');
    let Some(id) = world.plan.sections.iter().position(|s| s.path == path) else { return Ok(Value::none()) };
    let mut section = world.section(id);
    section["pages"] = json!(world.cards(world.plan.listed(id)));
    Ok(value(&section))
}

/// `taxonomy(kind="tag")`: its terms with how many articles each has.
fn taxonomy(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let kind = kwargs.must_get::<&str>("kind")?;
    let Some(index) = world.plan.taxonomies.iter().position(|t| t.name == kind) else { return Ok(Value::none()) };
    Ok(value(&taxonomy_view(world, index)))
}

/// A taxonomy as templates see it.
pub(super) fn taxonomy_view(world: &World, index: usize) -> serde_json::Value {
    let t = &world.plan.taxonomies[index];
    let terms: Vec<_> = t.terms.iter().map(|term| term_view(world, term)).collect();
    json!({ "name": t.name, "route": t.route.as_str(), "url": world.url(&t.route), "permalink": world.permalink(&t.route), "terms": terms })
}

/// A term as templates see it, without its articles.
pub(super) fn term_view(world: &World, term: &crate::plan::Term) -> serde_json::Value {
    let feed = |format: &crate::config::FeedFormat| term.route.join(crate::plan::feed_name(*format)).map(|r| world.url(&r)).unwrap_or_default();
    json!({
        "name": term.name,
        "route": term.route.as_str(),
        "url": world.url(&term.route),
        "permalink": world.permalink(&term.route),
        "count": term.pages.len(),
        "feeds": term.feeds.iter().map(feed).collect::<Vec<_>>(),
    })
}

/// `data(path="x.yaml")`: a file under `data/`; with `required=false` nothing when it is not there.
fn data(world: &World, kwargs: &Kwargs, _: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let source = SourcePath::new(&format!("data/{}", path.trim_start_matches('/')))
        .map_err(|e| Error::message(format!("`data` cannot read \"{path}\": {e}")))?;
    // Only what was scanned is there: the build looks at nothing else to know whether anything has changed.
    let scanned = world.inputs.mark(&source).is_some();
    let bytes = if scanned { world.inputs.file(&source).map_err(|d| Error::message(d.message))? } else { None };
    let Some(bytes) = bytes else {
        if kwargs.get::<bool>("required")? == Some(false) {
            return Ok(Value::none());
        }
        return Err(Error::message(format!("there is no file {source}")));
    };
    crate::render::filters::parse_data(&source, &bytes).map(|tree| value(&tree)).map_err(|e| Error::message(format!("{source}: {e}")))
}

/// `asset(path="style.css")`: the address of a file that is copied, with its content's mark so that caches
/// let go of an old one.
fn asset(world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let route = Route::parse(path).map_err(|e| Error::message(format!("`asset` cannot find \"{path}\": {e}")))?;
    let Some(job) = world.plan.jobs.get(&route.out_path()) else {
        let names = world.plan.jobs.iter().filter(|(_, j)| matches!(j.kind, JobKind::Copy(_))).map(|(out, _)| out.as_str());
        let hint = nearest(path.trim_start_matches('/'), names).map_or(String::new(), |n| format!("; did you mean \"{n}\"?"));
        return Err(Error::message(format!("there is no file `{path}` under static/{hint}")));
    };
    let mark = mark(world, &route.out_path(), &job.kind)?;
    Ok(Value::from(format!("{}?v={mark}", world.link(&route, audience))))
}

/// The mark of a copied file's content.
fn mark(world: &World, out: &OutPath, kind: &JobKind) -> TeraResult<String> {
    let mark = match kind {
        JobKind::Copy(CopyFrom::Theme { bytes, .. }) => Mark::of(bytes),
        JobKind::Copy(CopyFrom::Site(source)) => world.inputs.mark(source).unwrap_or_default(),
        JobKind::HighlightCss => Mark::of(world.highlight_css().as_bytes()),
        _ => return Err(Error::message(format!("`{out}` is a page, not a file that is copied; link to it with `url`"))),
    };
    Ok(format!("{:08x}", mark.0 >> 32))
}

/// `image(src=…, width=…)`: the address of a picture of the site and the size to show it at. `src` is a
/// route, or a path below `content/` or `static/`.
fn image(world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
    let src = kwargs.must_get::<&str>("src")?;
    let wanted = kwargs.get::<usize>("width")?;
    let found = find_image(world, src, audience);
    let Some((url, source)) = found else {
        return Ok(value(&json!({ "url": src, "width": wanted, "height": null })));
    };
    let bytes = match source {
        CopyFrom::Site(path) => world.inputs.file(&path).map_err(|d| Error::message(d.message))?.unwrap_or_default(),
        CopyFrom::Theme { bytes, .. } => bytes.to_vec(),
    };
    let (width, height) = image_size::of(&bytes).map_or((None, None), |(w, h)| match wanted {
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
    if let Some((source, route)) = beside.and_then(|p| world.plan.assets.get(&p).map(|r| (p.clone(), r))) {
        return Some((world.link(route, audience), CopyFrom::Site(source)));
    }
    let route = Route::parse(bare).ok()?;
    match &world.plan.jobs.get(&route.out_path())?.kind {
        JobKind::Copy(from) => Some((world.link(&route, audience), from.clone())),
        _ => None,
    }
}

/// `url(path=…)`: an address as the site's links write it. Takes a route, `@/posts/a.md`, or a whole URL.
fn url(world: &World, kwargs: &Kwargs, audience: Audience) -> TeraResult<Value> {
    let path = kwargs.must_get::<&str>("path")?;
    let absolute = kwargs.get::<bool>("absolute")?.unwrap_or(audience == Audience::Feed);
    if path.contains("://") || path.starts_with("//") || path.starts_with("mailto:") || path.starts_with('#') {
        return Ok(Value::from(path));
    }
    let cut = path.find(['?', '#']).unwrap_or(path.len());
    let (path, rest) = path.split_at(cut);
    let encoded = match path.strip_prefix("@/") {
        Some(source) => {
            let source = format!("content/{source}");
            let node = world.plan.node(&source);
            let node = node.ok_or_else(|| Error::message(format!("`url` leads to {source}, which is not there")))?;
            world.plan.route_of(node).encoded()
        }
        None => {
            let path = crate::paths::percent_decode(path);
            format!("/{}", percent_encode(path.trim_start_matches('/')))
        }
    };
    let base = &world.config.base_url;
    Ok(Value::from(format!("{}{rest}", if absolute { base.absolute(&encoded) } else { base.local(&encoded) })))
}

/// `highlight_css()`: the rules for highlighted code, to be put into a `style` element.
#[expect(clippy::unnecessary_wraps, reason = "has the type of its neighbours in the table")]
fn highlight_css(world: &World, _: &Kwargs, _: Audience) -> TeraResult<Value> {
    Ok(Value::safe_string(world.highlight_css()))
}

/// A key of a template's map.
pub(super) fn key(name: &'static str) -> Key<'static> {
    Key::from(name)
}
