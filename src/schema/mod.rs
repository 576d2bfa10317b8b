//! Reading a tree of values (from YAML, TOML or JSON) into a typed struct, with every problem reported.
//!
//! serde stops at the first mismatch and knows no spans once the text is a tree. So the tree is first held
//! against the shape of the type (the same JSON Schema that is shipped for editors): each mismatch becomes
//! a [`Problem`] and is taken out of the tree, and what is left always deserialises. [`locate`] finds the
//! place of a problem in the text, and only when there is a problem to show.

pub mod locate;
mod shape;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diag::{Diagnostic, Severity, nearest};
use locate::{Place, Syntax};
pub use shape::Shape;

/// One step down a tree of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// How a mismatch of types is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Every mismatch is a problem (`site.toml`, which is ours).
    Strict,
    /// What other generators let pass is read as it was meant: `title: 2024`, `tags: rust`, `draft: yes`.
    Generous,
}

/// A mismatch between a tree and the shape it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: Vec<Step>,
    pub kind: ProblemKind,
}

/// What is wrong at a [`Problem`]'s path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    UnknownKey { nearest: Option<String>, known: Vec<String> },
    Missing { key: String },
    WrongType { expected: String, found: &'static str },
    UnknownValue { found: String, allowed: Vec<String> },
}

/// Reads `tree` as a `T` of the given shape; the problems come beside it.
///
/// The second value is `None` only when a required key is missing or the whole tree is of another type.
pub fn read<T: DeserializeOwned>(mut tree: Value, shape: &Shape, reading: Reading) -> (Option<T>, Vec<Problem>) {
    let mut problems = Vec::new();
    shape.check(&mut tree, reading, &mut Vec::new(), &mut problems);
    match serde_json::from_value(tree) {
        Ok(value) => (Some(value), problems),
        Err(error) => {
            if problems.is_empty() {
                let kind = ProblemKind::WrongType { expected: error.to_string(), found: "something else" };
                problems.push(Problem { path: Vec::new(), kind });
            }
            (None, problems)
        }
    }
}

impl Problem {
    /// The problem as a diagnostic that points into `text` (the file from byte `offset` on).
    #[must_use]
    pub fn diagnose(&self, severity: Severity, text: &str, syntax: Syntax, offset: usize) -> Diagnostic {
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
                    Some(name) => format!("did you mean \"{name}\"? Allowed: {}", allowed.join(", ")),
                    None => format!("allowed: {}", allowed.join(", ")),
                };
                (format!("`{name}` cannot be \"{found}\""), Place::Value, Some(hint))
            }
        };
        let span = locate::locate(text, syntax, &self.path, place);
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

/// A path as a reader would write it: `menu.main[2].url`.
#[must_use]
pub fn dotted(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => {
                out.push('.');
                out.push_str(key);
            }
            Step::Index(i) => out.push_str(&format!("[{i}]")),
        }
    }
    out
}
