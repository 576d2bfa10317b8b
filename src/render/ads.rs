//! Where ads are placed, and how much space each gets.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::raw::{Slot, ad_size};
use crate::config::{Ads, SlotPlace};
use crate::parse::front::AdSwitches;
use crate::parse::{Body, HoleKind};

/// A slot, as templates see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlotView<'a> {
    pub name: &'a str,
    pub sizes: &'a [String],
    /// The space to reserve: the largest width and height of its sizes, in CSS pixels.
    pub width: u32,
    pub height: u32,
}

/// The slots of a page, by place.
#[derive(Debug, Default, Serialize)]
pub struct PageAds<'a> {
    pub before: Vec<SlotView<'a>>,
    pub after: Vec<SlotView<'a>>,
    pub sidebar: Vec<SlotView<'a>>,
}

/// The space of a slot without sizes.
const DEFAULT_SIZE: (u32, u32) = (300, 250);

/// A slot's view.
#[must_use]
pub fn slot<'a>(name: &'a str, slot: &'a Slot) -> SlotView<'a> {
    let sizes = slot.sizes.iter().filter_map(|size| ad_size(size));
    let (width, height) = sizes.fold((0, 0), |(w, h), (a, b)| (w.max(a), h.max(b)));
    let (width, height) = if width == 0 { DEFAULT_SIZE } else { (width, height) };
    SlotView { name, sizes: &slot.sizes, width, height }
}

/// Whether a slot is shown on an article: what the article says about the slot or about all slots,
/// or by default only on dated articles.
pub(super) fn shows(switches: &AdSwitches, name: &str, is_article: bool) -> bool {
    switches.slots.get(name).copied().or(switches.all).unwrap_or(is_article)
}

/// The slots around an article.
#[must_use]
pub fn of_page<'a>(ads: &'a Ads, switches: &AdSwitches, is_article: bool) -> PageAds<'a> {
    let mut page = PageAds::default();
    for (name, s) in ads.slots.iter().filter(|(name, _)| shows(switches, name, is_article)) {
        match s.place {
            SlotPlace::BeforeContent => page.before.push(slot(name, s)),
            SlotPlace::AfterContent => page.after.push(slot(name, s)),
            SlotPlace::Sidebar => page.sidebar.push(slot(name, s)),
            SlotPlace::InContent | SlotPlace::Manual => {}
        }
    }
    page
}

/// The ads in a body: number of the hole → name of the slot.
///
/// A slot starts after `after_words` and repeats after `every_words`. Two slots never share a
/// place.
#[must_use]
pub fn in_content<'a>(
    ads: &'a Ads,
    switches: &AdSwitches,
    is_article: bool,
    body: &Body,
) -> BTreeMap<usize, &'a str> {
    let mut placed = BTreeMap::new();
    let places: Vec<(usize, usize)> = body
        .holes
        .iter()
        .enumerate()
        .filter_map(|(i, h)| match h.kind {
            HoleKind::AdPlace { words } => Some((i, words as usize)),
            _ => None,
        })
        .collect();
    for (name, slot) in ads
        .slots
        .iter()
        .filter(|(name, s)| s.place == SlotPlace::InContent && shows(switches, name, is_article))
    {
        let max = slot.max.unwrap_or(if slot.every_words.is_some() { usize::MAX } else { 1 });
        let mut due = slot.after_words.unwrap_or(300);
        let mut count = 0;
        for (hole, words) in &places {
            if count < max && *words >= due && !placed.contains_key(hole) {
                placed.insert(*hole, name.as_str());
                count += 1;
                due = words + slot.every_words.unwrap_or(usize::MAX / 2);
            }
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_content_ads_keep_their_distance() {
        let ads: Ads = serde_json::from_value(serde_json::json!({"slots": {"a": {
            "place": "in-content",
            "after_words": 100,
            "every_words": 200,
            "max": 2,
        }}}))
        .unwrap();
        let mut body = Body::default();
        for words in [50, 120, 200, 330, 600] {
            body.hole(HoleKind::AdPlace { words });
        }
        let at = in_content(&ads, &AdSwitches::default(), true, &body);
        assert_eq!(at.keys().copied().collect::<Vec<_>>(), [1, 3]);
        assert!(
            in_content(
                &ads,
                &AdSwitches { all: Some(false), ..AdSwitches::default() },
                true,
                &body
            )
            .is_empty()
        );
    }

    #[test]
    fn room_is_the_largest_of_each() {
        let s: Slot = serde_json::from_value(
            serde_json::json!({"place": "manual", "sizes": ["300x250", "728x90"]}),
        )
        .unwrap();
        assert_eq!((slot("a", &s).width, slot("a", &s).height), (728, 250));
    }
}
