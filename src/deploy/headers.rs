//! What a host is told about a file: its type, and how long it may be kept. Pure.

use crate::config::deploy::Cache;
use crate::rules;

/// The headers of a file, where a host keeps headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// RFC 9110 §8.3.
    pub content_type: String,
    /// RFC 9111 §5.2.
    pub cache_control: String,
}

/// What a file is to readers: files go up in this order, so that nothing is shown before what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Files whose names say what is in them.
    Fingerprinted,
    Assets,
    /// Pages that were not there before: lists come to link to them.
    NewPages,
    Pages,
    /// Feeds, sitemaps and what else tells programs of the pages.
    Feeds,
}

/// A fingerprinted file never changes, so that it may be kept for a year (RFC 8246).
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

impl Headers {
    /// The headers of a file at this path; `rules` is the text of the site's `_headers`.
    #[must_use]
    pub fn of(path: &str, cache: &Cache, rules: &str) -> Self {
        let mut headers = Self { content_type: content_type(path), cache_control: cache_control(path, cache) };
        let route = format!("/{}", path.strip_suffix("index.html").unwrap_or(path));
        for (name, value) in rules::headers(rules, &route) {
            match name.to_ascii_lowercase().as_str() {
                "content-type" => headers.content_type = value,
                "cache-control" => headers.cache_control = value,
                _ => {}
            }
        }
        headers
    }

    /// A short name of the headers, for the manifest.
    #[must_use]
    pub fn mark(&self) -> String {
        let text = format!("{}\n{}", self.content_type, self.cache_control);
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }
}

/// Which group a file belongs to; a page counts as one that was there.
#[must_use]
pub fn group(path: &str) -> Group {
    let name = path.rsplit('/').next().unwrap_or(path);
    match extension(name).as_str() {
        "html" | "htm" => Group::Pages,
        "xml" => Group::Feeds,
        _ if name == "feed.json" || name == "robots.txt" => Group::Feeds,
        _ if is_fingerprinted(name) => Group::Fingerprinted,
        _ => Group::Assets,
    }
}

fn content_type(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "atom.xml" => return "application/atom+xml; charset=utf-8".into(),
        "rss.xml" => return "application/rss+xml; charset=utf-8".into(),
        "feed.json" => return "application/feed+json; charset=utf-8".into(),
        _ => {}
    }
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = kind.type_() == "text" || matches!(kind.subtype().as_str(), "javascript" | "json" | "xml" | "manifest+json" | "ld+json");
    if is_text { format!("{}; charset=utf-8", kind.essence_str()) } else { kind.essence_str().to_owned() }
}

fn cache_control(path: &str, cache: &Cache) -> String {
    match group(path) {
        Group::Fingerprinted => IMMUTABLE.to_owned(),
        Group::Assets => cache.assets.clone(),
        Group::NewPages | Group::Pages | Group::Feeds => cache.pages.clone(),
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or(String::new(), |(_, e)| e.to_ascii_lowercase())
}

/// Whether a name ends in a hash of the content, as bundlers write it: `app.3f2a9c1b.js`, `app-3f2a9c1bde.css`.
fn is_fingerprinted(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let dotted = name.split('.').skip(1).filter(|part| name.rsplit('.').next() != Some(*part));
    dotted.chain(stem.rsplit('-').next().filter(|last| *last != stem)).any(is_hash)
}

/// At least eight hexadecimal digits, letters and numbers among them: a date is none, nor is a word.
fn is_hash(text: &str) -> bool {
    text.len() >= 8
        && text.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().any(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(path: &str, rules: &str) -> Headers {
        Headers::of(path, &Cache { pages: "p".into(), assets: "a".into() }, rules)
    }

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for name in ["app.3f2a9c1b.js", "img/photo-0a1b2c3d4e.webp", "x.0123abcd.min.js"] {
            assert_eq!(headers(name, "").cache_control, IMMUTABLE, "{name}");
        }
        for name in ["style.css", "photo-20260612.jpg", "deadbeef.js", "report-december.pdf", "a/index-12345678.txt", "feedface.css"] {
            assert_eq!(headers(name, "").cache_control, "a", "{name}");
        }
        assert_eq!(headers("a/index.html", "").cache_control, "p");
        assert_eq!(headers("page-0a1b2c3d4e.html", "").cache_control, "p");
    }

    #[test]
    fn types_are_those_that_readers_expect() {
        for (path, kind) in [
            ("index.html", "text/html; charset=utf-8"),
            ("atom.xml", "application/atom+xml; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("a/x.woff2", "font/woff2"),
            ("CNAME", "application/octet-stream"),
            ("i.svg", "image/svg+xml"),
        ] {
            assert_eq!(headers(path, "").content_type, kind, "{path}");
        }
    }

    #[test]
    fn the_sites_own_rules_come_first() {
        let rules = "/*\n  Cache-Control: no-cache\n/a/*\n  Content-Type: text/x-a\n  X-Other: 1\n";
        assert_eq!(headers("a/index.html", rules), Headers { content_type: "text/x-a".into(), cache_control: "no-cache".into() });
        assert_ne!(headers("a/index.html", rules).mark(), headers("a/index.html", "").mark());
    }
}
