//! What templates see of the configuration: the variable `site`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use tera::Value;

use super::ads::{self, SlotView};
use crate::config::{Comments, Config, FeedFormat};
use crate::plan::Plan;

/// A feed, as `site.feeds` and `term.feeds` have it.
#[derive(Debug, Serialize)]
pub struct FeedLink {
    pub url: String,
    /// The media type.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// The name of the format.
    pub title: &'static str,
}

/// The comments section, with the texts of the language where the site sets none.
fn comments_view(config: &Config) -> serde_json::Value {
    let Comments { show, heading, tagline, prompt, empty, empty_hint } = &config.comments;
    let or = |own: &Option<String>, key| {
        own.clone().unwrap_or_else(|| config.texts.text(key).to_owned())
    };
    json!({
        "show": show,
        "heading": or(heading, "comments"),
        "tagline": or(tagline, "comments_tagline"),
        "prompt": or(prompt, "comments_prompt"),
        "empty": or(empty, "comments_empty"),
        "empty_hint": or(empty_hint, "comments_empty_hint"),
    })
}

pub(super) fn feed_link(format: FeedFormat, url: String) -> FeedLink {
    let (media_type, title) = match format {
        FeedFormat::Atom => ("application/atom+xml", "Atom"),
        FeedFormat::Rss => ("application/rss+xml", "RSS"),
        FeedFormat::Json => ("application/feed+json", "JSON Feed"),
    };
    FeedLink { url, media_type, title }
}

/// A URL of `site.toml` as it is written in links: a URL of the site gets the prefix of the base
/// URL, unless it has it already.
pub(super) fn configured_url(url: &str, config: &Config, plan: &Plan) -> String {
    if url.is_empty()
        || url.starts_with('#')
        || url.starts_with("//")
        || url.split(['/', '?']).next().is_some_and(|start| start.contains(':'))
    {
        return url.to_owned();
    }
    let (path, rest) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    if let Some(node) =
        path.strip_prefix("@/").and_then(|path| plan.node(&format!("content/{path}")))
    {
        return format!("{}{rest}", config.base_url.local(&plan.route_of(node).encoded()));
    }
    let rooted = format!("/{}", url.trim_start_matches('/'));
    let path = rooted.split(['?', '#']).next().unwrap_or_default();
    let prefix = config.base_url.prefix();
    let prefixed =
        !prefix.is_empty() && (path == prefix || path.starts_with(&format!("{prefix}/")));
    if prefixed && !plan.answers(path) { rooted } else { config.base_url.local(&rooted) }
}

/// The configuration that templates can see.
#[must_use]
pub fn site(config: &Config, plan: &Plan) -> Value {
    let menu_item = |item: &crate::config::MenuItem| {
        let url = configured_url(&item.url, config, plan);
        json!({ "name": item.name, "url": url, "route": item.url })
    };
    let taxonomy = |taxonomy: &crate::plan::Taxonomy| {
        let url = config.base_url.local(&taxonomy.route.encoded());
        json!({ "name": taxonomy.name, "url": url })
    };
    let feeds = |format: &FeedFormat| {
        let name = crate::plan::feed_name(*format);
        feed_link(*format, config.base_url.local(&format!("/{name}")))
    };
    let formats = if config.feeds.limit == 0 { &[][..] } else { &config.feeds.formats };
    let slots: BTreeMap<&str, SlotView<'_>> = config
        .ads
        .slots
        .iter()
        .map(|(name, slot)| (name.as_str(), ads::slot(name, slot)))
        .collect();
    let texts = &config.texts;
    let ad_label = config.ads.label.as_deref().unwrap_or(texts.text("advertisement"));
    Value::from_serializable(&json!({
        "title": config.title,
        "description": config.description,
        "base_url": format!("{}{}", config.base_url.origin(), config.base_url.prefix()),
        "url": config.base_url.local("/"),
        "language": config.language,
        "direction": if texts.is_right_to_left() { "rtl" } else { "ltr" },
        "author": {
            "name": config.author.name,
            "url": configured_url(&config.author.url, config, plan),
        },
        "menu": {
            "main": config.menu.main.iter().map(menu_item).collect::<Vec<_>>(),
            "footer": config.menu.footer.iter().map(menu_item).collect::<Vec<_>>(),
        },
        "feeds": formats.iter().map(feeds).collect::<Vec<_>>(),
        "taxonomies": plan.taxonomies.iter().map(taxonomy).collect::<Vec<_>>(),
        "article": config.article,
        "ads": { "label": ad_label, "policy": config.ads.policy, "slots": slots },
        "comments": comments_view(config),
        "extra": config.extra,
    }))
}
