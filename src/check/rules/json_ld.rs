//! The rule about structured data (JSON-LD 1.1; schema.org).

use serde_json::{Map, Value};

use crate::check::finding::Finding;
use crate::check::page::Page;

/// Types that need a headline and a date.
const ARTICLES: [&str; 6] =
    ["Article", "BlogPosting", "NewsArticle", "TechArticle", "Report", "ScholarlyArticle"];

/// JSON-LD that is not valid, or lacks what its type needs.
pub(super) fn invalid(page: &Page<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in &page.facts.json_ld {
        for problem in problems(text) {
            let first = text.trim().lines().next().unwrap_or_default();
            findings.push(
                Finding::new(
                    format!("the JSON-LD of this page is not valid: {problem}"),
                    page.text_location(first),
                )
                .hint("schema.org describes what the type needs"),
            );
        }
    }
    findings
}

/// The problems of a block of JSON-LD.
fn problems(text: &str) -> Vec<String> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(e) => return vec![format!("it is not valid JSON: {e}")],
    };
    let blocks = match value {
        Value::Array(items) => items,
        other => vec![other],
    };
    let mut problems = Vec::new();
    for block in &blocks {
        let Some(object) = block.as_object() else {
            problems.push("it is not an object".to_owned());
            continue;
        };
        if !object.contains_key("@context") {
            problems.push("it has no `@context`".to_owned());
        }
        match object.get("@graph").and_then(Value::as_array) {
            Some(graph) => graph
                .iter()
                .filter_map(Value::as_object)
                .for_each(|node| check_node(node, &mut problems)),
            None => check_node(object, &mut problems),
        }
    }
    problems
}

fn check_node(node: &Map<String, Value>, problems: &mut Vec<String>) {
    let types: Vec<&str> = match node.get("@type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if types.is_empty() {
        problems.push("it has no `@type`".to_owned());
    }
    if let Some(name) = types.iter().find(|name| ARTICLES.contains(name)) {
        for key in ["headline", "datePublished"] {
            if node.get(key).is_none_or(|value| value.is_null() || value.as_str() == Some("")) {
                problems.push(format!("its {name} has no `{key}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_ld() {
        assert!(
            problems(
                r#"{
            "@context": "https://schema.org", "@type": "BlogPosting", "headline": "A",
            "datePublished": "2026-01-02"}"#
            )
            .is_empty()
        );
        assert!(
            problems(
                r#"{
            "@context": "https://schema.org",
            "@graph": [{"@type": "WebSite"}, {"@type": ["Thing"]}]}"#
            )
            .is_empty()
        );
        assert_eq!(problems(r#"{"@context": "x", "@type": "Article", "headline": ""}"#).len(), 2);
        assert_eq!(
            problems("[{}, 1]"),
            ["it has no `@context`", "it has no `@type`", "it is not an object"]
        );
        assert!(problems("{").first().is_some_and(|p| p.starts_with("it is not valid JSON")));
    }
}
