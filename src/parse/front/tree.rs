//! The fence at the head of a file, and the tree of values between its lines.

use serde_json::{Map, Value};

use crate::diag::Diagnostic;
use crate::schema::locate::Syntax;

/// A fenced block at the head of a file.
pub(super) struct Block<'a> {
    pub text: &'a str,
    pub syntax: Syntax,
    /// Where `text` starts in the file.
    pub offset: usize,
}

/// Finds the fence. A first line `---` or `+++` opens it; without an end it is an error, unless what
/// follows looks nothing like keys (`---` is a rule in Markdown too).
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
    let looks_like_key = next.split_once([':', '=']).is_some_and(|(key, _)| !key.trim().is_empty() && !key.trim().contains(' '));
    if fence == "+++" || looks_like_key {
        return Err(Diagnostic::error(format!("the front matter that starts here is never closed by `{fence}`"))
            .at(0..3)
            .hint(format!("put a line `{fence}` after the last key")));
    }
    Ok(None)
}

pub(super) fn parse_block(block: &Block<'_>) -> Result<Map<String, Value>, Diagnostic> {
    let tree = match block.syntax {
        Syntax::Toml => crate::config::toml_tree(block.text).map_err(|mut d| {
            d.file = None;
            d.span = d.span.map(|s| s.start + block.offset..s.end + block.offset);
            d
        })?,
        Syntax::Yaml => yaml_tree(block)?,
    };
    match tree {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(Diagnostic::error("the front matter is not a list of keys")
            .at(block.offset..block.offset + block.text.lines().next().map_or(0, str::len))
            .hint("write `key: value` on each line")),
    }
}

fn yaml_tree(block: &Block<'_>) -> Result<Value, Diagnostic> {
    if let Some(at) = too_deep(block.text) {
        return Err(Diagnostic::error("the front matter is nested too deep to be meant").at(block.offset + at..block.offset + at + 1));
    }
    match serde_yaml::from_str::<serde_yaml::Value>(block.text) {
        Ok(value) => Ok(json(value)),
        Err(error) => {
            let at = error.location().map_or(0, |l| l.index().min(block.text.len()));
            let text = error.to_string();
            let message = text.split(" at line ").next().unwrap_or(&text);
            let at = duplicate(block.text, message).unwrap_or(at);
            let line = block.text[at..].lines().next().map_or(1, |l| l.len().max(1));
            let d = Diagnostic::error(format!("this is not valid YAML: {message}")).at(block.offset + at..block.offset + at + line);
            Err(if message.contains("mapping values") { d.hint("put quotes around a value that holds `: `") } else { d })
        }
    }
}

/// Where brackets open more than any front matter does; the parser takes quadratic time on them.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    text.bytes().position(|b| {
        depth += i32::from(matches!(b, b'[' | b'{')) - i32::from(matches!(b, b']' | b'}'));
        depth > 200
    })
}

/// Where the second of two equal keys stands, when that is what is wrong.
fn duplicate(text: &str, message: &str) -> Option<usize> {
    let key = message.strip_prefix("duplicate entry with key \"")?.strip_suffix('"')?;
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start();
        if bare.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')) {
            found.push(start + line.len() - bare.len());
        }
        start += line.len();
    }
    found.get(1).copied()
}

/// YAML as a plain tree: keys become text, tags are dropped.
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
                n.as_f64().and_then(serde_json::Number::from_f64).map_or_else(|| Value::String(n.to_string()), Value::Number)
            }
        }
        serde_yaml::Value::String(s) => Value::String(s),
        serde_yaml::Value::Sequence(items) => Value::Array(items.into_iter().map(json).collect()),
        serde_yaml::Value::Mapping(map) => Value::Object(map.into_iter().filter_map(|(k, v)| Some((key_text(k)?, json(v)))).collect()),
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
