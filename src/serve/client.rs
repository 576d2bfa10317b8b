//! The scripts that pages of the preview are served with.
//!
//! A page's script tag says what was served: `data-version` (of the page), `data-id` (of the last
//! change it includes) and `data-note` (its publication status, as HTML). The script sends these to
//! `/_folio/events` and receives three kinds of events:
//!
//! - `hello`: the version of the program; if it has changed, the scripts may have changed too.
//! - `change` `{id, version, files, to}`: the current version of the page, the changed files that
//!   are published unchanged, and the page's new path if it was moved.
//! - `problems` `{css, html}`: the errors of the site, shown in an overlay.
//!
//! A page is updated in place by idiomorph, which is loaded when it is first needed.

use std::io::Write;

use crate::live::Publication;

/// What is served at `/_folio/morph.js`.
pub(super) const MORPH: &str = include_str!("../../vendor/idiomorph/idiomorph.min.js");

/// What is served at `/_folio/client.js`: the script without comments and indentation.
pub(super) fn script() -> String {
    let lines = include_str!("client/client.js")
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//") && !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// A script compressed with gzip.
pub(super) fn compress(script: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(script.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// The script tag of a page.
pub(super) fn tag(version: &str, id: &str, note: &str) -> String {
    let mut escaped = String::new();
    let _ = pulldown_cmark_escape::escape_html(&mut escaped, note);
    format!(
        "<script src=\"/_folio/client.js\" data-version=\"{version}\" data-id=\"{id}\" \
         data-note=\"{escaped}\"></script>"
    )
}

/// What visitors of the published site would not see, in words.
pub(super) fn note(publication: Publication, include_drafts: bool, include_future: bool) -> String {
    match (publication, include_drafts, include_future) {
        (Publication::Draft, ..) => "Draft".to_owned(),
        (Publication::Future(date), ..) => {
            format!("To be published on {}", date.strftime("%-d %B %Y"))
        }
        (Publication::Published, true, true) => "With drafts and future articles".to_owned(),
        (Publication::Published, true, false) => "With drafts".to_owned(),
        (Publication::Published, false, true) => "With future articles".to_owned(),
        (Publication::Published, false, false) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_are_small() {
        assert!(script().len() < 6000, "{} bytes", script().len());
        let compressed = compress(&(script() + MORPH)).len();
        assert!(compressed < 6000, "{compressed} bytes, compressed");
    }
}
