//! Collections of diagnostics: [`Report`] before, [`LocatedReport`] after the source lines were cut
//! out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::diagnostic::{Diagnostic, Location, Severity};
use super::excerpt::Detail::{PositionOnly, WithText};
use super::excerpt::{Excerpt, LineIndex};
use super::selection::ShownSelection;

/// The diagnostics of a run, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    items: Vec<Diagnostic>,
}

/// A diagnostic with the line that it points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedDiagnostic {
    pub diagnostic: Diagnostic,
    pub excerpt: Option<Excerpt>,
}

/// A report that can be shown. Copies share their diagnostics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedReport {
    items: Arc<Vec<LocatedDiagnostic>>,
}

impl Report {
    /// A report with one diagnostic.
    #[must_use]
    pub fn of(diagnostic: Diagnostic) -> Self {
        Self { items: vec![diagnostic] }
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    pub fn extend(&mut self, other: Report) {
        self.items.extend(other.items);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.severity == Severity::Error)
    }

    #[must_use]
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// Whether any diagnostic names this file.
    #[must_use]
    pub fn mentions(&self, file: &str) -> bool {
        self.items.iter().any(|d| d.file.as_deref() == Some(file))
    }

    /// Sets the file of every diagnostic that names none.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        for d in &mut self.items {
            d.file.get_or_insert_with(|| file.to_owned());
        }
        self
    }

    /// The report without the diagnostics that name `path` or a file below it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let is_below = |file: &str| {
            file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.items.retain(|d| !d.file.as_deref().is_some_and(is_below));
        self
    }

    /// Sorts errors first, then by file and location, and removes duplicates. The order does not
    /// depend on threads.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        self.items.dedup();
    }

    /// Sorts the report, and keeps one of the diagnostics that say the same about the same
    /// location, with a note of how many more there were: an error in a template occurs on every
    /// page that uses it.
    pub fn fold_repeats(&mut self) {
        self.sort();
        let says_the_same = |a: &Diagnostic, b: &Diagnostic| {
            (a.severity, &a.file, &a.location, &a.message)
                == (b.severity, &b.file, &b.location, &b.message)
        };
        let mut folded: Vec<(Diagnostic, usize)> = Vec::with_capacity(self.items.len());
        for d in self.items.drain(..) {
            match folded.last_mut() {
                Some((kept, more)) if says_the_same(kept, &d) => {
                    *more += usize::from(kept.notes != d.notes);
                    if d.notes < kept.notes {
                        *kept = d;
                    }
                }
                _ => folded.push((d, 0)),
            }
        }
        let note = |(d, more): (Diagnostic, usize)| {
            if more == 0 { d } else { d.note(format!("and {more} more times")) }
        };
        self.items = folded.into_iter().map(note).collect();
    }

    /// Finds the lines that the diagnostics point at, and cuts out the text of those that are shown
    /// ([`LocatedReport::shown`]). `text_of` returns the text of a file of the site; it is called
    /// once for each run of diagnostics about the same file.
    #[must_use]
    pub fn locate(self, text_of: impl Fn(&str) -> Option<String>) -> LocatedReport {
        let mut current: Option<(String, Option<LineIndex>)> = None;
        let mut shown = ShownSelection::default();
        let mut locate = |diagnostic: Diagnostic| {
            let detail = if shown.takes(&diagnostic) { WithText } else { PositionOnly };
            let (Some(file), Some(location)) = (&diagnostic.file, &diagnostic.location) else {
                return LocatedDiagnostic { diagnostic, excerpt: None };
            };
            if current.as_ref().is_none_or(|(name, _)| name != file) {
                current = Some((file.clone(), text_of(file).map(LineIndex::new)));
            }
            let lines = current.as_mut().and_then(|(_, lines)| lines.as_mut());
            let excerpt = lines.and_then(|lines| {
                let span = match location {
                    Location::Span(start, end) => *start..*end,
                    Location::Position(start, end) => {
                        return Some(lines.excerpt(&(*start..*end), PositionOnly));
                    }
                    Location::Text(text) => {
                        let start = lines.text.find(text.as_str())?;
                        start..start + text.len()
                    }
                };
                Some(lines.excerpt(&span, detail))
            });
            LocatedDiagnostic { diagnostic, excerpt }
        };
        let items: Vec<_> = self.items.into_iter().map(&mut locate).collect();
        LocatedReport { items: items.into() }
    }
}

fn sort_key(d: &Diagnostic) -> impl Ord + '_ {
    let start = d.span().map_or(0, |span| span.start);
    (d.severity, d.file.as_deref(), start, &d.message, &d.location, d.route.as_deref())
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self { items: iter.into_iter().collect() }
    }
}

impl LocatedReport {
    #[must_use]
    pub fn items(&self) -> &[LocatedDiagnostic] {
        &self.items
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|d| d.diagnostic.severity == severity).count()
    }

    /// Appends the diagnostics of another report.
    pub fn extend(&mut self, other: LocatedReport) {
        if !other.items.is_empty() {
            Arc::make_mut(&mut self.items).extend(Arc::unwrap_or_clone(other.items));
        }
    }
}

/// A report about problems outside of the site's files, which have no lines to show.
impl From<Report> for LocatedReport {
    fn from(report: Report) -> Self {
        report.locate(|_| None)
    }
}

impl From<Diagnostic> for LocatedReport {
    fn from(diagnostic: Diagnostic) -> Self {
        Report::of(diagnostic).into()
    }
}

impl FromIterator<LocatedDiagnostic> for LocatedReport {
    fn from_iter<I: IntoIterator<Item = LocatedDiagnostic>>(iter: I) -> Self {
        Self { items: Arc::new(iter.into_iter().collect()) }
    }
}
