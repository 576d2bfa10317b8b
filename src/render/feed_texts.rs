//! The texts of articles in feeds, kept while a site is rendered.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::plan::PageId;

/// The texts of articles as feeds contain them, shared by all feeds with the same article.
///
/// Only articles that call no component are shared: the functions that components call have to be
/// traced for every feed.
#[derive(Default)]
pub(super) struct FeedTexts(Mutex<HashMap<PageId, Arc<str>>>);

impl FeedTexts {
    /// How many texts are kept; on a larger site, feeds are a small part of the work.
    const MAX: usize = 256;

    pub(super) fn get(&self, id: PageId) -> Option<Arc<str>> {
        self.0.lock().get(&id).cloned()
    }

    /// Discards the text of an article that has changed.
    pub(super) fn remove(&mut self, id: PageId) {
        self.0.get_mut().remove(&id);
    }

    pub(super) fn insert(&self, id: PageId, text: &str) {
        let mut texts = self.0.lock();
        if texts.len() < Self::MAX {
            texts.insert(id, text.into());
        }
    }
}
