//! The parts that routes are made of: the folder of a section, the slug of a term, and their joins.

use crate::config::Config;
use crate::paths::{Route, SourcePath};
use crate::slug::SlugRule;

/// The route below another, or the root when a part is not a valid path, which is reported
/// elsewhere.
pub(super) fn join_or_root(base: &Route, rest: &str) -> Route {
    base.join(rest).unwrap_or_else(|_| Route::root())
}

/// The folder that lists an article: for a bundle, its parent.
pub(super) fn section_folder(source: &SourcePath) -> &str {
    let folder = source.parent();
    let folder = match source.stem() {
        "index" => folder.rsplit_once('/').map_or("", |(parent, _)| parent),
        _ => folder,
    };
    folder.strip_prefix("content").unwrap_or_default().trim_start_matches('/')
}

/// The slug of a folder.
pub(super) fn folder_slug(name: &str, rule: SlugRule) -> String {
    let slug = rule.slug(name);
    if slug.is_empty() { name.to_owned() } else { slug }
}

/// The first part of a taxonomy's routes: the one that the site sets, the plural of a built-in one,
/// or its name.
pub(super) fn taxonomy_slug(name: &str, config: &Config) -> String {
    if let Some(slug) = config.taxonomies.get(name).and_then(|settings| settings.slug.clone()) {
        return slug;
    }
    match name {
        "category" => "categories".into(),
        "tag" => "tags".into(),
        "author" => "authors".into(),
        other => folder_slug(other, config.slugs),
    }
}

/// The slug of a term: the one that the site sets, or that of its name. A name without letters and
/// digits is percent-encoded.
pub(crate) fn term_slug(term: &str, taxonomy: &str, config: &Config) -> String {
    if let Some(slug) = config.taxonomies.get(taxonomy).and_then(|t| t.slugs.get(term)) {
        return slug.clone();
    }
    let slug = config.slugs.slug(term);
    if slug.is_empty() {
        let encoded = crate::paths::percent_encode(&term.to_lowercase()).replace(['%', '/'], "-");
        encoded.trim_matches('-').to_owned()
    } else {
        slug
    }
}
