//! The rule about the order of headings.

use crate::check::finding::Finding;
use crate::check::page::Page;

/// Headings that skip a level, which confuses readers who navigate by headings (WCAG 2.2, technique
/// G141).
pub(super) fn skipped(page: &Page<'_>) -> Vec<Finding> {
    if !page.kind.is_templated() {
        return Vec::new();
    }
    let headings = &page.facts.headings;
    let skipped = headings
        .iter()
        .zip(headings.iter().skip(1))
        .filter(|(before, heading)| heading.level > before.level + 1);
    skipped
        .map(|(before, heading)| {
            let message = format!(
                "the heading \"{}\" has level {}, but the one before it has level {}",
                heading.text, heading.level, before.level
            );
            Finding::new(message, page.heading_location(&heading.text))
                .hint(format!("make it a level {} heading", before.level + 1))
        })
        .collect()
}
