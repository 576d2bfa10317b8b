//! An article's headings.

use serde::{Deserialize, Serialize};

/// A heading, as the table of contents shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// 1 to 6, after shifting.
    pub level: u8,
    pub id: Box<str>,
    /// Its text without markup.
    pub title: Box<str>,
}

/// A heading with its subheadings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub level: u8,
    pub id: Box<str>,
    pub title: Box<str>,
    pub children: Vec<Entry>,
}

/// The headings as a tree: the children of a heading are the deeper ones that follow it.
#[must_use]
pub fn tree(headings: &[Heading]) -> Vec<Entry> {
    let mut roots: Vec<Entry> = Vec::new();
    for heading in headings {
        let entry = Entry {
            level: heading.level,
            id: heading.id.clone(),
            title: heading.title.clone(),
            children: Vec::new(),
        };
        let mut siblings = &mut roots;
        while siblings.last().is_some_and(|last| last.level < entry.level) {
            let last = siblings.len() - 1;
            siblings = &mut siblings[last].children;
        }
        siblings.push(entry);
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(entries: &[Entry]) -> String {
        entries.iter().map(|e| format!("{}({})", e.level, shape(&e.children))).collect()
    }

    #[test]
    fn deeper_headings_are_children() {
        let of = |levels: &[u8]| {
            let headings: Vec<_> = levels
                .iter()
                .map(|l| Heading { level: *l, id: "".into(), title: "".into() })
                .collect();
            shape(&tree(&headings))
        };
        assert_eq!(of(&[2, 3, 3, 2, 4, 3]), "2(3()3())2(4()3())");
        assert_eq!(of(&[4, 2]), "4()2()");
    }
}
