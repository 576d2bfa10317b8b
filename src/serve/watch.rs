//! Receives file-system events, and tells what to rescan.
//!
//! Only the paths of events are used, whatever they say has happened. When events may have been
//! lost (an overflow, or a name that is not UTF-8), everything is rescanned.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use notify_debouncer_full::notify::event::{AccessKind, AccessMode, EventKind};
use notify_debouncer_full::notify::{self, Config, ErrorKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, NoCache, new_debouncer_opt,
};

use super::shared::Message;
use crate::config;
use crate::diag::Diagnostic;
use crate::live::ScanScope;
use crate::load::{FOLDERS, is_ignored_path};
use crate::paths::SourcePath;

/// How long a path must be unchanged before it is rescanned: an editor saves a file in several
/// steps.
const SETTLE_TIME: Duration = Duration::from_millis(10);
/// How often pending events are checked.
const TICK: Duration = Duration::from_millis(5);

/// Up to this many paths at once are taken for a person's save and rescanned without waiting.
const SAVE_PATHS: usize = 3;
/// Up to this many paths are followed by a short wait for more, further ones by a long wait.
const BURST_PATHS: usize = 24;
const SHORT_WAIT: Duration = Duration::from_millis(40);
const LONG_WAIT: Duration = Duration::from_millis(200);
/// How long to wait for a program that never stops writing.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Watches a site until it is dropped.
pub(super) struct Watcher {
    debouncer: Debouncer<RecommendedWatcher, NoCache>,
    root: PathBuf,
    /// The folders that are watched.
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// Starts watching a site's root and folders, and sends messages to `keeper`.
    ///
    /// # Errors
    /// When the system cannot watch files, or not so many folders.
    pub(super) fn start(root: &Path, keeper: Sender<Message>) -> Result<Self, Diagnostic> {
        let handler = {
            let root = root.to_owned();
            move |result: DebounceEventResult| {
                let scope = match result {
                    Ok(events) => scope_of(&root, &events),
                    Err(_) => Some(ScanScope::Everything),
                };
                if let Some(scope) = scope {
                    let _ = keeper.send(Message::Rescan(scope));
                }
            }
        };
        let debouncer =
            new_debouncer_opt(SETTLE_TIME, Some(TICK), handler, NoCache, Config::default())
                .map_err(failed)?;
        let mut watcher = Self { debouncer, root: root.to_owned(), watched: BTreeSet::new() };
        // The root itself, for site.toml and for folders that are created or removed.
        watcher.debouncer.watch(root, RecursiveMode::NonRecursive).map_err(failed)?;
        for folder in FOLDERS {
            watcher.watch(root.join(folder), RecursiveMode::Recursive).map_err(failed)?;
        }
        Ok(watcher)
    }

    /// Forgets which folders are watched, so that [`Watcher::watch_new_folders`] watches all anew.
    pub(super) fn reset(&mut self) {
        self.watched.clear();
    }

