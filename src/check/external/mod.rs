//! Checks links to other hosts.
//!
//! [`client`] requests one URL; [`cache`] keeps the verdicts. A URL is requested once, however many
//! pages link to it. Hosts are checked in parallel, with a limit on concurrent requests to each.

mod cache;
mod client;

use std::collections::BTreeMap;

use futures_util::StreamExt;
use url::Url;

use self::cache::LinkCache;
use self::client::{LinkClient, Verdict};
use super::finding::Finding;
use super::outcome::LinkCounts;
use super::rules::{EXTERNAL, RuleFinding};
use super::site::CheckedSite;
use crate::config::checks::{ExternalChecks, Level};
use crate::diag::{Diagnostic, Warned};
use crate::session::{Progress, SessionOptions};

/// How many hosts are checked at the same time.
const MAX_HOSTS: usize = 32;

/// Checks every link of the site to another host, with a warning when the verdicts cannot be
/// cached.
///
/// # Errors
/// When no requests can be made at all.
pub(super) fn check(
    site: &CheckedSite<'_>,
    options: &SessionOptions,
    progress: &dyn Progress,
) -> Result<Warned<(Vec<RuleFinding>, LinkCounts)>, Diagnostic> {
    let settings = &site.context.config.check.external;
    let level = site.context.config.check.level(EXTERNAL);
    if level == Level::Off {
        return Ok(Warned::default());
    }
    let mut links = external_links(site);
    links.retain(|url, _| !settings.allow.iter().any(|pattern| matches(pattern, url)));
    let now = options.visibility.now;
    let folder = site.context.dry_run.state_folder();
    let mut cache = if options.use_cache {
        LinkCache::load(folder, now, settings)
    } else {
        LinkCache::empty(settings)
    };
    let unknown: Vec<&str> =
        links.keys().copied().filter(|url| cache.verdict(url).is_none()).collect();
    let counts = LinkCounts { links: links.len(), cached: links.len() - unknown.len() };
    progress.stage("Checking links", unknown.len());
    let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
    for url in links.keys() {
        verdicts.extend(cache.verdict(url).map(|verdict| (*url, verdict)));
    }
    let checked = check_all(&unknown, settings, progress)?;
    for (url, verdict) in &checked {
        cache.insert(url, verdict, now);
        verdicts.insert(url, verdict.clone());
    }
    let warning = cache.save(folder).err().map(|e| {
        let reason = crate::load::reason(&e);
        Diagnostic::warning(format!("the cache of external links cannot be saved: {reason}"))
    });
    let findings = findings(site, &links, &verdicts, level);
    Ok(Warned { value: (findings, counts), warnings: warning.into_iter().collect() })
}

fn findings(
    site: &CheckedSite<'_>,
    links: &ExternalLinks<'_>,
    verdicts: &BTreeMap<&str, Verdict>,
    level: Level,
) -> Vec<RuleFinding> {
    let mut findings = Vec::new();
    for (url, verdict) in verdicts {
        let Some(reason) = verdict.problem() else { continue };
        for (index, written) in links.get(url).into_iter().flatten() {
            let Some(page) = site.page_without_html(*index) else { continue };
            let finding = Finding::new(format!("`{url}` {reason}"), page.url_location(written))
                .on(site.route(*index))
                .hint("correct the URL, or list it under `allow` in [check.external]");
            findings.push((EXTERNAL, level, finding));
        }
    }
    findings
}

/// URL of another host → the indices of the pages that link to it, with the URL as they write it.
type ExternalLinks<'s> = BTreeMap<&'s str, Vec<(usize, &'s str)>>;

fn external_links<'s>(site: &'s CheckedSite<'_>) -> ExternalLinks<'s> {
    let mut links = ExternalLinks::new();
    for (index, page) in site.pages() {
        for (written, url) in &page.external {
            links.entry(url).or_default().push((index, written));
        }
    }
    links
}

/// Whether a URL matches a pattern in which `*` stands for any text.
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

/// Checks every URL; the verdicts are sorted by URL.
fn check_all(
    urls: &[&str],
    settings: &ExternalChecks,
    progress: &dyn Progress,
) -> Result<Vec<(String, Verdict)>, Diagnostic> {
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |e: &dyn std::fmt::Display| {
        Diagnostic::error(format!("cannot check links to other hosts: {e}"))
    };
    let client = LinkClient::new(settings).map_err(|e| failed(&e))?;
    let runtime = crate::net::single_threaded_runtime().map_err(|e| failed(&e))?;
    let mut hosts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for url in urls {
        let host =
            Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
        hosts.entry(host).or_default().push(url);
    }
    let client = &client;
    let per_host = settings.per_host.max(1);
    let check_one = |url: String| async move {
        let verdict = client.check(&url).await;
        progress.step();
        (url, verdict)
    };
    let check_host = |urls: Vec<&str>| {
        let urls: Vec<String> = urls.into_iter().map(str::to_owned).collect();
        futures_util::stream::iter(urls)
            .map(check_one)
            .buffer_unordered(per_host)
            .collect::<Vec<_>>()
    };
    let mut verdicts: Vec<(String, Verdict)> = runtime
        .block_on(
            futures_util::stream::iter(hosts.into_values())
                .map(check_host)
                .buffer_unordered(MAX_HOSTS)
                .collect::<Vec<_>>(),
        )
        .into_iter()
        .flatten()
        .collect();
    verdicts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(verdicts)
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
