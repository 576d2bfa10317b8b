//! What can be wrong with a value, and how strictly it is read.

use std::sync::Arc;

use super::locate::{Locator, Place};
use super::step::{Step, dotted};
use crate::diag::{Diagnostic, Severity, nearest};

/// How strictly types are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Every mismatch is a problem (`site.toml`).
    Strict,
    /// What other generators accept is read as it was meant: `title: 2024`, `tags: rust`, `draft:
    /// yes`.
    Generous,
}

/// A mismatch between a tree and its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: Vec<Step>,
    pub kind: ProblemKind,
}

/// What is wrong at the path of a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    UnknownKey { nearest: Option<String>, known: Arc<[String]> },
    Missing { key: String },
    WrongType { expected: String, found: &'static str },
    UnknownValue { found: String, allowed: Vec<String> },
}

impl Problem {
    /// The problem as a diagnostic about the text of `locator`, which starts at byte `offset` of
    /// the file.
    #[must_use]
    pub fn diagnose(&self, severity: Severity, locator: &Locator<'_>, offset: usize) -> Diagnostic {
        let name = dotted(&self.path);
        let (message, place, hint) = match &self.kind {
            ProblemKind::UnknownKey { nearest, known } => {
                let hint = match nearest {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                (format!("unknown key `{name}`"), Place::Key, Some(hint))
            }
            ProblemKind::Missing { key } => {
                let within = if name.is_empty() { String::new() } else { format!(" in `{name}`") };
                (format!("`{key}` is missing{within}"), Place::Key, None)
            }
            ProblemKind::WrongType { expected, found } => {
                let what = if name.is_empty() { "this" } else { &name };
                (format!("`{what}` must be {expected}, but it is {found}"), Place::Value, None)
            }
            ProblemKind::UnknownValue { found, allowed } => {
                let hint = match nearest_of(found, allowed) {
                    Some(name) => {
                        format!("did you mean \"{name}\"? Allowed: {}", allowed.join(", "))
                    }
                    None => format!("allowed: {}", allowed.join(", ")),
                };
                (format!("`{name}` cannot be \"{found}\""), Place::Value, Some(hint))
            }
        };
        let span = locator.locate(&self.path, place);
        let base = match severity {
            Severity::Error => Diagnostic::error(message),
            Severity::Warning => Diagnostic::warning(message),
        };
        let located = base.at(span.start + offset..span.end + offset);
        match hint {
            Some(hint) => located.hint(hint),
            None => located,
        }
    }
}

fn nearest_of<'a>(found: &str, allowed: &'a [String]) -> Option<&'a str> {
    nearest(found, allowed.iter().map(String::as_str))
}
