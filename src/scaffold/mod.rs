//! Creates articles and sites, and copies files of the default theme into a site.

mod theme;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tera::{Context, Tera};

use crate::config::Overrides;
use crate::diag::Diagnostic;
use crate::load::Disk;
use crate::parse::front::{split_dated_name, title_from_name};
use crate::paths::SourcePath;
use crate::write;

pub use theme::{ThemeFile, copy_theme_files, theme_files};

/// The hosts that `init --ci` writes a workflow for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Ci {
    Github,
    Gitlab,
}

const ARCHETYPE: &str = "---\ntitle: {{ title | json }}\ndescription: \"\"\ndate: {{ date }}\n\
                         category: \"\"\ntags: []\ndraft: true\n---\n\nWrite here.\n";

const GITHUB: &str = r"name: Publish
on:
  push:
    branches: [main]
permissions:
  contents: read
  pages: write
  id-token: write
concurrency: pages
jobs:
  publish:
    runs-on: ubuntu-latest
    environment:
      name: github-pages
      url: ${{ steps.deploy.outputs.page_url }}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        with:
          path: |
            ~/.cargo
            .folio
          key: folio-${{ github.sha }}
          restore-keys: folio-
      - run: command -v folio || cargo install folio --locked
      - run: folio build
      - run: folio check
      # For another host than Pages: a [deploy.production] table in site.toml, its secrets as `env`, and
      # `folio deploy production --yes` in the place of the two steps below.
      - uses: actions/upload-pages-artifact@v3
        with:
          path: public
      - id: deploy
        uses: actions/deploy-pages@v4
";

const GITLAB: &str = "image: rust:1\n\npages:\n  variables:\n    CARGO_HOME: \
                      $CI_PROJECT_DIR/.cargo\n  cache:\n    paths: [.cargo, .folio]\n  \
                      script:\n    - export PATH=\"$CARGO_HOME/bin:$PATH\"\n    - command -v \
                      folio || cargo install folio --locked\n    - folio build\n    - folio \
                      check\n    # For another host than Pages: add [deploy.production] to \
                      site.toml, set its secrets as variables of the project,\n    # and run \
                      `folio deploy production --yes` here.\n  artifacts:\n    paths: [public]\n  \
                      rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n";

/// Creates an article from the archetype of its section, and returns its path.
///
/// `path` is relative to `content/`, with or without that name and the `.md`. The archetype is
/// `templates/archetypes/SECTION.md`, `templates/archetypes/default.md` or a built-in one.
///
/// # Errors
/// When the article exists, its path is invalid, or the archetype cannot be rendered.
pub fn article(
    root: &Path,
    path: &str,
    title: Option<&str>,
    now: Timestamp,
) -> Result<PathBuf, Diagnostic> {
    let disk = Disk::open(root)?;
    let timezone = site_timezone(&disk)?;
    let name = path.trim_start_matches("./").trim_start_matches("content/");
    let name = if name.ends_with(".md") { name.to_owned() } else { format!("{name}.md") };
    let source = SourcePath::new(&format!("content/{name}")).map_err(|e| {
        Diagnostic::error(format!("`{path}` is not a valid path for an article: {e}"))
            .hint("write a path in content/, such as posts/first.md")
    })?;
    if name.ends_with("/.md") || name == ".md" || name.starts_with('/') || !disk.may_hold(&source) {
        return Err(Diagnostic::error(format!("`{path}` is not a valid path for an article"))
            .hint("write a path in content/, such as posts/first.md"));
    }
    let section = name.split('/').next().unwrap_or_default();
    let archetypes = [
        format!("templates/archetypes/{section}.md"),
        "templates/archetypes/default.md".to_owned(),
    ];
    let own =
        archetypes.iter().find_map(|a| disk.text_for_message(a).map(|text| (a.clone(), text)));
    let (file, template) = own.unwrap_or_else(|| {
        let builtin = if source.stem() == "_index" { SECTION_ARCHETYPE } else { ARCHETYPE };
        (String::new(), builtin.to_owned())
    });
    let title = title.map_or_else(|| title_from_name(&source), str::to_owned);
    let mut context = Context::new();
    context.insert("title", &title);
    // The day at the site, where the article will be published.
    let today = timezone.to_datetime(now).strftime("%Y-%m-%d").to_string();
    let dated =
        split_dated_name(crate::parse::front::name(&source)).map(|(date, _)| date.to_owned());
    context.insert("date", &dated.unwrap_or(today));
    let mut tera = Tera::default();
    tera.register_filter("json", |text: &str, _: tera::Kwargs, _: &tera::State| {
        serde_json::Value::from(text).to_string()
    });
    let text = tera
        .render_str(&template, &context, false)
        .map_err(|e| crate::render::template_error(&e, &file))?;
    let target = disk.root().join(source.as_str());
    write::create(&target, &text)?;
    Ok(target)
}

