//! An article as it can be shown, whatever is wrong with its file now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::{Diagnostic, Report};
use crate::parse::{Doc, Postponed};
use crate::paths::SourcePath;
use crate::pipeline::files::{Entry, Handles};
use crate::pipeline::parsing::{Outcome, ParsedSite};
use crate::plan::Faulty;

/// An article with its last good text.
#[derive(Default)]
pub(super) struct Article {
    /// As it last was without errors; as far as it could be parsed when it never was.
    pub doc: Option<Arc<Doc>>,
    pub handles: Option<Handles>,
    pub quality: Quality,
    /// What is wrong with the file as it is now.
    pub errors: Report,
}

/// How much of an article's doc can be trusted.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Quality {
    /// It was once parsed without errors.
    Good,
    #[default]
    Partial,
}

impl Article {
    /// What an article is after its file was parsed again.
    pub(super) fn after(before: Option<&Self>, result: Result<Outcome, Diagnostic>) -> Self {
        let again = |errors: Report| {
            let before = before.map(|b| Self { doc: b.doc.clone(), handles: b.handles, quality: b.quality, errors: Report::default() });
            Self { errors, ..before.unwrap_or_default() }
        };
        match result {
            Err(error) => again(Report::of(error)),
            Ok(outcome) if outcome.errors.has_errors() && before.is_some_and(|b| b.quality == Quality::Good) => again(outcome.errors),
            Ok(outcome) => Self {
                quality: if outcome.errors.has_errors() { Quality::Partial } else { Quality::Good },
                doc: Some(Arc::new(outcome.doc)),
                handles: Some(outcome.handles),
                errors: outcome.errors,
            },
        }
    }

    /// Whether its code is still to be highlighted.
    pub(super) fn is_postponed(&self) -> bool {
        self.handles.is_some_and(|handles| handles.postponed == Postponed::Code)
    }
}

/// Every article of a site that was parsed for the first time. What the store cannot have is taken out of `files`.
pub(super) fn collect(mut parsed: ParsedSite, files: &mut BTreeMap<SourcePath, Entry>) -> BTreeMap<SourcePath, Article> {
    let mut articles: BTreeMap<SourcePath, Article> = BTreeMap::new();
    for doc in parsed.docs {
        let errors = parsed.errors.remove(&doc.source).unwrap_or_default();
        let quality = if errors.has_errors() { Quality::Partial } else { Quality::Good };
        let entry = files.get_mut(&doc.source);
        let handles = entry.as_ref().and_then(|e| e.parsed);
        let article = Article { doc: Some(Arc::clone(&doc)), handles, quality, errors };
        if let Some(entry) = entry.filter(|_| quality == Quality::Partial || article.is_postponed()) {
            entry.parsed = None;
        }
        articles.insert(doc.source.clone(), article);
    }
    // Those that could not even be read.
    articles.extend(parsed.errors.into_iter().map(|(source, errors)| (source, Article { errors, ..Article::default() })));
    articles
}

/// The articles that a plan is to be lenient with.
pub(super) fn faulty(articles: &BTreeMap<SourcePath, Article>) -> Faulty {
    let mut faulty = Faulty::default();
    for (source, article) in articles.iter().filter(|(_, a)| a.quality == Quality::Partial) {
        let list: &mut BTreeSet<SourcePath> = if article.doc.is_some() { &mut faulty.parsed } else { &mut faulty.unreadable };
        list.insert(source.clone());
    }
    faulty
}
