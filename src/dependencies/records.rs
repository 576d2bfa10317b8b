//! The recorded dependencies of every file of an output.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::dependency::{Dependencies, Dependency};
use super::reason::Reason;
use crate::cache::{self, Fingerprint, LoadResult};
use crate::diag::{LocatedReport, Warned};
use crate::paths::OutPath;
use crate::plan::HiddenCounts;
use crate::render::{Call, Renderer, Trace};

/// What is recorded of the last build of an output.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Records {
    pub header: RecordsHeader,
    /// Every call that templates made, once.
    calls: Vec<Call>,
    jobs: BTreeMap<OutPath, Arc<JobRecord>>,
}

/// What is recorded of a build as a whole.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RecordsHeader {
    /// The fingerprint of everything that the output depends on. While it is the same, there is
    /// nothing to build.
    pub inputs: Fingerprint,
    /// The seconds since the epoch between which the same articles are visible.
    pub visible_from: i64,
    pub visible_until: i64,
    /// The number of articles.
    pub pages: usize,
    pub hidden: HiddenCounts,
    pub warnings: LocatedReport,
    /// The fingerprint of each template, by name.
    pub templates: BTreeMap<String, Fingerprint>,
}

/// What a file was rendered from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobRecord {
    dependencies: Box<[(Dependency, Fingerprint)]>,
    /// Numbers of calls, with the fingerprints of their results.
    calls: Box<[(u32, Fingerprint)]>,
}

impl Records {
    /// Reads the records of an output, with a warning when they are damaged. With `use_cache` false
    /// they are ignored.
    #[must_use]
    pub fn load(path: &Path, program: &str, use_cache: bool) -> Warned<Self> {
        if !use_cache {
            return Warned::default();
        }
        match cache::load(path, program) {
            LoadResult::Valid(records) => Warned::new(records),
            LoadResult::Missing | LoadResult::OtherVersion => Warned::default(),
            LoadResult::Damaged => Warned::with(Self::default(), cache::damaged_warning()),
        }
    }

    /// Whether nothing that the output depends on has changed.
    #[must_use]
    pub fn is_up_to_date(&self, inputs: Fingerprint, now: jiff::Timestamp) -> bool {
        let RecordsHeader { visible_from, visible_until, .. } = self.header;
        !self.jobs.is_empty()
            && self.header.inputs == inputs
            && (visible_from..visible_until).contains(&now.as_second())
    }
}

/// Finds out which files are up to date, evaluating each recorded call at most once.
pub struct UpToDateCheck<'a> {
    before: &'a Records,
    renderer: &'a Renderer,
    results: Vec<Mutex<Option<Fingerprint>>>,
}

impl<'a> UpToDateCheck<'a> {
    #[must_use]
    pub fn new(before: &'a Records, renderer: &'a Renderer) -> Self {
        Self { before, renderer, results: before.calls.iter().map(|_| Mutex::new(None)).collect() }
    }

    /// Why a file with these dependencies has to be rendered; `None` when it is up to date.
    #[must_use]
    pub fn stale_reason(&self, out: &OutPath, dependencies: &Dependencies) -> Option<Reason> {
        if self.before.jobs.is_empty() {
            return Some(Reason::NoEarlierBuild);
        }
        let Some(record) = self.before.jobs.get(out) else { return Some(Reason::NewFile) };
        if *record.dependencies != **dependencies {
            return Some(difference(&record.dependencies, dependencies));
        }
        let (number, _) =
            record.calls.iter().find(|(number, result)| self.result(*number) != Some(*result))?;
        Some(match self.before.calls.get(*number as usize) {
            Some(call) => Reason::Call(call.clone()),
            None => Reason::Dependencies,
        })
    }

    fn result(&self, number: u32) -> Option<Fingerprint> {
        let call = self.before.calls.get(number as usize)?;
        let mut result = self.results.get(number as usize)?.lock();
        Some(*result.get_or_insert_with(|| self.renderer.reevaluate(call)))
    }

