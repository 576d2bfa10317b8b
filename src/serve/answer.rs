//! A request's path → what answers it.

use crate::diag::Report;
use crate::paths::Route;
use crate::pipeline::live::{Found, Preview};

use crate::rules::{self, Force};

/// What answers a path.
#[derive(Debug)]
pub(super) enum Answer {
    /// Something of the plan, with its status.
    Found(Found, u16),
    /// Another address, relative to the host.
    Redirect {
        to: String,
        status: u16,
    },
    /// The page was renamed while it was looked at.
    Moved(String),
    /// Nothing, and the site has no page that says so.
    Nothing,
    /// The path is none that a site can have.
    Bad,
    TooLong,
}

/// The longest path that a site has any use for.
const LONGEST: usize = 4096;

/// Files that steer a host and are not published by it.
const STEERING: [&str; 2] = ["/_redirects", "/_headers"];

/// Finds what answers at this path, percent-encoded as it came. As hosts do: rules with `!`, then what is there
/// (also without its `.html`, or without the slash at its end), then the other rules, then the page for what is not found.
pub(super) fn find(preview: &Preview, path: &str) -> Answer {
    if path.len() > LONGEST {
        return Answer::TooLong;
    }
    let prefix = preview.prefix();
    let Some(below) = path.strip_prefix(prefix.as_str()).filter(|rest| rest.starts_with('/')) else {
        // The site's own address is where it begins.
        return if prefix.starts_with(path.trim_end_matches('/')) {
            Answer::Redirect { to: format!("{prefix}/"), status: 302 }
        } else {
            not_found(preview)
        };
    };
    if below.contains("//") {
        return not_found(preview);
    }
    let Ok(route) = Route::parse(below) else { return Answer::Bad };
    let redirects = preview.steering("_redirects").map(|text| rules::redirects(&text)).unwrap_or_default();
    let ruled = |force: Force| {
        let of_force = redirects.iter().filter(|r| r.force == force);
        of_force.filter_map(|r| Some((r.applied(route.as_str())?, r.status))).find(|(to, _)| to != route.as_str())
    };
    if let Some((to, status)) = ruled(Force::Before) {
        return by_rule(preview, &prefix, to, status);
    }
    if !STEERING.contains(&route.as_str()) {
        if let Some(found) = preview.find(&route) {
            return Answer::Found(found, 200);
        }
        if let Some(answer) = nearly(preview, &route, &prefix) {
            return answer;
        }
    }
    if let Some(to) = preview.moved(&route) {
        return Answer::Moved(format!("{prefix}{}", to.encoded()));
    }
    match ruled(Force::After) {
        Some((to, status)) => by_rule(preview, &prefix, to, status),
        None => not_found(preview),
    }
}

/// What a host would take the path for: the page with `.html` at its end, or the folder.
fn nearly(preview: &Preview, route: &Route, prefix: &str) -> Option<Answer> {
    let text = route.as_str();
    if text.ends_with('/') {
        return None;
    }
    let with = |end: &str| Route::parse(&format!("{}{end}", route.encoded())).ok();
    if let Some(found) = with(".html").and_then(|r| preview.find(&r)) {
        return Some(Answer::Found(found, 200));
    }
    let folder = with("/").filter(|r| preview.find(r).is_some())?;
    Some(Answer::Redirect { to: format!("{prefix}{}", folder.encoded()), status: 302 })
}

fn by_rule(preview: &Preview, prefix: &str, to: String, status: u16) -> Answer {
    let is_elsewhere = to.contains("://") || to.starts_with("//");
    if status == 200 || status == 404 {
        let path = to.split(['?', '#']).next().unwrap_or_default();
        let found = Route::parse(path).ok().filter(|_| !is_elsewhere).and_then(|route| preview.find(&route));
        return found.map_or_else(|| not_found(preview), |found| Answer::Found(found, status));
    }
    if crate::paths::runs_code(&to) {
        return Answer::Bad;
    }
    let own = to.starts_with('/') && !is_elsewhere && !to.starts_with(&format!("{prefix}/"));
    // A browser would remember a redirect for good, and this one may be gone with the next save.
    let status = match status {
        301 => 302,
        308 => 307,
        other => other,
    };
    Answer::Redirect { to: if own { format!("{prefix}{to}") } else { to }, status }
}

fn not_found(preview: &Preview) -> Answer {
    let page = Route::parse("/404.html").ok().and_then(|route| preview.find(&route));
    page.map_or(Answer::Nothing, |found| Answer::Found(found, 404))
}

/// The mark by which a browser knows what it was served; of a page that cannot be shown, one of its own.
pub(super) fn mark_of(preview: &Preview, found: &Found) -> Result<(String, std::sync::Arc<[u8]>), Report> {
    preview.page(&found.out).map(|shown| (format!("{:016x}", shown.mark.0), shown.bytes))
}

/// The mark of a page that has never been shown.
pub(super) const NEVER: &str = "0";
