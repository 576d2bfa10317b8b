//! The outcome of a check, as text and as JSON.

use serde_json::{Value, json};

use crate::diag::{LocatedDiagnostic, LocatedReport, Severity};

/// The outcome of a check.
#[derive(Debug, Default)]
pub struct CheckOutcome {
    pub report: LocatedReport,
    /// The number of articles.
    pub articles: usize,
    /// The number of files of the output.
    pub files: usize,
    /// How many links to other hosts there are, if they were outcome.
    pub external: Option<LinkCounts>,
}

/// How many links to other hosts there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Different URLs.
    pub links: usize,
    /// URLs whose result was cached.
    pub cached: usize,
}

/// The rule name of what a build reports.
const BUILD: &str = "build";

/// The outcome as one JSON object: `{errors, warnings, findings: [{rule, severity, message, file,
/// line, column, route, hint, notes}]}`. Line and column start at 1; unknown values are null.
#[must_use]
pub fn json(outcome: &CheckOutcome) -> String {
    let report = &outcome.report;
    let findings: Vec<Value> = report.items().iter().map(finding).collect();
    json!({
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "findings": findings,
    })
    .to_string()
}

fn finding(located: &LocatedDiagnostic) -> Value {
    let d = &located.diagnostic;
    let excerpt = located.excerpt.as_ref();
    json!({
        "rule": d.rule.unwrap_or(BUILD),
        "severity": d.severity,
        "message": d.message,
        "file": d.file,
        "line": excerpt.map(|e| e.line),
        "column": excerpt.map(|e| e.column),
        "route": d.route,
        "hint": d.hint,
        "notes": d.notes,
    })
}

/// The outcome as one line.
#[must_use]
pub fn summary(outcome: &CheckOutcome) -> String {
    let many =
        |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let links = outcome.external.map_or(String::new(), |counts| {
        let cached = if counts.cached > 0 {
            format!(" ({} from the cache)", counts.cached)
        } else {
            String::new()
        };
        format!(", {}{cached}", many(counts.links, "external link"))
    });
    format!(
        "Checked {}, {}{links}: {}, {}",
        many(outcome.articles, "article"),
        many(outcome.files, "file"),
        many(outcome.report.count(Severity::Error), "error"),
        many(outcome.report.count(Severity::Warning), "warning"),
    )
}
