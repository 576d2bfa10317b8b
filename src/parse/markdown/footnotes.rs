//! The footnotes of a text: numbered in the order of their first reference, and listed at the end.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use pulldown_cmark_escape::escape_html;

use crate::language::Language;
use crate::parse::body::{Body, HoleKind};
use crate::parse::heading::Ids;
use crate::paths::encode_fragment;

/// The footnotes that were read so far.
#[derive(Default)]
pub(super) struct Notes {
    /// The notes that the text refers to, directly or through another note. The others are left
    /// out.
    reachable: HashSet<String>,
    /// Names in the order of their first reference.
    order: Vec<String>,
    known: HashMap<String, Note>,
}

#[derive(Default)]
struct Note {
    /// From 1, in the order of first references.
    number: usize,
    id: String,
    /// The ids of the references to the note.
    references: Vec<String>,
    body: Body,
}

/// A reference to a note, as it is written in the text.
pub(super) struct Reference {
    /// The number of the note, from 1.
    pub number: usize,
    /// The id of the note.
    pub note_id: String,
    /// The id of the reference, which the note links back to.
    pub id: String,
}

impl Notes {
    pub(super) fn new(reachable: HashSet<String>) -> Self {
        Self { reachable, ..Self::default() }
    }

    pub(super) fn is_shown(&self, name: &str) -> bool {
        self.reachable.contains(name)
    }

    /// Adds a reference to a note; `None` for a note that is not shown. The first reference to a
    /// note fixes its number.
    pub(super) fn add_reference(&mut self, name: &str, ids: &mut Ids) -> Option<Reference> {
        if !self.is_shown(name) {
            return None;
        }
        let note = self.known.entry(name.to_owned()).or_default();
        if note.number == 0 {
            self.order.push(name.to_owned());
            note.number = self.order.len();
            let slug = ids.slug(name);
            let suffix = if slug.is_empty() { note.number.to_string() } else { slug };
            note.id = ids.give(Some(&format!("fn-{suffix}")), "");
        }
        let id = ids.give(Some(&note.id.replacen("fn-", "fnref-", 1)), "");
        note.references.push(id.clone());
        Some(Reference { number: note.number, note_id: note.id.clone(), id })
    }

    /// Sets the text of a note.
    pub(super) fn define(&mut self, name: String, body: Body) {
        self.known.entry(name).or_default().body = body;
    }

    /// The list of the notes, with links back to the text, and the ids of the notes.
    pub(super) fn into_list(mut self, texts: &Language) -> (Body, Vec<String>) {
        let (mut out, mut ids) = (Body::default(), Vec::new());
        if self.order.is_empty() {
            return (out, ids);
        }
        out.html.push_str("<section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"");
        escape_into(&mut out.html, texts.text("footnotes"));
        out.html.push_str("\">\n<ol>\n");
        for name in &self.order {
            let Some(mut note) = self.known.remove(name) else { continue };
            out.html.push_str(&format!("<li id=\"{}\">\n", note.id));
            add_back_links(&mut note.body, note.number, &note.references, texts);
            out.append(note.body);
            out.html.push_str("</li>\n");
            ids.push(note.id);
        }
        out.html.push_str("</ol>\n</section>\n");
        (out, ids)
    }
}

/// The notes that are reachable from the text outside of notes.
pub(super) fn reachable(markdown: &str, options: Options) -> HashSet<String> {
    let mut found = HashSet::new();
    if !markdown.contains("[^") {
        return found;
    }
    let mut leads: HashMap<Option<String>, Vec<String>> = HashMap::new();
    let mut inside: Vec<String> = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Start(Tag::FootnoteDefinition(name)) => inside.push(name.into_string()),
            Event::End(TagEnd::FootnoteDefinition) => {
                inside.pop();
            }
            Event::FootnoteReference(name) => {
                leads.entry(inside.last().cloned()).or_default().push(name.into_string());
            }
            _ => {}
        }
    }
    let mut open = leads.remove(&None).unwrap_or_default();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(leads.remove(&Some(name)).unwrap_or_default());
        }
    }
    found
}

/// Adds a text of the language to HTML.
fn escape_into(html: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = escape_html(html, text);
}

/// Adds the links back to the text at the end of the last paragraph of the note.
fn add_back_links(body: &mut Body, number: usize, references: &[String], texts: &Language) {
    let values = [("number", number.to_string())];
    let label = texts.translate("back_to_reference", None, &values).unwrap_or_default();
    let hole_at_end = body.holes.last().is_some_and(|h| h.at as usize == body.html.len());
    let in_paragraph = body.html.ends_with("</p>\n") && !hole_at_end;
    if in_paragraph {
        body.html.truncate(body.html.len() - "</p>\n".len());
    }
    for back in references {
        body.html.push_str(" <a href=\"");
        body.hole(HoleKind::Here);
        body.html
            .push_str(&format!("#{}\" role=\"doc-backlink\" aria-label=\"", encode_fragment(back)));
        escape_into(&mut body.html, &label);
        body.html.push_str("\">↩</a>");
    }
    body.html.push_str(if in_paragraph { "</p>\n" } else { "\n" });
}
