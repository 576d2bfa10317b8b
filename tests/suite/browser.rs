//! The preview in a real browser: what is saved comes to the screen, and what the reader was doing
//! goes on.

use std::fs;

use crate::common::Site;
use crate::common::browser::Browser;
use crate::common::server::Server;

/// A template with what a page may have: a form, details, a video, a script that changes the page.
const PAGE: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ page.title }}</title>
<link rel="stylesheet" href="{{ asset(path="look.css") }}"><script src="/page.js" defer></script></head>
<body><input id="field"><details id="d"><summary>More</summary>inside</details><video id="v" src="/film.webm" muted loop></video>
<main>{{ page.content }}</main><img id="pic" src="/pic.svg"><p id="foot">foot</p></body></html>"#;

fn article(words: &str) -> String {
    let long: String = (0..60).map(|i| format!("Paragraph {i} of the article.\n\n")).collect();
    format!("---\ntitle: A\ndate: 2026-01-01\n---\n\n{words}\n\n{long}")
}

fn site() -> Site {
    let picture = |width: u32| {
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"10\"/>")
    };
    Site::new()
        .file("templates/page.html", PAGE)
        .file("static/look.css", "main { color: rgb(1, 2, 3) }")
        .file(
            "static/page.js",
            "document.body.append(Object.assign(document.createElement('aside'\
                                 ), { id: 'made', textContent: 'by script' })); \
                                 document.documentElement.dataset.theme = 'dark';",
        )
        .file("static/pic.svg", picture(10))
        .file("content/a.md", article("first words"))
        .file("content/b.md", article("other page"))
}

/// Opens a page and does what a reader does: writes, opens, scrolls.
fn read(browser: &Browser, server: &Server, path: &str) {
    browser.open(&server.url(path));
    browser.until("document.readyState == 'complete' && document.querySelector('#made')");
    browser.run(
        "window.here = 1; field.value = 'typed'; field.focus(); \
                 field.setSelectionRange(2, 4); d.open = true; scrollTo(0, 500);",
    );
}

/// Nothing of that was lost.
fn assert_undisturbed(browser: &Browser) {
    let state = browser.run(
        "return [window.here, field.value, document.activeElement.id, \
                             field.selectionStart, d.open, Math.round(scrollY), made.textContent, \
                             document.documentElement.dataset.theme]",
    );
    assert_eq!(state, serde_json::json!([1, "typed", "field", 2, true, 500, "by script", "dark"]));
}

#[test]
fn a_save_comes_to_the_screen_and_disturbs_nothing() {
    let Some(browser) = Browser::start() else { return };
    let site = site();
    let server = Server::start(&site, &[]);
    read(&browser, &server, "/a/");
    browser.run("window.kept = document.querySelector('main p:last-child'); window.video = v;");
    site.write("content/a.md", article("second words"));
    browser.until("document.body.innerText.includes('second words')");
    assert_undisturbed(&browser);
    assert_eq!(
        browser.run(
            "return [kept.isConnected, video === v, document.querySelectorAll('#made').length]"
        ),
        serde_json::json!([true, true, 1])
    );
    // A title is in the head too.
    site.write("content/a.md", article("third words").replace("title: A", "title: Another"));
    browser.until("document.title == 'Another' && document.body.innerText.includes('third words')");
    assert_undisturbed(&browser);
    // A style sheet is swapped, a picture fetched anew.
    site.write("static/look.css", "main { color: rgb(4, 5, 6) }");
    browser.until(
        "getComputedStyle(document.querySelector('main')).color == 'rgb(4, 5, 6)' && \
                   document.styleSheets.length == 1",
    );
    site.write(
        "static/pic.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"77\" height=\"10\"/>",
    );
    browser.until("pic.naturalWidth == 77");
    assert_undisturbed(&browser);
    site.write("content/a.md", article("fourth words"));
    browser.until("document.body.innerText.includes('fourth words')");
    assert_eq!(browser.run("return pic.naturalWidth"), 77);
    assert_undisturbed(&browser);
    // The part of the page that a template brings.
    site.write("templates/page.html", PAGE.replace("foot</p>", "another foot</p>"));
    browser.until("foot.innerText == 'another foot'");
    assert_undisturbed(&browser);
}

