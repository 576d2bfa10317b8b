//! Where the findings about copied files point.

use crate::check::finding::FindingLocation;
use crate::check::site::CheckedSite;
use crate::plan::{CopyFrom, JobKind};

/// The file that a file of the output is a copy of.
pub(super) fn copied_file(site: &CheckedSite<'_>, number: usize) -> FindingLocation {
    match site.context.jobs.get(number).map(|(_, job)| &job.kind) {
        Some(JobKind::Copy(CopyFrom::Site(source))) => FindingLocation::File(source.to_string()),
        _ => FindingLocation::Generated,
    }
}
