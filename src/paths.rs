//! Paths as types. This is the only module that joins or checks them.
//!
//! [`SourcePath`] names a file of the site, [`Route`] the path of a URL, [`OutPath`] a file of the
//! output. None of them can contain `..`, an absolute path, a backslash, a NUL or a drive letter,
//! so whatever is joined to a root stays below it, on every system.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Why a text is not a valid path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("it is empty")]
    Empty,
    #[error("`{0}` leads out of the site")]
    Parent(String),
    #[error("it holds a backslash, which some systems take for a folder")]
    Backslash,
    #[error("it starts with a drive letter")]
    Drive,
    #[error("it contains a control character")]
    Control,
    #[error("`{0}` is a device name on Windows")]
    Device(String),
    #[error("a part of it is longer than 255 bytes")]
    TooLong,
    #[error("it holds `{0}`, which a server would decode into a path separator or a parent folder")]
    Encoded(String),
    #[error("it is an absolute file path or a URL; a route starts with a single `/`")]
    Absolute,
}

/// Checks one part of a path, between slashes.
fn check_segment(segment: &str) -> Result<(), PathError> {
    if segment == "." || segment == ".." {
        return Err(PathError::Parent(segment.to_owned()));
    }
    if segment.len() > 255 {
        return Err(PathError::TooLong);
    }
    if segment.contains('\\') {
        return Err(PathError::Backslash);
    }
    if segment.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    let stem = segment.split('.').next().unwrap_or_default();
    if !(3..=4).contains(&stem.len()) {
        return Ok(());
    }
    let device = stem.to_ascii_lowercase();
    let numbered = |p: &str| {
        device.len() == 4 && device.starts_with(p) && device.as_bytes()[3].is_ascii_digit()
    };
    if matches!(device.as_str(), "con" | "prn" | "aux" | "nul")
        || numbered("com")
        || numbered("lpt")
    {
        return Err(PathError::Device(segment.to_owned()));
    }
    Ok(())
}

fn check(path: &str) -> Result<(), PathError> {
    let bytes = path.as_bytes();
    if bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' {
        return Err(PathError::Drive);
    }
    path.split('/').try_for_each(check_segment)
}

macro_rules! path_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

path_type! {
    /// A file of the site, relative to its root, with `/` as the separator: `content/posts/a.md`.
    SourcePath
}

impl SourcePath {
    /// Parses a relative path with `/` as the separator.
    ///
    /// # Errors
    /// When a part would lead out of the site, or is not a valid file name on every system.
    pub fn new(path: &str) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.starts_with('/') {
            return Err(PathError::Absolute);
        }
        check(path)?;
        Ok(Self(path.into()))
    }

    /// The folder of the file; `""` for the root.
    #[must_use]
    pub fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(dir, _)| dir)
    }

    /// The file name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// The file name without its extension.
    #[must_use]
    pub fn stem(&self) -> &str {
        let name = self.file_name();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Whether the file has this extension (without the dot, in any letter case).
    #[must_use]
    pub fn has_extension(&self, ext: &str) -> bool {
        self.file_name().rsplit_once('.').is_some_and(|(_, e)| e.eq_ignore_ascii_case(ext))
    }

    /// The path relative to `folder`, if the file lies in it.
    #[must_use]
    pub fn below(&self, folder: &str) -> Option<&str> {
        self.0.strip_prefix(folder)?.strip_prefix('/')
    }
}

path_type! {
    /// The decoded path of a URL without the prefix of the base URL: `/posts/a/`. Starts with `/`.
    Route
}

impl Route {
    /// The front page.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// Parses a route as publishers write it: with or without the leading slash, percent-encoded or
    /// not.
    ///
    /// # Errors
    /// When it is a URL or a path of the file system, or would lead out of the output.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.starts_with("//") || text.contains("://") {
            return Err(PathError::Absolute);
        }
        let decoded = percent_decode(text);
        if decoded.contains('%') {
            let lower = decoded.to_ascii_lowercase();
            if let Some(bad) = ["%2e", "%2f", "%5c", "%00"].iter().find(|bad| lower.contains(**bad))
            {
                return Err(PathError::Encoded((*bad).to_owned()));
            }
        }
        let path = decoded.trim_start_matches('/');
        let body = path.strip_suffix('/').unwrap_or(path);
        if body.is_empty() {
            return if decoded.is_empty() { Err(PathError::Empty) } else { Ok(Self::root()) };
        }
        check(body)?;
        if body.split('/').any(str::is_empty) {
            return Err(PathError::Parent("//".to_owned()));
        }
        if body.contains(['?', '#']) {
            return Err(PathError::Absolute);
        }
        Ok(Self(format!("/{path}").into()))
    }

    /// The route of something below this one: `/posts/` and `page/2/` give `/posts/page/2/`.
    ///
    /// # Errors
    /// As [`Route::parse`].
    pub fn join(&self, rest: &str) -> Result<Self, PathError> {
        Self::parse(&format!("{}/{rest}", self.0.trim_end_matches('/')))
    }

    /// The file that hosts serve for this route: `/a/` is `a/index.html`, `/a.html` is `a.html`.
    #[must_use]
    pub fn out_path(&self) -> OutPath {
        let path = self.0.trim_start_matches('/');
        if path.is_empty() || path.ends_with('/') {
            return OutPath(format!("{path}index.html").into());
        }
        OutPath(path.into())
    }

    /// The percent-encoded route, without the prefix of the base URL.
    #[must_use]
    pub fn encoded(&self) -> String {
        percent_encode(&self.0)
    }
}

