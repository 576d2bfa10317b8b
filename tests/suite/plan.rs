//! The whole plan of a small site, printed.

use std::sync::Arc;

use folio::config::{Config, Overrides};
use folio::load::Disk;
use folio::parse::{self, HighlightCache, Settings};
use folio::plan::{self, Visibility};

#[test]
fn a_small_sites_plan() {
    let site = crate::common::Site::bare()
        .file(
            "site.toml",
            "title = \"T\"\nbase_url = \"https://t.example\"\npaginate_by = 2\n\
                            [permalinks]\nnews = \"/{year}/{slug}.html\"\n",
        )
        .file("content/_index.md", "Welcome.")
        .file("content/about.md", "---\ncomments: false\n---\n")
        .file(
            "content/posts/a.md",
            "---\ndate: 2026-01-03\ntags: [x, y]\ncategory: C\n\
                                     aliases: [/old/]\n---\n",
        )
        .file("content/posts/b.md", "---\ndate: 2026-01-02\ntags: [x]\ncategory: C\n---\n")
        .file("content/posts/c/index.md", "---\ndate: 2025-01-01\ntags: [y]\nseries: S\n---\n")
        .file("content/posts/c/pic.png", "p")
        .file("content/posts/deep/er/d.md", "---\ndraft: true\n---\n")
        .file("content/posts/deep/er/e.md", "")
        .file("content/news/2026-02-03-n.md", "")
        .file("static/CNAME", "t.example");
    let disk = Disk::open(site.root()).unwrap();
    let (config, _) = Config::parse(&disk.config().unwrap(), &Overrides::default()).unwrap();
    let (sources, report) = disk.scan();
    assert!(report.is_empty());
    let settings = Settings::of(&config);
    let docs = sources
        .articles
        .iter()
        .map(|path| {
            Arc::new(
                parse::parse(
                    path,
                    &disk.text(path).unwrap(),
                    &settings,
                    &mut HighlightCache::default(),
                )
                .doc,
            )
        })
        .collect();
    let visibility = Visibility {
        include_drafts: false,
        include_future: true,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let (plan, report) =
        plan::plan(docs, &plan::FaultyArticles::default(), &sources, &config, visibility);
    assert!(report.is_empty(), "{report:?}");
    insta::assert_snapshot!(plan.to_string());
}
