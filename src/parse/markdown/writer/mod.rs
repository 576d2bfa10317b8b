//! The writer: frames of HTML under construction, and the text being read.
//!
//! This file has the state and the loop over events. Its submodules add the methods that write
//! [`blocks`], [`inline`] elements, [`code`] blocks and [`notes`]; only they see the state.

mod blocks;
mod code;
mod inline;
mod notes;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::iter::Peekable;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};
use pulldown_cmark_escape::{escape_html, escape_html_body_text};

use crate::diag::Diagnostic;
use crate::parse::body::{Body, HoleKind};
use crate::parse::component::{Argument, Call};
use crate::parse::component::{Marker, MarkerKind};
use crate::parse::heading::Ids;
use crate::parse::highlight::HighlightCache;
use crate::parse::link::classify;
use crate::parse::link::{Link, LinkKind};
use crate::parse::markdown::content::{Content, Flavor};
use crate::parse::markdown::footnotes::Notes;
use crate::parse::remark::{Remark, Settings, widen};
use crate::parse::table::Table;
use crate::paths::SourcePath;

/// The inputs of the writer.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The whole file, with component lines masked.
    pub text: &'a str,
    /// The offset at which the Markdown starts.
    pub offset: usize,
    pub source: &'a SourcePath,
    pub title: Option<&'a str>,
    pub settings: &'a Settings,
    pub flavor: Flavor,
    /// By how many levels headings are shifted down.
    pub shift: u8,
}

/// HTML under construction, and what it becomes part of.
struct Frame {
    body: Body,
    kind: FrameKind,
}

enum FrameKind {
    Root,
    /// The Markdown between the tags of a component, which was opened inside this many containers.
    Component {
        call: u32,
        containers: usize,
    },
    Heading(HeadingStart),
    Footnote {
        name: String,
        /// How many headings and anchors there were before it.
        before: (usize, usize),
    },
    Table(Table),
    Row,
}

/// The start of a heading.
struct HeadingStart {
    id: Option<String>,
    attributes: String,
    range: Range<usize>,
    opens_text: bool,
}

/// The kind of block before the current position, for placing ads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A heading, or a paragraph that introduces what follows.
    LeadsOn,
    Block,
}

type Events<'a> =
    Peekable<pulldown_cmark::OffsetIter<'a, pulldown_cmark::DefaultBrokenLinkCallback>>;

pub(super) struct Writer<'a, 'm> {
    cx: Context<'a>,
    cache: &'m mut HighlightCache,
    content: Content,
    frames: Vec<Frame>,
    markers: BTreeMap<usize, MarkerKind>,
    ids: Ids,
    notes: Notes,
    /// The text of the current block, for word counts, headings and the lead.
    run: String,
    /// How many container blocks are open.
    containers: usize,
    /// How many elements raw HTML has opened and not closed.
    html_depth: i64,
    /// Whether a stripped tag has opened a script or a style.
    hidden: bool,
    /// Whether too deep nesting of components was reported.
    too_deep: bool,
    before: Before,
    tables: usize,
}

/// How deep components may be nested.
const DEEPEST: usize = 32;

impl<'a, 'm> Writer<'a, 'm> {
    pub(super) fn new(
        cx: Context<'a>,
        markers: Vec<Marker>,
        notes: HashSet<String>,
        cache: &'m mut HighlightCache,
    ) -> Self {
        Self {
            cx,
            cache,
            content: Content::default(),
            frames: vec![Frame { body: Body::default(), kind: FrameKind::Root }],
            markers: markers.into_iter().map(|m| (m.start, m.kind)).collect(),
            ids: Ids::new(cx.settings.slugs),
            notes: Notes::new(notes),
            run: String::new(),
            containers: 0,
            html_depth: 0,
            hidden: false,
            too_deep: false,
            before: Before::Nothing,
            tables: 0,
        }
    }

