//! Text that comes from a site or a remote host, made safe to print on a terminal.

use std::fmt::Write as _;

/// Replaces control characters except line feeds and tabs by `\u{…}`, so that text cannot control
/// the terminal.
#[must_use]
pub fn escape_control_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && c != '\n' && c != '\t' {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// The text on one line of at most `max_chars` characters, without control characters and
/// characters that change the direction of text. Line breaks become spaces; a longer text ends in
/// `…`.
#[must_use]
pub fn single_line(text: &str, max_chars: usize) -> String {
    let line = on_one_line(text);
    match line.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// Like [`single_line`], but a longer text loses its middle: programs such as `ssh` state the
/// reason of a failure at the end of what they print.
#[must_use]
pub fn single_line_without_middle(text: &str, max_chars: usize) -> String {
    let line = on_one_line(text);
    let count = line.chars().count();
    if count <= max_chars {
        return line;
    }
    let half = max_chars / 2;
    let start: String = line.chars().take(half).collect();
    let end: String = line.chars().skip(count - half).collect();
    format!("{} … {}", start.trim_end(), end.trim_start())
}

fn on_one_line(text: &str) -> String {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().filter(|c| !is_unsafe(*c)).collect::<String>())
        .filter(|word: &String| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Whether a character could control a terminal or reorder the text around it: control characters,
/// zero-width characters, line separators and bidirectional formatting (Unicode, UAX #9).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_see_no_control_characters() {
        assert_eq!(escape_control_characters("a\u{1b}[2J\nb"), "a\\u{1b}[2J\nb");
        assert_eq!(single_line(" a\u{1b}[31m\r\n b\u{202e}c ", 80), "a[31m bc");
        assert_eq!(single_line("one two three", 7), "one two…");
        assert_eq!(single_line_without_middle("one two three four", 8), "one … four");
        assert_eq!(single_line_without_middle("one two", 7), "one two");
    }
}
