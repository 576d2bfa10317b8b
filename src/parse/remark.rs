//! Problems of an article, and the spans of its parts.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cache::Fingerprint;
use crate::config;
use crate::diag::Diagnostic;
use crate::language::Language;
use crate::paths::SourcePath;
use crate::slug::SlugRule;

/// The settings that parsing depends on. It must not depend on anything else of `site.toml`.
#[derive(Clone, Debug)]
pub struct Settings {
    pub markdown: config::Markdown,
    pub line_numbers: bool,
    /// How ids of headings are made.
    pub slugs: SlugRule,
    /// The texts that Folio adds to those of the author.
    pub texts: Arc<Language>,
}

/// The texts of the language that parsing uses.
const TEXTS: [&str; 11] = [
    "note",
    "tip",
    "important",
    "warning",
    "caution",
    "footnotes",
    "back_to_reference",
    "link_to_section",
    "table",
    "done",
    "to_do",
];

impl Settings {
    #[must_use]
    pub fn of(config: &config::Config) -> Self {
        Self {
            markdown: config.markdown.clone(),
            line_numbers: config.highlight.line_numbers,
            slugs: config.slugs,
            texts: Arc::clone(&config.texts),
        }
    }

    /// The fingerprint of everything that parsing depends on besides the text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        // Destructured, so that a new setting does not compile until it is considered here.
        let Self { markdown, line_numbers, slugs, texts } = self;
        let config::Markdown {
            smart_punctuation,
            math,
            heading_anchors,
            heading_shift,
            unsafe_html,
            foreign_syntax,
            // Links are resolved and checked after parsing.
            external_links: _,
            broken_links: _,
        } = markdown;
        Fingerprint::of_json(&(
            smart_punctuation,
            math,
            heading_anchors,
            heading_shift,
            unsafe_html,
            foreign_syntax,
            line_numbers,
            slugs,
            TEXTS.map(|key| texts.text(key)),
        ))
    }
}

/// A warning that is stored with a parsed article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remark {
    pub message: String,
    pub hint: Option<String>,
    pub span: Range<u32>,
}

impl Remark {
    #[must_use]
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), hint: None, span: narrow(&span) }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The warning as a diagnostic in `file`.
    #[must_use]
    pub fn diagnose(&self, file: &SourcePath) -> Diagnostic {
        let warning =
            Diagnostic::warning(&self.message).in_file(file.as_str()).at(widen(&self.span));
        match &self.hint {
            Some(hint) => warning.hint(hint),
            None => warning,
        }
    }
}

/// A span as it is stored. Sources are smaller than 4 GiB, which `load` ensures.
pub(crate) fn narrow(span: &Range<usize>) -> Range<u32> {
    let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    cut(span.start)..cut(span.end)
}

/// A stored span as a range.
pub(crate) fn widen(span: &Range<u32>) -> Range<usize> {
    span.start as usize..span.end as usize
}
