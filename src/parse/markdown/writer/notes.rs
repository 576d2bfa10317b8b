//! Writes references to footnotes, and reads their definitions.

use super::{Before, FrameKind, Writer};
use crate::parse::body::{Body, HoleKind};
use crate::paths::encode_fragment;

impl Writer<'_, '_> {
    pub(super) fn footnote_reference(&mut self, name: &str) {
        let Some(reference) = self.notes.add_reference(name, &mut self.ids) else { return };
        self.push(&format!("<sup class=\"footnote-ref\"><a id=\"{}\" href=\"", reference.id));
        self.body().hole(HoleKind::Here);
        let (id, number) = (encode_fragment(&reference.note_id), reference.number);
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
            self.notes.define(name, frame.body);
        } else {
            // The headings and anchors of a note that is not shown do not exist on the page.
            self.content.outline.truncate(before.0);
            self.content.anchors.truncate(before.1);
        }
        if self.is_top_level() {
            self.before = Before::LeadsOn;
        }
    }

    /// The list of footnotes.
    pub(super) fn take_notes(&mut self) -> Body {
        let (list, ids) = std::mem::take(&mut self.notes).into_list(&self.cx.settings.texts);
        self.content.anchors.extend(ids);
        list
    }
}
