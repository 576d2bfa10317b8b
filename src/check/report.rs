//! What a check came to, as text and as JSON.

use serde_json::{Value, json};

use super::Checked;
use crate::diag::{Diagnostic, Severity};

/// The rule that stands for what a build would say itself.
const BUILD: &str = "build";

/// The findings as one JSON object: `{errors, warnings, findings: [{rule, severity, message, file, line, column, route,
/// hint, notes}]}`. Line and column count from 1; what is not known is null.
#[must_use]
pub fn json(checked: &Checked) -> String {
    let report = &checked.report;
    let findings: Vec<Value> = report.items().iter().map(finding).collect();
    json!({
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "findings": findings,
    })
    .to_string()
}

fn finding(d: &Diagnostic) -> Value {
    json!({
        "rule": d.rule.unwrap_or(BUILD),
        "severity": d.severity,
        "message": d.message,
        "file": d.file,
        "line": d.excerpt.as_ref().map(|e| e.line),
        "column": d.excerpt.as_ref().map(|e| e.column),
        "route": d.route,
        "hint": d.hint,
        "notes": d.notes,
    })
}

/// One line that says what a check came to.
#[must_use]
pub fn summary(checked: &Checked) -> String {
    let many = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let outside = checked.external.map_or(String::new(), |counts| {
        let cached = if counts.cached > 0 { format!(" ({} from the cache)", counts.cached) } else { String::new() };
        format!(", {}{cached}", many(counts.links, "external link"))
    });
    format!(
        "Checked {}, {}{outside}: {}, {}",
        many(checked.articles, "article"),
        many(checked.files, "file"),
        many(checked.report.count(Severity::Error), "error"),
        many(checked.report.count(Severity::Warning), "warning"),
    )
}
