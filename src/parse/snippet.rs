//! Short texts outside of articles: captions, credits and titles.
//!
//! They may contain Markdown but no HTML, which is shown as text, and no links that run code.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::paths::runs_code;

/// A text with inline Markdown as HTML, without a paragraph around it.
#[must_use]
pub fn inline_html(text: &str) -> String {
    let mut out = String::new();
    let is_paragraph = |event: &Event<'_>| {
        matches!(event, Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph))
    };
    html::push_html(&mut out, events(text).filter(|event| !is_paragraph(event)));
    out.trim_end().to_owned()
}

/// A text with Markdown as HTML.
#[must_use]
pub fn block_html(text: &str) -> String {
    let mut out = String::new();
    html::push_html(&mut out, events(text));
    out
}

fn events(text: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) if runs_code(&dest_url) => {
            Event::Start(Tag::Link { link_type, dest_url: CowStr::Borrowed("#"), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) if runs_code(&dest_url) => {
            Event::Start(Tag::Image { link_type, dest_url: CowStr::Borrowed("data:,"), title, id })
        }
        other => other,
    })
}

/// A text with curly quotes, dashes and an ellipsis for straight quotes, `--` and `...`. Nothing
/// else of it is read as Markdown.
#[must_use]
pub fn smart_text(text: &str) -> String {
    // A word before the text keeps its start from being read as the mark of a list or heading.
    const START: &str = "x ";
    if !text.contains(['\'', '"', '-', '.']) {
        return text.to_owned();
    }
    let mut escaped = START.to_owned();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '\'' | '"' | '-' | '.') {
            escaped.push('\\');
        }
        escaped.push(if matches!(c, '\n' | '\r') { ' ' } else { c });
    }
    let mut smart = String::new();
    for event in Parser::new_ext(&escaped, Options::ENABLE_SMART_PUNCTUATION) {
        if let Event::Text(text) = event {
            smart.push_str(&text);
        }
    }
    smart.strip_prefix(START).map_or_else(|| text.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_inline_markdown_without_html() {
        assert_eq!(
            inline_html("By *Ida* <b>x</b>, [site](https://x.example) & [y](javascript:1)"),
            "By <em>Ida</em> &lt;b&gt;x&lt;/b&gt;, <a href=\"https://x.example\">site</a> &amp; <a href=\"#\">y</a>"
        );
        assert_eq!(block_html("a\n\n<i>b"), "<p>a</p>\n<p>&lt;i&gt;b</p>\n");
    }

    #[test]
    fn titles_get_typographic_punctuation_only() {
        for (text, smart) in [
            ("Don't -- \"really\"...", "Don’t – “really”…"),
            ("\"Quoted\" start", "“Quoted” start"),
            ("2026. A *year* with `code` & <b>", "2026. A *year* with `code` & <b>"),
            ("- [x] C:\\dir 'a'", "- [x] C:\\dir ‘a’"),
            ("plain", "plain"),
        ] {
            assert_eq!(smart_text(text), smart);
        }
    }
}
