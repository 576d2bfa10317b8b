//! Component calls in Markdown.
//!
//! There are two forms, each alone on its line: `{{<name key="text" n={3} />}}`, and `{% <name …>
//! %}` with its `{% </name> %}`. [`scan`] finds them outside of code and replaces each by an HTML
//! comment of the same length, so that the Markdown parser sees a separate block and every other
//! byte keeps its offset.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::regions::Regions;
use super::remark::narrow;
use crate::diag::{Diagnostic, MAX_SUGGESTIONS};

/// A component call as written.
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

/// The value of an argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Argument {
    Text(String),
    /// The link with this number: the values of `src`, `href` and `poster` are links.
    Link(u32),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Argument>),
}

/// A component line, by the offset at which its text starts.
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

/// The result of [`scan`]: the text to parse, and the markers in order.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub text: Option<String>,
    pub markers: Vec<Marker>,
    /// The component lines, including those with errors.
    pub lines: Vec<Range<usize>>,
}

/// Finds the component lines of `text` from `body_start` on. `regions` is called when there may be
/// any, for those of the text.
pub(super) fn scan<'r>(
    text: &str,
    body_start: usize,
    regions: impl FnOnce() -> &'r Regions,
    errors: &mut Vec<Diagnostic>,
) -> Scan {
    let body = &text[body_start..];
    if !body.contains("{{<") && !body.contains("{%") {
        return Scan::default();
    }
    let candidates = candidates(text, body_start);
    if candidates.is_empty() {
        return Scan::default();
    }
    let regions = regions();
    let mut scan = Scan::default();
    let mut open = OpenTags { text, open: Vec::new(), looked_up: 0 };
    let mut masked = text.as_bytes().to_vec();
    for range in candidates {
        if regions.is_verbatim(range.start) {
            continue;
        }
        let known_errors = errors.len();
        let kind = read_line(&text[range.clone()], &range, errors);
        if kind.is_none() && errors.len() == known_errors {
            continue;
        }
        masked[range.clone()].copy_from_slice(mask(range.len()).as_bytes());
        scan.lines.push(range.clone());
        let Some(kind) = kind else { continue };
        match open.check(&kind, &range) {
            Ok(()) => scan.markers.push(Marker { start: range.start, kind }),
            Err(error) => errors.push(error),
        }
    }
    errors.extend(open.unclosed());
    // Whole lines were replaced by ASCII, so it is still UTF-8.
    scan.text = String::from_utf8(masked).ok();
    scan
}

/// The components whose bodies are open.
struct OpenTags<'a> {
    text: &'a str,
    open: Vec<(String, Range<usize>)>,
    /// For how many errors the line of the opening tag was looked up.
    looked_up: usize,
}

impl OpenTags<'_> {
    /// Opens or closes a component.
    ///
    /// # Errors
    /// When a tag closes another component than the last one that was opened.
    fn check(&mut self, kind: &MarkerKind, range: &Range<usize>) -> Result<(), Diagnostic> {
        let name = match kind {
            MarkerKind::Alone(_) => return Ok(()),
            MarkerKind::Open(call) => {
                self.open.push((call.name.clone(), range.clone()));
                return Ok(());
            }
            MarkerKind::Close(name) => name,
        };
        match self.open.pop() {
            Some((opened, _)) if opened == *name => Ok(()),
            Some((opened, at)) => {
                let error = Diagnostic::error(format!("`{{% </{name}> %}}` closes `<{opened}>`"))
                    .at(range.clone());
                self.looked_up += 1;
                if self.looked_up > MAX_SUGGESTIONS {
                    return Err(error);
                }
                let line = line_of(self.text, at.start);
                Err(error.note(format!("`<{opened}>` was opened on line {line}")))
            }
            None => {
                let message = format!("`{{% </{name}> %}}` closes a component that is not open");
                Err(Diagnostic::error(message).at(range.clone()))
            }
        }
    }

    /// An error for each component that is never closed.
    fn unclosed(self) -> impl Iterator<Item = Diagnostic> {
        self.open.into_iter().map(|(name, range)| {
            Diagnostic::error(format!("`<{name}>` is never closed"))
                .at(range)
                .hint(format!("write `{{% </{name}> %}}` on a line of its own"))
        })
    }
}