    /// Watches folders that have been created since: those of the site, and the folder of a file
    /// that the site reads outside of them.
    ///
    /// # Errors
    /// When the system cannot watch so many folders.
    pub(super) fn watch_new_folders(
        &mut self,
        unlisted: Option<&SourcePath>,
    ) -> Result<(), Diagnostic> {
        for folder in FOLDERS {
            self.watch(self.root.join(folder), RecursiveMode::Recursive).map_err(failed)?;
        }
        if let Some(path) = unlisted.filter(|path| !path.parent().is_empty()) {
            self.watch(self.root.join(path.parent()), RecursiveMode::NonRecursive)
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Watches a folder if it exists and is not watched yet, since watching one takes a walk
    /// through it.
    fn watch(&mut self, folder: PathBuf, mode: RecursiveMode) -> notify::Result<()> {
        if !folder.is_dir() {
            self.watched.remove(&folder);
        } else if !self.watched.contains(&folder) {
            match self.debouncer.watch(&folder, mode) {
                Ok(()) => {
                    self.watched.insert(folder);
                }
                // A part of it was removed during the walk; an event for that follows.
                Err(e) if is_missing(&e) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(e) => e.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(e: notify::Error) -> Diagnostic {
    Diagnostic::warning(format!("cannot watch the site's folders: {e}"))
        .hint("the files are polled twice a second instead, as with --poll")
}

/// Which part of the site these events may have changed; `None` when they are all outside of it.
fn scope_of(root: &Path, events: &[DebouncedEvent]) -> Option<ScanScope> {
    const SAVED: AccessKind = AccessKind::Close(AccessMode::Write);
    let mut paths = BTreeSet::new();
    for event in events {
        if event.need_rescan() {
            return Some(ScanScope::Everything);
        }
        if matches!(event.kind, EventKind::Access(kind) if kind != SAVED) {
            continue;
        }
        for path in &event.paths {
            match locate(root, path) {
                EventPath::InSite(path) => {
                    paths.insert(path);
                }
                EventPath::Unclear => return Some(ScanScope::Everything),
                EventPath::Outside => {}
            }
        }
    }
    (!paths.is_empty()).then_some(ScanScope::Paths(paths))
}

/// Where a path of an event lies.
#[derive(Debug, PartialEq, Eq)]
enum EventPath {
    InSite(SourcePath),
    /// It is one of the site's folders itself, or its name is not UTF-8.
    Unclear,
    Outside,
}

fn locate(root: &Path, path: &Path) -> EventPath {
    let Ok(relative) = path.strip_prefix(root) else { return EventPath::Outside };
    let parts: Vec<_> = relative
        .components()
        .filter_map(|c| if let Component::Normal(name) = c { Some(name.to_str()) } else { None })
        .collect();
    let Some(Some(first)) = parts.first() else { return EventPath::Outside };
    let in_site = FOLDERS.contains(first);
    if in_site && parts.len() == 1 {
        return EventPath::Unclear;
    }
    let Some(names) = parts.iter().copied().collect::<Option<Vec<&str>>>() else {
        return if in_site { EventPath::Unclear } else { EventPath::Outside };
    };
    match SourcePath::new(&names.join("/")) {
        Ok(path) if in_site && is_ignored_path(&path, first) => EventPath::Outside,
        // The snapshot of counters may lie beside site.toml or in a folder of its own.
        Ok(path) if in_site || path.as_str() == config::FILE || path.has_extension("json") => {
            EventPath::InSite(path)
        }
        Err(_) if in_site => EventPath::Unclear,
        _ => EventPath::Outside,
    }
}

/// Collects further events while a program is still writing, so that a checkout of many files is
/// one change. `None` when the server is asked to stop.
pub(super) fn collect_scopes(
    first: ScanScope,
    messages: &Receiver<Message>,
    root: &Path,
) -> Option<ScanScope> {
    let start = Instant::now();
    let mut all = first;
    loop {
        let wait = match &all {
            _ if start.elapsed() > MAX_WAIT => Duration::ZERO,
            _ if root.join(".git/index.lock").exists() => LONG_WAIT,
            ScanScope::Paths(paths) if paths.len() <= SAVE_PATHS => Duration::ZERO,
            ScanScope::Paths(paths) if paths.len() <= BURST_PATHS => SHORT_WAIT,
            ScanScope::Paths(_) | ScanScope::Everything => LONG_WAIT,
        };
        match messages.recv_timeout(wait) {
            Ok(Message::Rescan(more)) => all = union(all, more),
            // Problems are reported after every rescan.
            Ok(Message::PageFailed) => {}
            Ok(Message::Stop) => return None,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Some(all),
        }
    }
}

fn union(a: ScanScope, b: ScanScope) -> ScanScope {
    match (a, b) {
        (ScanScope::Paths(mut a), ScanScope::Paths(b)) => {
            a.extend(b);
            ScanScope::Paths(a)
        }
        _ => ScanScope::Everything,
    }
}

#[cfg(test)]
mod tests {
    use notify_debouncer_full::notify::Event;
    use notify_debouncer_full::notify::event::{Flag, ModifyKind};

    use super::*;

    #[test]
    fn everything_is_rescanned_after_lost_events() {
        let root = Path::new("/site");
        let event = |event: Event| DebouncedEvent::new(event, Instant::now());
        let modified = |path: &str| {
            event(Event::new(EventKind::Modify(ModifyKind::Any)).add_path(path.into()))
        };
        let a = SourcePath::new("content/a.md").unwrap();
        assert_eq!(
            scope_of(root, &[modified("/site/content/a.md")]),
            Some(ScanScope::Paths([a].into()))
        );
        let overflow = event(Event::new(EventKind::Other).set_flag(Flag::Rescan));
        assert_eq!(
            scope_of(root, &[modified("/site/content/a.md"), overflow]),
            Some(ScanScope::Everything)
        );
        assert_eq!(scope_of(root, &[modified("/site/public/a.html")]), None);
    }

    #[test]
    fn only_paths_of_the_site_are_rescanned() {
        let locate = |path: &str| locate(Path::new("/site"), Path::new(path));
        let in_site = |path: &str| EventPath::InSite(SourcePath::new(path).unwrap());
        assert_eq!(locate("/site/content/posts/a.md"), in_site("content/posts/a.md"));
        assert_eq!(locate("/site/site.toml"), in_site("site.toml"));
        assert_eq!(locate("/site/static/_redirects"), in_site("static/_redirects"));
        assert_eq!(locate("/site/static/CNAME"), in_site("static/CNAME"));
        assert_eq!(locate("/site/content"), EventPath::Unclear);
        for elsewhere in [
            "/site",
            "/site/public/a.html",
            "/site/content/.a.md.swp",
            "/site/content/4913",
            "/site/content/a.md~",
            "/other/content/a.md",
        ] {
            assert_eq!(locate(elsewhere), EventPath::Outside, "{elsewhere}");
        }
    }
}
