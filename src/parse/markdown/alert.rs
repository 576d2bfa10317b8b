//! Block quotes that start like an alert, `> [!NOTE]`, and are not read as one.

use crate::diag::{Diagnostic, nearest};
use crate::parse::remark::Remark;

/// The kinds of alerts (GitHub Docs, "Alerts").
const KINDS: [&str; 5] = ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"];

/// Names that other tools give to similar kinds (Obsidian, "Callouts").
const SIMILAR: [(&str, &str); 14] = [
    ("INFO", "NOTE"),
    ("ABSTRACT", "NOTE"),
    ("SUMMARY", "NOTE"),
    ("EXAMPLE", "NOTE"),
    ("QUESTION", "NOTE"),
    ("HINT", "TIP"),
    ("SUCCESS", "TIP"),
    ("ATTENTION", "WARNING"),
    ("WARN", "WARNING"),
    ("DANGER", "CAUTION"),
    ("ERROR", "CAUTION"),
    ("BUG", "CAUTION"),
    ("FAILURE", "CAUTION"),
    ("KEY", "IMPORTANT"),
];

/// Why a block quote is not read as an alert.
pub(super) enum AlertProblem {
    UnknownKind(Diagnostic),
    /// It has a title, which is not supported.
    Title(Remark),
}

/// The problem of a block quote, whose source starts at the offset `start`.
pub(super) fn problem(quote: &str, start: usize) -> Option<AlertProblem> {
    let line = quote.lines().next()?;
    let text = line.trim_start_matches([' ', '>', '\t']);
    let (kind, after) = text.strip_prefix("[!")?.split_once(']')?;
    if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_alphabetic() || c == '-') {
        return None;
    }
    // `[!x](y)` and `[!x]: y` are links.
    if after.starts_with(['(', '[', ':']) {
        return None;
    }
    let from = start + line.len() - text.len();
    let upper = kind.to_uppercase();
    if !KINDS.contains(&upper.as_str()) {
        let error = Diagnostic::error(format!("unknown kind of alert `[!{kind}]`"))
            .at(from..from + kind.len() + "[!]".len())
            .note(format!("kinds are {}", KINDS.join(", ")));
        let similar = SIMILAR.iter().find(|(name, _)| *name == upper).map(|(_, kind)| *kind);
        return Some(AlertProblem::UnknownKind(match similar.or_else(|| nearest(&upper, KINDS)) {
            Some(near) => error.hint(format!("did you mean `[!{near}]`?")),
            None => error,
        }));
    }
    let is_titled =
        !after.trim_matches(['+', '-', ' ', '\t']).is_empty() || !after.trim().is_empty();
    is_titled.then(|| {
        let lower = kind.to_lowercase();
        let remark = Remark::new(
            format!("`[!{kind}]` is shown as text, because other text follows it on its line"),
            from..start + line.trim_end().len(),
        );
        AlertProblem::Title(
            remark.hint(format!(
                "for a title, write `{{% <callout kind=\"{lower}\" title=\"…\"> %}}`"
            )),
        )
    })
}
