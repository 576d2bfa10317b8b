//! `/_folio/events`: notifies browsers when the page they have open has changed (server-sent
//! events, HTML Living Standard §9.2).
//!
//! A browser sends the version that it has. It is notified when it would be served another one,
//! whatever the cause, also when it was disconnected for a while.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::client;
use super::lookup::{self, Lookup, NO_VERSION};
use super::notice::Notice;
use super::shared::Shared;
use crate::live::Publication;
use crate::media_type;

/// What a browser has open.
#[derive(Debug, Default)]
pub(super) struct OpenPage {
    /// The path of the page, percent-encoded.
    pub path: String,
    /// The version that the browser has.
    pub version: String,
    /// The last change that the browser knows of.
    pub id: String,
}

impl OpenPage {
    /// Reads the query of a request.
    pub(super) fn of(query: &str) -> Self {
        let mut open = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "path" => open.path = value.into_owned(),
                "version" => open.version = value.into_owned(),
                "id" => open.id = value.into_owned(),
                _ => {}
            }
        }
        open
    }
}

/// A connection to a browser.
struct Connection {
    shared: Arc<Shared>,
    receiver: watch::Receiver<Arc<Notice>>,
    number: u64,
    open: OpenPage,
    /// The last change that was sent.
    seen: u64,
    problems: Option<Arc<str>>,
    waiting: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.preview.page_closed(self.number);
    }
}

/// How often a comment is sent, so that closed connections are noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The events for a page that a browser has open.
pub(super) fn stream(
    shared: Arc<Shared>,
    open: OpenPage,
    permit: OwnedSemaphorePermit,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut receiver = shared.notices.subscribe();
    // The current state is sent at once.
    receiver.mark_changed();
    let number = shared.notices.next_connection();
    // After a restart the numbers of changes start anew; then every remembered change is sent.
    let seen = shared.notices.number(&open.id).unwrap_or(0);
    let hello = Event::default()
        .event("hello")
        .data(shared.notices.program_version())
        .retry(Duration::from_millis(500));
    let connection = Connection {
        shared,
        receiver,
        number,
        open,
        seen,
        problems: None,
        waiting: VecDeque::from([hello]),
        _permit: permit,
    };
    Sse::new(stream::unfold(connection, next)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn next(mut connection: Connection) -> Option<(Result<Event, Infallible>, Connection)> {
    loop {
        if let Some(event) = connection.waiting.pop_front() {
            return Some((Ok(event), connection));
        }
        connection.receiver.changed().await.ok()?;
        let notice = Arc::clone(&connection.receiver.borrow_and_update());
        connection = tokio::task::spawn_blocking(move || {
            connection.update(&notice);
            connection
        })
        .await
        .ok()?;
    }
}

impl Connection {
    /// Compares what the browser was served with what it would be served now.
    fn update(&mut self, notice: &Notice) {
        let (version, to) = self.current_version();
        let prefix = self.shared.preview.prefix();
        let files: Vec<String> = notice
            .assets
            .iter()
            .filter(|(number, _)| *number > self.seen)
            .map(|(_, route)| format!("{prefix}{}", route.encoded()))
            .collect();
        if version != self.open.version || to.is_some() || !files.is_empty() {
            let id = self.shared.notices.id_of(notice.number);
            let change = json!({ "id": id, "version": version, "files": files, "to": to });
            self.waiting.push_back(Event::default().event("change").data(change.to_string()));
            self.open.version = version;
        }
        self.seen = notice.number;
        if self.problems.as_ref() != Some(&notice.problems) {
            self.waiting.push_back(Event::default().event("problems").data(&*notice.problems));
            self.problems = Some(Arc::clone(&notice.problems));
        }
    }

    /// The current version of the open page, and its new path if it was moved.
    fn current_version(&self) -> (String, Option<String>) {
        let preview = &self.shared.preview;
        match lookup::find(preview, &self.open.path) {
            // Only pages are updated in place.
            Lookup::Found(resource, _) if !media_type::is_html(resource.out.as_str()) => {
                (self.open.version.clone(), None)
            }
            Lookup::Found(resource, _) => {
                preview.page_opened(self.number, resource.out.clone());
                let page = self
                    .shared
                    .with_preview(|preview| lookup::page_with_version(preview, &resource));
                let version = page.map_or_else(|_| NO_VERSION.to_owned(), |(version, _)| version);
                (version, None)
            }
            Lookup::Moved(to) => (String::new(), Some(to)),
            _ => (NO_VERSION.to_owned(), None),
        }
    }
}

/// The script tag of a page of this version.
pub(super) fn tag(shared: &Shared, version: &str, publication: Publication) -> String {
    let note = client::note(publication, shared.include_drafts, shared.include_future);
    client::tag(version, &shared.notices.id(), &note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_tells_what_a_browser_has_open() {
        let open = OpenPage::of("path=%2Fa%2520b%2F&version=00&id=1-2&other=x");
        assert_eq!((&*open.path, &*open.version, &*open.id), ("/a%20b/", "00", "1-2"));
    }
}
