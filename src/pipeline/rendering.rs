//! Renders what has changed onto the stage, and keeps the rest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::Progress;
use super::records::{Check, Reason, Recorder};
use crate::diag::{Diagnostic, Report};
use crate::paths::OutPath;
use crate::plan::{CopyFrom, Job};
use crate::render::{Content, Renderer};
use crate::write::Stage;

/// What becomes of rendered files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Stage,
    /// The build has failed already; rendering only tells what else is wrong.
    OnlyProblems,
}

/// What rendering came to.
#[derive(Debug, Default)]
pub(super) struct Rendering {
    pub recorder: Recorder,
    pub reasons: Vec<(OutPath, Reason)>,
    pub reused: usize,
    pub report: Report,
}

pub(super) fn render_all(renderer: &Renderer, check: &Check<'_>, stage: &Stage<'_>, mode: Mode, progress: &dyn Progress) -> Rendering {
    let result = Mutex::new(Rendering { recorder: check.recorder(), ..Rendering::default() });
    let broken = AtomicBool::new(false);
    let jobs: Vec<(&OutPath, &Job)> = renderer.plan().jobs.iter().collect();
    jobs.par_iter().for_each(|(out, job)| {
        if broken.load(Ordering::Relaxed) {
            return;
        }
        let done = match mode {
            Mode::OnlyProblems => renderer.render(job).map(|_| ()),
            Mode::Stage => one(renderer, check, stage, out, job, &result, &broken),
        };
        if let Err(report) = done {
            result.lock().unwrap_or_else(PoisonError::into_inner).report.extend(report);
        }
        progress.step();
    });
    let mut result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
    result.reasons.sort_by(|a, b| a.0.cmp(&b.0));
    result
}

fn one(
    renderer: &Renderer,
    check: &Check<'_>,
    stage: &Stage<'_>,
    out: &OutPath,
    job: &Job,
    result: &Mutex<Rendering>,
    broken: &AtomicBool,
) -> Result<(), Report> {
    let parts = renderer.parts(job);
    let reason = check.reason(out, &parts).or_else(|| (!stage.keep(out)).then_some(Reason::Output));
    let Some(reason) = reason else {
        let Some(record) = check.record(out) else { return Ok(()) };
        let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
        result.recorder.keep(out, record);
        result.reused += 1;
        return Ok(());
    };
    let rendered = renderer.render(job)?;
    // When the stage cannot take a file there is no use in rendering more.
    put(out, rendered.content, renderer, stage).inspect_err(|_| broken.store(true, Ordering::Relaxed)).map_err(Report::of)?;
    let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
    result.recorder.add(out, parts, rendered.trace);
    result.reasons.push((out.clone(), reason));
    Ok(())
}

fn put(out: &OutPath, content: Content, renderer: &Renderer, stage: &Stage<'_>) -> Result<(), Diagnostic> {
    match content {
        Content::Bytes(bytes) => stage.put(out, &bytes),
        Content::Copy(CopyFrom::Site(source)) => stage.put(out, &renderer.file(&source)?),
        Content::Copy(CopyFrom::Theme { bytes, .. }) => stage.put(out, bytes),
    }
}
