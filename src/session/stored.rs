//! What rendering reads besides the plan: article bodies from the pack, other files from the disk,
//! and the fingerprints of both.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::files::{ArticleHandles, FileTable};
use crate::cache::{Fingerprint, Pack};
use crate::dependencies::ContentFingerprints;
use crate::diag::Diagnostic;
use crate::load::Disk;
use crate::parse::{self, Body, Doc, HighlightCache, Highlighting, ParseOutput, Settings};
use crate::paths::SourcePath;
use crate::plan::{Node, Plan};
use crate::render::Inputs;

/// Where the articles of a plan are stored, and the fingerprints of the other files.
#[derive(Debug)]
pub struct ContentTable {
    pages: Vec<Option<ArticleHandles>>,
    sections: Vec<Option<ArticleHandles>>,
    term_texts: Vec<Option<ArticleHandles>>,
    /// Every file except articles.
    files: std::collections::BTreeMap<SourcePath, Fingerprint>,
}

impl ContentTable {
    /// The table of a plan. `handles` returns where an article is stored.
    pub fn new(
        plan: &Plan,
        files: &FileTable,
        handles: impl Fn(&SourcePath) -> Option<ArticleHandles>,
    ) -> Self {
        let section_handles = |doc: &Option<Arc<Doc>>| handles(&doc.as_ref()?.source);
        Self {
            pages: plan.pages.iter().map(|p| handles(&p.doc.source)).collect(),
            sections: plan.sections.iter().map(|s| section_handles(&s.doc)).collect(),
            term_texts: plan.term_texts.iter().map(|t| handles(&t.doc.source)).collect(),
            files: files
                .iter()
                .filter(|(_, entry)| entry.article.is_none())
                .map(|(path, entry)| (path.clone(), entry.fingerprint))
                .collect(),
        }
    }

    /// Records where an article is stored after it was parsed again.
    pub fn set_article(&mut self, node: Node, handles: ArticleHandles) {
        let slot = match node {
            Node::Page(id) => self.pages.get_mut(id),
            Node::Section(id) => self.sections.get_mut(id),
            Node::Term(id) => self.term_texts.get_mut(id),
        };
        if let Some(slot) = slot {
            *slot = Some(handles);
        }
    }

    /// Records a file's new content, or that the file was removed.
    pub fn set_file(&mut self, path: &SourcePath, fingerprint: Option<Fingerprint>) {
        match fingerprint {
            Some(fingerprint) => self.files.insert(path.clone(), fingerprint),
            None => self.files.remove(path),
        };
    }

    fn article(&self, node: Node) -> Option<ArticleHandles> {
        match node {
            Node::Page(id) => self.pages.get(id).copied().flatten(),
            Node::Section(id) => self.sections.get(id).copied().flatten(),
            Node::Term(id) => self.term_texts.get(id).copied().flatten(),
        }
    }
}

impl ContentFingerprints for RwLock<ContentTable> {
    fn document(&self, node: Node) -> Fingerprint {
        self.read().article(node).map(|a| a.doc.fingerprint()).unwrap_or_default()
    }

    fn body(&self, node: Node) -> Fingerprint {
        self.read().article(node).map(|a| a.body.fingerprint()).unwrap_or_default()
    }

    fn file(&self, path: &SourcePath) -> Option<Fingerprint> {
        self.read().files.get(path).copied()
    }
}

/// The inputs of rendering.
pub struct StoredInputs {
    disk: Disk,
    pack: Arc<Pack>,
    table: Arc<RwLock<ContentTable>>,
    page_sources: Vec<SourcePath>,
    section_sources: Vec<Option<SourcePath>>,
    term_text_sources: Vec<SourcePath>,
    /// How articles are parsed when the pack cannot return a body.
    settings: Settings,
    changed: Arc<AtomicBool>,
}

impl StoredInputs {
    /// `changed` is set when a file is found to have changed since it was fingerprinted.
    #[must_use]
    pub fn new(
        disk: Disk,
        pack: Arc<Pack>,
        plan: &Plan,
        table: Arc<RwLock<ContentTable>>,
        settings: Settings,
        changed: Arc<AtomicBool>,
    ) -> Self {
        let section_source = |doc: &Option<Arc<Doc>>| Some(doc.as_ref()?.source.clone());
        Self {
            disk,
            pack,
            table,
            page_sources: plan.pages.iter().map(|p| p.doc.source.clone()).collect(),
            section_sources: plan.sections.iter().map(|s| section_source(&s.doc)).collect(),
            term_text_sources: plan.term_texts.iter().map(|t| t.doc.source.clone()).collect(),
            settings,
            changed,
        }
    }

    /// Parses an article's file again: the pack is damaged, or its body has code that is not
    /// highlighted yet.
    fn parse_again(&self, node: Node) -> Result<ParseOutput, Diagnostic> {
        let source = match node {
            Node::Page(id) => self.page_sources.get(id),
            Node::Section(id) => self.section_sources.get(id).and_then(Option::as_ref),
            Node::Term(id) => self.term_text_sources.get(id),
        };
        let source = source.ok_or_else(|| Diagnostic::error("this section has no text"))?;
        let text = self.disk.text(source)?;
        Ok(parse::parse(source, &text, &self.settings, &mut HighlightCache::default()))
    }
}

/// The fingerprint of a document as it is stored.
fn fingerprint_of(doc: &Doc) -> Option<Fingerprint> {
    postcard::to_stdvec(doc).ok().map(|bytes| Fingerprint::of(&bytes))
}

impl Inputs for StoredInputs {
    fn body(&self, node: Node) -> Result<Body, Diagnostic> {
        let Some(handles) = self.table.read().article(node) else { return Ok(Body::default()) };
        let stored = || self.pack.get(handles.body).ok().and_then(|bytes| Body::from_bytes(&bytes));
        if handles.highlighting == Highlighting::Deferred {
            // If the file has changed since, the links and calls of its new body would not match
            // the planned document. Then the code stays plain until the edit is taken in.
            let highlighted = self.parse_again(node).ok();
            let highlighted =
                highlighted.filter(|p| fingerprint_of(&p.doc) == Some(handles.doc.fingerprint()));
            if let Some(body) = highlighted.map(|parsed| parsed.body).or_else(stored) {
                return Ok(body);
            }
        }
        stored().map_or_else(|| self.parse_again(node).map(|parsed| parsed.body), Ok)
    }

    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        let bytes = self.disk.bytes_if_there(path)?;
        if self.file_fingerprint(path) != bytes.as_ref().map(|b| Fingerprint::of(b)) {
            self.changed.store(true, Ordering::Relaxed);
        }
        Ok(bytes)
    }

    fn open_file(&self, path: &SourcePath) -> Result<Option<File>, Diagnostic> {
        self.disk.open_file(path)
    }

    fn found(&self, path: &SourcePath, fingerprint: Fingerprint) {
        if self.file_fingerprint(path) != Some(fingerprint) {
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    fn image_size(&self, path: &SourcePath) -> Option<(usize, usize)> {
        self.disk.image_size(path)
    }

    fn file_fingerprint(&self, path: &SourcePath) -> Option<Fingerprint> {
        self.table.file(path)
    }
}
