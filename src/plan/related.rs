//! Related articles: those that share most with an article, near to it in time.
//!
//! For each tag and category only an article's nearest neighbours in time are looked at, so that the work
//! grows with the number of articles and not with its square. On a site of usual size that is all of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::{PageId, Plan};

/// How many neighbours on each side are looked at, for each term.
const NEIGHBOURS: usize = 24;

/// What a shared term of a taxonomy counts.
const WEIGHTS: [(&str, usize); 3] = [("tag", 2), ("series", 2), ("category", 1)];

/// Fills in [`super::Page::related`].
pub(super) fn relate(plan: &mut Plan, limit: usize) {
    if limit == 0 {
        return;
    }
    let mut by_time: Vec<PageId> = (0..plan.pages.len()).collect();
    by_time.sort_by_key(|id| (Reverse(plan.pages[*id].instant), *id));
    // Term → its articles, newest first; article → where it stands in each of its terms' lists.
    let mut lists: BTreeMap<(&str, &str), Vec<PageId>> = BTreeMap::new();
    let mut places: Vec<Vec<(&str, &str, usize, usize)>> = vec![Vec::new(); plan.pages.len()];
    for id in by_time {
        for (taxonomy, weight) in WEIGHTS {
            for term in plan.pages[id].doc.front.terms.get(taxonomy).into_iter().flatten() {
                let list = lists.entry((taxonomy, term)).or_default();
                places[id].push((taxonomy, term, list.len(), weight));
                list.push(id);
            }
        }
    }
    let related: Vec<Vec<PageId>> = (0..plan.pages.len()).map(|id| nearest(plan, id, &places[id], &lists, limit)).collect();
    for (page, related) in plan.pages.iter_mut().zip(related) {
        page.related = related;
    }
}

fn nearest(plan: &Plan, id: PageId, places: &[(&str, &str, usize, usize)], lists: &BTreeMap<(&str, &str), Vec<PageId>>, limit: usize) -> Vec<PageId> {
    let mut scores: HashMap<PageId, usize> = HashMap::new();
    for (taxonomy, term, at, weight) in places {
        let list = &lists[&(*taxonomy, *term)];
        let from = at.saturating_sub(NEIGHBOURS);
        for other in &list[from..(at + NEIGHBOURS + 1).min(list.len())] {
            if *other != id {
                *scores.entry(*other).or_insert(0) += weight;
            }
        }
    }
    let when = |id: PageId| plan.pages[id].instant.unwrap_or(0);
    let mut found: Vec<_> = scores.into_iter().map(|(other, score)| (Reverse(score), when(other).abs_diff(when(id)), other)).collect();
    found.sort_unstable();
    found.into_iter().take(limit).map(|(_, _, other)| other).collect()
}
