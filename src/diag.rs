//! Diagnostics: what Folio has to say about a site, as values.
//!
//! A stage returns [`Diagnostic`]s with a file and a byte range; the text of the file is added once, at
//! the end ([`Report::attach`]), so that no stage has to keep sources alive for the sake of messages.
//! This module prints nothing: [`Report::render`] returns the text and `main` decides where it goes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::{Deserialize, Serialize};

/// How bad a diagnostic is: a build with an error changes nothing on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// The line a diagnostic points at, kept by value so that it outlives the source text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// 1-based line number.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// The line's text, cut to a window around the span when it is very long.
    pub text: String,
    /// The underlined byte range within `text`.
    pub underline: Range<usize>,
}

/// A line is shown whole up to this many bytes, else this much to either side of the span.
const WINDOW: usize = 2000;

impl Excerpt {
    /// Cuts the line that holds `span.start` out of `text`; a span past the end points at the end.
    #[must_use]
    pub fn of(text: &str, span: &Range<usize>) -> Self {
        Self::on_line(text, span, |start| text[..start].matches('\n').count() + 1)
    }

    /// As [`Excerpt::of`], with the number of the line that holds a byte known.
    fn on_line(text: &str, span: &Range<usize>, line: impl Fn(usize) -> usize) -> Self {
        let start = floor_boundary(text, span.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let end = floor_boundary(text, span.end.clamp(start, line_end));
        let from = floor_boundary(text, line_start.max(start.saturating_sub(WINDOW)));
        let to = floor_boundary(text, line_end.min(start + WINDOW));
        let end = end.min(to).max(start);
        Self {
            line: line(start),
            column: text[line_start..start].chars().count() + 1,
            text: text[from..to].trim_end_matches('\r').to_owned(),
            underline: start - from..end - from,
        }
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One thing that is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub message: String,
    /// The site-relative path of the file, with `/` between its parts.
    pub file: Option<String>,
    /// The byte range in that file.
    #[serde(skip)]
    pub span: Option<Range<usize>>,
    /// A text to look for in that file, where no span is known.
    #[serde(skip)]
    pub needle: Option<String>,
    pub excerpt: Option<Excerpt>,
    pub hint: Option<String>,
    /// Further facts, a line each.
    pub notes: Vec<String>,
    /// The rule of `folio check` that it comes from.
    #[serde(skip)]
    pub rule: Option<&'static str>,
    /// The first page that it shows on, where it is about a finished page.
    #[serde(skip)]
    pub route: Option<String>,
}

impl Diagnostic {
    /// An error that belongs to no file yet.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// A warning that belongs to no file yet.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Self {
        Self { severity, message, file: None, span: None, needle: None, excerpt: None, hint: None, notes: Vec::new(), rule: None, route: None }
    }

    /// Names the file (site-relative).
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Points at a byte range of the file.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// Points at the first place in the file that holds this text.
    #[must_use]
    pub fn at_text(mut self, needle: impl Into<String>) -> Self {
        self.needle = Some(needle.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a further fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Names the rule of `folio check` that it comes from.
    #[must_use]
    pub fn rule(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Adds "did you mean …?" when one of `known` is near to `given`.
    #[must_use]
    pub fn suggest<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(given, known) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    fn sort_key(&self) -> (Severity, Option<&str>, usize, &str, Option<&str>, Option<&str>) {
        let start = self.span.as_ref().map_or(0, |s| s.start);
        (self.severity, self.file.as_deref(), start, &self.message, self.needle.as_deref(), self.route.as_deref())
    }
}

/// The name among `known` that `given` most likely stands for, if any is near enough.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(given, name), name))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Every diagnostic of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    items: Vec<Diagnostic>,
}

impl Report {
    /// A report of one diagnostic.
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
    pub fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|d| d.severity == severity).count()
    }

    #[must_use]
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// Whether anything is said of this very file.
    #[must_use]
    pub fn tells_of(&self, file: &str) -> bool {
        self.items.iter().any(|d| d.file.as_deref() == Some(file))
    }

    /// Names `file` in every diagnostic that names none.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        for d in &mut self.items {
            d.file.get_or_insert_with(|| file.to_owned());
        }
        self
    }

    /// The report without what is said of a file, or of any below it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let is_there = |file: &str| file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.items.retain(|d| !d.file.as_deref().is_some_and(is_there));
        self
    }

    /// Errors first, then by file and place: the order does not depend on threads.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        self.items.dedup();
    }

    /// Keeps one of those that say the same of the same place, and how many more there were: an error in a
    /// template shows on every page that uses it.
    pub fn fold_repeats(&mut self) {
        type Place = (Severity, Option<String>, Option<(usize, usize)>, Option<String>, String);
        let mut first: HashMap<Place, (Diagnostic, usize)> = HashMap::new();
        for d in self.items.drain(..) {
            let place = (d.severity, d.file.clone(), d.span.as_ref().map(|s| (s.start, s.end)), d.needle.clone(), d.message.clone());
            match first.entry(place) {
                Entry::Vacant(free) => {
                    free.insert((d, 0));
                }
                Entry::Occupied(mut taken) => {
                    let (kept, more) = taken.get_mut();
                    *more += usize::from(kept.notes != d.notes);
                    if d.notes < kept.notes {
                        *kept = d;
                    }
                }
            }
        }
        self.items = first.into_values().map(|(d, more)| if more == 0 { d } else { d.note(format!("and {more} more times")) }).collect();
    }

    /// Fills in the excerpts, asking `text` for each file that a diagnostic points into.
    pub fn attach(&mut self, text: impl Fn(&str) -> Option<String>) {
        let mut last: Option<(String, Option<Indexed>)> = None;
        for d in &mut self.items {
            let (Some(file), None) = (&d.file, &d.excerpt) else { continue };
            if d.span.is_none() && d.needle.is_none() {
                continue;
            }
            if last.as_ref().is_none_or(|(name, _)| name != file) {
                last = Some((file.clone(), text(file).map(Indexed::new)));
            }
            let Some((_, Some(source))) = &last else { continue };
            let found = || d.needle.as_ref().and_then(|n| source.text.find(n.as_str()).map(|at| at..at + n.len()));
            if let Some(span) = d.span.clone().or_else(found) {
                d.excerpt = Some(Excerpt::on_line(&source.text, &span, |at| source.line(at)));
                d.span = Some(span);
            }
        }
    }

    /// The report as text for a person.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        let mut out = String::new();
        for d in &self.items {
            out.push_str(&render_one(d, &renderer));
            out.push_str("\n\n");
        }
        out
    }
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self { items: iter.into_iter().collect() }
    }
}

