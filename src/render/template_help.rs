//! What Tera's messages do not say: which tag is not closed, and which name is meant.
//!
//! Tera reports where it stopped reading. This module reads the tags before that place, and knows
//! the names that a template may use.

use std::ops::Range;

use crate::diag::{Diagnostic, nearest};

/// The tags that need an end, with the name of that end.
const BLOCKS: [(&str, &str); 5] = [
    ("if", "endif"),
    ("for", "endfor"),
    ("block", "endblock"),
    ("filter", "endfilter"),
    ("component", "endcomponent"),
];

/// Every other tag.
const TAGS: [&str; 10] = [
    "elif",
    "else",
    "set",
    "set_global",
    "include",
    "extends",
    "raw",
    "break",
    "continue",
    "endset",
];

/// The filters of Tera and Folio.
const FILTERS: [&str; 43] = [
    "abs",
    "capitalize",
    "date",
    "default",
    "escape",
    "escape_html",
    "escape_xml",
    "first",
    "float",
    "get",
    "group_by",
    "indent",
    "int",
    "join",
    "json",
    "keys",
    "last",
    "length",
    "lower",
    "markdown",
    "newlines_to_br",
    "nth",
    "pairs",
    "pluralize",
    "replace",
    "reverse",
    "round",
    "safe",
    "slugify",
    "sort",
    "split",
    "str",
    "striptags",
    "title",
    "trim",
    "trim_end",
    "trim_start",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "values",
    "wordcount",
];

/// The functions of Tera and Folio.
const FUNCTIONS: [&str; 12] = [
    "asset",
    "data",
    "highlight_css",
    "image",
    "page",
    "pages",
    "range",
    "section",
    "taxonomy",
    "throw",
    "trans",
    "url",
];

/// The tests of Tera.
const TESTS: [&str; 17] = [
    "array",
    "bool",
    "containing",
    "defined",
    "divisible_by",
    "ending_with",
    "even",
    "float",
    "integer",
    "iterable",
    "map",
    "none",
    "number",
    "odd",
    "starting_with",
    "string",
    "undefined",
];

/// A tag that has been opened.
struct Open<'t> {
    name: &'t str,
    end: String,
    span: Range<usize>,
}

/// The error for a template that Tera stopped reading at `at` because of an end that is missing or
/// has no start; `None` for other errors.
pub(super) fn unbalanced(text: &str, at: usize) -> Option<Diagnostic> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut tags = Tags { text, at: 0 };
    loop {
        let tag = match tags.next_tag() {
            Next::Tag(tag) => tag,
            Next::Unclosed { span, end } => {
                let start = &text[span.clone()];
                return Some(
                    Diagnostic::error(format!("`{start}` is not closed"))
                        .at(span)
                        .hint(format!("write `{end}` after it")),
                );
            }
            Next::End => break,
        };
        let (word, span) = (first_word(&text[tag.clone()]), tag.clone());
        // `set` is a block only without a value, so its end says nothing about what is open.
        if let Some(name) = word.strip_prefix("end").filter(|name| *name != "set") {
            match open.pop() {
                Some(opened) if opened.name == name || opened.end == word => continue,
                Some(opened) => return Some(not_closed(text, &opened, Some(&span))),
                None if span.end >= at => return Some(closes_nothing(text, span)),
                None => return None,
            }
        }
        if let Some((name, end)) = BLOCKS.iter().find(|(name, _)| *name == word) {
            open.push(Open { name, end: (*end).to_owned(), span });
        } else if let Some(name) = component_start(&text[tag.clone()]) {
            open.push(Open { name, end: format!("</{name}>"), span });
        } else if let Some(name) = component_end(&text[tag]) {
            match open.pop() {
                Some(opened) if opened.name == name => {}
                Some(opened) => return Some(not_closed(text, &opened, Some(&span))),
                None => return Some(closes_nothing(text, span)),
            }
        }
    }
    open.last().map(|opened| not_closed(text, opened, None))
}

/// The error for an unknown tag at `at`.
pub(super) fn unknown_tag(text: &str, at: usize) -> Option<Diagnostic> {
    let rest = text.get(at..)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..end];
    let ends = BLOCKS.iter().flat_map(|(start, end)| [*start, *end]);
    let error = Diagnostic::error(format!("unknown tag `{name}`")).at(at..at + end.max(1));
    Some(match nearest(name, ends.chain(TAGS)) {
        Some(near) if near != name => error.hint(format!("did you mean `{near}`?")),
        _ => error,
    })
}

/// The most similar known name for a message such as "unknown filter `uper`".
pub(super) fn similar_name(
    message: &str,
    components: &[&str],
    templates: &[&str],
) -> Option<String> {
    let (what, rest) = message.strip_prefix("Unknown ")?.split_once(" `")?;
    let name = rest.split('`').next()?;
    let known: &[&str] = match what {
        "filter" => &FILTERS,
        "function" => &FUNCTIONS,
        "test" => &TESTS,
        "component" => components,
        "template" => templates,
        _ => return None,
    };
    nearest(name, known.iter().copied()).map(str::to_owned)
}

