//! The parts of a text that Markdown does not interpret, or interprets as links and footnotes.
//!
//! Searches in the source text need them to leave out code. They take a pass of the parser, so they
//! are computed only when a search has found something.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

/// Ranges of a text, in bytes from its start, each list in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// Code, formulas, and HTML whose content is not markup.
    verbatim: Vec<Range<usize>>,
    /// Links and images.
    links: Vec<Range<usize>>,
    /// HTML tags and blocks.
    html: Vec<Range<usize>>,
    /// References to footnotes that are defined.
    footnote_references: Vec<Range<usize>>,
    /// The names of the footnotes that are defined.
    pub footnotes: Vec<String>,
    /// The offsets at which fenced code blocks start.
    fences: Vec<usize>,
}

impl Regions {
    /// The regions of the Markdown of `text` from `body_start` on.
    pub(super) fn of(text: &str, body_start: usize, options: Options) -> Self {
        let body = &text[body_start..];
        let mut regions = Self::default();
        for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
            let shifted = range.start + body_start..range.end + body_start;
            regions.add(&event, shifted, &body[range]);
        }
        regions
    }

    fn add(&mut self, event: &Event<'_>, range: Range<usize>, source: &str) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                if matches!(kind, CodeBlockKind::Fenced(_)) {
                    self.fences.push(range.start);
                }
                self.verbatim.push(range);
            }
            Event::Code(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {
                self.verbatim.push(range);
            }
            Event::Start(Tag::HtmlBlock) => {
                if has_verbatim_content(source) {
                    self.verbatim.push(range);
                } else {
                    self.html.push(range);
                }
            }
            Event::InlineHtml(html) if html.starts_with("<!--") => self.verbatim.push(range),
            Event::InlineHtml(_) => self.html.push(range),
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => self.links.push(range),
            Event::FootnoteReference(_) => self.footnote_references.push(range),
            Event::Start(Tag::FootnoteDefinition(name)) => self.footnotes.push(name.to_string()),
            _ => {}
        }
    }

    pub(super) fn is_verbatim(&self, at: usize) -> bool {
        contains(&self.verbatim, at)
    }

    pub(super) fn is_link(&self, at: usize) -> bool {
        contains(&self.links, at)
    }

    pub(super) fn is_html(&self, at: usize) -> bool {
        contains(&self.html, at)
    }

    pub(super) fn is_footnote_reference(&self, at: usize) -> bool {
        contains(&self.footnote_references, at)
    }

    /// Whether a fenced code block starts at this offset.
    pub(super) fn is_fence(&self, at: usize) -> bool {
        self.fences.binary_search(&at).is_ok()
    }
}

/// Whether one of the ranges, which start in ascending order and may be nested, contains an offset.
pub(super) fn contains(ranges: &[Range<usize>], at: usize) -> bool {
    let before = ranges.partition_point(|range| range.start <= at);
    // A range that starts earlier may enclose those that follow it.
    ranges[..before].iter().rev().take(NESTED).any(|range| at < range.end)
}

/// How many ranges before an offset are examined. Links contain images at most, and other regions
/// contain none.
const NESTED: usize = 4;

/// Whether a block of HTML has a content that is not markup (CommonMark §4.6, kinds 1 to 5).
fn has_verbatim_content(html: &str) -> bool {
    const STARTS: [&str; 6] = ["<!--", "<pre", "<script", "<style", "<textarea", "<![cdata["];
    let html = html.trim_start().as_bytes();
    STARTS.iter().any(|start| {
        html.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    })
}
