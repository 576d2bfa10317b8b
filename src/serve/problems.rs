//! Reports the problems of a live site: on the terminal those that are new, and in the browser all
//! errors.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::diag::{LocatedDiagnostic, LocatedReport, Severity};
use crate::paths::{percent_encode, runs_code};

const CSS: &str = include_str!("client/problems.css");

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _ = pulldown_cmark_escape::escape_html(&mut out, text);
    out
}

/// What a problem says about which file, regardless of its line.
fn identity(d: &LocatedDiagnostic) -> (Severity, &str, Option<&str>) {
    let d = &d.diagnostic;
    (d.severity, &d.message, d.file.as_deref())
}

/// The problems that were reported last.
pub(super) struct Problems {
    reported: Option<LocatedReport>,
    editor_url: Option<String>,
}

/// What to report.
pub(super) struct ProblemsUpdate {
    /// The problems that were not reported before.
    pub new: LocatedReport,
    /// The number of errors now.
    pub errors: usize,
    /// The number of errors before.
    pub before: usize,
    /// The errors for the browser.
    pub json: Arc<str>,
}

impl Problems {
    pub(super) fn new(editor_url: Option<String>) -> Self {
        Self { reported: None, editor_url: editor_url.filter(|url| !runs_code(url)) }
    }

    /// Takes in the current problems; `None` when they have been reported already.
    pub(super) fn update(&mut self, report: LocatedReport, root: &Path) -> Option<ProblemsUpdate> {
        if self.reported.as_ref() == Some(&report) {
            return None;
        }
        let count = report.count(Severity::Error);
        let shown = report.shown();
        let errors: Vec<&LocatedDiagnostic> =
            shown.items.iter().filter(|d| d.diagnostic.severity == Severity::Error).collect();
        let json =
            json!({ "css": CSS, "html": self.page(count, &errors, root) }).to_string().into();
        let reported = self.reported.take().unwrap_or_default();
        // A problem that only moved to another line is not new to a reader of the terminal.
        let known: HashSet<_> = reported.items().iter().map(identity).collect();
        let new = report.items().iter().filter(|d| !known.contains(&identity(d))).cloned();
        let update = ProblemsUpdate {
            new: new.collect(),
            errors: count,
            before: reported.count(Severity::Error),
            json,
        };
        self.reported = Some(report);
        Some(update)
    }

    /// The number of errors and those that are shown, as HTML; empty when there are none.
    fn page(&self, count: usize, errors: &[&LocatedDiagnostic], root: &Path) -> String {
        if errors.is_empty() {
            return String::new();
        }
        let count = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
        let mut out = format!(
            "<main role=alertdialog aria-label=\"Errors of this site\"><button>Close</button>\
             <h1>{count}</h1>"
        );
        for d in errors {
            out.push_str(&self.article(d, root));
        }
        out.push_str("</main>");
        out
    }

    fn article(&self, located: &LocatedDiagnostic, root: &Path) -> String {
        let LocatedDiagnostic { diagnostic: d, excerpt } = located;
        let mut out = format!("<article><p class=m>{}</p>", escaped(&d.message));
        if let Some(file) = &d.file {
            let place = excerpt
                .as_ref()
                .map_or_else(|| file.clone(), |e| format!("{file}:{}:{}", e.line, e.column));
            let place = escaped(&place);
            out.push_str(&match self.editor_link(located, root) {
                Some(link) => format!("<p class=f><a href=\"{}\">{place}</a></p>", escaped(&link)),
                None => format!("<p class=f>{place}</p>"),
            });
        }
        if let Some(e) = excerpt {
            let (before, rest) =
                e.text.split_at_checked(e.underline.start).unwrap_or((&e.text, ""));
            let (marked, after) = rest.split_at_checked(e.underline.len()).unwrap_or((rest, ""));
            let marked = if marked.is_empty() { " " } else { marked };
            out.push_str(&format!(
                "<pre>{}<mark>{}</mark>{}</pre>",
                escaped(before),
                escaped(marked),
                escaped(after)
            ));
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

    /// The URL that opens the line in the editor.
    fn editor_link(&self, d: &LocatedDiagnostic, root: &Path) -> Option<String> {
        let (url, file) = (self.editor_url.as_ref()?, d.diagnostic.file.as_ref()?);
        let path = root.join(file);
        let (line, column) = d.excerpt.as_ref().map_or((1, 1), |e| (e.line, e.column));
        let path = percent_encode(&path.to_string_lossy());
        // An absolute path brings the slash before `{path}` itself.
        let url = if url.contains("/{path}") {
            url.replace("/{path}", &path)
        } else {
            url.replace("{path}", &path)
        };
        Some(url.replace("{line}", &line.to_string()).replace("{column}", &column.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostic, Excerpt, Report};

    #[test]
    fn links_open_the_editor_and_never_run_code() {
        let error = Diagnostic::error("wrong").in_file("content/a b.md");
        let link = |url: &str| {
            let update = Problems::new(Some(url.into()))
                .update(error.clone().into(), Path::new("/site"))
                .unwrap();
            let json: serde_json::Value = serde_json::from_str(&update.json).unwrap();
            let (_, rest) = json["html"].as_str().unwrap().split_once("href=\"")?;
            Some(rest.split('"').next().unwrap().to_owned())
        };
        assert_eq!(
            link("vscode://file/{path}:{line}:{column}").unwrap(),
            "vscode://file/site/content/a%20b.md:1:1"
        );
        assert_eq!(link("javascript:alert({line})"), None);
    }

    #[test]
    fn text_of_a_site_is_escaped() {
        let text = "x <img src=x onerror=alert(1)> y";
        let located = LocatedDiagnostic {
            diagnostic: Diagnostic::error("<b>&")
                .in_file("content/<i>.md")
                .note("<u>")
                .hint("\"<s>"),
            excerpt: Some(Excerpt::of(text, &(2..5))),
        };
        let html = Problems::new(None).page(1, &[&located], Path::new("/"));
        assert!(
            html.contains("<pre>x <mark>&lt;im</mark>g src=x onerror=alert(1)&gt; y</pre>"),
            "{html}"
        );
        for raw in ["<b>", "<i>", "<u>", "<s>", "<img"] {
            assert!(!html.contains(raw), "{html}");
        }
    }

    #[test]
    fn only_new_problems_are_reported() {
        let mut problems = Problems::new(None);
        let report = |messages: &[&str]| -> LocatedReport {
            messages.iter().map(|m| Diagnostic::error(*m)).collect::<Report>().into()
        };
        let root = Path::new("/");
        assert_eq!(problems.update(report(&["a"]), root).unwrap().new, report(&["a"]));
        assert!(problems.update(report(&["a"]), root).is_none());
        let update = problems.update(report(&["a", "b"]), root).unwrap();
        assert_eq!((update.new, update.errors, update.before), (report(&["b"]), 2, 1));
        let update = problems.update(report(&[]), root).unwrap();
        assert_eq!((update.new, update.errors), (report(&[]), 0));
        assert!(update.json.contains(r#""html":"""#), "{}", update.json);
    }
}
