//! Promises that hold for any input: no panic, nothing out of place.

use folio::config::{self, Config, Overrides};
use folio::parse::{self, Body, HighlightCache, Settings};
use folio::paths::SourcePath;
use proptest::prelude::*;

/// Texts made of what Markdown, front matter and components are made of.
fn texts() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "\n",
        "\n\n",
        "  ",
        "    ",
        "- ",
        "1. ",
        "> ",
        "# ",
        "## ",
        "===\n",
        "---\n",
        "+++\n",
        "```",
        "```rust {linenos, hl_lines=\"1-\"}\n",
        "| a | b |\n",
        "|---|---|\n",
        "{caption=\"",
        "\"}\n",
        "[x](",
        "y.md#z)",
        "![",
        "](",
        ")",
        "<b",
        ">",
        "</b>",
        "<!--",
        "-->",
        "<!-- more -->\n",
        "{{<toc />}}\n",
        "{{<x a=\"",
        "\" />}}\n",
        "{% <callout> %}\n",
        "{% </callout> %}\n",
        "{% <",
        "%}",
        "[^1]",
        "[^1]: ",
        "$",
        "$$",
        "\\frac",
        "{",
        "}",
        "*",
        "**",
        "_",
        "~~",
        "`",
        ":",
        "Term\n: ",
        "title: ",
        "date: 2026-",
        "tags: [",
        "]\n",
        "é",
        "数",
        "\u{301}",
        "\0",
        "&amp;",
        "&#x6a;",
        "javascript:",
        "href=",
        "\"",
        "'",
        "\\",
        "word",
        " ",
        "> [!NOTE]\n",
        "- [ ] ",
        "{#id .c k=v}",
    ]);
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), 0..3usize).prop_map(|(on, policy)| {
        let unsafe_html =
            [config::UnsafeHtml::Allow, config::UnsafeHtml::Strip, config::UnsafeHtml::Error]
                [policy];
        let markdown = config::Markdown {
            math: on,
            smart_punctuation: on,
            heading_anchors: on,
            unsafe_html,
            ..config::Markdown::default()
        };
        Settings {
            markdown,
            line_numbers: on,
            slugs: folio::slug::SlugRule::new("en", on),
            texts: std::sync::Arc::new(folio::language::Language::read("en", None).0),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_article_is_parsed(text in texts(), settings in settings()) {
        let source = SourcePath::new("content/posts/a.md").unwrap();
        let parsed = parse::parse(&source, &text, &settings, &mut HighlightCache::default());
        let body = &parsed.body;
        prop_assert!(body.holes.is_sorted_by_key(|h| h.at));
        prop_assert!(body.holes.iter().all(|h| body.html.is_char_boundary(h.at as usize)));
        prop_assert!(parsed.doc.links.iter().all(|l| l.span.end as usize <= text.len()));
        let back = Body::from_bytes(&body.to_bytes());
        prop_assert_eq!(back.as_ref(), Some(body));
    }

    #[test]
    fn any_configuration_is_read_or_refused(text in "([a-z_.]{1,12}( = |\\]|\\[|\n\
        |\"|\\{|\\}|[0-9]|true|,){0,4}){0,12}") {
        if let Err(report) = Config::parse(&text, &Overrides::default()) {
            prop_assert!(report.has_errors());
        }
    }
}
