//! Component calls in Markdown.
//!
//! Two forms, each alone on its line: `{{<name key="text" n={3} />}}`, and `{% <name …> %}` with its
//! `{% </name> %}`. [`scan`] finds them outside code and puts an HTML comment of the same length in their
//! place, so that the Markdown parser sees a block of its own there and every other byte keeps its offset.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde::{Deserialize, Serialize};

use super::narrow;
use crate::diag::Diagnostic;

/// A call as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub name: String,
    pub arguments: Vec<(String, Argument)>,
    pub form: Form,
    pub span: Range<u32>,
}

/// Whether a call has Markdown between its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    Alone,
    WithBody,
}

/// An argument's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Argument {
    Text(String),
    /// The article's link of this number: what stands under `src`, `href` or `poster` is one.
    Link(u32),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Argument>),
}

/// A line that is a component's, by the byte its text starts at.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    pub start: usize,
    pub kind: MarkerKind,
}

#[derive(Clone, Debug)]
pub(super) enum MarkerKind {
    Alone(Call),
    Open(Call),
    Close(String),
}

/// What [`scan`] found: the text to parse, and the markers in order.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub text: Option<String>,
    pub markers: Vec<Marker>,
}

/// Finds the component lines of `text` from `body_start` on.
pub(super) fn scan(text: &str, body_start: usize, options: Options, errors: &mut Vec<Diagnostic>) -> Scan {
    let body = &text[body_start..];
    if !body.contains("{{<") && !body.contains("{%") {
        return Scan::default();
    }
    let lines = candidates(text, body_start);
    if lines.is_empty() {
        return Scan::default();
    }
    let code = verbatim_ranges(body, body_start, options);
    let mut markers = Vec::new();
    let mut open: Vec<(String, Range<usize>)> = Vec::new();
    let mut masked = text.to_owned();
    for range in lines {
        if code.iter().any(|c| c.start <= range.start && range.start < c.end) {
            continue;
        }
        let known_errors = errors.len();
        let kind = read_line(&text[range.clone()], &range, errors);
        if errors.len() > known_errors {
            masked.replace_range(range.clone(), &mask(range.len()));
        }
        let Some(kind) = kind else { continue };
        masked.replace_range(range.clone(), &mask(range.len()));
        match &kind {
            MarkerKind::Open(call) => open.push((call.name.clone(), range.clone())),
            MarkerKind::Close(name) => match open.pop() {
                Some((opened, _)) if opened == *name => {}
                Some((opened, at)) => {
                    errors.push(
                        Diagnostic::error(format!("`{{% </{name}> %}}` closes `<{opened}>`"))
                            .at(range.clone())
                            .note(format!("`<{opened}>` was opened on line {}", line_of(text, at.start))),
                    );
                    continue;
                }
                None => {
                    errors.push(Diagnostic::error(format!("`{{% </{name}> %}}` closes nothing")).at(range.clone()));
                    continue;
                }
            },
            MarkerKind::Alone(_) => {}
        }
        markers.push(Marker { start: range.start, kind });
    }
    for (name, range) in open {
        errors
            .push(Diagnostic::error(format!("`<{name}>` is never closed")).at(range).hint(format!("write `{{% </{name}> %}}` on a line of its own")));
    }
    Scan { text: Some(masked), markers }
}

/// An HTML comment of `len` bytes; the shortest component line has eight.
fn mask(len: usize) -> String {
    format!("<!--{}-->", " ".repeat(len.saturating_sub(7)))
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The trimmed ranges of lines that look like a component's.
fn candidates(text: &str, body_start: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = body_start;
    for line in text[body_start..].split_inclusive('\n') {
        let trimmed = line.trim();
        let alone = trimmed.starts_with("{{<") && trimmed.ends_with("}}");
        let tag = trimmed.starts_with("{%") && trimmed.ends_with("%}") && trimmed[2..].trim_start().starts_with('<');
        if alone || tag {
            let from = start + line.len() - line.trim_start().len();
            found.push(from..from + trimmed.len());
        }
        start += line.len();
    }
    found
}

/// Where Markdown takes text as it stands: code, and HTML whose content is not markup.
fn verbatim_ranges(body: &str, body_start: usize, options: Options) -> Vec<Range<usize>> {
    let shift = |r: Range<usize>| r.start + body_start..r.end + body_start;
    let mut ranges = Vec::new();
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) | Event::Code(_) | Event::InlineMath(_) | Event::DisplayMath(_) => ranges.push(shift(range)),
            Event::Start(Tag::HtmlBlock) => {
                let html = body[range.clone()].trim_start().to_ascii_lowercase();
                if ["<!--", "<pre", "<script", "<style", "<textarea", "<![cdata["].iter().any(|p| html.starts_with(p)) {
                    ranges.push(shift(range));
                }
            }
            _ => {}
        }
    }
    ranges
}

