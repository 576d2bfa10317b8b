//! The scripts that pages are served with.
//!
//! A page's tag says what was served: `data-mark` (of the page), `data-id` (the change that it shows), `data-note`
//! (a word about its standing, as HTML). The script names them to `/_folio/events` and hears of three things:
//!
//! - `hello`: the program's build; another one than before has other scripts.
//! - `change` `{id, mark, files, to}`: the page's mark now, changed files that are published as they are, and where
//!   the page has gone, if it has.
//! - `problems` `{css, html}`: the errors of the site, for an overlay.
//!
//! A page is brought up to date in place by idiomorph, which is asked for when it is first needed.

use std::io::Write;

use crate::pipeline::live::Standing;
use crate::plan::Shown;

/// What is served at `/_folio/morph.js`. `client/update.sh` fetches it; its licence is beside it.
pub(super) const MORPH: &str = include_str!("client/idiomorph.min.js");

/// What is served at `/_folio/client.js`: the script without its comments and indents.
pub(super) fn script() -> String {
    let lines = include_str!("client/client.js").lines().map(str::trim_start).filter(|line| !line.starts_with("//") && !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// A script as it goes over the wire.
pub(super) fn packed(script: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Writing into memory does not fail.
    let _ = encoder.write_all(script.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// The tag that goes into a page.
pub(super) fn tag(mark: &str, id: &str, note: &str) -> String {
    let mut escaped = String::new();
    let _ = pulldown_cmark_escape::escape_html(&mut escaped, note);
    format!("<script src=\"/_folio/client.js\" data-mark=\"{mark}\" data-id=\"{id}\" data-note=\"{escaped}\"></script>")
}

/// A word about what visitors of the published site would not see.
pub(super) fn note(standing: Standing, drafts: Shown, future: Shown) -> String {
    match (standing, drafts, future) {
        (Standing::Draft, ..) => "Draft".to_owned(),
        (Standing::Future(date), ..) => format!("To be published on {}", date.strftime("%-d %B %Y")),
        (Standing::Published, Shown::Yes, Shown::Yes) => "With drafts and future articles".to_owned(),
        (Standing::Published, Shown::Yes, Shown::No) => "With drafts".to_owned(),
        (Standing::Published, Shown::No, Shown::Yes) => "With future articles".to_owned(),
        (Standing::Published, Shown::No, Shown::No) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small() {
        assert!(script().len() < 6000, "{} bytes", script().len());
        let whole = script() + MORPH;
        let packed = packed(&whole).len();
        assert!(packed < 6000, "{packed} bytes, compressed");
    }
}
