//! Related articles: those that share most with an article, near to it in time.
//!
//! For each tag and category only an article's nearest neighbours in time are looked at, so that the work
//! grows with the number of articles and not with its square. On a site of usual size that is all of them.

use std::cmp::Reverse;
use std::collections::HashMap;

use rayon::prelude::*;

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
    // The articles of each term, newest first; for each article the lists it is in, its place there, their weight.
    let mut numbers: HashMap<(&str, &str), usize> = HashMap::new();
    let mut lists: Vec<Vec<PageId>> = Vec::new();
    let mut places: Vec<Vec<(usize, usize, usize)>> = vec![Vec::new(); plan.pages.len()];
    for id in by_time {
        for (taxonomy, weight) in WEIGHTS {
            for term in plan.pages[id].doc.front.terms.get(taxonomy).into_iter().flatten() {
                let number = *numbers.entry((taxonomy, term)).or_insert_with(|| {
                    lists.push(Vec::new());
                    lists.len() - 1
                });
                places[id].push((number, lists[number].len(), weight));
                lists[number].push(id);
            }
        }
    }
    let related: Vec<Vec<PageId>> = (0..plan.pages.len()).into_par_iter().map(|id| nearest(plan, id, &places[id], &lists, limit)).collect();
    for (page, related) in plan.pages.iter_mut().zip(related) {
        page.related = related;
    }
}

fn nearest(plan: &Plan, id: PageId, places: &[(usize, usize, usize)], lists: &[Vec<PageId>], limit: usize) -> Vec<PageId> {
    let mut seen: Vec<(PageId, usize)> = Vec::with_capacity(places.len() * (2 * NEIGHBOURS + 1));
    for (list, at, weight) in places {
        let list = &lists[*list];
        let from = at.saturating_sub(NEIGHBOURS);
        seen.extend(list[from..(at + NEIGHBOURS + 1).min(list.len())].iter().filter(|other| **other != id).map(|other| (*other, *weight)));
    }
    seen.sort_unstable();
    let when = |id: PageId| plan.pages[id].instant.unwrap_or(0);
    let own = when(id);
    let scored = seen.chunk_by(|a, b| a.0 == b.0).map(|same| {
        let score: usize = same.iter().map(|(_, weight)| weight).sum();
        (Reverse(score), when(same[0].0).abs_diff(own), same[0].0)
    });
    let mut best: Vec<_> = Vec::with_capacity(limit + 1);
    for candidate in scored {
        let at = best.partition_point(|b| *b < candidate);
        if at < limit {
            best.insert(at, candidate);
            best.truncate(limit);
        }
    }
    best.into_iter().map(|(_, _, other)| other).collect()
}
