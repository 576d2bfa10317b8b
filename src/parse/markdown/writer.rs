//! The writer's state and its loop: frames of HTML under construction, the run of text being read.

use std::collections::{BTreeMap, HashSet};
use std::iter::Peekable;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};
use pulldown_cmark_escape::{escape_html, escape_html_body_text};

use super::notes::Notes;
use super::{Content, Flavor};
use crate::diag::Diagnostic;
use crate::parse::component::{Marker, MarkerKind};
use crate::parse::heading::Ids;
use crate::parse::highlight::Memo;
use crate::parse::link::classify;
use crate::parse::table::Table;
use crate::parse::{Argument, Body, Call, HoleKind, Link, LinkKind, Remark, Settings};
use crate::paths::SourcePath;

/// What the writer reads and never changes.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The whole file, component lines masked.
    pub text: &'a str,
    /// Where the Markdown starts in it.
    pub offset: usize,
    pub source: &'a SourcePath,
    pub title: Option<&'a str>,
    pub settings: &'a Settings,
    pub flavor: Flavor,
    /// How many levels headings move down.
    pub shift: u8,
}

/// HTML under construction, and what it will be part of.
pub(super) struct Frame {
    pub body: Body,
    pub kind: FrameKind,
}

pub(super) enum FrameKind {
    Root,
    /// The Markdown between the tags of a component; opened inside that many containers.
    Component {
        call: u32,
        containers: usize,
    },
    Heading(super::blocks::HeadingStart),
    Footnote {
        name: String,
        /// How many headings and anchors there were before it.
        before: (usize, usize),
    },
    Table(Table),
    Row,
}

/// The block that stands before the place being written, as far as ads care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// A heading, or a line that leads into what follows.
    LeadsOn,
    Block,
}

pub(super) type Events<'a> = Peekable<pulldown_cmark::OffsetIter<'a, pulldown_cmark::DefaultBrokenLinkCallback>>;

pub(super) struct Writer<'a, 'm> {
    pub cx: Context<'a>,
    pub memo: &'m mut Memo,
    pub content: Content,
    pub frames: Vec<Frame>,
    pub markers: BTreeMap<usize, MarkerKind>,
    pub ids: Ids,
    pub notes: Notes,
    /// Text of the block being read, for words, headings and the lead.
    pub run: String,
    /// Blocks that hold blocks, open right now.
    pub containers: usize,
    /// Elements that raw HTML has opened and not closed.
    pub html_depth: i64,
    /// Whether a tag that is stripped has begun a script or a style.
    pub hidden: bool,
    /// Whether components have been nested too deep; told once.
    pub too_deep: bool,
    pub before: Before,
    pub tables: usize,
}

/// Components inside components; beyond this it is a mistake.
const DEEPEST: usize = 32;

