//! A proxy before a server: it writes down what is asked, and fails when told to.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use super::free_port;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is answered with this status and does not reach the server.
    Status(u16),
    /// The connection is cut and it does not reach the server.
    Cut,
    /// The server carries it out, and the connection is cut instead of the answer.
    LoseAnswer,
}

/// A proxy on loopback to a server's port. HTTP/1.1 is understood; whatever else goes through is
/// only counted.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

struct State {
    /// The server's port.
    to: u16,
    ended: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    refuses: bool,
    fault: Option<Fault>,
    requests: Vec<(String, String)>,
    connections: usize,
    /// Both ends of what is open, by the connection's number.
    open: BTreeMap<usize, [TcpStream; 2]>,
}

/// Whether a request fails, by its method and path.
type Fails = dyn FnMut(&str, &str) -> bool + Send;

struct Fault {
    fails: Box<Fails>,
    how: Failure,
}

impl Proxy {
    /// Starts a proxy to a port of loopback, which need not answer yet. Without a server a
    /// connection is cut.
    pub fn to(port: u16) -> Self {
        let (to, port) = (port, free_port());
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let state = Arc::new(State { to, ended: AtomicBool::new(false), inner: Mutex::default() });
        let accepting = std::thread::spawn({
            let state = Arc::clone(&state);
            move || state.accept(&listener)
        });
        Self { port, state, accepting: Some(accepting) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The proxy's address, without a slash at the end.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request's method and path as they came, those that failed among them.
    pub fn requests(&self) -> Vec<(String, String)> {
        self.state.lock().requests.clone()
    }

    /// How many requests of a method came.
    pub fn count(&self, method: &str) -> usize {
        self.state.lock().requests.iter().filter(|(m, _)| m == method).count()
    }

    /// How many connections came, those refused among them.
    pub fn connections(&self) -> usize {
        self.state.lock().connections
    }

    /// Forgets the requests and connections that were counted.
    pub fn forget(&self) {
        let mut inner = self.state.lock();
        inner.requests.clear();
        inner.connections = 0;
    }

    /// Lets `n` more requests of PUT or POST through and fails every one that follows.
    pub fn fail_after(&self, n: usize, how: Failure) {
        let mut left = n;
        self.fail_when(how, move |method, _| {
            let write = matches!(method, "PUT" | "POST");
            let fails = write && left == 0;
            left = left.saturating_sub(usize::from(write));
            fails
        });
    }

    /// Fails the requests, by method and path, for which this is true. It may also do something at
    /// a request, such as ending the client, and let it through; the proxy itself it must not ask.
    pub fn fail_when(&self, how: Failure, fails: impl FnMut(&str, &str) -> bool + Send + 'static) {
        self.state.lock().fault = Some(Fault { fails: Box::new(fails), how });
    }

    /// Cuts what is open, and from now on every connection as it comes.
    pub fn refuse(&self) {
        let mut inner = self.state.lock();
        inner.refuses = true;
        inner.cut();
    }

    /// Lets everything through again.
    pub fn heal(&self) {
        let mut inner = self.state.lock();
        inner.refuses = false;
        inner.fault = None;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.state.lock().cut();
        // It waits for a connection, and one is what it gets.
        if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            let _ = self.accepting.take().map(JoinHandle::join);
        }
    }
}

impl Inner {
    fn cut(&mut self) {
        for stream in std::mem::take(&mut self.open).values().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().filter_map(Result::ok) {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let state = Arc::clone(self);
            // Counted here, so that what a client did is seen once it is done.
            let number = {
                let mut inner = self.lock();
                inner.connections += 1;
                inner.connections
            };
            std::thread::spawn(move || state.connection(number, &client));
        }
    }

    /// A connection from its beginning to its end; an error ends it, as a cut does.
    fn connection(&self, number: usize, client: &TcpStream) {
        let server = (!self.lock().refuses).then(|| TcpStream::connect(("127.0.0.1", self.to)));
        if let Some(Ok(server)) = &server {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let _ = self.pass(number, client, server);
            let _ = server.shutdown(Shutdown::Both);
        }
        let _ = client.shutdown(Shutdown::Both);
    }

