//! The rule about sitemaps.

use super::copied_file::copied_file;
use crate::check::finding::{Finding, FindingLocation};
use crate::check::resolved_url::{ResolvedUrl, resolve_url};
use crate::check::site::{CheckedFile, CheckedSite, FileContent};
use crate::plan::SITEMAP_LIMIT;

/// Sitemaps that are not valid, or that list what does not exist.
pub(super) fn invalid(site: &CheckedSite<'_>) -> Vec<Finding> {
    let list = |file: &CheckedFile| match &file.content {
        FileContent::Sitemap(list) => Some(list.clone()),
        _ => None,
    };
    let sitemaps = site
        .files
        .iter()
        .enumerate()
        .filter_map(|(number, file)| Some((number, list(file.as_ref()?)?)));
    sitemaps.flat_map(|(number, list)| problems(site, number, list)).collect()
}

fn problems(
    site: &CheckedSite<'_>,
    number: usize,
    list: Result<Vec<String>, String>,
) -> Vec<Finding> {
    let name = site.route(number);
    let finding = |message: String| {
        Finding::new(message, copied_file(site, number))
            .on(name)
            .hint("if the site has no sitemap of its own, Folio generates one")
    };
    let list = match list {
        Ok(list) => list,
        Err(problem) => {
            return vec![finding(format!("the sitemap {name} is not valid: {problem}"))];
        }
    };
    let mut findings = Vec::new();
    if list.len() > SITEMAP_LIMIT {
        findings.push(finding(format!(
            "the sitemap {name} lists {} URLs, but at most {SITEMAP_LIMIT} are allowed",
            list.len()
        )));
    }
    for url in &list {
        let problem = match resolve_url(site.context, None, url) {
            ResolvedUrl::File { .. } => continue,
            ResolvedUrl::External(_) => "which is not on this site",
            _ => "which does not exist",
        };
        let mut finding = finding(format!("the sitemap {name} lists `{url}`, {problem}"));
        if let FindingLocation::File(file) = finding.location {
            finding.location = FindingLocation::Text(file, url.clone());
        }
        findings.push(finding);
    }
    findings
}
