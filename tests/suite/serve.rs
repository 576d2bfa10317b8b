//! `folio serve` over HTTP: what is saved is shown, what is wrong is told, and nobody else is
//! answered.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::Site;
use crate::common::everything::Everything;
use crate::common::random::number;
use crate::common::server::{Server, fingerprint};

fn blog() -> Site {
    let site = Site::new()
        .file("static/app.js", "1;")
        .file("static/site.css", "p{}")
        .file("content/posts/pic.png", "png");
    for i in 1..=5 {
        site.write(
            &format!("content/posts/a{i}.md"),
            format!(
                "---\ntitle: Title {i}\ndate: 2026-01-0{i}\ndescription: D\ntags: [t]\n---\n\n\
                     Text {i}.\n"
            ),
        );
    }
    site
}

/// What is served equals what is built, file for file.
fn assert_same(server: &Server, site: &Site, context: &str) {
    site.build();
    for (name, bytes) in site.output() {
        let path = folio::paths::percent_encode(&format!("/{name}"));
        let answer = server.get(&path);
        assert_eq!(answer.status, 200, "{context}: {path}\n{}", server.said());
        assert!(answer.page() == bytes, "{context}: {path} differs from the build");
        let asked = answer.text().matches("/_folio/client.js").count();
        assert_eq!(asked, usize::from(name.ends_with(".html")), "{context}: {path}");
    }
}

#[test]
fn what_is_served_is_what_is_built() {
    let site = Site::bare();
    for folder in ["content", "templates", "static", "data"] {
        crate::common::copy(&crate::common::project().join(folder), &site.path(folder));
    }
    site.write("site.toml", fs::read(crate::common::project().join("site.toml")).unwrap());
    let server = Server::start(&site, &[]);
    assert!(!site.path("public").exists(), "serving wrote an output");
    assert_same(&server, &site, "the own site");
    let prefixed =
        blog().file("site.toml", "title = \"T\"\nbase_url = \"https://t.example/blog/\"\n");
    let server = Server::start(&prefixed, &[]);
    assert_eq!(server.get("/").header("location"), Some("/blog/"));
    assert!(server.get("/blog/posts/a1/").text().contains("Text 1."));
    assert_eq!(server.get("/posts/a1/").status, 404);
    assert!(server.said().contains("/blog/ (5 articles"), "{}", server.said());
}

#[test]
fn the_saves_of_three_editors() {
    let site = blog();
    let server = Server::start(&site, &[]);
    let path = |name: &str| site.path(&format!("content/posts/{name}"));
    let text = |words: &str| format!("---\ntitle: T\ndate: 2026-01-01\n---\n\n{words}\n");
    server.shows("/posts/a1/", "Text 1.");

    // Vim with its usual settings: tries out a name, moves the old file away, writes the new one,
    // deletes the old.
    fs::write(path(".a1.md.swp"), "swap").unwrap();
    fs::write(path("4913"), "").unwrap();
    fs::remove_file(path("4913")).unwrap();
    fs::rename(path("a1.md"), path("a1.md~")).unwrap();
    fs::write(path("a1.md"), text("by vim")).unwrap();
    fs::remove_file(path("a1.md~")).unwrap();
    server.shows("/posts/a1/", "by vim");

    // JetBrains: a new file, the old one moved away, the new one moved into its place.
    fs::write(path("a1.md___jb_tmp___"), text("by idea")).unwrap();
    fs::rename(path("a1.md"), path("a1.md___jb_old___")).unwrap();
    fs::rename(path("a1.md___jb_tmp___"), path("a1.md")).unwrap();
    fs::remove_file(path("a1.md___jb_old___")).unwrap();
    server.shows("/posts/a1/", "by idea");

    // Helix: a copy beside it, then the file itself truncated and written, then the copy deleted.
    fs::copy(path("a1.md"), path("a1.md.bck")).unwrap();
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(path("a1.md")).unwrap();
    file.write_all(text("by helix").as_bytes()).unwrap();
    file.sync_all().unwrap();
    fs::remove_file(path("a1.md.bck")).unwrap();
    server.shows("/posts/a1/", "by helix");

    for litter in ["/posts/4913", "/posts/a1.md~", "/posts/.a1.md.swp", "/posts/a1.md.bck"] {
        assert_eq!(server.get(litter).status, 404, "{litter}");
    }
    let said = server.said();
    let line = said
        .lines()
        .find(|l| l.starts_with("posts/a1.md → 1 page, "))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(line.ends_with(" ms"), "{line}");
    assert!(!said.contains("a1.md~") && !said.contains("4913"), "{said}");
    assert_same(&server, &site, "after the saves");
}