impl std::borrow::Borrow<str> for Route {
    fn borrow(&self) -> &str {
        &self.0
    }
}

path_type! {
    /// A file of the output, relative to it: `posts/a/index.html`.
    OutPath
}

impl OutPath {
    /// Parses a relative path with `/` as the separator.
    ///
    /// # Errors
    /// When a part would lead out of the output, or is not a valid file name on every system.
    pub fn new(path: &str) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.starts_with('/') {
            return Err(PathError::Absolute);
        }
        check(path)?;
        if path.split('/').any(str::is_empty) {
            return Err(PathError::Parent("//".to_owned()));
        }
        Ok(Self(path.into()))
    }

    /// A key that is equal for paths that some file system cannot distinguish: letter case and
    /// Unicode form are folded.
    #[must_use]
    pub fn collision_key(&self) -> String {
        if self.0.is_ascii() {
            return self.0.to_ascii_lowercase();
        }
        self.0.nfc().collect::<String>().to_lowercase().nfc().collect()
    }

    /// The route that hosts serve this file under.
    #[must_use]
    pub fn route(&self) -> Route {
        let path = match self.0.strip_suffix("index.html") {
            Some(dir) if dir.is_empty() || dir.ends_with('/') => dir,
            _ => &self.0,
        };
        Route(format!("/{path}").into())
    }
}

/// Joins a link of a file in `folder` to that folder lexically; `None` when it leads out of the
/// root.
#[must_use]
pub fn resolve(folder: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

/// Decodes `%XX`. What does not decode to UTF-8 stays as it is.
#[must_use]
pub fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap_or(text.into()).into_owned()
}

/// The characters that are encoded in a URL path: all except letters, digits and those allowed by
/// RFC 3986 §3.3, and the `/` between parts.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Encodes what is not allowed in a URL path (RFC 3986 §3.3), except `/`.
#[must_use]
pub fn percent_encode(path: &str) -> String {
    Cow::from(utf8_percent_encode(path, ENCODED)).into_owned()
}

/// Encodes what is not allowed in the fragment of a URL (RFC 3986 §3.5).
#[must_use]
pub fn encode_fragment(id: &str) -> String {
    percent_encode(id)
}

/// Schemes that run code, or contain a document that may.
const DANGEROUS: [&str; 13] = [
    "javascript",
    "vbscript",
    "livescript",
    "data",
    "file",
    "blob",
    "jar",
    "view-source",
    "feed",
    "filesystem",
    "about",
    "mhtml",
    "wyciwyg",
];

/// Whether a browser would run code for this URL. Browsers ignore control characters and line
/// breaks anywhere in it (WHATWG URL §4.4); all white space and invisible characters are ignored
/// here.
#[must_use]
pub fn runs_code(url: &str) -> bool {
    let invisible = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
    };
    let bare: String =
        url.chars().filter(|c| !invisible(*c)).take(60).collect::<String>().to_lowercase();
    [percent_decode(&bare).to_lowercase(), bare]
        .iter()
        .any(|text| text.split_once(':').is_some_and(|(scheme, _)| DANGEROUS.contains(&scheme)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_that_lead_out_are_refused() {
        for bad in [
            "../../x",
            "/a/../b",
            "a/../../b",
            "%2e%2e/x",
            "%252e%252e/x",
            "C:\\x",
            "C:/x",
            "a\0b",
            "//evil",
            "http://x/",
            "a\\b",
            "/con/",
            "a//b",
            "",
            "/x?y",
            ".",
        ] {
            assert!(Route::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn routes_name_files() {
        let cases = [
            ("/", "index.html"),
            ("posts/a/", "posts/a/index.html"),
            ("/a.html", "a.html"),
            ("/é%20b/", "é b/index.html"),
        ];
        for (route, out) in cases {
            let route = Route::parse(route).unwrap();
            assert_eq!(route.out_path().as_str(), out);
            assert_eq!(route.out_path().route(), route);
        }
        assert_eq!(Route::parse("/é b/").unwrap().encoded(), "/%C3%A9%20b/");
    }

    #[test]
    fn only_two_digits_are_decoded() {
        assert_eq!(percent_decode("a%20b%C3%A9"), "a bé");
        for as_written in ["%", "%2", "%+1", "%zz", "%FF"] {
            assert_eq!(percent_decode(as_written), as_written);
        }
        assert_eq!(percent_encode("/é b?/~@:%"), "/%C3%A9%20b%3F/~@:%25");
    }

    proptest::proptest! {
        #[test]
        fn no_route_escapes(text in "\\PC{0,40}") {
            if let Ok(route) = Route::parse(&text) {
                let out = route.out_path();
                proptest::prop_assert!(OutPath::new(out.as_str()).is_ok(), "{out}");
                proptest::prop_assert!(!out.as_str().split('/').any(|p| p == ".." || p == "."));
            }
        }
    }
}
