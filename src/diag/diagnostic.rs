//! One problem: what is wrong, where, and what to do about it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How bad a problem is: a build with an error changes nothing on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// The part of a file that a diagnostic is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Location {
    /// A byte range.
    Span(usize, usize),
    /// A byte range whose text is not shown.
    Position(usize, usize),
    /// The first occurrence of a text, where no byte range is known.
    Text(String),
}

/// A problem: what is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub message: String,
    /// The path of the file relative to the site's root, with `/` as the separator.
    pub file: Option<String>,
    pub location: Option<Location>,
    /// What the reader can do about it.
    pub hint: Option<String>,
    /// Further facts, one line each.
    pub notes: Vec<String>,
    /// The rule of `folio check` that found the problem.
    #[serde(skip)]
    pub rule: Option<&'static str>,
    /// The first page that shows the problem, where it is about a rendered page.
    #[serde(skip)]
    pub route: Option<String>,
}

impl Diagnostic {
    /// An error without a file.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// A warning without a file.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Self {
        Self {
            severity,
            message,
            file: None,
            location: None,
            hint: None,
            notes: Vec::new(),
            rule: None,
            route: None,
        }
    }

    /// Sets the file (relative to the site's root).
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Points at a byte range of the file.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.location = Some(Location::Span(span.start, span.end));
        self
    }

    /// Points at a byte range of the file, whose text is not shown because it is confidential.
    #[must_use]
    pub fn at_position(mut self, span: Range<usize>) -> Self {
        self.location = Some(Location::Position(span.start, span.end));
        self
    }

    /// Points at the first occurrence of a text in the file.
    #[must_use]
    pub fn at_text(mut self, text: impl Into<String>) -> Self {
        self.location = Some(Location::Text(text.into()));
        self
    }

    /// Sets the help line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the rule of `folio check` that found the problem.
    #[must_use]
    pub fn rule(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Sets the help line to "did you mean …?" when one of `known` is similar to `given`.
    #[must_use]
    pub fn suggest<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(given, known) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The byte range in the file, where it is known.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        match self.location {
            Some(Location::Span(start, end) | Location::Position(start, end)) => Some(start..end),
            _ => None,
        }
    }
}

/// For how many problems of one kind a similar name is looked for: comparing many names with many
/// others would take the product of their numbers.
pub const MAX_SUGGESTIONS: usize = 100;

/// The name among `known` that is most similar to `given`, if any is similar enough to be meant.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name of another length cannot be similar enough, which saves most of the work.
    let length = given.chars().count();
    let is_close = |name: &&str| {
        let other = name.chars().count();
        length.min(other) * 10 >= length.max(other) * 6
    };
    known
        .into_iter()
        .filter(is_close)
        .map(|name| (strsim::normalized_damerau_levenshtein(given, name), name))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}