/// An HTML comment of `len` bytes, or spaces when there is no room for one.
fn mask(len: usize) -> String {
    const EMPTY_COMMENT: usize = "<!---->".len();
    match len.checked_sub(EMPTY_COMMENT) {
        Some(inner) => format!("<!--{}-->", " ".repeat(inner)),
        None => " ".repeat(len),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The trimmed ranges of lines that look like component lines, complete or not.
fn candidates(text: &str, body_start: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = body_start;
    for line in text[body_start..].split_inclusive('\n') {
        let trimmed = line.trim();
        let is_call = trimmed.strip_prefix("{{<").is_some_and(|rest| rest.starts_with(starts_name));
        let is_tag = trimmed.strip_prefix("{%").is_some_and(|rest| {
            let name = rest.trim_start().strip_prefix('<').map(|n| n.trim_start_matches('/'));
            name.is_some_and(|name| name.starts_with(starts_name))
        });
        if is_call || is_tag {
            let from = start + line.len() - line.trim_start().len();
            found.push(from..from + trimmed.len());
        }
        start += line.len();
    }
    found
}

/// Reads a line; `None` without an error when it is the syntax of another tool, or a call with text
/// after it, which stay text.
fn read_line(line: &str, range: &Range<usize>, errors: &mut Vec<Diagnostic>) -> Option<MarkerKind> {
    if let Some(inner) = line.strip_prefix("{{<") {
        return read_call_line(inner, range, errors).map(MarkerKind::Alone);
    }
    let open = line.strip_prefix("{%")?;
    let Some(inner) = open.strip_suffix("%}") else {
        if !open.contains("%}") {
            errors.push(unfinished("tag", "%}", range));
        }
        return None;
    };
    let lead = 2 + open.len() - open.trim_start().len();
    let inner = inner.trim().strip_prefix('<')?;
    let Some(inner) = inner.strip_suffix('>') else {
        errors.push(unfinished("tag", "> %}", range));
        return None;
    };
    if let Some(close) = inner.strip_prefix('/') {
        let name = close.trim();
        return is_name(name).then(|| MarkerKind::Close(name.to_owned()));
    }
    read_call(inner, Form::WithBody, range, lead + 1, errors).map(MarkerKind::Open)
}

/// Reads `name key="text" />}}`, what follows `{{<`.
fn read_call_line(line: &str, range: &Range<usize>, errors: &mut Vec<Diagnostic>) -> Option<Call> {
    let Some(inner) = line.strip_suffix("}}") else {
        if !line.contains(">}}") {
            errors.push(unfinished("call", "/>}}", range));
        }
        return None;
    };
    let inner = inner.trim_end();
    if let Some(inner) = inner.strip_suffix("/>") {
        return read_call(inner, Form::Alone, range, 3, errors);
    }
    let Some(inner) = inner.strip_suffix('>') else {
        errors.push(unfinished("call", "/>}}", range));
        return None;
    };
    // With other arguments than a component's, it is a shortcode of Hugo.
    let mut ignored = Vec::new();
    let call = read_call(inner, Form::Alone, range, 3, &mut ignored)?;
    errors.push(
        Diagnostic::error(format!("the call of component `{}` has no `/` at its end", call.name))
            .at(range.clone())
            .hint(format!("write `{{{{<{} />}}}}`", inner.trim())),
    );
    None
}

/// The error of a component line that does not end.
fn unfinished(what: &str, end: &str, range: &Range<usize>) -> Diagnostic {
    Diagnostic::error(format!("this component {what} does not end with `{end}`"))
        .at(range.clone())
        .hint(match what {
            "tag" => "write `{% <name key=\"value\"> %}` or `{% </name> %}` on one line",
            _ => "write `{{<name key=\"value\" />}}` on one line",
        })
}

fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name(text: &str) -> bool {
    text.starts_with(starts_name)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Reads `name key="text" n={3}`, which starts at offset `lead` of the line.
fn read_call(
    inner: &str,
    form: Form,
    range: &Range<usize>,
    lead: usize,
    errors: &mut Vec<Diagnostic>,
) -> Option<Call> {
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
                    Diagnostic::error(format!(
                        "this argument of `{name}` is invalid: {message}"
                    ))
                    .at(at..range.end)
                    .hint(
                        "arguments are written key=\"text\", key={3}, key={true} or key={[1, 2]}",
                    ),
                );
                return None;
            }
        }
    }
    Some(Call { name: name.to_owned(), arguments, form, span: narrow(range) })
}

/// Reads one `key=value` from the start.
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
    let value = values
        .next()
        .and_then(Result::ok)
        .ok_or("what is in the braces is no text, number, true, false or list")?;
    let after = inner[values.byte_offset()..]
        .trim_start()
        .strip_prefix('}')
        .ok_or("the brace is not closed")?;
    Ok((
        key,
        argument(value).ok_or("only texts, numbers, true, false and lists of them can be given")?,
        after,
    ))
}

fn argument(value: serde_json::Value) -> Option<Argument> {
    Some(match value {
        serde_json::Value::String(s) => Argument::Text(s),
        serde_json::Value::Bool(b) => Argument::Bool(b),
        serde_json::Value::Number(n) => n
            .as_i64()
            .map_or_else(|| n.as_f64().map(Argument::Float), |i| Some(Argument::Integer(i)))?,
        serde_json::Value::Array(items) => {
            Argument::List(items.into_iter().map(argument).collect::<Option<_>>()?)
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::Options;

    use super::*;

    fn names(text: &str) -> (Vec<String>, Vec<String>) {
        let mut errors = Vec::new();
        let regions = Regions::of(text, 0, Options::empty());
        let scan = scan(text, 0, || &regions, &mut errors);
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
        assert_eq!(
            names("a\n{{<x k=\"v\" n={3} b={true}/>}}\nb").0,
            [r#"x[("k", Text("v")), ("n", Integer(3)), ("b", Bool(true))]"#]
        );
        assert_eq!(names("{% <x> %}\nhi\n{% </x> %}\n").0, ["<x", "/x"]);
        for text in [
            "`{{<x />}}`",
            "```\n{{<x />}}\n```",
            "    {{<x />}}",
            "{{ x }}",
            "{{< x >}}",
            "{{<x y>}}",
            "{{<x />}} text",
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
        assert_eq!(names("{% </x> %}\n").1, ["`{% </x> %}` closes a component that is not open"]);
        assert_eq!(names("{% <x> %}\n{% </y> %}\n").1, ["`{% </y> %}` closes `<x>`"]);
        assert_eq!(names("{{<x k=v />}}").1.len(), 1);
        assert_eq!(names("{{<x k={ />}}").1.len(), 1);
        for text in ["{{<x", "{{<ad x=\"", "{{<x k=\"v\" />", "{{<x />}", "{{<x }}"] {
            let ends = ["this component call does not end with `/>}}`"];
            assert_eq!(names(text).1, ends, "{text}");
        }
        for text in ["{{<x>}}", "{{<x k={1} >}}"] {
            assert_eq!(names(text).1, ["the call of component `x` has no `/` at its end"]);
        }
        assert_eq!(names("{% <x> ").1, ["this component tag does not end with `%}`"]);
        assert_eq!(names("{% </x %}").1, ["this component tag does not end with `> %}`"]);
    }
}
