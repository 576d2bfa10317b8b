//! Renders Markdown to a [`Body`](crate::parse::Body), in one pass over pulldown-cmark's events.
//!
//! Component lines are masked ([`super::component::scan`]); literal markup is searched for warnings
//! ([`super::literal`]); a quick check decides whether headings
//! are shifted down; then [`writer::Writer`] turns each event into HTML, a hole, or a value of the
//! [`Content`]. Plain CommonMark is written as in the examples of the specification
//! ([`Flavor::CommonMark`]); [`Flavor::Folio`] adds ids, table frames, footnotes and highlighting.

mod alert;
mod content;
mod footnotes;
mod title;
mod writer;

use std::cell::OnceCell;

use pulldown_cmark::Options;

use super::highlight::HighlightCache;
use super::regions::Regions;
use super::remark::Settings;
use super::{component, literal};
use crate::config::HeadingShift;
use crate::paths::SourcePath;

pub use content::{Content, Flavor};

/// Renders the Markdown of `text` from `body_start` on. Spans are relative to the start of `text`.
#[must_use]
pub fn render(
    text: &str,
    body_start: usize,
    source: &SourcePath,
    title: Option<&str>,
    settings: &Settings,
    flavor: Flavor,
    cache: &mut HighlightCache,
) -> Content {
    let options = options(settings, flavor);
    let mut errors = Vec::new();
    let regions = OnceCell::new();
    let regions = || regions.get_or_init(|| Regions::of(text, body_start, options));
    let scan = match flavor {
        Flavor::CommonMark => component::Scan::default(),
        Flavor::Folio => component::scan(text, body_start, regions, &mut errors),
    };
    let literal = match flavor {
        Flavor::CommonMark => Vec::new(),
        Flavor::Folio => {
            let search = literal::Search {
                text,
                body_start,
                components: &scan.lines,
                foreign_syntax: settings.markdown.foreign_syntax,
                math: settings.markdown.math,
            };
            literal::remarks(&search, regions)
        }
    };
    let masked = scan.text.as_deref().unwrap_or(text);
    let shift = match (flavor, settings.markdown.heading_shift) {
        (Flavor::Folio, HeadingShift::Auto) => {
            u8::from(title::has_inner_level_one(&masked[body_start..], options, title))
        }
        _ => 0,
    };
    let notes = footnotes::reachable(&masked[body_start..], options);
    let context = writer::Context {
        text: masked,
        offset: body_start,
        source,
        title,
        settings,
        flavor,
        shift,
    };
    let mut content = writer::Writer::new(context, scan.markers, notes, cache).run(options);
    content.errors.extend(errors.into_iter().collect());
    content.remarks.extend(literal);
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
