//! Reads `site.toml` and the site's own texts for its language.

use super::root::SiteRoot;
use super::text::read_text;
use crate::cache::Fingerprint;
use crate::config::{self, Config, Overrides};
use crate::diag::{Diagnostic, Report};
use crate::language;
use crate::paths::SourcePath;

/// The configuration of a site, and the files that it was read from.
#[derive(Debug)]
pub struct ConfigFiles {
    /// The text of `site.toml`.
    pub text: String,
    /// The site's own texts for its language.
    pub own_texts: Option<String>,
    /// As [`Config::read`] returns it.
    pub config: Option<Config>,
    pub problems: Report,
}

impl ConfigFiles {
    /// The fingerprint of the files.
    #[must_use]
    pub fn fingerprint(text: &str, own_texts: Option<&str>) -> Fingerprint {
        Fingerprint::of_json(&(text, own_texts))
    }
}

/// The text of `site.toml`, as [`super::Disk::config`] returns it.
pub(super) fn config_text(root: &SiteRoot) -> Result<String, Diagnostic> {
    let path = root.path.join(config::FILE);
    if !path.exists() {
        let message = format!("{} does not exist in this folder", config::FILE);
        return Err(Diagnostic::error(message).hint(
            "create a site with `folio init DIR`, or choose the folder of a site with --root",
        ));
    }
    if !root.holds(&path) {
        return Err(root.outside(&path));
    }
    read_text(&path, config::FILE)
}

/// The configuration, as [`super::Disk::read_config`] returns it.
pub(super) fn read_config(
    root: &SiteRoot,
    overrides: &Overrides,
) -> Result<ConfigFiles, Diagnostic> {
    let text = config_text(root)?;
    let mut read = Ok(None);
    let (config, mut problems) = Config::read(&text, overrides, |tag| {
        read = own_texts(root, tag);
        read.clone().ok().flatten()
    });
    let own_texts = read.unwrap_or_else(|error| {
        problems.push(error);
        None
    });
    Ok(ConfigFiles { text, own_texts, config, problems })
}

/// The texts for a language, as [`super::Disk::own_texts`] returns them.
pub(super) fn own_texts(root: &SiteRoot, tag: &str) -> Result<Option<String>, Diagnostic> {
    let Ok(name) = SourcePath::new(&language::own_file(tag)) else { return Ok(None) };
    let path = root.path.join(name.as_str());
    if !path.exists() {
        return Ok(None);
    }
    if !root.holds(&path) {
        return Err(root.outside(&path));
    }
    read_text(&path, name.as_str()).map(Some)
}
