//! The HTTP server: limits on connections, and responses to requests.
//!
//! It answers `GET` and `HEAD` for paths of the plan and for a few of its own below `/_folio/`.
//! Responses are not readable across origins, and browsers must not cache them.

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

use super::lookup::{self, Lookup, NO_VERSION};
use super::shared::Shared;
use super::{client, events, inject};
use crate::diag::{ColorChoice, Report};
use crate::live::{Publication, Resource, ResourceKind};
use crate::media_type::{self, media_type};

/// How many connections may be open; further ones are closed at once.
const MAX_CONNECTIONS: usize = 512;
/// How many of them may be event streams.
const MAX_EVENT_STREAMS: usize = 256;
/// How long a client may take to send the head of a request, including the pause before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a client may read nothing of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// The largest static page that gets the script, in bytes.
const MAX_STATIC_PAGE: u64 = 16 << 20;

/// Serves until the process is asked to stop (Ctrl-C or SIGTERM).
///
/// # Errors
/// When the sockets cannot be used.
pub(super) fn serve(listeners: Vec<TcpListener>, shared: &Arc<Shared>) -> std::io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        let app = router(Arc::clone(shared));
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        for listener in listeners {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::spawn(accept(listener, app.clone(), Arc::clone(&slots)));
        }
        stop_signal().await
    });
    runtime.shutdown_background();
    result
}

async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
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
            // Usually too many open files; wait until some are closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        let Ok(local) = stream.local_addr() else { continue };
        let _ = stream.set_nodelay(true);
        let app = app.clone().layer(Extension(LocalAddress(local)));
        tokio::spawn(async move {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(WRITE_TIMEOUT));
            let mut server = hyper::server::conn::http1::Builder::new();
            server
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(MAX_HEAD);
            let _ = server
                .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(app))
                .await;
            drop(slot);
        });
    }
}

/// The address that a connection arrived at.
#[derive(Clone, Copy, Debug)]
struct LocalAddress(SocketAddr);

fn router(shared: Arc<Shared>) -> Router {
    let (script, morph) = (Script::new(&client::script()), Script::new(client::MORPH));
    let streams = Arc::new(Semaphore::new(MAX_EVENT_STREAMS));
    Router::new()
        .route("/_folio/client.js", get(async move |headers: HeaderMap| script.respond(&headers)))
        .route("/_folio/morph.js", get(async move |headers: HeaderMap| morph.respond(&headers)))
        .route(
            "/_folio/events",
            get(async move |State(shared): State<Arc<Shared>>, request: Request| {
                event_stream(shared, &request, streams)
            }),
        )
        .route("/healthz", get(async || "ok\n"))
        .fallback(respond)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

/// Refuses requests that are not for this server, and sets the headers of every response.
async fn guard(
    State(shared): State<Arc<Shared>>,
    Extension(LocalAddress(local)): Extension<LocalAddress>,
    request: Request,
    next: Next,
) -> Response {
    let authority = request.uri().authority().map(ToString::to_string);
    let mut response = match shared.hosts.check(request.headers(), authority.as_deref(), local) {
        Err((status, why)) => plain(status, &why),
        Ok(()) if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            let mut response =
                plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are supported");
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
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n"))
        .into_response()
}

/// A script of Folio's.
#[derive(Clone)]
struct Script {
    plain: Arc<str>,
    compressed: Arc<[u8]>,
}

impl Script {
    fn new(text: &str) -> Self {
        Self { plain: text.into(), compressed: client::compress(text).into() }
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let accepts = headers
            .get(header::ACCEPT_ENCODING)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.contains("gzip"));
        let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
        let vary = (header::VARY, "accept-encoding");
        if accepts {
            ([kind, vary, (header::CONTENT_ENCODING, "gzip")], self.compressed.to_vec())
                .into_response()
        } else {
            ([kind, vary], self.plain.to_string()).into_response()
        }
    }
}

fn event_stream(shared: Arc<Shared>, request: &Request, streams: Arc<Semaphore>) -> Response {
    match streams.try_acquire_owned() {
        Ok(permit) => events::stream(
            shared,
            events::OpenPage::of(request.uri().query().unwrap_or_default()),
            permit,
        )
        .into_response(),
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open"),
    }
}

async fn respond(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let looked_up = {
        let (shared, path) = (Arc::clone(&shared), path.clone());
        tokio::task::spawn_blocking(move || look_up(&shared, &path)).await
    };
    let mut response = match looked_up {
        Ok(Reply::Ready(response)) => *response,
        Ok(Reply::File(place, kind, status)) => file(request, &place, &kind, status).await,
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request failed because of a bug in Folio; please report it",
        ),
    };
    if let Some(text) = shared.preview.host_file("_headers") {
        let below = crate::paths::percent_decode(
            path.strip_prefix(&shared.preview.prefix()).unwrap_or(&path),
        );
        site_headers(&text, &below, response.headers_mut());
    }
    response
}

