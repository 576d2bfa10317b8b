//! Finds where a path of keys stands in the text of a YAML, TOML or JSON file. Only used once there is
//! something to report, so it may be slow; it never fails, but points at the nearest thing it can find.

use std::ops::Range;

use super::Step;

/// The language that the text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Yaml,
    Toml,
}

/// Which part of an entry is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Key,
    Value,
}

/// The byte range of the entry at `path`, or of the nearest thing above it that can be found.
#[must_use]
pub fn locate(text: &str, syntax: Syntax, path: &[Step], place: Place) -> Range<usize> {
    match syntax {
        Syntax::Yaml => yaml(text, path, place),
        Syntax::Toml => toml(text, path, place).unwrap_or_else(|| yaml(text, path, place)),
    }
}

fn toml(text: &str, path: &[Step], place: Place) -> Option<Range<usize>> {
    use toml::de::{DeTable, DeValue};
    let root = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(root.get_ref());
    let mut list: Option<&[toml::Spanned<DeValue<'_>>]> = None;
    for step in path {
        let (key, value) = match step {
            Step::Key(name) => {
                let (key, value) = table?.iter().find(|(k, _)| k.get_ref() == name)?;
                (Some(key.span()), value)
            }
            Step::Index(i) => (None, list?.get(*i)?),
        };
        found = Some(match (place, key) {
            (Place::Key, Some(key)) => key,
            _ => value.span(),
        });
        table = value.get_ref().as_table();
        list = value.get_ref().as_array().map(|a| &**a);
    }
    found
}

/// A line of block-style YAML.
struct Line<'a> {
    start: usize,
    indent: usize,
    text: &'a str,
}

fn yaml(text: &str, path: &[Step], place: Place) -> Range<usize> {
    let mut lines = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let body = raw.trim_start_matches(' ');
        let trimmed = body.trim_end();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            lines.push(Line { start: start + raw.len() - body.len(), indent: raw.len() - body.len(), text: trimmed });
        }
        start += raw.len();
    }
    let mut scope: &[Line<'_>] = &lines;
    let mut best = 0..lines.first().map_or(0, |l| l.text.len());
    for step in path {
        let Some((range, rest)) = descend(scope, step, place) else { break };
        best = range;
        scope = rest;
    }
    best
}

/// One step down: the entry's range, and the lines that belong to it.
fn descend<'s, 'a>(scope: &'s [Line<'a>], step: &Step, place: Place) -> Option<(Range<usize>, &'s [Line<'a>])> {
    let indent = scope.first()?.indent;
    let mut seen = 0;
    for (i, line) in scope.iter().enumerate().filter(|(_, l)| l.indent == indent || l.text.starts_with("- ")) {
        let found = match step {
            Step::Key(name) => key_on_line(line, name),
            Step::Index(n) if line.text.starts_with('-') => {
                seen += 1;
                (seen == n + 1).then(|| {
                    let item = line.text[1..].trim_start();
                    (line.start + line.text.len() - item.len()..line.start + line.text.len(), None)
                })
            }
            Step::Index(_) => None,
        };
        let Some((key, value)) = found else { continue };
        let end = scope[i + 1..]
            .iter()
            .position(|l| l.indent <= line.indent && !(l.indent == line.indent && l.text.starts_with('-') && !line.text.starts_with('-')));
        let rest = &scope[i + 1..end.map_or(scope.len(), |e| i + 1 + e)];
        let range = match (place, value) {
            (Place::Value, Some(value)) => value,
            _ => key,
        };
        return Some((range, rest));
    }
    None
}

/// The ranges of the key and of the value after it, when `line` starts with the key `name`.
fn key_on_line(line: &Line<'_>, name: &str) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let dash = if line.text.starts_with("- ") { line.text.len() - line.text[1..].trim_start().len() } else { 0 };
    let text = &line.text[dash..];
    let quote = usize::from(text.starts_with(['"', '\'']));
    let after = text.get(quote..)?.strip_prefix(name)?;
    let after = after.get(quote..)?.trim_start();
    let separated = after.strip_prefix(':').or_else(|| after.strip_prefix('='))?;
    let start = line.start + dash + quote;
    let value = separated.trim_start();
    let value_start = line.start + line.text.len() - value.len();
    let value = (!value.is_empty()).then_some(value_start..line.start + line.text.len());
    Some((start..start + name.len(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(k: &str) -> Step {
        Step::Key(k.into())
    }

    #[test]
    fn yaml_places() {
        let text = "title: a\nimage:\n  src: x.png\n  alt: 3\ntags:\n- one\n- two\nlist: [a, b]\n";
        let at = |path: &[Step], place| &text[locate(text, Syntax::Yaml, path, place)];
        assert_eq!(at(&[key("image"), key("alt")], Place::Value), "3");
        assert_eq!(at(&[key("image"), key("alt")], Place::Key), "alt");
        assert_eq!(at(&[key("tags"), Step::Index(1)], Place::Value), "two");
        assert_eq!(at(&[key("list"), Step::Index(1)], Place::Value), "[a, b]");
        assert_eq!(at(&[key("nowhere")], Place::Key), "title: a");
    }

    #[test]
    fn toml_places() {
        let text = "title = 1\n[menu]\nmain = [{name = 'a', url = 2}]\n";
        let at = |path: &[Step], place| &text[locate(text, Syntax::Toml, path, place)];
        assert_eq!(at(&[key("menu"), key("main"), Step::Index(0), key("url")], Place::Value), "2");
        assert_eq!(at(&[key("title")], Place::Key), "title");
    }
}
