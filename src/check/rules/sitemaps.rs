//! Sitemaps (sitemaps.org protocol).

use quick_xml::Reader;
use quick_xml::events::Event;

use super::feeds::place;
use crate::check::address::{Lead, lead};
use crate::check::finding::{Finding, Place};
use crate::check::site::{Content, File, Site};
use crate::paths::OutPath;
use crate::plan::SITEMAP_LIMIT;

/// Whether a file of the output is a sitemap, by its name.
pub(in crate::check) fn is_sitemap(out: &OutPath) -> bool {
    let name = out.as_str();
    name.starts_with("sitemap") && name.ends_with(".xml")
}

/// The addresses that a sitemap lists.
///
/// # Errors
/// Why it is none.
pub(in crate::check) fn addresses(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_reader(bytes);
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|e| format!("it is not valid XML: {e}"))? {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                root.get_or_insert_with(|| name.clone());
                if name == "loc" {
                    found.push(String::new());
                }
                open.push(name);
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) if open.last().is_some_and(|name| name == "loc") => {
                let text = text.xml10_content();
                found.last_mut().iter_mut().for_each(|loc| loc.push_str(text.trim()));
            }
            Event::GeneralRef(name) if open.last().is_some_and(|name| name == "loc") => {
                let sign = match name.as_ref() {
                    "amp" => "&",
                    "apos" => "'",
                    "quot" => "\"",
                    _ => "",
                };
                found.last_mut().iter_mut().for_each(|loc| loc.push_str(sign));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match root.as_deref() {
        Some("urlset" | "sitemapindex") if open.is_empty() => Ok(found),
        Some("urlset" | "sitemapindex") => Err("it ends too early".to_owned()),
        _ => Err("its root is neither `urlset` nor `sitemapindex`".to_owned()),
    }
}

pub(super) fn invalid(site: &Site<'_>) -> Vec<Finding> {
    let list = |file: &File| match &file.content {
        Content::Sitemap(list) => Some(list.clone()),
        _ => None,
    };
    let sitemaps = site.files.iter().enumerate().filter_map(|(number, file)| Some((number, list(file.as_ref()?)?)));
    sitemaps.flat_map(|(number, list)| problems(site, number, list)).collect()
}

fn problems(site: &Site<'_>, number: usize, list: Result<Vec<String>, String>) -> Vec<Finding> {
    let name = site.route(number);
    let finding = |message: String| Finding::new(message, place(site, number)).on(name).hint("without a sitemap of your own, Folio makes one");
    let list = match list {
        Ok(list) => list,
        Err(problem) => return vec![finding(format!("the sitemap {name} cannot be read: {problem}"))],
    };
    let mut findings = Vec::new();
    if list.len() > SITEMAP_LIMIT {
        findings.push(finding(format!("the sitemap {name} lists {} addresses, and may list {SITEMAP_LIMIT}", list.len())));
    }
    for address in &list {
        let problem = match lead(site.context, None, address) {
            Lead::File { .. } => continue,
            Lead::Outside(_) => "which is not of this site",
            _ => "which nothing answers at",
        };
        let mut finding = finding(format!("the sitemap {name} lists `{address}`, {problem}"));
        if let Place::File(file) = finding.place {
            finding.place = Place::Text(file, address.clone());
        }
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sitemaps() {
        let of = |text: &str| addresses(text.as_bytes());
        assert_eq!(
            of("<urlset><url><loc> https://t.example/?a&amp;b </loc><lastmod>x</lastmod></url></urlset>").unwrap(),
            ["https://t.example/?a&b"]
        );
        assert!(of("<urlset><url></urlset>").is_err());
        assert!(of("<urlset><url>").is_err());
        assert!(of("<html></html>").is_err());
        assert!(of("").is_err());
    }
}
