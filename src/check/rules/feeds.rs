//! Feeds: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, those that Folio makes and those that a site brings.

use serde_json::Value;

use crate::check::finding::{Finding, Place};
use crate::check::site::{Content, Site};
use crate::paths::OutPath;
use crate::plan::{CopyFrom, Job, JobKind};

/// Names that a site's own feeds have.
const NAMES: [&str; 5] = ["atom.xml", "rss.xml", "feed.xml", "index.xml", "feed.json"];

/// Whether a file of the output is a feed.
pub(in crate::check) fn is_feed(out: &OutPath, job: &Job) -> bool {
    let name = out.as_str().rsplit('/').next().unwrap_or_default();
    matches!(job.kind, JobKind::Feed { .. }) || (matches!(job.kind, JobKind::Copy(_)) && NAMES.contains(&name))
}

/// What is wrong with a feed.
pub(in crate::check) fn problem(out: &OutPath, bytes: &[u8]) -> Option<String> {
    if out.as_str().ends_with(".json") {
        return json_problem(bytes);
    }
    let atom = match atom_syndication::Feed::read_from(bytes) {
        Ok(feed) => return feed.entries.iter().any(|entry| entry.id.is_empty()).then(|| "an entry has no `id`".to_owned()),
        Err(e) => e.to_string(),
    };
    match rss::Channel::read_from(bytes) {
        Ok(channel) if channel.title.is_empty() || channel.link.is_empty() => Some("the channel has no title or no link".to_owned()),
        Ok(_) => None,
        // What was meant for Atom is better told as that.
        Err(rss) => Some(if String::from_utf8_lossy(bytes).contains("<feed") { atom } else { rss.to_string() }),
    }
}

/// JSON Feed 1.1: `version`, `title` and `items`, each with an `id`.
fn json_problem(bytes: &[u8]) -> Option<String> {
    let feed: Value = match serde_json::from_slice(bytes) {
        Ok(feed) => feed,
        Err(e) => return Some(format!("it is not valid JSON: {e}")),
    };
    if !feed["version"].as_str().is_some_and(|v| v.starts_with("https://jsonfeed.org/version/")) {
        return Some("its `version` is none of JSON Feed".to_owned());
    }
    if feed["title"].as_str().is_none_or(str::is_empty) {
        return Some("it has no `title`".to_owned());
    }
    let Some(items) = feed["items"].as_array() else { return Some("it has no `items`".to_owned()) };
    items.iter().any(|item| item["id"].as_str().is_none_or(str::is_empty)).then(|| "an item has no `id`".to_owned())
}

pub(super) fn invalid(site: &Site<'_>) -> Vec<Finding> {
    let problem = |file: &crate::check::site::File| match &file.content {
        Content::Feed(problem) => problem.clone(),
        _ => None,
    };
    let feeds = site.files.iter().enumerate().filter_map(|(number, file)| Some((number, problem(file.as_ref()?)?)));
    feeds
        .map(|(number, problem)| {
            let message = format!("the feed {} cannot be read: {problem}", site.route(number));
            Finding::new(message, place(site, number))
                .on(site.route(number))
                .hint("a feed of your own must be Atom, RSS 2.0 or JSON Feed; [feeds] makes all three")
        })
        .collect()
}

/// The file that a file of the output is a copy of.
pub(super) fn place(site: &Site<'_>, number: usize) -> Place {
    match site.context.jobs.get(number).map(|(_, job)| &job.kind) {
        Some(JobKind::Copy(CopyFrom::Site(source))) => Place::File(source.to_string()),
        _ => Place::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds() {
        let of = |name: &str, text: &str| problem(&OutPath::new(name).unwrap(), text.as_bytes());
        let rss = "<rss version=\"2.0\"><channel><title>T</title><link>https://t.example/</link><description>D</description></channel></rss>";
        assert_eq!(of("rss.xml", rss), None);
        assert!(of("rss.xml", "<rss").is_some());
        let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>T</title><id>x</id><updated>2026-01-02T00:00:00Z</updated></feed>";
        assert_eq!(of("atom.xml", atom), None);
        assert!(of("atom.xml", "<feed><entry></feed>").is_some());
        assert_eq!(of("feed.json", "{\"version\": \"https://jsonfeed.org/version/1.1\", \"title\": \"T\", \"items\": [{\"id\": \"1\"}]}"), None);
        assert!(of("feed.json", "{\"version\": \"https://jsonfeed.org/version/1.1\", \"title\": \"T\", \"items\": [{}]}").is_some());
        assert!(of("feed.json", "[]").is_some());
    }
}
