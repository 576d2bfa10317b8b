//! `sitemap.xml` (sitemaps.org protocol) and `robots.txt` (RFC 9309).
//!
//! `lastmod` is the date of an article, and the latest date of the articles of a list; it is left
//! out when unknown.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::world::World;
use crate::parse::Doc;
use crate::paths::Route;
use crate::plan::{JobKind, PageId, SITEMAP_LIMIT, is_listed};

const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// A part of the sitemap, numbered from 1.
pub(super) fn part(world: &World, part: usize) -> String {
    let listed = world.plan.jobs.values().filter(|job| is_listed(&job.kind));
    let entries = listed.skip((part - 1) * SITEMAP_LIMIT).take(SITEMAP_LIMIT);
    document(
        "urlset",
        "url",
        entries.map(|job| (world.permalink(&job.route), last_changed(world, &job.kind))),
    )
}

/// The list of parts.
pub(super) fn index(world: &World, parts: usize) -> String {
    let entries =
        (1..=parts).map(|n| (world.config.base_url.absolute(&format!("/sitemap-{n}.xml")), None));
    document("sitemapindex", "sitemap", entries)
}

pub(super) fn robots(world: &World) -> String {
    let sitemap = Route::parse("/sitemap.xml").map(|r| world.permalink(&r)).unwrap_or_default();
    format!("User-agent: *\nAllow: /\n\nSitemap: {sitemap}\n")
}

fn document(
    root: &str,
    item: &str,
    entries: impl Iterator<Item = (String, Option<String>)>,
) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    let write = || -> std::io::Result<()> {
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
        writer.create_element(root).with_attribute(("xmlns", NAMESPACE)).write_inner_content(
            |w| {
                for (address, changed) in entries {
                    w.create_element(item).write_inner_content(|w| {
                        w.create_element("loc").write_text_content(BytesText::new(&address))?;
                        if let Some(changed) = &changed {
                            w.create_element("lastmod")
                                .write_text_content(BytesText::new(changed))?;
                        }
                        Ok(())
                    })?;
                }
                Ok(())
            },
        )?;
        Ok(())
    };
    // Writing to memory cannot fail.
    let _ = write();
    let mut text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

/// When what a job shows was last changed, in RFC 3339.
fn last_changed(world: &World, kind: &JobKind) -> Option<String> {
    let latest = |ids: &[PageId]| {
        let zone = &world.config.timezone;
        ids.iter()
            .filter_map(|id| changed(&world.plan.pages[*id].doc))
            .max_by_key(|m| m.instant(zone))
    };
    let moment = match kind {
        JobKind::Page(id) => changed(&world.plan.pages[*id].doc),
        JobKind::Section { section, .. } => latest(world.plan.listed(*section)),
        JobKind::Term { taxonomy, term, .. } => {
            latest(&world.plan.taxonomies[*taxonomy].terms[*term].pages)
        }
        JobKind::Archive => latest(&world.plan.articles),
        JobKind::Year(year) => latest(&world.plan.of_year(*year)),
        _ => None,
    };
    moment.map(|m| m.rfc3339(&world.config.timezone))
}

fn changed(doc: &Doc) -> Option<crate::parse::Moment> {
    doc.front.updated.or(doc.front.date)
}
