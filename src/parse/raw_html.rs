//! HTML inside Markdown: what is let through, and the links in it.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// Something in a piece of raw HTML that the writer acts on, with its byte range there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The value of an attribute that holds a URL, decoded; the range is inside the quotes.
    Url { value: String, range: std::ops::Range<usize> },
    /// The value of an `id` (or of an `a name`).
    Id(String),
}

/// Attributes whose value is a URL (HTML Living Standard, "Attributes").
const URL_ATTRIBUTES: [&[u8]; 8] = [b"href", b"src", b"poster", b"action", b"formaction", b"data", b"cite", b"xlink:href"];

/// Finds URLs and ids in a piece of HTML.
pub(super) fn inspect(html: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut attribute: Vec<u8> = Vec::new();
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| -> Option<std::convert::Infallible> {
        match event {
            CallbackEvent::AttributeName { name } => attribute = name.to_ascii_lowercase(),
            CallbackEvent::AttributeValue { value } => {
                let text = || String::from_utf8_lossy(value).into_owned();
                if URL_ATTRIBUTES.contains(&attribute.as_slice()) {
                    found.push(Found::Url { value: text(), range: span.start..span.end });
                } else if attribute == b"id" || attribute == b"name" {
                    found.push(Found::Id(text()));
                }
            }
            _ => {}
        }
        None
    });
    let _ = Tokenizer::new_with_emitter(html, emitter).finish();
    found
}

/// The text of a piece of HTML without its tags, comments, scripts and styles.
pub(super) fn text(html: &str) -> String {
    let mut out = String::new();
    let mut hidden = false;
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<std::convert::Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => hidden = matches!(name, b"script" | b"style"),
            CallbackEvent::EndTag { .. } => hidden = false,
            CallbackEvent::String { value } if !hidden => out.push_str(&String::from_utf8_lossy(value)),
            _ => {}
        }
        None
    });
    emitter.naively_switch_states(true);
    let _ = Tokenizer::new_with_emitter(html, emitter).finish();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_found_with_their_place() {
        let html = r#"<a id=top href="x.md?a&amp;b"><img src='y.png' alt="src=no">"#;
        let found = inspect(html);
        assert_eq!(found[0], Found::Id("top".into()));
        assert_eq!(found[1], Found::Url { value: "x.md?a&b".into(), range: 16..28 });
        assert_eq!(&html[16..28], "x.md?a&amp;b");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn text_leaves_scripts_out() {
        assert_eq!(text("<b>a</b><script>evil('<b>')</script>&lt;c"), "a<c");
    }
}
