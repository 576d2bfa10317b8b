//! Hears of changes from the system, and says where to look.
//!
//! Events are believed only so far: whatever they say has happened, their paths are looked at. Where they may have
//! been lost (an overflow, a name that cannot be written) everything is.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use notify_debouncer_full::notify::event::{AccessKind, AccessMode, EventKind};
use notify_debouncer_full::notify::{self, Config, ErrorKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent, Debouncer, NoCache, new_debouncer_opt};

use super::Message;
use crate::config;
use crate::diag::Diagnostic;
use crate::load::{FOLDERS, is_below_litter};
use crate::paths::SourcePath;
use crate::pipeline::live::Look;

/// A path must have been left alone for so long before it is looked at: an editor's save is several steps.
const SETTLED: Duration = Duration::from_millis(10);
const TICK: Duration = Duration::from_millis(5);

/// So many paths at once are no longer a person's save.
const SAVE: usize = 3;
/// More paths may still come for so long after the last.
const PAUSE: Duration = Duration::from_millis(40);
/// And for so long where it is certain that a program writes them.
const LONG_PAUSE: Duration = Duration::from_millis(200);
const BURST: usize = 24;
/// A program that never pauses is not waited for longer.
const LONGEST: Duration = Duration::from_secs(20);

/// Watches a site until it is dropped.
pub(super) struct Watcher {
    debouncer: Debouncer<RecommendedWatcher, NoCache>,
    root: PathBuf,
    /// The folders that are watched.
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the system cannot watch, or not so many folders.
    pub(super) fn start(root: &Path, tell: Sender<Message>) -> Result<Self, Diagnostic> {
        let handler = {
            let root = root.to_owned();
            move |result: DebounceEventResult| {
                let look = match result {
                    Ok(events) => where_to_look(&root, &events),
                    Err(_) => Some(Look::Everywhere),
                };
                if let Some(look) = look {
                    let _ = tell.send(Message::Look(look));
                }
            }
        };
        let debouncer = new_debouncer_opt(SETTLED, Some(TICK), handler, NoCache, Config::default()).map_err(failed)?;
        let mut watcher = Self { debouncer, root: root.to_owned(), watched: BTreeSet::new() };
        // The root by itself: for site.toml, and for folders of the site that come and go.
        watcher.debouncer.watch(root, RecursiveMode::NonRecursive).map_err(failed)?;
        for folder in FOLDERS {
            watcher.watch(root.join(folder), RecursiveMode::Recursive).map_err(failed)?;
        }
        Ok(watcher)
    }

    /// Forgets what is watched: the next [`Watcher::follow`] watches all of it anew.
    pub(super) fn forget(&mut self) {
        self.watched.clear();
    }

    /// Watches what may have come since: folders of the site, and the folder of a file outside of them.
    ///
    /// # Errors
    /// When the system cannot watch so many folders.
    pub(super) fn follow(&mut self, outlying: Option<&SourcePath>) -> Result<(), Diagnostic> {
        for folder in FOLDERS {
            self.watch(self.root.join(folder), RecursiveMode::Recursive).map_err(failed)?;
        }
        if let Some(path) = outlying.filter(|path| !path.parent().is_empty()) {
            self.watch(self.root.join(path.parent()), RecursiveMode::NonRecursive).map_err(failed)?;
        }
        Ok(())
    }

    /// Watches a folder, if it is there and is not watched yet: to watch one is to walk through it.
    fn watch(&mut self, folder: PathBuf, mode: RecursiveMode) -> notify::Result<()> {
        if !folder.is_dir() {
            self.watched.remove(&folder);
        } else if !self.watched.contains(&folder) {
            match self.debouncer.watch(&folder, mode) {
                Ok(()) => {
                    self.watched.insert(folder);
                }
                // A part of it went away while it was walked through, of which there will be word.
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
    Diagnostic::warning(format!("this system cannot watch the site's folders: {e}"))
        .hint("everything is looked at twice a second instead, as with --poll")
}

/// Where these events may have changed something; `None` when nowhere in the site.
fn where_to_look(root: &Path, events: &[DebouncedEvent]) -> Option<Look> {
    let mut paths = BTreeSet::new();
    for event in events {
        if event.need_rescan() {
            return Some(Look::Everywhere);
        }
        if matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write)) {
            continue;
        }
        for path in &event.paths {
            match place(root, path) {
                Place::At(path) => {
                    paths.insert(path);
                }
                Place::Unclear => return Some(Look::Everywhere),
                Place::Nowhere => {}
            }
        }
    }
    (!paths.is_empty()).then_some(Look::At(paths))
}

/// What a path is to the site.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    At(SourcePath),
    /// One of its folders as a whole, or a name that cannot be written down.
    Unclear,
    Nowhere,
}

