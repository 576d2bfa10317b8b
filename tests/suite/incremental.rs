//! A build after any edits, in a new process, gives byte for byte what a clean build gives.

use std::collections::BTreeMap;
use std::fs;

use crate::common::Site;
use crate::common::everything::Everything;
use crate::common::random::{Random, number};

/// What a clean build of a copy of the site comes to: code, what was said (less the summary),
/// files.
fn clean(site: &Site) -> (i32, String, BTreeMap<String, Vec<u8>>) {
    let copy = Site::bare();
    for name in folio::load::FOLDERS.iter().filter(|name| site.path(name).exists()) {
        crate::common::copy(&site.path(name), &copy.path(name));
    }
    for name in ["site.toml", "counts.json"] {
        if let Ok(content) = fs::read(site.path(name)) {
            copy.write(name, content);
        }
    }
    let run = copy.folio(&["build"]);
    (run.code, said(&run.stderr), copy.output())
}

fn said(stderr: &str) -> String {
    stderr.lines().filter(|l| !l.starts_with("Built ")).collect::<Vec<_>>().join("\n")
}

fn stats(site: &Site, args: &[&str]) -> (serde_json::Value, String) {
    let run = site.folio(&[&["build", "--stats", "json", "--explain"], args].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    (serde_json::from_str(&run.stdout).unwrap(), run.stderr)
}

/// Which files were rendered, with the reason.
fn reasons(explained: &str) -> BTreeMap<String, String> {
    let lines = explained
        .lines()
        .filter_map(|l| l.split_once(": "))
        .filter(|(name, _)| name.contains('.') && !name.contains(' '));
    lines.map(|(name, reason)| (name.to_owned(), reason.to_owned())).collect()
}

/// `FOLIO_ROUNDS` and `FOLIO_SEED` make it longer, or run a failure again.
#[test]
fn incremental_equals_clean() {
    let (rounds, seed) = (number("FOLIO_ROUNDS", 200), number("FOLIO_SEED", 1));
    let mut everything = Everything::new(seed);
    let mut last_good = BTreeMap::new();
    for round in 0..rounds {
        let edits = if round == 0 { Vec::new() } else { everything.edit() };
        let context = format!("seed {seed}, round {round}, after {edits:?}");
        let run = everything.site.folio(&["build"]);
        let (code, words, files) = clean(&everything.site);
        assert_eq!(run.code, code, "{context}\n{}\n{words}", run.stderr);
        if code != 0 {
            assert_eq!(said(&run.stderr), words, "{context}");
            continue;
        }
        assert_eq!(said(&run.stderr), words, "{context}");
        let output = everything.site.output();
        for name in output.keys().chain(files.keys()) {
            assert!(
                output.get(name) == files.get(name),
                "{context}: {name} differs from that of a clean build"
            );
        }
        let listed: Vec<String> = folio::write::listed(
            &everything.site.root().canonicalize().unwrap(),
            &everything.site.path("public"),
        )
        .into_iter()
        .collect();
        assert_eq!(listed, everything.site.names(), "{context}");
        last_good = output;
    }
    assert!(!last_good.is_empty());
}

fn blog() -> Site {
    let site = Site::new()
        .file("templates/components/own.html", "{% component own() %}own{% endcomponent own %}");
    for i in 1..=9 {
        let call = if i == 9 { "\n{{<own />}}\n" } else { "" };
        site.write(
            &format!("content/posts/a{i}.md"),
            format!(
                "---\ntitle: Title {i}\ndate: 2026-01-0{i}\ndescription: D\ntags: [t{}]\n---\n\
                     \nText.\n{call}",
                i % 3
            ),
        );
    }
    site.write("content/docs/d.md", "---\ntitle: Doc\ntemplate: doc.html\n---\n\nx\n");
    site.write(
        "templates/doc.html",
        "{% extends \"base.html\" %}{% block main %}{{ page.title }}{% endblock %}",
    );
    site.write("static/x.txt", "x");
    site.build();
    site
}

#[test]
fn only_what_shows_a_change_is_rendered() {
    let site = blog();
    let (figures, explained) = stats(&site, &[]);
    assert_eq!(
        (&figures["rendered"], &figures["parsed"], &figures["written"]),
        (&0.into(), &0.into(), &0.into()),
        "{explained}"
    );
    assert_eq!(figures["reused"], site.names().len());

    // The text of one article: its page, and the feeds that hold it.
    site.write(
        "content/posts/a5.md",
        fs::read_to_string(site.path("content/posts/a5.md")).unwrap() + "\nMore.\n",
    );
    let (figures, explained) = stats(&site, &[]);
    let rendered = reasons(&explained);
    assert_eq!(
        rendered.keys().map(String::as_str).collect::<Vec<_>>(),
        ["atom.xml", "feed.json", "posts/a5/index.html", "rss.xml"],
        "{explained}"
    );
    assert_eq!(figures["parsed"], 1);
    assert_eq!(rendered["posts/a5/index.html"], "its text changed");
    assert_eq!(rendered["atom.xml"], "posts/a5 changed: text");

    // Its title: also the lists and the neighbours that show it.
    let text = fs::read_to_string(site.path("content/posts/a5.md")).unwrap();
    site.write("content/posts/a5.md", text.replace("Title 5", "Another"));
    let (_, explained) = stats(&site, &[]);
    let rendered = reasons(&explained);
    assert_eq!(rendered["posts/a6/index.html"], "the card of posts/a5 changed: title");
    assert_eq!(rendered["tags/t2/index.html"], "the card of posts/a5 changed: title");
    assert!(
        !rendered.contains_key("posts/a9/index.html")
            && !rendered.contains_key("tags/t1/index.html")
            && !rendered.contains_key("docs/d/index.html"),
        "{explained}"
    );

    // A template: the pages that use it.
    site.write(
        "templates/doc.html",
        "{% extends \"base.html\" %}{% block main %}{{ page.title }}!{% endblock %}",
    );
    let (figures, explained) = stats(&site, &[]);
    assert_eq!(
        reasons(&explained).into_iter().collect::<Vec<_>>(),
        [("docs/d/index.html".to_owned(), "a template changed: doc.html".to_owned())]
    );
    assert_eq!(figures["parsed"], 0);
    site.write(
        "templates/components/own.html",
        "{% component own() %}changed{% endcomponent own %}",
    );
    let (_, explained) = stats(&site, &[]);
    let rendered = reasons(&explained);
    assert_eq!(
        rendered.keys().map(String::as_str).collect::<Vec<_>>(),
        ["atom.xml", "feed.json", "posts/a9/index.html", "rss.xml"],
        "{explained}"
    );

    // The configuration and a theme: nothing is parsed.
    site.write(
        "site.toml",
        "title = \"New\"\nbase_url = \"https://t.example\"\n[highlight]\nlight = \"GitHub\"\n",
    );
    let (figures, explained) = stats(&site, &[]);
    assert_eq!(figures["parsed"], 0);
    assert_eq!(
        reasons(&explained)["posts/a1/index.html"],
        "site.toml or a text of its language changed"
    );

    // A static file: itself.
    site.write("static/x.txt", "y");
    let (_, explained) = stats(&site, &[]);
    assert_eq!(
        reasons(&explained).into_iter().collect::<Vec<_>>(),
        [("x.txt".to_owned(), "the file changed".to_owned())]
    );

    // A file of the output that somebody changed or removed comes back.
    site.write("public/posts/a1/index.html", "by hand");
    site.remove("public/x.txt");
    let (_, explained) = stats(&site, &[]);
    let rendered = reasons(&explained);
    assert_eq!(
        rendered.keys().map(String::as_str).collect::<Vec<_>>(),
        ["posts/a1/index.html", "x.txt"]
    );
    assert_eq!(rendered["x.txt"], "the file in the output is missing or was changed");
    assert_eq!(site.output(), clean(&site).2);

    let (figures, _) = stats(&site, &["--no-cache"]);
    assert_eq!(figures["reused"], 0);
    assert_eq!(figures["written"], 0);
}

#[test]
fn time_brings_articles_out_and_takes_them_away() {
    let site = Site::new()
        .file("content/a.md", "---\ndate: 2026-12-01\nexpires: 2027-01-01\n---\n")
        .file("content/b.md", "---\ndate: 2026-01-01\n---\n");
    let build_at = |date: &str| {
        let seconds = date.parse::<jiff::Timestamp>().unwrap().as_second().to_string();
        let output = assert_cmd::Command::cargo_bin("folio")
            .unwrap()
            .current_dir(site.root())
            .env("SOURCE_DATE_EPOCH", seconds)
            .arg("build")
            .output()
            .unwrap();
        assert!(output.status.success());
        site.has("a/index.html")
    };
    assert!(!build_at("2026-11-30T00:00:00Z"));
    assert!(!build_at("2026-11-30T12:00:00Z"));
    assert!(build_at("2026-12-01T00:00:01Z"));
    assert!(build_at("2026-12-31T00:00:00Z"));
    assert!(!build_at("2027-01-01T00:00:00Z"));
    assert!(build_at("2026-12-31T00:00:00Z"), "the clock was set back");
}

#[test]
fn a_damaged_store_costs_a_full_build_and_no_more() {
    let site = blog();
    let expected = site.output();
    let mut random = Random::new(7);
    let state: Vec<String> =
        crate::common::files(&site.path(".folio")).into_keys().filter(|n| n != "lock").collect();
    assert!(state.len() >= 4, "{state:?}");
    for name in &state {
        for way in 0..3 {
            let path = site.path(".folio").join(name);
            let Ok(mut bytes) = fs::read(&path) else { continue };
            match way {
                0 => {
                    // In the value itself: the seal before it says whose it is.
                    let at = bytes.len() / 2 + random.below(bytes.len() / 2);
                    bytes[at] ^= 1 << random.below(8);
                }
                1 => bytes.truncate(bytes.len() / 2),
                _ => bytes.clear(),
            }
            fs::write(&path, &bytes).unwrap();
            site.write(
                "content/posts/a1.md",
                fs::read_to_string(site.path("content/posts/a1.md")).unwrap() + "\n",
            );
            let run = site.folio(&["build"]);
            assert_eq!(run.code, 0, "{name}, {way}: {}", run.stderr);
            if name.ends_with(".manifest") {
                let warning = "the list of the files that Folio wrote to `public` is damaged";
                assert!(run.stderr.contains(warning), "{name}, {way}: {}", run.stderr);
            } else if name == "files" || name.ends_with(".records") {
                assert!(
                    run.stderr.contains("the cache under .folio/ is damaged"),
                    "{name}, {way}: {}",
                    run.stderr
                );
            }
            assert_eq!(site.output(), expected, "{name}, {way}");
        }
    }
    // What another version left is not used, and nothing is said of it.
    let site = blog();
    for name in [
        ".folio/files",
        &format!(".folio/{}", state.iter().find(|n| n.ends_with(".records")).unwrap()),
    ] {
        let mut bytes = fs::read(site.path(name)).unwrap();
        bytes[10] ^= 1;
        fs::write(site.path(name), bytes).unwrap();
    }
    let (figures, _) = stats(&site, &[]);
    assert_eq!(figures["reused"], 0);
    assert_eq!(site.output(), expected);
}

#[test]
fn the_store_does_not_grow_without_end() {
    let site = blog();
    let text = "word ".repeat(200_000);
    for i in 0..60 {
        site.write("content/posts/a1.md", format!("---\ntitle: T{i}\n---\n\n{text}{i}\n"));
        site.build();
    }
    let size: u64 =
        crate::common::files(&site.path(".folio")).values().map(|b| b.len() as u64).sum();
    assert!(size < 40 << 20, "{} MiB", size >> 20);
    let packs = crate::common::files(&site.path(".folio"))
        .into_keys()
        .filter(|n| n.starts_with("pack-"))
        .count();
    assert_eq!(packs, 1);
}

/// `FOLIO_KILLS` makes it longer.
#[test]
fn killed_at_any_moment_nothing_is_half_done() {
    let kills = number("FOLIO_KILLS", 100);
    let mut everything = Everything::new(99);
    let mut random = Random::new(5);
    everything.site.build();
    let mut old = everything.site.output();
    let mut interrupted = 0;
    for round in 0..kills {
        let edits = everything.edit();
        let (code, words, new) = clean(&everything.site);
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("folio"))
            .args(["build", "-q"])
            .current_dir(everything.site.root())
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(random.next() % 60_000));
        let _ = child.kill();
        interrupted += usize::from(!child.wait().unwrap().success());
        // What edits of the output itself put there is neither an old nor a new file of ours.
        for (name, bytes) in everything.site.output() {
            let known = old.get(&name) == Some(&bytes)
                || new.get(&name) == Some(&bytes)
                || bytes == b"tampered";
            assert!(
                known,
                "round {round}, after {edits:?}: {name} is neither as before nor as it will be"
            );
        }
        if code != 0 {
            continue;
        }
        let run = everything.site.folio(&["build"]);
        assert_eq!(run.code, 0, "round {round}, after {edits:?}: {}\n{words}", run.stderr);
        assert!(
            everything.site.output() == new,
            "round {round}, after {edits:?}: the next build differs from a clean one"
        );
        old = new;
    }
    assert!(interrupted as u64 > kills / 4, "only {interrupted} builds were interrupted");
}

