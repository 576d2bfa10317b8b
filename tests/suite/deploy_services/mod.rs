//! `folio deploy` to Netlify and Cloudflare Pages: the real program against stand-ins of their
//! APIs, written from the APIs' documentation. Nothing here has been tried against the real
//! services.

mod cloudflare;
mod fake_service;
mod netlify;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::Value;

use self::cloudflare::Cloudflare;
use self::fake_service::{FakeService, Reply};
use self::netlify::Netlify;
use crate::common::{Run, Site};

const MANIFEST: &str = ".folio-manifest.json";

/// A site with a few pages, deployed to where `[deploy.x]` says.
fn site(deploy: &str) -> Site {
    let site =
        Site::new().file("content/posts/a.md", "---\ntitle: A\ndate: 2026-01-01\n---\nOne.\n");
    let site = site.file("content/posts/b.md", "---\ntitle: B\ndate: 2026-01-02\n---\nTwo.\n");
    let site = site
        .file("static/a space/ä.txt", "odd name")
        .file("static/twice.txt", "odd name")
        .file("static/_headers", "/*\n  X-A: 1\n");
    let config = format!("title = \"T\"\nbase_url = \"https://t.example\"\n[deploy.x]\n{deploy}");
    site.file("site.toml", config)
}

fn at_netlify(host: &FakeService<Netlify>) -> Site {
    site(&format!("target = \"netlify\"\nsite = \"my.site\"\nendpoint = \"{}/\"\n", host.url))
}

fn at_cloudflare(host: &FakeService<Cloudflare>, branch: &str) -> Site {
    let names = "target = \"cloudflare-pages\"\naccount_id = \"acc\"\nproject = \"proj\"\n";
    site(&format!("{names}branch = \"{branch}\"\nendpoint = \"{}\"\n", host.url))
}

