//! Takes over an output folder for which there is no list of the files that Folio wrote.

use crate::diag::{Diagnostic, Warned};
use crate::paths::OutPath;

/// Why there is no list of the files that Folio wrote to an output folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlisted {
    /// Folio did not write to the folder, or its list was deleted.
    Missing,
    Damaged,
}

/// The files of a folder, if all of them are among `planned`, with a warning about the folder,
/// whose name in messages is `shown`.
///
/// # Errors
/// When there are others; they are named.
pub(super) fn own_files(
    why: Unlisted,
    shown: &str,
    names: Vec<String>,
    planned: impl Fn(&OutPath) -> bool,
) -> Result<Warned<Vec<OutPath>>, Diagnostic> {
    let mut own = Vec::new();
    let mut others = Vec::new();
    for name in names {
        match OutPath::new(&name) {
            Ok(out) if planned(&out) => own.push(out),
            _ => others.push(name),
        }
    }
    if !others.is_empty() {
        return Err(refusal(why, shown, &others));
    }
    let what = match why {
        Unlisted::Missing => "missing",
        Unlisted::Damaged => "damaged",
    };
    let message = format!("the list of the files that Folio wrote to `{shown}` is {what}");
    let warning = Diagnostic::warning(message)
        .note("every file there is one of this site, and is replaced where it differs");
    Ok(Warned::with(own, warning))
}

/// The error for a folder with files that are not part of the site.
fn refusal(why: Unlisted, shown: &str, others: &[String]) -> Diagnostic {
    let message = match why {
        Unlisted::Missing => {
            format!("the output folder `{shown}` is not empty, and Folio did not create it")
        }
        Unlisted::Damaged => format!(
            "the list of the files that Folio wrote to `{shown}` is damaged, and the folder has \
             files that are not part of this site"
        ),
    };
    Diagnostic::error(message)
        .note(format!("not part of this site: {}", enumerate(others)))
        .hint("move them out of the folder, or choose another one with --output")
}

/// The first few of some names, and how many more there are.
fn enumerate(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let first = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
