//! The outcome of a check, as text and as JSON.

use std::io;

use serde::{Serialize, Serializer};

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

/// Writes the outcome as one JSON object: `{errors, warnings, findings: [{rule, severity, message,
/// file, line, column, route, hint, notes}]}`. Line and column start at 1; unknown values are null.
///
/// # Errors
/// When the writer fails.
pub fn write_json(outcome: &CheckOutcome, to: impl io::Write) -> io::Result<()> {
    let report = &outcome.report;
    let whole = JsonOutcome {
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        findings: JsonFindings(report.items()),
    };
    serde_json::to_writer(to, &whole).map_err(io::Error::from)
}

#[derive(Serialize)]
struct JsonOutcome<'a> {
    errors: usize,
    warnings: usize,
    findings: JsonFindings<'a>,
}

/// The findings, which are written one at a time.
struct JsonFindings<'a>(&'a [LocatedDiagnostic]);

impl Serialize for JsonFindings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(JsonFinding::of))
    }
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    severity: Severity,
    message: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    route: Option<&'a str>,
    hint: Option<&'a str>,
    notes: &'a [String],
}

impl<'a> JsonFinding<'a> {
    fn of(located: &'a LocatedDiagnostic) -> Self {
        let d = &located.diagnostic;
        let excerpt = located.excerpt.as_ref();
        Self {
            rule: d.rule.unwrap_or(BUILD),
            severity: d.severity,
            message: &d.message,
            file: d.file.as_deref(),
            line: excerpt.map(|e| e.line),
            column: excerpt.map(|e| e.column),
            route: d.route.as_deref(),
            hint: d.hint.as_deref(),
            notes: &d.notes,
        }
    }
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
