//! Stories of building: a site, an edit, a look at the output.

use std::collections::BTreeMap;
use std::fs;

use crate::common::Site;

fn article(title: &str, date: &str, rest: &str) -> String {
    format!("---\ntitle: {title}\ndate: {date}\n{rest}---\n\nText of {title}.\n")
}

#[test]
fn two_lines_of_config_and_a_text_make_a_site() {
    let site = Site::bare()
        .file("site.toml", "title = \"T\"\nbase_url = \"https://t.example\"\n")
        .file("content/a.md", "# Hello\n\nworld");
    site.build();
    let page = site.page("a/index.html");
    assert!(page.contains("<title>Hello – T</title>"), "{page}");
    assert_eq!(page.matches("<h1").count(), 1);
    assert_eq!(site.content("a/index.html"), "<p>world</p>");
    for name in [
        "index.html",
        "404.html",
        "sitemap.xml",
        "robots.txt",
        "atom.xml",
        "rss.xml",
        "feed.json",
        "style.css",
        "highlight.css",
    ] {
        assert!(site.has(name), "{name}");
    }
}

#[test]
fn an_edit_changes_its_file_and_no_other() {
    let site = Site::new();
    for name in ["a", "b", "c"] {
        site.write(&format!("content/posts/{name}.md"), article(name, "2026-01-01", ""));
    }
    site.build();
    let before = times(&site);
    site.build();
    assert_eq!(before, times(&site), "a build of an unchanged site wrote something");
    site.write("content/posts/b.md", article("b", "2026-01-01", "") + "\nMore.\n");
    site.build();
    let after = times(&site);
    let changed: Vec<_> = after
        .iter()
        .filter(|(name, time)| before.get(*name) != Some(time))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(changed, ["atom.xml", "feed.json", "posts/b/index.html", "rss.xml"]);
}

fn times(site: &Site) -> BTreeMap<String, std::time::SystemTime> {
    site.names()
        .into_iter()
        .map(|n| {
            (n.clone(), fs::metadata(site.path("public").join(&n)).unwrap().modified().unwrap())
        })
        .collect()
}

#[test]
fn what_has_gone_is_deleted_and_nothing_else() {
    let site = Site::new()
        .file("content/posts/a.md", article("a", "2026-01-01", ""))
        .file("static/keep.txt", "x");
    site.build();
    site.write("public/by-hand.txt", "mine");
    site.remove("content/posts/a.md");
    site.write("content/posts/b/index.md", article("b", "2026-01-01", ""));
    site.build();
    assert!(!site.path("public/posts/a").exists());
    assert!(site.has("posts/b/index.html") && site.has("keep.txt") && site.has("by-hand.txt"));
    site.write("content/notes.md", "a page");
    site.build();
    site.remove("content/notes.md");
    site.write("static/notes", "a file where a folder was");
    site.build();
    assert_eq!(site.page("notes"), "a file where a folder was");
    site.remove("static/notes");
    site.write("content/notes.md", "a page again");
    site.build();
    assert!(site.has("notes/index.html"));
}

#[test]
fn two_outputs_of_one_site_do_not_disturb_each_other() {
    let site = Site::new().file("content/a.md", "a");
    site.build();
    assert_eq!(
        site.folio(&["build", "--output", "other", "--base-url", "https://o.example/x"]).code,
        0
    );
    let main = site.output();
    site.remove("content/a.md");
    assert_eq!(site.folio(&["build", "--output", "other"]).code, 0);
    assert_eq!(site.output(), main);
    assert!(!site.path("other/a").exists());
}

