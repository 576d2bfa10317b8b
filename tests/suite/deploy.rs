//! Stories of deploying: a site, a real host, a look at what is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::hosts::{Failure, Nginx, Proxy, Repository, S3, Sshd, WebDav, small_disk};
use crate::common::{Run, Site, files};
use serde_json::Value;

type Files = BTreeMap<String, Vec<u8>>;

/// A host under test, as its own tools see it.
trait Place {
    /// The table of `site.toml`.
    fn table(&self) -> String;
    fn env(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// What is there, Folio's own files too.
    fn all(&self) -> Files;
    /// Puts a file there behind Folio's back.
    fn put(&self, name: &str, content: &[u8]);

    /// What is there, without Folio's own files.
    fn files(&self) -> Files {
        self.all().into_iter().filter(|(name, _)| !name.starts_with(".folio-")).collect()
    }
}

fn site(table: &str) -> Site {
    let article = |n: usize| {
        format!("---\ntitle: Article {n}\ndate: 2026-01-0{n}\ncategory: Notes\n---\n\nText {n}.\n")
    };
    let site = Site::new()
        .file("static/app.3f2a9c1b.js", "let a = 1;")
        .file("static/sub/plain.txt", "plain");
    for n in 1..6 {
        site.write(&format!("content/posts/a{n}.md"), article(n));
    }
    configure(&site, table);
    site
}

fn configure(site: &Site, table: &str) {
    site.write(
        "site.toml",
        format!("title = \"T\"\nbase_url = \"https://t.example\"\n\n{table}\n"),
    );
}

fn deploy(site: &Site, env: &[(String, String)], args: &[&str]) -> Run {
    at(1_795_000_000, site, env, args)
}

/// Runs `folio deploy` as of a second.
fn at(now: i64, site: &Site, env: &[(String, String)], args: &[&str]) -> Run {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("folio"));
    command
        .current_dir(site.root())
        .env("SOURCE_DATE_EPOCH", now.to_string())
        .envs(env.iter().cloned())
        .arg("deploy")
        .args(args);
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn deploys(site: &Site, place: &dyn Place) -> Value {
    let run = deploy(site, &place.env(), &["--report", "json", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[track_caller]
fn fails(site: &Site, place: &dyn Place, args: &[&str]) -> String {
    let run = deploy(site, &place.env(), args);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    run.stderr
}

fn strings(report: &Value, key: &str) -> Vec<String> {
    report[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().or(v["path"].as_str()).unwrap().to_owned())
        .collect()
}

/// What every host must do.
#[track_caller]
fn story(place: &dyn Place) -> Site {
    let site = site(&place.table());
    place.put("by-hand.txt", b"mine");
    let is_foreign = |files: &mut Files| {
        assert_eq!(
            files.remove("by-hand.txt").as_deref(),
            Some(&b"mine"[..]),
            "a foreign file was touched"
        );
    };
    let there = || {
        let mut files = place.files();
        is_foreign(&mut files);
        files
    };

    let plan = deploy(&site, &place.env(), &["--dry-run"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(plan.stderr.contains("+ index.html (new)"), "{}", plan.stderr);
    assert!(there().is_empty(), "a dry run wrote something");

    let first = deploys(&site, place);
    assert_eq!(there(), site.output(), "the first deploy");
    assert_eq!(strings(&first, "new").len(), site.output().len());

    let second = deploys(&site, place);
    assert_eq!(
        (
            strings(&second, "new").len(),
            strings(&second, "changed").len(),
            strings(&second, "deleted").len()
        ),
        (0, 0, 0)
    );

    site.write(
        "content/posts/a2.md",
        "---\ntitle: Article 2\ndate: 2026-01-02\ncategory: Notes\n---\n\nAnother text.\n",
    );
    let third = deploys(&site, place);
    assert_eq!(there(), site.output(), "after an edit");
    assert!(strings(&third, "changed").contains(&"posts/a2/index.html".to_owned()));
    assert!(!strings(&third, "changed").contains(&"posts/a3/index.html".to_owned()), "{third}");

    // A page goes, another gets a new name, and a folder stands where a file was.
    site.remove("content/posts/a5.md");
    site.remove("content/posts/a4.md");
    site.write("content/posts/b4.md", "---\ntitle: Article 4\ndate: 2026-01-04\n---\n\nText.\n");
    site.remove("static/sub/plain.txt");
    let before_release = there();
    let fourth = deploys(&site, place);
    assert_eq!(there(), site.output(), "after a delete and a rename");
    assert!(strings(&fourth, "deleted").contains(&"posts/a4/index.html".to_owned()), "{fourth}");

    let back = deploy(&site, &place.env(), &["--rollback"]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    assert_eq!(there(), before_release, "after a rollback");
    deploys(&site, place);
    assert_eq!(there(), site.output(), "forward again");

    // A file that somebody else put where one of ours comes to be.
    place.put("notes/index.html", b"theirs");
    site.write("content/notes.md", "# Notes");
    let said = fails(&site, place, &["--yes"]);
    assert!(said.contains("`notes/index.html` would be overwritten"), "{said}");
    assert_eq!(place.files()["notes/index.html"], b"theirs");
    let run = deploy(&site, &place.env(), &["--yes", "--force"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(there(), site.output(), "by force");
    edits_on_the_host_are_kept(&site, place);
    assert_eq!(there(), site.output(), "by force again");
    site
}

/// Somebody edits two of our files on the host. One would be replaced, the other deleted.
fn edits_on_the_host_are_kept(site: &Site, place: &dyn Place) {
    place.put("posts/a2/index.html", b"edited by hand");
    site.write(
        "content/posts/a2.md",
        "---\ntitle: Article 2\ndate: 2026-01-02\n---\n\nA third text.\n",
    );
    let said = fails(site, place, &["--yes"]);
    let expected = "`posts/a2/index.html` would be overwritten, and changed on the host";
    assert!(said.contains(expected), "{said}");
    assert_eq!(place.files()["posts/a2/index.html"], b"edited by hand");
    let run = deploy(site, &place.env(), &["--yes", "--force"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    place.put("notes/index.html", b"edited, too");
    site.remove("content/notes.md");
    let run = deploy(site, &place.env(), &["--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("`notes/index.html` changed on the host"), "{}", run.stderr);
    assert_eq!(place.files()["notes/index.html"], b"edited, too");
    site.write("content/notes.md", "# Notes");
    let run = deploy(site, &place.env(), &["--yes", "--force"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

struct Dir(PathBuf);

impl Place for Dir {
    fn table(&self) -> String {
        format!("[deploy.production]\ntarget = \"dir\"\npath = \"{}\"", self.0.display())
    }

    fn all(&self) -> Files {
        files(&self.0)
    }

    fn put(&self, name: &str, content: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

#[test]
fn to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = story(&place);
    assert!(!place.0.join("posts/a5").exists(), "an empty folder was left behind");
    // The site can also be read from a server.
    let Some(nginx) = Nginx::serve(&place.0, "") else { return };
    for (name, content) in site.output().iter().filter(|(name, _)| name.as_str() != "404.html") {
        let path = format!("/{}", name.strip_suffix("index.html").unwrap_or(name));
        let answer = nginx.get(&path);
        assert_eq!((answer.status, &answer.bytes), (200, content), "{path}");
    }
}

struct Rsync {
    destination: String,
    folder: PathBuf,
    env: Vec<(String, String)>,
    more: &'static str,
}

impl Place for Rsync {
    fn table(&self) -> String {
        format!(
            "[deploy.production]\ntarget = \"rsync\"\ndestination = \"{}\"\n{}",
            self.destination, self.more
        )
    }

    fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }

    fn all(&self) -> Files {
        files(&self.folder)
    }

    fn put(&self, name: &str, content: &[u8]) {
        Dir(self.folder.clone()).put(name, content);
    }
}

fn has_rsync() -> bool {
    let found = Command::new("rsync").arg("--version").output().is_ok();
    if !found {
        crate::common::skip_without("rsync");
    }
    found
}

#[test]
fn by_rsync_through_ssh() {
    if !has_rsync() {
        return;
    }
    let Some(sshd) = Sshd::start() else { return };
    let path = vec![("PATH".to_owned(), sshd.path_env())];
    let folder = sshd.folder().join("site");
    story(&Rsync {
        destination: format!("folio-test:{}", folder.display()),
        folder,
        env: path,
        more: "",
    });
}

struct Sftp {
    sshd: Sshd,
    root: PathBuf,
}

impl Place for Sftp {
    fn table(&self) -> String {
        format!(
            "[deploy.production]\ntarget = \"sftp\"\nhost = \"folio-test\"\nroot = \"{}\"",
            self.root.display()
        )
    }

    fn env(&self) -> Vec<(String, String)> {
        vec![("PATH".to_owned(), self.sshd.path_env())]
    }

    fn all(&self) -> Files {
        files(&self.root)
    }

    fn put(&self, name: &str, content: &[u8]) {
        Dir(self.root.clone()).put(name, content);
    }
}

#[test]
fn by_sftp() {
    let Some(sshd) = Sshd::start() else { return };
    let place = Sftp { root: sshd.folder().join("a/b"), sshd };
    story(&place);
    assert!(!place.root.join("posts/a5").exists(), "an empty folder was left behind");
}

struct Bucket {
    s3: S3,
    endpoint: String,
    more: &'static str,
}

impl Bucket {
    fn start() -> Option<Self> {
        let s3 = S3::start()?;
        Some(Self { endpoint: s3.endpoint(), s3, more: "prefix = \"blog\"" })
    }
}

impl Place for Bucket {
    fn table(&self) -> String {
        format!(
            "[deploy.production]\ntarget = \"s3\"\nbucket = \"site\"\nregion = \"us-east-1\"\n\
             endpoint = \"{}\"\n{}",
            self.endpoint, self.more
        )
    }

    fn env(&self) -> Vec<(String, String)> {
        self.s3.env()
    }

    fn all(&self) -> Files {
        self.s3
            .objects()
            .into_iter()
            .filter_map(|(name, object)| {
                Some((name.strip_prefix("blog/")?.to_owned(), object.content))
            })
            .collect()
    }

    fn put(&self, name: &str, content: &[u8]) {
        self.s3.put(&format!("blog/{name}"), content);
    }
}

#[test]
fn to_s3_with_types_and_lifetimes() {
    let Some(place) = Bucket::start() else { return };
    place.s3.put("other-site/index.html", b"not ours");
    let site = story(&place);
    let objects = place.s3.objects();
    assert_eq!(objects["other-site/index.html"].content, b"not ours");
    let headers = |name: &str| {
        let object = &objects[&format!("blog/{name}")];
        (object.content_type.clone().unwrap(), object.cache_control.clone().unwrap())
    };
    assert_eq!(
        headers("index.html"),
        ("text/html; charset=utf-8".into(), "public, max-age=0, must-revalidate".into())
    );
    assert_eq!(
        headers("app.3f2a9c1b.js"),
        ("text/javascript; charset=utf-8".into(), "public, max-age=31536000, immutable".into())
    );
    assert_eq!(
        headers("style.css"),
        ("text/css; charset=utf-8".into(), "public, max-age=3600".into())
    );

    // Headers alone change: those files go up again, and no others.
    configure(&site, &format!("{}\ncache_assets = \"public, max-age=60\"", place.table()));
    let report = deploys(&site, &place);
    assert!(
        report["changed"].as_array().unwrap().iter().all(|c| c["why"] == "headers"),
        "{report}"
    );
    assert!(
        strings(&report, "changed").contains(&"style.css".to_owned())
            && !strings(&report, "changed").contains(&"index.html".to_owned())
    );
    assert_eq!(
        place.s3.objects()["blog/style.css"].cache_control.as_deref(),
        Some("public, max-age=60")
    );
}

struct Dav {
    server: WebDav,
    endpoint: String,
}

impl Place for Dav {
    fn table(&self) -> String {
        format!(
            "[deploy.production]\ntarget = \"webdav\"\nendpoint = \"{}\"\nroot = \"site\"\n\
             user = \"{}\"",
            self.endpoint, self.server.user
        )
    }

    fn env(&self) -> Vec<(String, String)> {
        vec![("FOLIO_WEBDAV_PASSWORD".to_owned(), self.server.password.to_owned())]
    }

    fn all(&self) -> Files {
        files(&self.server.folder().join("site"))
    }

    fn put(&self, name: &str, content: &[u8]) {
        self.server.put(&format!("site/{name}"), content);
    }
}

#[test]
fn to_webdav() {
    let Some(server) = WebDav::start() else { return };
    let place = Dav { endpoint: server.url(), server };
    story(&place);
    let run =
        deploy(&site(&place.table()), &[("FOLIO_WEBDAV_PASSWORD".into(), "wrong".into())], &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("FOLIO_WEBDAV_PASSWORD") && !run.stderr.contains("wrong"),
        "{}",
        run.stderr
    );
}

struct Branch(Repository);

impl Place for Branch {
    fn table(&self) -> String {
        format!(
            "[deploy.production]\ntarget = \"git\"\nremote = \"{}\"\nbranch = \"pages\"\n\
             cname = true",
            self.0.remote()
        )
    }

    fn env(&self) -> Vec<(String, String)> {
        self.0.env()
    }

    fn all(&self) -> Files {
        let mut files = if self.0.branches().contains(&"pages".to_owned()) {
            self.0.head_files("pages")
        } else {
            Files::new()
        };
        // These belong to the host, not to the site.
        files.remove(".nojekyll");
        if files.contains_key("index.html") {
            assert_eq!(files.remove("CNAME").as_deref(), Some(&b"t.example\n"[..]));
        }
        files
    }

    fn put(&self, name: &str, content: &[u8]) {
        self.0.commit("pages", name, content);
    }
}

#[test]
fn to_a_branch_of_a_repository() {
    let Some(repository) = Repository::bare() else { return };
    let place = Branch(repository);
    let folder = site(&place.table());
    place.put("by-hand.txt", b"mine");
    let first = deploys(&folder, &place);
    assert!(strings(&first, "new").contains(&".nojekyll".to_owned()));
    let mut there = place.files();
    assert_eq!(there.remove("by-hand.txt").as_deref(), Some(&b"mine"[..]));
    assert_eq!(there, folder.output());
    deploys(&folder, &place);
    assert_eq!(
        place.0.log("pages").iter().filter(|m| m.starts_with("Deploy of")).count(),
        1,
        "a deploy of nothing made a commit"
    );
    folder.remove("content/posts/a5.md");
    deploys(&folder, &place);
    assert!(!place.files().contains_key("posts/a5/index.html"));
    let back = deploy(&folder, &place.env(), &["--rollback"]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    assert!(place.files().contains_key("posts/a5/index.html"));
    let log = place.0.log("pages");
    assert!(log[0].starts_with("Revert \"Deploy of"), "{log:?}");
    assert_eq!(log.len(), 4, "history was lost: {log:?}");
    // Further back there is nothing; forward again, then back over somebody else's commit, which
    // stays.
    assert!(fails(&folder, &place, &["--rollback"]).contains("no earlier deploy"));
    deploys(&folder, &place);
    assert!(!place.files().contains_key("posts/a5/index.html"));
    place.put("more-by-hand.txt", b"mine too");
    assert_eq!(deploy(&folder, &place.env(), &["--rollback"]).code, 0);
    assert!(
        place.files().contains_key("posts/a5/index.html")
            && place.files().contains_key("more-by-hand.txt")
    );
    place.put("notes/index.html", b"theirs");
    folder.write("content/notes.md", "# Notes");
    let said = fails(&folder, &place, &["--yes"]);
    assert!(said.contains("`notes/index.html` would be overwritten"), "{said}");
}

#[test]
fn a_deploy_that_was_broken_off_is_gone_on_with() {
    let Some(mut place) = Bucket::start() else { return };
    let proxy = Proxy::to(place.s3.port());
    place.endpoint = proxy.endpoint();
    let site = site(&place.table());
    deploys(&site, &place);
    site.write(
        "content/posts/new.md",
        "---\ntitle: New\ndate: 2026-02-01\ncategory: Notes\n---\n\
                                        \n![Picture](/pic.0a1b2c3d4e.svg)\n",
    );
    site.write("static/pic.0a1b2c3d4e.svg", "<svg/>");
    let old = place.files();
    // Whichever write is the first to fail, no page is there whose parts are missing, and the next
    // run mends all.
    let mut broken = 0;
    for n in 0..8 {
        proxy.fail_after(n, if n % 2 == 0 { Failure::Cut } else { Failure::LoseAnswer });
        let run = deploy(&site, &place.env(), &["--yes"]);
        broken += i32::from(run.code == 1);
        let now = place.files();
        for page in ["posts/new/index.html", "index.html"] {
            if now.get(page).is_some_and(|bytes| String::from_utf8_lossy(bytes).contains("New")) {
                assert!(
                    now.contains_key("pic.0a1b2c3d4e.svg"),
                    "{n}: {page} came before its picture"
                );
            }
        }
        if now.get("index.html") != old.get("index.html") {
            assert!(
                now.contains_key("posts/new/index.html"),
                "{n}: the list came before the article"
            );
        }
        proxy.heal();
    }
    assert!(broken > 4, "only {broken} deploys were broken off");
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
    assert!(
        !place.all().contains_key(".folio-lock.json")
            && !place.all().contains_key(".folio-journal.json")
    );
    // What was replaced can still be gone back to.
    let back = deploy(&site, &place.env(), &["--rollback"]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    let now = place.files();
    let wrong: Vec<&String> =
        now.keys().chain(old.keys()).filter(|name| now.get(*name) != old.get(*name)).collect();
    assert!(wrong.is_empty(), "not as they were before: {wrong:?}");
}

#[test]
fn a_server_that_is_killed_in_the_middle() {
    let Some(server) = WebDav::start() else { return };
    let proxy = Proxy::to(server.port());
    let server = Arc::new(Mutex::new(Some(server)));
    let place = {
        let server = server.lock().unwrap().take().unwrap();
        Dav { endpoint: format!("{}/", proxy.endpoint()), server }
    };
    let mut place = place;
    let site = site(&place.table());
    let mut puts = 0;
    proxy.fail_when(Failure::Cut, move |method, _| {
        puts += usize::from(method == "PUT");
        puts > 9
    });
    let said = fails(&site, &place, &[]);
    assert!(said.contains("run `folio deploy` again"), "{said}");
    place.server.stop();
    proxy.heal();
    let said = fails(&site, &place, &[]);
    assert!(said.contains("cannot read what the host holds"), "{said}");
    place.server.restart();
    let report = deploys(&site, &place);
    assert!(
        strings(&report, "new").len() < site.output().len(),
        "nothing was gone on with: {report}"
    );
    assert_eq!(place.files(), site.output());
}

#[test]
fn a_reader_never_meets_a_page_without_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    let version = |n: usize| {
        site.write(&format!("static/part.{n:04}abcd.css"), "a{}");
        if n > 0 {
            site.remove(&format!("static/part.{:04}abcd.css", n - 1));
        }
        site.write(
            "templates/index.html",
            format!("<link href=\"/part.{n:04}abcd.css\"><a href=\"/posts/v{n}/\">"),
        );
        site.write(
            &format!("content/posts/v{n}.md"),
            format!("---\ntitle: V{n}\ndate: 2026-03-01\n---\n\nx\n"),
        );
    };
    version(0);
    deploys(&site, &place);
    let done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                let page = fs::read_to_string(place.0.join("index.html"))
                    .expect("the page is always there");
                for name in page.split('"').filter(|part| part.starts_with('/')) {
                    let name = name.trim_start_matches('/');
                    let name = if name.ends_with('/') {
                        format!("{name}index.html")
                    } else {
                        name.to_owned()
                    };
                    assert!(place.0.join(&name).is_file(), "{name} is missing");
                }
                looks += 1;
            }
            looks
        });
        for n in 1..6 {
            version(n);
            deploys(&site, &place);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(looks > 20, "only {looks} looks");
}

#[test]
fn old_fingerprinted_files_stay_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    let day = 24 * 60 * 60;
    let run = |now: i64| {
        let run = at(1_795_000_000 + now, &site, &[], &["--yes"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    run(0);
    site.remove("static/app.3f2a9c1b.js");
    site.remove("static/sub/plain.txt");
    run(day);
    assert!(
        place.files().contains_key("app.3f2a9c1b.js")
            && !place.files().contains_key("sub/plain.txt")
    );
    run(7 * day);
    assert!(place.files().contains_key("app.3f2a9c1b.js"));
    run(8 * day + 1);
    assert!(!place.files().contains_key("app.3f2a9c1b.js"));
}

#[test]
fn five_releases_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    let mut versions = Vec::new();
    for n in 0..8 {
        site.write(
            "content/posts/a1.md",
            format!("---\ntitle: Version {n}\ndate: 2026-01-01\n---\n\nx\n"),
        );
        deploys(&site, &place);
        versions.push(place.files());
    }
    let releases = fs::read_dir(place.0.join(".folio-releases"))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().is_dir())
        .count();
    assert_eq!(releases, 5);
    for n in (2..7).rev() {
        assert_eq!(deploy(&site, &[], &["--rollback"]).code, 0);
        assert_eq!(place.files(), versions[n], "back to version {n}");
    }
    assert!(fails(&site, &place, &["--rollback"]).contains("no earlier deploy to roll back to"));
    assert_eq!(place.files(), versions[2]);
    deploys(&site, &place);
    assert_eq!(place.files(), versions[7]);
}

#[test]
fn many_deletes_are_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    deploys(&site, &place);
    let before = place.all();
    site.remove("content/posts");
    let said = fails(&site, &place, &[]);
    assert!(said.contains("files would be deleted") && said.contains("--yes"), "{said}");
    assert_eq!(place.all(), before, "something was changed");
    // Few, but more than the site allows.
    site.write("content/posts/a1.md", "---\ntitle: A\ndate: 2026-01-01\n---\nx");
    configure(&site, &format!("{}\nmax_deletes = 1", place.table()));
    assert!(fails(&site, &place, &[]).contains("files would be deleted"));
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn two_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    let lock = |host: &str, process: u32, heard: i64| {
        let text = format!(
            r#"{{"user":"ann","host":"{host}","process":{process},"since":1794990000,"heard":{heard}}}"#
        );
        place.put(".folio-lock.json", text.as_bytes());
    };
    let now = jiff::Timestamp::now().as_second();
    lock("elsewhere", 1, now);
    let said = fails(&site, &place, &[]);
    assert!(said.contains("ann on elsewhere (process 1), since 2026-11-"), "{said}");
    assert!(place.files().is_empty());
    // One that has not been heard of for an hour, and one of this machine whose process has gone.
    lock("elsewhere", 1, now - 3600);
    let run = deploy(&site, &[], &[]);
    assert!(run.code == 0 && run.stderr.contains("took over"), "{}", run.stderr);
    assert!(!place.all().contains_key(".folio-lock.json"));
    site.write("content/b.md", "b");
    lock("elsewhere", 1, now);
    assert_eq!(deploy(&site, &[], &["--force"]).code, 0);
    assert_eq!(place.files(), site.output());
}

#[test]
fn hostile_manifests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    fs::write(folder.path().join("victim.txt"), "precious").unwrap();
    let entry = r#"{"hash":"00","size":1}"#;
    for (name, manifest) in [
        (".folio-manifest.json", format!(r#"{{"folio":1,"files":{{"../victim.txt":{entry}}}}}"#)),
        (".folio-manifest.json", format!(r#"{{"folio":1,"files":{{"/etc/hostname":{entry}}}}}"#)),
        (
            ".folio-manifest.json",
            r#"{"folio":1,"files":{"a":{"hash":"00","size":18446744073709551615}}}"#.to_owned(),
        ),
        (".folio-manifest.json", "<html>not found</html>".to_owned()),
        (".folio-manifest.json", format!("{{\"folio\":1,\"files\":{}", "[".repeat(100_000))),
        (
            ".folio-journal.json",
            format!(
                r#"{{"base":"","planned":["../victim.txt"],"done":{{"../victim.txt":{entry}}},"release":null}}"#
            ),
        ),
        (
            ".folio-releases/releases.json",
            r#"{"releases":[{"id":"..","files":["victim.txt"]}]}"#.to_owned(),
        ),
    ] {
        place.put(name, manifest.as_bytes());
        let args: &[&str] = if name.contains("releases") { &["--rollback"] } else { &["--yes"] };
        let said = fails(&site, &place, args);
        assert!(said.contains("is invalid"), "{manifest:.80}: {said}");
        assert_eq!(fs::read_to_string(folder.path().join("victim.txt")).unwrap(), "precious");
        fs::remove_file(place.0.join(name)).unwrap();
    }
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = small_disk(1) else { return };
    let place = Dir(disk.path().join("www"));
    let site = site(&place.table());
    deploys(&site, &place);
    let before = place.files();
    site.write("static/big.bin", vec![7; 2 << 20]);
    site.write("content/posts/a1.md", "---\ntitle: Changed\ndate: 2026-01-01\n---\nx");
    let said = fails(&site, &place, &[]);
    assert!(
        said.contains("`big.bin` could not be uploaded") && said.contains("free some space"),
        "{said}"
    );
    let now = place.files();
    assert_eq!(
        now["index.html"], before["index.html"],
        "pages were changed though a file before them failed"
    );
    site.remove("static/big.bin");
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn hosts_that_will_not_have_us() {
    let Some(sshd) = Sshd::start() else { return };
    let table = format!(
        "[deploy.production]\ntarget = \"sftp\"\nhost = \"folio-test\"\nroot = \"{}\"",
        sshd.folder().display()
    );
    let folder = site(&table);
    let with = |path: String| vec![("PATH".to_owned(), path)];
    for (path, words) in [
        (sshd.wrong_key().path_env(), "Permission denied"),
        (sshd.unknown_host_key().path_env(), "Host key verification failed"),
        (sshd.changed_host_key().path_env(), "Host key verification failed"),
    ] {
        let run = deploy(&folder, &with(path), &[]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(words) && run.stderr.contains("known_hosts"), "{}", run.stderr);
    }
    let closed = crate::common::hosts::Proxy::to(1);
    let run = deploy(&folder, &with(sshd.through(closed.port()).path_env()), &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    configure(&folder, &table.replace("folio-test", "nowhere.invalid"));
    let run = deploy(&folder, &with(sshd.path_env()), &[]);
    assert!(run.code == 1 && run.stderr.contains("nowhere.invalid"), "{}", run.stderr);
    // A folder that cannot be made there.
    configure(&folder, &table.replace(&sshd.folder().display().to_string(), "/proc/folio"));
    let run = deploy(&folder, &with(sshd.path_env()), &[]);
    assert!(run.code == 1 && run.stderr.contains("/proc/folio"), "{}", run.stderr);
}

#[test]
fn a_bucket_that_will_not_have_us() {
    let Some(mut place) = Bucket::start() else { return };
    let proxy = Proxy::to(place.s3.port());
    place.endpoint = proxy.endpoint();
    let folder = site(&place.table());
    proxy.fail_when(Failure::Status(403), |_, _| true);
    let said = fails(&folder, &place, &[]);
    assert!(said.contains("AWS_ACCESS_KEY_ID"), "{said}");
    proxy.heal();
    configure(&folder, &place.table().replace("\"site\"", "\"no-such-bucket\""));
    let said = fails(&folder, &place, &[]);
    assert!(said.contains("no-such-bucket"), "{said}");
    configure(&folder, &place.table().replace(&proxy.endpoint(), "http://nowhere.invalid"));
    let said = fails(&folder, &place, &[]);
    assert!(said.contains("nowhere.invalid"), "{said}");
    assert!(place.s3.objects().is_empty());
}

#[test]
fn a_second_deploy_costs_two_requests() {
    let Some(mut place) = Bucket::start() else { return };
    let proxy = Proxy::to(place.s3.port());
    place.endpoint = proxy.endpoint();
    let site = site(&place.table());
    deploys(&site, &place);
    let files = site.output().len();
    assert!(proxy.count("PUT") < files + 12, "{} PUTs for {files} files", proxy.count("PUT"));
    proxy.forget();
    deploys(&site, &place);
    assert_eq!(proxy.requests().len(), 2, "{:?}", proxy.requests());
    // A server that is overloaded for a moment is asked again.
    site.write("content/posts/a1.md", "---\ntitle: Changed\ndate: 2026-01-01\n---\nx");
    let mut left = 2;
    proxy.fail_when(Failure::Status(503), move |method, path| {
        let fails = method == "PUT" && path.contains("posts/a1") && left > 0;
        left -= i32::from(fails);
        fails
    });
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn compressed_files_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&format!("{}\nprecompress = [\"gzip\", \"br\"]", place.table()));
    deploys(&site, &place);
    let Some(nginx) = Nginx::serve(&place.0, "") else { return };
    let plain = nginx.get("/style.css");
    let packed = nginx.ask("/style.css", &[("Accept-Encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(packed.bytes.as_slice()),
        &mut unpacked,
    )
    .unwrap();
    assert_eq!(unpacked, plain.bytes);
    assert!(
        place.files().contains_key("style.css.br")
            && !place.files().contains_key("app.3f2a9c1b.js.gz"),
        "a small file was compressed"
    );
    let again = deploys(&site, &place);
    assert_eq!(strings(&again, "changed").len() + strings(&again, "new").len(), 0);
}

#[test]
fn search_engines_are_told_of_changed_pages() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/indexnow", server.local_addr().unwrap());
    let heard = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            let mut stream = stream;
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let mut all = Vec::new();
            let _ = std::io::Read::read_to_end(&mut stream, &mut all);
            heard.lock().unwrap().push(String::from_utf8_lossy(&all).into_owned());
            let _ = std::io::Write::write_all(
                &mut stream,
                b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&format!(
        "{}\nindexnow_key = \"abc123\"\nindexnow_endpoint = \"{endpoint}\"",
        place.table()
    ));
    let said = fails(&site, &place, &[]);
    assert!(said.contains("/abc123.txt"), "{said}");
    assert!(place.files().is_empty());
    site.write("static/abc123.txt", "abc123\n");
    deploys(&site, &place);
    site.write(
        "content/posts/a3.md",
        "---\ntitle: Article 3\ndate: 2026-01-03\ncategory: Notes\n---\n\nNew words.\n",
    );
    let report = deploys(&site, &place);
    let told = told.lock().unwrap();
    let body: Value =
        serde_json::from_str(told.last().unwrap().split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let urls: Vec<&str> =
        body["urlList"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        urls.contains(&"https://t.example/posts/a3/")
            && !urls.contains(&"https://t.example/posts/a2/"),
        "{urls:?}"
    );
    assert_eq!(
        (body["host"].as_str(), body["keyLocation"].as_str()),
        (Some("t.example"), Some("https://t.example/abc123.txt"))
    );
    assert_eq!(report["indexnow"], urls.len());
}

#[test]
fn what_is_asked_for_must_be_known() {
    let site = site(
        "[deploy.staging]\ntarget = \"dir\"\npath = \"../a\"\n[deploy.production]\n\
         target = \"dir\"\npath = \"../b\"",
    );
    let run = deploy(&site, &[], &[]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!("no_name", run.stderr);
    let run = deploy(&site, &[], &["productoin"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!("unknown_name", run.stderr);
    configure(&site, "");
    let run = deploy(&site, &[], &[]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!("no_targets", run.stderr);
}

#[test]
fn tables_are_checked() {
    let site = site(
        "[deploy.a]\ntarget = \"s3\"\nbucket = \"\"\nsecret_access_key = \"hunter2\"\n\
         path = \"x\"\n\n\
         [deploy.b]\ntarget = \"gti\"\nremote = \"x\"\n\n\
         [deploy.c]\ntarget = \"webdav\"\nendpoint = \"https://me:hunter2@dav.example\"\n\n\
         [deploy.d]\ntarget = \"rsync\"\ndestination = \"-e evil\"\nkeep_assets_day = 3\n\n\
         [deploy.e]\ntarget = \"git\"\nprecompress = [\"gzip\"]\n\n\
         [deploy.f]\ntarget = \"rsync\"\ndestination = \"h:/x\"\noptions = [\"--delete\"]\n",
    );
    let run = site.folio(&["build"]);
    assert_eq!(run.code, 1);
    assert!(!run.stderr.contains("hunter2"), "a secret was shown");
    insta::assert_snapshot!("tables", run.stderr);
}

#[test]
fn a_site_with_errors_is_not_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    site.write("content/bad.md", "[x](@/nowhere.md)\n");
    let said = fails(&site, &place, &[]);
    assert!(
        said.contains("nowhere.md") && said.contains("nothing was changed on the host"),
        "{said}"
    );
    assert!(!place.0.exists());
    site.remove("content/bad.md");
    // Nothing is written through a link, nor is one published.
    configure(&site, "[deploy.production]\ntarget = \"dir\"\npath = \"public/sub\"");
    assert!(fails(&site, &place, &[]).contains("it overlaps with the site or its output"));
    configure(&site, &place.table());
    deploys(&site, &place);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc", site.path("public/etc")).unwrap();
        assert!(
            fails(&site, &place, &[]).contains("is a symbolic link, which cannot be published")
        );
        fs::remove_file(site.path("public/etc")).unwrap();
        fs::remove_dir_all(place.0.join("posts")).unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), place.0.join("posts")).unwrap();
        site.write("content/posts/a1.md", "---\ntitle: Changed\ndate: 2026-01-01\n---\nx");
        assert!(fails(&site, &place, &[]).contains("symbolic link"));
        assert!(files(Path::new(&folder.path().join("elsewhere"))).is_empty());
    }
}

/// The most memory that a process has had so far, in KiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .ok()
}

#[test]
fn five_thousand_files_do_not_lie_in_memory_together() {
    const FILES: usize = 5000;
    const SIZE: usize = 32 << 10;
    let Some(mut place) = Bucket::start() else { return };
    let proxy = Proxy::to(place.s3.port());
    place.endpoint = proxy.endpoint();
    let site = Site::new();
    configure(&site, &place.table());
    for n in 0..FILES {
        site.write(
            &format!("static/{}/{n}.bin", n % 50),
            vec![u8::try_from(n % 251).unwrap(); SIZE],
        );
    }
    // The build reads each file whole; what is watched is the deploy.
    site.build();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("folio"));
    let mut child =
        command.current_dir(site.root()).envs(place.env()).args(["deploy", "-q"]).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success());
    let total = FILES * SIZE / 1024;
    assert!(
        most > 0 && most < total as u64 * 2 / 3,
        "{most} KiB were needed for files of {total} KiB in all"
    );
    // A request a file, and a few for what is Folio's own: the lock, manifest and journal, a list
    // of what is there, the sample.
    let requests = proxy.requests().len();
    assert!((FILES..FILES + 60).contains(&requests), "{requests} requests for {FILES} files");
    assert_eq!(place.files().len(), site.output().len());
}

/// A deploy that fails half-way must leave nothing that a later one takes for what it is not.
#[test]
fn what_a_broken_deploy_touched_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    site.write("static/aa.txt", "one");
    deploys(&site, &place);
    // The answer to the upload is lost with the process: the host has the new file, and nothing
    // says so.
    site.write("static/aa.txt", "bad");
    site.write("static/zz/x.txt", "x");
    fs::write(place.0.join("zz"), "in the way").unwrap();
    let run = deploy(&site, &[], &["--force"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    fs::remove_file(place.0.join("zz")).unwrap();
    let mut journal: Value =
        serde_json::from_slice(&fs::read(place.0.join(".folio-journal.json")).unwrap()).unwrap();
    journal["done"].as_object_mut().unwrap().remove("aa.txt");
    place.put(".folio-journal.json", journal.to_string().as_bytes());
    place.put("aa.txt", b"bad");
    site.write("static/aa.txt", "one");
    site.remove("static/zz");
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn a_rollback_that_is_broken_off_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    deploys(&site, &place);
    let first = place.files();
    site.write("content/posts/a1.md", "---\ntitle: Changed\ndate: 2026-01-01\n---\nx");
    deploys(&site, &place);
    // A folder where the page must be: it cannot be put back.
    let page = place.0.join("posts/a1/index.html");
    fs::remove_file(&page).unwrap();
    fs::create_dir(&page).unwrap();
    let said = fails(&site, &place, &["--rollback"]);
    assert!(said.contains("run it again"), "{said}");
    assert!(fails(&site, &place, &[]).contains("a rollback was interrupted"));
    fs::remove_dir(&page).unwrap();
    assert_eq!(deploy(&site, &[], &["--rollback"]).code, 0);
    assert_eq!(place.files(), first);
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn a_rollback_brings_fingerprinted_files_that_had_run_out() {
    let folder = tempfile::tempdir().unwrap();
    let place = Dir(folder.path().join("www"));
    let site = site(&place.table());
    let day = 24 * 60 * 60;
    let run = |days: i64, args: &[&str]| {
        assert_eq!(at(1_795_000_000 + days * day, &site, &[], args).code, 0, "day {days}");
    };
    run(0, &["--yes"]);
    let first = place.files();
    site.remove("static/app.3f2a9c1b.js");
    site.write("static/app.4f2a9c1b.js", "let a = 2;");
    run(1, &["--yes"]);
    site.write("static/sub/plain.txt", "changed");
    run(9, &["--yes"]);
    assert!(!place.files().contains_key("app.3f2a9c1b.js"));
    run(9, &["--rollback"]);
    assert!(place.files().contains_key("app.3f2a9c1b.js"), "the manifest names it");
    run(9, &["--rollback"]);
    assert_eq!(place.files(), first);
}

/// Where a file of another stands in the way, and where one of ours does.
#[track_caller]
fn files_and_folders_change_places(place: &dyn Place) {
    let site = site(&place.table());
    site.write("static/docs", "a file");
    site.write("static/notes/x.txt", "x");
    deploys(&site, place);
    site.remove("static/docs");
    site.remove("static/notes");
    site.write("static/docs/x.txt", "x");
    site.write("static/notes", "a file");
    deploys(&site, place);
    assert_eq!(place.files(), site.output());
    assert_eq!(deploy(&site, &place.env(), &["--rollback"]).code, 0);
    assert_eq!(place.files()["docs"], b"a file");
    deploys(&site, place);
    place.put("theirs", b"theirs");
    site.write("static/theirs/x.txt", "x");
    let said = fails(&site, place, &["--yes"]);
    assert!(said.contains("theirs"), "{said}");
    assert_eq!(place.files()["theirs"], b"theirs");
}

#[test]
fn files_and_folders_change_places_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    files_and_folders_change_places(&Dir(folder.path().join("www")));
}

#[test]
fn files_and_folders_change_places_by_rsync() {
    if !has_rsync() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let www = folder.path().join("www");
    files_and_folders_change_places(&Rsync {
        destination: www.display().to_string(),
        folder: www.clone(),
        env: Vec::new(),
        more: "",
    });
    // Names that rsync would take for remarks, options or patterns.
    let site = site(
        &Rsync {
            destination: www.display().to_string(),
            folder: www.clone(),
            env: Vec::new(),
            more: "",
        }
        .table(),
    );
    for name in [
        "#a.txt",
        ";b.txt",
        "-c.txt",
        "d e.txt",
        "f'g\"h.txt",
        "i*[j].txt",
        "k/#l.txt",
        "ünï.txt",
        "mm:n.txt",
        "empty",
    ] {
        site.write(&format!("static/{name}"), if name == "empty" { "" } else { name });
    }
    fs::remove_dir_all(&www).unwrap();
    let place =
        Rsync { destination: www.display().to_string(), folder: www, env: Vec::new(), more: "" };
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
    site.remove("static/#a.txt");
    site.remove("static/k");
    deploys(&site, &place);
    assert_eq!(place.files(), site.output());
}

#[test]
fn files_and_folders_change_places_by_sftp() {
    let Some(sshd) = Sshd::start() else { return };
    files_and_folders_change_places(&Sftp { root: sshd.folder().join("www"), sshd });
}

#[test]
fn a_file_of_anothers_is_no_folder_in_a_branch() {
    let Some(repository) = Repository::bare() else { return };
    let place = Branch(repository);
    let site = site(&place.table());
    place.put("theirs", b"theirs");
    site.write("static/theirs/x.txt", "x");
    assert!(fails(&site, &place, &[]).contains("`theirs` would be overwritten"));
}