    /// A recorder for the next records.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        Recorder::after(self.before)
    }

    /// The record of a file that is kept.
    #[must_use]
    pub fn record(&self, out: &OutPath) -> Option<Arc<JobRecord>> {
        self.before.jobs.get(out).map(Arc::clone)
    }
}

/// Whether a page that was rendered from `recorded` dependencies and calls is up to date.
#[must_use]
pub fn is_up_to_date(
    recorded: &Dependencies,
    trace: &Trace,
    current: &Dependencies,
    renderer: &Renderer,
) -> bool {
    recorded == current && trace.iter().all(|(call, result)| renderer.reevaluate(call) == *result)
}

/// The first dependency whose fingerprint differs.
fn difference(old: &[(Dependency, Fingerprint)], new: &[(Dependency, Fingerprint)]) -> Reason {
    let has_changed = |dependency: &Dependency, fingerprint: &Fingerprint| {
        old.iter().any(|(d, f)| d == dependency && f != fingerprint)
            && !old.contains(&(*dependency, *fingerprint))
    };
    match new.iter().find(|(dependency, fingerprint)| has_changed(dependency, fingerprint)) {
        Some((dependency, _)) => Reason::Dependency(*dependency),
        None => Reason::Dependencies,
    }
}

/// Collects the records of a build.
///
/// Calls keep the numbers they had, so that the records of kept files need not be changed.
#[derive(Debug, Default)]
pub struct Recorder {
    numbers: HashMap<Call, u32>,
    calls: Vec<Call>,
    jobs: BTreeMap<OutPath, Arc<JobRecord>>,
}

/// Numbers of calls that no record refers to are reused when there are this many more of them than
/// of the others.
const UNUSED_CALLS: usize = 64;

impl Recorder {
    fn after(before: &Records) -> Self {
        let numbers = before.calls.iter().cloned().zip(0..).collect();
        Self { numbers, calls: before.calls.clone(), jobs: BTreeMap::new() }
    }

    /// Takes over the record of a file that is kept.
    pub fn keep(&mut self, out: &OutPath, record: Arc<JobRecord>) {
        self.jobs.insert(out.clone(), record);
    }

    /// Records what a file was rendered from.
    pub fn add(&mut self, out: &OutPath, dependencies: Dependencies, trace: Trace) {
        let mut calls = Vec::with_capacity(trace.len());
        for (call, result) in trace {
            let entry = (self.number(call), result);
            if !calls.contains(&entry) {
                calls.push(entry);
            }
        }
        let record = JobRecord { dependencies: dependencies.into(), calls: calls.into() };
        self.jobs.insert(out.clone(), Arc::new(record));
    }

    fn number(&mut self, call: Call) -> u32 {
        if let Some(number) = self.numbers.get(&call) {
            return *number;
        }
        let number = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        self.calls.push(call.clone());
        self.numbers.insert(call, number);
        number
    }

    /// The records to save.
    #[must_use]
    pub fn finish(mut self, header: RecordsHeader) -> Records {
        let mut used = vec![false; self.calls.len()];
        for (number, _) in self.jobs.values().flat_map(|record| &record.calls) {
            if let Some(used) = used.get_mut(*number as usize) {
                *used = true;
            }
        }
        let live = used.iter().filter(|u| **u).count();
        if self.calls.len() > 2 * live + UNUSED_CALLS {
            self.renumber(&used);
        }
        Records { header, calls: self.calls, jobs: self.jobs }
    }

    /// Removes the calls that no record refers to.
    fn renumber(&mut self, used: &[bool]) {
        let mut numbers = Vec::with_capacity(used.len());
        let mut next = 0_u32;
        for used in used {
            numbers.push(next);
            next += u32::from(*used);
        }
        for record in self.jobs.values_mut() {
            for (number, _) in &mut Arc::make_mut(record).calls {
                *number = numbers.get(*number as usize).copied().unwrap_or_default();
            }
        }
        let mut used = used.iter();
        self.calls.retain(|_| used.next().copied().unwrap_or(false));
    }
}
