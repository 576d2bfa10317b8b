//! Another host, as links lead to one: it answers what it is told to, and remembers what it was
//! asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A host on this machine. It goes on until the test program ends.
pub struct Host {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Each request as `GET /path`, in order.
    requests: Vec<String>,
    open: usize,
    most: usize,
}

/// What is answered: a status line's rest and headers, after a while.
#[derive(Clone)]
pub struct Reply(pub &'static str, pub Duration);

/// Answers at once.
pub fn reply(head: &'static str) -> Reply {
    Reply(head, Duration::ZERO)
}

impl Host {
    /// `answers` holds, for `METHOD /path`, the replies to its first, second … request; the last
    /// one stays. What is not in it is answered with 404.
    pub fn start(answers: &[(&str, &[Reply])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let answers: Arc<BTreeMap<String, Vec<Reply>>> =
            Arc::new(answers.iter().map(|(k, v)| ((*k).to_owned(), v.to_vec())).collect());
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &answers, &seen));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut self.seen.lock().unwrap().requests);
        requests.sort();
        requests
    }

    /// How many requests were open at the same time.
    pub fn most(&self) -> usize {
        self.seen.lock().unwrap().most
    }
}

fn serve(stream: TcpStream, answers: &BTreeMap<String, Vec<Reply>>, seen: &Mutex<Seen>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() || line.is_empty() {
        return;
    }
    let request = line.rsplit_once(' ').map_or("", |(request, _)| request).to_owned();
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|n| n > 2) {
        header.clear();
    }
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.open += 1;
        seen.most = seen.most.max(seen.open);
        seen.requests.push(request.clone());
        seen.requests.iter().filter(|r| **r == request).count() - 1
    };
    let missing = reply("404 Not Found");
    let reply = answers
        .get(&request)
        .map_or(&missing, |list| list.get(before).unwrap_or(list.last().unwrap()));
    std::thread::sleep(reply.1);
    // No longer open before it is answered: the next request may come at once.
    seen.lock().unwrap().open -= 1;
    let _ = write!(
        reader.into_inner(),
        "HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        reply.0
    );
}
