//! `folio serve`: shows a site while it is written.
//!
//! Three parties pass values: the watcher says where to look ([`watch`]), the first thread keeps the site
//! ([`Live`]) and tells what has come of it, and the server ([`http`]) shows the [`Preview`] to browsers, which
//! hear of changes over server-sent events ([`events`]). Nothing is written to an output folder, and nothing is
//! answered but what the plan holds.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

mod address;
mod answer;
mod client;
mod events;
mod hosts;
mod http;
mod inject;
mod notice;
mod problems;
mod rules;
mod watch;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

pub use address::Bind;
use notice::Notices;
use problems::Problems;

use crate::diag::{Diagnostic, Report};
use crate::pipeline::Progress;
use crate::pipeline::live::{Change, Clock, Live, LiveOptions, Look, Preview};
use crate::plan::Shown;

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub root: PathBuf,
    pub bind: Bind,
    pub port: Port,
    /// Names that browsers may know the server by, besides those of the addresses it is bound to.
    pub allow_hosts: Vec<String>,
    pub drafts: Shown,
    pub future: Shown,
    pub clock: Clock,
    pub watching: Watching,
    pub program: String,
    /// Where a link to a line of a file leads, with `{path}`, `{line}` and `{column}` in it.
    pub editor_url: Option<String>,
}

/// Which port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one or none.
    Exactly(u16),
    /// The first free one from here on.
    From(u16),
}

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watching {
    /// By the system's events.
    Events,
    /// By looking at everything again and again: for network drives and containers, which have no events.
    Poll,
}

/// Hears what the server does.
pub trait Told: Send + Sync {
    /// It answers at these addresses.
    fn serving(&self, urls: &[String], articles: usize, time: Duration);
    /// The site has changed.
    fn changed(&self, change: &Change);
    /// What is wrong that was not wrong before; how many errors there are now, and how many there were.
    fn problems(&self, new: &Report, errors: usize, before: usize);
    /// It could not be done, and the server goes on.
    fn trouble(&self, trouble: &Diagnostic);
}

/// What the thread that keeps the site is told.
enum Message {
    Look(Look),
    /// A page was asked for that cannot be rendered.
    Failed,
    Stop,
}

/// What the parties share.
struct Shared {
    preview: Arc<Preview>,
    notices: Notices,
    hosts: hosts::Hosts,
    /// To the thread that keeps the site.
    tell: std::sync::Mutex<Sender<Message>>,
    drafts: Shown,
    future: Shown,
}

impl Shared {
    /// Asks for a page, and has it told when that shows an error.
    fn ask<T>(&self, ask: impl FnOnce(&Preview) -> T) -> T {
        let before = self.preview.failures_seen();
        let answer = ask(&self.preview);
        if self.preview.failures_seen() != before {
            let _ = self.tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(Message::Failed);
        }
        answer
    }
}

/// How often everything is looked at where there are no events.
const POLL: Duration = Duration::from_millis(500);

/// After an edit of so many files, what was parsed is kept at once.
const MANY: usize = 256;

/// Serves a site until the process is told to stop.
///
/// # Errors
/// When the site's folder is not there, or no address can be listened on. A site's own errors are shown, not
/// returned.
pub fn run(options: &Options, progress: &dyn Progress, told: &Arc<dyn Told>) -> Result<(), Report> {
    let start = Instant::now();
    let listeners = address::listen(&options.bind, options.port).map_err(Report::of)?;
    let (tell, messages) = channel();
    let root = options.root.canonicalize().unwrap_or_else(|_| options.root.clone());
    // Watching begins first, so that nothing is missed while the site is read.
    let watcher = match options.watching {
        Watching::Events => Some(watch::Watcher::start(&root, tell.clone())),
        Watching::Poll => None,
    };
    let live = Live::open(
        LiveOptions { root, drafts: options.drafts, future: options.future, clock: options.clock, program: options.program.clone() },
        progress,
    )?;
    let addresses: Vec<SocketAddr> = listeners.iter().filter_map(|l| l.local_addr().ok()).collect();
    let shared = Arc::new(Shared {
        preview: live.preview(),
        notices: Notices::new(&options.program),
        hosts: hosts::Hosts::new(&options.allow_hosts),
        tell: std::sync::Mutex::new(tell.clone()),
        drafts: options.drafts,
        future: options.future,
    });
    let prefix = shared.preview.prefix();
    let urls: Vec<String> = addresses.iter().map(|a| format!("http://{}{prefix}/", shown(*a))).collect();
    told.serving(&urls, live.articles(), start.elapsed());
    let keeper = Keeper {
        live,
        shared: Arc::clone(&shared),
        told: Arc::clone(told),
        problems: Problems::new(options.editor_url.clone()),
        watcher,
        watching: options.watching,
    };
    let serving = std::thread::spawn(move || {
        let served = http::serve(listeners, &shared);
        let _ = tell.send(Message::Stop);
        served
    });
    keeper.run(&messages);
    let served = serving.join().unwrap_or_else(|_| Err(std::io::Error::other("its thread came down")));
    served.map_err(|e| Report::of(Diagnostic::error(format!("the server cannot go on: {}", crate::load::reason(&e)))))
}

