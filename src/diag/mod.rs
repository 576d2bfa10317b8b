//! Diagnostics: the problems of a site, as values.
//!
//! A stage returns [`Diagnostic`]s that name a file and a [`Location`] in it, collected in a
//! [`Report`]. The text of a file is needed only once, at the end: [`Report::locate`] cuts out the
//! lines that are shown and returns a [`LocatedReport`], so that no stage keeps sources in memory
//! for the sake of messages. This module prints nothing; [`LocatedReport::render`] returns text.

mod diagnostic;
mod excerpt;
mod render;
mod report;
mod selection;
mod shown;
mod terminal;

pub use diagnostic::{Diagnostic, Location, MAX_SUGGESTIONS, Severity, nearest};

pub use excerpt::Excerpt;
pub use render::ColorChoice;
pub use report::{LocatedDiagnostic, LocatedReport, Report};
pub use shown::Shown;
pub use terminal::{escape_control_characters, single_line, single_line_without_middle};

/// A value, and the warnings that came up while it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warned<T> {
    pub value: T,
    pub warnings: Report,
}

impl<T> Warned<T> {
    /// A value without warnings.
    pub fn new(value: T) -> Self {
        Self { value, warnings: Report::default() }
    }

    /// A value with one warning.
    pub fn with(value: T, warning: Diagnostic) -> Self {
        Self { value, warnings: Report::of(warning) }
    }

    /// Moves the warnings to `report` and returns the value.
    pub fn report_to(self, report: &mut Report) -> T {
        report.extend(self.warnings);
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_returns_only_similar_names() {
        assert_eq!(nearest("titel", ["title", "date"]), Some("title"));
        assert_eq!(nearest("zzz", ["title", "date"]), None);
    }
}
