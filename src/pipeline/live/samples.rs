//! What of a plan to look at.

use std::collections::BTreeSet;

use crate::paths::{OutPath, Route, SourcePath};
use crate::plan::{CopyFrom, JobKind, Plan};

/// A page for each template, by kind of page.
pub(super) fn samples(plan: &Plan) -> Vec<OutPath> {
    let mut seen: BTreeSet<(&'static str, &str)> = BTreeSet::new();
    let mut outs = Vec::new();
    for (out, job) in &plan.jobs {
        let kind = match &job.kind {
            JobKind::Page(id) => ("page", plan.pages[*id].template.as_str()),
            JobKind::Section { section, .. } => ("section", plan.sections[*section].template.as_str()),
            JobKind::Taxonomy(_) => ("taxonomy", ""),
            JobKind::Term { .. } => ("term", ""),
            JobKind::Archive => ("archive", ""),
            JobKind::Year(_) => ("year", ""),
            JobKind::NotFound => ("404", ""),
            _ => continue,
        };
        if seen.insert(kind) {
            outs.push(out.clone());
        }
    }
    outs
}

/// The addresses of those files that are published as they are.
pub(super) fn assets(plan: &Plan, files: &[SourcePath]) -> Vec<Route> {
    let route = |file: &SourcePath| {
        let route = plan.assets.get(file).cloned().or_else(|| static_route(file))?;
        let is_it = matches!(&plan.jobs.get(&route.out_path())?.kind, JobKind::Copy(CopyFrom::Site(source)) if source == file);
        is_it.then_some(route)
    };
    files.iter().filter_map(route).collect()
}

/// Where a file under `static/` is published.
pub(super) fn static_route(file: &SourcePath) -> Option<Route> {
    Some(OutPath::new(file.below("static")?).ok()?.route())
}
