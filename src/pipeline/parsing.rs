//! Parses every article, or takes it from the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Progress;
use super::files::{Entry, Handles, Store};
use crate::diag::{Diagnostic, Report};
use crate::load::Disk;
use crate::memo::{Handle, Mark, Pack};
use crate::parse::{self, Doc, Effort, Memo, Settings};
use crate::paths::SourcePath;
use crate::plan::Faulty;

/// Every article of the site, as far as it could be parsed.
#[derive(Debug, Default)]
pub(super) struct ParsedSite {
    pub docs: Vec<Arc<Doc>>,
    pub faulty: Faulty,
    pub report: Report,
    /// How many were parsed, not taken from the store.
    pub parsed: usize,
}

/// What became of one article.
struct Outcome {
    doc: Doc,
    handles: Handles,
    mark: Mark,
    errors: Report,
    fresh: bool,
}

/// Parses the articles; their entries in `files` are brought up to date. What is parsed goes `into` the store's pack
/// or a branch of it.
#[expect(clippy::too_many_arguments, reason = "each is a part of its own, used once")]
pub(super) fn parse_all(
    articles: &[SourcePath],
    files: &mut BTreeMap<SourcePath, Entry>,
    store: &Store,
    into: &Pack,
    effort: Effort,
    disk: &Disk,
    settings: &Settings,
    progress: &dyn Progress,
) -> ParsedSite {
    let settings_mark = settings.mark();
    let outcomes = on_every_thread(
        articles.len(),
        || Memo::with(effort),
        |memo, index| {
            let source = &articles[index];
            let known = files.get(source).and_then(|entry| Some((entry.mark, store.parsed(entry, settings_mark)?)));
            let outcome = match known.and_then(|(mark, handles)| take(into, handles, mark)) {
                Some(outcome) => Ok(outcome),
                None => parse(source, disk, settings, into, memo),
            };
            progress.step();
            outcome
        },
    );
    let mut site = ParsedSite::default();
    for (source, outcome) in articles.iter().zip(outcomes) {
        match outcome {
            Ok(outcome) => {
                site.parsed += usize::from(outcome.fresh);
                if outcome.errors.has_errors() {
                    site.faulty.parsed.insert(source.clone());
                    site.report.extend(outcome.errors);
                }
                if let Some(entry) = files.get_mut(source) {
                    entry.mark = outcome.mark;
                    entry.parsed = Some(outcome.handles);
                }
                site.docs.push(Arc::new(outcome.doc));
            }
            Err(error) => {
                site.faulty.unreadable.insert(source.clone());
                site.report.push(error);
            }
        }
    }
    site
}

/// An article that was parsed by itself.
pub(super) struct Single {
    pub doc: Doc,
    pub handles: Handles,
    pub mark: Mark,
    pub errors: Report,
}

/// Parses these articles, each into `pack`. The results come in the order of the articles.
pub(super) fn parse_each(
    articles: &[SourcePath],
    disk: &Disk,
    settings: &Settings,
    pack: &Pack,
    memo: &mut Memo,
    effort: Effort,
) -> Vec<Result<Single, Diagnostic>> {
    let single = |memo: &mut Memo, source| {
        parse(source, disk, settings, pack, memo).map(|o| Single { doc: o.doc, handles: o.handles, mark: o.mark, errors: o.errors })
    };
    if articles.len() <= FEW && effort == Effort::Now {
        return articles.iter().map(|source| single(memo, source)).collect();
    }
    on_every_thread(articles.len(), || Memo::with(effort), |memo, index| single(memo, &articles[index]))
}

/// So many articles are parsed before other threads would have begun.
const FEW: usize = 4;

/// An article from the store; `None` when the store cannot give it.
fn take(pack: &Pack, handles: Handles, mark: Mark) -> Option<Outcome> {
    let doc = doc(pack, handles.doc)?;
    Some(Outcome { doc, handles, mark, errors: Report::default(), fresh: false })
}

/// Reads a stored `Doc` back.
pub(super) fn doc(pack: &Pack, handle: Handle) -> Option<Doc> {
    postcard::from_bytes(&pack.get(handle).ok()?).ok()
}

fn parse(source: &SourcePath, disk: &Disk, settings: &Settings, pack: &Pack, memo: &mut Memo) -> Result<Outcome, Diagnostic> {
    let (text, mark) = disk.marked_text(source)?;
    let parsed = parse::parse(source, &text, settings, memo);
    let full = |e: std::io::Error| {
        Diagnostic::error(format!("what was parsed cannot be kept under .folio/: {}", crate::load::reason(&e))).hint("free some room and build again")
    };
    let doc = postcard::to_stdvec(&parsed.doc).map_err(|e| full(std::io::Error::other(e)))?;
    let handles =
        Handles { doc: pack.put(&doc).map_err(full)?, body: pack.put(&parsed.body.to_bytes()).map_err(full)?, postponed: memo.take_postponed() };
    Ok(Outcome { doc: parsed.doc, handles, mark, errors: parsed.errors, fresh: true })
}

/// Works through `0..count` on every thread of the pool; each makes a tool of its own and keeps it to itself.
/// The results come in the order of the numbers, whoever was fastest.
fn on_every_thread<Tool, T: Send>(count: usize, tool: impl Fn() -> Tool + Sync, work: impl Fn(&mut Tool, usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, T)> = rayon::broadcast(|_| {
        let mut tool = tool();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(&mut tool, index)));
        }
    })
    .into_iter()
    .flatten()
    .collect();
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
