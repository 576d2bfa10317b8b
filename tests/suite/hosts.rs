//! The hosts that deployments are tested against, each tried with a client that is not ours.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::hosts::{
    Failure, Nginx, Proxy, Repository, S3, SshClient, Sshd, WebDav, small_disk,
};
use crate::common::skip_without;

/// curl without the user's settings; what it prints is the answer's status.
fn curl(args: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["-q", "-s", "--noproxy", "*", "-m", "30", "-o", "/dev/null", "-w", "%{http_code}"])
        .args(args)
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skip_without(program);
    }
    found
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn s3_keeps_what_is_put_with_its_headers_and_loses_it_over_a_restart() {
    let Some(mut s3) = S3::start() else { return };
    assert!(s3.objects().is_empty());
    let every_byte: Vec<u8> = (0..=255).collect();
    s3.put("a&b/ä c+d.bin", &every_byte);
    s3.put("other", b"");
    let script = "import boto3, os; boto3.client('s3', endpoint_url=os.environ['ENDPOINT']).put_ob\
                  ject(Bucket='site', Key='index.html', \
                  Body=b'packed', ContentType='text/html', CacheControl='no-cache', ContentEncoding='gzip')";
    let boto3 = Command::new("python3")
        .args(["-c", script])
        .envs(s3.env())
        .env("ENDPOINT", s3.endpoint())
        .output()
        .unwrap();
    assert!(boto3.status.success(), "{}", said(&boto3));

    let objects = s3.objects();
    assert_eq!(objects.keys().collect::<Vec<_>>(), ["a&b/ä c+d.bin", "index.html", "other"]);
    assert_eq!(objects["a&b/ä c+d.bin"].content, every_byte);
    let page = &objects["index.html"];
    assert_eq!(page.content, b"packed");
    assert_eq!(page.content_type.as_deref(), Some("text/html"));
    assert_eq!(page.cache_control.as_deref(), Some("no-cache"));
    assert_eq!(page.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(objects["other"].content_encoding, None);

    s3.remove("other");
    assert!(!s3.objects().contains_key("other"));
    s3.stop();
    assert_eq!(curl(&[&s3.endpoint()]), "000");
    s3.restart();
    assert!(s3.objects().is_empty());
}

fn ssh(client: &SshClient, program: &str, args: &[&str]) -> Output {
    // `env` looks the program up in the new PATH.
    Command::new("/usr/bin/env")
        .arg(program)
        .args(args)
        .env("PATH", client.path_env())
        .output()
        .unwrap()
}

#[test]
fn sshd_lets_in_who_has_the_key_and_takes_files_by_sftp_and_rsync() {
    let Some(mut sshd) = Sshd::start() else { return };
    if !has("rsync") {
        return;
    }
    let client = sshd.through(sshd.port());
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("index.html"), "page").unwrap();
    let folder = sshd.folder().display().to_string();

    let plain = Command::new("ssh")
        .arg("-F")
        .arg(sshd.config())
        .args(["folio-test", "echo in"])
        .output()
        .unwrap();
    assert_eq!(plain.stdout, b"in\n", "{}", said(&plain));
    let batch = here.path().join("batch");
    fs::write(&batch, format!("put {}/index.html {folder}/by-sftp.html\n", here.path().display()))
        .unwrap();
    let sftp = ssh(&client, "sftp", &["-b", &batch.display().to_string(), "folio-test"]);
    assert!(sftp.status.success(), "{}", said(&sftp));
    assert_eq!(fs::read(sshd.folder().join("by-sftp.html")).unwrap(), b"page");
    let from = format!("{}/index.html", here.path().display());
    let rsync =
        ssh(&client, "rsync", &["-a", &from, &format!("folio-test:{folder}/by-rsync.html")]);
    assert!(rsync.status.success(), "{}", said(&rsync));
    assert_eq!(fs::read(sshd.folder().join("by-rsync.html")).unwrap(), b"page");

    for (client, why) in [
        (sshd.wrong_key(), "Permission denied (publickey)"),
        (sshd.unknown_host_key(), "Host key verification failed"),
        (sshd.changed_host_key(), "REMOTE HOST IDENTIFICATION HAS CHANGED"),
    ] {
        let refused = ssh(&client, "ssh", &["folio-test", "true"]);
        assert_eq!(refused.status.code(), Some(255));
        assert!(said(&refused).contains(why), "{}", said(&refused));
    }

    sshd.stop();
    assert_eq!(ssh(&client, "ssh", &["folio-test", "true"]).status.code(), Some(255));
    sshd.restart();
    assert!(ssh(&client, "ssh", &["folio-test", "true"]).status.success(), "{}", sshd.log());
}

