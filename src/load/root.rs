//! The folder of a site, and what lies in it.

use std::path::{Path, PathBuf};

use crate::config;
use crate::diag::Diagnostic;

/// The root of the site that a command is about: the folder that was given or, when the working
/// directory is meant and has no `site.toml`, the nearest folder above it that has one.
#[must_use]
pub fn find_root(given: &Path) -> PathBuf {
    let is_site = |folder: &Path| folder.join(config::FILE).is_file();
    if given != Path::new(".") || is_site(given) {
        return given.to_owned();
    }
    let above = std::env::current_dir().ok();
    let above = above.as_deref().into_iter().flat_map(Path::ancestors).find(|f| is_site(f));
    above.map_or_else(|| given.to_owned(), Path::to_owned)
}

/// The folder of a site, with symbolic links resolved.
#[derive(Clone, Debug)]
pub(super) struct SiteRoot {
    pub(super) path: PathBuf,
}

impl SiteRoot {
    /// Whether a path, with symbolic links resolved, lies in the site.
    pub(super) fn holds(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|p| p.starts_with(&self.path))
    }

    pub(super) fn outside(&self, path: &Path) -> Diagnostic {
        Diagnostic::error("this symbolic link points outside of the site")
            .in_file(self.relative(path))
            .hint("copy its target into the site")
    }

    pub(super) fn relative(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.path).unwrap_or(path).to_string_lossy();
        if std::path::MAIN_SEPARATOR == '\\' {
            relative.replace('\\', "/")
        } else {
            relative.into_owned()
        }
    }
}
