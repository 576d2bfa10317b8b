//! The HTTP connection of object stores: turns responses that are errors into typed errors, which
//! `object_store` passes on in its own.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use reqwest::StatusCode;

/// A response that is an error, or a request without one.
#[derive(Debug, thiserror::Error)]
pub(super) struct StatusError {
    pub status: StatusCode,
    /// The error code of S3 and Azure (`<Code>` in the response), such as `NoSuchBucket`.
    pub code: Option<String>,
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server responded with {}", self.status)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

impl StatusError {
    /// The status error among the causes of an error.
    pub(super) fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}

/// Makes HTTP clients that return [`StatusError`]s.
#[derive(Clone, Debug, Default)]
pub(super) struct StatusConnector;

impl HttpConnector for StatusConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(StatusService { client, new_folders: Arc::default() }))
    }
}

#[derive(Debug)]
struct StatusService {
    client: HttpClient,
    /// Held while a folder is created on a WebDAV server.
    new_folders: Arc<tokio::sync::Mutex<()>>,
}

/// The method that creates a folder (RFC 4918 §9.3).
const MKCOL: &str = "MKCOL";

/// The statuses that `object_store` itself handles.
const HANDLED: [u16; 6] = [401, 403, 404, 409, 412, 416];

impl HttpService for StatusService {
    fn call<'s, 'a>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            if request.method().as_str() != MKCOL {
                return checked(self.client.execute(request).await?).await;
            }
            // Several files of a new folder are uploaded at the same time, and each of them creates
            // it. One after the other, every one but the first is told that it exists.
            let _guard = self.new_folders.lock().await;
            let mut response = self.client.execute(request).await?;
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                *response.status_mut() = StatusCode::CREATED;
            }
            checked(response).await
        })
    }
}

/// The response, unless it is an error that `object_store` does not handle by its status.
async fn checked(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = body.bytes().await?;
    let code = error_code(&bytes);
    let is_missing_bucket = code.as_deref().is_some_and(|code| CONTAINER_CODES.contains(&code));
    if HANDLED.contains(&status.as_u16()) && !is_missing_bucket {
        // `object_store` quotes the body in its message, and a web page tells nothing there.
        let body = if is_html(&bytes) { Vec::new().into() } else { bytes };
        return Ok(HttpResponse::from_parts(parts, body.into()));
    }
    Err(HttpError::new(HttpErrorKind::Unknown, StatusError { status, code }))
}

/// The codes of a bucket or container that does not exist.
pub(super) const CONTAINER_CODES: [&str; 2] = ["NoSuchBucket", "ContainerNotFound"];

/// Whether a response is a web page, by its first tag.
fn is_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    ["<!doctype html", "<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag.as_bytes())))
}

/// The content of the element `Code` in an XML response.
fn error_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    code.chars().all(|c| c.is_ascii_alphanumeric()).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_read_from_responses() {
        let body = b"<?xml version='1.0'?><Error><Code>NoSuchBucket</Code><Message>x</Message>";
        assert_eq!(error_code(body).as_deref(), Some("NoSuchBucket"));
        assert_eq!(error_code(b"<Code>a b</Code>"), None);
        assert_eq!(error_code(b"\xff"), None);
    }

    #[test]
    fn web_pages_are_recognised() {
        assert!(is_html(b"\n<!DOCTYPE HTML PUBLIC>") && is_html(b"<html>"));
        assert!(!is_html(b"<?xml version='1.0'?><Error/>") && !is_html(b"<h"));
    }

    #[test]
    fn status_errors_are_found_among_causes() {
        let status = StatusError { status: StatusCode::INSUFFICIENT_STORAGE, code: None };
        let outer = HttpError::new(HttpErrorKind::Unknown, status);
        assert!(StatusError::find(&outer).is_some_and(|e| e.status.as_u16() == 507));
    }
}