/// What a build after each of these edits is held against: a build of a copy from nothing.
#[track_caller]
fn stays_clean(site: &Site, edits: &[(&str, &str)]) {
    site.build();
    for (name, content) in edits {
        site.write(name, content);
        site.build();
        assert!(site.output() == clean(site).2, "after {name} became {content:?}");
    }
}

#[test]
fn what_is_easily_overlooked_is_seen() {
    let article = "---\ntitle: One\ndate: 2026-01-01\n---\n\n{{<box t=\"1\" />}}\n";
    let site = Site::new()
        .file("content/one.md", article)
        .file(
            "content/posts/_index.md",
            "[x](https://x.example) {{<box t=\"1\" />}}\n\n\
                                          {{<box t=\"1\" />}}\n",
        )
        .file(
            "templates/components/box.html",
            "{% component box(t) %}a{{ t \
                                                }}{% endcomponent box %}{% component bax(t) %}x{{ \
                                                t }}{% endcomponent bax %}",
        )
        .file("templates/zz.html", "{# each component box knows #}")
        .file("templates/it's.html", "quoted")
        .file(
            "templates/special.html",
            "{# the component box is below #}{{\
                                         < box t=\"2\" />}}{% include \"it's.html\" %}{{ \
                                         page.views }}\
                                         {% set d = data(path=\".x.yaml\", required=false) %}{{ d \
                                         | json }}",
        )
        .file("content/two.md", "---\ntemplate: special.html\nviews: 1\n---\n")
        .file("counts.json", "{}");
    site.write(
        "site.toml",
        "title = \"T\"\nbase_url = \"https://t.example\"\n[counters]\nsnapshot = \"counts.json\"\n",
    );
    stays_clean(
        &site,
        &[
            ("content/posts/_index.md", "[x](https://x.example)\n\n{{<box t=\"2\" />}}\n"),
            ("content/posts/_index.md", "[x](https://x.example)\n\n{{<bax t=\"2\" />}}\n"),
            (
                "content/posts/_index.md",
                "---\nsponsored: true\n---\n[x](https://x.example)\n\n{{<bax t=\"2\" />}}\n",
            ),
            (
                "templates/components/box.html",
                "{% component box(t) %}b{{ t }}{% endcomponent box %}{% component bax(t) %}y{{ t \
                 }}{% endcomponent bax %}",
            ),
            ("templates/it's.html", "other"),
            ("counts.json", "{\"/one/\": {\"views\": 7}}"),
            ("data/.x.yaml", "a: 1"),
            ("data/.x.yaml", "a: 2"),
        ],
    );
}
