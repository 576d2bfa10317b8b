//! What is wrong, for a terminal and for the browser.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::diag::{Diagnostic, Report, Severity};
use crate::paths::{percent_encode, runs_code};

const CSS: &str = include_str!("client/problems.css");

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _ = pulldown_cmark_escape::escape_html(&mut out, text);
    out
}

/// What is said of which file, wherever in it.
fn what(d: &Diagnostic) -> (Severity, &str, Option<&str>) {
    (d.severity, &d.message, d.file.as_deref())
}

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
    /// How many errors there were.
    pub before: usize,
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
        let errors: Vec<&Diagnostic> = report.items().iter().filter(|d| d.severity == Severity::Error).collect();
        let json: Arc<str> = json!({ "css": CSS, "html": self.page(&errors, root) }).to_string().into();
        if !first && report == self.last {
            return None;
        }
        // Something that only moved is no news to a reader of the terminal.
        let told: HashSet<_> = self.last.items().iter().map(what).collect();
        let new: Report = report.items().iter().filter(|d| !told.contains(&what(d))).cloned().collect();
        let (errors, before) = (errors.len(), self.last.count(Severity::Error));
        self.last = report;
        self.told = Some(Arc::clone(&json));
        Some(News { new, errors, before, json })
    }

    /// The errors as HTML; nothing where there are none.
    fn page(&self, errors: &[&Diagnostic], root: &Path) -> String {
        if errors.is_empty() {
            return String::new();
        }
        let count = if errors.len() == 1 { "1 error".to_owned() } else { format!("{} errors", errors.len()) };
        let mut out = format!("<main role=alertdialog aria-label=\"Errors of this site\"><button>Close</button><h1>{count}</h1>");
        for d in errors {
            out.push_str(&self.article(d, root));
        }
        out.push_str("</main>");
        out
    }

    fn article(&self, d: &Diagnostic, root: &Path) -> String {
        let mut out = format!("<article><p class=m>{}</p>", escaped(&d.message));
        if let Some(file) = &d.file {
            let place = d.excerpt.as_ref().map_or_else(|| file.clone(), |e| format!("{file}:{}:{}", e.line, e.column));
            let place = escaped(&place);
            out.push_str(&match self.link(d, root) {
                Some(link) => format!("<p class=f><a href=\"{}\">{place}</a></p>", escaped(&link)),
                None => format!("<p class=f>{place}</p>"),
            });
        }
        if let Some(e) = &d.excerpt {
            let (before, rest) = e.text.split_at_checked(e.underline.start).unwrap_or((&e.text, ""));
            let (marked, after) = rest.split_at_checked(e.underline.len()).unwrap_or((rest, ""));
            let marked = if marked.is_empty() { " " } else { marked };
            out.push_str(&format!("<pre>{}<mark>{}</mark>{}</pre>", escaped(before), escaped(marked), escaped(after)));
        }
        for note in &d.notes {
            out.push_str(&format!("<p>note: {}</p>", escaped(note)));
        }
        if let Some(hint) = &d.hint {
            out.push_str(&format!("<p class=h>help: {}</p>", escaped(hint)));
        }
        out.push_str("</article>");
        out
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
            let html = serde_json::from_str::<serde_json::Value>(&news.json).unwrap()["html"].as_str().unwrap().to_owned();
            html.split_once("href=\"").map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
        };
        assert_eq!(link("vscode://file/{path}:{line}:{column}").unwrap(), "vscode://file/site/content/a%20b.md:1:1");
        assert_eq!(link("javascript:alert({line})"), None);
    }

    #[test]
    fn what_a_site_says_is_escaped() {
        let text = "x <img src=x onerror=alert(1)> y";
        let mut d = Diagnostic::error("<b>&").in_file("content/<i>.md").note("<u>").hint("\"<s>");
        d.excerpt = Some(crate::diag::Excerpt::of(text, &(2..5)));
        let html = Problems::new(None).page(&[&d], Path::new("/"));
        assert!(html.contains("<pre>x <mark>&lt;im</mark>g src=x onerror=alert(1)&gt; y</pre>"), "{html}");
        for raw in ["<b>", "<i>", "<u>", "<s>", "<img"] {
            assert!(!html.contains(raw), "{html}");
        }
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
        assert_eq!((news.new, news.errors), (report(&[]), 0));
        assert!(news.json.contains(r#""html":"""#), "{}", news.json);
    }
}
