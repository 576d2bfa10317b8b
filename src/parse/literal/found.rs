//! What is searched, and what is found.

use std::ops::Range;

use super::kind::Kind;
use crate::config::ForeignSyntax;

/// Something in the text that looks like markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub what: What,
    pub range: Range<usize>,
}

/// What it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The syntax of another tool.
    Foreign(Kind),
    /// A reference to a footnote.
    Footnote,
    /// A link or an image whose URL contains white space.
    Link,
}

/// What the search depends on.
pub struct Search<'a> {
    pub text: &'a str,
    pub body_start: usize,
    /// Component lines, which are handled elsewhere, in the order of the text.
    pub components: &'a [Range<usize>],
    pub foreign_syntax: ForeignSyntax,
    /// Whether `$$` starts a formula.
    pub math: bool,
}
