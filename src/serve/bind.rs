//! Opens the sockets that the server listens on.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use super::options::{Bind, Port};
use crate::diag::Diagnostic;

/// How many ports are tried.
const MAX_TRIES: u16 = 100;

/// Opens a listener for each address.
///
/// # Errors
/// When the port is in use (naming the process that uses it, where the system tells), no port is
/// free, or the machine has no such address.
pub(super) fn listen(bind: &Bind, port: Port) -> Result<Vec<TcpListener>, Diagnostic> {
    let (first, tries) = match port {
        Port::Exactly(port) => (port, 1),
        Port::From(port) => (port, MAX_TRIES),
    };
    let mut last = None;
    for port in (first..=u16::MAX).take(usize::from(tries)) {
        match listen_at(bind, port) {
            Ok(listeners) => return Ok(listeners),
            Err(e) if e.kind() == ErrorKind::AddrInUse => last = Some(in_use(port)),
            Err(e) => {
                let error = Diagnostic::error(format!(
                    "cannot listen on `{bind}`, port {port}: {}",
                    crate::load::reason(&e)
                ));
                return Err(match e.kind() {
                    ErrorKind::AddrNotAvailable => error.hint(
                        "this machine has no such address; use 127.0.0.1 for this machine only, \
                         or 0.0.0.0 for all of its addresses",
                    ),
                    ErrorKind::PermissionDenied => {
                        error.hint("ports below 1024 are reserved; choose a higher one")
                    }
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
            // A machine without IPv6 is served over IPv4 alone.
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
    let by = holder.map_or_else(
        || "by another program".to_owned(),
        |p| format!("by {} (process {})", p.name, p.pid),
    );
    Diagnostic::error(format!("port {port} is in use {by}"))
        .hint("choose another with --port, or leave it out to use the next free one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_reported_or_skipped() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let bind = Bind::Ip(Ipv4Addr::LOCALHOST.into());
        let error = listen(&bind, Port::Exactly(port)).unwrap_err();
        assert!(
            error.message.starts_with(&format!("port {port} is in use by ")),
            "{}",
            error.message
        );
        #[cfg(target_os = "linux")]
        assert!(
            error.message.contains(&format!("process {}", std::process::id())),
            "{}",
            error.message
        );
        let next = listen(&bind, Port::From(port)).unwrap();
        assert!(next[0].local_addr().unwrap().port() > port);
    }
}
