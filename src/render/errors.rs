//! Tera's errors as diagnostics.

use std::ops::Range;

use tera::{Error, ErrorKind};

use super::filters::DataProblem;
use super::functions;
use super::template_help::{similar_name, unbalanced, unknown_tag};
use crate::diag::{Diagnostic, Report, nearest};
use crate::load::TemplateSource;

/// An error with a location in a template.
pub(super) fn rendering(error: &Error) -> Diagnostic {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let span = report.span().range.clone();
            let file = TemplateSource::file(report.filename());
            if let Some(error) = data_problem(report.message()) {
                return error.note(format!("read by `data` in {file}"));
            }
            undefined_name(report.message()).in_file(file).at(span)
        }
        ErrorKind::TemplateNotFound(name) => {
            Diagnostic::error(format!("template `{name}` does not exist"))
        }
        other => Diagnostic::error(plain_message(&other.to_string())),
    }
}

/// The error of a data file that the function `data` reads, in that file.
fn data_problem(message: &str) -> Option<Diagnostic> {
    let (_, json) = message.split_once(functions::DATA_PROBLEM)?;
    let problem: DataProblem = serde_json::from_str(json).ok()?;
    let error = Diagnostic::error(problem.message).in_file(problem.file);
    let error = match problem.span {
        Some((start, end)) => error.at(start..end),
        None => error,
    };
    Some(match problem.help {
        Some(help) => error.hint(help),
        None => error,
    })
}

/// A message of Tera, whose list of the known names becomes a note and a suggestion.
fn undefined_name(message: &str) -> Diagnostic {
    if let Some((problem, help)) = message.split_once(functions::HELP) {
        return Diagnostic::error(plain_message(problem)).hint(help);
    }
    if let Some(error) = component_argument(message).or_else(|| component_type(message)) {
        return error;
    }
    let Some((problem, list)) = message.split_once(". Available ") else {
        return Diagnostic::error(plain_message(&with_plain_types(message)));
    };
    let error = Diagnostic::error(plain_message(problem)).note(format!("available {list}"));
    let name = problem.split('`').nth(1);
    let known = list.split_once(": ").map_or("", |(_, names)| names).split(", ");
    match name.and_then(|name| nearest(name, known)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// The error of a call with an argument that the component does not have.
fn component_argument(message: &str) -> Option<Diagnostic> {
    let (names, known) = message
        .strip_prefix("Unknown argument(s) ")?
        .split_once(" in component call. Possible argument(s) are: ")?;
    let known: Vec<&str> = known.split(", ").map(|name| name.trim_matches('`')).collect();
    let name = names.split('`').nth(1)?;
    let error = Diagnostic::error(format!("unknown argument `{name}` of this component"));
    Some(match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("available arguments: {}", known.join(", "))),
    })
}

/// The error of a call with an argument of another type than the component declares.
fn component_type(message: &str) -> Option<Diagnostic> {
    let (name, rest) = message.strip_prefix("Component argument `")?.split_once("` (type: `")?;
    let (found, expected) = rest.split_once("`) does not match expected type: `")?;
    let expected = expected.trim_end_matches('`');
    let value = match expected {
        "string" => "\"…\"",
        "integer" | "number" => "{3}",
        "float" => "{0.5}",
        "bool" => "{true}",
        "array" => "{[1, 2]}",
        _ => "{…}",
    };
    let message = format!("the argument `{name}` must be of type `{expected}`, not `{found}`");
    Some(Diagnostic::error(message).hint(format!("write `{name}={value}`")))
}

/// A message with plain words in the place of Rust's types.
fn with_plain_types(message: &str) -> String {
    const TYPES: [(&str, &str); 10] = [
        ("&str", "text"),
        ("string", "text"),
        ("usize", "a whole number"),
        ("u64", "a whole number"),
        ("i64", "a whole number"),
        ("i128", "a whole number"),
        ("u128", "a whole number"),
        ("f64", "a number"),
        ("bool", "true or false"),
        ("array", "a list"),
    ];
    let is_about_types = ["invalid type", "expected", "operand", "Invalid type"];
    if !is_about_types.iter().any(|words| message.contains(words)) {
        return message.to_owned();
    }
    TYPES
        .iter()
        .fold(message.to_owned(), |text, (rust, plain)| text.replace(&format!("`{rust}`"), plain))
}

