//! Media types of published files (RFC 9110 §8.3), in one table for the preview and every host.

/// The media type of a file, with a `charset` parameter for text. Unknown types are
/// `application/octet-stream`.
#[must_use]
pub(crate) fn media_type(path: &str) -> String {
    let guess = match path.rsplit_once('/').map_or(path, |(_, name)| name) {
        // RFC 4287 §7.1 and RFC 4151; feeds are recognised by the names that Folio gives them.
        "atom.xml" => "application/atom+xml".to_owned(),
        "rss.xml" => "application/rss+xml".to_owned(),
        "feed.json" => "application/feed+json".to_owned(),
        name => match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("xml") => "application/xml".to_owned(),
            Some("webmanifest") => "application/manifest+json".to_owned(),
            _ => mime_guess::from_path(name).first_or_octet_stream().to_string(),
        },
    };
    if is_text(&guess) { format!("{guess}; charset=utf-8") } else { guess }
}

/// Whether a file is an HTML page.
#[must_use]
pub(crate) fn is_html(path: &str) -> bool {
    media_type(path).starts_with("text/html")
}

/// Whether a media type without parameters is text, which hosts compress and label as UTF-8.
#[must_use]
pub(crate) fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || ["json", "xml", "javascript"].iter().any(|suffix| media_type.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_that_browsers_and_feed_readers_expect() {
        for (path, expected) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("x.js", "text/javascript; charset=utf-8"),
            ("atom.xml", "application/atom+xml; charset=utf-8"),
            ("tags/a/rss.xml", "application/rss+xml; charset=utf-8"),
            ("feed.json", "application/feed+json; charset=utf-8"),
            ("sitemap.xml", "application/xml; charset=utf-8"),
            ("data.json", "application/json; charset=utf-8"),
            ("favicon.svg", "image/svg+xml; charset=utf-8"),
            ("app.webmanifest", "application/manifest+json; charset=utf-8"),
            ("a.webp", "image/webp"),
            ("CNAME", "application/octet-stream"),
        ] {
            assert_eq!(media_type(path), expected, "{path}");
        }
    }
}
