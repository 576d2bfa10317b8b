//! Finds markup that Markdown leaves as literal text: the syntax of other tools, references to
//! footnotes without a definition, and links that are not read as links.
//!
//! [`scan`] searches the text without parsing it, which costs little when there is nothing to find.
//! Only then are the [`Regions`] computed, to leave out code. The result is warnings; this module
//! must not change what is rendered.

mod found;
mod kind;
mod scan;

use std::collections::BTreeMap;
use std::ops::Range;

use super::regions::{Regions, contains};
use super::remark::Remark;
use crate::diag::{MAX_SUGGESTIONS, nearest, single_line};

use found::{Found, What};
use kind::Kind;

pub(super) use found::Search;
pub(super) use kind::is_diagram;

/// The warnings about literal markup: one for each kind of foreign syntax, with every place, and
/// one for each footnote and link.
pub(super) fn remarks<'r>(
    search: &Search<'_>,
    regions: impl FnOnce() -> &'r Regions,
) -> Vec<Remark> {
    let mut found = scan::find(search);
    if found.is_empty() {
        return Vec::new();
    }
    let regions = regions();
    found.retain(|found| is_literal(found, regions, search));
    let mut by_kind: BTreeMap<Kind, Vec<Range<usize>>> = BTreeMap::new();
    let mut remarks = Vec::new();
    let mut footnotes = 0;
    for Found { what, range } in found {
        match what {
            What::Foreign(kind) => by_kind.entry(kind).or_default().push(range),
            What::Footnote => {
                footnotes += 1;
                let known = if footnotes > MAX_SUGGESTIONS { &[] } else { &*regions.footnotes };
                remarks.push(undefined_footnote(search.text, range, known));
            }
            What::Link => remarks.push(link_with_spaces(search.text, range)),
        }
    }
    remarks.extend(by_kind.into_iter().map(|(kind, places)| foreign(kind, &places, search.text)));
    remarks.sort_by_key(|remark| remark.span.start);
    remarks
}

fn is_literal(found: &Found, regions: &Regions, search: &Search<'_>) -> bool {
    let at = found.range.start;
    if contains(search.components, at) {
        return false;
    }
    if found.what == What::Foreign(Kind::Diagram) {
        return regions.is_fence(at);
    }
    if regions.is_verbatim(at) {
        return false;
    }
    match found.what {
        What::Foreign(Kind::CapitalTag) => regions.is_html(at) || is_jsx(&search.text[at..]),
        // A reference link in brackets.
        What::Foreign(Kind::WikiLink | Kind::WikiEmbed | Kind::WordPress) => {
            !regions.is_link(at) && !regions.is_link(at + 1) && !regions.is_link(at + 2)
        }
        What::Footnote => !regions.is_footnote_reference(at),
        What::Link => !regions.is_link(at),
        // In the text of a link it is shown; in its URL it is part of it.
        What::Foreign(_) => !regions.is_html(at) && !is_in_url(search.text, found, regions),
    }
}

/// Whether a place is in the URL of a link: directly before it, there is no white space since the
/// `(` or `<` at which the URL starts.
fn is_in_url(text: &str, found: &Found, regions: &Regions) -> bool {
    let start = found.range.start;
    let before = &text[..start];
    let word = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    regions.is_link(start) && before[word..].contains(['(', '<'])
}

/// Whether a capitalised tag that is not HTML is JSX, which is the case if it has a value in
/// braces.
fn is_jsx(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    line.split_once('>').is_some_and(|(tag, _)| tag.contains("={"))
}

fn foreign(kind: Kind, places: &[Range<usize>], text: &str) -> Remark {
    const MAX_SAMPLE: usize = 40;
    let first = places[0].clone();
    let sample = single_line(&text[first.clone()], MAX_SAMPLE).replace('`', "'");
    let message = format!("{}{}", kind.problem(&sample), other_places(places, text));
    Remark::new(message, first).hint(kind.help())
}

/// `" (3 places, on lines 4, 9 and 12)"`; nothing for one place.
fn other_places(places: &[Range<usize>], text: &str) -> String {
    const MAX_LINES: usize = 5;
    if places.len() < 2 {
        return String::new();
    }
    let mut lines: Vec<usize> = Vec::new();
    let (mut line, mut from) = (1, 0);
    for place in places {
        line += text[from..place.start].matches('\n').count();
        from = place.start;
        if lines.last() != Some(&line) {
            lines.push(line);
        }
        if lines.len() > MAX_LINES {
            break;
        }
    }
    let count = places.len();
    let list: Vec<String> = lines.iter().take(MAX_LINES).map(ToString::to_string).collect();
    match list.as_slice() {
        [line] => format!(" ({count} places on line {line})"),
        _ if lines.len() > MAX_LINES => {
            format!(" ({count} places, on lines {} and further ones)", list.join(", "))
        }
        [rest @ .., last] => format!(" ({count} places, on lines {} and {last})", rest.join(", ")),
        [] => String::new(),
    }
}

fn undefined_footnote(text: &str, range: Range<usize>, known: &[String]) -> Remark {
    let name = text[range.clone()].trim_start_matches("[^").trim_end_matches(']');
    let remark = Remark::new(format!("footnote `{name}` has no definition"), range);
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => remark.hint(format!("did you mean `[^{near}]`?")),
        None => remark.hint(format!("add a line `[^{name}]: …` to the article")),
    }
}

fn link_with_spaces(text: &str, range: Range<usize>) -> Remark {
    let url = text[range.clone()].rsplit_once("](").map_or("", |(_, url)| url);
    let url = url.trim_end_matches(')').trim();
    let what = if text[..range.start].ends_with('!') { "image" } else { "link" };
    Remark::new(
        format!("this {what} is shown as text, because its URL contains white space"),
        range,
    )
    .hint(format!("write the URL in angle brackets, `(<{url}>)`, or with `%20` for each space"))
}
