//! `folio check`, through the real program.

use std::collections::BTreeSet;

use crate::common::everything::Everything;
use crate::common::random::number;
use crate::common::{Run, Site};
use folio::check::facts::facts;
use folio::check::rules::RULES;
use folio::config::{Checks, checks::Level};
use proptest::prelude::*;
use serde_json::Value;

const CONFIG: &str = "title = \"T\"\nbase_url = \"https://t.example\"\ndescription = \"A site.\"\n";

/// A site that is in order.
fn good() -> Site {
    Site::bare()
        .file("site.toml", CONFIG)
        .file("content/_index.md", "Read the [posts](posts/_index.md).\n")
        .file("content/posts/_index.md", "---\ntitle: Posts\ndescription: All posts.\n---\n")
        .file(
            "content/posts/a.md",
            "---\ntitle: A\ndescription: What a is.\ndate: 2026-01-02\n---\n\n## Part\n\nText.\n",
        )
}

/// A site that every rule but the one about other hosts finds something in.
fn bad() -> Site {
    good()
        .file(
            "site.toml",
            CONFIG.to_owned() + "[menu]\nmain = [{ name = \"Posts\", url = \"/posts/\" }, \
                                 { name = \"Gone\", url = \"/menu-gone/\" }]\n\n[check]\n\
                                 page_weight = 20\n\n[deploy.x]\ntarget = \"dir\"\n\
                                 path = \"../x\"\n\n[ads.slots.top]\nplace = \"before-content\"\n",
        )
        .file(
            "content/posts/links.md",
            "---\ntitle: Links\ndate: 2026-01-03\n---\n\n\
             A [dead](/gone/) end, another [dead](/gone/) one, a [post](/posts/b/), a \
             [part](/posts/a/#prat) and [own](#none).\n\n\
             [Fine](a.md#part), [top](#top), [words](/posts/a/#:~:text=x), \
             [mail](mailto:a@t.example).\n",
        )
        .file(
            "content/posts/pictures.md",
            "---\ntitle: Pictures\ndate: 2026-01-04\n---\n\nText.\n\n\
             ![](pic.png) ![there](none.png)\n\n<img src=\"http://cdn.example/x.png\" alt=\"\" \
             width=\"1\" height=\"1\">\n<img src=\"pic.png?2\" width=\"1\" height=\"1\">\n",
        )
        .file("content/posts/pic.png", "p")
        .file("content/posts/big.md", "---\ntitle: Big\ndate: 2026-01-05\n---\n\nText.\n\n\
                                       <img src=\"/big.png\" alt=\"Big\" width=\"1\" \
                                       height=\"1\">\n")
        .file("static/big.png", vec![0; 30_000])
        .file("content/posts/headings.md", "---\ntitle: Headings\ndate: 2026-01-06\n---\n\nText.\n\
                                            \n## Two\n\n#### Four\n")
        .file(
            "content/posts/long.md",
            format!("---\ntitle: {}\ndescription: {}\ndate: 2026-01-07\n---\n\nText.\n", "long ".repeat(15), "wordy ".repeat(30)),
        )
        .file("content/posts/twin.md", "---\ntitle: A\ndescription: What a is.\ndate: 2026-01-08\n\
                                        ---\n\nText.\n")
        .file("content/posts/empty.md", "---\ntitle: Empty\ndate: 2026-01-09\ntags: [Tool]\n---\n")
        .file("content/posts/code.md", "---\ntitle: Code\ndate: 2026-01-10\ntags: [tools, tool]\n---\n\nText.\n\n\
                                        ```klingon\nx\n```\n")
        .file("content/orphan.md", "---\ntitle: Orphan\ndescription: Nobody comes here.\n---\n")
        .file("content/posts/bare.md", "---\ntitle: Bare\ndate: 2026-01-11\ntemplate: bare.html\n\
                                        ---\n\nBare text.\n")
        .file("templates/bare.html", "<!doctype html><html><head>\
                                      <meta name=\"description\" content=\"Bare.\"></head><body>\
                                      <h1>Bare</h1><script \
                                      type=\"application/ld+json\">{\"@type\": \"Article\",}\
                                      </script><script type=\"application/ld+json\">\
                                      {\"@context\": \"https://schema.org\", \"@type\": \"Article\", \"headline\": \"Bare\"}</script></body></html>")
        .file("static/feed.xml", "<rss version=\"2.0\"><channel>")
        .file("static/sitemap.xml", "<urlset><url><loc>https://t.example/posts/</loc></url><url>\
                                     <loc>https://t.example/old/</loc></url><url>\
                                     <loc>https://other.example/</loc></url></urlset>")
        .file("static/_redirects", "/posts/a/ /posts/ 301!\n/posts/twin/ /posts/\n/moved /posts/\n")
}

