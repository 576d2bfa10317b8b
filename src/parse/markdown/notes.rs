//! Footnotes: numbered in the order of their first reference, gathered at the end.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::writer::{Before, FrameKind, Writer};
use crate::parse::{Body, HoleKind};
use crate::paths::slugify;

/// Footnotes seen so far.
#[derive(Default)]
pub(super) struct Notes {
    /// Notes that the text leads to, directly or through another note; the others are left out.
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
    /// The ids of the references to it.
    references: Vec<String>,
    body: Body,
}

impl Notes {
    pub(super) fn new(reachable: HashSet<String>) -> Self {
        Self { reachable, ..Self::default() }
    }

    pub(super) fn is_shown(&self, name: &str) -> bool {
        self.reachable.contains(name)
    }
}

/// The notes that can be reached from the text outside of notes.
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
            Event::FootnoteReference(name) => leads.entry(inside.last().cloned()).or_default().push(name.into_string()),
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

impl Writer<'_, '_> {
    pub(super) fn footnote_reference(&mut self, name: &str) {
        if !self.notes.is_shown(name) {
            return;
        }
        if self.notes.known.get(name).is_none_or(|n| n.number == 0) {
            self.notes.order.push(name.to_owned());
            let number = self.notes.order.len();
            let slug = slugify(name);
            let id = self.ids.give(Some(&format!("fn-{}", if slug.is_empty() { number.to_string() } else { slug })), "");
            let note = self.notes.known.entry(name.to_owned()).or_default();
            (note.number, note.id) = (number, id);
        }
        let Some(note) = self.notes.known.get_mut(name) else { return };
        let back = self.ids.give(Some(&note.id.replacen("fn-", "fnref-", 1)), "");
        note.references.push(back.clone());
        let (number, id) = (note.number, note.id.clone());
        self.push(&format!("<sup class=\"footnote-ref\"><a id=\"{back}\" href=\""));
        self.body().hole(HoleKind::Here);
        self.push(&format!("#{id}\" role=\"doc-noteref\">{number}</a></sup>"));
    }

    pub(super) fn start_footnote(&mut self, name: String) {
        self.end_run();
        self.containers += 1;
        let before = (self.content.outline.len(), self.content.anchors.len());
        self.open_frame(FrameKind::Footnote { name, before });
    }

    pub(super) fn end_footnote(&mut self) {
        self.end_run();
        self.leave_container();
        let frame = self.close_frame();
        let FrameKind::Footnote { name, before } = frame.kind else { return };
        if self.notes.is_shown(&name) {
            self.notes.known.entry(name).or_default().body = frame.body;
        } else {
            // What is not shown leads nowhere.
            self.content.outline.truncate(before.0);
            self.content.anchors.truncate(before.1);
        }
        if self.is_top_level() {
            self.before = Before::LeadsOn;
        }
    }

    /// The list of notes that were referred to.
    pub(super) fn take_notes(&mut self) -> Body {
        let mut out = Body::default();
        let notes = std::mem::take(&mut self.notes);
        if notes.order.is_empty() {
            return out;
        }
        let mut known = notes.known;
        out.html.push_str("<section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for name in &notes.order {
            let Some(mut note) = known.remove(name) else { continue };
            self.content.anchors.push(note.id.clone());
            out.html.push_str(&format!("<li id=\"{}\">\n", note.id));
            add_back_links(&mut note.body, note.number, &note.references);
            out.append(note.body);
            out.html.push_str("</li>\n");
        }
        out.html.push_str("</ol>\n</section>\n");
        out
    }
}

/// Puts the links back to the text at the end of the note's last paragraph.
fn add_back_links(body: &mut Body, number: usize, references: &[String]) {
    let hole_at_end = body.holes.last().is_some_and(|h| h.at as usize == body.html.len());
    let in_paragraph = body.html.ends_with("</p>\n") && !hole_at_end;
    if in_paragraph {
        body.html.truncate(body.html.len() - "</p>\n".len());
    }
    for back in references {
        body.html.push_str(" <a href=\"");
        body.hole(HoleKind::Here);
        body.html.push_str(&format!("#{back}\" role=\"doc-backlink\" aria-label=\"Back to reference {number}\">↩</a>"));
    }
    body.html.push_str(if in_paragraph { "</p>\n" } else { "\n" });
}
