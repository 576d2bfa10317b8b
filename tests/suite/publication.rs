//! What a publication consists of besides its articles: theme, languages, terms, aliases, pictures.

use crate::common::Site;

/// An article with some front matter.
fn article(front: &str) -> String {
    format!("---\n{front}\n---\n\nText.\n")
}

#[test]
fn a_theme_is_extended_without_a_copy() {
    let site = Site::new()
        .file("content/a.md", article("title: A\ndate: 2026-01-01"))
        .file("templates/head.html", "<meta name=\"x\" content=\"head\">")
        .file("templates/header.html", "<p>header</p>")
        .file("templates/footer.html", "<p>footer</p>")
        .file("templates/article-end.html", "<p>{{ page.title }} ends</p>")
        .file(
            "templates/page.html",
            "{% extends \"theme/page.html\" %}{% block head %}<!-- own -->{% endblock head %}",
        )
        .file(
            "templates/base.html",
            "{% extends \"theme/base.html\" %}{% block title %}Own{% endblock title %}",
        );
    site.build();
    let page = site.page("a/index.html");
    for part in
        ["content=\"head\"", "<p>header</p>", "<p>footer</p>", "<p>A ends</p>", "<!-- own -->"]
    {
        assert_eq!(page.matches(part).count(), 1, "{part} in {page}");
    }
    // Each template extends the site's own base.html, and that one the theme's.
    assert!(
        site.page("404.html").contains("<title>Not found")
            || site.page("404.html").contains("<title>There is no such page")
    );
    assert!(site.page("index.html").contains("<p>header</p>"));
    site.remove("templates/page.html");
    site.build();
    assert!(!site.page("a/index.html").contains("<!-- own -->"));
}

