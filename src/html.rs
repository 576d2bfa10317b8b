//! HTML in a form that the tokenizer can read without recursion.
//!
//! `html5gum` reads an attribute with an empty value in double quotes by a call within the call
//! that reads the attribute before it, so some thousand of them in a row overflow the stack.

use std::borrow::Cow;

/// How many such attributes are read in a row; each takes less than a kilobyte of stack.
const LONGEST_RUN: usize = 100;

/// The same HTML, with the same length, in which the quotes of too many empty values in a row are
/// single: those are read without recursion.
#[must_use]
pub fn bounded(html: &[u8]) -> Cow<'_, [u8]> {
    let mut run: Vec<usize> = Vec::new();
    let mut long_runs: Vec<usize> = Vec::new();
    let mut end_of_last = 0;
    for at in empty_values(html) {
        // Anything else that is quoted, and the end of the tag, end the recursion.
        let is_continued = !html[end_of_last..at].iter().any(|b| matches!(b, b'"' | b'\'' | b'>'));
        if !is_continued {
            flush(&mut run, &mut long_runs);
        }
        run.push(at);
        end_of_last = at + 2;
    }
    flush(&mut run, &mut long_runs);
    if long_runs.is_empty() {
        return Cow::Borrowed(html);
    }
    let mut html = html.to_vec();
    for at in long_runs {
        html[at..at + 2].copy_from_slice(b"''");
    }
    Cow::Owned(html)
}

fn flush(run: &mut Vec<usize>, long_runs: &mut Vec<usize>) {
    if run.len() > LONGEST_RUN {
        long_runs.append(run);
    }
    run.clear();
}

/// The offsets of `""` after a `=`.
fn empty_values(html: &[u8]) -> impl Iterator<Item = usize> {
    html.windows(2).enumerate().filter(|(_, pair)| *pair == b"\"\"").map(|(at, _)| at).filter(
        |at| {
            html[..*at].iter().rev().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| *b == b'=')
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_runs_of_empty_values_are_changed() {
        let pictures = "<img src=\"x.png\" alt=\"\" hidden=\"\">".repeat(500);
        assert!(matches!(bounded(pictures.as_bytes()), Cow::Borrowed(_)));
        for between in ["", " ", " b ", " c=d "] {
            let html = format!("<p {}>x", format!("a = \"\"{between}").repeat(500));
            let bounded = bounded(html.as_bytes());
            assert_eq!(bounded.len(), html.len());
            assert!(!bounded.contains(&b'"'));
        }
    }
}