/// A response, or the file that it consists of.
enum Reply {
    Ready(Box<Response>),
    /// A file that is streamed from disk, with its content type.
    File(std::path::PathBuf, String, StatusCode),
}

fn look_up(shared: &Arc<Shared>, path: &str) -> Reply {
    let ready = |response: Response| Reply::Ready(Box::new(response));
    if !shared.preview.has_site() {
        return ready(error_page(shared, None));
    }
    match lookup::find(&shared.preview, path) {
        Lookup::Found(resource, status) => {
            resource_reply(shared, resource, StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        }
        Lookup::Redirect { to, status } => {
            ready(redirect(&to, StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND)))
        }
        Lookup::Moved(to) => ready(redirect(&to, StatusCode::FOUND)),
        Lookup::NotFound => ready(plain(StatusCode::NOT_FOUND, "not found")),
        Lookup::InvalidPath => ready(plain(StatusCode::BAD_REQUEST, "invalid path")),
        Lookup::PathTooLong => ready(plain(StatusCode::URI_TOO_LONG, "the path is too long")),
    }
}

fn resource_reply(shared: &Arc<Shared>, resource: Resource, status: StatusCode) -> Reply {
    let kind = media_type(resource.out.as_str());
    let is_page = media_type::is_html(resource.out.as_str());
    match resource.kind {
        ResourceKind::File(place)
            if !is_page || std::fs::metadata(&place).is_ok_and(|m| m.len() > MAX_STATIC_PAGE) =>
        {
            Reply::File(place, kind, status)
        }
        ResourceKind::ThemeFile(bytes) if !is_page => {
            Reply::Ready(Box::new((status, [(header::CONTENT_TYPE, kind)], bytes).into_response()))
        }
        _ => {
            let page = shared.with_preview(|preview| lookup::page_with_version(preview, &resource));
            Reply::Ready(Box::new(match page {
                Ok((version, bytes)) if is_page => {
                    let tag = events::tag(shared, &version, resource.publication);
                    let page = inject::into_head(&bytes, &tag);
                    (status, [(header::CONTENT_TYPE, kind)], page).into_response()
                }
                Ok((_, bytes)) => {
                    (status, [(header::CONTENT_TYPE, kind)], bytes.to_vec()).into_response()
                }
                Err(report) => error_page(shared, Some(report)),
            }))
        }
    }
}

/// The response for a page that cannot be rendered. Its script shows the errors, and the page once
/// they are corrected.
fn error_page(shared: &Shared, report: Option<Report>) -> Response {
    let tag = events::tag(shared, NO_VERSION, Publication::Published);
    let mut text = String::new();
    let errors = report
        .map(|r| shared.preview.finish_report(r).render(ColorChoice::Never))
        .unwrap_or_default();
    let _ = pulldown_cmark_escape::escape_html(&mut text, &errors);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head>{tag}<meta charset=\"utf-8\">\
         <title>This page has errors</title></head><body><h1>This page has errors</h1>\
         <p>It appears here as soon as they are corrected.</p><pre>{text}</pre></body></html>"
    );
    (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page)
        .into_response()
}

fn redirect(to: &str, status: StatusCode) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (status, [(header::LOCATION, to)]).into_response(),
        Err(_) => plain(StatusCode::BAD_REQUEST, "the site redirects this path to an invalid URL"),
    }
}

/// Streams a file from disk, or the range of it that the request asks for (RFC 9110 §14).
///
/// The file's modification time is neither sent nor compared: it counts seconds (RFC 9110 §8.8.2),
/// and a file that is saved twice within one would be taken for unchanged.
async fn file(
    mut request: Request,
    place: &std::path::Path,
    kind: &str,
    status: StatusCode,
) -> Response {
    let mime = kind.parse().unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
    request.headers_mut().remove(header::IF_MODIFIED_SINCE);
    request.headers_mut().remove(header::IF_UNMODIFIED_SINCE);
    let served: Result<_, Infallible> =
        Ok(ServeFile::new_with_mime(place, &mime).try_call(request).await);
    let Ok(served) = served;
    match served {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => {
            plain(StatusCode::NOT_FOUND, "this file was removed")
        }
        Ok(response) => {
            let mut response = response.map(Body::new);
            response.headers_mut().remove(header::LAST_MODIFIED);
            if status != StatusCode::OK && response.status() == StatusCode::OK {
                *response.status_mut() = status;
            }
            response
        }
        Err(e) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("this file cannot be read: {}", crate::load::reason(&e)),
        ),
    }
}

/// Headers that a site cannot set in the preview: those of the message itself, those that browsers
/// would cache, and those that would make responses readable across origins.
const FORBIDDEN_HEADERS: [&str; 11] = [
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

/// Sets the headers that the site's `_headers` file gives a path.
fn site_headers(text: &str, path: &str, headers: &mut HeaderMap) {
    for (name, value) in crate::host_rules::headers(text, path) {
        let name = name.to_ascii_lowercase();
        if FORBIDDEN_HEADERS.contains(&name.as_str()) || name.starts_with("access-control-") {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}