/// Runs folio with tokens in its environment.
fn folio_with(site: &Site, netlify: Option<&str>, cloudflare: Option<&str>, args: &[&str]) -> Run {
    let mut command = Command::cargo_bin("folio").unwrap();
    command
        .current_dir(site.root())
        .env("SOURCE_DATE_EPOCH", "1795000000")
        .env("NO_PROXY", "*")
        .args(args);
    for (name, token) in [("NETLIFY_AUTH_TOKEN", netlify), ("CLOUDFLARE_API_TOKEN", cloudflare)] {
        match token {
            Some(token) => command.env(name, token),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn folio(site: &Site, args: &[&str]) -> Run {
    folio_with(site, Some(netlify::TOKEN), Some(cloudflare::TOKEN), args)
}

/// Deploys, which must go well, and returns the report.
#[track_caller]
fn deploy(site: &Site) -> Value {
    let run = folio(site, &["deploy", "--yes", "--report", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Deploys, which must fail, and returns what was said.
#[track_caller]
fn fails(site: &Site) -> String {
    let run = folio(site, &["deploy", "--yes"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let shown = run.stderr.replace('\n', "");
    assert!(!shown.contains("good_token") && !shown.contains("panicked"), "{}", run.stderr);
    run.stderr
}

/// A site without Folio's own file.
fn shown(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    assert!(files.remove(MANIFEST).is_some(), "the manifest goes with the site");
    files
}

fn of(value: &Value, key: &str) -> Vec<String> {
    let path = |v: &Value| v.as_str().or_else(|| v["path"].as_str()).unwrap().to_owned();
    let mut paths: Vec<String> = value[key].as_array().unwrap().iter().map(path).collect();
    paths.sort();
    paths
}

mod at_netlify {
    use super::*;

    fn start() -> FakeService<Netlify> {
        FakeService::start(Netlify::default())
    }

    /// Paths that were sent, without the manifest.
    fn sent(host: &FakeService<Netlify>) -> Vec<String> {
        let puts = host.asked("PUT /deploys/");
        let mut paths: Vec<String> = puts
            .iter()
            .map(|a| a.path.splitn(5, '/').nth(4).unwrap().to_owned())
            .filter(|p| p != MANIFEST)
            .collect();
        paths.sort();
        paths
    }

    #[test]
    fn a_site_goes_there_and_then_only_what_changed() {
        let host = start();
        let site = at_netlify(&host);
        let report = deploy(&site);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
        assert_eq!(of(&report, "new"), site.names());
        // Two files have the same content.
        assert_eq!(sent(&host).len(), site.names().len() - 1);

        host.forget();
        let report = deploy(&site);
        assert!(of(&report, "new").is_empty() && of(&report, "changed").is_empty());
        assert!(host.asked("POST").is_empty() && host.asked("PUT").is_empty());

        site.write("content/posts/a.md", "---\ntitle: A\ndate: 2026-01-01\n---\nOther words.\n");
        let before = site.output();
        host.forget();
        let report = deploy(&site);
        let after = site.output();
        let changed: Vec<String> = after
            .iter()
            .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
            .map(|(path, _)| path.clone())
            .collect();
        assert!(changed.contains(&"posts/a/index.html".to_owned()) && changed.len() < after.len());
        assert_eq!((sent(&host), of(&report, "changed")), (changed.clone(), changed));
        assert_eq!(shown(host.with(|n| n.site())), after);

        site.remove("content/posts/b.md");
        let report = deploy(&site);
        assert!(of(&report, "deleted").contains(&"posts/b/index.html".to_owned()));
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn many_files_are_worked_through_after_the_answer() {
        let host = start();
        let site = at_netlify(&host);
        for n in 0..120 {
            site.write(&format!("static/many/{n}.txt"), format!("file {n}"));
        }
        deploy(&site);
        assert_eq!(host.asked("POST /sites/my.site/deploys")[0].json()["async"], true);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn the_manifest_is_found_at_the_site_where_the_api_does_not_give_it() {
        let host = start();
        host.with(|n| n.hides_raw = true);
        let site = at_netlify(&host);
        deploy(&site);
        host.forget();
        deploy(&site);
        assert!(host.asked("POST").is_empty() && !host.asked("GET /shown/").is_empty());

        // Nor there: then nothing is known, and still nothing is sent that is there.
        host.fail("GET /shown/", 1, Reply::bytes(200, "<!doctype html>another page"));
        let report = deploy(&site);
        assert_eq!(of(&report, "new"), site.names());
        assert!(sent(&host).is_empty());
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn a_dry_run_changes_nothing() {
        let host = start();
        let site = at_netlify(&host);
        let run = folio(&site, &["deploy", "--dry-run"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("+ index.html (new)"), "{}", run.stderr);
        assert!(host.asked("POST").is_empty() && host.with(|n| n.deploys.is_empty()));
    }

    #[test]
    fn without_the_right_token_nothing_goes() {
        let host = start();
        let site = at_netlify(&host);
        for (token, words) in [
            (Some("nfp_wrong"), "responded with 401: Access Denied[2J"),
            (None, "NETLIFY_AUTH_TOKEN is not set"),
            (Some("a b"), "is not a token"),
        ] {
            let run = folio_with(&site, token, None, &["deploy", "--yes"]);
            assert_eq!(run.code, 1, "{}", run.stderr);
            let said = run.stderr.replace('\n', " ");
            assert!(said.contains(words) && said.contains("set NETLIFY_AUTH_TOKEN to"), "{said}");
            assert!(!said.contains('\u{1b}') && !said.contains("nfp_wrong"), "{said}");
        }
        assert!(host.with(|n| n.deploys.is_empty()));
    }

    #[test]
    fn a_token_that_the_host_repeats_is_not_shown() {
        let host = start();
        let site = at_netlify(&host);
        host.fail(
            "GET /sites",
            1,
            Reply::json(
                400,
                &serde_json::json!({"message": format!("bad token {}", netlify::TOKEN)}),
            ),
        );
        assert!(fails(&site).contains("bad token …"));
    }

    #[test]
    fn what_fails_in_passing_is_tried_again() {
        let host = start();
        let site = at_netlify(&host);
        host.fail("POST /sites/my.site/deploys", 1, Reply::bytes(502, "bad gateway"));
        host.fail("PUT /deploys/", 2, Reply::bytes(500, ""));
        deploy(&site);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
        let sent: Vec<String> = host.asked("PUT").iter().map(fake_service::Asked::line).collect();
        assert!(
            sent.len() > sent.iter().collect::<std::collections::BTreeSet<_>>().len(),
            "one was sent twice"
        );
    }

    #[test]
    fn a_host_that_stays_broken_keeps_its_site() {
        let host = start();
        let site = at_netlify(&host);
        deploy(&site);
        let before = host.with(|n| n.site());
        site.write("static/new.txt", "new");
        host.fail("PUT /deploys/", 100, Reply::bytes(503, ""));
        assert!(fails(&site).contains("responded with 503"));
        assert_eq!(host.with(|n| n.site()), before);
        host.forget();
        deploy(&site);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn a_host_that_asks_for_a_pause_has_one() {
        let host = start();
        let site = at_netlify(&host);
        host.fail("PUT /deploys/", 1, Reply::bytes(429, "").with("retry-after", "2"));
        let start = Instant::now();
        deploy(&site);
        assert!(start.elapsed() >= Duration::from_secs(2));
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn a_deploy_that_comes_to_nothing_says_why() {
        let host = start();
        let site = at_netlify(&host);
        host.with(|n| n.breaks = Some("Failed during stage 'deploy'\u{7}".into()));
        let said = fails(&site);
        assert!(said.contains("Failed during stage 'deploy'") && !said.contains('\u{7}'), "{said}");
    }

    #[test]
    fn hostile_manifests_are_refused_and_can_be_replaced() {
        let host = start();
        let site = at_netlify(&host);
        for bad in [
            r#"{"folio":1,"files":{"../../etc/passwd":{"hash":"00","size":1}}}"#,
            "[]",
            "{\"folio\":99}",
            "\u{1b}[2J",
        ] {
            host.with(|n| n.put(&[(MANIFEST, bad.as_bytes())]));
            let said = fails(&site);
            assert!(said.contains("is invalid") && !said.contains('\u{1b}'), "{said}");
        }
        let run = folio(&site, &["deploy", "--yes", "--force"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn answers_are_not_believed() {
        let host = start();
        let site = at_netlify(&host);
        let deep = "[".repeat(100_000);
        let large = format!("{{\"id\":\"{}\"}}", "x".repeat(2 << 20));
        let odd = [
            "",
            "null",
            "[]",
            "7",
            "{\"published_deploy\":7}",
            "{\"published_deploy\":{\"id\":[]}}",
            "<html>",
            deep.as_str(),
            large.as_str(),
        ];
        for answer in odd {
            host.forget();
            host.fail("GET /sites/my.site", 1, Reply::bytes(200, answer));
            let said = fails(&site);
            assert!(
                said.contains("cannot read the response") || said.contains("is larger than"),
                "{said}"
            );
        }
        for answer in [
            "{}",
            "{\"id\":\"../../x\",\"required\":[]}",
            "{\"id\":7}",
            "{\"id\":\"d0\",\"required\":{}}",
        ] {
            host.forget();
            host.fail("POST /sites/my.site/deploys", 1, Reply::bytes(200, answer));
            fails(&site);
        }
        assert!(host.with(|n| n.deploys.is_empty()));
    }

    #[test]
    fn anothers_site_is_not_written_over() {
        let host = start();
        let site = at_netlify(&host);
        host.with(|n| {
            n.put(&[
                ("a.txt", b"a"),
                ("b.txt", b"b"),
                ("index.html", b"another's"),
                ("z.txt", b"z"),
            ]);
        });
        assert!(fails(&site).contains("`index.html` would be overwritten"));
        assert_eq!(host.with(|n| n.deploys.len()), 1);
        let run = folio(&site, &["deploy", "--yes", "--force"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn a_locked_site_is_left_alone() {
        let host = start();
        let site = at_netlify(&host);
        deploy(&site);
        host.with(|n| n.locked = true);
        site.write("static/new.txt", "new");
        assert!(fails(&site).contains("locked"));
        assert_eq!(host.with(|n| n.deploys.len()), 1);
    }

    #[test]
    fn a_rollback_goes_a_deploy_back() {
        let host = start();
        let site = at_netlify(&host);
        let run = folio(&site, &["deploy", "--rollback"]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains("no earlier deploy"), "{}", run.stderr);
        let mut states = Vec::new();
        for n in 0..3 {
            site.write("static/n.txt", n.to_string());
            deploy(&site);
            states.push(host.with(|n| n.site()));
        }
        host.with(|n| n.deploys[1].state = "error".into());
        let run = folio(&site, &["deploy", "--rollback"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("the deploy of 2026-11-24T10:00:00.123Z"), "{}", run.stderr);
        assert_eq!(host.with(|n| n.site()), states[0]);
        // What is there now is known: the newest goes there again.
        let report = deploy(&site);
        assert_eq!(of(&report, "changed"), ["n.txt"]);
        assert_eq!(shown(host.with(|n| n.site())), site.output());
    }

    #[test]
    fn names_that_it_cannot_have_are_refused_before_anything_goes() {
        let host = start();
        let site = at_netlify(&host).file("static/c#.txt", "x");
        assert!(fails(&site).contains("`c#.txt`"));
        assert!(host.asked("").is_empty());
    }

    #[test]
    fn aliases_are_redirects_before_the_pages_are_shown() {
        let host = start();
        let site = at_netlify(&host)
            .file("content/posts/c.md", "---\ntitle: C\naliases: [/old/, /mine/]\n---\nThree.\n");
        site.write("static/_redirects", "/mine/ /elsewhere/ 302");
        deploy(&site);
        let there = host.with(|n| n.site());
        assert_eq!(
            String::from_utf8_lossy(&there["_redirects"]),
            "/mine/ /elsewhere/ 302\n/old/  /posts/c/  301!\n"
        );
        assert!(there.contains_key("old/index.html"));
        host.forget();
        deploy(&site);
        assert!(host.asked("POST").is_empty());
    }
}

mod at_cloudflare {
    use super::*;

    fn start() -> FakeService<Cloudflare> {
        FakeService::start(Cloudflare::default())
    }

    /// The output as Cloudflare has it: rules are no files.
    fn output(site: &Site) -> BTreeMap<String, Vec<u8>> {
        let mut output = site.output();
        output.retain(|path, _| path != "_headers" && path != "_redirects");
        output
    }

    /// The contents that were sent, without the manifest.
    fn sent(host: &FakeService<Cloudflare>) -> Vec<String> {
        let bundles = host.asked("POST /pages/assets/upload");
        let files = bundles.iter().flat_map(|a| a.json().as_array().unwrap().clone());
        let mut keys: Vec<String> = files
            .filter(|f| f["metadata"]["contentType"] != "application/json")
            .map(|f| f["key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        keys
    }

    fn keys<'a>(files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> Vec<String> {
        let keys: std::collections::BTreeSet<String> =
            files.into_iter().map(|(path, bytes)| cloudflare::key(path, bytes)).collect();
        keys.into_iter().collect()
    }

    #[test]
    fn a_site_goes_there_and_then_only_what_changed() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        let report = deploy(&site);
        assert_eq!(shown(host.with(|c| c.site())), output(&site));
        assert_eq!(of(&report, "new"), site.names());
        assert_eq!(sent(&host), keys(&output(&site)));
        host.with(|c| {
            let first = &c.deployments[0];
            assert_eq!(
                (first.branch.as_str(), first.rules.len(), &first.rules["_headers"]),
                ("main", 1, &site.output()["_headers"])
            );
            assert_eq!(c.assets[&first.files["/index.html"]].1, "text/html; charset=utf-8");
        });
        assert_eq!(host.asked("POST /pages/assets/upsert-hashes").len(), 1);

        host.forget();
        deploy(&site);
        assert!(host.asked("POST").is_empty());

        let before = output(&site);
        site.write("content/posts/a.md", "---\ntitle: A\ndate: 2026-01-01\n---\nOther words.\n");
        deploy(&site);
        let after = output(&site);
        assert_eq!(
            sent(&host),
            keys(after.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes)))
        );
        assert_eq!(shown(host.with(|c| c.site())), after);

        site.remove("content/posts/b.md");
        let report = deploy(&site);
        assert!(of(&report, "deleted").contains(&"posts/b/index.html".to_owned()));
        assert_eq!(shown(host.with(|c| c.site())), output(&site));

        host.forget();
        let run = folio(&site, &["deploy", "--yes", "--force"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(sent(&host), keys(&output(&site)));
    }

    #[test]
    fn a_page_in_the_place_of_the_manifest_is_none() {
        let host = start();
        host.with(|c| c.falls_back = true);
        let site = at_cloudflare(&host, "main");
        deploy(&site);
        host.forget();
        host.fail("GET /shown/", 1, Reply::bytes(200, "<!doctype html>a page"));
        let report = deploy(&site);
        assert_eq!(of(&report, "new"), site.names());
        assert!(sent(&host).is_empty());
        assert_eq!(shown(host.with(|c| c.site())), output(&site));
    }

    #[test]
    fn another_branch_is_a_preview_of_its_own() {
        let host = start();
        let site = at_cloudflare(&host, "next");
        deploy(&site);
        host.forget();
        deploy(&site);
        assert!(host.asked("POST").is_empty());
        assert!(host.with(|c| c.shown.is_none() && shown(c.files(0)) == output(&site)));
        let run = folio(&site, &["deploy", "--rollback"]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains("production branch only"), "{}", run.stderr);
    }

    #[test]
    fn without_the_right_token_nothing_goes() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        for (token, words) in [
            (Some("cf_wrong"), "responded with 403: Authentication error"),
            (None, "CLOUDFLARE_API_TOKEN is not set"),
        ] {
            let run = folio_with(&site, None, token, &["deploy", "--yes"]);
            assert_eq!(run.code, 1, "{}", run.stderr);
            let said = run.stderr.replace('\n', " ");
            assert!(
                said.contains(words)
                    && said.contains("Cloudflare Pages: Edit")
                    && !said.contains("cf_wrong"),
                "{said}"
            );
        }
        assert!(host.with(|c| c.deployments.is_empty() && c.assets.is_empty()));
    }

    #[test]
    fn what_fails_in_passing_is_tried_again() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        host.fail("POST /pages/assets/check-missing", 1, Reply::bytes(500, ""));
        host.fail("POST /pages/assets/upload", 2, Reply::bytes(502, "<html>"));
        host.fail(
            "POST /accounts/acc/pages/projects/proj/deployments",
            1,
            Reply::bytes(429, "").with("retry-after", "1"),
        );
        host.fail("POST /pages/assets/upsert-hashes", 100, Reply::bytes(400, ""));
        deploy(&site);
        assert_eq!(shown(host.with(|c| c.site())), output(&site));
        assert_eq!(host.asked("POST /pages/assets/upload").len(), 3);
    }

    #[test]
    fn a_token_for_uploads_that_runs_out_is_renewed() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        host.fail(
            "POST /pages/assets/upload",
            1,
            Reply::bytes(401, "{\"success\":false,\"errors\":[{\"message\":\"expired\"}]}"),
        );
        deploy(&site);
        assert_eq!(host.with(|c| c.tokens), 2);
        assert_eq!(shown(host.with(|c| c.site())), output(&site));
    }

    #[test]
    fn a_deployment_that_comes_to_nothing_is_an_error() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        host.with(|c| c.breaks = true);
        assert!(fails(&site).contains("has the status"));
        host.fail(
            "POST /accounts",
            1,
            Reply::bytes(
                200,
                r#"{"success":false,"errors":[{"message":"no room\u001b[2J"}],"result":null}"#,
            ),
        );
        let said = fails(&site);
        assert!(said.contains("it was refused: no room[2J") && !said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn hostile_manifests_are_refused_and_can_be_replaced() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        deploy(&site);
        for bad in
            [r#"{"folio":1,"files":{"a/../../x":{"hash":"00","size":1}}}"#, "{", "{\"folio\":99}"]
        {
            host.forget();
            host.fail("GET /shown/", 2, Reply::bytes(200, bad));
            assert!(fails(&site).contains("is invalid"));
            let run = folio(&site, &["deploy", "--yes", "--force"]);
            assert_eq!(run.code, 0, "{}", run.stderr);
        }
    }

    #[test]
    fn answers_are_not_believed() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        for answer in [
            "",
            "null",
            "[]",
            "{\"success\":true}",
            "{\"success\":true,\"result\":[7]}",
            "{\"success\":\"yes\"}",
            "<html>",
            "{\"success\":false,\"errors\":7}",
        ] {
            host.forget();
            host.fail("GET /accounts/acc/pages/projects/proj", 1, Reply::bytes(200, answer));
            fails(&site);
        }
        for answer in [
            r#"{"success":true,"result":{"jwt":7}}"#,
            r#"{"success":true,"result":{"jwt":"a\nb"}}"#,
        ] {
            host.forget();
            host.fail(
                "GET /accounts/acc/pages/projects/proj/upload-token",
                1,
                Reply::bytes(200, answer),
            );
            fails(&site);
        }
        host.fail(
            "POST /accounts/acc/pages/projects/proj/deployments",
            1,
            Reply::bytes(200, r#"{"success":true,"result":{"id":"../x"}}"#),
        );
        assert!(fails(&site).contains("no valid id of a deploy"));
        assert!(host.with(|c| c.deployments.is_empty()));
    }

    #[test]
    fn what_it_does_not_take_is_refused_before_anything_goes() {
        let host = start();
        let site = at_cloudflare(&host, "main").file("static/film.mp4", vec![0; (25 << 20) + 1]);
        assert!(fails(&site).contains("at most 26214400 bytes, but `film.mp4` has 26214401"));
        site.write("static/film.mp4", vec![0; 25 << 20]);
        site.write("static/_worker.js", "export default {}");
        assert!(fails(&site).contains("`_worker.js`"));
        assert!(host.asked("").is_empty());
        site.remove("static/_worker.js");
        deploy(&site);
        assert_eq!(host.with(|c| c.site()["film.mp4"].len()), 25 << 20);
    }

    #[test]
    fn a_rollback_goes_a_deployment_back() {
        let host = start();
        let site = at_cloudflare(&host, "main");
        let mut states = Vec::new();
        for n in 0..2 {
            site.write("static/n.txt", n.to_string());
            deploy(&site);
            states.push(host.with(|c| c.site()));
        }
        let run = folio(&site, &["deploy", "--rollback"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(host.with(|c| c.site()), states[0]);
        assert!(states[0] != states[1]);
        let run = folio(&site, &["deploy", "--rollback"]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains("no earlier deployment"), "{}", run.stderr);
        assert_eq!(of(&deploy(&site), "changed"), ["n.txt"]);
    }

    #[test]
    fn aliases_are_redirects_and_too_many_are_told_of() {
        let host = start();
        let aliases: Vec<String> = (0..2001).map(|n| format!("/old/{n}/")).collect();
        let site = at_cloudflare(&host, "main").file(
            "content/posts/c.md",
            format!("---\ntitle: C\naliases: [{}]\n---\nThree.\n", aliases.join(", ")),
        );
        site.write("static/_redirects", "/news/* /posts/:splat 302\n");
        let run = folio(&site, &["deploy", "--yes"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("1 alias is not in _redirects"), "{}", run.stderr);
        host.with(|c| {
            let rules = String::from_utf8_lossy(&c.deployments[0].rules["_redirects"]).into_owned();
            assert!(
                rules.starts_with("/old/0/  /posts/c/  301\n")
                    && rules.ends_with("301\n/news/* /posts/:splat 302\n"),
                "{rules}"
            );
            assert_eq!(rules.lines().count(), 2001);
            assert!(
                !c.deployments[0].files.contains_key("/_redirects")
                    && c.deployments[0].files.contains_key("/old/2000/index.html")
            );
        });
    }
}

#[test]
fn old_files_cannot_be_kept_where_a_deploy_is_the_whole_site() {
    let site = site("target = \"netlify\"\nsite = \"s\"\nkeep_assets_days = 3\n");
    let run = folio(&site, &["deploy"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("each deploy replaces the whole site"), "{}", run.stderr);
}