fn place(root: &Path, path: &Path) -> Place {
    let Ok(relative) = path.strip_prefix(root) else { return Place::Nowhere };
    let parts: Vec<_> = relative.components().filter_map(|c| if let Component::Normal(name) = c { Some(name.to_str()) } else { None }).collect();
    let Some(Some(first)) = parts.first() else { return Place::Nowhere };
    let in_site = FOLDERS.contains(first);
    if in_site && parts.len() == 1 {
        return Place::Unclear;
    }
    let Some(names) = parts.iter().copied().collect::<Option<Vec<&str>>>() else {
        return if in_site { Place::Unclear } else { Place::Nowhere };
    };
    match SourcePath::new(&names.join("/")) {
        Ok(path) if in_site && is_below_litter(&path, first) => Place::Nowhere,
        // A snapshot of counters may lie beside site.toml or in a folder of its own.
        Ok(path) if in_site || path.as_str() == config::FILE || path.has_extension("json") => Place::At(path),
        Err(_) if in_site => Place::Unclear,
        _ => Place::Nowhere,
    }
}

/// Takes in what else comes while a program is still writing: a checkout of many files is one change. `None` when the
/// server is to stop.
pub(super) fn gather(first: Look, messages: &Receiver<Message>, root: &Path) -> Option<Look> {
    let start = Instant::now();
    let mut all = first;
    loop {
        let pause = match &all {
            _ if start.elapsed() > LONGEST => Duration::ZERO,
            _ if root.join(".git/index.lock").exists() => LONG_PAUSE,
            Look::At(paths) if paths.len() <= SAVE => Duration::ZERO,
            Look::At(paths) if paths.len() <= BURST => PAUSE,
            Look::At(_) | Look::Everywhere => LONG_PAUSE,
        };
        match messages.recv_timeout(pause) {
            Ok(Message::Look(more)) => all = both(all, more),
            // Problems are told after every look.
            Ok(Message::Failed) => {}
            Ok(Message::Stop) => return None,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Some(all),
        }
    }
}

fn both(a: Look, b: Look) -> Look {
    match (a, b) {
        (Look::At(mut a), Look::At(b)) => {
            a.extend(b);
            Look::At(a)
        }
        _ => Look::Everywhere,
    }
}

#[cfg(test)]
mod tests {
    use notify_debouncer_full::notify::Event;
    use notify_debouncer_full::notify::event::{Flag, ModifyKind};

    use super::*;

    #[test]
    fn where_events_were_lost_everything_is_looked_at() {
        let root = Path::new("/site");
        let event = |event: Event| DebouncedEvent::new(event, Instant::now());
        let modified = |path: &str| event(Event::new(EventKind::Modify(ModifyKind::Any)).add_path(path.into()));
        let a = SourcePath::new("content/a.md").unwrap();
        assert_eq!(where_to_look(root, &[modified("/site/content/a.md")]), Some(Look::At([a].into())));
        let overflow = event(Event::new(EventKind::Other).set_flag(Flag::Rescan));
        assert_eq!(where_to_look(root, &[modified("/site/content/a.md"), overflow]), Some(Look::Everywhere));
        assert_eq!(where_to_look(root, &[modified("/site/public/a.html")]), None);
    }

    #[test]
    fn only_what_is_of_the_site_is_looked_at() {
        let place = |path: &str| place(Path::new("/site"), Path::new(path));
        let at = |path: &str| Place::At(SourcePath::new(path).unwrap());
        assert_eq!(place("/site/content/posts/a.md"), at("content/posts/a.md"));
        assert_eq!(place("/site/site.toml"), at("site.toml"));
        assert_eq!(place("/site/static/_redirects"), at("static/_redirects"));
        assert_eq!(place("/site/static/CNAME"), at("static/CNAME"));
        assert_eq!(place("/site/content"), Place::Unclear);
        for elsewhere in
            ["/site", "/site/public/a.html", "/site/content/.a.md.swp", "/site/content/4913", "/site/content/a.md~", "/other/content/a.md"]
        {
            assert_eq!(place(elsewhere), Place::Nowhere, "{elsewhere}");
        }
    }
}
