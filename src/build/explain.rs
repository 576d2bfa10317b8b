//! Which fields of an article have changed since the last build, for `--explain`.

use crate::parse::Doc;
use crate::paths::SourcePath;
use crate::plan::Plan;
use crate::session::{Store, read_doc};

/// The names of the fields that have changed, as front matter calls them; empty when the earlier
/// version is not stored.
pub(super) fn changed_fields(source: &SourcePath, store: &Store, plan: &Plan) -> Vec<&'static str> {
    let old = store.previous_article(source).and_then(|a| read_doc(store.pack(), a.doc));
    let new = plan.by_source.get(source).and_then(|node| plan.doc_of(*node));
    match (old, new) {
        (Some(old), Some(new)) => differences(&old, new),
        _ => Vec::new(),
    }
}

fn differences(old: &Doc, new: &Doc) -> Vec<&'static str> {
    let (a, b) = (&old.front, &new.front);
    let fields = [
        ("title", old.title != new.title),
        (
            "description",
            a.description != b.description || (b.description.is_none() && old.lead != new.lead),
        ),
        ("date", a.date != b.date),
        ("updated", a.updated != b.updated),
        ("category", a.terms.get("category") != b.terms.get("category")),
        ("tags", a.terms.get("tag") != b.terms.get("tag")),
        ("authors", a.terms.get("author") != b.terms.get("author")),
        ("series", a.terms.get("series") != b.terms.get("series")),
        ("URL", a.path != b.path || a.slug != b.slug),
        ("image", a.image != b.image),
        ("draft", a.draft != b.draft),
        ("weight", a.weight != b.weight),
        ("sponsored", a.sponsored != b.sponsored),
        ("extra", a.extra != b.extra),
        ("text", old.words != new.words || old.outline != new.outline),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