    fn pass(&self, number: usize, client: &TcpStream, server: &TcpStream) -> io::Result<()> {
        {
            let mut inner = self.lock();
            if inner.refuses {
                return Ok(());
            }
            inner.open.insert(number, [client.try_clone()?, server.try_clone()?]);
        }
        let lost = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if answers(server, client, &lost).is_err() {
                    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
                }
            });
            match self.requests(client, server, &lost) {
                // What is to come of the answer still comes.
                Ok(true) => drop(server.shutdown(Shutdown::Write)),
                Ok(false) | Err(_) => {
                    drop((client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both)));
                }
            }
        });
        self.lock().open.remove(&number);
        Ok(())
    }

    /// Passes on what the client sends until it has sent everything; false means that the
    /// connection is to be cut.
    fn requests(
        &self,
        client: &TcpStream,
        mut server: &TcpStream,
        lost: &AtomicBool,
    ) -> io::Result<bool> {
        let mut from = BufReader::new(client);
        while let Some(request) = Request::read(&mut from)? {
            let Some((method, path)) = request.what() else {
                server.write_all(request.0.as_bytes())?;
                io::copy(&mut from, &mut server)?;
                break;
            };
            match self.note(method, path) {
                None => {}
                Some(Failure::Status(status)) => {
                    answer(&request, from, client, status)?;
                    return Ok(false);
                }
                Some(Failure::Cut) => return Ok(false),
                Some(Failure::LoseAnswer) => lost.store(true, Ordering::SeqCst),
            }
            server.write_all(request.0.as_bytes())?;
            request.body(&mut from, &mut server)?;
        }
        Ok(true)
    }

    /// Writes a request down, and tells how it fails.
    fn note(&self, method: &str, path: &str) -> Option<Failure> {
        let mut inner = self.lock();
        inner.requests.push((method.to_owned(), path.to_owned()));
        let fault = inner.fault.as_mut()?;
        (fault.fails)(method, path).then_some(fault.how)
    }
}

/// Passes on what the server answers, until an answer is to be lost.
fn answers(mut server: &TcpStream, mut client: &TcpStream, lost: &AtomicBool) -> io::Result<()> {
    let mut buffer = vec![0; 65536];
    loop {
        let read = server.read(&mut buffer)?;
        if read == 0 {
            // Both ways: what a client sends on a connection that the server has given up is no
            // request.
            return client.shutdown(Shutdown::Both);
        }
        // Without being told to go on a client may not send the body.
        if lost.load(Ordering::SeqCst) && !buffer.starts_with(b"HTTP/1.1 100") {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        client.write_all(&buffer[..read])?;
    }
}

/// Answers a request in the server's stead, once it is there in full: else the answer may be lost
/// with the connection.
fn answer(
    request: &Request,
    mut from: BufReader<&TcpStream>,
    mut client: &TcpStream,
    status: u16,
) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    if request.header("expect").is_none() {
        request.body(&mut from, &mut io::sink())?;
    }
    let answer =
        format!("HTTP/1.1 {status} By The Proxy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes())?;
    client.shutdown(Shutdown::Write)?;
    io::copy(&mut from, &mut io::sink()).map(drop)
}

/// The head of a request as it came, or the first line of something else.
struct Request(String);

impl Request {
    /// Reads a head; none at the end of the stream.
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        // What starts otherwise is no HTTP and may have no lines at all.
        if !from.fill_buf()?.first().is_some_and(u8::is_ascii_uppercase) {
            return if from.fill_buf()?.is_empty() {
                Ok(None)
            } else {
                Ok(Some(Self(String::new())))
            };
        }
        loop {
            let start = head.len();
            let ends = from.read_until(b'\n', &mut head)? == 0 || head[start..] == *b"\r\n";
            let request = || Self(String::from_utf8_lossy(&head).into_owned());
            if ends || (start == 0 && request().what().is_none()) {
                return Ok(Some(request()));
            }
        }
    }

    /// The method and the path, if it is a request of HTTP/1.
    fn what(&self) -> Option<(&str, &str)> {
        let mut words = self.0.lines().next()?.split(' ');
        let what = (words.next()?, words.next()?);
        words.next()?.starts_with("HTTP/1.").then_some(what)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.0.lines().skip(1).filter_map(|l| l.split_once(':'));
        headers
            .map(|(n, v)| (n, v.trim()))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// Passes the body on.
    fn body(&self, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
        if self.header("transfer-encoding").is_some_and(|e| e.eq_ignore_ascii_case("chunked")) {
            return chunks(from, to);
        }
        let length = self.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        exactly(from, length, to)
    }
}

/// Passes on a chunked body with its trailers.
fn chunks(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    loop {
        let line = line(from, to)?;
        let size =
            line.trim_end().split(';').next().and_then(|s| u64::from_str_radix(s.trim(), 16).ok());
        match size.ok_or(io::ErrorKind::InvalidData)? {
            0 => break,
            size => exactly(from, size + 2, to)?,
        }
    }
    while self::line(from, to)?.trim_end() != "" {}
    Ok(())
}

fn line(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    to.write_all(line.as_bytes())?;
    Ok(line)
}

fn exactly(from: &mut impl BufRead, length: u64, to: &mut impl Write) -> io::Result<()> {
    let copied = io::copy(&mut from.take(length), to)?;
    if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
