//! `folio serve`: shows a site in the browser while it is written.
//!
//! Three parties exchange values. The watcher ([`watch`]) tells what to rescan. The first thread
//! ([`keeper`]) updates the live site and reports what has changed. The server ([`http`]) shows the
//! site's [`crate::live::Preview`] to browsers, which are notified of changes by server-sent events
//! ([`events`]). Nothing is written to an output folder, and only paths of the plan are answered.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

mod allowed_hosts;
mod bind;
mod client;
mod events;
mod http;
mod inject;
mod keeper;
mod lookup;
mod notice;
mod options;
mod problems;
mod server;
mod shared;
mod watch;

pub use options::{Bind, Port, Reporter, ServeOptions};
pub use server::run;