#[test]
fn playing_media_goes_on() {
    let Some(browser) = Browser::start() else { return };
    let site = site().file(
        "templates/page.html",
        PAGE.replace(
            "<video id=\"v\" src=\"/film.webm\" muted loop></video>",
            "<audio id=\"v\" src=\"/tone.wav\" loop></audio>",
        ),
    );
    site.write("static/tone.wav", tone());
    let server = Server::start(&site, &[]);
    browser.open(&server.url("/a/"));
    browser.until("document.readyState == 'complete'");
    browser.run(
        "v.muted = true; v.play(); window.player = v; v.onpause = () => window.paused = \
                 true; v.onemptied = () => window.paused = true;",
    );
    browser.until("v.currentTime > 0.1");
    site.write("content/a.md", article("second words"));
    browser.until("document.body.innerText.includes('second words')");
    browser.until("v === player && !v.paused && !window.paused && v.currentTime > 0");
}

/// A second of a tone, as WAVE (RIFF).
fn tone() -> Vec<u8> {
    let samples: Vec<u8> = (0..8000_u32).map(|i| if i % 40 < 20 { 120 } else { 136 }).collect();
    let size = u32::try_from(samples.len()).unwrap();
    let mut wave = b"RIFF".to_vec();
    wave.extend((36 + size).to_le_bytes());
    wave.extend(b"WAVEfmt ");
    wave.extend(16_u32.to_le_bytes());
    wave.extend([1, 0, 1, 0]);
    wave.extend(8000_u32.to_le_bytes());
    wave.extend(8000_u32.to_le_bytes());
    wave.extend([1, 0, 8, 0]);
    wave.extend(b"data");
    wave.extend(size.to_le_bytes());
    wave.extend(samples);
    wave
}

#[test]
fn another_script_or_head_reloads_and_comes_back_to_the_place() {
    let Some(browser) = Browser::start() else { return };
    let site = site();
    let server = Server::start(&site, &[]);
    for (edit, so) in [
        (
            (
                "static/page.js",
                "document.body.dataset.script = 'second'; made = document.createElement('i'); \
                 made.id = 'made'; document.body.append(made)"
                    .to_owned(),
            ),
            "document.body.dataset.script == 'second'",
        ),
        (
            (
                "templates/page.html",
                PAGE.replace("<title>", "<meta name=\"new\" content=\"x\"><title>"),
            ),
            "document.querySelector('meta[name=new]')",
        ),
        (
            (
                "templates/page.html",
                PAGE.replace("</main>", "</main><script>window.inline = 1</script>"),
            ),
            "window.inline == 1",
        ),
    ] {
        read(&browser, &server, "/a/");
        site.write(edit.0, edit.1);
        browser.until(&format!("!window.here && ({so})"));
        // What was opened is closed, so that the same text stands a line further up.
        browser.until("Math.abs(scrollY - 500) < 40");
    }
}

#[test]
fn a_rename_is_followed_and_each_browser_hears_of_its_own_page() {
    let (Some(one), Some(two)) = (Browser::start(), Browser::start()) else { return };
    let site = site();
    let server = Server::start(&site, &[]);
    read(&one, &server, "/a/");
    read(&two, &server, "/b/");
    two.run(
        "window.fetches = 0; const f = fetch; window.fetch = (...a) => \
             { fetches += 1; return f(...a); }",
    );
    site.write("content/a.md", article("only for one"));
    one.until("document.body.innerText.includes('only for one')");
    site.write("content/b.md", article("only for two"));
    two.until("document.body.innerText.includes('only for two')");
    assert_eq!(two.run("return fetches"), 1, "a page that had not changed was fetched");
    assert_undisturbed(&one);
    assert_undisturbed(&two);
    fs::rename(site.path("content/a.md"), site.path("content/c.md")).unwrap();
    one.until("location.pathname == '/c/' && document.body.innerText.includes('only for one')");
    assert!(two.url().ends_with("/b/"));
    site.remove("content/c.md");
    one.until("document.querySelector('a.site-name')");
    site.write("content/c.md", article("back again"));
    one.until("document.body.innerText.includes('back again')");
}

