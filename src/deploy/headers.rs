//! The headers of a file: its media type, and how long it may be cached. Pure.

use crate::config::deploy::CacheControl;
use crate::host_rules;
use crate::media_type::media_type;

/// The headers of a file, for hosts that store them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// RFC 9110 §8.3.
    pub content_type: String,
    /// RFC 9111 §5.2.
    pub cache_control: String,
}

/// The group of a file. Groups are uploaded in this order, so that nothing is published before what
/// it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Files with a hash of their content in the name.
    Hashed,
    Assets,
    /// Pages that are new: they come before the lists that link to them.
    NewPages,
    Pages,
    /// Feeds, sitemaps and other files that tell programs about pages.
    Feeds,
}

/// A file with a hashed name never changes, so it may be cached for a year (RFC 8246).
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

impl Headers {
    /// The headers of a file at this path; `rules` is the text of the site's `_headers`.
    #[must_use]
    pub fn of(path: &str, cache: &CacheControl, rules: &str) -> Self {
        let mut headers =
            Self { content_type: media_type(path), cache_control: cache_control(path, cache) };
        let route = format!("/{}", path.strip_suffix("index.html").unwrap_or(path));
        for (name, value) in host_rules::headers(rules, &route) {
            match name.to_ascii_lowercase().as_str() {
                "content-type" => headers.content_type = value,
                "cache-control" => headers.cache_control = value,
                _ => {}
            }
        }
        headers
    }

    /// A hash of the headers, for the manifest.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = format!("{}\n{}", self.content_type, self.cache_control);
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }
}

/// The group of a file; pages count as existing ones.
#[must_use]
pub fn group(path: &str) -> Group {
    let name = path.rsplit('/').next().unwrap_or(path);
    match extension(name).as_str() {
        "html" | "htm" => Group::Pages,
        "xml" => Group::Feeds,
        _ if name == "feed.json" || name == "robots.txt" => Group::Feeds,
        _ if has_hashed_name(name) => Group::Hashed,
        _ => Group::Assets,
    }
}

fn cache_control(path: &str, cache: &CacheControl) -> String {
    match group(path) {
        Group::Hashed => IMMUTABLE.to_owned(),
        Group::Assets => cache.assets.clone(),
        Group::NewPages | Group::Pages | Group::Feeds => cache.pages.clone(),
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or(String::new(), |(_, e)| e.to_ascii_lowercase())
}

/// Whether a name ends in a hash of the content, as bundlers write it: `app.3f2a9c1b.js`,
/// `app-3f2a9c1bde.css`.
fn has_hashed_name(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let dotted = name.split('.').skip(1).filter(|part| name.rsplit('.').next() != Some(*part));
    dotted.chain(stem.rsplit('-').next().filter(|last| *last != stem)).any(is_hash)
}

/// At least eight hexadecimal digits, both letters and numbers, which excludes dates and words.
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
        Headers::of(path, &CacheControl { pages: "p".into(), assets: "a".into() }, rules)
    }

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for name in ["app.3f2a9c1b.js", "img/photo-0a1b2c3d4e.webp", "x.0123abcd.min.js"] {
            assert_eq!(headers(name, "").cache_control, IMMUTABLE, "{name}");
        }
        for name in [
            "style.css",
            "photo-20260612.jpg",
            "deadbeef.js",
            "report-december.pdf",
            "a/index-12345678.txt",
            "feedface.css",
        ] {
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
            ("i.svg", "image/svg+xml; charset=utf-8"),
        ] {
            assert_eq!(headers(path, "").content_type, kind, "{path}");
        }
    }

    #[test]
    fn rules_of_the_site_take_precedence() {
        let rules = "/*\n  Cache-Control: no-cache\n/a/*\n  Content-Type: text/x-a\n  X-Other: 1\n";
        assert_eq!(
            headers("a/index.html", rules),
            Headers { content_type: "text/x-a".into(), cache_control: "no-cache".into() }
        );
        assert_ne!(headers("a/index.html", rules).hash(), headers("a/index.html", "").hash());
    }
}
