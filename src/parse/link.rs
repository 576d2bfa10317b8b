//! Links as written, before their targets are known.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::diag::nearest;
use crate::paths::{percent_decode, resolve, runs_code};

/// A link or an image of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub kind: LinkKind,
    pub target: Target,
    pub span: Range<u32>,
}

/// Where in the HTML a link is, which decides what its hole inserts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkKind {
    /// ` href="…"` and the attributes of the link policy.
    Anchor,
    /// ` src="…"`.
    Image,
    /// The value of an attribute of raw HTML, between its quotes.
    Attribute,
    /// The same, for an attribute that a page loads a file by: `src` and `poster`.
    ImageAttribute,
    /// The attributes of the link policy alone, inside a tag of raw HTML.
    Policy,
}

impl LinkKind {
    /// Whether a page loads the target, instead of leading to it.
    #[must_use]
    pub fn is_loaded(self) -> bool {
        matches!(self, Self::Image | Self::ImageAttribute)
    }
}

/// The target of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Another host: `https://…` or `//…`.
    External(Box<str>),
    /// A harmless other scheme, such as `mailto:` or `tel:`.
    Scheme(Box<str>),
    /// A Markdown file of the site: `content/posts/other.md`, with a fragment.
    Article { path: Box<str>, fragment: Option<Box<str>> },
    /// An anchor on the same page.
    Fragment(Box<str>),
    /// A path on the site, absolute or relative; the rest is its query and fragment.
    Local { path: Box<str>, rest: Box<str> },
    /// A scheme that runs code: the link is removed.
    Dead,
}

/// Parses the destination of a link in a file of `folder` (`content/posts`).
#[must_use]
pub fn classify(url: &str, folder: &str, kind: LinkKind) -> Target {
    if is_dangerous(url, kind) {
        return Target::Dead;
    }
    let url = url.trim();
    if let Some(fragment) = url.strip_prefix('#') {
        return Target::Fragment(fragment.into());
    }
    if url.starts_with("//") {
        return Target::External(url.into());
    }
    if let Some(scheme) = scheme_of(url) {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Target::External(url.into()),
            _ => Target::Scheme(url.into()),
        };
    }
    let cut = url.find(['?', '#']).unwrap_or(url.len());
    let (path, rest) = url.split_at(cut);
    if let Some(below) = path.strip_prefix("@/") {
        return article("content", below, rest)
            .unwrap_or(Target::Article { path: below.into(), fragment: None });
    }
    let is_markdown = path
        .rsplit_once('.')
        .is_some_and(|(_, e)| e.eq_ignore_ascii_case("md") || e.eq_ignore_ascii_case("markdown"));
    if is_markdown && kind != LinkKind::Image {
        let found = match path.strip_prefix('/') {
            Some(below) => article("content", below, rest),
            None => article(folder, path, rest),
        };
        if let Some(target) = found {
            return target;
        }
    }
    Target::Local { path: path.into(), rest: rest.into() }
}

fn article(folder: &str, path: &str, rest: &str) -> Option<Target> {
    let path = resolve(folder, &percent_decode(path))?;
    let fragment = rest.split_once('#').map(|(_, f)| f).filter(|f| !f.is_empty()).map(Into::into);
    Some(Target::Article { path: path.into(), fragment })
}

/// The scheme of a URL (RFC 3986 §3.1), if it has one.
fn scheme_of(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let mut chars = scheme.chars();
    let valid = chars.next()?.is_ascii_alphabetic()
        && chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    valid.then_some(scheme)
}

/// Schemes of URLs that links commonly have (IANA, "Uniform Resource Identifier (URI) Schemes").
const SCHEMES: [&str; 26] = [
    "acct", "bitcoin", "data", "facetime", "ftp", "ftps", "geo", "git", "http", "https", "imap",
    "irc", "ircs", "magnet", "mailto", "matrix", "news", "sftp", "sip", "sms", "ssh", "tel", "urn",
    "webcal", "xmpp", "whatsapp",
];

/// What is wrong with the scheme of a URL and how to correct it, if it is unknown and similar to a
/// known one, or is not followed by `//` where it must be.
pub(super) fn suspicious_scheme(target: &Target) -> Option<(String, String)> {
    match target {
        Target::Scheme(url) => {
            let scheme = scheme_of(url)?.to_ascii_lowercase();
            if SCHEMES.contains(&scheme.as_str()) {
                return None;
            }
            let near = nearest(&scheme, SCHEMES)?;
            Some((format!("unknown URL scheme `{scheme}`"), format!("did you mean `{near}`?")))
        }
        Target::External(url) => {
            let (scheme, rest) = url.split_once(':')?;
            (!scheme.is_empty() && !scheme.starts_with('/') && !rest.starts_with("//")).then(|| {
                let rest = rest.trim_start_matches('/');
                (format!("`{url}` is not a URL"), format!("write `{scheme}://{rest}`"))
            })
        }
        _ => None,
    }
}

/// Whether a link runs code. An image may contain its own bytes, except for kinds that are
/// documents.
fn is_dangerous(url: &str, kind: LinkKind) -> bool {
    let start = url.trim().get(..15).unwrap_or_default().to_ascii_lowercase();
    let picture = kind == LinkKind::Image
        && start.starts_with("data:image/")
        && !start.starts_with("data:image/svg");
    !picture && runs_code(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(url: &str) -> Target {
        classify(url, "content/posts", LinkKind::Anchor)
    }

    #[test]
    fn code_in_a_link_is_dead_in_every_disguise() {
        for url in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "javascript\u{200b}:alert(1)",
            "vbscript:x",
            "data:text/html,<script>",
            "java%73cript:alert(1)",
            "file:///etc/passwd",
            "view-source:javascript:x",
            "blob:x",
        ] {
            assert_eq!(anchor(url), Target::Dead, "{url:?}");
        }
        assert_eq!(classify("data:image/svg+xml,<svg>", "content", LinkKind::Image), Target::Dead);
        assert_ne!(classify("data:image/png;base64,AA", "content", LinkKind::Image), Target::Dead);
    }

    #[test]
    fn targets() {
        let article = |path: &str, fragment: Option<&str>| Target::Article {
            path: path.into(),
            fragment: fragment.map(Into::into),
        };
        assert_eq!(anchor("other.md#part"), article("content/posts/other.md", Some("part")));
        assert_eq!(anchor("../about.md"), article("content/about.md", None));
        assert_eq!(anchor("@/docs/a b.md"), article("content/docs/a b.md", None));
        assert_eq!(anchor("a%20b.md"), article("content/posts/a b.md", None));
        assert_eq!(
            anchor("/x/?a=1#b"),
            Target::Local { path: "/x/".into(), rest: "?a=1#b".into() }
        );
        assert_eq!(anchor("#b"), Target::Fragment("b".into()));
        assert_eq!(anchor("mailto:a@b.example"), Target::Scheme("mailto:a@b.example".into()));
        assert_eq!(anchor("//cdn.example/x"), Target::External("//cdn.example/x".into()));
    }
}