#[test]
fn errors_lie_over_the_last_good_page_until_they_are_mended() {
    let Some(browser) = Browser::start() else { return };
    let site = site();
    let server = Server::start_with(
        &site,
        &[],
        &[("FOLIO_EDITOR_URL", "editor://open?file={path}&line={line}")],
    );
    read(&browser, &server, "/a/");
    site.write(
        "content/b.md",
        "---\ntitle: B\n---\n\n{{<nothing a=\"\
                                <img src=x onerror='window.hacked=1'>\" />}}\n\n[x](nowhere.md)\n",
    );
    browser.until(
        "document.querySelector('folio-problems')?.shadowRoot.querySelectorAll('article'\
                   ).length == 2",
    );
    let text = browser.run(
        "return document.querySelector('folio-problems').shadowRoot.querySelect\
                            or('main').innerText",
    );
    let text = text.as_str().unwrap();
    assert!(
        text.contains("2 errors")
            && text.contains("component `nothing` does not exist")
            && text.contains("content/b.md:5:1"),
        "{text}"
    );
    assert!(text.contains("onerror='window.hacked=1'"), "{text}");
    let inner = browser.run(
        "const s = document.querySelector('folio-problems').shadowRoot; \
                             return [s.querySelectorAll('img, b').length, window.hacked, \
                             s.querySelector('mark').textContent.slice(0, 11), \
                             s.querySelector('a').getAttribute('href').replace(/.*content/, '')]",
    );
    assert_eq!(inner, serde_json::json!([0, null, "{{<nothing ", "/b.md&line=5"]));
    // It had the focus, and gives it back.
    browser
        .run("document.querySelector('folio-problems').shadowRoot.querySelector('button').click()");
    assert_eq!(browser.run("return document.activeElement.id"), "field");
    // The page below it is as it was, and so is one that is visited now.
    assert_eq!(
        browser.run(
            "return [window.here, field.value, document.querySelector('main').innerText.in\
                     cludes('first words')]"
        ),
        serde_json::json!([1, "typed", true])
    );
    browser.open(&server.url("/"));
    browser.until("document.querySelector('folio-problems')");
    browser.run(
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))",
    );
    browser.until("!document.querySelector('folio-problems')");
    site.write("templates/page.html", "{{ page.");
    browser.until(
        "document.querySelector('folio-problems')?.shadowRoot.textContent.includes('temp\
                   lates/page.html:1')",
    );
    site.write("templates/page.html", PAGE);
    site.write("content/b.md", article("right"));
    browser.until("!document.querySelector('folio-problems')");
    // A page that never was right comes by itself.
    site.write("content/new.md", "{{<nothing />}}\n");
    server.answers("/new/", 500);
    browser.open(&server.url("/new/"));
    browser.until("document.body.innerText.includes('This page has errors')");
    site.write("content/new.md", "now it can\n");
    browser.until(
        "document.body.innerText.includes('now it can') && \
                   !document.querySelector('folio-problems')",
    );
}

#[test]
fn a_page_hears_again_when_the_server_comes_back() {
    let Some(browser) = Browser::start() else { return };
    let site = site().file("content/d.md", "---\ntitle: D\ndraft: true\n---\n\na draft\n");
    let server = Server::start(&site, &["--drafts"]);
    let port = server.address.port().to_string();
    browser.open(&server.url("/d/"));
    browser.until("document.querySelector('folio-note')?.shadowRoot.textContent == 'Draft'");
    read(&browser, &server, "/a/");
    server.stop();
    site.write("content/a.md", article("while it was away"));
    let again = Server::start(&site, &["--drafts", "--port", &port]);
    browser.until("document.body.innerText.includes('while it was away')");
    assert_undisturbed(&browser);
    site.write(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[markdown]\nsmart_punctuation = false\n",
    );
    site.write("content/a.md", article("after that"));
    browser.until("document.body.innerText.includes('after that')");
    drop(again);
}

/// The default theme, as a person sees it: pictures go to `FOLIO_PICTURES` where that is set.
#[test]
fn the_own_site_is_shown_without_a_word_in_the_console() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::bare();
    for folder in ["content", "templates", "static", "data"] {
        crate::common::copy(&crate::common::project().join(folder), &site.path(folder));
    }
    site.write("site.toml", fs::read(crate::common::project().join("site.toml")).unwrap());
    let server = Server::start(&site, &[]);
    let keep = |name: &str| {
        if let Some(folder) = std::env::var_os("FOLIO_PICTURES") {
            fs::write(std::path::Path::new(&folder).join(name), browser.picture()).unwrap();
        }
    };
    for (width, name) in [(1280, "wide"), (400, "narrow")] {
        browser.resize(width, 900);
        browser.open(&server.url("/"));
        browser.until("document.readyState == 'complete'");
        keep(&format!("{name}.png"));
        assert_eq!(browser.run("return document.documentElement.scrollWidth > innerWidth"), false);
        site.write(
            "content/posts/broken.md",
            "---\ntitle: Broken\ndate: 2026-06-12\n---\n\n\
                                               See [the other](missing.md) for more.\n\n\
                                               {{<calout>}}\n",
        );
        browser.until("document.querySelector('folio-problems')");
        keep(&format!("{name}-errors.png"));
        site.remove("content/posts/broken.md");
        browser.until("!document.querySelector('folio-problems')");
    }
}