/// Adds to an error in a template's syntax what Tera does not say.
pub(super) fn syntax(error: &Error, text: &str) -> Diagnostic {
    let ErrorKind::SyntaxError(report) = error.kind() else { return rendering(error) };
    let file = TemplateSource::file(report.filename());
    let at = report.span().range.start;
    let message = report.message();
    let better = if message.starts_with("Unknown tag") {
        unbalanced(text, at).or_else(|| unknown_tag(text, at))
    } else if message.contains("nexpected end of input") || message.contains("not found") {
        unbalanced(text, text.len())
    } else {
        None
    };
    if let Some(better) = better {
        return better.in_file(file);
    }
    if message.to_lowercase().starts_with("components with body content") {
        let span = report.span().range.clone();
        return Diagnostic::error("this component call has no `/` at its end")
            .in_file(file)
            .at(span)
            .hint("write `/>}}`, or `{% <name> %}` … `{% </name> %}` for a call with a body");
    }
    rendering(error)
}

/// Tera's message as Folio's messages are written: it starts with a lower-case letter and
/// ends without a full stop.
pub(super) fn plain_message(message: &str) -> String {
    let text = message.trim().trim_end_matches('.');
    let mut chars = text.chars();
    match (chars.next(), text.chars().nth(1)) {
        // A word in capitals, such as `UTF-8`, stays.
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Problems between templates: a parent or component that does not exist, a cycle.
pub(super) fn loading(error: &Error, templates: &[TemplateSource], components: &[&str]) -> Report {
    match error.kind() {
        ErrorKind::CircularExtend { tpl, inheritance_chain } => Report::of(at_mention(
            templates,
            tpl,
            "extends",
            format!("`{tpl}` extends itself{}", through(inheritance_chain, tpl)),
        )),
        ErrorKind::CircularInclude { tpl, include_chain } => Report::of(at_mention(
            templates,
            include_chain.first().unwrap_or(tpl),
            "include",
            format!("`{tpl}` includes itself{}", through(include_chain, tpl)),
        )),
        ErrorKind::MissingParent { current, parent } => {
            let d = at_mention(
                templates,
                current,
                "extends",
                format!("`{current}` extends `{parent}`, which does not exist"),
            );
            Report::of(d.suggest(parent, templates.iter().map(|t| t.name.as_str())))
        }
        ErrorKind::Msg(text) if text.contains("is defined in both") => {
            let d = Diagnostic::error(plain_message(text));
            let second = templates.iter().rev().find(|t| text.contains(&format!("`{}`", t.name)));
            Report::of(match second {
                Some(t) => d.in_file(TemplateSource::file(&t.name)).at_text("{% component"),
                None => d,
            })
        }
        ErrorKind::Msg(text) if text.contains(" --> ") || text.contains("--> ") => {
            reports(text, templates, components)
        }
        _ => Report::of(rendering(error)),
    }
}

fn through(chain: &[String], name: &str) -> String {
    let others: Vec<_> = chain.iter().filter(|n| *n != name).map(|n| format!("`{n}`")).collect();
    if others.is_empty() { String::new() } else { format!(", through {}", others.join(" and ")) }
}

/// Points at the tag of a template that names another.
fn at_mention(templates: &[TemplateSource], name: &str, tag: &str, message: String) -> Diagnostic {
    let error = Diagnostic::error(message).in_file(TemplateSource::file(name));
    let Some(template) = templates.iter().find(|t| t.name == name) else { return error };
    let Some(at) = template.text.find(tag) else { return error };
    let start = template.text[..at].rfind("{%").unwrap_or(at);
    let end = template.text[at..].find("%}").map_or(at + tag.len(), |e| at + e + 2);
    error.at(start..end)
}

/// Tera joins several errors into one text, which is split again here.
fn reports(text: &str, templates: &[TemplateSource], components: &[&str]) -> Report {
    let mut report = Report::default();
    let mut message = None;
    for line in text.lines() {
        if let Some(start) = line.find("error: ") {
            message = Some(&line[start + 7..]);
        } else if let (Some(place), Some(text)) = (line.trim_start().strip_prefix("--> "), message)
        {
            let names: Vec<&str> = templates.iter().map(|t| t.name.as_str()).collect();
            let d = Diagnostic::error(plain_message(text));
            let d = match similar_name(text, components, &names) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d,
            };
            report.push(match parse_place(place, templates) {
                Some((file, span)) => d.in_file(file).at(span),
                None => d,
            });
            message = None;
        }
    }
    if report.is_empty() {
        report.push(Diagnostic::error(plain_message(text)));
    }
    report
}

/// The byte range of the word at `name:line:column`, both counted from 1.
fn parse_place(place: &str, templates: &[TemplateSource]) -> Option<(String, Range<usize>)> {
    let mut parts = place.trim().rsplitn(3, ':');
    let column: usize = parts.next()?.parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let text = &templates.iter().find(|t| t.name == name)?.text;
    let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[line_start..];
    let start = line_start + rest.char_indices().nth(column.checked_sub(1)?).map_or(0, |(i, _)| i);
    let word = text[start..]
        .find(|c: char| c.is_whitespace() || "(|%}".contains(c))
        .filter(|n| *n > 0)
        .unwrap_or(1);
    Some((TemplateSource::file(name), start..start + word))
}
