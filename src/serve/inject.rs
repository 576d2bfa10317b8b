//! Inserts the preview's script into a page, and changes nothing else.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// The page with `tag` at the start of its head, before any script of the page, so that the tag's
/// script sees what these do. In a page without a head, the tag follows the doctype.
pub(super) fn into_head(html: &[u8], tag: &str) -> Vec<u8> {
    let at = head(html).min(html.len());
    [&html[..at], tag.as_bytes(), &html[at..]].concat()
}

/// The offset at which the start tag of the head ends, else that of `html`, else the doctype.
fn head(html: &[u8]) -> usize {
    enum Tag {
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
            b"html" => Tag::Html(span.end),
            b"head" => Tag::Head(span.end),
            _ => Tag::Other,
        }),
        CallbackEvent::Doctype { .. } => Some(Tag::Doctype(span.end)),
        _ => None,
    };
    let mut at = 0;
    for tag in Tokenizer::new_with_emitter(
        &*crate::html::bounded(html),
        CallbackEmitter::<_, Tag, usize>::new(callback),
    ) {
        match tag {
            Ok(Tag::Head(end)) => return end,
            Ok(Tag::Doctype(end) | Tag::Html(end)) => at = end,
            Ok(Tag::Other) => break,
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
            (
                "<!doctype html><html lang=\"a>b\"><!-- <head> --><head class='x'><title>T</title>",
                "<head class='x'>@<title>",
            ),
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