#[test]
fn files_come_and_go() {
    let site = blog();
    let server = Server::start(&site, &[]);
    let mut events = server.events("/posts/a2/", &fingerprint(&server.get("/posts/a2/")));
    // A file with another name, and an article with another address: the old one leads to the new.
    fs::rename(site.path("content/posts/a2.md"), site.path("content/posts/renamed.md")).unwrap();
    assert!(events.next("change").contains(r#""to":"/posts/renamed/""#));
    assert_eq!(server.answers("/posts/a2/", 302).header("location"), Some("/posts/renamed/"));
    site.write("content/posts/a3.md", "---\ntitle: T\nslug: other\ndate: 2026-01-03\n---\n\nx\n");
    assert_eq!(server.answers("/posts/a3/", 302).header("location"), Some("/posts/other/"));
    site.remove("content/posts/a4.md");
    let gone = server.answers("/posts/a4/", 404);
    assert!(gone.text().contains("<html") && gone.text().contains("/_folio/client.js"));
    // What moved goes on from there, also after other things have changed.
    site.write("content/posts/a3.md", "---\ntitle: T\nslug: further\ndate: 2026-01-03\n---\n\nx\n");
    server.eventually("both lead on", |s| {
        (s.get("/posts/a3/").header("location") == Some("/posts/further/")).then_some(())
    });
    assert_eq!(server.get("/posts/a2/").header("location"), Some("/posts/renamed/"));
    assert_eq!(server.get("/posts/other/").header("location"), Some("/posts/further/"));
    // A folder with folders in it, all at once, and then a file in the deepest.
    site.write("content/new/deep/deeper/x.md", "---\ntitle: X\n---\n\ndeep down\n");
    server.shows("/new/deep/deeper/x/", "deep down");
    site.write("content/new/deep/deeper/y.md", "---\ntitle: Y\n---\n\nand another\n");
    server.shows("/new/deep/deeper/y/", "and another");
    fs::rename(site.path("content/new"), site.path("content/moved")).unwrap();
    server.shows("/moved/deep/deeper/y/", "and another");
    site.remove("content/moved");
    server.answers("/moved/deep/deeper/y/", 404);
    // A folder of the site that was not there, and one that goes.
    site.write("data/x.json", "{\"word\": \"first\"}");
    site.write(
        "templates/page.html",
        "{% set x = data(path=\"x.json\") %}<p>{{ x.word }}{{ page.content }}",
    );
    server.shows("/posts/a1/", "<p>first");
    site.write("data/x.json", "{\"word\": \"second\"}");
    server.shows("/posts/a1/", "<p>second");
    site.remove("templates");
    server.shows("/posts/a1/", "<!doctype html>");
    site.remove("static");
    server.answers("/site.css", 404);
    site.write("static/again.css", "a{}");
    server.shows("/again.css", "a{}");
    // A file in the place of one of the theme's, and the theme's again.
    site.write("static/style.css", "own{}");
    server.shows("/style.css", "own{}");
    site.remove("static/style.css");
    server.shows("/style.css", "The default theme");
    // Another configuration.
    site.write(
        "site.toml",
        "title = \"Renamed\"\nbase_url = \"https://t.example\"\n[permalinks]\n\
                             posts = \"/{year}/{slug}/\"\n",
    );
    server.shows("/2026/a1/", "Renamed");
    assert_same(&server, &site, "after all");
}

#[test]
fn what_is_wrong_is_told_and_the_last_good_page_stays() {
    let site = blog();
    let server = Server::start_with(
        &site,
        &[],
        &[("FOLIO_EDITOR_URL", "vscode://file/{path}:{line}:{column}")],
    );
    let page = server.get("/posts/a1/");
    let mut events = server.events("/posts/a1/", &fingerprint(&page));
    events.until("problems", r#""html":"""#);

    // An article: its page stays as it was, others go on.
    site.write("content/posts/a1.md", "---\ntitle: [<b>\n---\n\nnew text\n");
    let problems = events.until("problems", "content/posts/a1.md:3:");
    assert!(
        problems.contains("content/posts/a1.md:3:") && problems.contains("vscode://file/"),
        "{problems}"
    );
    assert_eq!(server.get("/posts/a1/").page(), page.page());
    site.write("content/posts/a2.md", "---\ntitle: T\ndate: 2026-01-02\n---\n\nstill alive\n");
    server.shows("/posts/a2/", "still alive");
    // Whoever comes later is told too.
    assert!(server.events("/posts/a3/", "").next("problems").contains("content/posts/a1.md:3:"));
    let said =
        server.eventually("it is told", |s| Some(s.said()).filter(|t| t.contains("1 error")));
    assert!(said.contains("error: ") && said.contains(" --> content/posts/a1.md:3"), "{said}");
    site.write("content/posts/a1.md", "---\ntitle: T\ndate: 2026-01-01\n---\n\nmended\n");
    events.until("problems", r#""html":"""#);
    server.shows("/posts/a1/", "mended");
    server.eventually("it is told", |s| s.said().contains("No errors").then_some(()));

    // A template that cannot be read, and one that fails.
    for template in ["{{ page.title", "{{ page.title.x.y }}"] {
        site.write("templates/page.html", template);
        events.until("problems", "templates/page.html:1:");
        assert!(server.get("/posts/a1/").text().contains("mended"));
        site.write(
            "templates/page.html",
            format!("<p>{template:?}, mended: {{{{ page.content }}}}")
                .replace("{{ page.title", "(("),
        );
        events.until("problems", r#""html":"""#);
        server.shows("/posts/a1/", ", mended: ");
    }
    site.remove("templates/page.html");
    server.shows("/posts/a1/", "<!doctype");

    // Two things at once: neither hides the other.
    site.write("data/counters.json", "[");
    events.until("problems", "data/counters.json:1:");
    site.write("templates/section.html", "{{ x");
    events.until("problems", "templates/section.html:1:");
    site.write("templates/section.html", "right");
    server.eventually("the template is mended", |s| {
        s.get("/posts/").text().contains("right").then_some(())
    });
    assert!(server.events("/", "").next("problems").contains("data/counters.json:1:"));
    site.write("templates/section.html", "{{ x");
    events.until("problems", "templates/section.html:1:");
    site.write("data/counters.json", "{}");
    server.eventually("the numbers are mended", |s| {
        (!s.events("/", "").next("problems").contains("counters.json")).then_some(())
    });
    assert!(server.events("/", "").next("problems").contains("templates/section.html:1:"));
    site.remove("templates/section.html");
    events.until("problems", r#""html":"""#);

    // A link that leads nowhere, a component that is not there, the configuration.
    for (file, wrong, right) in [
        ("content/posts/a1.md", "[x](nowhere.md)\n", "fine"),
        ("content/posts/a1.md", "{{<nothing />}}\n", "fine"),
        ("site.toml", "titel = 1", "title = \"T\"\nbase_url = \"https://t.example\"\n"),
        ("data/counters.json", "[", "{}"),
    ] {
        site.write(file, wrong);
        events.until("problems", &format!("{file}:1:"));
        assert!(server.get("/posts/a3/").text().contains("Text 3."), "{file}");
        site.write(file, right);
        events.until("problems", r#""html":"""#);
    }
    assert_same(&server, &site, "after all is mended");
}

#[test]
fn a_site_that_was_never_right_comes_up_when_it_is() {
    let site = Site::bare().file("site.toml", "title = ");
    let server = Server::start(&site, &[]);
    let page = server.get("/any/");
    assert_eq!(page.status, 500);
    assert!(page.text().contains("/_folio/client.js"));
    let mut events = server.events("/", &fingerprint(&page));
    assert!(events.next("problems").contains("site.toml:1:"));
    site.write("content/a.md", "# Hello\n\nText\n");
    site.write("site.toml", "title = \"T\"\nbase_url = \"https://t.example\"\n");
    assert!(events.next("change").contains("version"));
    server.shows("/a/", "Text");
    // A page that never could be rendered.
    site.write("content/b.md", "{{<nothing />}}\n");
    let broken = server.answers("/b/", 500);
    assert!(broken.text().contains("content/b.md:1:1"), "{}", broken.text());
    site.write("content/b.md", "Something\n");
    server.shows("/b/", "Something");
}

#[test]
fn only_this_site_is_answered_and_only_to_its_own_pages() {
    let site = blog().file("secret.txt", "secret");
    let server = Server::start(&site, &["--allow-host", "preview.example"]);
    let host = server.address.to_string();
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/posts/..%5c..%5csecret.txt",
        "/%5c..%5csecret.txt",
        "//secret.txt",
        "//etc/passwd",
        "/posts//a1/",
        "/a%00.html",
        "/index.html::$DATA",
        "/site.toml",
        "/content/posts/a1.md",
        "/.folio/files",
        "/%",
        "/%ff",
        "/%252e%252e/secret.txt",
        "/C:/windows",
        "/con",
        "/_folio/",
        "/_folio/../secret.txt",
    ] {
        let answer = server.get(path);
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
        assert!(
            !answer.text().contains("secret\n") && !answer.text().starts_with("secret"),
            "{path}"
        );
    }
    assert_eq!(server.get(&format!("/{}", "a".repeat(5000))).status, 414);
    assert!([0, 414, 431, 400].contains(&server.get(&format!("/{}", "a".repeat(100_000))).status));

    let ask = |method: &str, host: &str, more: &str| {
        server.ask(&format!(
            "{method} /posts/a1/ HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n"
        ))
    };
    assert_eq!(ask("GET", &host, "").status, 200);
    assert_eq!(ask("GET", "preview.example", "").status, 200);
    assert_eq!(ask("GET", &host, &format!("Origin: http://{host}\r\n")).status, 200);
    assert_eq!(ask("GET", "evil.example", "").status, 403);
    assert_eq!(ask("GET", &host, "Origin: http://evil.example\r\n").status, 403);
    assert_eq!(ask("GET", &host, "Origin: null\r\n").status, 403);
    assert_eq!(
        ask("GET", &host, "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n").status,
        403
    );
    assert_eq!(
        ask("GET", &host, "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n").status,
        200
    );
    assert_eq!(
        server
            .ask(&format!(
                "GET /_folio/events HTTP/1.1\r\nHost: {host}\r\n\
                             Origin: http://localhost:1\r\nConnection: close\r\n\r\n"
            ))
            .status,
        403
    );
    assert_eq!(server.ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400);
    for method in ["POST", "OPTIONS", "PUT", "TRACE"] {
        assert_eq!(ask(method, &host, "").status, 405, "{method}");
    }
    let head = ask("HEAD", &host, "");
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    let page = server.get("/posts/a1/");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("access-control-allow-origin"), None);
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(server.get("/healthz").text(), "ok\n");
}

#[test]
fn a_file_saved_twice_within_a_second_is_served_again() {
    let site = blog();
    let server = Server::start(&site, &[]);
    let first = server.get("/site.css");
    assert!(first.status == 200 && first.header("last-modified").is_none(), "{}", first.head);
    // A browser that knows the file from another server.
    let again = server.ask(&format!(
        "GET /site.css HTTP/1.1\r\nHost: {}\r\nIf-Modified-Since: Tue, 01 Jan 2999 00:00:00 GMT\r\n\
         Connection: close\r\n\r\n",
        server.address
    ));
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
}

#[test]
fn hosts_rules_are_kept() {
    let site = blog()
        .file(
            "static/_redirects",
            "/old/* /posts/:splat 301\n/posts/a1/ /posts/a2/ 302!\n\
             /away https://other.example/ 301\n/app/* /posts/a3/ 200\n/own/ /posts/a4/\n",
        )
        .file(
            "static/_headers",
            "/*\n  X-Frame-Options: DENY\n  Access-Control-Allow-Origin: *\n  Cache-Control: \
             max-age=99999\n/posts/*\n  X-Post: yes\n",
        )
        .file("static/CNAME", "t.example")
        .file("static/film.mp4", vec![7; 100_000])
        .file("content/own.md", "own\n");
    let server = Server::start(&site, &[]);
    let to = |path: &str| server.get(path).header("location").map(str::to_owned);
    assert_eq!(to("/old/a5/").as_deref(), Some("/posts/a5/"));
    assert_eq!(to("/posts/a1/").as_deref(), Some("/posts/a2/"));
    assert_eq!(to("/away").as_deref(), Some("https://other.example/"));
    assert_eq!(to("/posts/a2").as_deref(), Some("/posts/a2/"));
    assert!(server.get("/app/x/y").text().contains("Text 3."));
    assert!(server.get("/own/").text().contains("own"), "a file comes before a rule without a !");
    let page = server.get("/posts/a2/");
    assert_eq!(
        (page.header("x-frame-options"), page.header("x-post")),
        (Some("DENY"), Some("yes"))
    );
    assert_eq!(
        (page.header("access-control-allow-origin"), page.header("cache-control")),
        (None, Some("no-cache"))
    );
    assert_eq!(server.get("/").header("x-post"), None);
    assert_eq!(server.get("/_headers").status, 404);
    assert_eq!(server.get("/CNAME").text(), "t.example");
    let part = server.ask(&format!(
        "GET /film.mp4 HTTP/1.1\r\nHost: {}\r\nRange: bytes=10-19\r\nConnection: close\r\n\r\n",
        server.address
    ));
    assert_eq!(
        (part.status, part.bytes.len(), part.header("content-type")),
        (206, 10, Some("video/mp4"))
    );
    site.write("static/_redirects", "/old/* /posts/a3/ 302\n");
    server.eventually("the rule is the new one", |s| {
        (s.get("/old/a5/").header("location") == Some("/posts/a3/")).then_some(())
    });
    assert!(server.get("/posts/a1/").text().contains("Text 1."));
}

#[test]
fn slow_and_hostile_clients_do_not_stop_it() {
    let site = blog();
    let server = Server::start(&site, &[]);
    let mut held = Vec::new();
    for i in 0..400 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        // Half a head; nothing; a request whose answer nobody reads.
        let _ = match i % 3 {
            0 => stream.write_all(b"GET / HTTP/1.1\r\nHost: x"),
            1 => Ok(()),
            _ => stream.write_all(
                format!("GET /posts/a1/ HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).as_bytes(),
            ),
        };
        held.push(stream);
    }
    assert_eq!(server.get("/posts/a1/").status, 200);
    let garbage = server.ask("\u{1}\u{2}garbage\r\n\r\n");
    assert!([0, 400].contains(&garbage.status));
    let large = server.ask(&format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n",
        server.address,
        "x".repeat(1 << 20)
    ));
    assert!([0, 400, 431].contains(&large.status), "{}", large.status);
    let many: String = (0..2000).map(|i| format!("X-{i}: 1\r\n")).collect();
    let many = server.ask(&format!("GET / HTTP/1.1\r\nHost: {}\r\n{many}\r\n", server.address));
    assert!([0, 400, 431].contains(&many.status), "{}", many.status);
    site.write("content/posts/a1.md", "---\ndate: 2026-01-01\n---\nstill there\n");
    server.shows("/posts/a1/", "still there");
    // One that says nothing is hung up on.
    let start = Instant::now();
    held[1].set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    assert_eq!(held[1].read(&mut [0; 16]).unwrap_or(1), 0, "after {:?}", start.elapsed());
}

#[test]
fn drafts_and_the_future_are_marked() {
    let site = blog()
        .file("content/posts/d.md", "---\ntitle: D\ndraft: true\n---\n\nx\n")
        .file("content/posts/f.md", "---\ntitle: F\ndate: 2031-05-04\n---\n\nx\n");
    let server = Server::start(&site, &[]);
    assert_eq!((server.get("/posts/d/").status, server.get("/posts/f/").status), (404, 404));
    let server = Server::start(&site, &["--drafts", "--future"]);
    assert!(server.get("/posts/d/").text().contains("data-note=\"Draft\""));
    assert!(server.get("/posts/f/").text().contains("data-note=\"To be published on 4 May 2031\""));
    assert!(
        server.get("/posts/a1/").text().contains("data-note=\"With drafts and future articles\"")
    );
    assert!(server.get("/posts/").text().contains(">D<"));
}

#[test]
fn an_article_comes_out_when_its_time_has_come() {
    let site = blog();
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4);
    site.write("content/posts/soon.md", format!("---\ntitle: S\ndate: {at}\n---\n\nnow\n"));
    let server = Server::start_by_the_clock(&site);
    assert_eq!(server.get("/posts/soon/").status, 404);
    server.shows("/posts/soon/", "now");
    assert!(jiff::Timestamp::now().as_second() >= at.as_second());
}

#[test]
fn addresses_and_ports() {
    let site = blog();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = site.folio(&["serve", "--port", &port]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains(&format!("port {port} is in use by "))
            && run.stderr.contains(&std::process::id().to_string()),
        "{}",
        run.stderr
    );
    assert_eq!(site.folio(&["serve", "--bind", "example.org"]).code, 2);
    let elsewhere = Site::bare();
    assert_eq!(
        site.folio(&["serve", "--port", "0", "--root", elsewhere.path("none").to_str().unwrap()])
            .code,
        1
    );
    if TcpStream::connect("[::1]:1")
        .is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused)
    {
        let server = Server::start(&site, &["--bind", "::1"]);
        assert!(server.address.is_ipv6());
        assert!(server.get("/posts/a1/").text().contains("Text 1."));
        let both = Server::start(&site, &["--bind", "localhost"]);
        assert!(both.said().contains(" and http://[::1]:"), "{}", both.said());
    } else {
        crate::common::skip("this machine has no IPv6");
    }
}

#[test]
fn without_events_everything_is_looked_at() {
    let site = blog();
    let server = Server::start(&site, &["--poll"]);
    site.write("content/posts/a1.md", "---\ndate: 2026-01-01\n---\npolled\n");
    server.shows("/posts/a1/", "polled");
    fs::rename(site.path("content/posts/a1.md"), site.path("content/posts/b1.md")).unwrap();
    server.answers("/posts/a1/", 302);
    assert_same(&server, &site, "polling");
}

#[test]
fn what_was_read_is_kept_and_builds_go_on_beside() {
    let site = blog();
    let server = Server::start(&site, &[]);
    site.write("content/posts/a1.md", "---\ntitle: T\ndate: 2026-01-01\n---\n\nedited\n");
    server.shows("/posts/a1/", "edited");
    site.build();
    site.write("content/posts/a2.md", "---\ntitle: T\ndate: 2026-01-02\n---\n\nedited too\n");
    server.shows("/posts/a2/", "edited too");
    server.stop();
    let run = site.folio(&["build", "--stats", "json"]);
    let stats: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(stats["parsed"], 0, "{}", run.stdout);
    // A site that cannot be written to is served all the same.
    let sealed = blog().file(".folio", "a file where the folder should be");
    let server = Server::start(&sealed, &[]);
    assert!(server.get("/posts/a1/").text().contains("Text 1."));
    server.eventually("it is told", |s| {
        s.said().contains("parsed articles are not cached").then_some(())
    });
}

#[test]
fn code_is_coloured_from_the_first_page_on() {
    let site = Site::new();
    for i in 0..300 {
        site.write(
            &format!("content/c{i}.md"),
            format!("---\ntitle: C{i}\n---\n\n```rust\nfn number_{i}() {{}}\n```\n"),
        );
    }
    let server = Server::start(&site, &[]);
    let first = server.get("/c299/").page();
    server
        .eventually("what was read is kept", |_| site.path(".folio/files").exists().then_some(()));
    assert_eq!(server.get("/c299/").page(), first);
    let run = site.folio(&["build", "--stats", "json"]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["parsed"],
        0,
        "{}",
        run.stdout
    );
    assert!(String::from_utf8_lossy(&first).contains("<span class="));
    assert_same(&server, &site, "with code");
}

#[test]
fn many_files_at_once_are_one_change() {
    const FILES: usize = 5000;
    let site = blog();
    let write = |round: usize| {
        for i in 0..FILES {
            site.write(
                &format!("content/many/b{i}.md"),
                format!("---\ntitle: B{i}\n---\n\nround {round}\n"),
            );
        }
    };
    write(0);
    let server = Server::start(&site, &[]);
    let changes = |s: &Server| s.said().lines().filter(|l| l.contains(" → ")).count();
    write(1);
    server.eventually("the change is told", |s| s.said().contains("5000 files → ").then_some(()));
    for i in 0..FILES {
        if i % 97 == 0 || i == FILES - 1 {
            assert!(
                server.get(&format!("/many/b{i}/")).text().contains("round 1"),
                "b{i} was missed"
            );
        }
    }
    assert_eq!(changes(&server), 1, "{}", server.said());
    fs::remove_dir_all(site.path("content/many")).unwrap();
    server.answers("/many/b7/", 404);
    assert_same(&server, &site, "after a burst");
}

/// Pages that are asked for all the while, by threads of their own.
fn with_readers<T>(server: &Server, work: impl FnOnce() -> T) -> T {
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for start in 0..3 {
            let stop = &stop;
            scope.spawn(move || {
                let paths =
                    ["/", "/posts/", "/atom.xml", "/tags/", "/nope/", "/style.css", "/sitemap.xml"];
                for i in start.. {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                    let answer =
                        server.get(&format!("{}{}", server.prefix, paths[i % paths.len()]));
                    assert!(answer.status != 0, "no answer\n{}", server.said());
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        }
        let result = work();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        result
    })
}

#[cfg(target_os = "linux")]
fn open_files(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

#[cfg(target_os = "linux")]
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// `FOLIO_SOAK` edits (2,000 where the tools are required, else 200), `FOLIO_SEED` to run a failure
/// again.
#[test]
#[cfg(target_os = "linux")]
fn after_thousands_of_edits_it_is_still_right() {
    let usual = if std::env::var_os("FOLIO_REQUIRE_TOOLS").is_some() { 2000 } else { 200 };
    let (edits, seed) = (number("FOLIO_SOAK", usual), number("FOLIO_SEED", 1));
    let mut everything = Everything::new(seed);
    let server = Server::start(&everything.site, &[]);
    let (mut done, mut early) = (0, None);
    with_readers(&server, || {
        while done < edits {
            done += everything.edit().len().max(1) as u64;
            // Not always, so that some edits come while others are taken in.
            if done % 5 > 0 {
                std::thread::sleep(Duration::from_millis(100));
            }
            if early.is_none() && done > edits / 4 {
                early = Some((open_files(&server), memory(&server)));
            }
        }
    });
    // The last edits may have left the site broken: what is wrong is taken away, which is more to
    // follow.
    let site = &everything.site;
    for _ in 0..50 {
        let run = site.folio(&["build"]);
        if run.code == 0 {
            break;
        }
        for file in run
            .stderr
            .lines()
            .filter_map(|l| l.trim_start().strip_prefix("--> "))
            .filter_map(|l| l.split(':').next())
        {
            if file == "site.toml" {
                site.write(file, "title = \"T\"\nbase_url = \"https://t.example/p\"\n");
            } else if site.path(file).exists() {
                site.remove(file);
            }
        }
    }
    site.build();
    let output = everything.site.output();
    for (name, bytes) in &output {
        let path = folio::paths::percent_encode(&format!("{}/{name}", server.prefix));
        server.eventually(&format!("{path} is as it is built (seed {seed})"), |s| {
            (s.get(&path).page() == *bytes).then_some(())
        });
    }
    let (files, megabytes) = early.unwrap();
    assert!(open_files(&server) <= files + 16, "{} open files after {files}", open_files(&server));
    assert!(memory(&server) <= megabytes * 3 / 2 + 64, "{} MiB after {megabytes}", memory(&server));
}
