//! Where the values of `site.toml` are in its text.

use std::cell::OnceCell;

use crate::diag::Diagnostic;
use crate::schema::Step;
use crate::schema::locate::{Locator, Place, Syntax};

/// The name of the configuration file at the root of a site.
pub const FILE: &str = "site.toml";

/// Locates values of `site.toml` in its text.
pub(super) struct At<'a> {
    text: &'a str,
    /// Made when there is something to locate.
    locator: OnceCell<Locator<'a>>,
}

impl<'a> At<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, locator: OnceCell::new() }
    }

    pub(super) fn locator(&self) -> &Locator<'a> {
        self.locator.get_or_init(|| Locator::new(self.text, Syntax::Toml))
    }

    pub(super) fn error(&self, path: &[&str], message: String) -> Diagnostic {
        Diagnostic::error(message).in_file(FILE).at(self.span(path))
    }

    /// The byte range of a value.
    pub(super) fn span(&self, path: &[&str]) -> std::ops::Range<usize> {
        let steps: Vec<Step> = path.iter().map(|k| Step::Key((*k).to_owned())).collect();
        self.locator().locate(&steps, Place::Value)
    }
}
