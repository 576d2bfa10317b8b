//! HTML inside Markdown: what is allowed, and the links in it.

use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use crate::html::bounded;
use crate::paths::runs_code;

/// Something in a piece of raw HTML that the writer handles, sorted by position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The value of an attribute that holds a URL, decoded; the range is inside the quotes.
    Url { value: String, range: Range<usize>, holds: Holds },
    /// Another attribute, whose value would run code.
    Code { range: Range<usize> },
    /// A position for the attributes of the link policy, inside the tag of a link to this URL that
    /// has none.
    Policy { at: usize, url: String },
    /// The value of an `id` (or of an `a name`).
    Id(String),
}

/// What a URL attribute contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Link,
    Picture,
}

/// The result of inspecting a piece of HTML.
#[derive(Debug, Default)]
pub(super) struct Inspection {
    pub found: Vec<Found>,
    /// The number of opened minus closed elements, except void elements.
    pub balance: i64,
    /// The offset of a tag that does not end in this piece.
    pub unfinished: Option<usize>,
}

/// Attributes whose value is a URL (HTML Living Standard, "Attributes").
const LINKS: [&[u8]; 8] =
    [b"href", b"action", b"formaction", b"data", b"cite", b"xlink:href", b"ping", b"to"];
const PICTURES: [&[u8]; 2] = [b"src", b"poster"];
const VOID: [&[u8]; 14] = [
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param",
    b"source", b"track", b"wbr",
];

/// The start tag that is being read.
#[derive(Default)]
struct Tag {
    name: Vec<u8>,
    start: usize,
    name_end: usize,
    href: Option<String>,
    /// Whether the author wrote a `rel`.
    has_policy: bool,
}

impl Tag {
    /// A start tag with this name. The position that the tokenizer reports is that of the `<` or
    /// one after it.
    fn starting(html: &str, name: &[u8], reported: usize) -> Self {
        let at = reported.min(html.len());
        let start = if html[at..].starts_with('<') {
            reported
        } else {
            html[..at].rfind('<').filter(|at| html[*at..].len() > name.len()).unwrap_or(reported)
        };
        Self { name: name.to_vec(), start, name_end: start + 1 + name.len(), ..Self::default() }
    }
}

/// Finds what the writer handles.
pub(super) fn inspect(html: &str) -> Inspection {
    let mut inspected = Inspection::default();
    let mut attribute: Vec<u8> = Vec::new();
    let mut tag: Option<Tag> = None;
    let mut emitter = CallbackEmitter::new(
        |event: CallbackEvent<'_>, span: Span<usize>| -> Option<std::convert::Infallible> {
            match event {
                CallbackEvent::OpenStartTag { name } => {
                    tag = Some(Tag::starting(html, name, span.start));
                }
                CallbackEvent::AttributeName { name } => {
                    attribute = name.to_ascii_lowercase();
                    if let Some(tag) = &mut tag {
                        tag.has_policy |= attribute == b"rel";
                    }
                }
                CallbackEvent::AttributeValue { value } => {
                    let text = String::from_utf8_lossy(value).into_owned();
                    let range = span.start..span.end;
                    if attribute == b"href"
                        && let Some(tag) = &mut tag
                    {
                        tag.href = Some(text.clone());
                    }
                    inspected.found.extend(attribute_found(&attribute, text, range));
                }
                CallbackEvent::CloseStartTag { self_closing } => {
                    if let Some(tag) = tag.take() {
                        inspected.balance +=
                            i64::from(!self_closing && !VOID.contains(&tag.name.as_slice()));
                        if let Some(url) = tag.href.filter(|_| tag.name == b"a" && !tag.has_policy)
                        {
                            inspected.found.push(Found::Policy { at: tag.name_end, url });
                        }
                    }
                }
                CallbackEvent::EndTag { .. } => inspected.balance -= 1,
                _ => {}
            }
            None
        },
    );
    // So that text inside a script or a style is not taken for markup.
    emitter.naively_switch_states(true);
    let _ = Tokenizer::new_with_emitter(&*bounded(html.as_bytes()), emitter).finish();
    inspected.unfinished = tag.map(|t| t.start);
    inspected.found.sort_by_key(|f| match f {
        Found::Url { range, .. } | Found::Code { range } => range.start,
        Found::Policy { at, .. } => *at,
        Found::Id(_) => 0,
    });
    inspected
}

