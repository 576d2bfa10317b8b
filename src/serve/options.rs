//! What to serve, and how.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::diag::{Diagnostic, LocatedReport};
use crate::live::{Change, LiveOptions};

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub live: LiveOptions,
    pub bind: Bind,
    pub port: Port,
    /// Host names that browsers may use besides those of the addresses it listens on.
    pub allow_hosts: Vec<String>,
    /// Whether files are polled instead of watched by file-system events: for network drives and
    /// containers, which have no events.
    pub poll: bool,
    /// The URL that opens a line of a file in an editor, with `{path}`, `{line}` and `{column}`.
    pub editor_url: Option<String>,
}

/// Which port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This port and no other.
    Exactly(u16),
    /// The first free port from this one on.
    From(u16),
}

/// What to listen on: an IP address, or `localhost` for 127.0.0.1 and ::1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    Ip(IpAddr),
    Localhost,
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("localhost") {
            return Ok(Self::Localhost);
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        bare.parse().map(Self::Ip).map_err(|_| {
            "expected an IP address such as 127.0.0.1, ::1 or 0.0.0.0, or localhost".to_owned()
        })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Localhost => f.write_str("localhost"),
        }
    }
}

/// Receives what the server does.
pub trait Reporter: Send + Sync {
    /// The server answers at these URLs.
    fn serving(&self, urls: &[String], articles: usize, time: Duration);
    /// The site has changed.
    fn changed(&self, change: &Change);
    /// The problems that are new, the number of errors now, and the number before.
    fn problems(&self, new: &LocatedReport, errors: usize, before: usize);
    /// Something failed, and the server continues without it.
    fn warning(&self, warning: &Diagnostic);
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn bind_accepts_ip_addresses_and_localhost() {
        assert_eq!("[::1]".parse(), Ok(Bind::Ip(Ipv6Addr::LOCALHOST.into())));
        assert_eq!("LocalHost".parse(), Ok(Bind::Localhost));
        assert!("example.org".parse::<Bind>().is_err());
    }
}