#[test]
fn files_of_the_theme_are_listed_and_copied() {
    let site = Site::new().file("content/a.md", article("title: A"));
    let list = |site: &Site| site.folio(&["theme", "list"]).stdout;
    assert!(list(&site).contains("\ntemplates/base.html\n"));
    let run =
        site.folio(&["theme", "copy", "base.html", "components/meta.html", "static/style.css"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(list(&site).contains("\ntemplates/base.html  (the site has its own)\n"));
    let before = site.output();
    site.build();
    assert_eq!(site.warnings(), "", "{before:?}");
    insta::assert_snapshot!(
        "theme_copy",
        site.folio(&["theme", "copy", "base.html", "pgae.html", "404.html"]).stderr
    );
    assert!(!site.has("../templates/404.html"));
}

#[test]
fn a_site_speaks_its_language() {
    let site = Site::new().file(
        "content/a.md",
        "---\ntitle: A\ndate: 2026-06-02\nviews: 1234\nhearts: 1\n---\n\n\
                               > [!NOTE]\n> Text[^1].\n\n[^1]: Note.\n\n## Part\n",
    );
    let language = |tag: &str| {
        site.write(
            "site.toml",
            format!("title = \"T\"\nbase_url = \"https://t.example\"\nlanguage = \"{tag}\"\n[comments]\n"),
        );
    };
    language("de");
    assert_eq!(site.warnings(), "");
    let page = site.page("a/index.html");
    for text in [
        "<html lang=\"de\">",
        ">Juni 2026</time>",
        "1 Min. Lesezeit",
        "1.234 Aufrufe · 1 Herz",
        "Zum Inhalt springen",
        ">Hinweis</p>",
        "aria-label=\"Fußnoten\"",
        "Link zu diesem Abschnitt: Part",
        ">Kommentare</h2>",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    site.write("languages/de.toml", "note = \"Merke\"\n[views]\nother = \"{count}-mal gelesen\"\n");
    site.build();
    let page = site.page("a/index.html");
    assert!(page.contains(">Merke</p>") && page.contains("1.234-mal gelesen"), "{page}");
    site.write("languages/de.toml", "nota = \"Merke\"\nby = 5\n");
    insta::assert_snapshot!("own_texts", site.build_fails());
    language("ar");
    site.build();
    assert!(site.page("a/index.html").contains("<html lang=\"ar\" dir=\"rtl\">"));
    language("sv");
    insta::assert_snapshot!("a_language_without_texts", site.warnings());
    language("en");
    site.write("templates/page.html", "{{ trans(key=\"reltaed\") }}");
    insta::assert_snapshot!("an_unknown_text", site.build_fails());
}

#[test]
fn terms_have_texts() {
    let site = Site::new()
        .file("content/a.md", article("title: A\ndate: 2026-01-01\nauthors: [Ida Ek]\ncategory: Tools"))
        .file("content/b.md", "---\ntitle: B\ndate: 2026-01-02\n---\n\n[Ida](authors/ida-ek/index.md)\n")
        .file(
            "content/authors/ida-ek/index.md",
            "---\ntitle: Ida Ek, editor\ndescription: She edits.\nimage: ida.gif\naliases: [/ida/]\n---\n\n\
             Writes about [tools](/categories/tools/) {{<callout title=\"x\" />}}\n",
        )
        .file("content/authors/ida-ek/ida.gif", b"GIF89a\x05\0\x07\0\0\0\0\0\0\0")
        .file("content/authors/_index.md", "---\ntitle: Who writes\n---\n\nPeople.\n")
        .file("content/categories/tools.md", "Everything about tools.\n")
        .file("content/categories/cars.md", "Nobody writes about cars.\n");
    insta::assert_snapshot!("texts_of_terms", site.warnings());
    let page = site.page("authors/ida-ek/index.html");
    for text in [
        "<h1>Ida Ek, editor</h1>",
        "content=\"She edits.\"",
        "src=\"/authors/ida-ek/ida.gif\"",
        "width=\"5\" height=\"7\"",
        "<a href=\"/categories/tools/\">tools</a>",
        "1 article by Ida Ek",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(
        site.page("authors/index.html")
            .contains("<h1>Who writes</h1>\n<div class=\"content\"><p>People.")
    );
    assert!(site.page("categories/tools/index.html").contains("Everything about tools."));
    assert!(site.page("b/index.html").contains("<a href=\"/authors/ida-ek/\">Ida</a>"));
    assert!(site.page("ida/index.html").contains("/authors/ida-ek/"));
    assert!(!site.page("index.html").contains("Ida Ek, editor"));
    site.write("content/authors/ida-ek/index.md", "Another life.\n");
    site.build();
    assert!(site.page("authors/ida-ek/index.html").contains("Another life."));
}

#[test]
fn articles_without_an_author_are_by_the_sites_own() {
    let site = Site::new()
        .file("content/a.md", article("title: By nobody\ndate: 2026-01-01"))
        .file("content/about.md", article("title: About"));
    let config = "title = \"T\"\nbase_url = \"https://t.example\"\n[author]\nname = \"Max\"\n";
    site.write("site.toml", config);
    site.build();
    // A site with one author needs no pages of authors.
    assert!(!site.has("authors/max/index.html"));
    site.write("content/b.md", article("title: By Ida\ndate: 2026-01-02\nauthors: [Ida]"));
    site.build();
    let max = site.page("authors/max/index.html");
    assert!(
        max.contains("By nobody")
            && !max.contains("By Ida")
            && !max.contains("<h2><a href=\"/about/\">"),
        "{max}"
    );
    assert!(site.page("a/index.html").contains("<a href=\"/authors/max/\" rel=\"author\">Max</a>"));
}

#[test]
fn a_series_is_read_from_its_start() {
    let site = Site::new()
        .file("content/one.md", article("title: Part one\ndate: 2026-01-01\nseries: S"))
        .file("content/two.md", article("title: Part two\ndate: 2026-01-02\nseries: S"));
    site.write(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[taxonomies.series]\nfeed = true\n",
    );
    site.build();
    let order = |name: &str| {
        let page = site.page(name);
        page.find("Part one").unwrap() < page.find("Part two").unwrap()
    };
    assert!(order("series/s/index.html") && order("one/index.html"));
    // A feed starts with what is new.
    assert!(!order("series/s/atom.xml"));
    assert!(site.page("series/s/index.html").contains("2 articles, in reading order"));
    assert!(
        site.page("series/s/index.html")
            .contains("title=\"S – T (Atom)\" href=\"/series/s/atom.xml\"")
    );
}

#[test]
fn an_alias_gives_way() {
    let site = Site::new()
        .file("content/a.md", article("title: A\naliases: [/old/, /b/, /tags/x/, /plain.txt]"))
        .file("content/b.md", article("title: B\naliases: [/old/]\ntags: [x]"))
        .file("static/plain.txt", "plain");
    insta::assert_snapshot!("aliases_that_are_not_used", site.warnings());
    assert!(site.page("old/index.html").contains("/a/"));
    assert!(site.page("b/index.html").contains("<h1>B</h1>"));
    assert_eq!(site.page("plain.txt"), "plain");
}

#[test]
fn pages_that_are_files_have_folders_for_their_pictures() {
    let site = Site::new();
    site.write(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[permalinks]\nposts = \"/{year}/{slug}.html\"\n",
    );
    for name in ["a", "b"] {
        site.write(
            &format!("content/posts/{name}/index.md"),
            format!(
                "---\ntitle: {name}\ndate: 2026-01-01\n---\n\n![P](pic.png) [data](data/x.csv)\n"
            ),
        );
        site.write(&format!("content/posts/{name}/pic.png"), name);
        site.write(&format!("content/posts/{name}/data/x.csv"), name);
    }
    site.build();
    assert!(site.page("2026/a.html").contains("src=\"/2026/a/pic.png\""));
    assert_eq!(
        (site.page("2026/b/pic.png"), site.page("2026/b/data/x.csv")),
        ("b".into(), "b".into())
    );
}

#[test]
fn what_depends_on_an_article_with_errors_is_not_reported() {
    let site = Site::new()
        .file("content/posts/a.md", "---\ntitle: A\ndate: yesterday\ncategory: {x: 1}\n---\n\n## Part\n")
        .file("content/posts/c.md", "---\ntitle: C\n\tdate: x\n---\n")
        .file(
            "content/posts/b.md",
            "---\ntitle: B\ndate: 2026-01-01\n---\n\n[a](a.md) [a](a.md#x) [c](c.md) [u](/2026/a/) [gone](gone.md) \
             [t](/categories/tools/) ![x](gone.png)\n",
        )
        .file("templates/section.html", "{{ pages(category=\"Tools\") | length }}");
    site.write(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[permalinks]\nposts = \"/{year}/{slug}/\"\n\
         [menu]\nmain = [{ name = \"Tools\", url = \"/categories/tools/\" }]\n",
    );
    insta::assert_snapshot!("no_errors_that_follow", site.build_fails());
}

#[test]
fn pictures_titles_and_feeds() {
    let site = Site::new()
        .file(
            "content/posts/a/index.md",
            "---\ntitle: \"Don't -- *wait*\"\ndate: 2026-01-01\n---\n\n![Pic](pic.gif) ![Far](https://x.example/y.gif)\n\n\
             ## Part\n\n| a |\n|---|\n| b |\n{caption=\"By *Ida* <b>\"}\n\n\
             {{<figure src=\"pic.gif\" alt=\"x\" caption=\"By *Ida*\" credit=\"[x](https://x.example) <b>\" />}}\n",
        )
        .file("content/posts/a/pic.gif", b"GIF89a\x05\0\x07\0\0\0\0\0\0\0");
    site.write(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[markdown]\nsmart_punctuation = true\n",
    );
    site.build();
    let page = site.page("posts/a/index.html");
    for text in [
        "<img src=\"/posts/a/pic.gif\" width=\"5\" height=\"7\" alt=\"Pic\"",
        "<img src=\"https://x.example/y.gif\" alt=\"Far\"",
        "<h1>Don’t – *wait*</h1>",
        "By <em>Ida</em> &lt;b&gt;</caption>",
        "<figcaption>By <em>Ida</em> <small><a href=\"https://x.example\">x</a> &lt;b&gt;</small>",
        "class=\"anchor\" href=\"#part\"",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let feed = site.page("feed.json");
    assert!(feed.contains("id=\\\"part\\\"") && !feed.contains("anchor"), "{feed}");
    site.write("content/posts/a/pic.gif", b"GIF89a\x06\0\x07\0\0\0\0\0\0\0");
    site.build();
    assert!(site.page("posts/a/index.html").contains("width=\"6\" height=\"7\" alt=\"Pic\""));
}
