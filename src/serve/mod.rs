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
mod watch;

use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use address::Bind;
use notice::Notices;
use problems::Problems;
use watch::Watcher;

use crate::diag::{Diagnostic, Report};
use crate::pipeline::Progress;
use crate::pipeline::live::{Change, Live, LiveOptions, Look, Preview};
use crate::plan::Shown;

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub live: LiveOptions,
    pub bind: Bind,
    pub port: Port,
    /// Names that browsers may know the server by, besides those of the addresses it is bound to.
    pub allow_hosts: Vec<String>,
    pub watching: Watching,
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
    tell: Mutex<Sender<Message>>,
    drafts: Shown,
    future: Shown,
}

impl Shared {
    /// Asks for a page, and has it told when that shows an error.
    fn ask<T>(&self, ask: impl FnOnce(&Preview) -> T) -> T {
        let before = self.preview.failures_seen();
        let answer = ask(&self.preview);
        if self.preview.failures_seen() != before {
            let _ = self.tell.lock().unwrap_or_else(PoisonError::into_inner).send(Message::Failed);
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
    let mut live = Live::open(options.live.clone())?;
    let listeners = address::listen(&options.bind, options.port).map_err(Report::of)?;
    let (tell, messages) = channel();
    // Watching begins first, so that nothing is missed while the site is read.
    let watcher = match options.watching {
        Watching::Events => Watcher::start(live.root(), tell.clone()).map_err(|trouble| told.trouble(&trouble)).ok(),
        Watching::Poll => None,
    };
    live.start(progress);
    let shared = Arc::new(Shared {
        preview: live.preview(),
        notices: Notices::new(&options.live.program),
        hosts: hosts::Hosts::new(&options.allow_hosts),
        tell: Mutex::new(tell.clone()),
        drafts: options.live.drafts,
        future: options.live.future,
    });
    let prefix = shared.preview.prefix();
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    let urls: Vec<String> = addresses.map(|address| format!("http://{}{prefix}/", shown(address))).collect();
    told.serving(&urls, live.articles(), start.elapsed());
    let problems = Problems::new(options.editor_url.clone());
    let keeper = Keeper { live, shared: Arc::clone(&shared), told: Arc::clone(told), problems, watcher, kept: Kept::NotYet };
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
    /// Where there is none, everything is looked at again and again.
    watcher: Option<Watcher>,
    kept: Kept,
}

/// Whether what was read is kept for builds and for the next start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// All of it, or so little is not that it can wait for the end.
    Enough,
    NotYet,
}

impl Keeper {
    fn run(mut self, messages: &Receiver<Message>) {
        self.check();
        loop {
            if self.kept == Kept::NotYet && !self.live.has_more_to_do() && self.live.keep().is_ok() {
                self.kept = Kept::Enough;
            }
            match messages.recv_timeout(self.patience()) {
                Ok(Message::Look(look)) => match watch::gather(look, messages, self.live.root()) {
                    Some(look) => self.look_where_told(&look),
                    None => break,
                },
                Ok(Message::Failed) => self.tell_problems(),
                Err(RecvTimeoutError::Timeout) if self.live.has_more_to_do() => self.live.go_on(),
                Err(RecvTimeoutError::Timeout) => self.look(&Look::Everywhere),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // A build that holds the store keeps its own.
        let _ = self.live.keep();
    }

    /// How long to wait for a message until it is time to look anyway.
    fn patience(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        const SHORTEST: Duration = Duration::from_millis(10);
        if self.live.has_more_to_do() {
            return Duration::ZERO;
        }
        let until_turn = self.live.next_turn().map(|turn| turn.duration_since(jiff::Timestamp::now()));
        let until_turn = until_turn.map_or(LONGEST, |d| d.try_into().unwrap_or(Duration::ZERO));
        let is_told = self.watcher.is_some() && !self.live.has_links();
        until_turn.clamp(SHORTEST, if is_told { LONGEST } else { POLL })
    }

    /// Looks where the watcher says.
    fn look_where_told(&mut self, look: &Look) {
        // A folder that has come is watched before it is looked at, so that nothing falls in between. What is looked at
        // everywhere may have been taken away and made again.
        if *look == Look::Everywhere
            && let Some(watcher) = &mut self.watcher
        {
            watcher.forget();
        }
        self.follow();
        let outlying = self.live.outlying();
        self.look(look);
        if self.live.outlying() != outlying {
            self.follow();
            self.look(&Look::Everywhere);
        }
    }

    /// Looks, and tells what has come of it.
    fn look(&mut self, look: &Look) {
        let before = self.shared.preview.generation();
        let change = self.live.look(look);
        // Time alone may have changed what is to be seen.
        if self.shared.preview.generation() != before || !change.assets.is_empty() {
            self.shared.notices.changed(&change.assets);
        }
        if !change.files.is_empty() {
            self.told.changed(&change);
        }
        self.check();
        if change.files.len() > MANY {
            self.kept = Kept::NotYet;
        }
    }

    fn follow(&mut self) {
        let outlying = self.live.outlying();
        if let Some(watcher) = &mut self.watcher
            && let Err(trouble) = watcher.follow(outlying.as_ref())
        {
            self.told.trouble(&trouble);
            self.watcher = None;
        }
    }

    fn check(&mut self) {
        self.live.check();
        self.tell_problems();
    }

    fn tell_problems(&mut self) {
        let news = self.live.news().and_then(|report| self.problems.take(report, self.live.root()));
        if let Some(news) = news {
            self.shared.notices.problems(news.json);
            self.told.problems(&news.new, news.errors, news.before);
        }
    }
}