    pub(super) fn run(mut self, options: Options) -> Content {
        let markdown = &self.cx.text[self.cx.offset..];
        let mut events: Events<'a> =
            Parser::new_ext(markdown, options).into_offset_iter().peekable();
        while let Some((event, range)) = events.next() {
            let range = range.start + self.cx.offset..range.end + self.cx.offset;
            self.event(event, range, &mut events);
        }
        self.end_run();
        while self.frames.len() > 1 {
            self.close_frame();
        }
        let notes = self.take_notes();
        self.body().append(notes);
        if let Some(root) = self.frames.pop() {
            self.content.body = root.body;
        }
        self.trim_ad_places();
        self.content
    }

    fn event(&mut self, event: Event<'a>, range: Range<usize>, events: &mut Events<'a>) {
        match event {
            Event::Start(tag) => self.start(tag, range, events),
            Event::End(tag) => self.end(tag, range, events),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.code_span(&text),
            Event::InlineMath(tex) => {
                self.math(&tex, range, pulldown_latex::config::DisplayMode::Inline);
            }
            Event::DisplayMath(tex) => {
                self.math(&tex, range, pulldown_latex::config::DisplayMode::Block);
            }
            Event::Html(html) | Event::InlineHtml(html) => self.raw_html(&html, range),
            Event::FootnoteReference(name) => self.footnote_reference(&name),
            Event::SoftBreak => {
                self.push("\n");
                self.run.push(' ');
            }
            Event::HardBreak => {
                self.push("<br />\n");
                self.run.push(' ');
            }
            Event::Rule => {
                self.fresh_line();
                self.push("<hr />\n");
                self.block_ends(Before::Block);
            }
            Event::TaskListMarker(done) => self.task(done),
        }
    }

    /// The body that is being written.
    fn body(&mut self) -> &mut Body {
        // The root frame is never popped before the end.
        let last = self.frames.len() - 1;
        &mut self.frames[last].body
    }

    fn push(&mut self, html: &str) {
        self.body().html.push_str(&without_nul(html));
    }

    fn escape_text(&mut self, text: &str) {
        let _ = escape_html_body_text(&mut self.body().html, &without_nul(text));
    }

    fn escape_attribute(&mut self, text: &str) {
        let _ = escape_html(&mut self.body().html, &without_nul(text));
    }

    /// Starts a new line unless the HTML is at the start of one.
    fn fresh_line(&mut self) {
        let html = &mut self.body().html;
        if !html.is_empty() && !html.ends_with('\n') {
            html.push('\n');
        }
    }

    fn text(&mut self, text: &str) {
        if self.hidden {
            return;
        }
        self.escape_text(text);
        self.push_plain(text);
    }

    /// Adds to the text of the block without its markup.
    fn push_plain(&mut self, text: &str) {
        self.run.push_str(&without_nul(text));
    }

    /// Counts the words of the current block and resets its text.
    fn end_run(&mut self) {
        if !self.run.is_empty() {
            self.content.words.add(&self.run);
            self.run.clear();
        }
    }

    fn open_frame(&mut self, kind: FrameKind) {
        self.frames.push(Frame { body: Body::default(), kind });
    }

    fn close_frame(&mut self) -> Frame {
        match self.frames.pop() {
            Some(frame) => frame,
            None => Frame { body: Body::default(), kind: FrameKind::Root },
        }
    }

    fn remark(&mut self, remark: Remark) {
        self.content.remarks.push(remark);
    }

    fn error(&mut self, error: Diagnostic) {
        self.content.errors.push(error);
    }

    fn is_top_level(&self) -> bool {
        self.frames.len() == 1 && self.containers == 0
    }

    /// Records that a block has ended and, at the top level, that an ad may be placed there.
    fn block_ends(&mut self, before: Before) {
        self.end_run();
        if self.cx.flavor == Flavor::CommonMark || !self.is_top_level() {
            return;
        }
        self.before = before;
        if before == Before::Block && self.html_depth <= 0 {
            let words = u32::try_from(self.content.words.total()).unwrap_or(u32::MAX);
            self.body().hole(HoleKind::AdPlace { words });
        }
    }

