//! Rules about links and files within the site.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::check::facts::Role;
use crate::check::finding::Finding;
use crate::check::page::Page;
use crate::check::page_kind::PageKind;
use crate::check::resolved_url::ResolvedUrl;
use crate::check::site::CheckedSite;
use crate::diag::{MAX_SUGGESTIONS, nearest};
use crate::parse::Target;

/// Links to paths of the site that do not exist.
pub(super) fn broken_links(page: &Page<'_>) -> Vec<Finding> {
    broken_urls(page, |role| role == Role::Link)
        .enumerate()
        .map(|(number, url)| {
            let suggests = number < MAX_SUGGESTIONS;
            Finding::new(
                format!("broken link: `{url}` does not exist on this site"),
                page.url_location(url),
            )
            .hint(match suggests.then(|| page.context.nearest_page(url)).flatten() {
                Some(route) => format!("did you mean `{route}`?"),
                None => "correct the URL, or add the page".to_owned(),
            })
        })
        .collect()
}

/// Files that a page needs and that do not exist.
pub(super) fn missing_assets(page: &Page<'_>) -> Vec<Finding> {
    broken_urls(page, |role| role != Role::Link)
        .map(|url| {
            Finding::new(format!("the file `{url}` does not exist"), page.url_location(url))
                .hint("add it beside the article or under static/, or correct the URL")
        })
        .collect()
}

/// The broken URLs of a page, each once.
fn broken_urls<'p>(
    page: &'p Page<'_>,
    wanted: impl Fn(Role) -> bool + 'p,
) -> impl Iterator<Item = &'p str> {
    let mut seen = BTreeSet::new();
    let (plan, config) = (page.context.plan, page.context.config);
    let prefix = config.base_url.prefix();
    let is_reliable =
        move |url: &str| !plan.may_lack(url.strip_prefix(prefix).unwrap_or(url), config);
    page.references
        .iter()
        .filter(move |(reference, resolved)| {
            page.kind != PageKind::Redirect
                && *resolved == ResolvedUrl::Broken
                && wanted(reference.role)
                && is_reliable(&reference.url)
        })
        .map(|(reference, _)| reference.url.as_str())
        .filter(move |url| seen.insert(*url))
}

/// Links to anchors that their target does not have.
pub(super) fn broken_fragments(site: &CheckedSite<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, summary) in site.pages() {
        let mut seen = BTreeSet::new();
        let page = OnceCell::new();
        let page = || page.get_or_init(|| site.page_without_html(number)).as_ref();
        let mut suggestions = MAX_SUGGESTIONS;
        for (url, target, fragment) in
            summary.fragments.iter().filter(|(url, ..)| seen.insert(url.as_str()))
        {
            let Some(ids) = site.page(*target).map(|page| &page.ids) else { continue };
            // `#top` is the top of any page, and `:~:` starts a text directive, which is not an
            // anchor (WHATWG HTML §7.4.6.4).
            let name = fragment.split(":~:").next().unwrap_or_default();
            if name.is_empty()
                || name.eq_ignore_ascii_case("top")
                || ids.binary_search_by(|id| id.as_str().cmp(name)).is_ok()
            {
                continue;
            }
            let Some(page) = page() else { continue };
            // Links to articles by file name were checked when the site was planned.
            if page.links(url).any(|link| matches!(link.target, Target::Article { .. })) {
                continue;
            }
            let message = if *target == number {
                format!("this page has no anchor `#{name}`")
            } else {
                format!("the page {} has no anchor `#{name}`", site.route(*target))
            };
            let finding = Finding::new(message, page.url_location(url)).on(site.route(number));
            let near = (suggestions > 0).then(|| nearest(name, ids.iter().map(String::as_str)));
            suggestions = suggestions.saturating_sub(1);
            findings.push(match near.flatten() {
                Some(id) => finding.hint(format!("did you mean `#{id}`?")),
                None => {
                    finding.hint("link to the id of a heading, or to the page without a fragment")
                }
            });
        }
    }
    findings
}
