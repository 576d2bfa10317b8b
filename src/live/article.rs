//! An article as the preview can show it, whatever is wrong with its file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::{Diagnostic, Report};
use crate::parse::{Doc, Highlighting};
use crate::paths::SourcePath;
use crate::plan::FaultyArticles;
use crate::session::{ArticleHandles, FileTable, ParsedArticle, ParsedSite};

/// An article with its last valid text.
#[derive(Clone, Default)]
pub(super) struct LiveArticle {
    /// The document as it last was without errors. If it never was, as far as it could be parsed;
    /// `None` when it could not even be read.
    pub doc: Option<Arc<Doc>>,
    pub handles: Option<ArticleHandles>,
    /// Whether `doc` was parsed without errors.
    pub is_valid: bool,
    /// The errors of the file as it is now.
    pub errors: Report,
}

impl LiveArticle {
    /// The article after its file was parsed again.
    pub(super) fn after_edit(
        before: Option<&Self>,
        result: Result<ParsedArticle, Diagnostic>,
    ) -> Self {
        let errors = match result {
            Ok(parsed) if !parsed.errors.has_errors() || !before.is_some_and(|b| b.is_valid) => {
                return Self {
                    is_valid: !parsed.errors.has_errors(),
                    doc: Some(Arc::new(parsed.doc)),
                    handles: Some(parsed.handles),
                    errors: parsed.errors,
                };
            }
            Ok(parsed) => parsed.errors,
            Err(error) => Report::of(error),
        };
        Self { errors, ..before.cloned().unwrap_or_default() }
    }

    /// Whether its code is still to be highlighted.
    pub(super) fn is_deferred(&self) -> bool {
        self.handles.is_some_and(|handles| handles.highlighting == Highlighting::Deferred)
    }
}

/// The articles of a site that was parsed for the first time. Entries of `files` that must not be
/// saved lose their handles: articles with errors, and articles without highlighted code.
pub(super) fn collect(
    mut parsed: ParsedSite,
    files: &mut FileTable,
) -> BTreeMap<SourcePath, LiveArticle> {
    let mut articles: BTreeMap<SourcePath, LiveArticle> = BTreeMap::new();
    for doc in parsed.docs {
        let errors = parsed.errors.remove(&doc.source).unwrap_or_default();
        let entry = files.get_mut(&doc.source);
        let article = LiveArticle {
            doc: Some(Arc::clone(&doc)),
            handles: entry.as_ref().and_then(|e| e.article),
            is_valid: !errors.has_errors(),
            errors,
        };
        if let Some(entry) = entry
            && (!article.is_valid || article.is_deferred())
        {
            entry.article = None;
        }
        articles.insert(doc.source.clone(), article);
    }
    // What is left are the errors of files that could not be read.
    articles.extend(
        parsed
            .errors
            .into_iter()
            .map(|(source, errors)| (source, LiveArticle { errors, ..LiveArticle::default() })),
    );
    articles
}

/// The articles whose own errors the plan should not report again.
pub(super) fn faulty(articles: &BTreeMap<SourcePath, LiveArticle>) -> FaultyArticles {
    let mut faulty = FaultyArticles::default();
    for (source, article) in articles.iter().filter(|(_, a)| !a.is_valid) {
        let list: &mut BTreeSet<SourcePath> =
            if article.doc.is_some() { &mut faulty.parsed } else { &mut faulty.unreadable };
        list.insert(source.clone());
    }
    faulty
}
