//! Resolves the URLs of a rendered page as browsers and hosts do (WHATWG URL).

use url::Url;

use super::context::Context;
use crate::paths::{Route, percent_decode};

/// What a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedUrl {
    /// A file of the output, by its index in the plan, with the fragment of the URL.
    File { job: usize, fragment: Option<String> },
    /// A path that a rule of `_redirects` matches.
    Redirected,
    /// A path below the base URL that does not exist.
    Broken,
    /// A URL of another host, without its fragment.
    External(String),
    /// A URL of another kind, such as `mailto:` or `data:`.
    Other,
}

/// The absolute URL of a page, against which its URLs are resolved.
#[must_use]
pub fn page_url(context: &Context<'_>, route: &Route) -> Option<Url> {
    Url::parse(&context.config.base_url.absolute(&route.encoded())).ok()
}

/// Resolves a URL of a page.
#[must_use]
pub fn resolve_url(context: &Context<'_>, page: Option<&Url>, text: &str) -> ResolvedUrl {
    let base = &context.config.base_url;
    let Ok(url) = Url::options().base_url(page).parse(text) else {
        // Browsers reject it too.
        return if text.contains("://") || text.starts_with("//") {
            ResolvedUrl::External(text.to_owned())
        } else {
            ResolvedUrl::Broken
        };
    };
    if !matches!(url.scheme(), "http" | "https") {
        return ResolvedUrl::Other;
    }
    if url.origin().ascii_serialization() != context.origin {
        return external(url);
    }
    let path = percent_decode(url.path());
    let below =
        path.strip_prefix(base.prefix()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(below) = below else {
        // The host may serve more than this site, but a URL without a host was meant to be on it.
        return if text.contains("//") { external(url) } else { ResolvedUrl::Broken };
    };
    let below = if below.is_empty() { "/" } else { below };
    if let Some(job) = context.job_at(below) {
        return ResolvedUrl::File {
            job,
            fragment: url.fragment().map(percent_decode).filter(|f| !f.is_empty()),
        };
    }
    if context.redirects.iter().any(|rule| rule.target(below).is_some()) {
        ResolvedUrl::Redirected
    } else {
        ResolvedUrl::Broken
    }
}

fn external(mut url: Url) -> ResolvedUrl {
    url.set_fragment(None);
    ResolvedUrl::External(url.into())
}
