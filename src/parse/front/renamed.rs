//! Other tools' names for our keys.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::schema::Step;
use crate::schema::locate::{Place, Syntax, locate};

/// Other tools' names for ours.
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

/// Takes other tools' keys as ours; our own key wins where both are given.
pub(super) fn rename(mut tree: Map<String, Value>) -> Map<String, Value> {
    if let Some(published) = tree.remove("published") {
        let no = matches!(&published, Value::Bool(false))
            || published.as_i64() == Some(0)
            || published.as_str().is_some_and(|s| ["no", "false", "off"].contains(&s.to_ascii_lowercase().as_str()));
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

/// The key as the file has it, for looking a problem's place up.
pub(super) fn written(path: &[Step], text: &str, syntax: Syntax) -> Range<usize> {
    let direct = locate(text, syntax, path, Place::Value);
    let Some(Step::Key(ours)) = path.first() else { return direct };
    if has_key(text, ours) {
        return direct;
    }
    for (theirs, _) in RENAMED.iter().filter(|(_, o)| o == ours) {
        if has_key(text, theirs) {
            let mut renamed = path.to_vec();
            renamed[0] = Step::Key((*theirs).to_owned());
            return locate(text, syntax, &renamed, Place::Value);
        }
    }
    direct
}

fn has_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with([':', '='])))
}
