//! Finds what a request's path leads to, as hosts of static sites do.

use std::sync::Arc;

use crate::diag::Report;
use crate::host_rules::{self, Precedence};
use crate::live::{Preview, Resource};
use crate::paths::{Route, runs_code};

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Lookup {
    /// A resource of the plan, with the status to respond with.
    Found(Resource, u16),
    /// Another URL.
    Redirect {
        to: String,
        status: u16,
    },
    /// The new path of a page that was renamed while the preview runs.
    Moved(String),
    /// Nothing, and the site has no 404 page.
    NotFound,
    /// No file of a site can have this path.
    InvalidPath,
    PathTooLong,
}

/// The longest path that is looked up, in bytes.
const MAX_PATH: usize = 4096;

/// Files that configure a host and are not published by it.
const HOST_FILES: [&str; 2] = ["/_redirects", "/_headers"];

/// Looks up a percent-encoded path in the order that hosts use: redirects marked with `!`, then the
/// resource at the path (also without `.html`, or without the slash at the end), then other
/// redirects, then the 404 page.
pub(super) fn find(preview: &Preview, path: &str) -> Lookup {
    if path.len() > MAX_PATH {
        return Lookup::PathTooLong;
    }
    let prefix = preview.prefix();
    let Some(below) = path.strip_prefix(prefix.as_str()).filter(|rest| rest.starts_with('/'))
    else {
        // Above the path of the base URL there is nothing but the way to it.
        return if prefix.starts_with(path.trim_end_matches('/')) {
            Lookup::Redirect { to: format!("{prefix}/"), status: 302 }
        } else {
            not_found(preview)
        };
    };
    if below.contains("//") {
        return not_found(preview);
    }
    let Ok(route) = Route::parse(below) else { return Lookup::InvalidPath };
    let redirects = preview
        .host_file("_redirects")
        .map(|text| host_rules::redirects(&text))
        .unwrap_or_default();
    let target = |precedence: Precedence| {
        let rules = redirects.iter().filter(|r| r.precedence == precedence);
        rules
            .filter_map(|r| Some((r.target(route.as_str())?, r.status)))
            .find(|(to, _)| to != route.as_str())
    };
    if let Some((to, status)) = target(Precedence::BeforeFiles) {
        return redirect(preview, &prefix, to, status);
    }
    if !HOST_FILES.contains(&route.as_str()) {
        if let Some(found) = preview.find(&route) {
            return Lookup::Found(found, 200);
        }
        if let Some(similar) = find_similar(preview, &route, &prefix) {
            return similar;
        }
    }
    if let Some(to) = preview.moved_to(&route) {
        return Lookup::Moved(format!("{prefix}{}", to.encoded()));
    }
    match target(Precedence::AfterFiles) {
        Some((to, status)) => redirect(preview, &prefix, to, status),
        None => not_found(preview),
    }
}

/// What hosts resolve the path to besides itself: the page with `.html` at its end, or the folder.
fn find_similar(preview: &Preview, route: &Route, prefix: &str) -> Option<Lookup> {
    let text = route.as_str();
    if text.ends_with('/') {
        return None;
    }
    let with = |end: &str| Route::parse(&format!("{}{end}", route.encoded())).ok();
    if let Some(found) = with(".html").and_then(|r| preview.find(&r)) {
        return Some(Lookup::Found(found, 200));
    }
    let folder = with("/").filter(|r| preview.find(r).is_some())?;
    Some(Lookup::Redirect { to: format!("{prefix}{}", folder.encoded()), status: 302 })
}

/// Applies a redirect. A status of 200 or 404 shows the target under the requested path.
fn redirect(preview: &Preview, prefix: &str, to: String, status: u16) -> Lookup {
    let is_external = to.contains("://") || to.starts_with("//");
    if status == 200 || status == 404 {
        let path = to.split(['?', '#']).next().unwrap_or_default();
        let found =
            Route::parse(path).ok().filter(|_| !is_external).and_then(|route| preview.find(&route));
        return found.map_or_else(|| not_found(preview), |found| Lookup::Found(found, status));
    }
    if runs_code(&to) {
        return Lookup::InvalidPath;
    }
    let is_local = to.starts_with('/') && !is_external && !to.starts_with(&format!("{prefix}/"));
    // Browsers cache permanent redirects, and the next edit may remove this one.
    let status = match status {
        301 => 302,
        308 => 307,
        other => other,
    };
    Lookup::Redirect { to: if is_local { format!("{prefix}{to}") } else { to }, status }
}

fn not_found(preview: &Preview) -> Lookup {
    let page = Route::parse("/404.html").ok().and_then(|route| preview.find(&route));
    page.map_or(Lookup::NotFound, |found| Lookup::Found(found, 404))
}

/// A page's bytes, with their fingerprint as 16 hexadecimal digits, by which a browser names the
/// version it has.
///
/// # Errors
/// Why the page cannot be rendered.
pub(super) fn page_with_version(
    preview: &Preview,
    resource: &Resource,
) -> Result<(String, Arc<[u8]>), Report> {
    let page = preview.page(&resource.out)?;
    Ok((format!("{:x}", page.fingerprint), page.bytes))
}

/// The version of a page that has never been rendered.
pub(super) const NO_VERSION: &str = "0";
