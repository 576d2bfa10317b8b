//! Questions about a plan that only the preview asks.

use std::collections::BTreeSet;

use crate::paths::{OutPath, Route, SourcePath};
use crate::plan::{CopyFrom, JobKind, Plan};

/// One page for each template, by kind of page.
pub(super) fn one_page_per_template(plan: &Plan) -> Vec<OutPath> {
    let mut seen: BTreeSet<(&'static str, &str)> = BTreeSet::new();
    let mut outs = Vec::new();
    for (out, job) in &plan.jobs {
        let kind = match &job.kind {
            JobKind::Page(id) => ("page", plan.pages[*id].template.as_str()),
            JobKind::Section { section, .. } => {
                ("section", plan.sections[*section].template.as_str())
            }
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

/// The routes of those files that are published unchanged.
pub(super) fn copied_routes(plan: &Plan, files: &[SourcePath]) -> Vec<Route> {
    files.iter().filter_map(|file| copied_route(plan, file)).collect()
}

fn copied_route(plan: &Plan, file: &SourcePath) -> Option<Route> {
    let route = plan.assets.get(file).cloned().or_else(|| static_route(file))?;
    match &plan.jobs.get(&route.out_path())?.kind {
        JobKind::Copy(CopyFrom::Site(source)) if source == file => Some(route),
        _ => None,
    }
}

/// The route of a file under `static/`.
pub(super) fn static_route(file: &SourcePath) -> Option<Route> {
    Some(OutPath::new(file.below("static")?).ok()?.route())
}
