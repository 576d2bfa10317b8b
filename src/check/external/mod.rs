//! Links to other hosts: which are asked for, what is known of them already, and what is told.
//!
//! [`asking`] asks one address; [`cache`] keeps the answers. An address is asked for once, however many pages link
//! to it; hosts are asked side by side, one host only so often at the same time.

mod asking;
mod cache;

use std::collections::BTreeMap;

use futures_util::StreamExt;
use jiff::Timestamp;
use reqwest::Url;

use self::asking::{Asker, Verdict};
use self::cache::Known;
use super::rules::EXTERNAL;
use super::site::{Found, Site};
use crate::check::finding::Finding;
use crate::config::checks::{ExternalChecks, Level};
use crate::diag::Diagnostic;
use crate::pipeline::{Cache, Options, Progress, Survey};

/// How many hosts are asked at the same time.
const HOSTS: usize = 32;

/// How many links to other hosts there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Different addresses.
    pub links: usize,
    /// Those that were not asked for, since the answer was known.
    pub cached: usize,
}

type Outcome = (Vec<Found>, Counts, Option<Diagnostic>);

/// Looks at every link of the site to another host. With the findings comes a warning when the answers could not be kept.
///
/// # Errors
/// When no requests can be made at all.
pub(super) fn check(site: &Site<'_>, survey: &Survey, options: &Options, progress: &dyn Progress) -> Result<Outcome, Diagnostic> {
    let settings = &site.context.config.check.external;
    let level = site.context.config.check.level(EXTERNAL);
    if level == Level::Off {
        return Ok((Vec::new(), Counts::default(), None));
    }
    let mut links = gather(site);
    links.retain(|url, _| !settings.allow.iter().any(|pattern| matches(pattern, url)));
    let now = options.visibility.now;
    let mut known = match options.cache {
        Cache::Use => Known::load(survey.state(), now, settings),
        Cache::Ignore => Known::empty(settings),
    };
    let unknown: Vec<&str> = links.keys().copied().filter(|url| known.verdict(url).is_none()).collect();
    let counts = Counts { links: links.len(), cached: links.len() - unknown.len() };
    progress.stage("Asking", unknown.len());
    let answers = if unknown.is_empty() { Vec::new() } else { ask_all(&unknown, settings, progress)? };
    let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
    for url in links.keys() {
        verdicts.extend(known.verdict(url).map(|verdict| (*url, verdict)));
    }
    for (url, verdict) in &answers {
        known.put(url, verdict, now);
        verdicts.insert(url, verdict.clone());
    }
    let warning = known
        .save(survey.state())
        .err()
        .map(|e| Diagnostic::warning(format!("what is known of links to other hosts could not be kept: {}", crate::load::reason(&e))));
    let mut found = Vec::new();
    for (url, verdict) in &verdicts {
        let Some(reason) = verdict.problem() else { continue };
        for (number, written) in links.get(url).into_iter().flatten() {
            let Some(page) = site.bare(*number) else { continue };
            let finding = Finding::new(format!("`{url}` {reason}"), page.place_of_address(written)).on(site.route(*number));
            found.push((EXTERNAL, level, finding.hint("correct the address, or name it under `allow` in [check.external]")));
        }
    }
    Ok((found, counts, warning))
}

/// Every address of another host, with the pages that link to it and how they write it.
fn gather<'s>(site: &'s Site<'_>) -> BTreeMap<&'s str, Vec<(usize, &'s str)>> {
    let mut links: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for (number, kept) in site.pages() {
        for (written, url) in &kept.outside {
            links.entry(url).or_default().push((number, written));
        }
    }
    links
}

/// Whether an address fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, url: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = url.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Asks for every address; the answers come in the order of the addresses.
fn ask_all(urls: &[&str], settings: &ExternalChecks, progress: &dyn Progress) -> Result<Vec<(String, Verdict)>, Diagnostic> {
    let failed = |e: &dyn std::fmt::Display| Diagnostic::error(format!("links to other hosts cannot be looked at: {e}"));
    let asker = Asker::new(settings).map_err(|e| failed(&e))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
    let mut hosts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for url in urls {
        let host = Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
        hosts.entry(host).or_default().push(url);
    }
    let asker = &asker;
    let per_host = settings.per_host.max(1);
    let one = |url: String| async move {
        let verdict = asker.ask(&url).await;
        progress.step();
        (url, verdict)
    };
    let of_host = |urls: Vec<&str>| {
        let urls: Vec<String> = urls.into_iter().map(str::to_owned).collect();
        futures_util::stream::iter(urls).map(one).buffer_unordered(per_host).collect::<Vec<_>>()
    };
    let mut answers: Vec<(String, Verdict)> = runtime
        .block_on(futures_util::stream::iter(hosts.into_values()).map(of_host).buffer_unordered(HOSTS).collect::<Vec<_>>())
        .into_iter()
        .flatten()
        .collect();
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(answers)
}

/// The seconds of a moment since the epoch.
fn seconds(now: Timestamp) -> i64 {
    now.as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, url, fits) in [
            ("https://a.example/", "https://a.example/", true),
            ("https://a.example/", "https://a.example/x", false),
            ("https://a.example/*", "https://a.example/x", true),
            ("*.example/*", "https://a.example/", true),
            ("*a*b", "xxayyb", true),
            ("*a*b", "xxayyc", false),
            ("a*a", "a", false),
            ("*", "anything", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, url), fits, "{pattern} {url}");
        }
    }
}
