//! The base URL that a site is published under.

use thiserror::Error;

use crate::paths::percent_decode;

/// An `http` or `https` URL: an origin and a path prefix without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    prefix: String,
}

/// Why a base URL is invalid.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum BaseUrlError {
    #[error("it has no scheme (https://)")]
    NoScheme,
    #[error("its scheme is not http or https")]
    Scheme,
    #[error("it has no host")]
    NoHost,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("its path contains `.`, `..` or an empty part")]
    Path,
    #[error("it contains a query, a fragment, a space or a quote")]
    Extra,
}

impl BaseUrl {
    /// # Errors
    /// When it is not `http(s)://host[:port][/prefix]`.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(BaseUrlError::NoScheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(BaseUrlError::Scheme);
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(BaseUrlError::NoHost);
        }
        let odd = |c: char| c.is_whitespace() || c.is_control() || "?#\"'<>\\`{}|^@".contains(c);
        if rest.chars().any(odd) {
            return Err(BaseUrlError::Extra);
        }
        if !has_valid_port(host) {
            return Err(BaseUrlError::Port);
        }
        if path.starts_with('/') {
            return Err(BaseUrlError::Path);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        // A browser resolves dots, also encoded ones, before it asks for a path (WHATWG URL §4.4).
        let is_odd = |part: &str| matches!(&*percent_decode(part), "" | "." | "..");
        if !path.is_empty() && path.split('/').any(is_odd) {
            return Err(BaseUrlError::Path);
        }
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { origin: format!("{scheme}://{}", host.to_ascii_lowercase()), prefix })
    }

    /// A base URL that stands in for an invalid one, so that the other problems of the site are
    /// found.
    #[must_use]
    pub(super) fn placeholder() -> Self {
        Self { origin: "https://invalid".into(), prefix: String::new() }
    }

    /// The scheme, host and port, such as `https://example.org`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.origin.split_once("://").map_or("", |(_, h)| h);
        if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) }
    }

    /// The path before every route: `""` or `/blog`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The absolute URL of an encoded route.
    #[must_use]
    pub fn absolute(&self, encoded_route: &str) -> String {
        format!("{}{}{encoded_route}", self.origin, self.prefix)
    }

    /// The path of an encoded route with the prefix, as links on the site itself have it.
    #[must_use]
    pub fn local(&self, encoded_route: &str) -> String {
        format!("{}{encoded_route}", self.prefix)
    }
}

/// Whether the port of a host, if it has one, is valid.
fn has_valid_port(host: &str) -> bool {
    let after_address = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    match after_address.split_once(':') {
        Some((_, port)) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        let url = BaseUrl::parse("HTTPS://Example.org:8080/a/b/").unwrap();
        assert_eq!(
            (url.origin(), url.prefix(), url.host()),
            ("https://example.org:8080", "/a/b", "example.org")
        );
        assert_eq!(BaseUrl::parse("example.org"), Err(BaseUrlError::NoScheme));
        assert_eq!(BaseUrl::parse("ftp://example.org"), Err(BaseUrlError::Scheme));
        assert_eq!(BaseUrl::parse("https:///x"), Err(BaseUrlError::NoHost));
        assert_eq!(BaseUrl::parse("https://a/?x"), Err(BaseUrlError::Extra));
        for port in ["https://a:99999", "https://a:0/", "https://a:x", "https://[::1]:70000"] {
            assert_eq!(BaseUrl::parse(port), Err(BaseUrlError::Port), "{port}");
        }
        for path in ["https://a/%2e%2e/", "https://a//", "https://a/b//c", "https://a/../b"] {
            assert_eq!(BaseUrl::parse(path), Err(BaseUrlError::Path), "{path}");
        }
        assert!(BaseUrl::parse("http://[::1]:8080/x").is_ok());
    }
}
