//! Sections and terms that templates name in calls of `pages` and that do not exist.
//!
//! Only names that are written as texts are checked. The function itself returns no articles for
//! them, because a site may be without any for a while.

use std::ops::Range;

use crate::diag::{Diagnostic, Report, nearest};
use crate::load::TemplateSource;
use crate::plan::Plan;

/// A warning for each section and term that does not exist, with the most similar one.
pub(super) fn unknown_names(templates: &[TemplateSource], plan: &Plan) -> Report {
    let mut report = Report::default();
    // An article with errors may have the term.
    if plan.is_incomplete() {
        return report;
    }
    for template in templates {
        for argument in arguments_of_pages(&template.text) {
            if let Some(warning) = unknown_name(&argument, plan) {
                let file = TemplateSource::file(&template.name);
                report.push(warning.in_file(file).at(argument.span));
            }
        }
    }
    report
}

/// An argument `key="value"` of a call.
#[derive(Debug, PartialEq, Eq)]
struct NamedText<'t> {
    key: &'t str,
    value: &'t str,
    /// Of the value, without its quotes.
    span: Range<usize>,
}

fn unknown_name(argument: &NamedText<'_>, plan: &Plan) -> Option<Diagnostic> {
    let value = argument.value;
    let (what, near) = if argument.key == "section" {
        let path = value.trim_matches('/');
        if plan.sections.iter().any(|section| section.path == path) {
            return None;
        }
        let paths = plan.sections.iter().map(|s| s.path.as_str()).filter(|p| !p.is_empty());
        ("section", nearest(path, paths))
    } else {
        let taxonomy = plan.taxonomies.iter().find(|t| t.name == argument.key)?;
        if taxonomy.spellings.contains_key(value) {
            return None;
        }
        let mut names: Vec<&str> = taxonomy.spellings.keys().map(String::as_str).collect();
        names.sort_unstable();
        let same_letters = names.iter().find(|n| n.to_lowercase() == value.to_lowercase()).copied();
        (argument.key, same_letters.or_else(|| nearest(value, names)))
    };
    let warning = Diagnostic::warning(format!("{what} `{value}` does not exist"));
    Some(match near {
        Some(name) => warning.hint(format!("did you mean `{name}`?")),
        None => warning.hint("`pages` returns no articles for it"),
    })
}

/// The text arguments of the calls of `pages` in a template.
fn arguments_of_pages(text: &str) -> Vec<NamedText<'_>> {
    let mut found = Vec::new();
    for (at, call) in text.match_indices("pages(") {
        let is_call = !text[..at].ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
        let in_comment = text[..at].rfind("{#") > text[..at].rfind("#}");
        if is_call && !in_comment {
            let start = at + call.len();
            let end = text[start..].find(')').map_or(text.len(), |end| start + end);
            add_arguments(text, start..end, &mut found);
        }
    }
    found
}

fn add_arguments<'t>(text: &'t str, range: Range<usize>, found: &mut Vec<NamedText<'t>>) {
    for (at, _) in text[range.clone()].match_indices('=') {
        let at = range.start + at;
        let before = text[range.start..at].trim_end();
        let key_start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
        let key = &before[key_start.map_or(0, |start| start + 1)..];
        let after = text[at + 1..range.end].trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            continue;
        };
        let from = range.end - after.len() + 1;
        if let Some(length) = text[from..range.end].find(quote) {
            let span = from..from + length;
            found.push(NamedText { key, value: &text[span.clone()], span });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_arguments_are_found_in_calls_only() {
        let pairs = |text: &str| -> Vec<(String, String)> {
            let all = arguments_of_pages(text);
            all.iter().map(|a| (a.key.to_owned(), a.value.to_owned())).collect()
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            pairs("{% for p in pages(section=\"blog\", tag = 'a b', limit=3) %}"),
            [pair("section", "blog"), pair("tag", "a b")]
        );
        for none in ["{# pages(section=\"x\") #}", "my_pages(a=\"b\")", "pages(section=name)"] {
            assert!(pairs(none).is_empty(), "{none}");
        }
    }
}
