//! The views and hearts of articles, from the site's snapshot.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::value::RawValue;

use super::inputs::Inputs;
use crate::config::Config;
use crate::diag::{Diagnostic, Report};
use crate::paths::SourcePath;
use crate::plan::Plan;
use crate::schema::json::{self, Entries};

const HELP: &str = "write {\"/posts/a/\": {\"views\": 12, \"hearts\": 3}}";

/// The views and hearts of an article; unknown ones are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub views: Option<u64>,
    pub hearts: Option<u64>,
}

/// The counts of a site.
#[derive(Debug, Default)]
pub struct Counters {
    /// The path of the snapshot.
    file: String,
    /// Route → counts, and the place of the counts in the snapshot.
    counts: HashMap<String, (Counts, Range<usize>)>,
}

impl Counters {
    /// Reads the configured snapshot. Without a snapshot, nothing is known.
    ///
    /// # Errors
    /// Every problem of the file, when it exists.
    pub fn read(config: &Config, inputs: &dyn Inputs) -> Result<Self, Report> {
        // The configuration reports a path that is not one of the site.
        let Ok(path) = SourcePath::new(&config.counters.snapshot) else {
            return Ok(Self::default());
        };
        let Some(bytes) = inputs.file(&path).map_err(Report::of)? else {
            return Ok(Self::default());
        };
        let mut counters = Self { file: path.as_str().to_owned(), counts: HashMap::new() };
        let mut problems = Report::default();
        let text = crate::load::decode(bytes, path.as_str()).map_err(Report::of)?;
        counters.fill(&text, &mut problems);
        if problems.is_empty() { Ok(counters) } else { Err(problems.in_file(path.as_str())) }
    }

    fn fill(&mut self, text: &str, problems: &mut Report) {
        let Some(Entries(routes)) = entries(text, 0, problems) else { return };
        for (route, value) in routes {
            let span = json::span(text, value);
            let counts = read_counts(value, span.start, problems);
            let error = Diagnostic::error(format!("the route `{route}` occurs twice"));
            if self.counts.insert(route, (counts, span.clone())).is_some() {
                problems.push(error.at(span).hint("keep one of the entries"));
            }
        }
    }

    /// The counts of a route.
    #[must_use]
    pub fn of(&self, route: &str) -> Counts {
        self.counts.get(route).map_or_else(Counts::default, |(counts, _)| *counts)
    }

    /// A warning for each route that the site does not have.
    #[must_use]
    pub fn unknown_routes(&self, plan: &Plan, config: &Config) -> Report {
        let mut report = Report::default();
        let mut routes: Vec<_> = self.counts.iter().collect();
        routes.sort_unstable_by_key(|(route, _)| *route);
        for (route, (_, span)) in routes {
            if !plan.routes.contains(route.as_str()) && !plan.may_lack(route, config) {
                let warning = Diagnostic::warning(format!("no page has the route `{route}`"))
                    .in_file(&self.file)
                    .at(span.clone());
                report.push(warning.hint("write the path of a page's URL, such as /posts/a/"));
            }
        }
        report
    }
}

/// The entries of an object that starts at `start` of the file.
fn entries<'t>(text: &'t str, start: usize, problems: &mut Report) -> Option<Entries<'t>> {
    json::entries(text)
        .map_err(|problem| {
            let at = start + problem.offset;
            problems.push(Diagnostic::error(problem.message).at(at..at + 1).hint(HELP));
        })
        .ok()
}

/// The counts of one route; `start` is the place of the value in the file.
fn read_counts(value: &RawValue, start: usize, problems: &mut Report) -> Counts {
    let mut counts = Counts::default();
    let text = value.get();
    let Some(Entries(fields)) = entries(text, start, problems) else { return counts };
    let mut seen = Vec::new();
    for (key, number) in fields {
        let span = json::span(text, number);
        let span = start + span.start..start + span.end;
        let count = match key.as_str() {
            "views" => &mut counts.views,
            "hearts" => &mut counts.hearts,
            _ => {
                let error = Diagnostic::error(format!("unknown key `{key}`")).at(span);
                problems.push(error.suggest(&key, ["views", "hearts"]));
                continue;
            }
        };
        match serde_json::from_str(number.get()) {
            Ok(read) => *count = read,
            Err(_) => problems.push(
                Diagnostic::error(format!("`{key}` is not a whole number, 0 or more"))
                    .at(span.clone())
                    .hint(HELP),
            ),
        }
        if seen.contains(&key) {
            let error = Diagnostic::error(format!("`{key}` occurs twice")).at(span);
            problems.push(error.hint("keep one of the entries"));
        }
        seen.push(key);
    }
    counts
}
