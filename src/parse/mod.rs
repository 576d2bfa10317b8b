//! Parses a source file to a [`Doc`]. Pure: parsing depends on the text of one article and the
//! settings it is read with.
//!
//! What depends on other files stays symbolic: a link is a [`Target`], a component call a name with
//! arguments, a place for an ad a number of words. `plan` decides what they lead to, and `render`
//! writes them.

pub mod body;
pub mod component;
pub mod date;
mod fence;
pub mod front;
pub mod heading;
pub mod highlight;
pub mod link;
mod literal;
pub mod markdown;
mod math;
pub mod outline;
mod raw_html;
mod regions;
mod remark;
mod snippet;
mod table;
pub mod words;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::diag::{Diagnostic, Report};
use crate::paths::SourcePath;

pub use body::{Body, Hole, HoleKind};
pub use component::{Argument, Call};
pub use date::Moment;
pub use front::FrontMatter;
pub use highlight::{HighlightCache, Highlighting};
pub use link::{Link, LinkKind, Target};
pub use outline::Heading;
pub(crate) use remark::widen;
pub use remark::{Remark, Settings};
use snippet::smart_text;
pub use snippet::{block_html, inline_html};
pub use words::WordCount;

/// Everything about an article except its body, which is enough to plan the whole site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doc {
    pub source: SourcePath,
    pub front: FrontMatter,
    /// The title of the front matter, the opening heading, or the name of the file.
    pub title: String,
    /// The first paragraph as plain text, shortened to the length of a description; empty when
    /// there is a description.
    pub lead: String,
    pub outline: Vec<Heading>,
    /// Ids besides those of headings: footnotes, and `id=""` in HTML.
    pub anchors: Vec<String>,
    pub links: Vec<Link>,
    /// Component calls; the body refers to them by number.
    pub calls: Vec<Call>,
    pub words: WordCount,
    /// Unknown keys of the front matter, with their locations.
    pub unknown_keys: Vec<(String, Range<u32>)>,
    /// Languages of code blocks without a grammar, with their locations.
    pub unknown_languages: Vec<(String, Range<u32>)>,
    /// Warnings of the article itself.
    pub remarks: Vec<Remark>,
}

impl Doc {
    /// Every anchor of the article.
    pub fn fragments(&self) -> impl Iterator<Item = &str> {
        self.outline.iter().map(|h| &*h.id).chain(self.anchors.iter().map(String::as_str))
    }

    /// Frees unused capacity.
    fn shrink(mut self) -> Self {
        self.outline.shrink_to_fit();
        self.anchors.shrink_to_fit();
        self.links.shrink_to_fit();
        self.calls.shrink_to_fit();
        self.lead.shrink_to_fit();
        self
    }
}

/// A parsed article: what the plan needs, and the body.
#[derive(Clone, Debug)]
pub struct ParseOutput {
    pub doc: Doc,
    pub body: Body,
    /// The article's errors. If there are any, the rest is what could be parsed, which is good
    /// enough to find more problems, but not to publish. Warnings are part of the `Doc`.
    pub errors: Report,
}

/// Parses one article. `cache` holds the lines of code that the thread has highlighted before. It
/// affects only the time, unless its mode is [`Highlighting::Deferred`]: then code is left plain,
/// and [`HighlightCache::take_highlighting`] tells whether there was any.
#[must_use]
pub fn parse(
    source: &SourcePath,
    text: &str,
    settings: &Settings,
    cache: &mut HighlightCache,
) -> ParseOutput {
    let mut errors = Report::default();
    let mut front = front::read(text, source, &mut errors);
    let mut remarks = front.remarks;
    if settings.markdown.smart_punctuation {
        front.matter.title = front.matter.title.as_deref().map(smart_text);
        front.matter.description = front.matter.description.as_deref().map(smart_text);
    }
    let mut content = markdown::render(
        text,
        front.body_start,
        source,
        front.matter.title.as_deref(),
        settings,
        markdown::Flavor::Folio,
        cache,
    );
    remarks.extend(content.remarks);
    errors.extend(content.errors);
    if let Some((image, span)) = front.image {
        let target = link::classify(&image.src, source.parent(), LinkKind::Image);
        if target == Target::Dead {
            errors.push(
                Diagnostic::error("the URL of `image` would run code in the reader's browser")
                    .at(widen(&span))
                    .hint("write the path of a picture, or a URL that starts with https://"),
            );
        }
        let link = u32::try_from(content.links.len()).unwrap_or(u32::MAX);
        content.links.push(Link { kind: LinkKind::Image, target, span });
        front.matter.image = Some(front::ImageRef { link, alt: image.alt, credit: image.credit });
    }
    let title = front
        .matter
        .title
        .clone()
        .or(content.opening_title)
        .unwrap_or_else(|| front::title_from_name(source));
    // The lead replaces a missing description.
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
    ParseOutput { doc: doc.shrink(), body: content.body, errors: errors.in_file(source.as_str()) }
}

/// The text of a piece of HTML, without its tags.
#[must_use]
pub fn strip_tags(html: &str) -> String {
    raw_html::text(html)
}
