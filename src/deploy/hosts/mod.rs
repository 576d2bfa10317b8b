//! The kinds of hosts, one file each.

mod api;
mod cloudflare;
mod folder;
mod git;
mod netlify;
mod object_http;
mod object_store;
mod open;
mod process;
mod rsync;
mod sftp;
mod size_limit;

pub use open::{Host, HostContext, credentials_help, open};
