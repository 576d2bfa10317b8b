//! Which diagnostics of a report are shown to a person: one of those that say the same about a
//! file, with the lines of the others, and no more than can be read.

use std::collections::HashMap;

use super::report::{LocatedDiagnostic, LocatedReport};
use super::selection::{Key, ShownSelection, key};

/// How many further lines are listed for a diagnostic.
const MAX_LINES: usize = 5;

/// The diagnostics of a report that are shown.
pub struct Shown {
    /// Each with the number of further places that it stands for in a note.
    pub items: Vec<LocatedDiagnostic>,
    /// How many errors and warnings are neither shown nor counted in a note.
    pub left_out: usize,
}

impl LocatedReport {
    /// The diagnostics that are shown. The report itself keeps all of them.
    #[must_use]
    pub fn shown(&self) -> Shown {
        let mut selection = ShownSelection::default();
        let mut numbers: HashMap<Key, usize> = HashMap::new();
        let mut items: Vec<(&LocatedDiagnostic, Vec<usize>, usize)> = Vec::new();
        let mut left_out = 0;
        for located in self.items() {
            let d = &located.diagnostic;
            if selection.takes(d) {
                numbers.insert(key(d), items.len());
                items.push((located, Vec::new(), 0));
            } else if let Some(first) = numbers.get(&key(d)).and_then(|n| items.get_mut(*n)) {
                first.2 += 1;
                if let Some(e) = located.excerpt.as_ref().filter(|_| first.1.len() < MAX_LINES) {
                    first.1.push(e.line);
                }
            } else {
                left_out += 1;
            }
        }
        let items = items.into_iter().map(|(located, lines, more)| {
            let mut located = located.clone();
            if more > 0 {
                located.diagnostic.notes.push(more_places(more, lines));
            }
            located
        });
        Shown { items: items.collect(), left_out }
    }
}

/// "and 3 more times, on lines 4, 7 and 9".
fn more_places(more: usize, mut lines: Vec<usize>) -> String {
    let times = if more == 1 { "once more".to_owned() } else { format!("{more} more times") };
    lines.dedup();
    let list: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let rest = if more > MAX_LINES { " and further ones" } else { "" };
    match list.as_slice() {
        [] => format!("and {times}"),
        [line] => format!("and {times}, on line {line}{rest}"),
        [first @ .., last] if rest.is_empty() => {
            format!("and {times}, on lines {} and {last}", first.join(", "))
        }
        all => format!("and {times}, on lines {}{rest}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::selection::MAX_SHOWN;
    use super::*;
    use crate::diag::{Diagnostic, Report, Severity};

    fn report(items: impl Iterator<Item = Diagnostic>) -> LocatedReport {
        let mut report: Report = items.collect();
        report.sort();
        report.locate(|_| Some("x\n".repeat(2000)))
    }

    #[test]
    fn what_says_the_same_about_a_file_is_shown_once() {
        let at = |n: usize| Diagnostic::warning("wrong").in_file("a.md").at(2 * n..2 * n + 1);
        let shown = report((0..3).map(at).chain([Diagnostic::warning("other").in_file("a.md")]));
        let shown = shown.shown();
        assert_eq!((shown.items.len(), shown.left_out), (2, 0));
        assert_eq!(shown.items[1].diagnostic.notes, ["and 2 more times, on lines 2 and 3"]);
        let many = report((0..100).map(at)).shown();
        assert_eq!(
            many.items[0].diagnostic.notes,
            ["and 99 more times, on lines 2, 3, 4, 5, 6 and further ones"]
        );
    }

    #[test]
    fn what_is_shown_is_bounded_and_the_totals_are_not() {
        let all = report((0..1000).map(|n| Diagnostic::error(format!("{n}")).in_file("a.md")));
        assert_eq!(all.count(Severity::Error), 1000);
        let shown = all.shown();
        assert_eq!((shown.items.len(), shown.left_out), (MAX_SHOWN, 800));
    }
}