#[test]
fn stopping_sshd_cuts_a_session_that_runs() {
    let Some(mut sshd) = Sshd::start() else { return };
    let started = sshd.folder().join("started");
    let mut session = Command::new("ssh");
    session
        .arg("-F")
        .arg(sshd.config())
        .args(["folio-test", &format!("touch {}; sleep 60", started.display())]);
    let mut session = session.stderr(Stdio::null()).spawn().unwrap();
    while !started.exists() {
        assert!(session.try_wait().unwrap().is_none(), "{}", sshd.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    let before = Instant::now();
    sshd.stop();
    assert_eq!(session.wait().unwrap().code(), Some(255));
    assert!(before.elapsed() < Duration::from_secs(30));
}

#[test]
fn webdav_takes_files_of_who_has_the_password() {
    let Some(mut dav) = WebDav::start() else { return };
    if !has("curl") {
        return;
    }
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("page").display().to_string();
    fs::write(&file, "page").unwrap();
    let (url, user) = (dav.url(), format!("{}:{}", dav.user, dav.password));
    let put = |name: &str| curl(&["-u", &user, "-T", &file, &format!("{url}{name}")]);
    let ask =
        |method: &str, name: &str| curl(&["-u", &user, "-X", method, &format!("{url}{name}")]);

    assert_eq!(curl(&["-T", &file, &format!("{url}a")]), "401");
    assert_eq!(curl(&["-u", "folio:wrong", "-T", &file, &format!("{url}a")]), "401");
    assert_eq!(put("a"), "201");
    assert_eq!(put("a"), "204");
    assert_eq!(put("folder/a"), "409");
    assert_eq!(ask("MKCOL", "folder"), "201");
    assert_eq!(ask("MKCOL", "folder/"), "405");
    assert_eq!(
        ask("MKCOL", "folder"),
        "301",
        "mod_dir comes before mod_dav where the slash is missing"
    );
    assert_eq!(put("folder/a"), "201");
    assert_eq!(fs::read(dav.folder().join("folder/a")).unwrap(), b"page");
    dav.put("foreign/file", "foreign");
    assert_eq!(put("foreign/file"), "204");
    assert_eq!(ask("PROPFIND", ""), "403", "of everything below nothing is told");
    assert_eq!(curl(&["-u", &user, "-X", "PROPFIND", "-H", "Depth: 1", &url]), "207");
    assert_eq!(ask("DELETE", "foreign/"), "204");
    assert!(!dav.folder().join("foreign").exists());

    dav.stop();
    assert_eq!(put("a"), "000");
    dav.restart();
    assert_eq!(put("a"), "204", "{}", dav.log());
}

#[test]
fn a_move_of_webdav_goes_through_a_proxy() {
    let Some(dav) = WebDav::start() else { return };
    let proxy = Proxy::to(dav.port());
    dav.put("new", "new");
    dav.put("old", "old");
    let (from, to, user) = (
        format!("{}/new", proxy.endpoint()),
        format!("{}/old", proxy.endpoint()),
        format!("{}:{}", dav.user, dav.password),
    );
    let moved = |overwrite: &str| {
        curl(&[
            "-u",
            &user,
            "-X",
            "MOVE",
            "-H",
            &format!("Destination: {to}"),
            "-H",
            &format!("Overwrite: {overwrite}"),
            &from,
        ])
    };
    assert_eq!(moved("F"), "412");
    assert_eq!(moved("T"), "204", "{}", dav.log());
    assert_eq!(crate::common::files(&dav.folder()), [("old".to_owned(), b"new".to_vec())].into());
}

#[test]
fn nginx_serves_a_folder_and_what_is_packed_beside() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<p>plain").unwrap();
    fs::write(folder.path().join("index.html.gz"), "packed").unwrap();
    let Some(nginx) = Nginx::serve(
        folder.path(),
        "location /old { return 301 /new; }\nerror_page 404 /index.html;",
    ) else {
        return;
    };
    let plain = nginx.get("/");
    assert_eq!((plain.status, plain.text().as_str()), (200, "<p>plain"));
    assert_eq!(plain.header("content-type"), Some("text/html"));
    let packed = nginx.ask("/", &[("Accept-Encoding", "gzip")]);
    assert_eq!(
        (packed.status, packed.text().as_str(), packed.header("content-encoding")),
        (200, "packed", Some("gzip"))
    );
    assert_eq!(nginx.get("/old").status, 301);
    assert_eq!(nginx.get("/none").status, 404);
}

#[test]
fn a_repository_tells_what_was_pushed() {
    let Some(repository) = Repository::bare() else { return };
    assert!(repository.branches().is_empty());
    repository.commit("pages", "a/ä.html", b"one");
    repository.commit("pages", "b.bin", &[0, 255, b'\n']);
    repository.commit("other", "c", b"");
    assert_eq!(repository.branches(), ["other", "pages"]);
    assert_eq!(repository.log("pages"), ["b.bin", "a/ä.html"]);
    assert_eq!(
        repository.head_files("pages"),
        [("a/ä.html".to_owned(), b"one".to_vec()), ("b.bin".to_owned(), vec![0, 255, b'\n'])]
            .into()
    );
    assert_eq!(repository.head_files("other").len(), 1);

    let clone = tempfile::tempdir().unwrap();
    let mut git = Command::new("git");
    git.args(["clone", "-q", "-b", "pages", &repository.remote(), "."])
        .envs(repository.env())
        .current_dir(&clone);
    let git = git.output().unwrap();
    assert!(git.status.success(), "{}", said(&git));
    assert_eq!(fs::read(clone.path().join("b.bin")).unwrap(), [0, 255, b'\n']);
}

/// A server of HTTP that keeps the connection and answers each request with its body. It ends with
/// the test.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let (mut stream, mut byte, mut request) = (stream.unwrap(), [0], Vec::new());
                while stream.read_exact(&mut byte).is_ok() {
                    request.push(byte[0]);
                    if request.ends_with(b"END") {
                        stream
                            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                            .unwrap();
                        request.clear();
                    }
                }
            });
        }
    });
    port
}