/// A text with the places where its lines start.
struct Indexed {
    text: String,
    starts: Vec<usize>,
}

impl Indexed {
    fn new(text: String) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text, starts }
    }

    /// The 1-based number of the line that holds a byte.
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }
}

/// Whether rendered text carries terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

fn render_one(d: &Diagnostic, renderer: &Renderer) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = printable(&d.message);
    let title = || {
        let title = level.clone().primary_title(message.clone());
        match d.rule {
            Some(rule) => title.id(rule),
            None => title,
        }
    };
    let mut group = match (&d.file, &d.excerpt) {
        (Some(file), Some(e)) => {
            let snippet =
                Snippet::source(e.text.as_str()).path(file.as_str()).line_start(e.line).annotation(AnnotationKind::Primary.span(e.underline.clone()));
            title().element(snippet)
        }
        (Some(file), None) => title().element(annotate_snippets::Origin::path(file.as_str())),
        (None, _) => return render_bare(d, title(), renderer),
    };
    for note in &d.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if let Some(hint) = &d.hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    renderer.render(&[group])
}

/// A diagnostic that belongs to no file: its lines, without the frame of a snippet.
fn render_bare(d: &Diagnostic, title: annotate_snippets::Title<'_>, renderer: &Renderer) -> String {
    let mut out = renderer.render(&[annotate_snippets::Group::with_title(title)]);
    for note in &d.notes {
        let _ = write!(out, "\n  note: {}", printable(note));
    }
    if let Some(hint) = &d.hint {
        let _ = write!(out, "\n  help: {}", printable(hint));
    }
    out
}

/// Control characters written out, so that a site's text cannot steer the terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_counts_characters_and_survives_odd_spans() {
        let text = "eins\nzwei äöü drei\n";
        let e = Excerpt::of(text, &(10..13));
        assert_eq!((e.line, e.column, e.text.as_str()), (2, 6, "zwei äöü drei"));
        assert_eq!(Excerpt::of("", &(5..9)).line, 1);
        assert_eq!(Excerpt::of("ä", &(1..2)).column, 1);
    }

    #[test]
    fn a_long_line_is_cut_around_the_span() {
        let text = "x".repeat(1_000_000);
        assert!(Excerpt::of(&text, &(500_000..500_001)).text.len() <= 2 * WINDOW);
    }

    #[test]
    fn the_nearest_name_must_be_near() {
        assert_eq!(nearest("titel", ["title", "date"]), Some("title"));
        assert_eq!(nearest("zzz", ["title", "date"]), None);
    }
}
