//! Which diagnostics are shown to a person: one of those that say the same about a file, and no
//! more than can be read.

use std::collections::HashSet;

use super::diagnostic::{Diagnostic, Severity};

/// How many errors are shown, and how many warnings.
pub(super) const MAX_SHOWN: usize = 200;

/// What makes diagnostics the same apart from their location.
pub(super) type Key = (Severity, Option<String>, Option<&'static str>, String);

pub(super) fn key(d: &Diagnostic) -> Key {
    (d.severity, d.file.clone(), d.rule, d.message.clone())
}

/// Selects the diagnostics that are shown, in the order of the report.
#[derive(Default)]
pub(super) struct ShownSelection {
    keys: HashSet<Key>,
    errors: usize,
    warnings: usize,
}

impl ShownSelection {
    /// Whether this diagnostic is shown.
    pub(super) fn takes(&mut self, d: &Diagnostic) -> bool {
        let count = match d.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        // Diagnostics without a file have nothing in common but their words.
        if *count >= MAX_SHOWN || (d.file.is_some() && !self.keys.insert(key(d))) {
            return false;
        }
        *count += 1;
        true
    }
}
