//! A server that stands in for a host's API, on a port of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use serde_json::Value;

/// What was asked, decoded.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn asks(&self, key: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }

    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".into())],
            body: value.to_string().into_bytes(),
        }
    }

    pub fn bytes(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A host's side: what it has, and what it answers.
pub trait Api: Send + 'static {
    fn answer(&mut self, asked: &Asked) -> Reply;
    /// Hears its own address.
    fn at(&mut self, url: &str);
}

struct Inner<A> {
    api: A,
    log: Vec<Asked>,
    /// How often a question that starts so is answered otherwise.
    faults: Vec<(String, Reply, usize)>,
}

/// The server; it ends with the value.
pub struct FakeService<A> {
    pub url: String,
    inner: Arc<Mutex<Inner<A>>>,
    _runtime: tokio::runtime::Runtime,
}

impl<A: Api> FakeService<A> {
    pub fn start(mut api: A) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        api.at(&url);
        let inner = Arc::new(Mutex::new(Inner { api, log: Vec::new(), faults: Vec::new() }));
        let shared = Arc::clone(&inner);
        let app = Router::new().fallback(move |request: Request| {
            let shared = Arc::clone(&shared);
            async move { respond(&shared, request).await }
        });
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url, inner, _runtime: runtime }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<A>> {
        self.inner.lock().unwrap()
    }

    /// Looks at what the host has, or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut A) -> T) -> T {
        look(&mut self.lock().api)
    }

    /// Answers so many questions that start with these words otherwise.
    pub fn fail(&self, start: &str, times: usize, reply: Reply) {
        self.lock().faults.push((start.to_owned(), reply, times));
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        let mut inner = self.lock();
        inner.log.clear();
        inner.faults.clear();
    }

    /// What was asked that starts with these words.
    pub fn asked(&self, start: &str) -> Vec<Asked> {
        self.lock().log.iter().filter(|asked| asked.line().starts_with(start)).cloned().collect()
    }
}

async fn respond<A: Api>(shared: &Mutex<Inner<A>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let asked = Asked {
        method: head.method.to_string(),
        path: folio::paths::percent_decode(head.uri.path()),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect(),
        body: to_bytes(body, 1 << 30).await.unwrap().to_vec(),
    };
    let reply = {
        let mut inner = shared.lock().unwrap();
        inner.log.push(asked.clone());
        let line = asked.line();
        match inner
            .faults
            .iter_mut()
            .find(|(start, _, times)| *times > 0 && line.starts_with(start.as_str()))
        {
            Some((_, reply, times)) => {
                *times -= 1;
                reply.clone()
            }
            None => inner.api.answer(&asked),
        }
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}
