//! What is said of bad input, as golden output; the last good output stands each time.

use crate::common::Site;

/// A site that has been built once.
fn good() -> Site {
    let site = Site::new().file("content/good.md", "# Good\n\nText.\n");
    site.build();
    site
}

/// Builds a site that must fail, and compares what is printed with a snapshot of the given name.
macro_rules! assert_errors {
    ($name:literal, $site:expr $(,)?) => {
        insta::assert_snapshot!($name, $site.build_fails())
    };
}

#[test]
fn configuration() {
    let site = good().file(
        "site.toml",
        "titel = \"T\"\nbase_url = \"t.example\"\ntimezone = \"Mars/Olympus\"\n\
         paginate_by = \"ten\"\n\n[feeds]\nformats = [\"atom\", \"rsss\"]\n\n[menu]\n\
         main = [{ name = \"A\", ulr = \"/\" }]\n\n[highlight]\nlight = \"Githab\"\n\n\
         [permalinks]\nposts = \"/{yaer}/\"\n\n[ads.slots.a]\nplace = \"in-contents\"\n",
    );
    assert_errors!("configuration", site);
}

#[test]
fn configuration_syntax() {
    assert_errors!("configuration_syntax", good().file("site.toml", "title = \"T\nbase_url = 1\n"));
}

#[test]
fn configuration_missing() {
    let site = good();
    site.remove("site.toml");
    assert_errors!("configuration_missing", site);
}

#[test]
fn front_matter() {
    let site = good()
        .file(
            "content/a-types.md",
            "---\ntitle: [a, b]\ndate: soon\ndraft: perhaps\n\
                                     image:\n  alt: no source\nviews: many\nextra: 3\n---\n",
        )
        .file("content/b-duplicate.md", "---\ntitle: A\ntitle: B\n---\n")
        .file("content/c-unclosed.md", "---\ntitle: A\n\nText.\n")
        .file("content/d-syntax.md", "---\ntitle: A: B\n---\n")
        .file("content/e-toml.md", "+++\ntitle = \"A\ndate = 2026-01-01\n+++\n")
        .file("content/f-list.md", "---\n- a\n- b\n---\n")
        .file("content/g-laughs.md", laughs());
    assert_errors!("front_matter", site);
}

/// Ten aliases of ten aliases, and so on, to a thousand million.
fn laughs() -> String {
    let mut text = "---\na0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for i in 1..9 {
        let list = vec![format!("*a{}", i - 1); 10].join(", ");
        text += &format!("a{i}: &a{i} [{list}]\n");
    }
    text + "title: x\n---\n"
}

#[test]
fn front_matter_warnings() {
    let site = good().file("content/a.md", "---\ntitle: A\ntagz: [x]\nlayout: post\n---\n").file(
        "content/b.md",
        "---\nlayout: post\ndate: 2026-01-02 what 10:00\n---\n\n```klingon\n\
                               x\n```\n\n[gone](/not/here/) [self](#nope)\n",
    );
    insta::assert_snapshot!(site.warnings());
}

#[test]
fn encodings() {
    let site = good()
        .file("content/a-utf8.md", b"# T\n\nGood line\nbad \xFF byte\n")
        .file("content/b-utf16.md", b"\xFF\xFE#\0 \0T\0")
        .file("content/c-bom.md", b"\xEF\xBB\xBF---\r\ntitle: Bom\r\n---\r\nText\r\n")
        .file("content/d-empty.md", "")
        .file("content/e-only-front.md", "---\ntitle: Only\n---");
    assert_errors!("encodings", site);
    site.remove("content/a-utf8.md");
    site.remove("content/b-utf16.md");
    site.build();
    assert!(site.page("c-bom/index.html").contains("<h1>Bom</h1>"));
    assert_eq!(site.content("c-bom/index.html"), "<p>Text</p>");
    assert!(site.page("d-empty/index.html").contains("<h1>D empty</h1>"));
    assert!(site.page("e-only-front/index.html").contains("<h1>Only</h1>"));
}

