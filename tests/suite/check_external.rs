//! `folio check --external` against a host on this machine.

use std::time::{Duration, Instant};

use crate::common::Site;
use crate::common::web::{Host, Reply, reply};
use assert_cmd::Command;

const OK: &str = "200 OK";

/// A site with one article that links to these addresses, and these settings.
fn site(settings: &str, urls: &[String]) -> Site {
    let links: String = urls.iter().map(|url| format!("[x]({url})\n")).collect();
    Site::bare()
        .file(
            "site.toml",
            format!(
                "title = \"T\"\nbase_url = \"https://t.example\"\n\
                                    description = \"A site.\"\n[check.external]\n{settings}\n"
            ),
        )
        .file("content/_index.md", "")
        .file(
            "content/a.md",
            format!(
                "---\ntitle: A\ndescription: What a is.\ndate: 2026-01-02\n\
                                       ---\n\n{links}"
            ),
        )
}

/// Checks at this second, and returns what was said; proxies of the machine are for others.
fn check_at(site: &Site, second: u64) -> String {
    let mut command = Command::cargo_bin("folio").unwrap();
    command
        .current_dir(site.root())
        .env("SOURCE_DATE_EPOCH", second.to_string())
        .env("NO_PROXY", "127.0.0.1")
        .args(["check", "--external"]);
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

const NOW: u64 = 1_795_000_000;

fn check(site: &Site) -> String {
    check_at(site, NOW)
}

/// What is said of each address: its part behind the host.
fn problems(said: &str, host: &Host) -> Vec<String> {
    let start = format!("`{}", host.url(""));
    said.lines()
        .filter_map(|l| {
            Some(
                l.strip_prefix("error[external-link]: ")?
                    .strip_prefix(&start)?
                    .replacen('`', "", 1),
            )
        })
        .collect()
}

#[test]
fn answers() {
    let loop_head: &'static str = "302 Found\r\nLocation: /loop";
    let host = Host::start(&[
        ("HEAD /good", &[reply(OK)]),
        ("HEAD /refused", &[reply("405 Method Not Allowed")]),
        ("GET /refused", &[reply(OK)]),
        ("HEAD /moved", &[reply("301 Moved Permanently\r\nLocation: /good")]),
        ("HEAD /loop", &[reply(loop_head)]),
        ("GET /loop", &[reply(loop_head)]),
        ("HEAD /file", &[reply("302 Found\r\nLocation: ftp://127.0.0.1/x")]),
        ("HEAD /tired", &[reply("500 Internal Server Error")]),
        ("GET /tired", &[reply("500 Internal Server Error"), reply(OK)]),
        ("HEAD /down", &[reply("503 Service Unavailable")]),
        ("GET /down", &[reply("503 Service Unavailable")]),
        ("HEAD /busy", &[reply("429 Too Many Requests\r\nRetry-After: 1"), reply(OK)]),
        ("GET /odd", &[reply("418 I'm a teapot")]),
    ]);
    let paths = [
        "/good",
        "/good#part",
        "/refused",
        "/moved",
        "/loop",
        "/file",
        "/tired",
        "/down",
        "/busy",
        "/odd",
        "/none?a=1&b=2",
    ];
    let mut urls: Vec<String> = paths.iter().map(|p| host.url(p)).collect();
    urls.push("http://127.0.0.1:1/closed".into());
    urls.push(format!("https://{}/not-secure", host.address));
    let site = site("retries = 1\naccept = [418]", &urls);
    let said = check(&site);
    assert_eq!(
        problems(&said, &host),
        [
            "/loop redirects endlessly, or to something other than a web page",
            "/file redirects endlessly, or to something other than a web page",
            "/down responds with 503 Service Unavailable",
            "/none?a=1&b=2 responds with 404 Not Found",
        ]
    );
    assert!(said.contains("`http://127.0.0.1:1/closed` cannot be connected to"), "{said}");
    assert!(
        said.contains(&format!(
            "error[external-link]: `https://{}/not-secure` cannot be connected to",
            host.address
        )),
        "{said}"
    );
    assert!(said.contains("--> content/a.md:11:1"), "{said}");
    assert!(said.contains(", 12 external links: 6 errors"), "{said}");
    let asked = host.asked();
    let count = |request: &str| asked.iter().filter(|r| *r == request).count();
    assert_eq!(
        (
            count("HEAD /good"),
            count("GET /good"),
            count("GET /refused"),
            count("GET /down"),
            count("GET /busy")
        ),
        (2, 0, 1, 2, 0),
        "{asked:?}"
    );
}

#[test]
fn without_the_option_nobody_is_asked() {
    let host = Host::start(&[]);
    let site = site("", &[host.url("/x")]);
    let run = site.folio(&["check"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(host.asked().is_empty());
}

#[test]
fn a_plea_to_wait_is_heard() {
    let host = Host::start(&[(
        "HEAD /busy",
        &[reply("429 Too Many Requests\r\nRetry-After: 2"), reply(OK)],
    )]);
    let start = Instant::now();
    let said = check(&site("", &[host.url("/busy")]));
    assert!(problems(&said, &host).is_empty(), "{said}");
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_slow_host_is_given_up() {
    let slow = || [Reply(OK, Duration::from_secs(20))];
    let host = Host::start(&[("HEAD /slow", &slow()), ("GET /slow", &slow())]);
    let start = Instant::now();
    let said = check(&site("timeout = 1\nretries = 0", &[host.url("/slow")]));
    assert_eq!(problems(&said, &host), ["/slow does not respond in time"]);
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn answers_are_remembered() {
    let host = Host::start(&[
        ("HEAD /good", &[reply(OK)]),
        ("HEAD /down", &[reply("500 Internal Server Error")]),
        ("GET /down", &[reply("500 Internal Server Error")]),
    ]);
    let site = site(
        "retries = 0\ncache_days = 2",
        &[host.url("/good"), host.url("/gone"), host.url("/down")],
    );
    let first = check(&site);
    assert_eq!(host.asked(), ["GET /down", "GET /gone", "HEAD /down", "HEAD /gone", "HEAD /good"]);
    // What works and what is gone is known; what was down is asked for again.
    let second = check_at(&site, NOW + 60);
    assert_eq!(host.asked(), ["GET /down", "HEAD /down"]);
    assert_eq!(problems(&first, &host), problems(&second, &host));
    assert!(second.contains("3 external links (2 from the cache)"), "{second}");
    check_at(&site, NOW + 3600);
    assert_eq!(host.asked(), ["GET /down", "GET /gone", "HEAD /down", "HEAD /gone"]);
    check_at(&site, NOW + 2 * 24 * 3600);
    assert!(host.asked().contains(&"HEAD /good".to_owned()));
    // A damaged memory is none.
    std::fs::write(site.path(".folio/links"), "x").unwrap();
    check_at(&site, NOW + 2 * 24 * 3600);
    assert!(host.asked().contains(&"HEAD /good".to_owned()));
}

#[test]
fn the_allow_list_is_left_alone() {
    let host = Host::start(&[]);
    let site = site(
        &format!("allow = [\"{}/private/*\"]", host.url("")),
        &[host.url("/private/x"), host.url("/public")],
    );
    assert_eq!(problems(&check(&site), &host), ["/public responds with 404 Not Found"]);
    assert_eq!(host.asked(), ["GET /public", "HEAD /public"]);
}

#[test]
fn a_host_is_not_overrun() {
    let urls = |host: &Host| (0..12).map(|i| host.url(&format!("/{i}"))).collect::<Vec<_>>();
    let slow = [Reply(OK, Duration::from_millis(60))];
    let paths: Vec<String> = (0..12).map(|i| format!("HEAD /{i}")).collect();
    let answers: Vec<(&str, &[Reply])> =
        paths.iter().map(|p| (p.as_str(), slow.as_slice())).collect();
    for limit in [1, 3] {
        let host = Host::start(&answers);
        let said = check(&site(&format!("per_host = {limit}"), &urls(&host)));
        assert!(said.contains("12 external links: 0 errors"), "{said}");
        assert_eq!(host.most(), limit, "per_host = {limit}");
    }
}

#[test]
fn the_level_and_the_page() {
    let host = Host::start(&[]);
    let site = site("", &[host.url("/x"), host.url("/x")]);
    site.write(
        "content/b.md",
        format!(
            "---\ntitle: B\ndescription: What b is.\ndate: 2026-01-02\n---\n\n[y]({})\n",
            host.url("/x")
        ),
    );
    let config = std::fs::read_to_string(site.path("site.toml")).unwrap();
    site.write("site.toml", config.clone() + "[check]\nexternal-link = \"warning\"\n");
    let said = check(&site);
    assert!(said.contains("content/a.md:7:1") && said.contains("content/b.md:7:1"), "{said}");
    assert!(said.ends_with("1 external link: 0 errors, 2 warnings\n"), "{said}");
    site.write("site.toml", config + "[check]\nexternal-link = \"off\"\n");
    host.asked();
    assert!(check(&site).ends_with("0 errors, 0 warnings\n"));
    assert!(host.asked().is_empty());
}
