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
    /// What is wrong with each faulty article.
    pub errors: BTreeMap<SourcePath, Report>,
    /// How many were parsed, not taken from the store.
    pub parsed: usize,
}

/// What became of one article.
pub(super) struct Outcome {
    pub doc: Doc,
    pub handles: Handles,
    pub mark: Mark,
    pub errors: Report,
    /// Whether it was parsed, not taken from the store.
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    File,
    Store,
}

/// Parses the articles; their entries in `files` are brought up to date.
pub(super) fn parse_all(
    articles: &[SourcePath],
    files: &mut BTreeMap<SourcePath, Entry>,
    store: &Store,
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
            let outcome = match known.and_then(|(mark, handles)| take(&store.pack, handles, mark)) {
                Some(outcome) => Ok(outcome),
                None => parse(source, disk, settings, &store.pack, memo),
            };
            progress.step();
            outcome
        },
    );
    let mut site = ParsedSite::default();
    for (source, outcome) in articles.iter().zip(outcomes) {
        match outcome {
            Ok(outcome) => {
                site.parsed += usize::from(outcome.origin == Origin::File);
                if outcome.errors.has_errors() {
                    site.faulty.parsed.insert(source.clone());
                    site.errors.insert(source.clone(), outcome.errors);
                }
                if let Some(entry) = files.get_mut(source) {
                    entry.mark = outcome.mark;
                    entry.parsed = Some(outcome.handles);
                }
                site.docs.push(Arc::new(outcome.doc));
            }
            Err(error) => {
                site.faulty.unreadable.insert(source.clone());
                site.errors.insert(source.clone(), Report::of(error));
            }
        }
    }
    site
}

/// Parses articles on every thread, each into `pack`. The results come in the order of the articles.
pub(super) fn parse_each(articles: &[SourcePath], disk: &Disk, settings: &Settings, pack: &Pack, effort: Effort) -> Vec<Result<Outcome, Diagnostic>> {
    on_every_thread(articles.len(), || Memo::with(effort), |memo, index| parse(&articles[index], disk, settings, pack, memo))
}

/// An article from the store; `None` when the store cannot give it.
fn take(pack: &Pack, handles: Handles, mark: Mark) -> Option<Outcome> {
    let doc = doc(pack, handles.doc)?;
    Some(Outcome { doc, handles, mark, errors: Report::default(), origin: Origin::Store })
}

/// Reads a stored `Doc` back.
pub(super) fn doc(pack: &Pack, handle: Handle) -> Option<Doc> {
    postcard::from_bytes(&pack.get(handle).ok()?).ok()
}

/// Parses one article into `pack`.
///
/// # Errors
/// When its file cannot be read, or the pack not written to.
pub(super) fn parse(source: &SourcePath, disk: &Disk, settings: &Settings, pack: &Pack, memo: &mut Memo) -> Result<Outcome, Diagnostic> {
    let (text, mark) = disk.marked_text(source)?;
    let parsed = parse::parse(source, &text, settings, memo);
    let full = |e: std::io::Error| {
        Diagnostic::error(format!("what was parsed cannot be kept under .folio/: {}", crate::load::reason(&e))).hint("free some room and build again")
    };
    let doc = postcard::to_stdvec(&parsed.doc).map_err(|e| full(std::io::Error::other(e)))?;
    let handles =
        Handles { doc: pack.put(&doc).map_err(full)?, body: pack.put(&parsed.body.to_bytes()).map_err(full)?, postponed: memo.take_postponed() };
    Ok(Outcome { doc: parsed.doc, handles, mark, errors: parsed.errors, origin: Origin::File })
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
