//! Time of each stage on a made-up article, by criterion: `cargo bench --bench stages`.

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use folio::config::{Config, Overrides};
use folio::load::Sources;
use folio::parse::{self, HighlightCache, Settings};
use folio::paths::SourcePath;
use folio::plan::{self, FaultyArticles, Visibility};

fn article(i: usize, code: bool) -> String {
    let mut text = format!(
        "---\ntitle: Article number {i}\ndescription: What it says.\ndate: 2026-{:02}-{:02}\ncategory: C{}\ntags: [t{}, u{}]\n---\n\n",
        1 + i % 12,
        1 + i % 28,
        i % 7,
        i % 11,
        i % 13
    );
    for section in 0..8 {
        text += &format!(
            "## Section {section}\n\nWords of the section, *some* of them **strong**, with a [link](a{}.md) and `code` in a line of usual length.\n\n",
            (i + section) % 100
        );
        text += "- an entry\n- another\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n";
        if code {
            text += &format!(
                "```rust\nfn number_{i}_{section}(x: u32) -> u32 {{\n    // Adds one.\n    x + 1\n}}\n```\n\n"
            );
        }
    }
    text
}

fn stages(c: &mut Criterion) {
    let (config, _) =
        Config::parse("title = 'T'\nbase_url = 'https://t.example'", &Overrides::default())
            .expect("the configuration is right");
    let settings = Settings::of(&config);
    let source = SourcePath::new("content/posts/a.md").expect("the path is right");
    for (name, code) in [("parse prose", false), ("parse code", true)] {
        let (text, mut cache, mut i) = (article(1, code), HighlightCache::default(), 0);
        c.bench_function(name, |b| {
            b.iter(|| {
                i += 1;
                // Other names each time, so that not every line has been seen.
                parse::parse(
                    &source,
                    &text.replace("number_1", &format!("number_{i}")),
                    &settings,
                    &mut cache,
                )
            });
        });
    }
    let docs: Vec<_> = (0..1000)
        .map(|i| {
            let source =
                SourcePath::new(&format!("content/posts/a{i}.md")).expect("the path is right");
            Arc::new(
                parse::parse(
                    &source,
                    &article(i, false),
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
    c.bench_function("plan 1000 articles", |b| {
        b.iter(|| {
            plan::plan(
                docs.clone(),
                &FaultyArticles::default(),
                &Sources::default(),
                &config,
                visibility,
            )
        });
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);
