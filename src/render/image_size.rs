//! The size of an image of the site.

use super::world::World;
use crate::parse::Target;
use crate::paths::{Route, SourcePath};
use crate::plan::links::{From, Local};
use crate::plan::{CopyFrom, JobKind};

/// The width and height in pixels; `None` if it is not an image of a known kind.
pub(super) fn of(world: &World, source: &CopyFrom) -> Option<(usize, usize)> {
    match source {
        CopyFrom::Site(path) => world.inputs.image_size(path),
        CopyFrom::Theme { bytes, .. } => {
            let size = imagesize::blob_size(bytes).ok()?;
            Some((size.width, size.height))
        }
    }
}

impl World {
    /// The size in pixels of the image that a link of an article leads to, if it is one of the
    /// site.
    pub(super) fn image_size(&self, target: &Target, from: From<'_>) -> Option<(usize, usize)> {
        of(self, self.linked_file(target, from)?)
    }

    /// The file of the site that a link of an article leads to, if it is published unchanged.
    #[must_use]
    pub fn linked_file(&self, target: &Target, from: From<'_>) -> Option<&CopyFrom> {
        let route = match target {
            Target::Article { path, .. } => {
                self.plan.assets.get(&SourcePath::new(path).ok()?)?.clone()
            }
            Target::Local { path, .. } => match self.plan.local(path, from, &self.config) {
                Local::Asset(route) => route,
                Local::Absolute { prefixed, .. } => {
                    let prefix = if prefixed { self.config.base_url.prefix() } else { "" };
                    Route::parse(path.strip_prefix(prefix)?).ok()?
                }
                Local::Relative { .. } => return None,
            },
            _ => return None,
        };
        match &self.plan.jobs.get(&route.out_path())?.kind {
            JobKind::Copy(from) => Some(from),
            _ => None,
        }
    }
}
