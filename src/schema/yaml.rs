//! The errors of the YAML parser in words that tell an author what to change.

use std::ops::Range;

/// Why a text is not valid YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlProblem {
    pub message: String,
    /// The rest of the line where the parser stopped.
    pub span: Range<usize>,
    pub help: Option<&'static str>,
}

/// Explains an error of the parser about `text`.
#[must_use]
pub fn explain(text: &str, error: &serde_yaml::Error) -> YamlProblem {
    let at = error.location().map_or(0, |l| l.index().min(text.len()));
    let full = error.to_string();
    let raw = full.split(" at line ").next().unwrap_or(&full);
    let at = duplicate(text, raw).or_else(|| opening_quote(text, &full)).unwrap_or(at);
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let line = text[at..].lines().next().map_or(1, |l| l.len().max(1));
    let (message, help) = in_plain_words(raw, &full, text[at..].chars().next());
    YamlProblem { message, span: at..at + line, help }
}

/// The message and the help for a message of the parser (`raw` is `full` without the locations)
/// and the character where it stopped.
fn in_plain_words(raw: &str, full: &str, found: Option<char>) -> (String, Option<&'static str>) {
    const QUOTE: Option<&str> = Some("put quotes around the value");
    let has = |words: &str| raw.contains(words);
    let is_tab = has("tab character") || (has("cannot start any token") && found == Some('\t'));
    let (message, help) = if is_tab {
        ("this line is indented with a tab".to_owned(), Some("indent with spaces"))
    } else if has("cannot start any token") {
        let c = found.map_or_else(String::new, |c| format!(" `{c}`"));
        (format!("a value without quotes cannot start with{c}"), QUOTE)
    } else if has("mapping values are not allowed") {
        (
            "this value contains `: `, so it looks like another key".to_owned(),
            Some("put quotes around a value that contains `: `"),
        )
    } else if full.contains(QUOTED) {
        ("a quote is not closed".to_owned(), Some("write the closing quote"))
    } else if has("expected ',' or ']'") {
        ("a list in brackets is not closed".to_owned(), Some("write the closing `]`"))
    } else if has("expected ',' or '}'") {
        ("a table in braces is not closed".to_owned(), Some("write the closing `}`"))
    } else if has("could not find expected ':'") {
        (
            "this line is not a `key: value`".to_owned(),
            Some("write a colon and a space after the key"),
        )
    } else if has("did not find expected key") || has("expected '-' indicator") {
        (
            "this line does not fit the lines before it".to_owned(),
            Some("indent it as they are; put quotes around the whole of a value with quotes in it"),
        )
    } else if let Some(key) = duplicate_key(raw) {
        (format!("the key `{key}` occurs twice"), Some("remove one of the two"))
    } else if has("unknown anchor") {
        ("this alias has no anchor".to_owned(), QUOTE)
    } else {
        (raw.to_owned(), None)
    };
    (format!("this is not valid YAML: {message}"), help)
}

/// What the parser was reading when a quote is not closed; the place of the quote follows.
const QUOTED: &str = "while scanning a quoted scalar";

/// The location of a quote that is not closed, if that is the problem.
fn opening_quote(text: &str, message: &str) -> Option<usize> {
    let place = message.split_once(QUOTED)?.1.strip_prefix(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    let line: usize = line.parse().ok()?;
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let quote = start + column.parse::<usize>().ok()?.checked_sub(1)?;
    (quote < text.len()).then_some(quote)
}

/// The key that occurs twice, if that is the problem.
fn duplicate_key(message: &str) -> Option<&str> {
    message.split_once("duplicate entry with key \"")?.1.strip_suffix('"')
}

/// The location of the second of two equal keys, if that is the problem.
fn duplicate(text: &str, message: &str) -> Option<usize> {
    let key = duplicate_key(message)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_change() {
        let explained = |text: &str| {
            let error = serde_yaml::from_str::<serde_yaml::Value>(text).unwrap_err();
            let problem = explain(text, &error);
            let message = problem.message.trim_start_matches("this is not valid YAML: ").to_owned();
            (message, text[..problem.span.start].matches('\n').count() + 1)
        };
        for (text, message, line) in [
            ("a: 1\n\tb: 2\n", "this line is indented with a tab", 2),
            ("a:\n  - x\n\t- y\n", "this line is indented with a tab", 3),
            ("a: @x\n", "a value without quotes cannot start with `@`", 1),
            ("a: 1\nb: 2\na: 3\n", "the key `a` occurs twice", 3),
            ("a: b: c\n", "this value contains `: `, so it looks like another key", 1),
            ("a: \"b\nc: d\n", "a quote is not closed", 1),
            ("a: [b, c\n", "a list in brackets is not closed", 2),
        ] {
            assert_eq!(explained(text), (message.to_owned(), line), "{text}");
        }
    }
}
