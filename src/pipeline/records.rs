//! What an output folder was made from, so that the next build knows which files are still right.
//!
//! The method is that of verifying traces with early cut-off (Mokhov, Mitchell and Peyton Jones, "Build Systems
//! à la Carte"): a file is right as long as each of its parts has the mark it had, and each question that its
//! templates asked has the answer it had.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::files::{Cache, damaged};
use crate::diag::Diagnostic;
use crate::memo::{self, Loaded, Mark};
use crate::paths::{OutPath, SourcePath};
use crate::plan::HiddenCounts;
use crate::render::{Call, Part, Parts, Renderer, Trace};
use crate::write::Output;

/// Everything that is kept of the last build of an output.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Records {
    /// The mark of all that went into it; while it is the same there is nothing to do.
    pub whole: Mark,
    /// The seconds since the epoch within which the same articles are to be seen.
    pub from: i64,
    pub until: i64,
    pub pages: usize,
    pub hidden: HiddenCounts,
    pub warnings: Vec<Diagnostic>,
    pub templates: BTreeMap<String, Mark>,
    /// Questions that templates asked.
    pub calls: Vec<Call>,
    pub jobs: BTreeMap<OutPath, Arc<Record>>,
}

impl Records {
    /// Reads the records of an output. The second value is a warning about ones that cannot be used.
    pub(super) fn load(output: &Output, program: &str, cache: Cache) -> (Self, Option<Diagnostic>) {
        match cache {
            Cache::Ignore => (Self::default(), None),
            Cache::Use => match memo::load(&output.records_path(), program) {
                Loaded::Whole(records) => (records, None),
                Loaded::Absent | Loaded::Foreign => (Self::default(), None),
                Loaded::Damaged => (Self::default(), Some(damaged())),
            },
        }
    }

    /// Whether nothing that goes into the output has changed.
    pub(super) fn still_holds(&self, whole: Mark, now: jiff::Timestamp) -> bool {
        !self.jobs.is_empty() && self.whole == whole && (self.from..self.until).contains(&now.as_second())
    }
}

/// What a file was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    parts: Box<[(Part, Mark)]>,
    /// Questions by number, with the mark of the answer.
    asked: Box<[(u32, Mark)]>,
}

/// Why a file is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is no earlier build of this output to compare with.
    First,
    New,
    /// The file in the output is gone or is not as it was written.
    Output,
    Part(Part),
    /// A part came or went.
    Parts,
    Asked(Call),
}

/// Looks for changes, asking each question once however many files asked it.
pub(super) struct Check<'a> {
    before: &'a Records,
    renderer: &'a Renderer,
    answers: Vec<Mutex<Option<Mark>>>,
}

impl<'a> Check<'a> {
    pub(super) fn new(before: &'a Records, renderer: &'a Renderer) -> Self {
        Self { before, renderer, answers: before.calls.iter().map(|_| Mutex::new(None)).collect() }
    }

    /// Why the file must be rendered; `None` when what it was made from has not changed.
    pub(super) fn reason(&self, out: &OutPath, parts: &Parts) -> Option<Reason> {
        if self.before.jobs.is_empty() {
            return Some(Reason::First);
        }
        let Some(record) = self.before.jobs.get(out) else { return Some(Reason::New) };
        if *record.parts != **parts {
            return Some(difference(&record.parts, parts));
        }
        let changed = record.asked.iter().find(|(number, mark)| self.answer(*number) != Some(*mark))?;
        self.before.calls.get(changed.0 as usize).cloned().map_or(Some(Reason::Parts), |call| Some(Reason::Asked(call)))
    }

    fn answer(&self, number: u32) -> Option<Mark> {
        let call = self.before.calls.get(number as usize)?;
        let mut slot = self.answers.get(number as usize)?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*slot.get_or_insert_with(|| self.renderer.ask_again(call)))
    }

    /// A recorder that goes on from these records.
    pub(super) fn recorder(&self) -> Recorder {
        Recorder::after(self.before)
    }

    /// What a file was made from, to be kept with it.
    pub(super) fn record(&self, out: &OutPath) -> Option<Arc<Record>> {
        self.before.jobs.get(out).map(Arc::clone)
    }
}

/// The first thing that two lists of parts differ in, a card or an entry before the rest.
fn difference(old: &[(Part, Mark)], new: &[(Part, Mark)]) -> Reason {
    let differs = |part: &Part, mark: &Mark| old.iter().any(|(p, m)| p == part && m != mark) && !old.contains(&(*part, *mark));
    match new.iter().find(|(part, mark)| differs(part, mark)) {
        Some((part, _)) => Reason::Part(*part),
        None => Reason::Parts,
    }
}

