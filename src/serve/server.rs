//! Starts the parties and waits for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Instant;

use parking_lot::Mutex;

use super::allowed_hosts::AllowedHosts;
use super::keeper::Keeper;
use super::notice::Notices;
use super::options::{Reporter, ServeOptions};
use super::problems::Problems;
use super::shared::{Message, Shared};
use super::watch::Watcher;
use super::{bind, http};
use crate::diag::{Diagnostic, Report};
use crate::live::LiveSite;
use crate::session::Progress;

/// Serves a site until the process is asked to stop.
///
/// # Errors
/// When the site's folder does not exist, or no port can be listened on. Errors of the site are
/// shown, not returned.
pub fn run(
    options: &ServeOptions,
    progress: &dyn Progress,
    reporter: &Arc<dyn Reporter>,
) -> Result<(), Report> {
    let start = Instant::now();
    let mut live = LiveSite::open(options.live.clone())?;
    let listeners = bind::listen(&options.bind, options.port).map_err(Report::of)?;
    let (sender, messages) = channel();
    // Watching begins first, so that no change is missed while the site is read.
    let watcher = if options.poll {
        None
    } else {
        let watcher = Watcher::start(live.root(), sender.clone());
        watcher.map_err(|warning| reporter.warning(&warning)).ok()
    };
    live.start(progress);
    let shared = Arc::new(Shared {
        preview: live.preview(),
        notices: Notices::new(&options.live.program),
        hosts: AllowedHosts::new(&options.allow_hosts),
        keeper: Mutex::new(sender.clone()),
        include_drafts: options.live.include_drafts,
        include_future: options.live.include_future,
    });
    let prefix = shared.preview.prefix();
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    let urls: Vec<String> = addresses
        .map(|address| format!("http://{}{prefix}/", reachable_address(address)))
        .collect();
    reporter.serving(&urls, live.articles(), start.elapsed());
    let problems = Problems::new(options.editor_url.clone());
    let keeper = Keeper::new(live, Arc::clone(&shared), Arc::clone(reporter), problems, watcher);
    let server = std::thread::spawn(move || {
        let result = http::serve(listeners, &shared);
        let _ = sender.send(Message::Stop);
        result
    });
    keeper.run(&messages);
    let result =
        server.join().unwrap_or_else(|_| Err(std::io::Error::other("the server thread panicked")));
    result.map_err(|e| {
        let reason = crate::load::reason(&e);
        Report::of(Diagnostic::error(format!("the server has failed: {reason}")))
    })
}

/// The address under which a browser on this machine reaches a listener.
fn reachable_address(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
