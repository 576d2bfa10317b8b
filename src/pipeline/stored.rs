//! What rendering reads besides the plan: bodies from the pack, files from the disk, marks from the table.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::files::{Entry, Handles};
use crate::diag::Diagnostic;
use crate::load::Disk;
use crate::memo::{Mark, Pack};
use crate::parse::{self, Body, Doc, Memo, Parsed, Postponed, Settings};
use crate::paths::SourcePath;
use crate::plan::{Node, Plan};
use crate::render::Inputs;

pub(super) struct Stored {
    disk: Disk,
    pack: Arc<Pack>,
    table: Arc<RwLock<Table>>,
    /// The files of pages and sections, and how they are read, for when the pack cannot give a body.
    sources: [Vec<Option<SourcePath>>; 2],
    settings: Settings,
    /// Whether a file was found to have changed since it was marked.
    moved: Arc<AtomicBool>,
}

/// What is known of the files behind a plan.
#[derive(Debug)]
pub(super) struct Table {
    pages: Vec<Option<Handles>>,
    sections: Vec<Option<Handles>>,
    /// Of every file but articles.
    marks: BTreeMap<SourcePath, Mark>,
}

impl Table {
    /// `handles` gives what was parsed of a file, and `files` the marks of all of them.
    pub(super) fn new(plan: &Plan, files: &BTreeMap<SourcePath, Entry>, handles: impl Fn(&SourcePath) -> Option<Handles>) -> Self {
        Self {
            pages: plan.pages.iter().map(|p| handles(&p.doc.source)).collect(),
            sections: plan.sections.iter().map(|s| s.doc.as_ref().and_then(|d| handles(&d.source))).collect(),
            marks: files.iter().filter(|(_, e)| e.parsed.is_none()).map(|(path, e)| (path.clone(), e.mark)).collect(),
        }
    }

    /// Takes in that an article was parsed anew.
    pub(super) fn put(&mut self, node: Node, handles: Handles) {
        let slot = match node {
            Node::Page(id) => self.pages.get_mut(id),
            Node::Section(id) => self.sections.get_mut(id),
        };
        if let Some(slot) = slot {
            *slot = Some(handles);
        }
    }

    /// Takes in that a file has another content, or is gone.
    pub(super) fn mark(&mut self, path: &SourcePath, mark: Option<Mark>) {
        match mark {
            Some(mark) => self.marks.insert(path.clone(), mark),
            None => self.marks.remove(path),
        };
    }

    fn handles(&self, node: Node) -> Option<Handles> {
        match node {
            Node::Page(id) => self.pages.get(id).copied().flatten(),
            Node::Section(id) => self.sections.get(id).copied().flatten(),
        }
    }
}

impl Stored {
    pub(super) fn new(disk: Disk, pack: Arc<Pack>, plan: &Plan, table: Arc<RwLock<Table>>, settings: Settings, moved: Arc<AtomicBool>) -> Self {
        Self {
            disk,
            pack,
            table,
            sources: [
                plan.pages.iter().map(|p| Some(p.doc.source.clone())).collect(),
                plan.sections.iter().map(|s| s.doc.as_ref().map(|d| d.source.clone())).collect(),
            ],
            settings,
            moved,
        }
    }

    fn table(&self) -> std::sync::RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pack is damaged, or holds the code plain: the file itself still says what is in it.
    fn parse_again(&self, node: Node) -> Result<Parsed, Diagnostic> {
        let (list, id) = match node {
            Node::Page(id) => (&self.sources[0], id),
            Node::Section(id) => (&self.sources[1], id),
        };
        let source = list.get(id).and_then(Option::as_ref).ok_or_else(|| Diagnostic::error("this section has no text"))?;
        let text = self.disk.text(source)?;
        Ok(parse::parse(source, &text, &self.settings, &mut Memo::default()))
    }
}

/// The mark of a document as it is stored.
fn mark_of(doc: &Doc) -> Option<Mark> {
    postcard::to_stdvec(doc).ok().map(|bytes| Mark::of(&bytes))
}

impl Inputs for Stored {
    fn body(&self, node: Node) -> Result<Body, Diagnostic> {
        let Some(handles) = self.table().handles(node) else { return Ok(Body::default()) };
        let kept = || self.pack.get(handles.body).ok().and_then(|bytes| Body::from_bytes(&bytes));
        if handles.postponed == Postponed::Code {
            // A file that has changed since says what another document means; then the code stays plain for a while.
            let whole = self.parse_again(node).ok().filter(|parsed| mark_of(&parsed.doc) == Some(handles.doc.mark()));
            if let Some(body) = whole.map(|parsed| parsed.body).or_else(kept) {
                return Ok(body);
            }
        }
        kept().map_or_else(|| self.parse_again(node).map(|parsed| parsed.body), Ok)
    }

    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        let bytes = self.disk.bytes_if_there(path)?;
        if self.mark(path) != bytes.as_ref().map(|b| Mark::of(b)) {
            self.moved.store(true, Ordering::Relaxed);
        }
        Ok(bytes)
    }

    fn doc_mark(&self, node: Node) -> Mark {
        self.table().handles(node).map(|h| h.doc.mark()).unwrap_or_default()
    }

    fn body_mark(&self, node: Node) -> Mark {
        self.table().handles(node).map(|h| h.body.mark()).unwrap_or_default()
    }

    fn mark(&self, path: &SourcePath) -> Option<Mark> {
        self.table().marks.get(path).copied()
    }
}