/// An address as a browser takes it.
fn shown(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The thread that keeps the site.
struct Keeper {
    live: Live,
    shared: Arc<Shared>,
    told: Arc<dyn Told>,
    problems: Problems,
    watcher: Option<Result<watch::Watcher, Diagnostic>>,
    watching: Watching,
}

impl Keeper {
    fn run(mut self, messages: &Receiver<Message>) {
        if let Some(Err(trouble)) = &self.watcher {
            self.told.trouble(trouble);
            self.watching = Watching::Poll;
        }
        self.check();
        let mut kept = false;
        loop {
            // What was read is kept as soon as there is time, for builds and for the next start.
            if !kept && !self.live.has_more_to_do() {
                kept = self.live.keep().is_ok();
            }
            match messages.recv_timeout(self.patience()) {
                Ok(Message::Look(look)) => match watch::gather(look, messages, self.live.root()) {
                    Some(look) => kept &= !self.look(&look),
                    None => break,
                },
                Ok(Message::Failed) => self.tell_problems(),
                Err(RecvTimeoutError::Timeout) if self.live.has_more_to_do() => self.live.go_on(),
                Err(RecvTimeoutError::Timeout) => kept &= !self.look(&Look::Everywhere),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // A build that holds the store keeps its own.
        let _ = self.live.keep();
    }

    /// How long to wait for a message until it is time to look anyway.
    fn patience(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        if self.live.has_more_to_do() {
            return Duration::ZERO;
        }
        let until_turn = self.live.next_turn().map(|turn| turn.duration_since(jiff::Timestamp::now()));
        let until_turn = until_turn.map_or(LONGEST, |d| d.try_into().unwrap_or(Duration::ZERO));
        match self.watching {
            Watching::Events if !self.live.has_links() => until_turn.clamp(Duration::from_millis(10), LONGEST),
            Watching::Events | Watching::Poll => POLL.min(until_turn.max(Duration::from_millis(10))),
        }
    }

    /// Looks, and tells what has come of it; whether that was so much that it should be kept at once.
    fn look(&mut self, look: &Look) -> bool {
        // A folder that has come is watched before it is looked at, so that nothing falls in between.
        self.follow(look);
        let outlying = self.live.outlying();
        let mut change = self.live.look(look);
        if self.live.outlying() != outlying {
            self.follow(look);
            let more = self.live.look(&Look::Everywhere);
            change.files.extend(more.files);
        }
        // Time alone may have changed what is to be seen.
        self.shared.notices.changed(&change.assets);
        if !change.files.is_empty() {
            self.told.changed(&change);
        }
        self.check();
        change.files.len() > MANY
    }

    fn follow(&mut self, look: &Look) {
        if let Some(Ok(watcher)) = &mut self.watcher {
            let followed = watcher.follow(self.live.outlying().as_ref(), look);
            if let Err(trouble) = followed {
                self.told.trouble(&trouble);
                self.watching = Watching::Poll;
                self.watcher = None;
            }
        }
    }

    fn check(&mut self) {
        self.live.check();
        self.tell_problems();
    }

    fn tell_problems(&mut self) {
        let report = self.live.problems();
        if let Some(news) = self.problems.take(report, self.live.root()) {
            self.shared.notices.problems(news.json);
            self.told.problems(&news.new, news.errors, news.before);
        }
    }
}
