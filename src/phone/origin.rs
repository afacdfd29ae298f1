//! A server by scheme, host and port.

use std::fmt;

use super::digits::push_decimal;

/// Scheme, host and port of a server: what a connection is made to and credentials are bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// `https` rather than `http`.
    pub tls: bool,
    /// Host name (lower case) or address, without brackets.
    pub host: String,
    /// Port, the scheme's own if the URL names none.
    pub port: u16,
}

impl Origin {
    /// The origin of a URL's scheme and authority, such as `https` and `[::1]:8443`. `None` if it is not
    /// http(s), has user information, no host, or a port that is none.
    pub fn parse(scheme: &str, authority: &str) -> Option<Origin> {
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        if host.is_empty() || !host.chars().all(named) {
            return None;
        }
        let port = match port {
            None | Some("") => default_port(tls),
            Some(port) => port.parse().ok().filter(|p| *p != 0)?,
        };
        Some(Origin { tls, host: host.to_ascii_lowercase(), port })
    }

    /// Scheme, host and port as `Display` writes them.
    pub(super) fn url(&self) -> String {
        let mut url = String::with_capacity(self.host.len() + 16);
        url.push_str(if self.tls { "https://" } else { "http://" });
        let bare = !self.host.contains(':');
        url.push_str(if bare { "" } else { "[" });
        url.push_str(&self.host);
        url.push_str(if bare { "" } else { "]" });
        if self.port != default_port(self.tls) {
            url.push(':');
            push_decimal(&mut url, self.port.into(), 0);
        }
        url
    }

    /// The `Host` header's value: the port only if it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.tls) { host } else { format!("{host}:{}", self.port) }
    }
}

const fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_read_and_print() {
        for (scheme, authority, printed) in [
            ("https", "server", Some("https://server")),
            ("HTTPS", "Server:443", Some("https://server")),
            ("http", "127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https", "[::1]:8443", Some("https://[::1]:8443")),
            ("https", "[::1]", Some("https://[::1]")),
            ("ftp", "server", None),
            ("http", "", None),
            ("http", "user@server", None),
            ("http", "server:0", None),
            ("http", "server:99999", None),
            ("http", "[::1", None),
            ("http", "[::1]x", None),
            ("http", "a b", None),
        ] {
            assert_eq!(Origin::parse(scheme, authority).map(|o| o.to_string()).as_deref(), printed, "{authority}");
        }
    }
}
