//! The address that a site is published under.

use thiserror::Error;

/// An `http` or `https` URL: an origin and a path prefix without a last slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    prefix: String,
}

/// Why a base URL cannot be used.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum BaseUrlError {
    #[error("it has no scheme (https://)")]
    NoScheme,
    #[error("only http and https can be published under")]
    Scheme,
    #[error("it names no host")]
    NoHost,
    #[error("it holds a query, a fragment, a space or a quote")]
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
        if rest.chars().any(odd) || path.split('/').any(|p| p == "..") {
            return Err(BaseUrlError::Extra);
        }
        let path = path.trim_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { origin: format!("{scheme}://{}", host.to_ascii_lowercase()), prefix })
    }

    /// An address that nothing is published under, to look for problems with when the real one is wrong.
    #[must_use]
    pub(super) fn placeholder() -> Self {
        Self { origin: "https://invalid".into(), prefix: String::new() }
    }

    /// Scheme, host and port: `https://example.org`.
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

    /// The whole address of an encoded route.
    #[must_use]
    pub fn absolute(&self, encoded_route: &str) -> String {
        format!("{}{}{encoded_route}", self.origin, self.prefix)
    }

    /// The address of an encoded route as links on the site itself write it.
    #[must_use]
    pub fn local(&self, encoded_route: &str) -> String {
        format!("{}{encoded_route}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        let url = BaseUrl::parse("HTTPS://Example.org:8080/a/b/").unwrap();
        assert_eq!((url.origin(), url.prefix(), url.host()), ("https://example.org:8080", "/a/b", "example.org"));
        assert_eq!(BaseUrl::parse("example.org"), Err(BaseUrlError::NoScheme));
        assert_eq!(BaseUrl::parse("ftp://example.org"), Err(BaseUrlError::Scheme));
        assert_eq!(BaseUrl::parse("https:///x"), Err(BaseUrlError::NoHost));
        assert_eq!(BaseUrl::parse("https://a/?x"), Err(BaseUrlError::Extra));
    }
}
