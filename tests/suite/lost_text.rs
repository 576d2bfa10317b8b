//! Text that would be lost, or shown to readers as markup, is reported with file and line.

use crate::common::Site;

/// Builds a site with one article and returns its warnings.
fn warnings(article: &str) -> String {
    Site::new().file("content/a.md", article).warnings()
}

#[test]
fn the_syntax_of_other_tools() {
    let text = warnings(
        "---\ntitle: A\ndate: 2026-01-01\n---\n\nPrices start at {{ page.price }} and {{ x }}.\n\n\
         {% include \"x.html\" %}\n\n{{< figure src=\"a.png\" >}}\n\n{{% notice %}}\n\n\
         <%= price %>\n\nA paragraph.\n{: .wide}\n\nSee [[Other page]].\n\n![[diagram.png]]\n\n[TOC]\n\n\
         !!! note\n    Text.\n\n::: tip\nText.\n:::\n\n::youtube{#abc}\n\n%[https://example.org]\n\n\
         import Chart from './chart'\n\n<Chart data=\"x\" />\n\nA `Vec<u8>` but a List<String>.\n\n\
         ```mermaid\ngraph TD\n```\n\n[gallery ids=\"1,2\"]\n\n%%a comment%%\n\n==marked==\n\n\
         So good :tada:\n\n$$\nx^2\n$$\n\n{{ x }} again, and {{ y }}.\n",
    );
    insta::assert_snapshot!("foreign_syntax", text);
}