fn check(site: &Site, args: &[&str]) -> Run {
    site.folio(&[&["check"], args].concat())
}

/// The findings as JSON, with the exit code that goes with them.
#[track_caller]
fn findings(site: &Site, args: &[&str]) -> Vec<Value> {
    let run = check(site, &[&["--format", "json"], args].concat());
    let all: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", run.stdout, run.stderr));
    assert_eq!(run.stderr, "");
    assert_eq!(run.code, i32::from(all["errors"].as_u64().unwrap() > 0));
    all["findings"].as_array().unwrap().clone()
}

/// Each finding as `severity rule file:line message`.
#[track_caller]
fn lines(site: &Site, args: &[&str]) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let line = |f: &Value| {
        format!(
            "{} {} {}:{} {}",
            text(&f["severity"]),
            text(&f["rule"]),
            text(&f["file"]),
            f["line"].as_u64().unwrap_or(0),
            text(&f["message"])
        )
    };
    findings(site, args).iter().map(line).collect()
}

#[test]
fn a_site_in_order() {
    let run = check(&good(), &[]);
    assert_eq!(
        (run.code, run.stderr.as_str(), run.stdout.as_str()),
        (0, "Checked 1 article, 14 files: 0 errors, 0 warnings\n", "")
    );
    assert!(findings(&good(), &[]).is_empty());
}

