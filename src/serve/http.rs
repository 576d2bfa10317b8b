//! The server: connections with limits, and the answers to requests.
//!
//! Only `GET` and `HEAD` are answered, for files of the plan and for Folio's own few paths. Nothing is said across
//! origins, and nothing is to be remembered by a browser.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower_http::services::ServeFile;

use super::answer::{self, Answer};
use super::{Shared, client, events, inject};
use crate::diag::{Report, Style};
use crate::pipeline::live::{Found, Standing, What};

/// Open connections; beyond them new ones are closed at once.
const CONNECTIONS: usize = 512;
/// Of these, browsers that listen for changes.
const LISTENERS: usize = 256;
/// How long a client may take to send a request's head, the pause between two requests included.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long a client may take nothing of an answer.
const STALL_TIME: Duration = Duration::from_secs(30);
/// The largest head of a request in bytes.
const HEAD_SIZE: usize = 16 << 10;
/// The largest static page that the script is put into.
const PAGE_SIZE: usize = 16 << 20;

/// Serves until the process is told to stop (Ctrl-C, or SIGTERM).
///
/// # Errors
/// When the sockets cannot be used.
pub(super) fn serve(listeners: Vec<TcpListener>, shared: &Arc<Shared>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        let app = router(Arc::clone(shared));
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        for listener in listeners {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::spawn(accept(listener, app.clone(), Arc::clone(&slots)));
        }
        told_to_stop().await
    });
    runtime.shutdown_background();
    result
}

async fn told_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

async fn accept(listener: tokio::net::TcpListener, app: Router, slots: Arc<Semaphore>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, for the most part: some will be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        let Ok(local) = stream.local_addr() else { continue };
        let _ = stream.set_nodelay(true);
        let app = app.clone().layer(Extension(Local(local)));
        tokio::spawn(async move {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(STALL_TIME));
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_SIZE);
            let _ = server.serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(app)).await;
            drop(slot);
        });
    }
}

/// The address that a connection arrived at.
#[derive(Clone, Copy, Debug)]
struct Local(SocketAddr);

fn router(shared: Arc<Shared>) -> Router {
    let (script, morph) = (Script::new(&client::script()), Script::new(client::MORPH));
    let listeners = Arc::new(Semaphore::new(LISTENERS));
    Router::new()
        .route("/_folio/client.js", get(async move |headers: HeaderMap| script.answer(&headers)))
        .route("/_folio/morph.js", get(async move |headers: HeaderMap| morph.answer(&headers)))
        .route("/_folio/events", get(async move |State(shared): State<Arc<Shared>>, request: Request| listen(shared, &request, listeners)))
        .route("/healthz", get(async || "ok\n"))
        .fallback(show)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

/// Refuses what is not for this server, and sets the headers that every answer has.
async fn guard(State(shared): State<Arc<Shared>>, Extension(Local(local)): Extension<Local>, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(ToString::to_string);
    let mut response = match shared.hosts.check(request.headers(), authority.as_deref(), local) {
        Err((status, why)) => plain(status, &why),
        Ok(()) if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        Ok(()) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

fn plain(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

/// A script of Folio's own.
#[derive(Clone)]
struct Script {
    plain: Arc<str>,
    packed: Arc<[u8]>,
}

impl Script {
    fn new(text: &str) -> Self {
        Self { plain: text.into(), packed: client::packed(text).into() }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("gzip"));
        let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
        let vary = (header::VARY, "accept-encoding");
        if accepts {
            ([kind, vary, (header::CONTENT_ENCODING, "gzip")], self.packed.to_vec()).into_response()
        } else {
            ([kind, vary], self.plain.to_string()).into_response()
        }
    }
}

fn listen(shared: Arc<Shared>, request: &Request, listeners: Arc<Semaphore>) -> Response {
    match listeners.try_acquire_owned() {
        Ok(permit) => events::stream(shared, events::Open::of(request.uri().query().unwrap_or_default()), permit).into_response(),
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "too many pages listen"),
    }
}

async fn show(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let looked_up = {
        let (shared, path) = (Arc::clone(&shared), path.clone());
        tokio::task::spawn_blocking(move || look_up(&shared, &path)).await
    };
    let mut response = match looked_up {
        Ok(Reply::Ready(response)) => *response,
        Ok(Reply::File(place, kind, status)) => file(request, &place, &kind, status).await,
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "this request brought its thread down, which is a mistake in Folio"),
    };
    if let Some(text) = shared.preview.steering("_headers") {
        let below = crate::paths::percent_decode(path.strip_prefix(&shared.preview.prefix()).unwrap_or(&path));
        site_headers(&text, &below, response.headers_mut());
    }
    response
}

/// What is sent.
enum Reply {
    Ready(Box<Response>),
    /// To be read from disk in pieces, with this content type.
    File(std::path::PathBuf, String, StatusCode),
}

fn look_up(shared: &Arc<Shared>, path: &str) -> Reply {
    let ready = |response: Response| Reply::Ready(Box::new(response));
    if !shared.preview.is_there() {
        return ready(broken(shared, None));
    }
    match answer::find(&shared.preview, path) {
        Answer::Found(found, status) => found_reply(shared, found, StatusCode::from_u16(status).unwrap_or(StatusCode::OK)),
        Answer::Redirect { to, status } => ready(redirect(&to, StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND))),
        Answer::Moved(to) => ready(redirect(&to, StatusCode::FOUND)),
        Answer::Nothing => ready(plain(StatusCode::NOT_FOUND, "nothing answers here")),
        Answer::Bad => ready(plain(StatusCode::BAD_REQUEST, "no file of a site can have this path")),
        Answer::TooLong => ready(plain(StatusCode::URI_TOO_LONG, "this path is too long")),
    }
}

