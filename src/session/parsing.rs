//! Parses every article in parallel, or takes it from the store.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::files::{ArticleHandles, FileTable, Store};
use super::progress::Progress;
use crate::cache::{Fingerprint, Handle, Pack};
use crate::diag::{Diagnostic, Report};
use crate::load::Disk;
use crate::parse::{self, Doc, HighlightCache, Highlighting, Settings};
use crate::paths::SourcePath;
use crate::plan::FaultyArticles;

/// Every article of the site, as far as it could be parsed.
#[derive(Debug, Default)]
pub struct ParsedSite {
    pub docs: Vec<Arc<Doc>>,
    pub faulty: FaultyArticles,
    /// The errors of each faulty article.
    pub errors: BTreeMap<SourcePath, Report>,
    /// How many articles were parsed rather than taken from the store.
    pub parsed: usize,
}

/// One parsed article.
pub struct ParsedArticle {
    pub doc: Doc,
    pub handles: ArticleHandles,
    pub fingerprint: Fingerprint,
    pub errors: Report,
    from_store: bool,
}

/// Parses the articles, and updates their entries in `files`.
pub(super) fn parse_all(
    articles: &[SourcePath],
    files: &mut FileTable,
    store: &Store,
    highlighting: Highlighting,
    disk: &Disk,
    settings: &Settings,
    progress: &dyn Progress,
) -> ParsedSite {
    let settings_fingerprint = settings.fingerprint();
    let results = on_every_thread(
        articles.len(),
        || HighlightCache::with(highlighting),
        |cache, index| {
            let source = &articles[index];
            let stored = files.get(source).and_then(|entry| {
                let handles = store.article(entry, settings_fingerprint)?;
                read_article(store.pack(), handles, entry.fingerprint)
            });
            let result = match stored {
                Some(article) => Ok(article),
                None => parse(source, disk, settings, store.pack(), cache),
            };
            progress.step();
            result
        },
    );
    let mut site = ParsedSite::default();
    for (source, result) in articles.iter().zip(results) {
        match result {
            Ok(article) => site.add(source, article, files),
            Err(error) => {
                site.faulty.unreadable.insert(source.clone());
                site.errors.insert(source.clone(), Report::of(error));
            }
        }
    }
    site
}

impl ParsedSite {
    fn add(&mut self, source: &SourcePath, article: ParsedArticle, files: &mut FileTable) {
        self.parsed += usize::from(!article.from_store);
        if article.errors.has_errors() {
            self.faulty.parsed.insert(source.clone());
            self.errors.insert(source.clone(), article.errors);
        }
        if let Some(entry) = files.get_mut(source) {
            entry.fingerprint = article.fingerprint;
            entry.article = Some(article.handles);
        }
        self.docs.push(Arc::new(article.doc));
    }
}

/// Parses articles in parallel, storing each in `pack`. The results have the order of the articles.
pub fn parse_each(
    articles: &[SourcePath],
    disk: &Disk,
    settings: &Settings,
    pack: &Pack,
    highlighting: Highlighting,
) -> Vec<Result<ParsedArticle, Diagnostic>> {
    on_every_thread(
        articles.len(),
        || HighlightCache::with(highlighting),
        |cache, index| parse(&articles[index], disk, settings, pack, cache),
    )
}

/// Reads an article from the store; `None` when it is damaged.
fn read_article(
    pack: &Pack,
    handles: ArticleHandles,
    fingerprint: Fingerprint,
) -> Option<ParsedArticle> {
    let doc = read_doc(pack, handles.doc)?;
    Some(ParsedArticle { doc, handles, fingerprint, errors: Report::default(), from_store: true })
}

/// Reads a stored `Doc`; `None` when it is damaged.
pub fn read_doc(pack: &Pack, handle: Handle) -> Option<Doc> {
    postcard::from_bytes(&pack.get(handle).ok()?).ok()
}

/// Parses one article and stores it in `pack`.
///
/// # Errors
/// When its file cannot be read, or the pack cannot be written to.
pub fn parse(
    source: &SourcePath,
    disk: &Disk,
    settings: &Settings,
    pack: &Pack,
    cache: &mut HighlightCache,
) -> Result<ParsedArticle, Diagnostic> {
    let (text, fingerprint) = disk.text_and_fingerprint(source)?;
    let parsed = parse::parse(source, &text, settings, cache);
    let highlighting = cache.take_highlighting();
    let handles = store_article(&parsed.doc, &parsed.body, pack, highlighting).map_err(|e| {
        let reason = crate::load::reason(&e);
        Diagnostic::error(format!("a parsed article cannot be stored under .folio/: {reason}"))
            .hint("free some disk space and build again")
    })?;
    tracing::trace!(%source, "parsed");
    Ok(ParsedArticle {
        doc: parsed.doc,
        handles,
        fingerprint,
        errors: parsed.errors,
        from_store: false,
    })
}

fn store_article(
    doc: &Doc,
    body: &parse::Body,
    pack: &Pack,
    highlighting: Highlighting,
) -> io::Result<ArticleHandles> {
    let doc = postcard::to_stdvec(doc).map_err(io::Error::other)?;
    Ok(ArticleHandles { doc: pack.put(&doc)?, body: pack.put(&body.to_bytes())?, highlighting })
}

/// Runs `work` for `0..count` on every thread of the pool, each with a context of its own from
/// `context`. The results have the order of the numbers, whichever thread was faster.
fn on_every_thread<Context, T: Send>(
    count: usize,
    context: impl Fn() -> Context + Sync,
    work: impl Fn(&mut Context, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, T)> = rayon::broadcast(|_| {
        let mut context = context();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(&mut context, index)));
        }
    })
    .into_iter()
    .flatten()
    .collect();
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
