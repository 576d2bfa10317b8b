//! The order of headings.

use crate::check::finding::Finding;
use crate::check::page::Page;

/// A reader who goes from heading to heading takes a missing level for a part that was lost (WCAG 2.2, technique G141).
pub(super) fn skipped(page: &Page<'_>) -> Vec<Finding> {
    if !page.kind.is_templated() {
        return Vec::new();
    }
    let headings = &page.facts.headings;
    let skipped = headings.iter().zip(headings.iter().skip(1)).filter(|(before, heading)| heading.level > before.level + 1);
    skipped
        .map(|(before, heading)| {
            let message = format!("the heading \"{}\" is of level {}, right below one of level {}", heading.text, heading.level, before.level);
            Finding::new(message, page.place_of_heading(&heading.text)).hint(format!("make it a heading of level {}", before.level + 1))
        })
        .collect()
}
