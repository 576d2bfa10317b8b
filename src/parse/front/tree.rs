//! The block of front matter at the start of a file, and the tree of its values.

use serde_json::{Map, Value};

use crate::diag::Diagnostic;
use crate::schema::locate::{Locator, Syntax};
use crate::schema::yaml::{YamlProblem, explain};

/// The block of front matter at the start of a file.
pub(super) struct Block<'a> {
    pub text: &'a str,
    pub syntax: Syntax,
    /// The offset of `text` in the file.
    pub offset: usize,
}

impl<'a> Block<'a> {
    /// Locates its entries, relative to its start.
    pub(super) fn locator(&self) -> Locator<'a> {
        Locator::new(self.text, self.syntax)
    }
}

/// Finds the block. A first line `---` or `+++` opens it. If it is not closed, that is an error,
/// unless what follows does not look like keys (`---` is a thematic break in Markdown).
pub(super) fn split(text: &str) -> Result<Option<(Block<'_>, usize)>, Diagnostic> {
    let first = text.lines().next().unwrap_or_default();
    let (fence, syntax) = match first.trim_end() {
        "---" => ("---", Syntax::Yaml),
        "+++" => ("+++", Syntax::Toml),
        _ => return Ok(None),
    };
    let offset = (first.len() + 1).min(text.len());
    let mut at = offset;
    for line in text[offset..].split_inclusive('\n') {
        let bare = line.trim_end();
        if bare == fence || (fence == "---" && bare == "...") {
            return Ok(Some((Block { text: &text[offset..at], syntax, offset }, at + line.len())));
        }
        at += line.len();
    }
    let next = text[offset..].lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let looks_like_key = next
        .split_once([':', '='])
        .is_some_and(|(key, _)| !key.trim().is_empty() && !key.trim().contains(' '));
    if fence == "+++" || looks_like_key {
        return Err(Diagnostic::error(format!(
            "the front matter that starts here has no closing `{fence}`"
        ))
        .at(0..3)
        .hint(format!("add a line `{fence}` after the last key")));
    }
    Ok(None)
}

pub(super) fn parse_block(block: &Block<'_>) -> Result<Map<String, Value>, Diagnostic> {
    let tree = match block.syntax {
        Syntax::Toml => crate::config::toml_tree(block.text).map_err(|d| {
            let span = d.span();
            let d = Diagnostic { file: None, ..d };
            match span {
                Some(span) => d.at(span.start + block.offset..span.end + block.offset),
                None => d,
            }
        })?,
        Syntax::Yaml => yaml_tree(block)?,
    };
    match tree {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(Diagnostic::error("the front matter is not a mapping of keys to values")
            .at(block.offset..block.offset + block.text.lines().next().map_or(0, str::len))
            .hint("write `key: value` on each line")),
    }
}

fn yaml_tree(block: &Block<'_>) -> Result<Value, Diagnostic> {
    if let Some(at) = too_deep(block.text) {
        return Err(Diagnostic::error("the front matter is nested too deeply")
            .at(block.offset + at..block.offset + at + 1));
    }
    match serde_yaml::from_str::<serde_yaml::Value>(block.text) {
        Ok(value) => Ok(json(value)),
        Err(error) => {
            let YamlProblem { message, span, help } = explain(block.text, &error);
            let d =
                Diagnostic::error(message).at(block.offset + span.start..block.offset + span.end);
            Err(match help {
                Some(help) => d.hint(help),
                None => d,
            })
        }
    }
}

/// The location of brackets that are nested deeper than any front matter needs; the parser takes
/// quadratic time for them.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    text.bytes().position(|b| {
        depth += i32::from(matches!(b, b'[' | b'{')) - i32::from(matches!(b, b']' | b'}'));
        depth > 200
    })
}

/// Reads YAML as an untyped tree, in which keys are texts and tags are ignored.
fn json(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(b) => Value::Bool(b),
        serde_yaml::Value::Number(n) => {
            if let Some(i) = n.as_i64() {
                Value::from(i)
            } else if let Some(u) = n.as_u64() {
                Value::from(u)
            } else {
                n.as_f64()
                    .and_then(serde_json::Number::from_f64)
                    .map_or_else(|| Value::String(n.to_string()), Value::Number)
            }
        }
        serde_yaml::Value::String(s) => Value::String(s),
        serde_yaml::Value::Sequence(items) => Value::Array(items.into_iter().map(json).collect()),
        serde_yaml::Value::Mapping(map) => Value::Object(
            map.into_iter().filter_map(|(k, v)| Some((key_text(k)?, json(v)))).collect(),
        ),
        serde_yaml::Value::Tagged(tagged) => json(tagged.value),
    }
}

fn key_text(key: serde_yaml::Value) -> Option<String> {
    match json(key) {
        Value::String(s) => Some(s),
        Value::Null => Some("null".into()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
