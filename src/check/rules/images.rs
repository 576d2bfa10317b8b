//! Images on pages.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::check::address::Lead;
use crate::check::facts::{Image, Purpose, Size};
use crate::check::finding::{Finding, Place};
use crate::check::page::Page;
use crate::parse::widen;

/// An image without `alt` is read out by its file's name (WCAG 2.2 §1.1.1). An empty one says that the image adds nothing:
/// in HTML somebody wrote that, in Markdown somebody left it out.
pub(super) fn without_alt(page: &Page<'_>) -> Vec<Finding> {
    let wrong = |image: &Image| image.purpose == Purpose::Content && image.alt.as_deref().is_none_or(|alt| alt.trim().is_empty());
    if !page.facts.images.iter().any(wrong) {
        return Vec::new();
    }
    let text = page.source().and_then(|source| page.context.survey.text(source)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let images = page.facts.images.iter().filter(|image| page.kind.is_templated() && wrong(image));
    images
        .filter(|image| seen.insert((image.src.as_str(), image.alt.is_none())))
        .filter_map(|image| {
            let message = format!("the image `{}` has no text that stands for it", short(&image.src));
            let finding = Finding::new(message, place(page, image, &text)?);
            Some(finding.hint("write ![what it shows](…); for one that only decorates, <img src=\"…\" alt=\"\">"))
        })
        .collect()
}

/// Where an image without a text was written; `None` when its author wrote that it has none.
fn place(page: &Page<'_>, image: &Image, text: &str) -> Option<Place> {
    let markdown = |span: &Range<usize>| text.get(span.clone()).and_then(|written| written.trim_start().strip_prefix("!["));
    let spans = || page.links(&image.src).map(|link| widen(&link.span));
    let file = || page.source().map(ToString::to_string).unwrap_or_default();
    if image.alt.is_none() {
        let html = spans().find(|span| markdown(span).is_none());
        return Some(html.map_or_else(|| page.place_of_address(&image.src), |span| Place::at(&file(), span)));
    }
    let bare = spans().find(|span| markdown(span).is_some_and(|rest| rest.trim_start().starts_with(']')))?;
    Some(Place::at(&file(), bare))
}

pub(super) fn without_size(page: &Page<'_>) -> Vec<Finding> {
    // That an image is not there is another rule's to tell.
    let is_there = |image: &Image| !page.leads.iter().any(|(reference, lead)| *lead == Lead::Nowhere && reference.url == image.src);
    each(
        page,
        move |image| image.size == Size::Unknown && is_there(image),
        |image| format!("the image `{}` has no width and height", short(&image.src)),
    )
    .map(|finding| finding.hint("the text moves when it comes; the component `figure` knows the size of the site's own images"))
    .collect()
}

/// A finding for each image, by its address, that is `wrong`.
fn each<'p>(page: &'p Page<'_>, wrong: impl Fn(&Image) -> bool + 'p, message: impl Fn(&Image) -> String + 'p) -> impl Iterator<Item = Finding> + 'p {
    let mut seen = BTreeSet::new();
    let images = page.facts.images.iter().filter(|_| page.kind.is_templated());
    images
        .filter(move |image| wrong(image) && seen.insert(image.src.as_str()))
        .map(move |image| Finding::new(message(image), page.place_of_address(&image.src)))
}

/// An address that fits into a line: one that carries its own bytes does not.
fn short(src: &str) -> String {
    if src.chars().count() <= 80 { src.to_owned() } else { src.chars().take(79).chain(['…']).collect() }
}
