//! What rendering reads besides the plan: bodies from the pack, files from the disk, marks from the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{Entry, Handles};
use crate::diag::Diagnostic;
use crate::load::Disk;
use crate::memo::{Mark, Pack};
use crate::parse::Body;
use crate::paths::SourcePath;
use crate::plan::{Node, Plan};
use crate::render::Inputs;

pub(super) struct Stored {
    disk: Disk,
    pack: Arc<Pack>,
    pages: Vec<Option<Handles>>,
    sections: Vec<Option<Handles>>,
    marks: BTreeMap<SourcePath, Mark>,
}

impl Stored {
    pub(super) fn new(disk: Disk, pack: Arc<Pack>, plan: &Plan, files: &BTreeMap<SourcePath, Entry>) -> Self {
        let handles = |source: &SourcePath| files.get(source).and_then(|e| e.parsed);
        Self {
            disk,
            pack,
            pages: plan.pages.iter().map(|p| handles(&p.doc.source)).collect(),
            sections: plan.sections.iter().map(|s| s.doc.as_ref().and_then(|d| handles(&d.source))).collect(),
            marks: files.iter().filter(|(_, e)| e.parsed.is_none()).map(|(path, e)| (path.clone(), e.mark)).collect(),
        }
    }

    fn handles(&self, node: Node) -> Option<Handles> {
        match node {
            Node::Page(id) => self.pages.get(id).copied().flatten(),
            Node::Section(id) => self.sections.get(id).copied().flatten(),
        }
    }
}

impl Inputs for Stored {
    fn body(&self, node: Node) -> Result<Body, Diagnostic> {
        let Some(handles) = self.handles(node) else { return Ok(Body::default()) };
        let unreadable = |why: String| Diagnostic::error(format!("a parsed article cannot be read back: {why}")).hint("build with --no-cache");
        let bytes = self.pack.get(handles.body).map_err(|e| unreadable(e.to_string()))?;
        Body::from_bytes(&bytes).ok_or_else(|| unreadable("it is no article".into()))
    }

    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        self.disk.bytes_if_there(path)
    }

    fn body_mark(&self, node: Node) -> Mark {
        self.handles(node).map(|h| h.body.mark()).unwrap_or_default()
    }

    fn mark(&self, path: &SourcePath) -> Option<Mark> {
        self.marks.get(path).copied()
    }
}
