//! The pages that were requested recently, each with what it was rendered from.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cache::Fingerprint;
use crate::dependencies::Dependencies;
use crate::paths::OutPath;
use crate::render::Trace;

/// A rendered page.
#[derive(Clone, Debug)]
pub struct RenderedPage {
    pub bytes: Arc<[u8]>,
    /// The fingerprint of the bytes.
    pub fingerprint: Fingerprint,
}

/// A rendered page. It was up to date in `generation`.
#[derive(Clone)]
pub(super) struct CachedPage {
    pub generation: u64,
    pub dependencies: Arc<Dependencies>,
    pub trace: Arc<Trace>,
    pub page: RenderedPage,
}

/// A bounded number of pages. The least recently used ones are evicted first.
#[derive(Default)]
pub(super) struct PageCache {
    /// Each page with the time of its last use.
    pages: HashMap<OutPath, (CachedPage, u64)>,
    bytes: usize,
    clock: u64,
}

const MAX_PAGES: usize = 512;
const MAX_BYTES: usize = 64 << 20;

impl PageCache {
    pub(super) fn get(&mut self, out: &OutPath) -> Option<CachedPage> {
        self.clock += 1;
        let (page, used) = self.pages.get_mut(out)?;
        *used = self.clock;
        Some(page.clone())
    }

    pub(super) fn insert(&mut self, out: &OutPath, page: CachedPage) {
        self.clock += 1;
        self.bytes += page.page.bytes.len();
        if let Some((old, _)) = self.pages.insert(out.clone(), (page, self.clock)) {
            self.bytes -= old.page.bytes.len();
        }
        while self.pages.len() > 1 && (self.pages.len() > MAX_PAGES || self.bytes > MAX_BYTES) {
            let oldest = self.pages.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(out, _)| out.clone()) else { return };
            if let Some((page, _)) = self.pages.remove(&oldest) {
                self.bytes -= page.page.bytes.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Fingerprint;

    #[test]
    fn least_recently_used_pages_are_evicted_first() {
        let page = |size: usize| CachedPage {
            generation: 0,
            dependencies: Arc::default(),
            trace: Arc::default(),
            page: RenderedPage { bytes: vec![0; size].into(), fingerprint: Fingerprint::default() },
        };
        let name = |i: usize| OutPath::new(&format!("{i}.html")).unwrap();
        let mut cache = PageCache::default();
        for i in 0..=MAX_PAGES {
            cache.insert(&name(i), page(1));
            assert!(cache.get(&name(0)).is_some());
        }
        assert_eq!(cache.pages.len(), MAX_PAGES);
        assert!(cache.get(&name(1)).is_none() && cache.get(&name(2)).is_some());
        cache.insert(&name(0), page(MAX_BYTES));
        assert_eq!((cache.pages.len(), cache.bytes), (1, MAX_BYTES));
    }
}
