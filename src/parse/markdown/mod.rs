//! Markdown → [`Body`], in one pass over pulldown-cmark's events.
//!
//! The procedure: component lines are masked ([`super::component::scan`]); a quick look decides whether
//! headings move down; then [`writer::Writer`] turns each event into HTML, into a hole, or into a fact for
//! the [`Content`]. Plain CommonMark comes out as the specification's examples have it
//! ([`Flavor::CommonMark`]); [`Flavor::Folio`] adds ids, frames, notes and colours.

mod blocks;
mod code;
mod inline;
mod notes;
mod writer;

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::highlight::Memo;
use super::{Body, Call, Heading, Link, Remark, Settings, WordCount, component, heading};
use crate::config::HeadingShift;
use crate::diag::Report;
use crate::paths::SourcePath;

/// Which dialect is read and how much is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// The specification's own output, nothing added; for its test suite.
    CommonMark,
    Folio,
}

/// What a Markdown text came to.
#[derive(Debug, Default)]
pub struct Content {
    pub body: Body,
    pub outline: Vec<Heading>,
    pub anchors: Vec<String>,
    pub links: Vec<Link>,
    pub calls: Vec<Call>,
    pub words: WordCount,
    /// The first paragraph, as text.
    pub lead: String,
    /// The level-one heading that the text opens with.
    pub opening_title: Option<String>,
    pub unknown_languages: Vec<(String, Range<u32>)>,
    pub remarks: Vec<Remark>,
    pub errors: Report,
}

/// Renders the Markdown of `text` from `body_start` on; spans count from the start of `text`.
#[must_use]
pub fn render(
    text: &str,
    body_start: usize,
    source: &SourcePath,
    title: Option<&str>,
    settings: &Settings,
    flavor: Flavor,
    memo: &mut Memo,
) -> Content {
    let options = options(settings, flavor);
    let mut errors = Vec::new();
    let scan = match flavor {
        Flavor::CommonMark => component::Scan::default(),
        Flavor::Folio => component::scan(text, body_start, options, &mut errors),
    };
    let masked = scan.text.as_deref().unwrap_or(text);
    let shift = match (flavor, settings.markdown.heading_shift) {
        (Flavor::Folio, HeadingShift::Auto) => u8::from(has_inner_level_one(&masked[body_start..], options, title)),
        _ => 0,
    };
    let notes = notes::reachable(&masked[body_start..], options);
    let context = writer::Context { text: masked, offset: body_start, source, title, settings, flavor, shift };
    let mut content = writer::Writer::new(context, scan.markers, notes, memo).run(options);
    content.errors.extend(errors.into_iter().collect());
    content
}

fn options(settings: &Settings, flavor: Flavor) -> Options {
    if flavor == Flavor::CommonMark {
        return Options::empty();
    }
    let mut options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM;
    options.set(Options::ENABLE_SMART_PUNCTUATION, settings.markdown.smart_punctuation);
    options.set(Options::ENABLE_MATH, settings.markdown.math);
    options
}

/// Whether level-one headings remain once an opening one that is the title has been dropped.
fn has_inner_level_one(body: &str, options: Options, title: Option<&str>) -> bool {
    if !heading::may_have_level_one(body) {
        return false;
    }
    let mut opening = true;
    let mut current: Option<(bool, String)> = None;
    for event in Parser::new_ext(body, options) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => current = Some((opening, String::new())),
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

/// Whether a piece of HTML is a comment, whole.
fn is_comment(html: &str) -> bool {
    html.trim().strip_prefix("<!--").is_some_and(|rest| rest.ends_with("-->") && rest.find("-->").is_some_and(|at| at + 3 == rest.len()))
}

/// Whether a heading repeats the title: white space, the kind of quotes and dashes, and marks of code aside.
fn same_title(title: &str, heading: &str) -> bool {
    let plain = |text: &str| {
        let text = text.replace(['\u{2018}', '\u{2019}'], "'").replace(['\u{201c}', '\u{201d}'], "\"").replace(['\u{2013}', '\u{2014}'], "-");
        let text = text.replace("---", "-").replace("--", "-").replace("...", "…").replace(['`', '*'], "");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    plain(title) == plain(heading)
}
