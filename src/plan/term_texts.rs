//! The texts of terms and taxonomies: Markdown files in the folder that is named like the first
//! part of a taxonomy's routes, such as `content/authors/ida.md` and `content/authors/_index.md`.
//!
//! They are set apart before sections and pages are made of the other files, and attached to the
//! terms once these are known. While no article has a term of the taxonomy, its folder is a section
//! like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{Node, Plan, TermText, TermTextId};
use super::routes;
use super::slugs::{section_folder, taxonomy_slug};
use crate::config::Config;
use crate::diag::{Diagnostic, Report};
use crate::parse::Doc;

/// Taxonomy → slug of a term → its text. The text of the taxonomy itself has an empty slug.
pub(super) type TermTexts = BTreeMap<String, BTreeMap<String, Arc<Doc>>>;

/// Takes the texts of terms out of the files of pages and sections.
pub(super) fn set_apart(
    pages: &mut Vec<Arc<Doc>>,
    sections: &mut Vec<Arc<Doc>>,
    config: &Config,
) -> TermTexts {
    let mut texts = TermTexts::new();
    for (name, settings) in &config.taxonomies {
        let has_term = |doc: &Arc<Doc>| doc.front.terms.get(name).is_some_and(|t| !t.is_empty());
        if !settings.render || !pages.iter().any(has_term) {
            continue;
        }
        let folder = taxonomy_slug(name, config);
        let own = texts.entry(name.clone()).or_default();
        sections.retain(|doc| {
            let is_its = doc.source.parent().strip_prefix("content/") == Some(&*folder);
            if is_its {
                own.insert(String::new(), Arc::clone(doc));
            }
            !is_its
        });
        pages.retain(|doc| {
            let is_its = section_folder(&doc.source) == folder;
            if is_its {
                own.insert(routes::slug(doc, config), Arc::clone(doc));
            }
            !is_its
        });
    }
    texts
}

/// Gives the terms of the plan their texts. A text without a term is reported.
pub(super) fn attach(plan: &mut Plan, mut texts: TermTexts, report: &mut Report) {
    let mut taxonomies = std::mem::take(&mut plan.taxonomies);
    for taxonomy in &mut taxonomies {
        let Some(own) = texts.get_mut(&taxonomy.name) else { continue };
        taxonomy.text = own.remove("").map(|doc| add(plan, doc, &taxonomy.route));
        for term in &mut taxonomy.terms {
            let slug = term.route.as_str().trim_end_matches('/').rsplit('/').next();
            let doc = slug.and_then(|slug| own.remove(slug));
            term.text = doc.map(|doc| add(plan, doc, &term.route));
        }
    }
    plan.taxonomies = taxonomies;
    // An article with errors may have the term.
    let reported = texts.iter().filter(|_| !plan.is_incomplete());
    for (taxonomy, unused) in reported {
        for doc in unused.values() {
            let warning = Diagnostic::warning(format!(
                "no article has the {taxonomy} of this text, which is not published"
            ));
            let hint = format!("name the file like the URL of a {taxonomy}, or set its `slug`");
            report.push(warning.in_file(doc.source.as_str()).at(0..0).hint(hint));
        }
    }
}

fn add(plan: &mut Plan, doc: Arc<Doc>, route: &crate::paths::Route) -> TermTextId {
    let id = plan.term_texts.len();
    plan.by_source.insert(doc.source.clone(), Node::Term(id));
    plan.term_texts.push(TermText { doc, route: route.clone() });
    id
}
