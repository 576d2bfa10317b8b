//! The result of rendering a Markdown text.

use std::ops::Range;

use crate::diag::Report;
use crate::parse::body::Body;
use crate::parse::component::Call;
use crate::parse::link::Link;
use crate::parse::outline::Heading;
use crate::parse::remark::Remark;
use crate::parse::words::WordCount;

/// The dialect that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// The output of the specification, for its test suite.
    CommonMark,
    Folio,
}

/// The result of rendering a Markdown text.
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
    /// The level-one heading at the start of the text.
    pub opening_title: Option<String>,
    pub unknown_languages: Vec<(String, Range<u32>)>,
    pub remarks: Vec<Remark>,
    pub errors: Report,
}
