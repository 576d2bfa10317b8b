//! What is wrong, for a terminal and for the browser.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::diag::{Diagnostic, Report, Severity};
use crate::paths::{percent_encode, runs_code};

/// What was told last.
pub(super) struct Problems {
    last: Report,
    told: Option<Arc<str>>,
    editor_url: Option<String>,
}

/// What is to be told.
pub(super) struct News {
    /// What was not wrong before.
    pub new: Report,
    pub errors: usize,
    /// The errors for a browser.
    pub json: Arc<str>,
}

impl Problems {
    pub(super) fn new(editor_url: Option<String>) -> Self {
        Self { last: Report::default(), told: None, editor_url: editor_url.filter(|url| !runs_code(url)) }
    }

    /// Takes in what is wrong now; `None` when that is what was told already.
    pub(super) fn take(&mut self, report: Report, root: &Path) -> Option<News> {
        let first = self.told.is_none();
        let errors: Vec<_> = report.items().iter().filter(|d| d.severity == Severity::Error).map(|d| self.for_browser(d, root)).collect();
        let json: Arc<str> = json!(errors).to_string().into();
        if !first && report == self.last {
            return None;
        }
        // Something that only moved is no news to a reader of the terminal.
        let known = |d: &Diagnostic| self.last.items().iter().any(|old| (&old.message, &old.file, old.severity) == (&d.message, &d.file, d.severity));
        let new: Report = report.items().iter().filter(|d| !known(d)).cloned().collect();
        let errors = errors.len();
        self.last = report;
        self.told = Some(Arc::clone(&json));
        Some(News { new, errors, json })
    }

    fn for_browser(&self, d: &Diagnostic, root: &Path) -> serde_json::Value {
        let excerpt = d.excerpt.as_ref();
        // As a script counts: in UTF-16.
        let at = |byte: usize| excerpt.map(|e| e.text.get(..byte).unwrap_or_default().encode_utf16().count());
        json!({
            "message": d.message,
            "file": d.file,
            "line": excerpt.map(|e| e.line),
            "column": excerpt.map(|e| e.column),
            "text": excerpt.map(|e| &e.text),
            "from": excerpt.and_then(|e| at(e.underline.start)),
            "to": excerpt.and_then(|e| at(e.underline.end)),
            "notes": d.notes,
            "hint": d.hint,
            "editor": self.link(d, root),
        })
    }

    /// The address that opens the place in the editor.
    fn link(&self, d: &Diagnostic, root: &Path) -> Option<String> {
        let (url, file) = (self.editor_url.as_ref()?, d.file.as_ref()?);
        let path = root.join(file);
        let (line, column) = d.excerpt.as_ref().map_or((1, 1), |e| (e.line, e.column));
        let path = percent_encode(&path.to_string_lossy());
        // After `//file` a path begins with the slash that it has.
        let url = if url.contains("/{path}") { url.replace("/{path}", &path) } else { url.replace("{path}", &path) };
        Some(url.replace("{line}", &line.to_string()).replace("{column}", &column.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_opens_in_the_editor_and_no_link_runs_code() {
        let report = Report::of(Diagnostic::error("wrong").in_file("content/a b.md"));
        let link = |url: &str| {
            let news = Problems::new(Some(url.into())).take(report.clone(), Path::new("/site")).unwrap();
            serde_json::from_str::<serde_json::Value>(&news.json).unwrap()[0]["editor"].as_str().map(str::to_owned)
        };
        assert_eq!(link("vscode://file/{path}:{line}:{column}").unwrap(), "vscode://file/site/content/a%20b.md:1:1");
        assert_eq!(link("javascript:alert({line})"), None);
    }

    #[test]
    fn only_news_is_told() {
        let mut problems = Problems::new(None);
        let report = |messages: &[&str]| -> Report { messages.iter().map(|m| Diagnostic::error(*m)).collect() };
        let root = Path::new("/");
        assert_eq!(problems.take(report(&["a"]), root).unwrap().new, report(&["a"]));
        assert!(problems.take(report(&["a"]), root).is_none());
        let news = problems.take(report(&["a", "b"]), root).unwrap();
        assert_eq!((news.new, news.errors), (report(&["b"]), 2));
        let news = problems.take(report(&[]), root).unwrap();
        assert_eq!((news.new, news.errors, &*news.json), (report(&[]), 0, "[]"));
    }
}