#[test]
fn paths_that_lead_out() {
    let site = good();
    for (i, path) in [
        "../../x",
        "/etc/../../x",
        "a/../../b",
        "/%2e%2e/x",
        "%252e%252e/x",
        "C:\\x",
        "\"/a\\0b\"",
        "//host/x",
        "/con/",
    ]
    .iter()
    .enumerate()
    {
        site.write(&format!("content/p{i}.md"), format!("---\npath: {path}\n---\n"));
    }
    site.write("content/q.md", "---\nslug: ../up\naliases: [../../x, /ok/, 'a\\b']\n---\n");
    assert_errors!("paths_that_lead_out", site);
    // An absolute path of the file system is a path on the site, and stays in the output.
    let site = good().file("content/etc.md", "---\npath: /etc/x\n---\n");
    site.build();
    assert!(site.has("etc/x/index.html"));
}

#[test]
fn collisions() {
    let site = good()
        .file("content/posts/a.md", "---\nslug: same\n---\n")
        .file("content/posts/b.md", "---\nslug: Same\n---\n")
        .file("content/posts/c.md", "---\npath: /posts/caf\u{e9}/\n---\n")
        .file("content/posts/d.md", "---\npath: /posts/cafe\u{301}/\n---\n")
        .file("content/posts/e.md", "---\naliases: [/good/]\n---\n")
        .file("content/f.md", "---\npath: /file.html\n---\n")
        .file("content/g.md", "---\npath: /file.html/below/\n---\n")
        .file("static/good/index.html", "x")
        .file("static/caf\u{e9}", "x")
        .file("content/h.md", "---\npath: /cafe\u{301}/below/\n---\n");
    assert_errors!("collisions", site);
}

#[test]
fn addresses_that_run_code() {
    let item = |url: &str| format!("[[menu.main]]\nname = \"x\"\nurl = \"{url}\"\n");
    let menu = item("javascript:alert(1)") + &item("javascript:alert(2)");
    assert_errors!(
        "addresses_that_run_code",
        good()
            .file("site.toml", format!("title = \"T\"\nbase_url = \"https://t.example\"\n{menu}"))
    );
}

#[test]
fn links() {
    let site = good()
        .file(
            "content/a.md",
            "## Part one\n\n[x](godo.md) [y](good.md#prat) [z](@/posts/nope.md) \
                               [own](a.md#part-one) [own](a.md#part-two) [d](draft.md)\n\n\
                               [ref]: missing.md\n\n[r][ref]\n",
        )
        .file("content/draft.md", "---\ndraft: true\n---\n");
    assert_errors!("links", site);
    let site = site.file(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[markdown]\nbroken_links = \"warn\"\n",
    );
    assert!(site.warnings().contains("warning: this link leads to `content/godo.md`"));
}

#[test]
fn components() {
    let site = good().file(
        "content/a.md",
        "{{<calout />}}\n\n{{<figure />}}\n\n{{<figure src=\"x.png\" capton=\"x\" />}}\n\n\
         {% <callout kind={3} %}\n\n{% <callout kind={3}> %}\nx\n{% </callout> %}\n\n\
         - {% <callout> %}\n\n{% </callout> %}\n\n{{<toc depth= />}}\n",
    );
    assert_errors!("components", site);
}

#[test]
fn component_arguments() {
    let site = good()
        .file(
            "content/a.md",
            "{{<figure alt={3} capton=\"x\" />}}\n\n{{<toc deep={2} />}}\n\n\
             {{<prices of={[1]} />}}\n\n\
             {{<byline />}}\n\n{{<heading />}}\n",
        )
        .file(
            "templates/components/prices.html",
            "{% component prices(of: map) %}\
            {% endcomponent %}",
        )
        .file(
            "templates/components/byline.html",
            "{% component byline(@autor, n: float) %}{% endcomponent %}",
        )
        .file(
            "templates/components/heading.html",
            "{% component heading(@site) %}{{ site.titel }}{% endcomponent %}",
        );
    assert_errors!("component_arguments", site);
}

