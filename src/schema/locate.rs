//! Finds the location of a path of keys in the text of a YAML, TOML or JSON file. A [`Locator`] is
//! made only when there is something to report. It never fails, but returns the nearest location
//! that it finds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use super::step::Step;

/// The language that the text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Yaml,
    Toml,
}

/// Which part of an entry is located.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Key,
    Value,
}

/// A text, indexed so that many locations are found in a time that does not depend on its length.
pub struct Locator<'t> {
    /// The entries of a TOML text by their paths; `None` when it is not valid TOML.
    toml: Option<HashMap<Vec<Step>, Entry>>,
    yaml: YamlLines<'t>,
}

/// The byte ranges of an entry of a TOML text.
struct Entry {
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl<'t> Locator<'t> {
    #[must_use]
    pub fn new(text: &'t str, syntax: Syntax) -> Self {
        let toml = match syntax {
            Syntax::Yaml => None,
            Syntax::Toml => toml_entries(text),
        };
        Self { toml, yaml: YamlLines::new(text) }
    }

    /// The byte range of the entry at `path`, or of the nearest parent that is found.
    #[must_use]
    pub fn locate(&self, path: &[Step], place: Place) -> Range<usize> {
        let Some(entries) = &self.toml else { return self.yaml.locate(path, place) };
        let nearest = (1..=path.len()).rev().find_map(|length| entries.get(&path[..length]));
        let Some(entry) = nearest else { return self.yaml.locate(path, place) };
        match (place, &entry.key) {
            (Place::Key, Some(key)) => key.clone(),
            _ => entry.value.clone(),
        }
    }

    /// Whether the text has a line that sets this key, at its top level.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        let path = [Step::Key(key.to_owned())];
        match &self.toml {
            Some(entries) => entries.contains_key(path.as_slice()),
            None => self.yaml.descend(0..self.yaml.lines.len(), &path[0], Place::Key).is_some(),
        }
    }
}

/// Locates one entry of a text.
#[must_use]
pub fn locate(text: &str, syntax: Syntax, path: &[Step], place: Place) -> Range<usize> {
    Locator::new(text, syntax).locate(path, place)
}

fn toml_entries(text: &str) -> Option<HashMap<Vec<Step>, Entry>> {
    let root = toml::de::DeTable::parse(text).ok()?;
    let mut entries = HashMap::new();
    add_table(root.get_ref(), &mut Vec::new(), &mut entries);
    Some(entries)
}

/// Adds the entries of a table. TOML limits how deep tables are nested.
fn add_table(
    table: &toml::de::DeTable<'_>,
    path: &mut Vec<Step>,
    entries: &mut HashMap<Vec<Step>, Entry>,
) {
    for (key, value) in table {
        path.push(Step::Key(key.get_ref().to_string()));
        add_value(Some(key.span()), value, path, entries);
        path.pop();
    }
}

fn add_value(
    key: Option<Range<usize>>,
    value: &toml::Spanned<toml::de::DeValue<'_>>,
    path: &mut Vec<Step>,
    entries: &mut HashMap<Vec<Step>, Entry>,
) {
    entries.insert(path.clone(), Entry { key, value: value.span() });
    if let Some(table) = value.get_ref().as_table() {
        add_table(table, path, entries);
    }
    for (index, item) in value.get_ref().as_array().into_iter().flat_map(|a| a.iter()).enumerate() {
        path.push(Step::Index(index));
        add_value(None, item, path, entries);
        path.pop();
    }
}

/// A line of block-style YAML.
struct Line<'a> {
    start: usize,
    indent: usize,
    text: &'a str,
}

/// The lines of a block-style YAML text, without empty ones and comments.
struct YamlLines<'t> {
    lines: Vec<Line<'t>>,
    /// The entries of the scopes that were looked into, by the first line of the scope.
    scopes: RefCell<HashMap<usize, ScopeIndex>>,
    /// The line after each entry that was looked into, by the line of the entry.
    ends: RefCell<HashMap<usize, usize>>,
}

