//! The 652 examples of the CommonMark specification, through Folio's own parser.

use folio::config;
use folio::parse::markdown::{Flavor, render};
use folio::parse::{HighlightCache, Settings};
use folio::paths::SourcePath;
use serde::Deserialize;

#[derive(Deserialize)]
struct Example {
    markdown: String,
    html: String,
    #[serde(rename = "example")]
    number: usize,
}

#[test]
fn every_example_of_the_specification() {
    let Some(path) = crate::common::shared("cases/commonmark/spec.json") else { return };
    let examples: Vec<Example> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(examples.len(), 652);
    let settings = Settings {
        markdown: config::Markdown::default(),
        line_numbers: false,
        slugs: folio::slug::SlugRule::default(),
        texts: std::sync::Arc::new(folio::language::Language::read("en", None).0),
    };
    let source = SourcePath::new("content/a.md").unwrap();
    let failed: Vec<usize> = examples
        .iter()
        .filter(|e| {
            let html = render(
                &e.markdown,
                0,
                &source,
                None,
                &settings,
                Flavor::CommonMark,
                &mut HighlightCache::default(),
            )
            .body
            .html;
            // A quote in text may be written either way; both mean the same.
            let same = html.replace("&quot;", "\"") == e.html.replace("&quot;", "\"");
            if !same {
                println!(
                    "example {}\n{:?}\nexpected {:?}\nfound    {:?}\n",
                    e.number, e.markdown, e.html, html
                );
            }
            !same
        })
        .map(|e| e.number)
        .collect();
    assert!(failed.is_empty(), "{} of 652 failed: {failed:?}", failed.len());
}

#[test]
fn every_example_goes_through_the_site_dialect_without_a_panic() {
    let Some(path) = crate::common::shared("cases/commonmark/spec.json") else { return };
    let examples: Vec<Example> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut markdown =
        config::Markdown { math: true, smart_punctuation: true, ..config::Markdown::default() };
    let source = SourcePath::new("content/a.md").unwrap();
    for policy in [config::UnsafeHtml::Allow, config::UnsafeHtml::Strip, config::UnsafeHtml::Error]
    {
        markdown.unsafe_html = policy;
        let settings = Settings {
            markdown: markdown.clone(),
            line_numbers: true,
            slugs: folio::slug::SlugRule::default(),
            texts: std::sync::Arc::new(folio::language::Language::read("en", None).0),
        };
        for e in &examples {
            let content = render(
                &e.markdown,
                0,
                &source,
                None,
                &settings,
                Flavor::Folio,
                &mut HighlightCache::default(),
            );
            assert!(
                content.body.holes.is_sorted_by_key(|h| h.at),
                "the holes of example {} are out of order",
                e.number
            );
        }
    }
}
