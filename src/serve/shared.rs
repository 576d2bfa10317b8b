//! What the server's parties share.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use parking_lot::Mutex;

use super::allowed_hosts::AllowedHosts;
use super::notice::Notices;
use crate::live::{Preview, ScanScope};

/// A message to the thread that keeps the site.
pub(super) enum Message {
    /// Files may have changed.
    Rescan(ScanScope),
    /// A page was requested that cannot be rendered.
    PageFailed,
    Stop,
}

/// What the parties share.
pub(super) struct Shared {
    pub preview: Arc<Preview>,
    pub notices: Notices,
    pub hosts: AllowedHosts,
    /// To the thread that keeps the site.
    pub keeper: Mutex<Sender<Message>>,
    pub include_drafts: bool,
    pub include_future: bool,
}

impl Shared {
    /// Calls `f` with the preview, and tells the keeper when a page could not be rendered.
    pub(super) fn with_preview<T>(&self, f: impl FnOnce(&Preview) -> T) -> T {
        let before = self.preview.failure_count();
        let result = f(&self.preview);
        if self.preview.failure_count() != before {
            let _ = self.keeper.lock().send(Message::PageFailed);
        }
        result
    }
}