#[test]
fn two_lines_make_a_site_without_errors() {
    let run = check(&Site::new().file("content/a.md", "# A\n\nText.\n"), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let new = Site::bare();
    assert_eq!(new.folio(&["init", "."]).code, 0);
    assert_eq!(lines(&new, &[]), [""; 0]);
}

#[test]
fn every_rule_finds_something() {
    let site = bad();
    let run = check(&site, &[]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("every_rule_text", run.stderr);
    let found = findings(&site, &[]);
    let rules: BTreeSet<&str> = found.iter().map(|f| f["rule"].as_str().unwrap()).collect();
    let missing: Vec<&str> = RULES
        .iter()
        .map(|r| r.name)
        .filter(|name| !rules.contains(name) && *name != "external-link")
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    insta::assert_snapshot!("every_rule_json", serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads() {
    let site = bad();
    let first = check(&site, &["--jobs", "1"]);
    for jobs in ["1", "4", "7"] {
        let run = check(&site, &["--jobs", jobs]);
        assert_eq!((run.code, run.stderr), (first.code, first.stderr.clone()), "{jobs} threads");
    }
}

#[test]
fn levels() {
    let levels = |level: &str| {
        let table: String = RULES.iter().map(|r| format!("{} = \"{level}\"\n", r.name)).collect();
        let site = bad();
        site.write("site.toml", format!("{CONFIG}[check]\npage_weight = 20\n{table}"));
        findings(&site, &[])
    };
    assert!(levels("off").is_empty());
    for (level, severity) in [("warning", "warning"), ("error", "error")] {
        let found = levels(level);
        assert!(found.len() > 20 && found.iter().all(|f| f["severity"] == severity), "{found:#?}");
    }
}

#[test]
fn an_unknown_rule_is_an_error() {
    let site = good().file(
        "site.toml",
        CONFIG.to_owned()
            + "[check]\nbroken-lnik = \"off\"\norphan = \"loud\"\n\
                             title_max = \"x\"\n[check.external]\ntimeut = 3\n",
    );
    let run = check(&site, &[]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn limits() {
    let site = good()
        .file("site.toml", CONFIG.to_owned() + "[check]\ntitle_max = 4\ndescription_max = 9\n");
    assert_eq!(
        lines(&site, &[]),
        [
            "warning long-description content/posts/_index.md:3 this description has 10 \
             characters; search engines show about 9",
            "warning long-title content/posts/_index.md:2 this title has 5 characters; search \
             engines show about 4",
            "warning long-description content/posts/a.md:3 this description has 10 characters; \
             search engines show about 9",
        ]
    );
}

#[test]
fn what_a_build_says_is_in_the_report() {
    let site = good()
        .file(
            "content/posts/b.md",
            "---\ntitle: B\ndescription: What b is.\nlayout: x\ndate: 2026-01-02\n---\n\n\
             [x](nowhere.md) [y](a.md#nope) [z](/gone/)\n",
        )
        .file("content/posts/c.md", "---\ndate: never\n---\n\n{{<nothing />}}\n");
    assert_eq!(
        lines(&site, &[]),
        [
            "error build content/posts/b.md:8 this link leads to `content/posts/nowhere.md`, \
             which does not exist",
            "error build content/posts/b.md:8 `content/posts/a.md` has no anchor `#nope`",
            "error broken-link content/posts/b.md:8 broken link: `/gone/` does not exist on this \
             site",
            "error build content/posts/c.md:2 `date` is not a date: \"never\"",
            "error build content/posts/c.md:5 component `nothing` does not exist",
            "warning build content/posts/b.md:4 unknown key `layout` in the front matter of 1 \
             article",
        ]
    );
    // A template that cannot be read keeps pages from being looked at, and the rest is still told.
    let site = good()
        .file("templates/page.html", "{% if %}")
        .file("content/posts/b.md", "---\nlayout: x\n---\n\n[x](/gone/)\n");
    let said = lines(&site, &[]);
    assert!(
        said.iter().any(|l| l.contains("templates/page.html"))
            && said.iter().any(|l| l.contains("layout")),
        "{said:#?}"
    );
    assert!(
        said.contains(
            &"warning build content/posts/b.md:5 `/gone/` does not exist on this site".to_owned()
        ),
        "{said:#?}"
    );
}

#[test]
fn nothing_of_the_site_is_changed() {
    let site = good();
    site.build();
    site.write(
        "content/posts/a.md",
        "---\ntitle: Changed\ndescription: What a is.\ndate: 2026-01-02\n---\n",
    );
    let before = (site.output(), crate::common::files(&site.path("content")));
    assert_eq!(check(&site, &[]).code, 0);
    assert_eq!(before, (site.output(), crate::common::files(&site.path("content"))));
    // And the next build does what it would have done.
    site.build();
    assert!(site.page("posts/a/index.html").contains("Changed"));
    assert_eq!(site.folio(&["build", "--no-cache", "--output", "clean"]).code, 0);
    assert_eq!(site.output(), crate::common::files(&site.path("clean")));
}

#[test]
fn an_articles_error_is_told_each_time() {
    let site = good()
        .file("content/posts/b.md", "---\ntitle: B\ndescription: What b is.\ndate: never\n---\n");
    let first = lines(&site, &[]);
    assert!(first.iter().any(|l| l.starts_with("error build content/posts/b.md:4 ")), "{first:#?}");
    assert_eq!(lines(&site, &[]), first);
    assert!(site.build_fails().contains("`date` is not a date"));
}

/// After any edits the report is that of a check which knows nothing, and the next build is that of
/// one that knows nothing: what a check leaves in the store is true.
#[test]
fn a_check_after_any_edits() {
    let (rounds, seed) = (number("FOLIO_ROUNDS", 30), number("FOLIO_SEED", 7));
    let mut everything = Everything::new(seed);
    let mut built = 0;
    for round in 0..rounds {
        let edits = if round == 0 { Vec::new() } else { everything.edit() };
        let context = format!("seed {seed}, round {round}, after {edits:?}");
        let site = &everything.site;
        let (known, fresh) =
            (check(site, &["--jobs", "1"]), check(site, &["--jobs", "3", "--no-cache"]));
        assert_eq!((known.code, known.stderr), (fresh.code, fresh.stderr), "{context}");
        let (next, clean) =
            (site.folio(&["build"]), site.folio(&["build", "--no-cache", "--output", "clean"]));
        assert_eq!(next.code, clean.code, "{context}\n{}\n{}", next.stderr, clean.stderr);
        if next.code == 0 {
            built += 1;
            assert!(site.output() == crate::common::files(&site.path("clean")), "{context}");
        }
    }
    assert!(built > 0);
}

#[test]
fn a_template_is_told_once() {
    let site = good()
        .file(
            "content/posts/b.md",
            "---\ntitle: B\ndescription: What b is.\ndate: 2026-01-02\n\
                                     ---\n",
        )
        .file(
            "templates/page.html",
            "<!doctype html><html lang=en><title>{{ page.title }}</title>\
                                      <meta name=description content=\"{{ page.description }}\">\
                                      <a href=/posts/>x</a><a href=/gone/>x</a>",
        );
    let run = check(&site, &[]);
    assert_eq!(run.stderr.matches("error[broken-link]").count(), 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("--> templates/page.html:1:")
            && run.stderr.contains("note: in the page /posts/a/ and 1 more"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_path_prefix_belongs_to_the_site() {
    let site = good().file(
        "content/posts/a.md",
        "---\ntitle: A\ndescription: What a is.\n\
                                                  date: 2026-01-02\n---\n\n[a](/posts/) \
                                                  [b](/blog/posts/) \
                                                  [c](https://t.example/blog/posts/) \
                                                  [d](https://t.example/blog/gone/) \
                                                  [e](https://t.example/shop/) [f](../) \
                                                  [g](/posts) [h](?x)\n",
    );
    assert_eq!(
        lines(&site, &["--base-url", "https://t.example/blog"]),
        ["error broken-link content/posts/a.md:7 broken link: `https://t.example/blog/gone/` \
             does not exist on this site"]
    );
}

#[test]
fn redirects_of_the_host_answer_too() {
    let text = "---\ntitle: A\ndescription: What a is.\ndate: 2026-01-02\n---\n\n\
                [a](/news/x/) [b](/nowhere/)\n";
    let site = good()
        .file("content/posts/a.md", text)
        .file("static/_redirects", "/news/* /posts/:splat\n");
    assert_eq!(
        lines(&site, &[]),
        ["error broken-link content/posts/a.md:7 broken link: `/nowhere/` does not exist on \
             this site"]
    );
}

#[test]
fn odd_addresses() {
    let odd = [
        "http://[::1",
        "http://",
        "https:///x",
        "//",
        "///x",
        "/%zz",
        "/%ff",
        "/%2e%2e/x",
        "/a%2Fb",
        "../../../../up",
        "?",
        "#%ff",
        "#",
        "/caf%C3%A9/",
        "/caf\u{e9}/",
        "data:,x",
        "tel:1",
        "https://t.example:443/posts/",
        "HTTPS://T.EXAMPLE/posts/",
        "https://t.example:8443/posts/",
        "\\\\t.example\\posts\\",
    ];
    let links: String = odd.iter().map(|url| format!("<a href=\"{url}\">x</a>\n")).collect();
    let site = good().file(
        "content/posts/a.md",
        format!(
            "---\ntitle: A\ndescription: What a is.\ndate: 2026-01-02\n---\n\n<p>\n{links}</p>\n"
        ),
    );
    insta::assert_snapshot!(lines(&site, &[]).join("\n"));
}

#[test]
fn an_image_says_what_it_is_for() {
    let page = |images: &str| {
        format!("---\ntitle: A\ndescription: What a is.\ndate: 2026-01-02\n---\n\n{images}\n")
    };
    let site = good().file("content/posts/p.png", "p");
    let fine = "![p](p.png)\n\n<img src=\"p.png\" alt=\"\">\n\
                <img src=\"p.png\" role=\"presentation\">\n\
                <img src=\"p.png\" aria-hidden=\"true\">\n\n{{<figure src=\"p.png\" />}}";
    site.write("content/posts/a.md", page(fine));
    let said = lines(&site, &[]);
    assert!(said.iter().all(|l| l.starts_with("warning image-without-size")), "{said:#?}");
    for wrong in ["![](p.png)", "![ ](p.png)", "![][p]\n\n[p]: p.png", "<img src=\"p.png\">"] {
        site.write("content/posts/a.md", page(wrong));
        let said = lines(&site, &[]);
        assert!(
            said[0].starts_with("error image-without-alt content/posts/a.md:7 "),
            "{wrong}: {said:#?}"
        );
    }
}

#[test]
fn a_damaged_page_hides_no_other() {
    // A page that cannot be rendered might hold the link that another one lacks: that is not told.
    let site = good()
        .file(
            "content/posts/b.md",
            "---\ntitle: B\ndescription: What b is.\n\
                                     template: broken.html\ndate: 2026-01-02\n---\n",
        )
        .file("content/alone.md", "---\ntitle: Alone\ndescription: Alone.\n---\n\n[x](/gone/)\n")
        .file("templates/broken.html", "{{ nothing.there }}");
    let said = lines(&site, &[]);
    assert!(said.iter().any(|l| l.starts_with("error build templates/broken.html:1")), "{said:#?}");
    assert!(
        said.iter().any(|l| l.starts_with("error broken-link content/alone.md:6")),
        "{said:#?}"
    );
    assert!(!said.iter().any(|l| l.contains("orphan")), "{said:#?}");
}

#[test]
fn drafts_and_the_future() {
    let site = good()
        .file(
            "content/posts/d.md",
            "---\ntitle: D\ndescription: What d is.\ndraft: true\n---\n\n[x](/gone/)\n",
        )
        .file(
            "content/posts/f.md",
            "---\ntitle: F\ndescription: What f is.\ndate: 2050-01-01\n---\n\n[x](/gone-too/)\n",
        );
    assert_eq!(lines(&site, &[]), [""; 0]);
    assert_eq!(lines(&site, &["--drafts"]).len(), 1);
    assert_eq!(lines(&site, &["--drafts", "--future"]).len(), 2);
}

#[test]
fn usage() {
    let site = good();
    assert_eq!(check(&site, &["--format", "xml"]).code, 2);
    assert_eq!(check(&site, &["--jobs", "0"]).code, 2);
    site.remove("site.toml");
    let run = check(&site, &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.ends_with("Checked 0 articles, 0 files: 1 error, 0 warnings\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn this_very_site_is_in_order() {
    let site = Site::bare();
    for folder in ["content", "data", "templates", "static"] {
        crate::common::copy(&crate::common::project().join(folder), &site.path(folder));
    }
    site.write("site.toml", std::fs::read(crate::common::project().join("site.toml")).unwrap());
    assert_eq!(lines(&site, &[]), [""; 0]);
}

#[test]
fn the_manual_lists_the_rules() {
    let page =
        std::fs::read_to_string(crate::common::project().join("content/docs/checking.md")).unwrap();
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let (name, level) = (cells.next()?.trim_end_matches('`'), cells.next()?.trim());
            ["error", "warning"].contains(&level).then_some((name, level))
        })
        .collect();
    let checks = Checks::default();
    let level = |name: &str| match checks.level(name) {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Off => "off",
    };
    let rules: Vec<(&str, &str)> = RULES.iter().map(|r| (r.name, level(r.name))).collect();
    assert_eq!(rows, rules);
}

proptest! {
    #[test]
    fn no_page_brings_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = facts(&bytes);
    }

    #[test]
    fn no_tags_bring_the_reader_down(parts in proptest::collection::vec(prop::sample::select(vec![
        "<title>", "</title>", "<svg>", "</svg>", "<svg/>", "<h1>", "</h2>",
        "<script type=application/ld+json>", "</script>", "<img srcset=', ,x 2x' src>",
        "<a href= name=''>", "<meta name=robots>", "<link rel href>", "<html lang=' '>", "x",
        "&amp;",         "<!--", "-->", "<textarea>", "\u{0}", "ä", "<img style='aspect-ratio' alt",
    ]), 0..30)) {
        let f = facts(parts.concat().as_bytes());
        prop_assert!(f.references.len() <= 3 * parts.len());
    }
}

#[test]
fn the_cause_is_named_and_not_what_shows_it() {
    // The picture of an article is in its metadata, by a template that the site does not have.
    let site = good().file(
        "content/posts/b.md",
        "---\ntitle: B\ndescription: What b is.\ndate: 2026-01-02\nimage: gone.png\n---\n\nText.\n",
    );
    site.write("site.toml", CONFIG.to_owned() + "[markdown]\nbroken_links = \"warn\"\n");
    let found = lines(&site, &[]);
    assert!(
        found.iter().any(|line| line.contains("missing-asset content/posts/b.md:5 ")),
        "{found:#?}"
    );
    // A template without the blocks of the layout gives every article the site's own description.
    site.write(
        "templates/page.html",
        "{% extends \"base.html\" %}{% block main %}<h1>{{ page.title }}</h1>{% endblock main %}",
    );
    let found = lines(&site, &[]);
    for rule in ["duplicate-description", "duplicate-title"] {
        let of_rule: Vec<&String> = found.iter().filter(|line| line.contains(rule)).collect();
        assert!(of_rule.len() == 1 && of_rule[0].contains("templates/page.html"), "{found:#?}");
    }
}
