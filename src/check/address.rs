//! What an address in a finished page leads to, as a browser and a host take it (WHATWG URL).

use reqwest::Url;

use super::context::Context;
use crate::paths::{Route, percent_decode};

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    /// To a file of the output, by its number in the plan's order, and perhaps to a part of it.
    File { job: usize, fragment: Option<String> },
    /// To what `_redirects` answers for.
    Redirected,
    /// To a path below the site's own address that nothing answers at.
    Nowhere,
    /// To another host, without its fragment.
    Outside(String),
    /// To no page: `mailto:`, `data:`.
    Other,
}

/// The whole address of a page, which those on it are read from.
#[must_use]
pub fn base(context: &Context<'_>, route: &Route) -> Option<Url> {
    Url::parse(&context.config.base_url.absolute(&route.encoded())).ok()
}

/// Reads an address that stands on the page with this whole address.
#[must_use]
pub fn lead(context: &Context<'_>, page: Option<&Url>, address: &str) -> Lead {
    let base = &context.config.base_url;
    let Ok(url) = Url::options().base_url(page).parse(address) else {
        // A browser cannot make anything of it either.
        return if address.contains("://") || address.starts_with("//") { Lead::Outside(address.to_owned()) } else { Lead::Nowhere };
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Lead::Other;
    }
    if url.origin().ascii_serialization() != context.origin {
        return outside(url);
    }
    let path = percent_decode(url.path());
    let below = path.strip_prefix(base.prefix()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(below) = below else {
        // The same host may hold more than this site; a path, though, was meant to be on it.
        return if address.contains("//") { outside(url) } else { Lead::Nowhere };
    };
    let below = if below.is_empty() { "/" } else { below };
    if let Some(job) = context.job_at(below) {
        return Lead::File { job, fragment: url.fragment().map(percent_decode).filter(|f| !f.is_empty()) };
    }
    if context.redirects.iter().any(|rule| rule.applied(below).is_some()) { Lead::Redirected } else { Lead::Nowhere }
}

fn outside(mut url: Url) -> Lead {
    url.set_fragment(None);
    Lead::Outside(url.into())
}
