//! Source → [`Doc`], pure: an article's text and the settings it is read with are all that parsing sees.
//!
//! What depends on other files stays symbolic: a link is a [`Target`], a component call a name with
//! arguments, a place for an ad a number of words. `plan` decides what they lead to, `render` writes them.

pub mod body;
pub mod component;
pub mod date;
mod fence;
pub mod front;
pub mod heading;
pub mod highlight;
pub mod link;
pub mod markdown;
mod math;
pub mod outline;
mod raw_html;
mod table;
pub mod words;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use body::{Body, Hole, HoleKind};
pub use component::{Argument, Call};
pub use date::Moment;
pub use front::FrontMatter;
pub use highlight::{Effort, Memo, Postponed};
pub use link::{Link, LinkKind, Target};
pub use outline::Heading;
pub use words::WordCount;

use crate::config;
use crate::diag::{Diagnostic, Report};
use crate::memo::Mark;
use crate::paths::SourcePath;

/// The settings that parsing depends on; nothing else of `site.toml` may.
#[derive(Clone, Debug)]
pub struct Settings {
    pub markdown: config::Markdown,
    pub line_numbers: bool,
}

impl Settings {
    #[must_use]
    pub fn of(config: &config::Config) -> Self {
        Self { markdown: config.markdown.clone(), line_numbers: config.highlight.line_numbers }
    }

    /// The mark of all that parsing depends on besides the text.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let m = &self.markdown;
        Mark::of_json(&(m.smart_punctuation, m.math, m.heading_anchors, m.heading_shift, m.unsafe_html, self.line_numbers))
    }
}

/// What is known of an article but its body: enough to plan the whole site with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doc {
    pub source: SourcePath,
    pub front: FrontMatter,
    /// The front matter's title, else the opening heading, else the file's name.
    pub title: String,
    /// The first paragraph as plain text, cut to a description's length; empty where there is a description.
    pub lead: String,
    pub outline: Vec<Heading>,
    /// The ids besides those of headings that a fragment can lead to: footnotes, `id=""` in HTML.
    pub anchors: Vec<String>,
    pub links: Vec<Link>,
    /// Component calls, to be checked against the templates; the body refers to them by number.
    pub calls: Vec<Call>,
    pub words: WordCount,
    /// Keys that Folio does not know: name and place.
    pub unknown_keys: Vec<(String, Range<u32>)>,
    /// Fence languages without a grammar: name and place.
    pub unknown_languages: Vec<(String, Range<u32>)>,
    /// Warnings of the article itself.
    pub remarks: Vec<Remark>,
}

impl Doc {
    /// Every id that a fragment can lead to.
    pub fn fragments(&self) -> impl Iterator<Item = &str> {
        self.outline.iter().map(|h| &*h.id).chain(self.anchors.iter().map(String::as_str))
    }

    /// Gives back the room that growing left.
    fn shrink(mut self) -> Self {
        self.outline.shrink_to_fit();
        self.anchors.shrink_to_fit();
        self.links.shrink_to_fit();
        self.calls.shrink_to_fit();
        self.lead.shrink_to_fit();
        self
    }
}

/// A warning that goes with a parsed article, however often it is read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remark {
    pub message: String,
    pub hint: Option<String>,
    pub span: Range<u32>,
}

impl Remark {
    #[must_use]
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), hint: None, span: narrow(&span) }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// As a warning in `file`.
    #[must_use]
    pub fn diagnose(&self, file: &SourcePath) -> Diagnostic {
        let warning = Diagnostic::warning(&self.message).in_file(file.as_str()).at(widen(&self.span));
        match &self.hint {
            Some(hint) => warning.hint(hint),
            None => warning,
        }
    }
}

/// A parsed article: what the plan needs, and what only its own page (and its feeds) need.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub doc: Doc,
    pub body: Body,
    /// The article's errors. With any, the rest is what could be made of it: good enough to look for more
    /// problems with, not to publish. Warnings are kept in the `Doc`.
    pub errors: Report,
}

/// Parses one article. `memo` is what the thread has highlighted before; it changes the time only, unless it was made to
/// [postpone](Effort::Later) that: then code comes out plain, and the memo says so.
#[must_use]
pub fn parse(source: &SourcePath, text: &str, settings: &Settings, memo: &mut Memo) -> Parsed {
    let mut errors = Report::default();
    let mut front = front::read(text, source, &mut errors);
    let mut remarks = front.remarks;
    let mut content = markdown::render(text, front.body_start, source, front.matter.title.as_deref(), settings, markdown::Flavor::Folio, memo);
    remarks.extend(content.remarks);
    errors.extend(content.errors);
    if let Some((image, span)) = front.image {
        let target = link::classify(&image.src, source.parent(), LinkKind::Image);
        let link = u32::try_from(content.links.len()).unwrap_or(u32::MAX);
        content.links.push(Link { kind: LinkKind::Image, target, span });
        front.matter.image = Some(front::ImageRef { link, alt: image.alt, credit: image.credit });
    }
    let title = front.matter.title.clone().or(content.opening_title).unwrap_or_else(|| front::title_from_name(source));
    // The lead stands in for a description, and is not needed beside one.
    let lead = if front.matter.description.is_some() { String::new() } else { content.lead };
    let doc = Doc {
        source: source.clone(),
        front: front.matter,
        title,
        lead,
        outline: content.outline,
        anchors: content.anchors,
        links: content.links,
        calls: content.calls,
        words: content.words,
        unknown_keys: front.unknown_keys,
        unknown_languages: content.unknown_languages,
        remarks,
    };
    Parsed { doc: doc.shrink(), body: content.body, errors: errors.in_file(source.as_str()) }
}

/// The text of a piece of HTML, without its tags.
#[must_use]
pub fn strip_tags(html: &str) -> String {
    raw_html::text(html)
}

/// A span as it is stored; sources are under 4 GiB (`load` sees to it).
pub(crate) fn narrow(span: &Range<usize>) -> Range<u32> {
    let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    cut(span.start)..cut(span.end)
}

/// A stored span as an ordinary one.
pub(crate) fn widen(span: &Range<u32>) -> Range<usize> {
    span.start as usize..span.end as usize
}
