//! The views and hearts of articles, from the site's snapshot.

use std::collections::HashMap;

use serde::Deserialize;

use super::inputs::Inputs;
use crate::config::Config;
use crate::diag::{Diagnostic, Report};
use crate::paths::SourcePath;

/// The views and hearts of an article; unknown ones are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Counts {
    pub views: Option<u64>,
    pub hearts: Option<u64>,
}

/// Route → counts.
#[derive(Debug, Default)]
pub struct Counters(HashMap<String, Counts>);

impl Counters {
    /// Reads the configured snapshot. Without a snapshot, nothing is known.
    ///
    /// # Errors
    /// When the file exists and is not valid.
    pub fn read(config: &Config, inputs: &dyn Inputs) -> Result<Self, Report> {
        let name = &config.counters.snapshot;
        let Ok(path) = SourcePath::new(name) else {
            return Err(Report::of(
                Diagnostic::error(format!(
                    "`counters.snapshot` is invalid: \"{name}\" is not a path of a file of the site"
                ))
                .in_file(crate::config::FILE),
            ));
        };
        let Some(bytes) = inputs.file(&path).map_err(Report::of)? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).map(Self).map_err(|e| {
            let offset = line_offset(&bytes, e.line()) + e.column().saturating_sub(1);
            let error = Diagnostic::error(format!(
                "this is not a JSON object of views and hearts: {}",
                e.to_string().split(" at line").next().unwrap_or_default()
            ));
            Report::of(
                error
                    .in_file(path.as_str())
                    .at(offset..offset + 1)
                    .hint("write {\"/posts/a/\": {\"views\": 12, \"hearts\": 3}}"),
            )
        })
    }

    /// The counts of a route.
    #[must_use]
    pub fn of(&self, route: &str) -> Counts {
        self.0.get(route).copied().unwrap_or_default()
    }
}

fn line_offset(bytes: &[u8], line: usize) -> usize {
    bytes.split(|b| *b == b'\n').take(line.saturating_sub(1)).map(|l| l.len() + 1).sum()
}
