//! Puts the reload script into a page, and nothing else.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// The page with `tag` at the start of its head: before any script of its own, so that the script sees what these
/// do. A page without a head gets it after its doctype.
pub(super) fn into_head(html: &[u8], tag: &str) -> Vec<u8> {
    let at = head(html).min(html.len());
    [&html[..at], tag.as_bytes(), &html[at..]].concat()
}

/// Where the start tag of the head ends, else that of `html`, else the doctype.
fn head(html: &[u8]) -> usize {
    enum Seen {
        Doctype(usize),
        Html(usize),
        Head(usize),
        Other,
    }
    let mut open = Vec::new();
    let callback = |event: CallbackEvent<'_>, span: Span<usize>| match event {
        CallbackEvent::OpenStartTag { name } => {
            open = name.to_ascii_lowercase();
            None
        }
        CallbackEvent::CloseStartTag { .. } => Some(match open.as_slice() {
            b"html" => Seen::Html(span.end),
            b"head" => Seen::Head(span.end),
            _ => Seen::Other,
        }),
        CallbackEvent::Doctype { .. } => Some(Seen::Doctype(span.end)),
        _ => None,
    };
    let mut at = 0;
    for seen in Tokenizer::new_with_emitter(html, CallbackEmitter::<_, Seen, usize>::new(callback)) {
        match seen {
            Ok(Seen::Head(end)) => return end,
            Ok(Seen::Doctype(end) | Seen::Html(end)) => at = end,
            Ok(Seen::Other) => break,
            Err(never) => match never {},
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_comes_first_in_the_head() {
        for (page, expected) in [
            ("<!doctype html><html lang=\"a>b\"><!-- <head> --><head class='x'><title>T</title>", "<head class='x'>@<title>"),
            ("<!DOCTYPE html>\n<HTML><HEAD><title>", "<HEAD>@<title>"),
            ("<!doctype html><title>T</title>", "<!doctype html>@<title>"),
            ("<html><body>x", "<html>@<body>"),
            ("<p>x<head>", "@<p>x<head>"),
            ("", "@"),
        ] {
            let page = String::from_utf8(into_head(page.as_bytes(), "@")).unwrap();
            assert!(page.contains(expected), "{page}");
        }
    }
}