    /// No ad is placed at the end of the text.
    fn trim_ad_places(&mut self) {
        let body = &mut self.content.body;
        let end = body.html.len();
        while body
            .holes
            .last()
            .is_some_and(|h| h.at as usize == end && matches!(h.kind, HoleKind::AdPlace { .. }))
        {
            body.holes.pop();
        }
    }

    /// Handles a component line; `true` when there is one at this offset.
    fn component_at(&mut self, at: usize, range: Range<usize>) -> bool {
        let Some(marker) = self.markers.remove(&at) else { return false };
        self.end_run();
        match marker {
            MarkerKind::Alone(call) => {
                let number = self.call(call);
                self.body().hole(HoleKind::Component { call: number, body: None });
                self.block_ends(Before::Block);
            }
            MarkerKind::Open(call) => {
                if self.frames.len() > DEEPEST {
                    if !std::mem::replace(&mut self.too_deep, true) {
                        self.error(
                            Diagnostic::error(format!(
                                "components are nested more than {DEEPEST} deep"
                            ))
                            .at(range),
                        );
                    }
                    return true;
                }
                let number = self.call(call);
                self.open_frame(FrameKind::Component { call: number, containers: self.containers });
            }
            MarkerKind::Close(name) => self.close_component(&name, range),
        }
        true
    }

    /// Adds a call. URLs among its arguments become links of the article.
    fn call(&mut self, mut call: Call) -> u32 {
        for (name, argument) in &mut call.arguments {
            let (kind, attribute) = match name.as_str() {
                "src" | "poster" => (LinkKind::Image, LinkKind::ImageAttribute),
                "href" => (LinkKind::Anchor, LinkKind::Attribute),
                _ => continue,
            };
            if let Argument::Text(url) = argument {
                let target = classify(url, self.cx.source.parent(), kind);
                let number = u32::try_from(self.content.links.len()).unwrap_or(u32::MAX);
                self.content.links.push(Link { kind: attribute, target, span: call.span.clone() });
                *argument = Argument::Link(number);
            }
        }
        self.content.calls.push(call);
        u32::try_from(self.content.calls.len() - 1).unwrap_or(u32::MAX)
    }

    fn close_component(&mut self, name: &str, range: Range<usize>) {
        let fits = match self.frames.last().map(|frame| &frame.kind) {
            Some(FrameKind::Component { containers, .. }) => *containers == self.containers,
            _ => false,
        };
        if !fits && self.too_deep {
            return;
        }
        if !fits {
            self.error(
                Diagnostic::error(format!(
                    "`<{name}>` closes inside another block than it opens in"
                ))
                .at(range)
                .hint("put blank lines around both tags, and indent both by the same amount"),
            );
            return;
        }
        let frame = self.close_frame();
        if let FrameKind::Component { call, .. } = frame.kind {
            self.body().hole(HoleKind::Component { call, body: Some(Box::new(frame.body)) });
            self.block_ends(Before::Block);
        }
    }

    /// Called when a container block ends: components opened inside it must be closed.
    fn leave_container(&mut self) {
        while let Some(Frame { kind: FrameKind::Component { call, containers }, .. }) =
            self.frames.last()
        {
            if *containers < self.containers {
                break;
            }
            let call = *call as usize;
            let frame = self.close_frame();
            self.body().append(frame.body);
            if let Some(call) = self.content.calls.get(call) {
                let (name, span) = (call.name.clone(), widen(&call.span));
                self.error(
                    Diagnostic::error(format!(
                        "`<{name}>` is not closed in the block that it opens in"
                    ))
                    .at(span)
                    .hint("put blank lines around both tags, and indent both by the same amount"),
                );
            }
        }
        self.containers = self.containers.saturating_sub(1);
    }
}

/// The text with U+FFFD for each NUL (CommonMark §2.3).
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