/// Sends requests on one connection and returns the statuses of the answers; 0 is a cut.
fn statuses(port: u16, requests: &[&str]) -> Vec<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let status = |request: &&str| {
        let _ = stream.write_all(request.as_bytes());
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"\r\n\r\nok") && !answer.ends_with(b"close\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => answer.push(byte[0]),
                _ => return 0,
            }
        }
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
    };
    requests.iter().map(status).collect()
}

#[test]
fn a_proxy_counts_requests_and_fails_when_told_to() {
    const GET: &str = "GET /g?q HTTP/1.1\r\nX: END\r\n\r\n";
    // The body looks like a request, and must not be taken for one.
    const PUT: &str =
        "PUT /p HTTP/1.1\r\ncontent-length: 25\r\n\r\nPUT /no HTTP/1.1\r\n\r\n\r\nEND";
    const POST: &str = "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n14;x=y\r\n\
                        PUT /no HTTP/1.1\r\n\r\n\r\n0\r\nTrailer: END\r\n\r\n";
    let proxy = Proxy::to(echo());
    let of = |requests: &[&str]| statuses(proxy.port(), requests);

    assert_eq!(of(&[PUT, POST, GET, PUT]), [200; 4]);
    let expected = [("PUT", "/p"), ("POST", "/c"), ("GET", "/g?q"), ("PUT", "/p")]
        .map(|(m, p)| (m.to_owned(), p.to_owned()));
    assert_eq!(proxy.requests(), expected);
    assert_eq!((proxy.count("PUT"), proxy.connections()), (2, 1));

    proxy.fail_after(1, Failure::Status(500));
    assert_eq!(of(&[GET, PUT, GET, POST, GET]), [200, 200, 200, 500, 0]);
    assert_eq!(of(&[GET, PUT]), [200, 500]);
    proxy.fail_after(0, Failure::Cut);
    assert_eq!(of(&[GET, PUT]), [200, 0]);
    proxy.fail_when(Failure::LoseAnswer, |_, path| path == "/c");
    assert_eq!(of(&[PUT, POST]), [200, 0]);
    proxy.refuse();
    assert_eq!(of(&[GET]), [0]);
    proxy.heal();
    proxy.forget();
    assert_eq!(of(&[PUT, PUT, PUT]), [200; 3]);
    assert_eq!((proxy.count("PUT"), proxy.connections()), (3, 1));
}