/// Records of the build that is going on.
///
/// Questions keep the numbers that they had, so that what is kept need not be touched.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    numbers: HashMap<Call, u32>,
    calls: Vec<Call>,
    jobs: BTreeMap<OutPath, Arc<Record>>,
}

impl Recorder {
    pub(super) fn after(before: &Records) -> Self {
        let numbers = before.calls.iter().cloned().zip(0..).collect();
        Self { numbers, calls: before.calls.clone(), jobs: BTreeMap::new() }
    }

    /// Keeps what a file was made from.
    pub(super) fn keep(&mut self, out: &OutPath, record: Arc<Record>) {
        self.jobs.insert(out.clone(), record);
    }

    /// Records what a file was made from.
    pub(super) fn add(&mut self, out: &OutPath, parts: Parts, trace: Trace) {
        let mut asked = Vec::with_capacity(trace.len());
        for (call, mark) in trace {
            let number = match self.numbers.get(&call) {
                Some(number) => *number,
                None => {
                    let number = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
                    self.calls.push(call.clone());
                    self.numbers.insert(call, number);
                    number
                }
            };
            if !asked.contains(&(number, mark)) {
                asked.push((number, mark));
            }
        }
        self.jobs.insert(out.clone(), Arc::new(Record { parts: parts.into(), asked: asked.into() }));
    }

    /// The records to store; `rest` brings all but the jobs.
    pub(super) fn finish(mut self, rest: Records) -> Records {
        let mut used = vec![false; self.calls.len()];
        for (number, _) in self.jobs.values().flat_map(|r| &r.asked) {
            if let Some(used) = used.get_mut(*number as usize) {
                *used = true;
            }
        }
        let live = used.iter().filter(|u| **u).count();
        if self.calls.len() > 2 * live + 64 {
            self.renumber(&used);
        }
        Records { calls: self.calls, jobs: self.jobs, ..rest }
    }

    /// Forgets the questions that nothing asks any more.
    fn renumber(&mut self, used: &[bool]) {
        let mut numbers = Vec::with_capacity(used.len());
        let mut next = 0_u32;
        for used in used {
            numbers.push(next);
            next += u32::from(*used);
        }
        for record in self.jobs.values_mut() {
            for (number, _) in &mut Arc::make_mut(record).asked {
                *number = numbers.get(*number as usize).copied().unwrap_or_default();
            }
        }
        let mut used = used.iter();
        self.calls.retain(|_| used.next().copied().unwrap_or(false));
    }
}

/// Says in words why a file was rendered.
pub(super) fn in_words(
    reason: &Reason,
    templates: &BTreeMap<String, Mark>,
    before: &Records,
    article: &dyn Fn(Mark) -> Option<(SourcePath, Vec<&'static str>)>,
) -> String {
    let (name, of) = match reason {
        Reason::Part(Part::Card(path) | Part::Entry(path)) => match article(*path) {
            Some((source, fields)) if fields.is_empty() => (name(&source).to_owned(), String::new()),
            Some((source, fields)) => (name(&source).to_owned(), format!(": {}", fields.join(", "))),
            None => ("an article".to_owned(), String::new()),
        },
        _ => (String::new(), String::new()),
    };
    match reason {
        Reason::First => "there is no earlier build to take it from".into(),
        Reason::New => "it is new".into(),
        Reason::Output => "the file in the output is missing or was changed".into(),
        Reason::Part(Part::Template) => {
            let names: Vec<&str> =
                templates.iter().filter(|(name, mark)| before.templates.get(*name) != Some(mark)).map(|(name, _)| name.as_str()).collect();
            format!("a template changed: {}", if names.is_empty() { "one was taken away".to_owned() } else { names.join(", ") })
        }
        Reason::Part(Part::Site) => "site.toml changed".into(),
        Reason::Part(Part::Own) => "its title, place, headings or list changed".into(),
        Reason::Part(Part::Body) => "its text changed".into(),
        Reason::Part(Part::Links) => "the address of something it links to changed".into(),
        Reason::Part(Part::Card(_)) => format!("the card of {name} changed{of}"),
        Reason::Part(Part::Entry(_)) => format!("{name} changed{of}"),
        Reason::Part(Part::File) => "the file changed".into(),
        Reason::Parts => "what it lists changed".into(),
        Reason::Asked(call) => format!("{}({}) gives something else", call.function, call.arguments.trim_matches(['{', '}'])),
    }
}

/// An article as a writer calls it: `posts/b`.
fn name(source: &SourcePath) -> &str {
    let below = source.below("content").unwrap_or(source.as_str());
    below.strip_suffix(".md").unwrap_or(below)
}
