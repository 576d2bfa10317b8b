//! The articles next to an article: the previous and the next one of its section, and the related
//! ones, which share most terms with it and are nearest in time.
//!
//! For each term, only the nearest articles in time are compared, so that the work grows with the
//! number of articles and not with its square. On a site of usual size these are all articles.

use std::cmp::Reverse;
use std::collections::HashMap;

use rayon::prelude::*;

use super::model::{Neighbours, PageId, Plan};

/// How many articles on each side are compared, per term.
const NEIGHBOURS: usize = 24;

/// The weight of a shared term, by taxonomy.
const WEIGHTS: [(&str, usize); 3] = [("tag", 2), ("series", 2), ("category", 1)];

/// The neighbours of every article, with up to `limit` related ones.
pub(super) fn of_every_page(plan: &Plan, limit: usize) -> Vec<Neighbours> {
    let mut neighbours = vec![Neighbours::default(); plan.pages.len()];
    for section in &plan.sections {
        for pair in section.pages.windows(2) {
            neighbours[pair[0]].older = Some(pair[1]);
            neighbours[pair[1]].newer = Some(pair[0]);
        }
    }
    for (neighbours, related) in neighbours.iter_mut().zip(related(plan, limit)) {
        neighbours.related = related;
    }
    neighbours
}

/// The related articles of every article.
fn related(plan: &Plan, limit: usize) -> Vec<Vec<PageId>> {
    if limit == 0 {
        return Vec::new();
    }
    let mut by_time: Vec<PageId> = (0..plan.pages.len()).collect();
    by_time.sort_by_key(|id| (Reverse(plan.pages[*id].instant), *id));
    // The articles of each term, newest first; and for each article its lists, its position there,
    // and their weight.
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
    (0..plan.pages.len())
        .into_par_iter()
        .map(|id| nearest(plan, id, &places[id], &lists, limit))
        .collect()
}

fn nearest(
    plan: &Plan,
    id: PageId,
    places: &[(usize, usize, usize)],
    lists: &[Vec<PageId>],
    limit: usize,
) -> Vec<PageId> {
    let mut seen: Vec<(PageId, usize)> = Vec::with_capacity(places.len() * (2 * NEIGHBOURS + 1));
    for (list, at, weight) in places {
        let list = &lists[*list];
        let from = at.saturating_sub(NEIGHBOURS);
        seen.extend(
            list[from..(at + NEIGHBOURS + 1).min(list.len())]
                .iter()
                .filter(|other| **other != id)
                .map(|other| (*other, *weight)),
        );
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