#[test]
fn component_tags() {
    assert_errors!(
        "component_tags_malformed",
        good().file(
            "content/a.md",
            "- {% <callout> %}\n  x\n\n{% </callout> %}\n\n{% </toc> %}\n\n{% <figure> %}\n"
        )
    );
    assert_errors!(
        "component_tags_unclosed",
        good().file(
            "content/a.md",
            "{{<calout />}}\n\n{{<figure />}}\n\n{{<figure src=\"x.png\" capton=\"x\" />}}\n\n\
         {% <callout kind={3}> %}\nx\n{% </callout> %}\n"
        )
    );
}

#[test]
fn templates() {
    assert_errors!(
        "template_extends_itself",
        good().file("templates/page.html", "{% extends \"page.html\" %}")
    );
    assert_errors!(
        "templates_include_each_other",
        good()
            .file("templates/a.html", "{% include \"b.html\" %}")
            .file("templates/b.html", "{% include \"a.html\" %}")
    );
    assert_errors!(
        "template_extends_unknown",
        good().file("templates/page.html", "{% extends \"bsae.html\" %}")
    );
    assert_errors!(
        "template_syntax",
        good().file("templates/page.html", "{% if %}").file("templates/section.html", "{{ x")
    );
    assert_errors!(
        "template_unknown_names",
        good().file(
            "templates/page.html",
            "line\n{{ page.title | uper }}\n{{ nothing() }}{{<none />}}"
        )
    );
    assert_errors!(
        "template_missing_field",
        good()
            .file("templates/page.html", "one\n  {{ page.nothing.here }}\n")
            .file("content/more.md", "x")
    );
    assert_errors!(
        "template_of_article_unknown",
        good().file("content/a.md", "---\ntemplate: pag.html\n---\n")
    );
}

#[test]
fn raw_html() {
    let config = |policy: &str| {
        format!(
            "title = \"T\"\nbase_url = \"https://t.example\"\n[markdown]\n\
             unsafe_html = \"{policy}\"\n"
        )
    };
    let text = "a <b>bold</b>\n\n<div onclick=\"x\">block</div>\n\n<!-- more -->\n\n\
                <script>evil()</script>\n";
    assert_errors!(
        "raw_html",
        good().file("site.toml", config("error")).file("content/a.md", text)
    );
    let site = good().file("site.toml", config("strip")).file("content/a.md", text);
    site.build();
    assert_eq!(site.content("a/index.html"), "<p>a bold</p>\nblock");
}

#[test]
fn data_and_counters() {
    assert_errors!(
        "counters_wrong_type",
        good().file("data/counters.json", "{\n  \"/good/\": {\"views\": \"x\"}\n}")
    );
    assert_errors!(
        "data_file_missing",
        good().file("templates/page.html", "{{ data(path=\"none.yaml\") }}")
    );
    assert_errors!(
        "data_path_outside",
        good().file("templates/page.html", "{{ data(path=\"../site.toml\") }}")
    );
    assert_errors!(
        "data_syntax",
        good()
            .file("templates/page.html", "{{ data(path=\"a.yaml\") }}")
            .file("data/a.yaml", "a: [1")
    );
}

#[test]
fn every_problem_in_one_run() {
    let site = good()
        .file("content/a.md", "---\ndate: never\n---\n")
        .file("content/b.md", "[x](nowhere.md) [fine](a.md)\n\n{{<nothing />}}\n")
        .file("content/c.md", "---\npath: ../c\n---\n")
        .file("templates/section.html", "{{ missing.thing }}")
        .file("content/posts/p.md", "x");
    assert_errors!("every_problem_in_one_run", site);
}

#[test]
fn content_missing() {
    let site = good();
    site.remove("content");
    assert_errors!("content_missing", site);
}

#[cfg(unix)]
#[test]
fn links_of_the_file_system() {
    use std::os::unix::fs::symlink;
    let site = good();
    symlink(site.path("content"), site.path("content/loop")).unwrap();
    symlink("/etc/hostname", site.path("content/outside.md")).unwrap();
    symlink("/etc", site.path("static-etc")).unwrap();
    std::fs::create_dir(site.path("static")).unwrap();
    symlink("/etc", site.path("static/etc")).unwrap();
    symlink("nowhere", site.path("content/nowhere.md")).unwrap();
    assert_errors!("links_of_the_file_system", site);
    for name in ["content/loop", "content/outside.md", "static/etc", "content/nowhere.md"] {
        std::fs::remove_file(site.path(name)).unwrap();
    }
    symlink(site.path("content/good.md"), site.path("content/again.md")).unwrap();
    site.build();
    assert!(site.has("again/index.html"));
}

