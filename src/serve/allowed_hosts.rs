//! Decides which requests are answered: those that use a host name of this server, from its own
//! pages.
//!
//! Otherwise a page of another site could read what is being written, through a host name of its
//! own that resolves to this machine (DNS rebinding), or by cross-origin requests.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, header};

/// The host names that are allowed besides the addresses that connections arrive at.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    allowed: Vec<String>,
}

impl AllowedHosts {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    /// Checks a request that arrived at the address `local`. Its `Host` must be that address,
    /// `localhost` or an allowed name, and its `Origin`, if any, must have the same host and port
    /// (RFC 6454).
    ///
    /// # Errors
    /// The status to respond with, and why.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        authority: Option<&str>,
        local: SocketAddr,
    ) -> Result<(), (StatusCode, String)> {
        let mut named = headers.get_all(header::HOST).iter();
        let (host, more) = (named.next(), named.next());
        let host = match (host.map(|h| h.to_str()), authority) {
            (_, Some(authority)) => authority,
            (Some(Ok(host)), None) if more.is_none() => host,
            _ => return Err((StatusCode::BAD_REQUEST, "the request names no host".into())),
        };
        let host = host.to_ascii_lowercase();
        if !self.is_allowed(name_of(&host), local.ip()) {
            let name = name_of(&host);
            return Err((
                StatusCode::FORBIDDEN,
                format!(
                    "this server does not answer for the host name `{name}`; to allow it, start \
                     the \
                     server with --allow-host {name}"
                ),
            ));
        }
        let origins: Vec<_> = headers.get_all(header::ORIGIN).iter().collect();
        let is_own = |origin: &str| {
            let origin = origin.to_ascii_lowercase();
            origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
                .is_some_and(|rest| rest == host)
        };
        // Requests of another site's page for a picture or a script have no origin, but these
        // headers (W3C Fetch Metadata). Following a link from anywhere is allowed.
        let value = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let is_cross_site = matches!(value("sec-fetch-site"), Some("cross-site" | "same-site"))
            && value("sec-fetch-mode") != Some("navigate");
        if !is_cross_site && origins.iter().all(|o| o.to_str().is_ok_and(is_own)) {
            Ok(())
        } else {
            Err((StatusCode::FORBIDDEN, "this server only answers its own pages".into()))
        }
    }

    fn is_allowed(&self, name: &str, local: IpAddr) -> bool {
        if self.allowed.iter().any(|allowed| allowed == name)
            || name == "localhost"
            || name.ends_with(".localhost")
        {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        let Ok(ip) = bare.parse::<IpAddr>() else { return false };
        // The address that the connection arrived at, or the loopback address of a machine that
        // forwards a port to a container.
        ip.to_canonical() == local.to_canonical() || ip.is_loopback()
    }
}

/// The host of an authority without its port; empty when the port is not a number.
fn name_of(authority: &str) -> &str {
    let end = authority.rfind(']').map_or(0, |i| i + 1);
    match authority[end..].split_once(':') {
        None => authority,
        Some((rest, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            &authority[..end + rest.len()]
        }
        Some(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_host_names_and_own_pages_are_answered() {
        let hosts = AllowedHosts::new(&["preview.example".into()]);
        let check = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            hosts
                .check(&headers, None, "127.0.0.1:4000".parse().unwrap())
                .map_err(|(status, _)| status.as_u16())
        };
        for host in [
            "localhost:4000",
            "127.0.0.1:4000",
            "127.0.0.1",
            "[::1]:4000",
            "LOCALHOST:80",
            "preview.example",
            "a.localhost:4000",
        ] {
            assert_eq!(check(host, None), Ok(()), "{host}");
            assert_eq!(check(host, Some(&format!("http://{host}"))), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1:4000",
            "127.0.0.1.nip.io",
            "",
            "[::1",
            "localhost:4000@evil.example",
        ] {
            assert_eq!(check(host, None), Err(403), "{host}");
        }
        for origin in [
            "null",
            "http://localhost:3000",
            "http://evil.example",
            "http://127.0.0.1:4000",
            "http://localhost:4000.evil.example",
        ] {
            assert_eq!(check("localhost:4000", Some(origin)), Err(403), "{origin}");
        }
    }
}
