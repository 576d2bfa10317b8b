//! The examples of the manual: each is built as a part of a site.

use crate::common::{Site, project};

/// A fenced block of the manual.
struct Example {
    /// The page and the line of the fence.
    place: String,
    language: String,
    text: String,
}

/// The blocks of a page. Blocks in lists are indented.
fn examples_of(name: &str, page: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<(usize, String, Vec<&str>)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => open = Some((number + 1, info.trim().to_owned(), Vec::new())),
            (None, None) => {}
            (Some((_, _, lines)), None) => lines.push(line),
            (Some((start, info, lines)), Some(_)) => {
                examples.push(Example {
                    place: format!("{name}:{start}"),
                    language: info.split([' ', ',', '{']).next().unwrap_or_default().to_owned(),
                    text: lines.join("\n") + "\n",
                });
                open = None;
            }
        }
    }
    examples
}

fn examples() -> Vec<Example> {
    let folder = project().join("content/docs");
    let mut names: Vec<String> = crate::common::files(&folder).into_keys().collect();
    names.retain(|name| name.ends_with(".md"));
    let read = |name: &String| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        examples_of(name, &text)
    };
    names.iter().flat_map(read).collect()
}

const CONFIG: &str = "title = \"T\"\nbase_url = \"https://t.example\"\n";

/// Settings under which an example may refer to articles and files that only its reader has.
const LENIENT: &str = "[markdown]\nbroken_links = \"warn\"\nmath = true\n[ads.slots.middle]\nplace = \"manual\"\n\
                       [ads.slots.top]\nplace = \"before-content\"\n[taxonomies.place]\n";

/// A site with the example in its place; `None` for examples that are not a part of a site.
fn site_with(example: &Example) -> Option<Site> {
    let text = &example.text;
    let site = Site::new()
        .file("content/a.md", "---\ntitle: A\ndate: 2026-01-01\ntags: [x]\n---\n\n## B\n");
    let site = site.file("content/posts/_index.md", "---\ntitle: Posts\n---\n");
    let lenient = || format!("{CONFIG}{LENIENT}");
    match example.language.as_str() {
        "toml" if text.starts_with("# languages/") => Some(site.file("languages/en.toml", text)),
        "toml" => {
            let has = |key: &str| text.lines().any(|line| line.starts_with(&format!("{key} =")));
            let needed = CONFIG.lines().filter(|line| !has(line.split(' ').next().unwrap()));
            let config: String = needed.map(|line| format!("{line}\n")).collect();
            Some(site.file("site.toml", config + text))
        }
        "yaml" => {
            let article = format!("---\ntitle: E\n{text}---\n\nText.\n")
                .replace("title: E\ntitle:", "title:");
            Some(site.file("site.toml", lenient()).file("content/posts/e.md", article))
        }
        "md" if text.contains("title: ") => {
            Some(site.file("site.toml", lenient()).file("content/posts/e.md", text))
        }
        "md" => {
            let price = "{% component price(amount: number) %}{{ amount }}{% endcomponent price %}";
            let article = format!("---\ntitle: E\ndate: 2026-01-01\n---\n\n{text}");
            let site =
                site.file("site.toml", lenient()).file("templates/components/price.html", price);
            Some(site.file("content/posts/e.md", article))
        }
        "json" if text.contains("\"views\"") => Some(site.file("data/counters.json", text)),
        "jinja2" if text.contains("{% component ad(") => {
            Some(site.file("site.toml", lenient()).file("templates/components/ad.html", text))
        }
        "jinja2" if text.contains("{% component ") => {
            Some(site.file("templates/components/own.html", text))
        }
        "jinja2" if text.contains("own.css") => {
            Some(site.file("templates/head.html", text).file("static/own.css", "p {}"))
        }
        "jinja2" if text.starts_with("---") => {
            Some(site.file("templates/archetypes/default.md", text))
        }
        "jinja2" if text.contains("term.feeds") => Some(site.file("templates/term.html", text)),
        "jinja2" if text.contains("list") => Some(site.file("templates/section.html", text)),
        "jinja2" => Some(site.file("templates/page.html", text)),
        _ => None,
    }
}

#[test]
fn every_example_builds() {
    let mut problems = Vec::new();
    let mut built = 0;
    for example in examples() {
        let Some(site) = site_with(&example) else { continue };
        let new = example.language == "jinja2" && example.text.starts_with("---");
        let command: &[&str] =
            if new { &["new", "posts/new.md", "--title", "T"] } else { &["build"] };
        let run = site.folio(command);
        built += 1;
        if run.code != 0 {
            problems.push(format!(
                "{} ({})\n{}\n{}",
                example.place, example.language, example.text, run.stderr
            ));
        }
    }
    assert!(problems.is_empty(), "{} of {built}:\n{}", problems.len(), problems.join("\n"));
    assert!(built > 60, "only {built} examples were built");
}
