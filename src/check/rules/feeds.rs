//! The rule about feeds.

use super::copied_file::copied_file;
use crate::check::finding::Finding;
use crate::check::site::{CheckedFile, CheckedSite, FileContent};

/// Feeds that are not valid.
pub(super) fn invalid(site: &CheckedSite<'_>) -> Vec<Finding> {
    let problem = |file: &CheckedFile| match &file.content {
        FileContent::Feed(problem) => problem.clone(),
        _ => None,
    };
    let feeds = site
        .files
        .iter()
        .enumerate()
        .filter_map(|(number, file)| Some((number, problem(file.as_ref()?)?)));
    feeds
        .map(|(number, problem)| {
            let message = format!("the feed {} is not valid: {problem}", site.route(number));
            Finding::new(message, copied_file(site, number)).on(site.route(number)).hint(
                "a feed must be Atom, RSS 2.0 or JSON Feed; Folio generates all three with [feeds]",
            )
        })
        .collect()
}
