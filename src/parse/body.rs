//! The body of an article: rendered HTML with holes for what is still symbolic.
//!
//! The holes are sorted by position, so that rendering copies and fills in one pass. A body has no
//! pointers, so it can be stored and read back unchanged.

use serde::{Deserialize, Serialize};

/// HTML with holes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    pub html: String,
    pub holes: Vec<Hole>,
    /// The offset in `html` at which the part before `<!-- more -->` ends.
    pub excerpt_end: Option<u32>,
}

/// A value to be inserted at an offset of the HTML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hole {
    pub at: u32,
    pub kind: HoleKind,
}

/// What is inserted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HoleKind {
    /// The link with this number: its URL and attributes.
    Link(u32),
    /// The component call with this number, with the Markdown between its tags.
    Component { call: u32, body: Option<Box<Body>> },
    /// The link of a heading to itself, on pages.
    HeadingLink { id: Box<str>, label: Box<str> },
    /// The URL of the page, before a fragment of it; empty on the page itself.
    Here,
    /// A boundary between top-level blocks at which an ad may be placed, with the number of words
    /// before it.
    AdPlace { words: u32 },
}

impl Body {
    /// Adds a hole at the end of the HTML.
    pub fn hole(&mut self, kind: HoleKind) {
        let at = u32::try_from(self.html.len()).unwrap_or(u32::MAX);
        self.holes.push(Hole { at, kind });
    }

    /// Appends another body.
    pub fn append(&mut self, other: Body) {
        let offset = u32::try_from(self.html.len()).unwrap_or(u32::MAX);
        self.html.push_str(&other.html);
        self.holes.extend(
            other.holes.into_iter().map(|h| Hole { at: h.at.saturating_add(offset), kind: h.kind }),
        );
    }

    /// The part before `<!-- more -->`, if the text has it.
    #[must_use]
    pub fn excerpt(&self) -> Option<Body> {
        let end = self.excerpt_end?;
        let holes = self.holes.iter().filter(|h| h.at <= end).cloned().collect();
        Some(Body { html: self.html.get(..end as usize)?.to_owned(), holes, excerpt_end: None })
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising these types to memory cannot fail.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads a stored body; `None` when the bytes are not one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
