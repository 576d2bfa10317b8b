//! Images on pages.

use std::collections::BTreeSet;

use crate::check::address::Lead;
use crate::check::facts::{Image, Purpose, Size};
use crate::check::finding::Finding;
use crate::check::page::Page;
use crate::parse::LinkKind;

/// An image without `alt` is read out by its file's name (WCAG 2.2 §1.1.1). An empty one says that the image adds nothing:
/// in HTML somebody wrote that, in Markdown somebody left it out.
pub(super) fn without_alt(page: &Page<'_>) -> Vec<Finding> {
    let is_markdown = |image: &Image| page.link(&image.src).is_some_and(|link| link.kind == LinkKind::Image) && is_bare(page, &image.src);
    let lacks = |image: &Image| match image.alt.as_deref().map(str::trim) {
        None => true,
        Some("") => is_markdown(image),
        Some(_) => false,
    };
    each(
        page,
        |image| image.purpose == Purpose::Content && lacks(image),
        |image| format!("the image `{}` has no text that stands for it", short(&image.src)),
    )
    .map(|finding| finding.hint("write ![what it shows](…); for one that only decorates, <img src=\"…\" alt=\"\">"))
    .collect()
}

/// Whether the source has the image as `![](…)`: a component's argument is an image too, and says for itself.
fn is_bare(page: &Page<'_>, src: &str) -> bool {
    let text = page.link(src).zip(page.source()).and_then(|(link, source)| {
        let text = page.context.survey.text(source)?;
        text.get(link.span.start as usize..link.span.end as usize).map(str::to_owned)
    });
    text.is_some_and(|text| text.trim_start().starts_with("!["))
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