#[test]
fn what_only_looks_like_the_syntax_of_other_tools() {
    let article = "---\ntitle: A\ndate: 2026-01-01\n---\n\n`{{ x }}` and `[[x]]`, `<Tabs>`, `:tada:`.\n\n\
         ```jinja2\n{{ x }}\n{% if x %}\n[[x]]\n!!! note\n```\n\n    {{ indented }}\n\n\
         <!-- {{ comment }} [[x]] -->\n\nA ratio of 1:2:3, at 10:30:00, see std::fmt::Debug.\n\n\
         [[x]](b.md) and [[1]][one] and [text](b.md \"A title\") and [t](<b.md>).\n\n\
         [one]: b.md\n\n## Heading {#id .class}\n\nTerm\n: Its definition\n\n\
         a == b and c == d, 50%% off, x < Y, A&B.\n\n<DIV>\n\nText\n\n</DIV>\n\n\
         | a | b | c |\n|:---:|:-:| ---: |\n| 1 | 2 | 3 |\n{caption=\"C\"}\n\n<https://example.org/{{x}}>\n\n\
         import duties rise from 3 to 5 per cent.\n\n> [!note]\n> Text.\n\n- [ ] to do\n- [x] done\n";
    let site =
        Site::new().file("content/a.md", article).file("content/b.md", "---\ntitle: B\n---\n\nx\n");
    let run = site.folio(&["build"]);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn foreign_syntax_may_be_ignored() {
    let site = Site::new().file(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[markdown]\nforeign_syntax = \"ignore\"\n",
    );
    let site = site.file("content/a.md", "---\ntitle: A\n---\n\n{{ x }}\n\n```mermaid\nx\n```\n");
    let run = site.folio(&["build"]);
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{}", run.stderr);
    // The setting is one of those that parsing depends on.
    site.write("site.toml", "title = \"T\"\nbase_url = \"https://t.example\"\n");
    assert!(site.folio(&["build"]).stderr.contains("shown to readers as text"));
}

#[test]
fn text_that_disappears() {
    let text = warnings(
        "---\ntitle: A\ndate: 2026-02-01\nupdated: 2026-01-01\nslug: My Post!\n\
         tags: [C++, c++]\n---\n\n\
         A claim[^1] and another[^too].\n\n[^to]: A note.\n\n\
         Some text <!-- more --> in a paragraph.\n\n- a list\n\n  <!-- more -->\n\n\
         [broken](htps://example.org) and [bad](https:/example.org).\n\n\
         | a | b |\n| - | - |\n| 1 | 2 | 3 |\n\n![](a b.png)\n\n> [!NOTE] A title\n> Text.\n\n\
         ```pythn\nx\n```\n\n```rust\nfn main() {}\n\nThe rest of the article.\n",
    );
    insta::assert_snapshot!("text_that_disappears", text);
}

#[test]
fn components_and_alerts_that_are_wrong() {
    let site = Site::new()
        .file(
            "content/a.md",
            "---\ntitle: A\n---\n\n{{<comparison\n\n{{<ad x=\"\n\n{{<toc>}}\n\n{% <callout> \n\n\
             {{<callout kind=\"tip\" />}}\n\n{% <callout kind=\"warn\"> %}\nText.\n{% </callout> %}\n\n\
             {% <toc> %}\n\nLost text.\n\n{% </toc> %}\n\n> [!WARN]\n> Text.\n\n> [!nte]\n> Text.\n",
        )
        .file("content/b.md", "---\ntitle: B\n---\n\n{{<quote />}}\n")
        .file(
            "templates/components/quote.html",
            "{% component quote() %}<q>{{ body }}</q>{% endcomponent quote %}",
        );
    insta::assert_snapshot!("components_and_alerts", site.build_fails());
}

#[test]
fn what_templates_ask_for_and_the_data_they_read() {
    let site = Site::new()
        .file("content/posts/a.md", "---\ntitle: A\ndate: 2026-01-01\ncategory: Notes\n---\n\nx\n")
        .file(
            "templates/page.html",
            "{% for p in pages(section=\"post\") %}{% endfor %}\
             {% for p in pages(category=\"notes\") %}{% endfor %}{{ page.title }}",
        );
    insta::assert_snapshot!("unknown_names_in_templates", site.warnings());
    // They are said again when nothing has changed.
    assert!(site.warnings().contains("did you mean `posts`?"));
    site.write("templates/page.html", "{{ pages(categry=\"Notes\") | length }}");
    site.write("content/posts/b.md", "---\ntitle: B\n---\n");
    site.write("templates/section.html", "{% set d = data(path=\"a.yaml\") %}{{ d }}");
    site.write("data/a.yaml", "a: 1\nb:\n\tc: 2\n");
    insta::assert_snapshot!("arguments_and_data", site.build_fails());
}

#[test]
fn templates_that_are_wrong() {
    let site = Site::new().file("content/a.md", "# A\n");
    let errors: Vec<String> = [
        "<p>\n{% if page %}\n{% for p in pages() %}\n{% endfor %}\n",
        "{% for a in b %}\n{% if x %}\n{% endfor %}",
        "{% <callout kind=\"tip\"> %}\nx",
        "{% endif %}",
        "{% inclde \"x.html\" %}",
        "{{ page.title ",
        "{{ pages(limit=\"3\") }}",
        "{{ pages(section=3) }}",
        "{{ image() }}",
        "{{ page.title | uper }}",
        "{{ pagse(section=\"x\") }}",
        "{{ page.titel }}",
        "{{<figur src=\"x\" />}}",
        "{{<figure srx=\"x\" />}}",
        "{{<figure src=\"x\" >}}",
        "{{<figure src=\"x\" width=\"3\" />}}",
        "{{ page.title + 1 }}",
    ]
    .iter()
    .map(|template| {
        site.write("templates/page.html", template);
        site.build_fails().replace("\n1 error; nothing was changed\n", "")
    })
    .collect();
    insta::assert_snapshot!("wrong_templates", errors.join("\n"));
}

#[test]
fn configuration_that_was_accepted_although_wrong() {
    let site = Site::new().file(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example:99999\"\nlanguage = \"english please\"\n\
         [permalinks]\nposts = \"/{slug}}/\"\n[article]\nwords_per_minute = 0\n[counters]\n\
         snapshot = \"/etc/passwd\"\n",
    );
    let site = site.file("content/a.md", "---\ntitle: A\nimage: javascript:x\n---\n\nx\n");
    insta::assert_snapshot!("wrong_configuration", site.build_fails());
}

#[test]
fn counters_that_are_wrong() {
    let counters = "{\n  \"/a/\": {\"views\": -1, \"heart\": 2},\n  \"/b/\": {\"views\": 1},\n  \
                    \"/a/\": {\"hearts\": \"x\"},\n  \"/c/\": 5\n}\n";
    let site = Site::new().file("content/a.md", "# A\n").file("data/counters.json", counters);
    insta::assert_snapshot!("wrong_counters", site.build_fails());
    site.write("data/counters.json", "{\"/a/\": {\"views\": 3}, \"/c/\": {\"hearts\": null}}");
    insta::assert_snapshot!("counters_of_unknown_routes", site.warnings());
}

#[test]
fn folders_that_are_files() {
    let site = Site::new().file("content/a.md", "# A\n");
    for name in ["templates", "static", "data", "languages"] {
        site.write(name, "x");
    }
    insta::assert_snapshot!("folders_that_are_files", site.build_fails());
}

#[test]
fn folders_that_are_nested_too_deep() {
    let site = Site::new().file(&format!("content/{}a.md", "d/".repeat(200)), "# A\n");
    let said = site.build_fails();
    assert!(said.contains("this folder is nested more than 64 levels deep"), "{said}");
    assert!(said.contains("1 error;"), "{said}");
}

/// Every input that once ended the process, or came near to it.
#[test]
fn no_input_ends_the_process() {
    let front = "---\ntitle: A\ndate: 2026-01-01\n---\n\n";
    let deep = |open: &str, n: usize| front.to_owned() + &open.repeat(n) + "x\n";
    let articles = [
        format!("{front}<p {}>x</p>\n", "a ".repeat(20_000)),
        format!("{front}<p {}>x</p>\n", "=\"".repeat(20_000)),
        format!("{front}{}\n", "<b>".repeat(20_000)),
        format!("{front}{}", "<!--".repeat(20_000)),
        deep("> ", 20_000),
        deep("- ", 20_000),
        deep("**", 20_000),
        deep("[", 20_000),
        deep("![", 20_000),
        format!("{front}{}x{}\n", "[".repeat(5_000), "](a)".repeat(5_000)),
        format!("{front}{}\n", "{% <callout kind=\"tip\"> %}\n".repeat(5_000)),
        format!("{front}```r\n{}\n```\n", "a <- \"".repeat(10_000)),
        format!("---\ntitle: A\nextra: {}1{}\n---\n", "[".repeat(5_000), "]".repeat(5_000)),
        format!(
            "---\ntitle: A\nextra:\n  a: &a [x]\n{}---\n",
            (0..200).map(|i| format!("  b{i}: [*a, *a]\n")).collect::<String>()
        ),
    ];
    let templates = [
        format!("{{% if a is defined %}}{}{{% endif %}}", "{% elif b is defined %}".repeat(30_000)),
        format!("{{{{ {}1{} }}}}", "(".repeat(30_000), ")".repeat(30_000)),
        "{% if page %}".repeat(30_000),
        "{% for a in range(end=100000) %}{% for b in range(end=100000) %}0123456789{% endfor %}{% endfor %}".to_owned(),
        "{% include \"page.html\" %}".to_owned(),
        "{{ \"x\" | replace(from=\"\", to=\"y\") }}".to_owned(),
    ];
    let site = Site::new();
    let try_with = |name: &str, content: &str| {
        site.write(name, content);
        for command in ["build", "check"] {
            let run = site.folio(&[command]);
            let shown: String = content.chars().take(60).collect();
            assert!(
                matches!(run.code, 0 | 1),
                "{command} of {shown:?}: {} {}",
                run.code,
                run.stderr
            );
            assert!(!run.stderr.contains("panicked"), "{command} of {shown:?}: {}", run.stderr);
        }
    };
    for article in &articles {
        try_with("content/a.md", article);
    }
    try_with("content/a.md", "# A\n");
    for template in &templates {
        try_with("templates/page.html", template);
    }
    try_with("templates/page.html", "x");
    try_with("data/counters.json", &"[".repeat(100_000));
    try_with("data/counters.json", &"{\"a\":".repeat(100_000));
    try_with("data/counters.json", "{}");
    try_with("site.toml", &format!("title = {}1{}\n", "[".repeat(50_000), "]".repeat(50_000)));
    try_with("site.toml", &format!("{} = 1\n", "a.".repeat(50_000) + "b"));
}

#[test]
fn a_nul_becomes_a_replacement_character() {
    let site =
        Site::new().file("content/a.md", "# A\0b\n\nx\0y `c\0d` ![e\0f](g.png)\n\n    h\0i\n");
    let site = site.file("content/g.png", "g");
    site.build();
    let page = site.page("a/index.html");
    assert!(!page.contains('\0') && page.contains("x\u{fffd}y"), "{page}");
}