fn attribute_found(attribute: &[u8], text: String, range: Range<usize>) -> Option<Found> {
    if LINKS.contains(&attribute) {
        return Some(Found::Url { value: text, range, holds: Holds::Link });
    }
    if PICTURES.contains(&attribute) {
        return Some(Found::Url { value: text, range, holds: Holds::Picture });
    }
    if attribute == b"id" || attribute == b"name" {
        return Some(Found::Id(text));
    }
    // `<meta http-equiv=refresh content="0; url=…">`, and animations that set a URL.
    let bare = text
        .split_once('=')
        .filter(|_| attribute == b"content")
        .map_or(text.as_str(), |(_, url)| url);
    let carries = matches!(attribute, b"content" | b"values" | b"from" | b"by")
        && runs_code(bare.trim_matches(['"', '\'']));
    carries.then_some(Found::Code { range })
}

/// The text of a piece of HTML without its tags, comments, scripts and styles.
pub(super) fn text(html: &str) -> String {
    let mut out = String::new();
    let mut hidden = false;
    let mut emitter = CallbackEmitter::new(
        |event: CallbackEvent<'_>, _: Span<()>| -> Option<std::convert::Infallible> {
            match event {
                CallbackEvent::OpenStartTag { name } => hidden = is_hidden(name),
                CallbackEvent::EndTag { .. } => hidden = false,
                CallbackEvent::String { value } if !hidden => {
                    out.push_str(&String::from_utf8_lossy(value));
                }
                _ => {}
            }
            None
        },
    );
    emitter.naively_switch_states(true);
    let _ = Tokenizer::new_with_emitter(&*bounded(html.as_bytes()), emitter).finish();
    out
}

fn is_hidden(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"script") || name.eq_ignore_ascii_case(b"style")
}

/// Whether a single tag starts (`Some(true)`) or ends (`Some(false)`) text that is not displayed.
pub(super) fn hides(tag: &str) -> Option<bool> {
    let (name, starts) = match tag.strip_prefix("</") {
        Some(rest) => (rest, false),
        None => (tag.strip_prefix('<')?, true),
    };
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    is_hidden(name.as_bytes()).then_some(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_found_with_their_place() {
        let html = r#"<a id=top href="x.md?a&amp;b"><img src='y.png' alt="src=no"></a>"#;
        let inspected = inspect(html);
        assert_eq!(inspected.found[0], Found::Id("top".into()));
        assert_eq!(inspected.found[1], Found::Policy { at: 2, url: "x.md?a&b".into() });
        assert_eq!(
            inspected.found[2],
            Found::Url { value: "x.md?a&b".into(), range: 16..28, holds: Holds::Link }
        );
        assert_eq!(&html[16..28], "x.md?a&amp;b");
        assert_eq!((inspected.found.len(), inspected.balance, inspected.unfinished), (4, 0, None));
    }

    #[test]
    fn scripts_are_no_markup_and_cut_tags_are_noticed() {
        assert!(
            inspect("<script>\nel.innerHTML = '<img src=' + u + '>';\n</script>").found.is_empty()
        );
        assert_eq!(inspect("<div><a x='\n").unfinished, Some(5));
        assert_eq!(inspect("<div><a x=1>").unfinished, None);
        assert!(matches!(
            inspect("<meta http-equiv=refresh content='0; url=javascript:x'>").found[0],
            Found::Code { .. }
        ));
    }

    #[test]
    fn text_leaves_scripts_out() {
        assert_eq!(text("<b>a</b><script>evil('<b>')</script>&lt;c"), "a<c");
        assert_eq!(
            (hides("<script>"), hides("</STYLE>"), hides("<b>")),
            (Some(true), Some(false), None)
        );
    }
}
