//! Level-one headings: the one that repeats the title, and those that shift the others down.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::parse::heading;

/// Whether there are level-one headings besides an opening one that repeats the title.
pub(super) fn has_inner_level_one(body: &str, options: Options, title: Option<&str>) -> bool {
    if !heading::may_have_level_one(body) {
        return false;
    }
    let mut opening = true;
    let mut current: Option<(bool, String)> = None;
    for event in Parser::new_ext(body, options) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
                current = Some((opening, String::new()));
            }
            Event::End(TagEnd::Heading(HeadingLevel::H1)) => {
                let Some((is_opening, text)) = current.take() else { continue };
                if !(is_opening && title.is_none_or(|t| same_title(t, &text))) {
                    return true;
                }
            }
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => continue,
            Event::Html(html) if is_comment(&html) => continue,
            Event::Text(t) | Event::Code(t) => {
                if let Some((_, text)) = &mut current {
                    text.push_str(&t);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, text)) = &mut current {
                    text.push(' ');
                }
            }
            _ => {}
        }
        opening = false;
    }
    false
}

/// Whether a piece of HTML is exactly one comment.
pub(super) fn is_comment(html: &str) -> bool {
    html.trim().strip_prefix("<!--").is_some_and(|rest| {
        rest.ends_with("-->") && rest.find("-->").is_some_and(|at| at + 3 == rest.len())
    })
}

/// Whether a heading repeats the title, regardless of white space, kinds of quotes and dashes, and
/// code marks.
pub(super) fn same_title(title: &str, heading: &str) -> bool {
    let plain = |text: &str| {
        let text = text
            .replace(['\u{2018}', '\u{2019}'], "'")
            .replace(['\u{201c}', '\u{201d}'], "\"")
            .replace(['\u{2013}', '\u{2014}'], "-");
        let text =
            text.replace("---", "-").replace("--", "-").replace("...", "…").replace(['`', '*'], "");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    plain(title) == plain(heading)
}
