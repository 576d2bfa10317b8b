//! Rules about ads.

use crate::check::finding::{Finding, FindingLocation};
use crate::check::site::CheckedSite;
use crate::config;

/// Ad slots of a site that is deployed, while readers would see placeholders in them.
pub(super) fn placeholders(site: &CheckedSite<'_>) -> Vec<Finding> {
    let context = site.context;
    let slots = &context.config.ads.slots;
    let has_own_ads = context.renderer.has_own_template("components/ad.html");
    let Some(name) = slots.keys().next().filter(|_| !has_own_ads) else { return Vec::new() };
    if context.config.deploy.is_empty() {
        return Vec::new();
    }
    let message = match slots.len() {
        1 => format!("the ad slot `{name}` shows readers an empty placeholder"),
        n => format!("{n} ad slots show readers empty placeholders"),
    };
    let location = FindingLocation::Text(config::FILE.to_owned(), format!("[ads.slots.{name}]"));
    vec![Finding::new(message, location).hint(
        "write the ads into templates/components/ad.html (`folio theme copy components/ad.html`), \
         or remove the slots",
    )]
}
