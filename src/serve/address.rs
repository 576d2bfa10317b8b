//! The addresses that are listened on.

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::str::FromStr;

use super::Port;
use crate::diag::Diagnostic;

/// Where to listen: an IP address, or `localhost` for both of the machine's own.
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
        bare.parse().map(Self::Ip).map_err(|_| "write an IP address such as 127.0.0.1, ::1 or 0.0.0.0, or localhost".to_owned())
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

/// So many ports are tried.
const TRIES: u16 = 100;

/// Listens.
///
/// # Errors
/// When the port is in use, with who uses it where that can be known; when no port is free; when the machine has no
/// such address.
pub(super) fn listen(bind: &Bind, port: Port) -> Result<Vec<TcpListener>, Diagnostic> {
    let (first, tries) = match port {
        Port::Exactly(port) => (port, 1),
        Port::From(port) => (port, TRIES),
    };
    let mut last = None;
    for port in (first..=u16::MAX).take(usize::from(tries)) {
        match listen_at(bind, port) {
            Ok(listeners) => return Ok(listeners),
            Err(e) if e.kind() == ErrorKind::AddrInUse => last = Some(in_use(port)),
            Err(e) => {
                let error = Diagnostic::error(format!("`{bind}` port {port} cannot be listened on: {}", crate::load::reason(&e)));
                return Err(match e.kind() {
                    ErrorKind::AddrNotAvailable => error.hint("this machine has no such address; 127.0.0.1 is its own, 0.0.0.0 stands for all"),
                    ErrorKind::PermissionDenied => error.hint("ports below 1024 are the system's; take one above"),
                    _ => error,
                });
            }
        }
    }
    Err(last.unwrap_or_else(|| in_use(first)))
}

fn listen_at(bind: &Bind, port: u16) -> std::io::Result<Vec<TcpListener>> {
    match bind {
        Bind::Ip(ip) => Ok(vec![TcpListener::bind(SocketAddr::new(*ip, port))?]),
        Bind::Localhost => {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            let port = v4.local_addr()?.port();
            // A machine without IPv6 is served all the same.
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
                Ok(v6) => Ok(vec![v4, v6]),
                Err(e) if e.kind() == ErrorKind::AddrInUse => Err(e),
                Err(_) => Ok(vec![v4]),
            }
        }
    }
}

fn in_use(port: u16) -> Diagnostic {
    let holder = listeners::get_process_by_port(port, listeners::Protocol::TCP).ok();
    let by = holder.map_or_else(|| "by another program".to_owned(), |p| format!("by {} (process {})", p.name, p.pid));
    Diagnostic::error(format!("port {port} is in use {by}")).hint("name another with --port, or none: then the next free one is taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_told_or_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let bind = Bind::Ip(Ipv4Addr::LOCALHOST.into());
        let error = listen(&bind, Port::Exactly(port)).unwrap_err();
        assert!(error.message.starts_with(&format!("port {port} is in use by ")), "{}", error.message);
        #[cfg(target_os = "linux")]
        assert!(error.message.contains(&format!("process {}", std::process::id())), "{}", error.message);
        let next = listen(&bind, Port::From(port)).unwrap();
        assert!(next[0].local_addr().unwrap().port() > port);
    }

    #[test]
    fn addresses_are_read() {
        assert_eq!("[::1]".parse(), Ok(Bind::Ip(Ipv6Addr::LOCALHOST.into())));
        assert_eq!("LocalHost".parse(), Ok(Bind::Localhost));
        assert!("example.org".parse::<Bind>().is_err());
    }
}
