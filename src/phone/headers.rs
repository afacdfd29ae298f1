//! The headers of an answer, taken apart when somebody looks at them.

use std::io::BufRead;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// All headers of an answer, in the order they came: a [`HeaderMap`] that is made of the lines when it is first asked for.
/// Of most answers a phone looks at none.
#[derive(Clone, Default)]
pub struct Headers {
    /// The lines as they came, each with its end.
    lines: Bytes,
    map: OnceLock<HeaderMap>,
}

impl Headers {
    /// Of these header lines, which somebody has found to be header lines already: what is none is left out.
    pub fn unparsed(lines: Bytes) -> Headers {
        Headers { lines, map: OnceLock::new() }
    }

    /// Whether there is one of this name, in any case; the map is not made for that.
    pub fn has(&self, name: &str) -> bool {
        match self.map.get() {
            Some(map) => map.contains_key(name),
            None => self.stands(name.as_bytes()),
        }
    }

    /// Whether a line begins with this name.
    fn stands(&self, name: &[u8]) -> bool {
        let mut rest = &*self.lines;
        while !rest.is_empty() {
            let is_it = rest.get(name.len()) == Some(&b':') && rest[..name.len()].eq_ignore_ascii_case(name);
            // Nothing can fail where the octets are in memory. (It is here for its speed.)
            if is_it || rest.skip_until(b'\n').is_err() {
                return is_it;
            }
        }
        false
    }

    /// Names and values as they came.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.split(|octet| *octet == b'\n').filter_map(|line| {
            let colon = line.iter().position(|octet| *octet == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }

    fn parse(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in self.pairs() {
            let value = HeaderValue::from_maybe_shared(self.lines.slice_ref(value));
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
                map.append(name, value);
            }
        }
        map
    }
}

impl Deref for Headers {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        self.map.get_or_init(|| self.parse())
    }
}

impl DerefMut for Headers {
    fn deref_mut(&mut self) -> &mut HeaderMap {
        if self.map.get().is_none() {
            self.map = OnceLock::from(self.parse());
        }
        #[allow(clippy::expect_used, reason = "it was put there the line before, if it was not there")]
        self.map.get_mut().expect("a map")
    }
}

impl From<HeaderMap> for Headers {
    fn from(map: HeaderMap) -> Headers {
        Headers { lines: Bytes::new(), map: OnceLock::from(map) }
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use http::header::{SERVER, WWW_AUTHENTICATE};

    use super::*;

    const LINES: &[u8] =
        b"Server: x\r\nWWW-Authenticate: NTLM\r\nX-Empty:\r\nwww-authenticate: \t Basic realm=\"a: b\"\r\n\r\n";

    #[test]
    fn lines_become_a_map() {
        let headers = Headers::unparsed(Bytes::from_static(LINES));
        let values: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(values, ["NTLM", "Basic realm=\"a: b\""]);
        assert_eq!((headers.len(), headers["x-empty"].as_bytes()), (4, &b""[..]));
        assert!(Headers::default().is_empty());
        for headers in [Headers::unparsed(Bytes::from_static(LINES)), headers] {
            assert!(headers.has("server") && headers.has("X-EMPTY") && !headers.has("realm"));
        }
    }

    #[test]
    fn they_can_be_changed_before_and_after_they_were_read() {
        for read_first in [false, true] {
            let mut headers = Headers::unparsed(Bytes::from_static(LINES));
            if read_first {
                assert!(headers.contains_key(SERVER));
            }
            headers.remove(WWW_AUTHENTICATE);
            headers.insert(SERVER, HeaderValue::from_static("y"));
            assert_eq!((headers.len(), headers[SERVER].as_bytes()), (2, &b"y"[..]));
        }
        let map = HeaderMap::from_iter([(SERVER, HeaderValue::from_static("z"))]);
        assert_eq!(Headers::from(map)[SERVER], "z");
    }
}
