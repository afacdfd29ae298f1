//! How an origin is written: in `Host`, and in messages.

use std::net::IpAddr;

use crate::phone::Origin;

/// `host[:port]` as in the `Host` header (RFC 9110 section 7.2): the scheme's own port left out, IPv6 in brackets.
pub(super) fn authority(origin: &Origin) -> String {
    let default = if origin.tls { 443 } else { 80 };
    let host = bracketed(&origin.host);
    if origin.port == default { host } else { format!("{host}:{}", origin.port) }
}

/// `scheme://host:port`, for people.
pub(super) fn written(origin: &Origin) -> String {
    let scheme = if origin.tls { "https" } else { "http" };
    format!("{scheme}://{}:{}", bracketed(&origin.host), origin.port)
}

fn bracketed(host: &str) -> String {
    match host.parse() {
        Ok(IpAddr::V6(_)) => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_header_table() {
        for (tls, host, port, want, url) in [
            (false, "files.example", 80, "files.example", "http://files.example:80"),
            (false, "files.example", 8080, "files.example:8080", "http://files.example:8080"),
            (true, "files.example", 443, "files.example", "https://files.example:443"),
            (true, "files.example", 80, "files.example:80", "https://files.example:80"),
            (false, "127.0.0.1", 8080, "127.0.0.1:8080", "http://127.0.0.1:8080"),
            (true, "::1", 443, "[::1]", "https://[::1]:443"),
            (true, "::1", 8443, "[::1]:8443", "https://[::1]:8443"),
        ] {
            let origin = Origin { tls, host: host.to_owned(), port };
            assert_eq!(authority(&origin), want);
            assert_eq!(written(&origin), url);
        }
    }
}
