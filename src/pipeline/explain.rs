//! What about an article has changed since the last build, in the words of its front matter.

use super::files::Store;
use super::parsing;
use crate::parse::Doc;
use crate::paths::SourcePath;
use crate::plan::{Node, Plan};

/// The names of what has changed; none when that is not known.
pub(super) fn changed(source: &SourcePath, store: &Store, plan: &Plan) -> Vec<&'static str> {
    let Some(old) = store.before(source).and_then(|handles| parsing::doc(&store.pack, handles.doc)) else { return Vec::new() };
    let new = match plan.by_source.get(source) {
        Some(Node::Page(id)) => &plan.pages[*id].doc,
        Some(Node::Section(id)) => match &plan.sections[*id].doc {
            Some(doc) => doc,
            None => return Vec::new(),
        },
        None => return Vec::new(),
    };
    differences(&old, new)
}

fn differences(old: &Doc, new: &Doc) -> Vec<&'static str> {
    let (a, b) = (&old.front, &new.front);
    let fields = [
        ("title", old.title != new.title),
        ("description", a.description != b.description || (b.description.is_none() && old.lead != new.lead)),
        ("date", a.date != b.date),
        ("updated", a.updated != b.updated),
        ("category", a.terms.get("category") != b.terms.get("category")),
        ("tags", a.terms.get("tag") != b.terms.get("tag")),
        ("authors", a.terms.get("author") != b.terms.get("author")),
        ("series", a.terms.get("series") != b.terms.get("series")),
        ("address", a.path != b.path || a.slug != b.slug),
        ("image", a.image != b.image),
        ("draft", a.draft != b.draft),
        ("weight", a.weight != b.weight),
        ("sponsored", a.sponsored != b.sponsored),
        ("extra", a.extra != b.extra),
        ("text", old.words != new.words || old.outline != new.outline),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
