//! Reads a JSON object entry by entry, with the place of each value in the text.
//!
//! serde_json has no spans. A value that is read as the text it was written as, though, is a part
//! of the whole text, and so has a place in it.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// The entries of an object in the order of the text. A key may occur more than once.
#[derive(Debug)]
pub struct Entries<'t>(pub Vec<(String, &'t RawValue)>);

/// Why a text is not a JSON object, in words for an author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonProblem {
    pub message: String,
    pub offset: usize,
}

/// Reads an object.
///
/// # Errors
/// When the text is not valid JSON, or not an object.
pub fn entries(text: &str) -> Result<Entries<'_>, JsonProblem> {
    serde_json::from_str(text).map_err(|error| explain(text, &error))
}

/// Explains an error of the parser about `text`.
#[must_use]
pub fn explain(text: &str, error: &serde_json::Error) -> JsonProblem {
    let before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let start = before.map(str::len).sum::<usize>();
    let offset = (start + error.column().saturating_sub(1)).min(text.len());
    let offset = (0..=offset).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let message = match error.classify() {
        Category::Eof => "this JSON ends too early".to_owned(),
        Category::Data => "this is not a JSON object".to_owned(),
        Category::Syntax | Category::Io => {
            let full = error.to_string();
            let reason = full.split(" at line ").next().unwrap_or(&full);
            format!("this is not valid JSON: {reason}")
        }
    };
    JsonProblem { message, offset }
}

/// The byte range of `value`, which was read from `text`.
#[must_use]
pub fn span(text: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start + value.get().len()
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_a_place_and_keys_may_repeat() {
        let text = "{\"a\": 1, \"a\": {\"b\": [2]}}";
        let entries = entries(text).unwrap();
        let found: Vec<_> =
            entries.0.iter().map(|(key, value)| (key.as_str(), &text[span(text, value)])).collect();
        assert_eq!(found, [("a", "1"), ("a", "{\"b\": [2]}")]);
    }

    #[test]
    fn errors_have_a_place() {
        for (text, message, offset) in [
            ("[", "this is not a JSON object", 0),
            ("{", "this JSON ends too early", 0),
            ("{\"a\": 1,}", "this is not valid JSON: trailing comma", 8),
        ] {
            let expected = JsonProblem { message: message.to_owned(), offset };
            assert_eq!(entries(text).unwrap_err(), expected, "{text}");
        }
    }
}
