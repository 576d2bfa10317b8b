//! Files without a template: sitemaps, style sheets and redirects.

use super::world::World;
use crate::plan::JobKind;

/// The text of a job without a template.
pub(super) fn plain_text(world: &World, kind: &JobKind) -> String {
    match kind {
        JobKind::Sitemap { part } => super::sitemap::part(world, *part),
        JobKind::SitemapIndex { parts } => super::sitemap::index(world, *parts),
        JobKind::Robots => super::sitemap::robots(world),
        JobKind::AdsTxt => {
            world.config.ads.ads_txt.iter().map(|line| format!("{line}\n")).collect()
        }
        JobKind::HighlightCss => world.highlight_css().to_owned(),
        JobKind::Redirect { to, .. } => super::redirect::page(world, to),
        _ => String::new(),
    }
}
