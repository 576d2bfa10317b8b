//! The pages that were asked for lately, each with what it was made from.

use std::collections::HashMap;
use std::sync::Arc;

use crate::memo::Mark;
use crate::paths::OutPath;
use crate::render::{Parts, Trace};

/// A rendered page. It is right as long as its parts and the answers to its questions are what they were; at
/// `generation` they were.
#[derive(Clone)]
pub(super) struct Page {
    pub generation: u64,
    pub parts: Arc<Parts>,
    pub trace: Arc<Trace>,
    pub bytes: Arc<[u8]>,
    pub mark: Mark,
}

/// A bounded number of pages; those that nobody asks for go first.
#[derive(Default)]
pub(super) struct Kept {
    pages: HashMap<OutPath, (Page, u64)>,
    bytes: usize,
    clock: u64,
}

const MOST_PAGES: usize = 512;
const MOST_BYTES: usize = 64 << 20;

impl Kept {
    pub(super) fn get(&mut self, out: &OutPath) -> Option<Page> {
        self.clock += 1;
        let (page, used) = self.pages.get_mut(out)?;
        *used = self.clock;
        Some(page.clone())
    }

    pub(super) fn put(&mut self, out: &OutPath, page: Page) {
        self.clock += 1;
        self.bytes += page.bytes.len();
        if let Some((old, _)) = self.pages.insert(out.clone(), (page, self.clock)) {
            self.bytes -= old.bytes.len();
        }
        while self.pages.len() > 1 && (self.pages.len() > MOST_PAGES || self.bytes > MOST_BYTES) {
            let Some(oldest) = self.pages.iter().min_by_key(|(_, (_, used))| *used).map(|(out, _)| out.clone()) else { return };
            if let Some((page, _)) = self.pages.remove(&oldest) {
                self.bytes -= page.bytes.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asks_for_goes_first() {
        let page =
            |size: usize| Page { generation: 0, parts: Arc::default(), trace: Arc::default(), bytes: vec![0; size].into(), mark: Mark::default() };
        let name = |i: usize| OutPath::new(&format!("{i}.html")).unwrap();
        let mut kept = Kept::default();
        for i in 0..=MOST_PAGES {
            kept.put(&name(i), page(1));
            assert!(kept.get(&name(0)).is_some());
        }
        assert_eq!(kept.pages.len(), MOST_PAGES);
        assert!(kept.get(&name(1)).is_none() && kept.get(&name(2)).is_some());
        kept.put(&name(0), page(MOST_BYTES));
        assert_eq!((kept.pages.len(), kept.bytes), (1, MOST_BYTES));
    }
}
