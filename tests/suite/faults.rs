//! Each system call that changes a file is made to fail in turn, by strace: what is said is an
//! error, the old output stands whole, and the next build equals a clean one.

use std::process::Command;

use crate::common::Site;

fn edited(round: usize) -> String {
    format!("---\ntitle: T{round}\ndate: 2026-01-01\ntags: [x{round}]\n---\n\nText {round}.\n")
}

/// Builds while the `nth` call of one of `calls` fails with `error`; says whether one was reached,
/// and what the program came to.
fn build_failing(site: &Site, calls: &str, nth: usize, error: &str) -> (bool, i32, String) {
    let trace = site.path("trace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .args([
            "-e",
            &format!("trace={calls}"),
            "-e",
            &format!("inject={calls}:error={error}:when={nth}"),
        ])
        .arg(assert_cmd::cargo::cargo_bin("folio"))
        .args(["build", "--jobs", "1"])
        .current_dir(site.root())
        .env("SOURCE_DATE_EPOCH", "1795000000")
        .output()
        .unwrap();
    let hit = std::fs::read_to_string(&trace).unwrap_or_default().contains("(INJECTED)");
    (hit, output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn every_call_that_fails_leaves_the_old_output_whole() {
    if Command::new("strace").arg("-V").output().is_err() {
        crate::common::skip_without("strace");
        return;
    }
    let site = Site::new().file("static/s.txt", "s");
    for i in 0..3 {
        site.write(
            &format!("content/posts/a{i}.md"),
            format!("---\ntitle: A{i}\ndate: 2026-01-0{}\n---\n\nx\n", i + 2),
        );
    }
    site.write("content/posts/e.md", edited(0));
    site.build();
    let (mut round, mut reached) = (0, 0);
    for (calls, error) in [
        ("rename,renameat,renameat2", "EIO"),
        ("write,pwrite64", "ENOSPC"),
        ("link,linkat", "EMLINK"),
        ("mkdir,mkdirat", "EACCES"),
        ("fsync,fdatasync", "EIO"),
        ("unlink,unlinkat,rmdir", "EACCES"),
    ] {
        for nth in 1.. {
            round += 1;
            // Each round adds pages, takes some away and changes others.
            site.write("content/posts/e.md", edited(round));
            let before = site.output();
            let (hit, code, said) = build_failing(&site, calls, nth, error);
            let context = format!("{calls} failing with {error} at call {nth}: {said}");
            if code == 0 {
                // What failed was no more than what the next build is to find, or a message.
                assert!(
                    site.page("posts/e/index.html").contains(&format!("Text {round}.")),
                    "{context}"
                );
            } else {
                assert_eq!(code, 1, "{context}");
                // Where writing fails the message may be what could not be written.
                assert!(said.contains("error: ") || calls.contains("write"), "{context}");
                assert_eq!(site.output(), before, "{context}");
            }
            // The edit stays, or is taken back: either way what is there is then made anew from
            // what is there.
            if nth % 2 == 0 {
                site.write("content/posts/e.md", edited(round - 1));
            }
            site.build();
            let clean = Site::copy_of(&site.path("content"));
            let fresh = Site::bare()
                .file("site.toml", std::fs::read(site.path("site.toml")).unwrap())
                .file("static/s.txt", "s");
            crate::common::copy(clean.root(), &fresh.path("content"));
            fresh.build();
            assert_eq!(site.output(), fresh.output(), "after {context}");
            reached += usize::from(hit);
            if !hit {
                break;
            }
        }
    }
    assert!(reached > 60, "only {reached} calls were made to fail");
}