#[cfg(unix)]
#[test]
fn what_is_no_file() {
    let site = good();
    let fifo = site.path("content/pipe.md");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_errors!("what_is_no_file", site);
}

#[cfg(unix)]
#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let site = good().file("content/secret.md", "x");
    std::fs::set_permissions(
        site.path("content/secret.md"),
        std::fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    if std::fs::read(site.path("content/secret.md")).is_ok() {
        crate::common::skip("this user may read every file, whatever its permissions");
        return;
    }
    assert_errors!("an_unreadable_file", site);
}

#[test]
fn an_output_folder_that_is_not_ours() {
    let site = good();
    site.write("other/file.txt", "mine");
    let run = site.folio(&["build", "--output", "other"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stderr);
    assert_eq!(std::fs::read_to_string(site.path("other/file.txt")).unwrap(), "mine");
    for folder in [".", "..", "content", "content/x", "templates", ".folio", "static/y"] {
        let run = site.folio(&["build", "--output", folder]);
        assert_eq!(run.code, 1, "{folder}");
        assert!(run.stderr.contains("the output folder cannot be"), "{folder}: {}", run.stderr);
    }
    assert!(site.path("content/good.md").exists());
}

#[test]
fn usage() {
    let site = good();
    let run = site.folio(&["build", "--frobnicate"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!(run.stderr);
    assert_eq!(site.folio(&[]).code, 2);
    assert_eq!(site.folio(&["build", "--jobs", "0"]).code, 2);
    let run = site.folio(&["build", "--base-url", "t.example"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("it has no scheme"), "{}", run.stderr);
}

/// A file system of a few pages, where the test may mount one.
#[cfg(target_os = "linux")]
fn small_disk(site: &Site, options: &str) -> Option<Mounted> {
    let folder = site.path("disk");
    std::fs::create_dir_all(&folder).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(&folder)
        .output();
    match mounted {
        Ok(output) if output.status.success() => Some(Mounted(folder)),
        _ => {
            crate::common::skip("this user may not mount a file system");
            None
        }
    }
}

#[cfg(target_os = "linux")]
struct Mounted(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let site = good();
    let Some(_disk) = small_disk(&site, "size=512k") else { return };
    assert_eq!(site.folio(&["build", "--output", "disk/out"]).code, 0);
    let before = crate::common::files(&site.path("disk"));
    site.write("content/big.md", "words and words and words\n\n".repeat(40_000));
    let run = site.folio(&["build", "--output", "disk/out"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("no space left on device")
            && run.stderr.contains("the last build stays as it was"),
        "{}",
        run.stderr
    );
    assert_eq!(before, crate::common::files(&site.path("disk")));
    // The output may itself be the mount.
    let site = good();
    let Some(disk) = small_disk(&site, "size=512k") else { return };
    assert_eq!(site.folio(&["build", "--output", "disk"]).code, 0);
    assert!(!crate::common::files(&disk.0).keys().any(|n| n.contains("staging")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_disk() {
    let site = good();
    let Some(disk) = small_disk(&site, "size=512k") else { return };
    assert_eq!(site.folio(&["build", "--output", "disk/out"]).code, 0);
    let before = crate::common::files(&disk.0);
    assert!(
        std::process::Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(&disk.0)
            .status()
            .unwrap()
            .success()
    );
    site.write("content/good.md", "# Changed\n");
    let run = site.folio(&["build", "--output", "disk/out"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("read-only file system") && run.stderr.contains("--output"),
        "{}",
        run.stderr
    );
    assert_eq!(before, crate::common::files(&disk.0));
}

#[test]
fn two_builds_at_once() {
    let site = good();
    let lock =
        std::fs::OpenOptions::new().read(true).write(true).open(site.path(".folio/lock")).unwrap();
    lock.lock().unwrap();
    assert!(site.build_fails().contains("another folio process is building this site"));
    drop(lock);
    site.build();
}