#[test]
fn a_lost_answer_is_of_a_request_that_was_carried_out() {
    let Some(dav) = WebDav::start() else { return };
    let (proxy, user) = (Proxy::to(dav.port()), format!("{}:{}", dav.user, dav.password));
    let here = tempfile::tempdir().unwrap();
    let large = here.path().join("large");
    fs::write(&large, vec![7; 3_000_000]).unwrap();
    let put = |name: &str| {
        curl(&[
            "-u",
            &user,
            "-T",
            &large.display().to_string(),
            &format!("{}/{name}", proxy.endpoint()),
        ])
    };
    assert_eq!(put("through"), "201");
    proxy.fail_after(0, Failure::LoseAnswer);
    assert_eq!(put("lost"), "100", "it is told to go on, and nothing more");
    proxy.fail_after(0, Failure::Status(503));
    assert_eq!(put("refused"), "503");
    proxy.fail_after(0, Failure::Cut);
    assert_eq!(put("cut"), "000");
    let there: Vec<_> = crate::common::files(&dav.folder())
        .into_iter()
        .map(|(name, content)| (name, content.len()))
        .collect();
    assert_eq!(there, [("lost".to_owned(), 3_000_000), ("through".to_owned(), 3_000_000)]);
}

#[test]
fn ssh_goes_through_a_proxy() {
    let Some(sshd) = Sshd::start() else { return };
    let proxy = Proxy::to(sshd.port());
    let client = sshd.through(proxy.port());
    assert!(ssh(&client, "ssh", &["folio-test", "true"]).status.success(), "{}", sshd.log());
    assert_eq!((proxy.connections(), proxy.requests().len()), (1, 0));
    proxy.refuse();
    assert_eq!(ssh(&client, "ssh", &["folio-test", "true"]).status.code(), Some(255));
}

#[test]
fn a_server_ends_with_a_test_that_panics() {
    let Some(dav) = WebDav::start() else { return };
    let Some(nginx) = Nginx::serve(&dav.folder(), "") else { return };
    let ports = [dav.port(), nginx.port()];
    assert!(ports.iter().all(|p| TcpStream::connect(("127.0.0.1", *p)).is_ok()));
    let test = std::thread::spawn(move || {
        let _servers = (dav, nginx);
        // Without the hook's message, which looks like a failure.
        std::panic::resume_unwind(Box::new("a failure"));
    });
    assert!(test.join().is_err());
    assert!(
        ports.iter().all(|p| TcpStream::connect(("127.0.0.1", *p)).is_err()),
        "a server goes on"
    );
}

#[test]
fn a_small_disk_is_soon_full() {
    let Some(disk) = small_disk(1) else { return };
    let path = disk.path().to_path_buf();
    fs::write(path.join("fits"), vec![0; 500_000]).unwrap();
    let full = fs::write(path.join("not"), vec![0; 1_000_000]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    drop(disk);
    assert!(!Path::new(&path).exists(), "it is still mounted");
}
