//! A body: finished HTML with holes where something is still symbolic.
//!
//! The holes are in order of their place, so that rendering is one pass of copying and filling. Compact and
//! free of pointers, a body goes to disk and comes back unchanged.

use serde::{Deserialize, Serialize};

/// HTML with holes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    pub html: String,
    pub holes: Vec<Hole>,
    /// Where the part before `<!-- more -->` ends, in bytes of `html`.
    pub excerpt_end: Option<u32>,
}

/// Something to be filled in at a byte of the HTML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hole {
    pub at: u32,
    pub kind: HoleKind,
}

/// What a hole stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HoleKind {
    /// The article's link of this number: its address, and the attributes that go with it.
    Link(u32),
    /// The article's component call of this number, with the Markdown between its tags.
    Component { call: u32, body: Option<Box<Body>> },
    /// The page's own address, where a fragment of it follows: nothing on the page itself.
    Here,
    /// A boundary between top-level blocks where an ad may stand, with the words before it.
    AdPlace { words: u32 },
}

impl Body {
    /// Marks a hole at the end of what is written so far.
    pub fn hole(&mut self, kind: HoleKind) {
        let at = u32::try_from(self.html.len()).unwrap_or(u32::MAX);
        self.holes.push(Hole { at, kind });
    }

    /// Appends another body, its holes moved along.
    pub fn append(&mut self, other: Body) {
        let offset = u32::try_from(self.html.len()).unwrap_or(u32::MAX);
        self.html.push_str(&other.html);
        self.holes.extend(other.holes.into_iter().map(|h| Hole { at: h.at.saturating_add(offset), kind: h.kind }));
    }

    /// The part before `<!-- more -->`, if there is such a mark.
    #[must_use]
    pub fn excerpt(&self) -> Option<Body> {
        let end = self.excerpt_end?;
        let holes = self.holes.iter().filter(|h| h.at <= end).cloned().collect();
        Some(Body { html: self.html.get(..end as usize)?.to_owned(), holes, excerpt_end: None })
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising into a vector fails for no value of these types.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// A body from its bytes; `None` when they are not a body's.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