#[test]
fn threads_do_not_show_in_the_output() {
    let site = Site::copy_of(&crate::common::project().join("content"));
    let content = site.output();
    assert!(content.is_empty());
    let site = Site::bare()
        .file("site.toml", fs::read(crate::common::project().join("site.toml")).unwrap());
    crate::common::copy(&crate::common::project().join("content"), &site.path("content"));
    for (jobs, output) in [("1", "one"), ("2", "two"), ("7", "seven")] {
        let run = site.folio(&["build", "--jobs", jobs, "--output", output]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let one = crate::common::files(&site.path("one"));
    assert_eq!(one, crate::common::files(&site.path("two")));
    assert_eq!(one, crate::common::files(&site.path("seven")));
}

#[test]
fn the_own_site_builds_without_a_warning() {
    let site = Site::bare();
    for name in ["content", "templates", "static", "data"] {
        crate::common::copy(&crate::common::project().join(name), &site.path(name));
    }
    site.write("site.toml", fs::read(crate::common::project().join("site.toml")).unwrap());
    assert_eq!(site.warnings(), "");
    let lead = site.page("posts/best-frameworks-scalable-backend/index.html");
    let parts = [
        ">Tech</a>",
        "Best Frameworks for Building Scalable Backend Systems</h1>",
        "class=\"description\"",
        "June 2026</time> · 7 min read · 1 view · 0 hearts",
        "data-ad-slot=\"top\"",
        "<h2",
        "<table>",
        "data-ad-slot=\"bottom\"",
        "id=\"comments-heading\"",
        "No comments yet",
    ];
    let mut from = 0;
    for part in parts {
        from +=
            lead[from..].find(part).unwrap_or_else(|| panic!("{part} does not come in its place"));
    }
    assert!(fs::read_dir(site.path("content/posts")).unwrap().count() > 10);
}

#[test]
fn a_path_prefix_is_kept_in_every_link() {
    let site = Site::bare()
        .file(
            "site.toml",
            "title = \"T\"\nbase_url = \"https://t.example/blog\"\n[menu]\n\
                            main = [{name = \"A\", url = \"/a/\"}]\n",
        )
        .file(
            "content/a.md",
            article("A", "2026-01-01", "tags: [x]\naliases: [/old/]\n")
                + "[b](b.md#p) [r](/b/) \
                [p](/blog/b/) ![i](i.png) <a href=\"/b/\">raw</a>",
        )
        .file("content/b.md", "## P\n")
        .file("content/i.png", "not really");
    site.build();
    let content = site.content("a/index.html");
    assert_eq!(content.matches("href=\"/blog/b/").count(), 4, "{content}");
    assert!(content.contains("src=\"/blog/i.png\""), "{content}");
    for (name, bytes) in site.output() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for (at, _) in text.match_indices("href=\"/").chain(text.match_indices("src=\"/")) {
            assert!(
                text[at..].split('"').nth(1).unwrap().starts_with("/blog/"),
                "{name}: {}",
                &text[at..at + 40]
            );
        }
    }
    let feed = site.page("atom.xml");
    assert!(
        feed.contains("https://t.example/blog/b/#p")
            && feed.contains("https://t.example/blog/i.png"),
        "{feed}"
    );
    assert!(!feed.contains("=&quot;/") && !feed.contains("=\"/"), "{feed}");
    assert!(site.page("old/index.html").contains("url=/blog/a/"));
}

#[test]
fn routes_follow_patterns_dates_and_names() {
    let site = Site::bare()
        .file(
            "site.toml",
            "title = \"T\"\nbase_url = \"https://t.example\"\n[permalinks]\n\
                            news = \"/{year}/{month}/{day}/{slug}.html\"\n\
                            posts = \"/{category}/{slug}/\"\n",
        )
        .file("content/news/2026-03-04-dated-name.md", "text")
        .file("content/news/deep/own.md", article("x", "2025-12-31", "slug: other\n"))
        .file("content/posts/a.md", article("x", "2026-01-01", "category: Big Things\n"))
        .file("content/plain/Some File_name.md", "text")
        .file("content/plain/bundle/index.md", "![p](p.png)")
        .file("content/plain/bundle/p.png", "p")
        .file(
            "content/whole.md",
            "---\npath: /anywhere/else\naliases: [/was/here.html, before]\n\
                                   ---\n",
        );
    site.build();
    let expected = [
        "2026/03/04/dated-name.html",
        "2025/12/31/other.html",
        "big-things/a/index.html",
        "plain/some-file-name/index.html",
        "plain/bundle/index.html",
        "plain/bundle/p.png",
        "anywhere/else/index.html",
        "was/here.html",
        "before/index.html",
        "news/deep/index.html",
    ];
    for name in expected {
        assert!(site.has(name), "{name} is not in {:?}", site.names());
    }
    assert!(site.page("was/here.html").contains("noindex"));
    assert!(site.content("plain/bundle/index.html").contains("src=\"/plain/bundle/p.png\""));
}

#[test]
fn lists_are_paged_and_neighbours_linked() {
    let site = Site::bare().file(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n\
                                        paginate_by = 2\n[taxonomies.tag]\npaginate_by = 3\n",
    );
    for i in 1..=5 {
        site.write(
            &format!("content/posts/p{i}.md"),
            article(
                &format!("P{i}"),
                &format!("2026-01-0{i}"),
                "tags: [\"C++\", 'all']\ncategory: One\n",
            ),
        );
    }
    site.build();
    assert!(site.has("posts/page/3/index.html") && !site.has("posts/page/4/index.html"));
    assert!(site.has("page/2/index.html"));
    assert!(site.has("tags/all/page/2/index.html") && !site.has("tags/all/page/3/index.html"));
    assert!(site.has("tags/c-plus-plus/index.html"));
    assert!(
        site.page("posts/index.html").contains("P5")
            && !site.page("posts/index.html").contains("P3")
    );
    let middle = site.page("posts/p3/index.html");
    assert!(
        middle.contains("class=\"newer\" href=\"/posts/p4/\"")
            && middle.contains("class=\"older\" href=\"/posts/p2/\""),
        "{middle}"
    );
    assert_eq!(
        middle
            .split("id=\"related-articles\"")
            .nth(1)
            .unwrap()
            .split("</section>")
            .next()
            .unwrap()
            .matches("<li>")
            .count(),
        3
    );
    assert!(site.page("archive/2026/index.html").contains("P1"));
    assert!(site.has("categories/one/rss.xml"));
}

#[test]
fn drafts_future_and_expired_articles_wait() {
    let site = Site::new()
        .file("content/draft.md", "---\ndraft: true\n---\n")
        .file("content/future.md", article("f", "2099-01-01", ""))
        .file("content/expired.md", "---\nexpires: 2001-01-01\n---\n")
        .file("content/unpublished/index.md", "---\npublished: false\n---\n")
        .file("content/unpublished/secret.png", "x");
    site.build();
    assert!(
        !site.has("draft/index.html")
            && !site.has("future/index.html")
            && !site.has("expired/index.html")
    );
    assert!(!site.has("unpublished/secret.png"), "a draft's picture was published");
    assert_eq!(site.folio(&["build", "--drafts", "--future"]).code, 0);
    assert!(
        site.has("draft/index.html")
            && site.has("future/index.html")
            && !site.has("expired/index.html")
    );
    assert!(site.page("draft/index.html").contains("noindex"));
    site.build();
    assert!(!site.has("draft/index.html"), "a withdrawn draft stayed");
}

#[test]
fn other_tools_articles_are_read() {
    let site = Site::new()
        .file(
            "content/zola.md",
            "+++\ntitle = \"Z\"\ndate = 2026-01-02\n[taxonomies]\n\
                                  tags = [\"a\"]\ncategories = [\"C\"]\n[extra]\nk = 1\n+++\nx",
        )
        .file(
            "content/hugo.md",
            "---\ntitle: H\ndate: 2026-01-02T10:00:00+02:00\n\
                                  lastmod: 2026-02-03\ncategories: [C]\n\
                                  author: {name: Ann, email: a@b.example}\nurl: /h/\n---\nx",
        )
        .file(
            "content/2026-01-05-jekyll.md",
            "---\ntitle: 2024\ntags: single\ncategories: C\n\
                                               published: true\n---\n{% include x %}{{ site.x }}",
        )
        .file("content/none.md", "Just text, no title.\n");
    let warnings = site.warnings();
    for syntax in ["{% include x %}", "{{ site.x }}"] {
        assert!(
            warnings.contains(&format!("`{syntax}` is shown to readers as text")),
            "{warnings}"
        );
    }
    assert_eq!(warnings.matches("warning").count(), 2, "{warnings}");
    let names = site.names();
    for name in [
        "zola/index.html",
        "h/index.html",
        "jekyll/index.html",
        "none/index.html",
        "tags/a/index.html",
        "tags/single/index.html",
        "authors/ann/index.html",
    ] {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    assert!(site.page("categories/c/index.html").matches("class=\"card\"").count() == 3);
    assert_eq!(site.content("jekyll/index.html"), "<p>{% include x %}{{ site.x }}</p>");
    assert!(site.page("none/index.html").contains("<h1>None</h1>"));
}

#[test]
fn headings_leave_a_page_one_level_one() {
    let site = Site::new()
        .file("content/same.md", "---\ntitle: A  title\n---\n# A title\n\n## Part\n")
        .file("content/other.md", "---\ntitle: T\n---\n# First\n\n## Below\n\n# Second\n");
    site.build();
    assert!(site.content("same/index.html").starts_with("<h2 id=\"part\">"));
    let other = site.content("other/index.html");
    assert!(
        other.contains("<h2 id=\"first\">")
            && other.contains("<h3 id=\"below\">")
            && other.contains("<h2 id=\"second\">"),
        "{other}"
    );
}

#[test]
fn no_text_becomes_markup_and_no_link_runs_code() {
    let evil = "\"><script>alert(1)</script>";
    let site = Site::bare()
        .file(
            "site.toml",
            "title = '<script>t</script>'\nbase_url = \"https://t.example\"\n\
                            description = '\"><script>'\n[ads.slots.\"x\\\"y\"]\n\
                            place = 'before-content'\n",
        )
        .file("content/x.png", "a picture")
        .file(
            "content/a.md",
            format!(
                "---\ntitle: '{evil}'\ndescription: '{evil}'\n\
                                       date: 2026-01-01\ntags: ['{evil}']\ncategory: '{evil}'\n\
                                       authors: ['{evil}']\nimage: {{src: 'x.png', alt: \
                                       '{evil}'}}\n---\n\n```rust {{name=\"<script>\"}}\nx\n```\n\
                                       \n![{evil}](x.png '{evil}')\n\n| a |\n|---|\n| b |\n\
                                       {{caption=\"<script>\"}}\n\n## H {{#i\"d onclick=x}}\n\n\
                                       [a](javascript:alert(1)) [b](<java\n\
                                       script:alert(1)>) <javascript:alert(1)>\n\n\
                                       <a href=\"jav&#x09;ascript:alert(1)\">raw</a>\n"
            ),
        );
    site.folio(&["build"]);
    for (name, bytes) in site.output().iter().filter(|(n, _)| n.ends_with(".html")) {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("<script>"), "{name}: {text}");
        let hrefs: Vec<&str> =
            text.split("href=\"").skip(1).map(|t| t.split('"').next().unwrap()).collect();
        assert!(
            hrefs
                .iter()
                .all(|h| !h.to_lowercase().replace(['\t', '\n'], "").contains("javascript")),
            "{name}: {hrefs:?}"
        );
        assert!(!text.contains(" onclick="), "{name}");
    }
    assert!(site.has("a/index.html"));
}

#[test]
fn components_are_called_and_everything_else_is_text() {
    let site = Site::new()
        .file("templates/components/own.html", "{% component own(n: integer, words: array = [], @page) %}<b>{{ n }} {{ words | join(sep=\"+\") }} {{ page.title }}</b>{% endcomponent own %}")
        .file("content/p/index.md", "---\ntitle: P\n---\nbefore\n\
                                     {{<own n={3} words={[\"a\", \"<\"]} />}}\nafter\n\n\
                                     {% <callout kind=\"tip\" title=\"T<\"> %}\n## In\n\n\
                                     - {{ x }}\n{% </callout> %}\n\n\
                                     {{<figure src=\"i.png\" alt=\"A\" />}}\n\n\
                                     `{{<own />}}` {{< own >}} ${{ x }} {% if x %}\n\n```\n\
                                     {{<own n={3} />}}\n```\n")
        .file("content/p/i.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x04\0\0\0\x02\x08\0\0\0\0");
    site.build();
    let content = site.content("p/index.html");
    assert!(content.starts_with("<p>before</p>\n<b>3 a+&lt; P</b>\n<p>after</p>"), "{content}");
    assert!(content.contains("<p class=\"alert-title\">T&lt;</p>\n<h2 id=\"in\">"), "{content}");
    assert!(content.contains("<li>{{ x }}</li>"), "{content}");
    assert!(
        content.contains("<img src=\"/p/i.png\" alt=\"A\" width=\"4\" height=\"2\""),
        "{content}"
    );
    assert!(
        content.contains("<code>{{&lt;own /&gt;}}</code> {{&lt; own &gt;}} ${{ x }} {% if x %}"),
        "{content}"
    );
    assert!(content.contains("<code>{{&lt;own n={3} /&gt;}}\n</code>"), "{content}");
}

#[test]
fn markdown_has_what_publishers_use() {
    let site = Site::bare()
        .file(
            "site.toml",
            "title = \"T\"\nbase_url = \"https://t.example\"\n[markdown]\n\
                            math = true\nsmart_punctuation = true\n\
                            external_links = {rel = \"nofollow\", target = \"_blank\"}\n[ads]\n\
                            affiliate_hosts = [\"shop.example\"]\n",
        )
        .file(
            "content/a.md",
            fs::read(crate::common::project().join("tests/cases/kitchen-sink.md")).unwrap(),
        );
    site.build();
    insta::assert_snapshot!(site.content("a/index.html"));
}

#[test]
fn feeds_hold_the_whole_text() {
    let site = Site::bare()
        .file(
            "site.toml",
            "title = \"T & Co\"\nbase_url = \"https://t.example\"\n\
                            description = \"D\"\ntimezone = \"Europe/Berlin\"\n[author]\n\
                            name = \"Ann\"\n",
        )
        .file(
            "content/posts/a.md",
            "---\ntitle: 'A < B'\ndate: 2026-07-01 12:00\n\
                                     updated: 2026-07-02\ncategory: C\ntags: [t]\n\
                                     description: Short.\n---\nFirst.\n\n<!-- more -->\n\n\
                                     Last[^n] [b](b.md), [here](#x), ![i](i.png).\n\n[^n]: Note.\n\
                                     \n## X\n",
        )
        .file("content/posts/b.md", "---\ntitle: B\ndate: 2026-01-01\n---\nx\u{b}y")
        .file("content/posts/i.png", "i");
    site.folio(&["build"]);
    insta::assert_snapshot!("atom", site.page("atom.xml"));
    insta::assert_snapshot!("rss", site.page("rss.xml"));
    insta::assert_snapshot!("json", site.page("feed.json"));
    insta::assert_snapshot!("sitemap", site.page("sitemap.xml"));
    assert!(site.has("categories/c/feed.json"));
}

#[test]
fn figures_are_one_json_object() {
    let site = Site::new().file("content/a.md", "a");
    let run = site.folio(&["build", "--stats", "json", "-q"]);
    assert_eq!(run.stderr, "");
    let stats: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(stats["pages"], 1);
    assert_eq!(stats["written"], site.names().len());
    for key in ["load_ms", "parse_ms", "plan_ms", "render_ms", "write_ms"] {
        assert!(stats["stages"][key].is_number(), "{key}");
    }
    assert!(
        stats["total_ms"].is_number()
            && stats["bytes"].is_number()
            && stats["reused"] == 0
            && stats["deleted"] == 0
    );
    assert!(
        site.folio(&["build", "--explain", "--no-cache"])
            .stderr
            .contains("a/index.html: there is no earlier build")
    );
}

#[test]
fn a_new_site_and_a_new_article_build_at_once() {
    let place = Site::bare();
    for (name, ci, file) in
        [("one", "github", ".github/workflows/publish.yml"), ("two", "gitlab", ".gitlab-ci.yml")]
    {
        let run = place.folio(&["init", name, "--ci", ci]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let text = fs::read_to_string(place.path(name).join(file)).unwrap();
        let workflow: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        assert!(workflow.is_mapping());
        assert_eq!(
            place
                .folio(&["new", "posts/second.md", "--title", "A \"second\": one", "--root", name])
                .code,
            0
        );
        assert_eq!(place.folio(&["new", "posts/second.md", "--root", name]).code, 1);
        let run = place.folio(&["build", "--root", name, "--drafts"]);
        assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{}", run.stderr);
        assert!(place.path(name).join("public/posts/second/index.html").exists());
    }
    assert_eq!(place.folio(&["init", "one"]).code, 1);
    assert_eq!(place.folio(&["new", "../out.md", "--root", "one"]).code, 1);
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let run = Site::bare().folio(&["completions", shell]);
        assert!(
            run.code == 0 && run.stdout.contains("build") && run.stdout.contains("init"),
            "{shell}"
        );
    }
}

#[test]
fn the_news_of_another_site_builds() {
    let Some(news) = crate::common::shared("cases/jekyll-news") else { return };
    let site = Site::copy_of(&news);
    // Its pictures are in another folder of its repository.
    let said = site.folio(&["build"]).stderr;
    assert!(said.contains("`/img/jekyll-sticker.png` does not exist on this site"), "{said}");
    let config = fs::read_to_string(site.path("site.toml")).unwrap();
    site.write("site.toml", config + "\n[markdown]\nbroken_links = \"warn\"\n");
    site.build();
    let pages = site
        .output()
        .values()
        .filter(|bytes| String::from_utf8_lossy(bytes).contains("<article class=\"article\">"))
        .count();
    assert_eq!(pages, 96);
}

#[test]
fn a_large_article_and_deep_nesting_are_built() {
    let site = Site::new();
    let paragraph = "Words enough to fill a line of a paragraph, again and again and again.\n\n";
    site.write(
        "content/large.md",
        paragraph.repeat(
            50 * 1024 * 1024 / paragraph.len() / if cfg!(debug_assertions) { 10 } else { 1 },
        ),
    );
    site.write("content/quotes.md", format!("{} deep", ">".repeat(10_000)));
    site.write(
        "content/lists.md",
        (0..1_000).map(|i| format!("{}- x\n", " ".repeat(i * 2))).collect::<String>(),
    );
    site.write("content/items.md", format!("{}x", "- ".repeat(10_000)));
    site.build();
    assert!(
        site.has("large/index.html")
            && site.has("quotes/index.html")
            && site.has("lists/index.html")
            && site.has("items/index.html")
    );
}

#[test]
fn nothing_in_the_output_is_written_through_or_over() {
    let site = Site::new().file("content/a.md", "a").file("content/b.md", "b");
    site.build();
    // A folder that has become a link leads nowhere.
    let outside = tempfile::tempdir().unwrap();
    site.remove("public/a");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path(), site.path("public/a")).unwrap();
    site.write("content/a.md", "changed");
    site.write("content/b.md", "changed");
    let said = site.build_fails();
    assert!(said.contains("is a symbolic link, which Folio does not follow"), "{said}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    fs::remove_file(site.path("public/a")).unwrap();
    site.build();
    // A file that somebody put there stays.
    site.write("public/mine.txt", "by hand");
    site.write("static/mine.txt", "the site's");
    assert!(site.build_fails().contains("Folio did not create it"));
    site.remove("public/mine.txt");
    site.build();
    assert_eq!(site.page("mine.txt"), "the site's");
    // Without the list of its files the output is taken over if all of it is the site's.
    let before = site.output();
    fs::remove_dir_all(site.path(".folio")).unwrap();
    site.write("public/a/index.html", "stale");
    let said = site.warnings();
    assert!(
        said.contains("the list of the files that Folio wrote to `public` is missing"),
        "{said}"
    );
    assert_eq!(site.output(), before);
    assert_eq!(site.warnings(), "");
    fs::remove_dir_all(site.path(".folio")).unwrap();
    site.write("public/notes/by-hand.txt", "by hand");
    let said = site.build_fails();
    assert!(said.contains("not part of this site: `notes/by-hand.txt`"), "{said}");
    site.remove("public/notes");
    site.build();
    // A folder where a file must be.
    site.remove("public/rss.xml");
    site.write("public/rss.xml/x", "x");
    site.write("content/b.md", "changed again");
    assert!(site.build_fails().contains("must be a file, but it is a folder"));
}

#[test]
fn an_opening_heading_is_dropped_once() {
    let site = Site::new()
        .file("content/three.md", "# One\n\n# Two\n\n# Three\n\ntext")
        .file(
            "content/quotes.md",
            "---\ntitle: Don't `panic`\n---\n<!-- lint -->\n\n\
                                    # Don’t panic\n\n## Part\n",
        )
        .file(
            "content/note.md",
            "---\ntitle: N\n---\n\nx[^1]\n\n[^1]: # In a note\n\n\
                                  [^2]: Left out [^3]\n\n[^3]: Gone\n",
        );
    site.build();
    let three = site.page("three/index.html");
    assert!(
        three.contains("<h1>One</h1>")
            && three.contains(">Two ")
            && three.contains("<h2 id=\"three\">"),
        "{three}"
    );
    assert!(site.content("quotes/index.html").contains("<h2 id=\"part\">"));
    let note = site.page("note/index.html");
    assert_eq!(note.matches("<h1").count(), 1, "{note}");
    assert!(!note.contains("Gone") && !note.contains("Left out"), "{note}");
}

#[test]
fn raw_html_keeps_its_scripts_and_loses_its_traps() {
    let site = Site::bare()
        .file(
            "site.toml",
            "title = \"T\"\nbase_url = \"https://t.example/b\"\n[ads]\n\
                            affiliate_hosts = [\"shop.example\"]\n[markdown]\nmath = true\n",
        )
        .file(
            "content/a.md",
            "<script>\ne.innerHTML = '<img src=' + u + '>'; s = \"\
                               <a href='/x'>\";\n</script>\n\n\
                               <img src=\"data:image/png;base64,AA\"> <a href=\"b.md\">b</a> \
                               <a href=\"https://shop.example/\">s</a>\n\n<div><a x='\n\n\
                               ' href=javascript:alert(1)// >click\n\n\
                               $\\operatorname{<img src=x onerror=alert(1)>}$ and $a<b$\n\n\
                               Write {{<toc />}} here.\n\n> {{<callout />}}\n",
        )
        .file("content/b.md", "");
    let run = site.folio(&["build"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("shown as text") && run.stderr.contains("once more, on line 15"),
        "{}",
        run.stderr
    );
    let content = site.content("a/index.html");
    assert!(content.contains("'<img src=' + u + '>'; s = \"<a href='/x'>\";"), "{content}");
    assert!(
        content.contains("src=\"data:image/png;base64,AA\"")
            && content.contains("<a href=\"/b/b/\">"),
        "{content}"
    );
    assert!(
        content.contains("<a rel=\"sponsored nofollow\" href=\"https://shop.example/\">"),
        "{content}"
    );
    assert!(content.contains("&lt;a x='") && !content.contains("<img src=x"), "{content}");
    assert!(
        content.contains("<mo>&lt;</mo>")
            && content.contains("{{&lt;toc /&gt;}}")
            && content.contains("{{&lt;callout /&gt;}}"),
        "{content}"
    );
}

#[test]
fn ids_are_given_once_on_a_page() {
    let site = Site::new().file(
        "content/a.md",
        "---\ndate: 2026-01-01\n---\n## Table 1\n\n| a |\n|---|\n| b |\n{caption=\"C\"}\n\n\
         ## fn 1\n\n## Comments\n\n## Main\n\n## Related\n\nx[^1] y[^é] z[^e]\n\n[^1]: note\n\
         \n    {{<callout title=\"T\" />}}\n\n[^é]: two\n\n[^e]: three\n",
    );
    site.build();
    let page = site.page("a/index.html");
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).map(|t| t.split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{page}");
    for target in page.split("href=\"#").skip(1).map(|t| t.split('"').next().unwrap()) {
        assert!(ids.contains(&target), "#{target} leads nowhere");
    }
    assert!(page.contains("<p>note</p>\n<div class=\"alert"), "{page}");
}

#[test]
fn configured_addresses_keep_the_prefix_and_run_no_code() {
    let config = |url: &str| {
        format!(
            "title = \"T\"\nbase_url = \"https://t.example/b\"\n[author]\nname = \"N\"\n\
             url = \"{url}\"\n[menu]\nmain = [{{name = \"x\", url = \"{url}\"}}]\n"
        )
    };
    let site = Site::bare().file("content/a.md", "---\ndate: 2026-01-01\n---\n");
    for url in ["/a/", "a/", "@/a.md", "/b/a/"] {
        site.write("site.toml", config(url));
        site.build();
        assert_eq!(site.page("a/index.html").matches("href=\"/b/a/\"").count(), 2, "{url}");
    }
    for url in ["javascript:alert(1)", " JavaScript:x", "java\\tscript:x"] {
        site.write("site.toml", config(url));
        assert!(site.build_fails().contains("run code"), "{url}");
    }
}

#[test]
fn two_spellings_of_a_term_are_one() {
    let site = Site::new()
        .file("content/a.md", "---\ntags: [Rust]\n---\n")
        .file("content/b.md", "---\ntags: [rust]\n---\n")
        .file("content/c.md", "---\ntags: [Go]\n---\n")
        .file(
            "templates/index.html",
            "{% for p in pages(tag=\"rust\") %}{{ p.route }} {% endfor %}",
        );
    site.build();
    assert_eq!(site.page("index.html"), "/a/ /b/ ");
    assert!(site.has("tags/rust/index.html"));
}

#[test]
fn hostile_sizes_take_no_hostile_time() {
    let site = Site::new()
        .file("content/same.md", "## a\n\n".repeat(30_000))
        .file(
            "content/deep.md",
            format!(
                "{}x\n\n{}",
                "{% <callout> %}\n\n".repeat(20_000),
                "{% </callout> %}\n\n".repeat(20_000)
            ),
        )
        .file("content/links.md", "[x](/nowhere/)\n".repeat(20_000))
        .file("content/yaml.md", format!("---\na: {}\n---\n", "[".repeat(100_000)));
    let said = site.build_fails();
    assert_eq!(said.matches("error:").count(), 2, "{said}");
}
