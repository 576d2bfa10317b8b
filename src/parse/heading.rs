//! Ids for headings: unique on their page, and the same whenever the text is.

use std::collections::HashSet;

use crate::paths::slugify;

/// The ids that a page has given out.
#[derive(Debug, Default)]
pub struct Ids {
    taken: HashSet<String>,
}

impl Ids {
    /// An id for a heading: what the author wrote, else the slug of its text; a number makes it unique.
    pub fn give(&mut self, wanted: Option<&str>, text: &str) -> String {
        let base = match wanted {
            Some(id) => id.to_owned(),
            None => slugify(text),
        };
        let base = if base.is_empty() { "section".to_owned() } else { base };
        let mut id = base.clone();
        let mut number = 0;
        while !self.taken.insert(id.clone()) {
            number += 1;
            id = format!("{base}-{number}");
        }
        id
    }

    #[must_use]
    pub fn is_taken(&self, id: &str) -> bool {
        self.taken.contains(id)
    }
}

/// Whether the text may hold a level-one heading; a quick look that never misses one.
#[must_use]
pub fn may_have_level_one(markdown: &str) -> bool {
    markdown.lines().any(|line| {
        let bare = line.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii_digit() || ">*+-.):~".contains(c));
        let hashes = bare.bytes().take_while(|b| *b == b'#').count();
        hashes == 1 || (!bare.is_empty() && bare.trim_end().bytes().all(|b| b == b'='))
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
        for text in ["# a", "> # a", "- # a", "1. # a", "a\n===", "#", "  # a"] {
            assert!(may_have_level_one(text), "{text}");
        }
        assert!(!may_have_level_one("## a\n\n### b\n\ntext # no"));
    }
}
