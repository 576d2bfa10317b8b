//! Rules about images.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use crate::check::facts::Image;
use crate::check::finding::{Finding, FindingLocation};
use crate::check::page::Page;
use crate::check::resolved_url::ResolvedUrl;
use crate::parse::widen;

/// Images without a text alternative (WCAG 2.2 §1.1.1). An empty `alt` says that an image is
/// decorative: in HTML somebody wrote that, in Markdown somebody left it out.
pub(super) fn without_alt(page: &Page<'_>) -> Vec<Finding> {
    let lacks_alt = |image: &Image| {
        !image.is_decorative && image.alt.as_deref().is_none_or(|alt| alt.trim().is_empty())
    };
    if !page.facts.images.iter().any(lacks_alt) {
        return Vec::new();
    }
    let text =
        page.source().and_then(|source| page.context.dry_run.text(source)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let images =
        page.facts.images.iter().filter(|image| page.kind.is_templated() && lacks_alt(image));
    images
        .filter(|image| seen.insert((image.src.as_str(), image.alt.is_none())))
        .filter_map(|image| {
            let message = format!("the image `{}` has no alternative text", shorten(&image.src));
            let finding = Finding::new(message, location(page, image, &text)?);
            Some(finding.hint(
                "write `![what it shows](…)`, or `<img src=\"…\" alt=\"\">` if it is decorative",
            ))
        })
        .collect()
}

/// Where an image without a text alternative was written; `None` when its author marked it as
/// decorative.
fn location(page: &Page<'_>, image: &Image, text: &str) -> Option<FindingLocation> {
    let markdown = |span: &Range<usize>| {
        text.get(span.clone()).and_then(|written| written.trim_start().strip_prefix("!["))
    };
    let spans = || page.links(&image.src).map(|link| widen(&link.span));
    let file = || page.source().map(ToString::to_string).unwrap_or_default();
    if image.alt.is_none() {
        let html = spans().find(|span| markdown(span).is_none());
        return Some(html.map_or_else(
            || page.url_location(&image.src),
            |span| FindingLocation::at(&file(), span),
        ));
    }
    let without_text = spans()
        .find(|span| markdown(span).is_some_and(|rest| rest.trim_start().starts_with(']')))?;
    Some(FindingLocation::at(&file(), without_text))
}

/// Images without width and height, which shift the page when they are loaded.
pub(super) fn without_size(page: &Page<'_>) -> Vec<Finding> {
    // Another rule reports images that do not exist.
    let references = page.references.iter();
    let broken: HashSet<&str> = references
        .filter(|(_, resolved)| *resolved == ResolvedUrl::Broken)
        .map(|(reference, _)| reference.url.as_str())
        .collect();
    let exists = move |image: &Image| !broken.contains(image.src.as_str());
    each(
        page,
        move |image| !image.has_size && exists(image),
        |image| format!("the image `{}` has no width and height", shorten(&image.src)),
    )
    .map(|finding| {
        finding.hint(
            "without a size the page shifts when it is loaded; the component `figure` sets the \
             size of the site's own images",
        )
    })
    .collect()
}

/// A finding for each image for which `is_wrong` holds, once per URL.
fn each<'p>(
    page: &'p Page<'_>,
    is_wrong: impl Fn(&Image) -> bool + 'p,
    message: impl Fn(&Image) -> String + 'p,
) -> impl Iterator<Item = Finding> + 'p {
    let mut seen = BTreeSet::new();
    let images = page.facts.images.iter().filter(|_| page.kind.is_templated());
    images
        .filter(move |image| is_wrong(image) && seen.insert(image.src.as_str()))
        .map(move |image| Finding::new(message(image), page.url_location(&image.src)))
}

/// A URL that fits into a line, which a `data:` URL does not.
fn shorten(src: &str) -> String {
    if src.chars().count() <= 80 {
        src.to_owned()
    } else {
        src.chars().take(79).chain(['…']).collect()
    }
}
