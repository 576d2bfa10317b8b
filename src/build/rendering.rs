//! Renders the files that have changed into the staging folder, and keeps the others.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rayon::prelude::*;

use crate::dependencies::{DependencyTracker, Reason, Recorder, UpToDateCheck};
use crate::diag::{Diagnostic, Report};
use crate::paths::OutPath;
use crate::plan::{CopyFrom, Job};
use crate::render::{Content, Renderer};
use crate::session::Progress;
use crate::write::Stage;

/// The result of rendering every job.
#[derive(Debug, Default)]
pub(super) struct Rendering {
    pub recorder: Recorder,
    /// Why each rendered file was rendered, by path.
    pub reasons: Vec<(OutPath, Reason)>,
    /// How many files were kept.
    pub kept: usize,
    pub report: Report,
}

/// Everything that rendering needs.
pub(super) struct RenderContext<'a> {
    pub renderer: &'a Renderer,
    pub tracker: &'a DependencyTracker,
    pub check: UpToDateCheck<'a>,
    pub stage: &'a Stage<'a>,
    /// Whether the site has errors already. Then everything is rendered to find more of them, and
    /// nothing is staged.
    pub has_errors: bool,
}

/// Renders every job of the plan.
pub(super) fn render_all(context: &RenderContext<'_>, progress: &dyn Progress) -> Rendering {
    let renderer = context.renderer;
    progress.stage("Rendering", renderer.plan().jobs.len());
    let result =
        Mutex::new(Rendering { recorder: context.check.recorder(), ..Rendering::default() });
    // When a file cannot be staged, there is no point in rendering more.
    let staging_failed = AtomicBool::new(false);
    let jobs: Vec<(&OutPath, &Job)> = renderer.plan().jobs.iter().collect();
    jobs.par_iter().for_each(|(out, job)| {
        if staging_failed.load(Ordering::Relaxed) {
            return;
        }
        let outcome = if context.has_errors {
            renderer.render(job).map(|_| ())
        } else {
            render_one(context, out, job, &result, &staging_failed)
        };
        if let Err(report) = outcome {
            result.lock().report.extend(report);
        }
        progress.step();
    });
    let mut result = result.into_inner();
    result.reasons.sort_by(|a, b| a.0.cmp(&b.0));
    result
}

fn render_one(
    context: &RenderContext<'_>,
    out: &OutPath,
    job: &Job,
    result: &Mutex<Rendering>,
    staging_failed: &AtomicBool,
) -> Result<(), Report> {
    let RenderContext { renderer, tracker, check, stage, has_errors: _ } = context;
    let dependencies = tracker.dependencies(renderer.world(), job);
    let reason = check
        .stale_reason(out, &dependencies)
        .or_else(|| (!stage.keep(out)).then_some(Reason::OutputFile));
    let Some(reason) = reason else {
        if let Some(record) = check.record(out) {
            let mut result = result.lock();
            result.recorder.keep(out, record);
            result.kept += 1;
        }
        return Ok(());
    };
    tracing::trace!(%out, ?reason, "rendering");
    let rendered = renderer.render(job)?;
    stage_content(out, rendered.content, renderer, stage).map_err(|error| {
        staging_failed.store(true, Ordering::Relaxed);
        Report::of(error)
    })?;
    let mut result = result.lock();
    result.recorder.add(out, dependencies, rendered.trace);
    result.reasons.push((out.clone(), reason));
    Ok(())
}

fn stage_content(
    out: &OutPath,
    content: Content,
    renderer: &Renderer,
    stage: &Stage<'_>,
) -> Result<(), Diagnostic> {
    match content {
        Content::Bytes(bytes) => stage.put(out, &bytes),
        Content::Copy(CopyFrom::Site(source)) => {
            let known = renderer.inputs().file_fingerprint(&source);
            let copied = stage.put_copy(out, known, || renderer.open_file(&source))?;
            renderer.inputs().found(&source, copied);
            Ok(())
        }
        Content::Copy(CopyFrom::Theme { bytes, .. }) => stage.put(out, bytes),
    }
}
