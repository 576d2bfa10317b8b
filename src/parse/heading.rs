//! Ids of headings: unique on their page, and the same as long as the text is.

use std::collections::{HashMap, HashSet};

use crate::slug::SlugRule;

/// The ids that a page uses.
#[derive(Debug, Default)]
pub struct Ids {
    rule: SlugRule,
    taken: HashSet<String>,
    /// The last number that was tried for each id that was needed more than once.
    numbers: HashMap<String, usize>,
}

impl Ids {
    /// No ids, for a site with this rule for slugs.
    #[must_use]
    pub fn new(rule: SlugRule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// The slug of a text.
    #[must_use]
    pub fn slug(&self, text: &str) -> String {
        self.rule.slug(text)
    }

    /// The id of a heading: the one that the author wrote or the slug of its text, made unique by a
    /// number.
    pub fn give(&mut self, wanted: Option<&str>, text: &str) -> String {
        let base = match wanted {
            Some(id) => id.to_owned(),
            None => self.slug(text),
        };
        let base = if base.is_empty() { "section".to_owned() } else { base };
        if self.taken.insert(base.clone()) {
            return base;
        }
        let number = self.numbers.entry(base.clone()).or_insert(0);
        loop {
            *number += 1;
            let id = format!("{base}-{number}");
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }

    #[must_use]
    pub fn is_taken(&self, id: &str) -> bool {
        self.taken.contains(id)
    }
}

/// Whether the text may have a level-one heading; a quick check that never misses one.
#[must_use]
pub fn may_have_level_one(markdown: &str) -> bool {
    markdown.lines().any(|line| {
        let line = line.trim_end();
        let hash = line.find('#').is_some_and(|at| !line[at + 1..].starts_with('#'));
        hash || (line.ends_with('=')
            && line.trim_start_matches(|c: char| c != '=').bytes().all(|b| b == b'='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut ids = Ids::default();
        let given: Vec<_> = ["A b", "A b", "…", "A b"].iter().map(|t| ids.give(None, t)).collect();
        assert_eq!(given, ["a-b", "a-b-1", "section", "a-b-2"]);
        assert_eq!(ids.give(Some("X y"), "z"), "X y");
    }

    #[test]
    fn a_level_one_heading_is_never_missed() {
        for text in
            ["# a", "> # a", "- # a", "1. # a", "a\n===", "#", "  # a", "[^1]: # a", "> a\n> =="]
        {
            assert!(may_have_level_one(text), "{text}");
        }
        assert!(!may_have_level_one("## a\n\n### b\n\ntext ## no"));
    }
}
