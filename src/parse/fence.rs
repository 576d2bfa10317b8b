//! The info string of a fenced code block: `rust {linenos, hl_lines="2-3", name="src/main.rs"}`.
//!
//! The first word is the language (CommonMark §4.5). The rest may stand in braces, after commas or
//! after spaces, as Hugo, Zola and others write it.

use std::ops::RangeInclusive;

/// The options of a code block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fence {
    pub language: String,
    pub name: Option<String>,
    pub line_numbers: Option<bool>,
    pub first_line: usize,
    pub highlighted: Lines,
    pub inserted: Lines,
    pub deleted: Lines,
}

/// Line numbers, 1-based, as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines(Vec<RangeInclusive<usize>>);

impl Lines {
    pub(super) fn contains(&self, line: usize) -> bool {
        self.0.iter().any(|r| r.contains(&line))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `2-3 7`, `2-3,7`, `[2, "4-5"]`.
    fn parse(text: &str) -> Option<Self> {
        let words =
            text.split(|c: char| !(c.is_ascii_digit() || c == '-')).filter(|w| !w.is_empty());
        words
            .map(|word| {
                let (from, to) = word.split_once('-').unwrap_or((word, word));
                Some(from.parse().ok()?..=to.parse().ok()?)
            })
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }
}

impl Fence {
    /// Reads an info string; the second value lists the options that are not supported.
    pub(super) fn parse(info: &str) -> (Self, Vec<String>) {
        let info = info.trim();
        let end =
            info.find(|c: char| c.is_whitespace() || c == ',' || c == '{').unwrap_or(info.len());
        let mut fence = Self { language: info[..end].to_owned(), first_line: 1, ..Self::default() };
        let rest = info[end..]
            .trim_matches(|c: char| c.is_whitespace() || c == ',' || c == '{' || c == '}');
        let unknown = options(rest).into_iter().filter_map(|(key, value)| {
            let taken = fence.set(&key, value.as_deref());
            (!taken).then_some(key)
        });
        let unknown = unknown.collect();
        (fence, unknown)
    }

    fn set(&mut self, key: &str, value: Option<&str>) -> bool {
        let set = |field: &mut Lines| {
            Lines::parse(value.unwrap_or_default()).map(|lines| *field = lines).is_some()
        };
        match key.to_ascii_lowercase().as_str() {
            "linenos" | "line_numbers" | "linenumbers" | "showlinenumbers" => {
                self.line_numbers = Some(!matches!(value, Some("false" | "no" | "off")));
                true
            }
            "linenostart" | "first_line" => {
                value.and_then(|v| v.parse().ok()).map(|n| self.first_line = n).is_some()
            }
            "name" | "title" | "filename" | "file" => {
                self.name = value.map(str::to_owned);
                value.is_some()
            }
            "hl_lines" | "mark" | "highlight" => set(&mut self.highlighted),
            "ins" | "add" => set(&mut self.inserted),
            "del" | "remove" => set(&mut self.deleted),
            other if value.is_none() && other.starts_with(|c: char| c.is_ascii_digit()) => {
                Lines::parse(other).map(|lines| self.highlighted.0.extend(lines.0)).is_some()
            }
            _ => false,
        }
    }
}

/// `key="a b", key=[1,2] flag` → pairs.
fn options(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return found;
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || c == ',' || c == '=').unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        let Some(value) = rest.strip_prefix('=') else {
            found.push((key, None));
            continue;
        };
        let close = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].find(quote).map(|i| i + 1),
            Some('[') => value.find(']'),
            _ => None,
        };
        let (text, after) = match close {
            Some(close) => (&value[1..close], &value[close + 1..]),
            None => value.split_at(
                value.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(value.len()),
            ),
        };
        found.push((key, Some(text.to_owned())));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_strings_of_several_tools() {
        let (fence, unknown) =
            Fence::parse("rust {linenos, hl_lines=\"2-3 5\", name=\"src/main.rs\"}");
        assert_eq!(
            (fence.language.as_str(), fence.name.as_deref(), fence.line_numbers),
            ("rust", Some("src/main.rs"), Some(true))
        );
        assert!(
            fence.highlighted.contains(3)
                && fence.highlighted.contains(5)
                && !fence.highlighted.contains(4)
        );
        assert!(unknown.is_empty());
        assert!(Fence::parse("rust,linenos,hl_lines=2-3").0.highlighted.contains(2));
        assert!(Fence::parse("go {hl_lines=[1,\"4-5\"] linenostart=7}").0.highlighted.contains(5));
        assert!(Fence::parse("js {1,3-4}").0.highlighted.contains(4));
        assert_eq!(Fence::parse("").0.language, "");
        assert_eq!(Fence::parse("rust ignore").1, ["ignore"]);
    }
}
