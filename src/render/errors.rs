//! Tera's errors as diagnostics.

use std::ops::Range;

use tera::{Error, ErrorKind};

use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;

/// An error with a place in a template.
pub(super) fn rendering(error: &Error) -> Diagnostic {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let span = report.span().range.clone();
            Diagnostic::error(report.message().to_owned()).in_file(TemplateSource::file(report.filename())).at(span)
        }
        ErrorKind::TemplateNotFound(name) => Diagnostic::error(format!("there is no template `{name}`")),
        other => Diagnostic::error(other.to_string()),
    }
}

/// What is wrong between templates: a parent or component that is not there, a circle.
pub(super) fn loading(error: &Error, templates: &[TemplateSource]) -> Report {
    match error.kind() {
        ErrorKind::CircularExtend { tpl, inheritance_chain } => {
            Report::of(at_mention(templates, tpl, "extends", format!("`{tpl}` extends itself{}", through(inheritance_chain, tpl))))
        }
        ErrorKind::CircularInclude { tpl, include_chain } => Report::of(at_mention(
            templates,
            include_chain.first().unwrap_or(tpl),
            "include",
            format!("`{tpl}` includes itself{}", through(include_chain, tpl)),
        )),
        ErrorKind::MissingParent { current, parent } => {
            let d = at_mention(templates, current, "extends", format!("`{current}` extends `{parent}`, which is not there"));
            Report::of(d.suggest(parent, templates.iter().map(|t| t.name.as_str())))
        }
        ErrorKind::Msg(text) if text.contains("is defined in both") => {
            let d = Diagnostic::error(text.clone());
            let second = templates.iter().rev().find(|t| text.contains(&format!("`{}`", t.name)));
            Report::of(match second {
                Some(t) => d.in_file(TemplateSource::file(&t.name)).at_text("{% component"),
                None => d,
            })
        }
        ErrorKind::Msg(text) if text.contains(" --> ") || text.contains("--> ") => reports(text, templates),
        _ => Report::of(rendering(error)),
    }
}

fn through(chain: &[String], name: &str) -> String {
    let others: Vec<_> = chain.iter().filter(|n| *n != name).map(|n| format!("`{n}`")).collect();
    if others.is_empty() { String::new() } else { format!(", through {}", others.join(" and ")) }
}

/// Points at the tag in a template that names another.
fn at_mention(templates: &[TemplateSource], name: &str, tag: &str, message: String) -> Diagnostic {
    let error = Diagnostic::error(message).in_file(TemplateSource::file(name));
    let Some(template) = templates.iter().find(|t| t.name == name) else { return error };
    let Some(at) = template.text.find(tag) else { return error };
    let start = template.text[..at].rfind("{%").unwrap_or(at);
    let end = template.text[at..].find("%}").map_or(at + tag.len(), |e| at + e + 2);
    error.at(start..end)
}

/// Tera joins several errors into one text of its own reports; they are taken apart again here.
fn reports(text: &str, templates: &[TemplateSource]) -> Report {
    let mut report = Report::default();
    let mut message = None;
    for line in text.lines() {
        if let Some(start) = line.find("error: ") {
            message = Some(&line[start + 7..]);
        } else if let (Some(place), Some(text)) = (line.trim_start().strip_prefix("--> "), message) {
            let d = Diagnostic::error(text.to_owned());
            report.push(match parse_place(place, templates) {
                Some((file, span)) => d.in_file(file).at(span),
                None => d,
            });
            message = None;
        }
    }
    if report.is_empty() {
        report.push(Diagnostic::error(text.to_owned()));
    }
    report
}

/// `name:line:column`, both from 1, as the byte range of the word there.
fn parse_place(place: &str, templates: &[TemplateSource]) -> Option<(String, Range<usize>)> {
    let mut parts = place.trim().rsplitn(3, ':');
    let column: usize = parts.next()?.parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let text = &templates.iter().find(|t| t.name == name)?.text;
    let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[line_start..];
    let start = line_start + rest.char_indices().nth(column.checked_sub(1)?).map_or(0, |(i, _)| i);
    let word = text[start..].find(|c: char| c.is_whitespace() || "(|%}".contains(c)).filter(|n| *n > 0).unwrap_or(1);
    Some((TemplateSource::file(name), start..start + word))
}