/// Reads a candidate line; `None` when it is another tool's syntax and stays text.
fn read_line(line: &str, range: &Range<usize>, errors: &mut Vec<Diagnostic>) -> Option<MarkerKind> {
    if let Some(inner) = line.strip_prefix("{{<") {
        let inner = inner.strip_suffix("}}")?.trim_end().strip_suffix("/>")?;
        return read_call(inner, Form::Alone, range, 3, errors).map(MarkerKind::Alone);
    }
    let open = line.strip_prefix("{%")?;
    let lead = 2 + open.len() - open.trim_start().len();
    let inner = open.strip_suffix("%}")?.trim().strip_prefix('<')?;
    if let Some(close) = inner.strip_prefix('/') {
        let name = close.strip_suffix('>')?.trim();
        return is_name(name).then(|| MarkerKind::Close(name.to_owned()));
    }
    read_call(inner.strip_suffix('>')?, Form::WithBody, range, lead + 1, errors).map(MarkerKind::Open)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Reads `name key="text" n={3}`; `lead` is where it starts in the line.
fn read_call(inner: &str, form: Form, range: &Range<usize>, lead: usize, errors: &mut Vec<Diagnostic>) -> Option<Call> {
    let end = inner.find(char::is_whitespace).unwrap_or(inner.len());
    let name = &inner[..end];
    if !is_name(name) {
        return None;
    }
    let mut arguments = Vec::new();
    let mut rest = &inner[end..];
    loop {
        let next = rest.trim_start();
        if next.is_empty() {
            break;
        }
        let at = range.start + lead + inner.len() - next.len();
        match read_argument(next) {
            Ok((key, value, after)) => {
                arguments.push((key.to_owned(), value));
                rest = after;
            }
            Err(message) => {
                errors.push(
                    Diagnostic::error(format!("this argument of `{name}` cannot be read: {message}"))
                        .at(at..range.end)
                        .hint("arguments are written key=\"text\", key={3}, key={true} or key={[1, 2]}"),
                );
                return None;
            }
        }
    }
    Some(Call { name: name.to_owned(), arguments, form, span: narrow(range) })
}

/// Reads one `key=value` off the front.
fn read_argument(text: &str) -> Result<(&str, Argument, &str), &'static str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if key.is_empty() {
        return Err("a name was expected");
    }
    let rest = rest.strip_prefix('=').ok_or("`=` was expected after the name")?;
    if let Some(quote) = rest.chars().next().filter(|c| *c == '"' || *c == '\'') {
        let close = rest[1..].find(quote).ok_or("the quote is not closed")? + 1;
        return Ok((key, Argument::Text(rest[1..close].to_owned()), &rest[close + 1..]));
    }
    let inner = rest.strip_prefix('{').ok_or("the value must be quoted or in braces")?;
    let mut values = serde_json::Deserializer::from_str(inner).into_iter::<serde_json::Value>();
    let value = values.next().and_then(Result::ok).ok_or("what is in the braces is no text, number, true, false or list")?;
    let after = inner[values.byte_offset()..].trim_start().strip_prefix('}').ok_or("the brace is not closed")?;
    Ok((key, argument(value).ok_or("only texts, numbers, true, false and lists of them can be given")?, after))
}

fn argument(value: serde_json::Value) -> Option<Argument> {
    Some(match value {
        serde_json::Value::String(s) => Argument::Text(s),
        serde_json::Value::Bool(b) => Argument::Bool(b),
        serde_json::Value::Number(n) => n.as_i64().map_or_else(|| n.as_f64().map(Argument::Float), |i| Some(Argument::Integer(i)))?,
        serde_json::Value::Array(items) => Argument::List(items.into_iter().map(argument).collect::<Option<_>>()?),
        serde_json::Value::Null | serde_json::Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<String>, Vec<String>) {
        let mut errors = Vec::new();
        let scan = scan(text, 0, Options::empty(), &mut errors);
        let names = scan.markers.iter().map(|m| match &m.kind {
            MarkerKind::Alone(c) => format!("{}{:?}", c.name, c.arguments),
            MarkerKind::Open(c) => format!("<{}", c.name),
            MarkerKind::Close(n) => format!("/{n}"),
        });
        if let Some(masked) = scan.text {
            assert_eq!(masked.len(), text.len());
        }
        (names.collect(), errors.into_iter().map(|e| e.message).collect())
    }

    #[test]
    fn the_two_forms_are_found_and_nothing_else() {
        assert_eq!(names("a\n{{<x k=\"v\" n={3} b={true}/>}}\nb").0, [r#"x[("k", Text("v")), ("n", Integer(3)), ("b", Bool(true))]"#]);
        assert_eq!(names("{% <x> %}\nhi\n{% </x> %}\n").0, ["<x", "/x"]);
        for text in [
            "`{{<x />}}`",
            "```\n{{<x />}}\n```",
            "    {{<x />}}",
            "{{ x }}",
            "{{< x >}}",
            "{{<x>}}",
            "{% if %}",
            "${{ x }}",
            "text {{<x />}}",
            "<!--\n{{<x />}}\n-->",
        ] {
            assert_eq!(names(text), (vec![], vec![]), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert_eq!(names("{% <x> %}\n").1, ["`<x>` is never closed"]);
        assert_eq!(names("{% </x> %}\n").1, ["`{% </x> %}` closes nothing"]);
        assert_eq!(names("{% <x> %}\n{% </y> %}\n").1, ["`{% </y> %}` closes `<x>`"]);
        assert_eq!(names("{{<x k=v />}}").1.len(), 1);
        assert_eq!(names("{{<x k={ />}}").1.len(), 1);
    }
}
