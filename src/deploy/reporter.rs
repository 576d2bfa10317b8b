//! Who hears about the progress of a deploy and is asked questions.

use super::summary::Summary;
use crate::diag::LocatedReport;
use crate::session::Progress;

/// The stages of a deploy that a progress bar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Copying what will be replaced.
    BackingUp,
    Uploading,
    Deleting,
    Restoring,
}

impl Step {
    /// The name that is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BackingUp => "Backing up",
            Self::Uploading => "Uploading",
            Self::Deleting => "Deleting",
            Self::Restoring => "Restoring",
        }
    }
}

/// Hears about the progress of a deploy, and answers questions.
pub trait Reporter: Progress {
    /// What is about to be done.
    fn plan(&self, summary: &Summary);
    /// The build's warnings.
    fn built(&self, report: &LocatedReport);
    /// Something worth a line.
    fn note(&self, text: &str);
    /// Asks a yes-or-no question; `None` when nobody can answer.
    fn ask(&self, question: &str) -> Option<bool>;
    /// Asks for one of some names; `None` when nobody can answer.
    fn choose(&self, names: &[&str]) -> Option<String>;
}