fn found_reply(shared: &Arc<Shared>, found: Found, status: StatusCode) -> Reply {
    let kind = content_type(found.out.as_str());
    let is_page = kind.starts_with("text/html");
    match found.what {
        What::File(place) if !is_page || std::fs::metadata(&place).is_ok_and(|m| m.len() > PAGE_SIZE as u64) => Reply::File(place, kind, status),
        What::Theme(bytes) if !is_page => Reply::Ready(Box::new((status, [(header::CONTENT_TYPE, kind)], bytes).into_response())),
        _ => {
            let shown = shared.ask(|preview| answer::mark_of(preview, &found));
            Reply::Ready(Box::new(match shown {
                Ok((mark, bytes)) if is_page => {
                    let page = inject::into_head(&bytes, &events::tag(shared, &mark, found.standing));
                    (status, [(header::CONTENT_TYPE, kind)], page).into_response()
                }
                Ok((_, bytes)) => (status, [(header::CONTENT_TYPE, kind)], bytes.to_vec()).into_response(),
                Err(report) => broken(shared, Some(report)),
            }))
        }
    }
}

/// A page in the place of one that cannot be shown; its script shows what is wrong, and the page once that is mended.
fn broken(shared: &Shared, report: Option<Report>) -> Response {
    let tag = events::tag(shared, answer::NEVER, Standing::Published);
    let mut text = String::new();
    let words = report.map(|r| shared.preview.explain(r).render(Style::Plain)).unwrap_or_default();
    let _ = pulldown_cmark_escape::escape_html(&mut text, &words);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head>{tag}<meta charset=\"utf-8\"><title>This page cannot be shown</title></head><body><h1>This page cannot be shown</h1><p>It will come here by itself once the site's errors are mended.</p><pre>{text}</pre></body></html>"
    );
    (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn redirect(to: &str, status: StatusCode) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (status, [(header::LOCATION, to)]).into_response(),
        Err(_) => plain(StatusCode::BAD_REQUEST, "the site redirects this path to an address that cannot be one"),
    }
}

/// A file from disk, in pieces; a part of it where the request asks for one (RFC 9110 §14).
async fn file(request: Request, place: &std::path::Path, kind: &str, status: StatusCode) -> Response {
    let mime = kind.parse().unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
    let served: Result<_, Infallible> = Ok(ServeFile::new_with_mime(place, &mime).try_call(request).await);
    let Ok(served) = served;
    match served {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => plain(StatusCode::NOT_FOUND, "this file went away"),
        Ok(response) => {
            let mut response = response.map(Body::new);
            if status != StatusCode::OK && response.status() == StatusCode::OK {
                *response.status_mut() = status;
            }
            response
        }
        Err(e) => plain(StatusCode::INTERNAL_SERVER_ERROR, &format!("this file cannot be read: {}", crate::load::reason(&e))),
    }
}

/// The content type of a file of the output, as hosts set it.
pub(super) fn content_type(out: &str) -> String {
    let guess = match out.rsplit_once('.').map(|(_, end)| end) {
        Some("xml") => "application/xml".to_owned(),
        Some("webmanifest") => "application/manifest+json".to_owned(),
        _ => mime_guess::from_path(out).first_or_octet_stream().to_string(),
    };
    let is_text = guess.starts_with("text/") || guess.ends_with("json") || guess.ends_with("xml") || guess.ends_with("javascript");
    if is_text { format!("{guess}; charset=utf-8") } else { guess }
}

/// Headers that a site may not set here: those of the message itself, those that browsers would remember, and those
/// that open it to pages elsewhere.
const NOT_HERE: [&str; 11] = [
    "cross-origin-resource-policy",
    "timing-allow-origin",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "location",
    "transfer-encoding",
    "cache-control",
    "strict-transport-security",
    "clear-site-data",
];

/// Sets the headers that the site's `_headers` gives this path.
fn site_headers(text: &str, path: &str, headers: &mut HeaderMap) {
    for (name, value) in crate::rules::headers(text, path) {
        let name = name.to_ascii_lowercase();
        if NOT_HERE.contains(&name.as_str()) || name.starts_with("access-control-") {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_hosts() {
        for (name, kind) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("x.js", "text/javascript; charset=utf-8"),
            ("atom.xml", "application/xml; charset=utf-8"),
            ("feed.json", "application/json; charset=utf-8"),
            ("favicon.svg", "image/svg+xml; charset=utf-8"),
            ("a.webp", "image/webp"),
            ("CNAME", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), kind);
        }
    }
}
