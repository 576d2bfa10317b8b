//! Footnotes: numbered in the order of their first reference, gathered at the end.

use std::collections::HashMap;

use super::writer::{Before, FrameKind, Writer};
use crate::parse::{Body, HoleKind};
use crate::paths::slugify;

/// Footnotes seen so far.
#[derive(Default)]
pub(super) struct Notes {
    /// Names in the order of their first reference.
    order: Vec<String>,
    /// How often each has been referred to.
    references: HashMap<String, usize>,
    bodies: HashMap<String, Body>,
}

impl Notes {
    /// The note's number and which reference to it this is, both from 1.
    fn refer(&mut self, name: &str) -> (usize, usize) {
        let count = self.references.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let count = *count;
        let position = self.order.iter().position(|n| n == name);
        let number = position.unwrap_or_else(|| {
            self.order.push(name.to_owned());
            self.order.len() - 1
        });
        (number + 1, count)
    }
}

/// The fragment that a note's ids are made of.
fn slug(name: &str, number: usize) -> String {
    let slug = slugify(name);
    if slug.is_empty() { number.to_string() } else { slug }
}

impl Writer<'_, '_> {
    pub(super) fn footnote_reference(&mut self, name: &str) {
        let (number, count) = self.notes.refer(name);
        let slug = slug(name, number);
        let back = if count == 1 { format!("fnref-{slug}") } else { format!("fnref-{slug}-{count}") };
        self.push(&format!("<sup class=\"footnote-ref\"><a id=\"{back}\" href=\""));
        self.body().hole(HoleKind::Here);
        self.push(&format!("#fn-{slug}\" role=\"doc-noteref\">{number}</a></sup>"));
    }

    pub(super) fn end_footnote(&mut self) {
        self.end_run();
        self.leave_container();
        let frame = self.close_frame();
        if let FrameKind::Footnote(name) = frame.kind {
            self.notes.bodies.entry(name).or_insert(frame.body);
        }
        if self.is_top_level() {
            self.before = Before::LeadsOn;
        }
    }

    /// The list of notes that were referred to.
    pub(super) fn take_notes(&mut self) -> Body {
        let mut out = Body::default();
        if self.notes.order.is_empty() {
            return out;
        }
        out.html.push_str("<section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for (i, name) in std::mem::take(&mut self.notes.order).iter().enumerate() {
            let slug = slug(name, i + 1);
            self.content.anchors.push(format!("fn-{slug}"));
            out.html.push_str(&format!("<li id=\"fn-{slug}\">\n"));
            let mut body = self.notes.bodies.remove(name).unwrap_or_default();
            let count = self.notes.references.get(name).copied().unwrap_or(0);
            add_back_links(&mut body, &slug, i + 1, count);
            out.append(body);
            out.html.push_str("</li>\n");
        }
        out.html.push_str("</ol>\n</section>\n");
        out
    }
}

/// Puts the links back to the text at the end of the note's last paragraph.
fn add_back_links(body: &mut Body, slug: &str, number: usize, count: usize) {
    let in_paragraph = body.html.ends_with("</p>\n");
    if in_paragraph {
        body.html.truncate(body.html.len() - "</p>\n".len());
    }
    for k in 1..=count {
        let back = if k == 1 { format!("fnref-{slug}") } else { format!("fnref-{slug}-{k}") };
        body.html.push_str(" <a href=\"");
        body.hole(HoleKind::Here);
        body.html.push_str(&format!("#{back}\" role=\"doc-backlink\" aria-label=\"Back to reference {number}\">↩</a>"));
    }
    body.html.push_str(if in_paragraph { "</p>\n" } else { "\n" });
}
