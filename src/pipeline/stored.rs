//! What rendering reads besides the plan: bodies from the pack, files from the disk, marks from the table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::files::{Entry, Handles};
use crate::diag::Diagnostic;
use crate::load::Disk;
use crate::memo::{Mark, Pack};
use crate::parse::{self, Body, Memo, Settings};
use crate::paths::SourcePath;
use crate::plan::{Node, Plan};
use crate::render::Inputs;

pub(super) struct Stored {
    disk: Disk,
    pack: Arc<Pack>,
    pages: Vec<Option<Handles>>,
    sections: Vec<Option<Handles>>,
    marks: BTreeMap<SourcePath, Mark>,
    /// The files of pages and sections, and how they are read, for when the pack cannot give a body.
    sources: [Vec<Option<SourcePath>>; 2],
    settings: Settings,
    /// Whether a file was found to have changed since it was marked.
    moved: Arc<AtomicBool>,
}

impl Stored {
    pub(super) fn new(
        disk: Disk,
        pack: Arc<Pack>,
        plan: &Plan,
        files: &BTreeMap<SourcePath, Entry>,
        settings: Settings,
        moved: Arc<AtomicBool>,
    ) -> Self {
        let handles = |source: &SourcePath| files.get(source).and_then(|e| e.parsed);
        Self {
            disk,
            pack,
            pages: plan.pages.iter().map(|p| handles(&p.doc.source)).collect(),
            sections: plan.sections.iter().map(|s| s.doc.as_ref().and_then(|d| handles(&d.source))).collect(),
            marks: files.iter().filter(|(_, e)| e.parsed.is_none()).map(|(path, e)| (path.clone(), e.mark)).collect(),
            sources: [
                plan.pages.iter().map(|p| Some(p.doc.source.clone())).collect(),
                plan.sections.iter().map(|s| s.doc.as_ref().map(|d| d.source.clone())).collect(),
            ],
            settings,
            moved,
        }
    }

    fn handles(&self, node: Node) -> Option<Handles> {
        match node {
            Node::Page(id) => self.pages.get(id).copied().flatten(),
            Node::Section(id) => self.sections.get(id).copied().flatten(),
        }
    }
}

impl Stored {
    /// The pack is damaged: the file itself still says what is in it.
    fn parse_again(&self, node: Node) -> Result<Body, Diagnostic> {
        let (list, id) = match node {
            Node::Page(id) => (&self.sources[0], id),
            Node::Section(id) => (&self.sources[1], id),
        };
        let Some(source) = list.get(id).and_then(Option::as_ref) else { return Ok(Body::default()) };
        let text = self.disk.text(source)?;
        Ok(parse::parse(source, &text, &self.settings, &mut Memo::default()).body)
    }
}

impl Inputs for Stored {
    fn body(&self, node: Node) -> Result<Body, Diagnostic> {
        let Some(handles) = self.handles(node) else { return Ok(Body::default()) };
        let kept = self.pack.get(handles.body).ok().and_then(|bytes| Body::from_bytes(&bytes));
        kept.map_or_else(|| self.parse_again(node), Ok)
    }

    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        let bytes = self.disk.bytes_if_there(path)?;
        if self.marks.get(path).copied() != bytes.as_ref().map(|b| Mark::of(b)) {
            self.moved.store(true, Ordering::Relaxed);
        }
        Ok(bytes)
    }

    fn doc_mark(&self, node: Node) -> Mark {
        self.handles(node).map(|h| h.doc.mark()).unwrap_or_default()
    }

    fn body_mark(&self, node: Node) -> Mark {
        self.handles(node).map(|h| h.body.mark()).unwrap_or_default()
    }

    fn mark(&self, path: &SourcePath) -> Option<Mark> {
        self.marks.get(path).copied()
    }
}