/// The time zone of the site; UTC when its configuration has errors, which a build reports.
fn site_timezone(disk: &Disk) -> Result<TimeZone, Diagnostic> {
    let config = disk.read_config(&Overrides::default())?.config;
    Ok(config.map_or(TimeZone::UTC, |config| config.timezone))
}

/// The text of a new section: it has no date and is no draft, since a section is always built.
const SECTION_ARCHETYPE: &str =
    "---\ntitle: {{ title | json }}\ndescription: \"\"\n---\n\nWhat this section is about.\n";

/// Files and folders that a new site may be created beside.
const BESIDE: [&str; 8] = [
    ".git",
    ".gitattributes",
    ".github",
    "readme.md",
    "readme",
    "license",
    "license.md",
    "license.txt",
];

/// The entries of a folder that a new site cannot be created beside.
fn in_the_way(folder: &Path) -> Vec<String> {
    let mut names = write::entries(folder);
    names.retain(|name| !BESIDE.contains(&name.to_lowercase().as_str()));
    names
}

/// Creates a site that builds at once, and returns the paths of its files.
///
/// # Errors
/// When the folder exists and is not empty, or cannot be written to.
pub fn site(folder: &Path, ci: Option<Ci>, now: Timestamp) -> Result<Vec<PathBuf>, Diagnostic> {
    if let Some(name) = in_the_way(folder).first() {
        let message = format!("`{}` is not empty: it contains `{name}`", folder.display());
        return Err(Diagnostic::error(message).hint(
            "choose a new folder, or one with nothing but a repository, a README and a license",
        ));
    }
    let today = now.strftime("%Y-%m-%d").to_string();
    let mut files = vec![
        ("site.toml", SITE.to_owned()),
        (".gitignore", "/public\n/.folio\n".to_owned()),
        ("content/_index.md", "What this publication is about.\n".to_owned()),
        (
            "content/posts/_index.md",
            "---\ntitle: Articles\ndescription: Every article, newest \
                                     first.\n---\n"
                .to_owned(),
        ),
        ("content/posts/hello.md", POST.replace("DATE", &today)),
        (
            "content/about.md",
            "---\ntitle: About\ndescription: Who writes here, and why.\n---\n\n\
                              Who writes here, and why.\n"
                .to_owned(),
        ),
    ];
    match ci {
        Some(Ci::Github) => files.push((".github/workflows/publish.yml", GITHUB.to_owned())),
        Some(Ci::Gitlab) => files.push((".gitlab-ci.yml", GITLAB.to_owned())),
        None => {}
    }
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        write::create(&path, &text)?;
        written.push(path);
    }
    Ok(written)
}

const SITE: &str = r#"title = "My publication"
base_url = "https://example.org"
description = "What it is about, in a sentence."
language = "en"

[author]
name = "Your name"

[menu]
main = [{ name = "Articles", url = "/posts/" }, { name = "About", url = "/about/" }]

# Where `folio deploy` takes the site.
# [deploy.production]
# target = "rsync"
# destination = "me@example.org:/var/www/site"

# Each article ends with a comments section when there is a table [comments].
# [comments]

# A slot is a place for an ad.
# [ads.slots.top]
# place = "before-content"
# sizes = ["728x90"]
"#;

const POST: &str = r#"---
title: Hello
description: A first article, with a table in it.
date: DATE
category: Notes
tags: [first]
---

This is an article. Change it, or write another with `folio new posts/second.md`.

<!-- more -->

## A comparison

| Tool | Good at | Less good at |
| --- | --- | --- |
| Pencil | Being at hand | Being searched |
| Editor | Being searched | Being at hand |
{caption="Two tools for writing"}
"#;