fn not_closed(text: &str, opened: &Open<'_>, before: Option<&Range<usize>>) -> Diagnostic {
    let tag = single_line(&text[opened.span.clone()]);
    let message = match before {
        Some(end) => format!("`{tag}` is not closed before `{}`", single_line(&text[end.clone()])),
        None => format!("`{tag}` is not closed"),
    };
    let end = &opened.end;
    Diagnostic::error(message)
        .at(opened.span.clone())
        .hint(format!("write `{{% {end} %}}` where it ends"))
}

fn closes_nothing(text: &str, span: Range<usize>) -> Diagnostic {
    let tag = single_line(&text[span.clone()]);
    Diagnostic::error(format!("`{tag}` closes nothing")).at(span).hint("remove it")
}

fn single_line(tag: &str) -> String {
    tag.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tags of a template, `{% … %}`, outside of comments and raw text.
struct Tags<'t> {
    text: &'t str,
    at: usize,
}

enum Next {
    Tag(Range<usize>),
    /// An opening delimiter, and the closing one that is missing.
    Unclosed {
        span: Range<usize>,
        end: &'static str,
    },
    End,
}

impl Tags<'_> {
    fn next_tag(&mut self) -> Next {
        loop {
            let rest = &self.text[self.at..];
            let Some(found) = rest.find('{') else { return Next::End };
            let start = self.at + found;
            let end = match self.text.as_bytes().get(start + 1) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#') => "#}",
                _ => {
                    self.at = start + 1;
                    continue;
                }
            };
            let Some(close) = closing(&self.text[start + 2..], end) else {
                return Next::Unclosed { span: start..start + 2, end };
            };
            let tag = start..start + 2 + close + 2;
            self.at = tag.end;
            if end != "%}" {
                continue;
            }
            if first_word(&self.text[tag.clone()]) == "raw" {
                let Some(raw_end) = self.text[tag.end..].find("endraw") else {
                    return Next::Unclosed { span: tag, end: "{% endraw %}" };
                };
                self.at = tag.end + raw_end;
                continue;
            }
            return Next::Tag(tag);
        }
    }
}

/// The offset of a closing delimiter outside of texts in quotes.
fn closing(text: &str, end: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            _ if end == "#}" => {}
            Some(open) if c == open => quote = None,
            Some(_) => continue,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => {}
        }
        if quote.is_none() && text[at..].starts_with(end) {
            return Some(at);
        }
    }
    None
}

fn inside(tag: &str) -> &str {
    let inner = tag.strip_prefix("{%").and_then(|t| t.strip_suffix("%}")).unwrap_or(tag);
    inner.trim_start_matches('-').trim_end_matches('-').trim()
}

fn first_word(tag: &str) -> &str {
    inside(tag).split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default()
}

/// The name of the component that `{% <name …> %}` opens.
fn component_start(tag: &str) -> Option<&str> {
    let name =
        inside(tag).strip_prefix('<')?.split(|c: char| c.is_whitespace() || c == '>').next()?;
    (!name.starts_with('/')).then_some(name)
}

/// The name of the component that `{% </name> %}` closes.
fn component_end(tag: &str) -> Option<&str> {
    inside(tag).strip_prefix("</")?.strip_suffix('>').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_closed_is_named() {
        let error = |text: &str| {
            let d = unbalanced(text, text.len()).unwrap();
            (d.message.clone(), text[d.span().unwrap()].to_owned())
        };
        let named = |message: &str, tag: &str| (message.to_owned(), tag.to_owned());
        assert_eq!(
            error("{% if a %}{% for b in c %}{% endfor %}"),
            named("`{% if a %}` is not closed", "{% if a %}")
        );
        assert_eq!(
            error("{% for b in c %}{%- if a -%}{% endfor %}"),
            named("`{%- if a -%}` is not closed before `{% endfor %}`", "{%- if a -%}")
        );
        assert_eq!(error("{% endif %}"), named("`{% endif %}` closes nothing", "{% endif %}"));
        assert_eq!(error("a {{ b \"}}\" "), named("`{{` is not closed", "{{"));
        assert_eq!(error("{# x"), named("`{#` is not closed", "{#"));
        assert_eq!(
            error("{% <a b=\"1\"> %}{% raw %}{% if %}{% endraw %}"),
            named("`{% <a b=\"1\"> %}` is not closed", "{% <a b=\"1\"> %}")
        );
        assert!(unbalanced("{% if a %}{% endif %}{{ b + }}", 30).is_none());
        assert_eq!(unknown_tag("{% fro x %}", 3).unwrap().hint.unwrap(), "did you mean `for`?");
        assert_eq!(similar_name("Unknown filter `uper`", &[], &[]).as_deref(), Some("upper"));
    }
}
