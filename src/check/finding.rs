//! What a rule finds, and where in the site's files it was written.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::checks::Level;
use crate::diag::{Diagnostic, Report};

/// A problem found by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub message: String,
    pub hint: Option<String>,
    pub location: FindingLocation,
    /// The page that has the problem.
    pub route: Option<String>,
}

/// Where the cause of a finding was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingLocation {
    /// A file and a byte range in it.
    Span(String, usize, usize),
    /// A file, and a text whose first occurrence in it is meant.
    Text(String, String),
    /// A file as a whole.
    File(String),
    /// No file of the site: Folio generated it.
    Generated,
}

impl FindingLocation {
    /// A byte range of a file.
    #[must_use]
    pub fn at(file: &str, span: Range<usize>) -> Self {
        Self::Span(file.to_owned(), span.start, span.end)
    }
}

impl Finding {
    pub fn new(message: impl Into<String>, location: FindingLocation) -> Self {
        Self { message: message.into(), hint: None, location, route: None }
    }

    /// Sets the help line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the page that has the problem.
    #[must_use]
    pub fn on(mut self, page: &str) -> Self {
        self.route = Some(page.to_owned());
        self
    }
}

/// Turns findings into diagnostics. A finding that several pages have is reported once, with their
/// number.
#[must_use]
pub fn report(findings: Vec<(&'static str, Level, Finding)>) -> Report {
    type Key = (&'static str, FindingLocation, String);
    let mut folded: BTreeMap<Key, (Level, Finding, usize)> = BTreeMap::new();
    for (rule, level, finding) in findings {
        let key = (rule, finding.location.clone(), finding.message.clone());
        let (_, first, count) = folded.entry(key).or_insert_with(|| (level, finding.clone(), 0));
        *count += 1;
        if finding.route < first.route {
            *first = finding;
        }
    }
    folded
        .into_iter()
        .filter_map(|((rule, ..), (level, finding, count))| diagnostic(rule, level, finding, count))
        .collect()
}

fn diagnostic(
    rule: &'static str,
    level: Level,
    finding: Finding,
    count: usize,
) -> Option<Diagnostic> {
    let d = match level {
        Level::Error => Diagnostic::error(finding.message),
        Level::Warning => Diagnostic::warning(finding.message),
        Level::Off => return None,
    };
    let d = match &finding.location {
        FindingLocation::Span(file, start, end) => d.in_file(file).at(*start..*end),
        FindingLocation::Text(file, text) => d.in_file(file).at_text(text),
        FindingLocation::File(file) => d.in_file(file),
        FindingLocation::Generated => d,
    };
    let d = match (&finding.route, count) {
        (None, _) => d,
        (Some(route), 1) if route != "/" && d.message.contains(route.as_str()) => d,
        (Some(route), 1) => d.note(format!("in the page {route}")),
        (Some(route), 2) => d.note(format!("in the page {route} and 1 more")),
        (Some(route), n) => d.note(format!("in the page {route} and {} more", n - 1)),
    };
    let mut d = match finding.hint {
        Some(hint) => d.hint(hint),
        None => d,
    };
    d.route = finding.route;
    Some(d.rule(rule))
}
