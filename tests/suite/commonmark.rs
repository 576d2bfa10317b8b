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

/// The settings of a site that configures nothing.
fn settings() -> Settings {
    Settings {
        markdown: config::Markdown::default(),
        line_numbers: false,
        slugs: folio::slug::SlugRule::default(),
        texts: std::sync::Arc::new(folio::language::Language::read("en", None).0),
    }
}

#[test]
fn every_example_of_the_specification() {
    let Some(path) = crate::common::shared("cases/commonmark/spec.json") else { return };
    let examples: Vec<Example> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(examples.len(), 652);
    let settings = settings();
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

/// A Markdown file by other hands: its name and its text without front matter.
fn corpus() -> Vec<(String, String)> {
    let Some(folder) = crate::common::shared("cases") else { return Vec::new() };
    let unpacked = tempfile::tempdir().unwrap();
    let archives = ["hugo-docs", "rust-blog", "swift-org"];
    for name in archives {
        let archive = folder.join(format!("moving/{name}.tar.xz"));
        let mut tar = std::process::Command::new("tar");
        let _ = tar.arg("-xJf").arg(archive).arg("-C").arg(unpacked.path()).status();
    }
    let mut texts = Vec::new();
    for root in [folder.as_path(), unpacked.path()] {
        for entry in walkdir::WalkDir::new(root).sort_by_file_name().into_iter().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "md" || e == "markdown")
                && let Ok(text) = std::fs::read_to_string(path)
            {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                texts.push((name, without_front_matter(&text.replace("\r\n", "\n")).to_owned()));
            }
        }
    }
    texts
}

fn without_front_matter(text: &str) -> &str {
    for fence in ["---\n", "+++\n"] {
        if let Some(rest) = text.strip_prefix(fence)
            && let Some(end) = rest.find(&format!("\n{fence}"))
        {
            return &rest[end + 1 + fence.len()..];
        }
    }
    text
}

/// The letters and digits that a reader sees.
fn letters(html: &str) -> String {
    folio::parse::strip_tags(html).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The text without the attributes of headings, which Folio reads and comrak shows.
fn without_attributes(text: &str) -> String {
    let bare = |line: &str| match line.rfind('{') {
        Some(at) if line.starts_with('#') && line.trim_end().ends_with('}') => {
            line[..at].to_owned()
        }
        _ => line.to_owned(),
    };
    text.lines().map(|line| bare(line) + "\n").collect()
}

/// The HTML of comrak without the numbers that it adds to further links back from a footnote.
fn without_back_numbers(html: &str) -> String {
    const NUMBER: &str = "↩<sup class=\"footnote-ref\">";
    let mut parts = html.split(NUMBER);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// HTML without what may be written in more than one way and means the same: quotes in text, white
/// space, and a `%` in a URL that encodes nothing.
fn normal(html: &str) -> String {
    let spaced = html
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("%25", "%")
        .replace('>', "> ")
        .replace('<', " <");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn another_renderer_reads_the_same() {
    let corpus = corpus();
    if corpus.is_empty() {
        return;
    }
    let source = SourcePath::new("content/a.md").unwrap();
    let settings = settings();
    let mut options = comrak::Options::default();
    options.render.r#unsafe = true;
    let mut differences = Vec::new();
    for (name, text) in &corpus {
        let rendered = |flavor: Flavor| {
            render(text, 0, &source, None, &settings, flavor, &mut HighlightCache::default())
                .body
                .html
        };
        let ours = normal(&rendered(Flavor::CommonMark));
        let theirs = normal(&comrak::markdown_to_html(text, &options));
        if ours != theirs {
            let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
            let near = |text: &str| -> String {
                text.get(at.saturating_sub(60)..).unwrap_or(text).chars().take(120).collect()
            };
            differences.push(format!("{name}:\n  {}\n  {}", near(&ours), near(&theirs)));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        corpus.len(),
        differences.join("\n")
    );
}

#[test]
fn no_words_of_the_site_dialect_are_lost() {
    let corpus = corpus();
    let source = SourcePath::new("content/a.md").unwrap();
    let settings = settings();
    let mut options = comrak::Options::default();
    options.render.r#unsafe = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    let mut differences = Vec::new();
    for (name, text) in &corpus {
        let content = render(
            text,
            0,
            &source,
            None,
            &settings,
            Flavor::Folio,
            &mut HighlightCache::default(),
        );
        let title = content.opening_title.unwrap_or_default();
        let ours = letters(&format!("{title} {}", content.body.html));
        let theirs = letters(&without_back_numbers(&comrak::markdown_to_html(
            &without_attributes(text),
            &options,
        )));
        // Folio shows more: the names of files above code, and what it does not read as Markdown.
        let mut rest = ours.chars();
        let lost = theirs.char_indices().find(|(_, c)| !rest.any(|own| own == *c));
        if let Some((at, _)) = lost {
            differences
                .push(format!("{name}: {}", theirs[at..].chars().take(60).collect::<String>()));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} lost words:\n{}",
        differences.len(),
        corpus.len(),
        differences.join("\n")
    );
}