/// The entries of a scope: lines by their keys, and the lines of list items.
#[derive(Default)]
struct ScopeIndex {
    keys: HashMap<String, usize>,
    items: Vec<usize>,
}

impl<'t> YamlLines<'t> {
    fn new(text: &'t str) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for raw in text.split_inclusive('\n') {
            let body = raw.trim_start_matches(' ');
            let trimmed = body.trim_end();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                lines.push(Line {
                    start: start + raw.len() - body.len(),
                    indent: raw.len() - body.len(),
                    text: trimmed,
                });
            }
            start += raw.len();
        }
        Self { lines, scopes: RefCell::default(), ends: RefCell::default() }
    }

    fn locate(&self, path: &[Step], place: Place) -> Range<usize> {
        let mut scope = 0..self.lines.len();
        let mut best = 0..self.lines.first().map_or(0, |l| l.text.len());
        for step in path {
            let Some((range, rest)) = self.descend(scope, step, place) else { break };
            best = range;
            scope = rest;
        }
        best
    }

    /// One step down: the range of the entry, and the lines that belong to it.
    fn descend(
        &self,
        scope: Range<usize>,
        step: &Step,
        place: Place,
    ) -> Option<(Range<usize>, Range<usize>)> {
        let number = self.entry(&scope, step)?;
        let line = &self.lines[number];
        let (key, value) = match step {
            Step::Key(name) => key_on_line(line, name)?,
            Step::Index(_) => {
                let item = line.text[1..].trim_start();
                let end = line.start + line.text.len();
                (end - item.len()..end, None)
            }
        };
        let end = self.end_of(number, &scope);
        let range = match (place, value) {
            (Place::Value, Some(value)) => value,
            _ => key,
        };
        Some((range, number + 1..end))
    }

    /// The line after an entry of a scope.
    fn end_of(&self, number: usize, scope: &Range<usize>) -> usize {
        let line = &self.lines[number];
        let ends_before = |l: &Line<'_>| {
            let is_item = l.text.starts_with('-') && !line.text.starts_with('-');
            l.indent <= line.indent && !(l.indent == line.indent && is_item)
        };
        *self.ends.borrow_mut().entry(number).or_insert_with(|| {
            let rest = number + 1..scope.end;
            let end = self.lines[rest.clone()].iter().position(ends_before);
            end.map_or(scope.end, |end| rest.start + end)
        })
    }

    /// The line of an entry of a scope.
    fn entry(&self, scope: &Range<usize>, step: &Step) -> Option<usize> {
        let mut scopes = self.scopes.borrow_mut();
        let index = scopes.entry(scope.start).or_insert_with(|| self.index(scope));
        match step {
            Step::Key(name) => index.keys.get(name).copied(),
            Step::Index(n) => index.items.get(*n).copied(),
        }
    }

    fn index(&self, scope: &Range<usize>) -> ScopeIndex {
        let mut index = ScopeIndex::default();
        let Some(first) = self.lines.get(scope.start) else { return index };
        for (number, line) in self.lines[scope.clone()].iter().enumerate() {
            if line.indent != first.indent && !line.text.starts_with("- ") {
                continue;
            }
            if line.text.starts_with('-') {
                index.items.push(scope.start + number);
            }
            if let Some(key) = key_of(line) {
                index.keys.entry(key.to_owned()).or_insert(scope.start + number);
            }
        }
        index
    }
}

/// The key that a line sets.
fn key_of<'a>(line: &Line<'a>) -> Option<&'a str> {
    let text = line.text.strip_prefix("- ").unwrap_or(line.text).trim_start();
    match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].split_once(quote).map(|(key, _)| key),
        _ => text.split_once([':', '=']).map(|(key, _)| key.trim_end()),
    }
}

/// The ranges of the key and of the value after it, when `line` starts with the key `name`.
fn key_on_line(line: &Line<'_>, name: &str) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let dash = if line.text.starts_with("- ") {
        line.text.len() - line.text[1..].trim_start().len()
    } else {
        0
    };
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
