//! What kind of page a file of the output is.

use crate::paths::OutPath;
use crate::plan::{Job, JobKind};

/// What kind of page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// An article, or the first page of a section, which have titles and descriptions by an author.
    Authored,
    /// A list that Folio generates.
    List,
    /// The 404 page.
    NotFound,
    /// A page that only redirects to another.
    Redirect,
    /// An HTML file of the site that is copied.
    Copy,
}

impl PageKind {
    /// The kind of page; `None` for a file that is not a page.
    #[must_use]
    pub fn of(out: &OutPath, job: &Job) -> Option<Self> {
        match &job.kind {
            JobKind::Page(_) => Some(Self::Authored),
            JobKind::Section { pager, .. } if pager.number == 1 => Some(Self::Authored),
            JobKind::Section { .. }
            | JobKind::Taxonomy(_)
            | JobKind::Term { .. }
            | JobKind::Archive
            | JobKind::Year(_) => Some(Self::List),
            JobKind::NotFound => Some(Self::NotFound),
            JobKind::Redirect { .. } => Some(Self::Redirect),
            JobKind::Copy(_) => {
                [".html", ".htm"].iter().any(|e| out.as_str().ends_with(e)).then_some(Self::Copy)
            }
            _ => None,
        }
    }

    /// Whether the page is rendered with a template.
    #[must_use]
    pub fn is_templated(self) -> bool {
        matches!(self, Self::Authored | Self::List | Self::NotFound)
    }
}
