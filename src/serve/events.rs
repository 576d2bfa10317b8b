//! `/_folio/events`: tells a browser what has become of the page that it has open (server-sent events, HTML Living
//! Standard §9.2).
//!
//! A browser says what it was served. It is told when that is no longer what it would be served, however the change
//! came about, also after it had hung up for a while.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::answer::{self, Answer};
use super::notice::Notice;
use super::{Shared, client};

/// What a browser says of itself.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// The path of the page, percent-encoded.
    pub path: String,
    /// The mark that the page was served with.
    pub mark: String,
    /// The last change that it knows of.
    pub id: String,
}

impl Open {
    /// Reads the query of a request.
    pub(super) fn of(query: &str) -> Self {
        let mut open = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = crate::paths::percent_decode(&value.replace('+', " "));
            match name {
                "path" => open.path = value,
                "mark" => open.mark = value,
                "id" => open.id = value,
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
    open: Open,
    /// The last change that it was told of.
    seen: u64,
    problems: Option<Arc<str>>,
    waiting: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.preview.closed(self.number);
    }
}

/// Comments in between, so that a connection that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn stream(shared: Arc<Shared>, open: Open, permit: OwnedSemaphorePermit) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut receiver = shared.notices.subscribe();
    // The present state is told at once.
    receiver.mark_changed();
    let number = shared.notices.connection();
    // A change of another run is none that this one knows: all that it remembers is told.
    let seen = shared.notices.number(&open.id).unwrap_or(0);
    let hello = Event::default().event("hello").data(shared.notices.build()).retry(Duration::from_millis(500));
    let connection = Connection { shared, receiver, number, open, seen, problems: None, waiting: VecDeque::from([hello]), _permit: permit };
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
            connection.hear(&notice);
            connection
        })
        .await
        .ok()?;
    }
}

impl Connection {
    /// Compares what the browser was served with what it would be served now.
    fn hear(&mut self, notice: &Notice) {
        let preview = &self.shared.preview;
        let (mark, to) = match answer::find(preview, &self.open.path) {
            // Only pages listen.
            Answer::Found(found, _) if !super::http::content_type(found.out.as_str()).starts_with("text/html") => (self.open.mark.clone(), None),
            Answer::Found(found, _) => {
                preview.opened(self.number, found.out.clone());
                let shown = self.shared.ask(|preview| answer::mark_of(preview, &found));
                (shown.map_or_else(|_| answer::NEVER.to_owned(), |(mark, _)| mark), None)
            }
            Answer::Moved(to) => (String::new(), Some(to)),
            _ => (answer::NEVER.to_owned(), None),
        };
        let prefix = preview.prefix();
        let files: Vec<String> =
            notice.assets.iter().filter(|(number, _)| *number > self.seen).map(|(_, route)| format!("{prefix}{}", route.encoded())).collect();
        if mark != self.open.mark || to.is_some() || !files.is_empty() {
            let id = self.shared.notices.id_of(notice.number);
            let change = json!({ "id": id, "mark": mark, "files": files, "to": to });
            self.waiting.push_back(Event::default().event("change").data(change.to_string()));
            self.open.mark = mark;
        }
        self.seen = notice.number;
        if self.problems.as_ref() != Some(&notice.problems) {
            self.waiting.push_back(Event::default().event("problems").data(&*notice.problems));
            self.problems = Some(Arc::clone(&notice.problems));
        }
    }
}

/// The tag for a page with this mark.
pub(super) fn tag(shared: &Shared, mark: &str, standing: crate::pipeline::live::Standing) -> String {
    client::tag(mark, &shared.notices.id(), &client::note(standing, shared.drafts, shared.future))
}
