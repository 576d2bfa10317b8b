//! The line of a file that a diagnostic points at.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The line that a diagnostic points at, owned so that it outlives the source text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The line number, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The line's text; only a window around the span when the line is very long. Empty in a report
    /// whose diagnostic is not shown with its line.
    pub text: String,
    /// The underlined byte range within `text`.
    pub underline: Range<usize>,
}

/// How many bytes of a long line are shown to either side of the start of the span.
const WINDOW: usize = 2000;

/// Whether the text of the line is cut out, or only its number and the column are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    WithText,
    PositionOnly,
}

/// A text with the offsets at which its lines start, so that each lookup of a line takes the
/// logarithm of their number.
pub(super) struct LineIndex {
    pub text: String,
    starts: Vec<usize>,
    /// The start of a line, an offset in it, and the column of that offset: the next lookup in the
    /// same line counts from there.
    cursor: (usize, usize, usize),
}

impl LineIndex {
    pub(super) fn new(text: String) -> Self {
        let starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text, starts, cursor: (0, 0, 1) }
    }

    /// The line that holds the start of `span`. A span past the end of the text points at its end.
    pub(super) fn excerpt(&mut self, span: &Range<usize>, detail: Detail) -> Excerpt {
        let start = floor_char_boundary(&self.text, span.start.min(self.text.len()));
        let line = self.starts.partition_point(|line_start| *line_start <= start);
        let line_start = self.starts[line - 1];
        let column = self.column(line_start, start);
        if detail == Detail::PositionOnly {
            return Excerpt { line, column, text: String::new(), underline: 0..0 };
        }
        let text = self.text.as_str();
        let line_end = self.starts.get(line).map_or(text.len(), |next| next - 1);
        let end = floor_char_boundary(text, span.end.clamp(start, line_end));
        let from = floor_char_boundary(text, line_start.max(start.saturating_sub(WINDOW)));
        let to = floor_char_boundary(text, line_end.min(start + WINDOW));
        let end = end.min(to).max(start);
        Excerpt {
            line,
            column,
            text: text[from..to].trim_end_matches('\r').to_owned(),
            underline: start - from..end - from,
        }
    }
}

impl LineIndex {
    /// The column of an offset, from 1, in characters.
    fn column(&mut self, line_start: usize, at: usize) -> usize {
        let (line, from, column) = self.cursor;
        let (from, column) =
            if line == line_start && from <= at { (from, column) } else { (line_start, 1) };
        let column = column + self.text[from..at].chars().count();
        self.cursor = (line_start, at, column);
        column
    }
}

impl Excerpt {
    /// The line of `text` that holds the start of `span`; for single uses.
    #[must_use]
    pub fn of(text: &str, span: &Range<usize>) -> Self {
        LineIndex::new(text.to_owned()).excerpt(span, Detail::WithText)
    }
}

fn floor_char_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_counts_characters_and_accepts_any_span() {
        let text = "eins\nzwei äöü drei\n";
        let e = Excerpt::of(text, &(10..13));
        assert_eq!((e.line, e.column, e.text.as_str()), (2, 6, "zwei äöü drei"));
        assert_eq!(Excerpt::of("", &(5..9)).line, 1);
        assert_eq!(Excerpt::of("ä", &(1..2)).column, 1);
        assert_eq!(Excerpt::of("a\nb\n", &(9..9)).line, 3);
    }

    #[test]
    fn a_long_line_is_shortened_to_a_window_around_the_span() {
        let text = "x".repeat(1_000_000);
        assert!(Excerpt::of(&text, &(500_000..500_001)).text.len() <= 2 * WINDOW);
    }
}
