//! Located reports as text for a person, in the form of rustc's messages.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, Title};

use super::diagnostic::{Location, Severity};
use super::report::{LocatedDiagnostic, LocatedReport};
use super::terminal::escape_control_characters;

/// Whether rendered text contains terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorChoice {
    Never,
    Always,
}

impl LocatedReport {
    /// The report as text, each diagnostic that is shown followed by an empty line.
    #[must_use]
    pub fn render(&self, color: ColorChoice) -> String {
        let renderer = match color {
            ColorChoice::Never => Renderer::plain(),
            ColorChoice::Always => Renderer::styled(),
        };
        let mut out = String::new();
        let shown = self.shown();
        for d in &shown.items {
            out.push_str(&render_one(d, &renderer));
            out.push_str("\n\n");
        }
        if shown.left_out > 0 {
            let _ = write!(
                out,
                "… and {} more; `folio check --format json` lists all\n\n",
                shown.left_out
            );
        }
        out
    }
}

fn render_one(located: &LocatedDiagnostic, renderer: &Renderer) -> String {
    let d = &located.diagnostic;
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut title = level.primary_title(escape_control_characters(&d.message));
    if let Some(rule) = d.rule {
        title = title.id(rule);
    }
    let mut group = match (&d.file, &located.excerpt) {
        (Some(file), Some(e)) if matches!(d.location, Some(Location::Position(..))) => {
            title.element(Origin::path(file.as_str()).line(e.line).char_column(e.column))
        }
        (Some(file), Some(e)) => title.element(
            Snippet::source(e.text.as_str())
                .path(file.as_str())
                .line_start(e.line)
                .annotation(AnnotationKind::Primary.span(e.underline.clone())),
        ),
        (Some(file), None) => title.element(Origin::path(file.as_str())),
        (None, _) => return render_without_file(located, title, renderer),
    };
    for note in &d.notes {
        group = group.element(Level::NOTE.message(escape_control_characters(note)));
    }
    if let Some(hint) = &d.hint {
        group = group.element(Level::HELP.message(escape_control_characters(hint)));
    }
    renderer.render(&[group])
}

/// A diagnostic without a file: its lines, without the frame of a snippet.
fn render_without_file(
    located: &LocatedDiagnostic,
    title: Title<'_>,
    renderer: &Renderer,
) -> String {
    let mut out = renderer.render(&[Group::with_title(title)]);
    for note in &located.diagnostic.notes {
        let _ = write!(out, "\n  note: {}", escape_control_characters(note));
    }
    if let Some(hint) = &located.diagnostic.hint {
        let _ = write!(out, "\n  help: {}", escape_control_characters(hint));
    }
    out
}
