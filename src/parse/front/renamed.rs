//! The keys of other tools for the same things.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::schema::Step;
use crate::schema::locate::{Locator, Place};

/// The keys of other tools, with Folio's.
const RENAMED: [(&str, &str); 13] = [
    ("categories", "category"),
    ("tag", "tags"),
    ("author", "authors"),
    ("lastmod", "updated"),
    ("last_modified_at", "updated"),
    ("modified", "updated"),
    ("expiryDate", "expires"),
    ("publishDate", "date"),
    ("url", "path"),
    ("permalink", "path"),
    ("linkTitle", "title"),
    ("redirect_from", "aliases"),
    ("sort-by", "sort_by"),
];

/// Renames the keys of other tools. If both are given, Folio's key is used.
pub(super) fn rename(mut tree: Map<String, Value>) -> Map<String, Value> {
    if let Some(published) = tree.remove("published") {
        let no = matches!(&published, Value::Bool(false))
            || published.as_i64() == Some(0)
            || published
                .as_str()
                .is_some_and(|s| ["no", "false", "off"].contains(&s.to_ascii_lowercase().as_str()));
        tree.entry("draft").or_insert(Value::Bool(no));
    }
    for (theirs, ours) in RENAMED {
        if let Some(value) = tree.remove(theirs) {
            tree.entry(ours).or_insert(value);
        }
    }
    if let Some(Value::Object(taxonomies)) = tree.get_mut("taxonomies") {
        let mut moved = Vec::new();
        for (theirs, ours) in [
            ("categories", "category"),
            ("category", "category"),
            ("tags", "tags"),
            ("tag", "tags"),
            ("authors", "authors"),
            ("author", "authors"),
            ("series", "series"),
        ] {
            moved.extend(taxonomies.remove(theirs).map(|value| (ours, value)));
        }
        for (ours, value) in moved {
            tree.entry(ours).or_insert(value);
        }
    }
    for key in ["tags", "category"] {
        split_at_commas(&mut tree, key);
    }
    if let Some(authors) = tree.get_mut("authors") {
        name_authors(authors);
    }
    tree
}

/// `tags: a, b` is a list of two.
fn split_at_commas(tree: &mut Map<String, Value>, key: &str) {
    let Some(Value::String(text)) = tree.get(key) else { return };
    if text.contains(',') {
        let parts = text.split(',').map(|part| Value::String(part.trim().to_owned())).collect();
        tree.insert(key.to_owned(), Value::Array(parts));
    }
}

/// `{name: A, email: …}` is A.
fn name_authors(authors: &mut Value) {
    match authors {
        Value::Object(map) => *authors = map.get("name").cloned().unwrap_or(Value::Null),
        Value::Array(items) => items.iter_mut().for_each(name_authors),
        _ => {}
    }
}

/// The key as the file has it, for locating problems.
pub(super) fn written(path: &[Step], locator: &Locator<'_>) -> Range<usize> {
    let direct = locator.locate(path, Place::Value);
    let Some(Step::Key(ours)) = path.first() else { return direct };
    if locator.has_key(ours) {
        return direct;
    }
    for (theirs, _) in RENAMED.iter().filter(|(_, o)| o == ours) {
        if locator.has_key(theirs) {
            let mut renamed = path.to_vec();
            renamed[0] = Step::Key((*theirs).to_owned());
            return locator.locate(&renamed, Place::Value);
        }
    }
    direct
}
