//! Rules about the terms of taxonomies.

use std::collections::BTreeMap;

use crate::check::finding::{Finding, FindingLocation};
use crate::check::site::CheckedSite;
use crate::plan::Taxonomy;

/// Terms that are probably meant to be one: spellings that differ in letter case, which share a
/// page, and singular and plural, which do not.
pub(super) fn similar(site: &CheckedSite<'_>) -> Vec<Finding> {
    site.context.plan.taxonomies.iter().flat_map(|taxonomy| in_taxonomy(site, taxonomy)).collect()
}

fn in_taxonomy(site: &CheckedSite<'_>, taxonomy: &Taxonomy) -> Vec<Finding> {
    let spellings: BTreeMap<&str, usize> =
        taxonomy.spellings.iter().map(|(name, term)| (name.as_str(), *term)).collect();
    let mut by_lower: BTreeMap<String, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for name in spellings.keys() {
        if let Some(other) = by_lower.insert(name.to_lowercase(), name) {
            findings.push(finding(site, taxonomy, other, name, "differ in letter case only"));
        }
    }
    for (lower, name) in &by_lower {
        let mut singular = ["s", "es"].iter().filter_map(|ending| lower.strip_suffix(ending));
        if let Some(other) = singular.find_map(|singular| by_lower.get(singular)) {
            findings.push(finding(site, taxonomy, other, name, "are singular and plural"));
        }
    }
    findings
}

fn finding(
    site: &CheckedSite<'_>,
    taxonomy: &Taxonomy,
    first: &str,
    second: &str,
    why: &str,
) -> Finding {
    let has_second = |terms: &Vec<String>| terms.iter().any(|term| term == second);
    let article = site
        .context
        .plan
        .pages
        .iter()
        .find(|page| page.doc.front.terms.get(&taxonomy.name).is_some_and(has_second));
    let location = article.map_or(FindingLocation::Generated, |page| {
        FindingLocation::Text(page.doc.source.to_string(), second.to_owned())
    });
    let message = format!("the terms `{first}` and `{second}` of `{}` {why}", taxonomy.name);
    Finding::new(message, location).hint("use one of them in all articles")
}