impl<'a, 'm> Writer<'a, 'm> {
    pub(super) fn new(cx: Context<'a>, markers: Vec<Marker>, notes: HashSet<String>, memo: &'m mut Memo) -> Self {
        Self {
            cx,
            memo,
            content: Content::default(),
            frames: vec![Frame { body: Body::default(), kind: FrameKind::Root }],
            markers: markers.into_iter().map(|m| (m.start, m.kind)).collect(),
            ids: Ids::default(),
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
        let mut events: Events<'a> = Parser::new_ext(markdown, options).into_offset_iter().peekable();
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
            Event::InlineMath(tex) => self.math(&tex, range, pulldown_latex::config::DisplayMode::Inline),
            Event::DisplayMath(tex) => self.math(&tex, range, pulldown_latex::config::DisplayMode::Block),
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

    /// The body on top.
    pub(super) fn body(&mut self) -> &mut Body {
        // The root frame is never popped before the end.
        let last = self.frames.len() - 1;
        &mut self.frames[last].body
    }

    pub(super) fn push(&mut self, html: &str) {
        self.body().html.push_str(html);
    }

    pub(super) fn escape_text(&mut self, text: &str) {
        let _ = escape_html_body_text(&mut self.body().html, text);
    }

    pub(super) fn escape_attribute(&mut self, text: &str) {
        let _ = escape_html(&mut self.body().html, text);
    }

    /// Starts a line where the HTML does not stand at one.
    pub(super) fn fresh_line(&mut self) {
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
        self.run.push_str(text);
    }

    /// Counts the words of the block that ends here and forgets its text.
    pub(super) fn end_run(&mut self) {
        if !self.run.is_empty() {
            self.content.words.add(&self.run);
            self.run.clear();
        }
    }

    pub(super) fn open_frame(&mut self, kind: FrameKind) {
        self.frames.push(Frame { body: Body::default(), kind });
    }

    pub(super) fn close_frame(&mut self) -> Frame {
        match self.frames.pop() {
            Some(frame) => frame,
            None => Frame { body: Body::default(), kind: FrameKind::Root },
        }
    }

    pub(super) fn remark(&mut self, remark: Remark) {
        self.content.remarks.push(remark);
    }

    pub(super) fn error(&mut self, error: Diagnostic) {
        self.content.errors.push(error);
    }

    pub(super) fn is_top_level(&self) -> bool {
        self.frames.len() == 1 && self.containers == 0
    }

    /// Notes that a block has ended, and with it, at the top level, a place for an ad.
    pub(super) fn block_ends(&mut self, before: Before) {
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

    /// The end of the text is no place between blocks.
    fn trim_ad_places(&mut self) {
        let body = &mut self.content.body;
        let end = body.html.len();
        while body.holes.last().is_some_and(|h| h.at as usize == end && matches!(h.kind, HoleKind::AdPlace { .. })) {
            body.holes.pop();
        }
    }

    /// Acts on a component line; `true` when there is one at this byte.
    pub(super) fn component_at(&mut self, at: usize, range: Range<usize>) -> bool {
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
                        self.error(Diagnostic::error(format!("components are nested more than {DEEPEST} deep")).at(range));
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

    /// Takes a call up; addresses among its arguments become links of the article.
    fn call(&mut self, mut call: Call) -> u32 {
        for (name, argument) in &mut call.arguments {
            let kind = match name.as_str() {
                "src" | "poster" => LinkKind::Image,
                "href" => LinkKind::Anchor,
                _ => continue,
            };
            if let Argument::Text(url) = argument {
                let target = classify(url, self.cx.source.parent(), kind);
                let number = u32::try_from(self.content.links.len()).unwrap_or(u32::MAX);
                self.content.links.push(Link { kind: LinkKind::Attribute, target, span: call.span.clone() });
                *argument = Argument::Link(number);
            }
        }
        self.content.calls.push(call);
        u32::try_from(self.content.calls.len() - 1).unwrap_or(u32::MAX)
    }

    fn close_component(&mut self, name: &str, range: Range<usize>) {
        let fits = matches!(self.frames.last(), Some(Frame { kind: FrameKind::Component { containers, .. }, .. }) if *containers == self.containers);
        if !fits && self.too_deep {
            return;
        }
        if !fits {
            self.error(
                Diagnostic::error(format!("`<{name}>` closes inside another block than it opens in"))
                    .at(range)
                    .hint("put blank lines around both tags, and indent them alike"),
            );
            return;
        }
        let frame = self.close_frame();
        if let FrameKind::Component { call, .. } = frame.kind {
            self.body().hole(HoleKind::Component { call, body: Some(Box::new(frame.body)) });
            self.block_ends(Before::Block);
        }
    }

    /// Called where a block that holds blocks ends: a component opened inside it must have been closed.
    pub(super) fn leave_container(&mut self) {
        while let Some(Frame { kind: FrameKind::Component { call, containers }, .. }) = self.frames.last() {
            if *containers < self.containers {
                break;
            }
            let call = *call as usize;
            let frame = self.close_frame();
            self.body().append(frame.body);
            if let Some(call) = self.content.calls.get(call) {
                let (name, span) = (call.name.clone(), crate::parse::widen(&call.span));
                self.error(
                    Diagnostic::error(format!("`<{name}>` is not closed in the block that it opens in"))
                        .at(span)
                        .hint("put blank lines around both tags, and indent them alike"),
                );
            }
        }
        self.containers = self.containers.saturating_sub(1);
    }
}
