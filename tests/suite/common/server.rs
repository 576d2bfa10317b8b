//! `folio serve` for a site under test, and a client that sends what it is told to, letter for
//! letter.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Site;

/// A server that is stopped with the value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// The path that the site lies below.
    pub prefix: String,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|l| l.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// The page as a build writes it: without the reload script.
    pub fn page(&self) -> Vec<u8> {
        let text = self.text();
        let Some(start) = text.find("<script src=\"/_folio/client.js\"") else {
            return self.bytes.clone();
        };
        let end = start + text[start..].find("</script>").unwrap() + "</script>".len();
        [&text.as_bytes()[..start], &text.as_bytes()[end..]].concat()
    }
}

impl Server {
    pub fn start(site: &Site, args: &[&str]) -> Self {
        Self::start_with(site, args, &[])
    }

    pub fn start_with(site: &Site, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("folio"));
        command
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .envs(env.iter().copied())
            .arg("serve")
            .args(args);
        if !args.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        Self::run(site, command)
    }

    /// With the system's clock, which goes on.
    pub fn start_by_the_clock(site: &Site) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("folio"));
        command.env_remove("SOURCE_DATE_EPOCH").args(["serve", "--port", "0"]);
        Self::run(site, command)
    }

    fn run(site: &Site, mut command: Command) -> Self {
        let mut child = command
            .current_dir(site.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let reader = {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in stderr.lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap();
                    said.push_str(&line);
                    said.push('\n');
                }
            })
        };
        let mut server = Self {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            prefix: String::new(),
            said,
            reader: Some(reader),
        };
        let url = server.eventually("it serves", |s| {
            let said = s.said();
            let line = said.lines().find(|l| l.starts_with("Serving http://"))?;
            Some(line["Serving http://".len()..].split(' ').next()?.to_owned())
        });
        let (address, prefix) = url.split_once('/').unwrap();
        server.address = address.parse().unwrap();
        format!("/{prefix}").trim_end_matches('/').clone_into(&mut server.prefix);
        server
    }

    /// What it has said on the terminal so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn eventually<T>(&self, what: &str, mut so: impl FnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = so(self) {
                return value;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "it never came to be that {what}\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a page has these words.
    #[track_caller]
    pub fn shows(&self, path: &str, words: &str) -> Answer {
        self.eventually(&format!("{path} has {words:?}"), |s| {
            Some(s.get(path)).filter(|a| a.text().contains(words))
        })
    }

    /// Waits until a path is answered with this status.
    #[track_caller]
    pub fn answers(&self, path: &str, status: u16) -> Answer {
        self.eventually(&format!("{path} is answered with {status}"), |s| {
            Some(s.get(path)).filter(|a| a.status == status)
        })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    /// Sends a request as it is written.
    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // The server may refuse before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").map_or(all.len(), |i| i + 4);
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head, bytes: all[end..].to_vec() }
    }

    /// The events of a page, as they come.
    pub fn events(&self, path: &str, fingerprint: &str) -> Events {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(
            stream,
            "GET /_folio/events?path={path}&version={fingerprint}&id= HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.address
        )
        .unwrap();
        Events(BufReader::new(stream))
    }

    /// Stops it as Ctrl-C does, and returns what it said.
    pub fn stop(mut self) -> String {
        assert!(
            Command::new("kill")
                .args(["-INT", &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success(), "{}", self.said());
        let _ = self.reader.take().unwrap().join();
        self.said()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream of server-sent events.
pub struct Events(BufReader<TcpStream>);

impl Events {
    /// The next event of this name whose data has these words: a file may be seen half written
    /// before.
    #[track_caller]
    pub fn until(&mut self, name: &str, words: &str) -> String {
        loop {
            let data = self.next(name);
            if data.contains(words) {
                return data;
            }
        }
    }

    /// The next event of this name.
    #[track_caller]
    pub fn next(&mut self, name: &str) -> String {
        let (start, mut line, mut event) = (Instant::now(), String::new(), String::new());
        loop {
            line.clear();
            assert!(start.elapsed() < Duration::from_secs(30), "no {name} ever came");
            assert!(
                self.0.read_line(&mut line).expect("an event comes") > 0,
                "the stream ended before {name}"
            );
            if let Some(named) = line.trim_end().strip_prefix("event: ") {
                named.clone_into(&mut event);
            } else if let Some(data) = line.trim_end().strip_prefix("data: ")
                && event == name
            {
                return data.to_owned();
            }
        }
    }
}

/// The mark in a page's tag.
pub fn fingerprint(page: &Answer) -> String {
    let text = page.text();
    let at = text.find("data-version=\"").expect("the page has a mark") + "data-version=\"".len();
    text[at..].split('"').next().unwrap().to_owned()
}
