//! What the name of a file tells: a date and a title.

use crate::parse::date::{Moment, Reading, read};
use crate::paths::SourcePath;

/// The date at the start of the name of a file or bundle, `YYYY-MM-DD-`.
pub(super) fn date_from_name(source: &SourcePath) -> Option<Moment> {
    let (date, _) = split_dated_name(name(source))?;
    match read(date) {
        Reading::Whole(moment) => Some(moment),
        _ => None,
    }
}

/// A name split into its leading date and the rest.
#[must_use]
pub fn split_dated_name(name: &str) -> Option<(&str, &str)> {
    let (date, rest) = name.split_at_checked(10)?;
    let shape = date
        .bytes()
        .enumerate()
        .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    let rest = rest.strip_prefix(['-', '_'])?;
    (shape && !rest.is_empty()).then_some((date, rest))
}

/// The name of an article: that of its file, or of its folder if it is a bundle.
#[must_use]
pub fn name(source: &SourcePath) -> &str {
    match source.stem() {
        "index" | "_index" => source.parent().rsplit('/').next().unwrap_or_default(),
        stem => stem,
    }
}

/// A title from the name of the file: `2026-06-12-choosing-a_queue` → `Choosing a queue`.
#[must_use]
pub fn title_from_name(source: &SourcePath) -> String {
    if source.as_str() == "content/_index.md" || source.as_str() == "content/index.md" {
        return String::new();
    }
    let name = name(source);
    let name = split_dated_name(name).map_or(name, |(_, rest)| rest);
    let text = name.replace(['-', '_'], " ");
    let mut chars = text.trim().chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => name.to_owned(),
    }
}
