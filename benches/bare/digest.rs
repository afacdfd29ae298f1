//! Digest (RFC 7616) with MD5 and qop=auth, for one nonce.

use std::fmt::Write;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use md5::{Digest as _, Md5};

/// A nonce in use.
pub(super) struct Digest {
    /// Everything before `uri`, which never changes.
    head: String,
    ha1: String,
    nonce: String,
    count: u32,
}

const CNONCE: &str = "0123456789abcdef";

impl Digest {
    /// Takes the Digest challenge of these headers.
    pub(super) fn answering(headers: &HeaderMap, user: &str, password: &str) -> Digest {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().map(|value| value.to_str().unwrap());
        let challenge = values.into_iter().find(|value| value.starts_with("Digest ")).expect("a Digest challenge");
        let parameter = |name: &str| {
            let rest = challenge.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name}: {challenge}")).1;
            rest.split_once('"').unwrap().0.to_owned()
        };
        let (realm, nonce) = (parameter("realm"), parameter("nonce"));
        assert!(challenge.contains("MD5") && parameter("qop").split(',').any(|qop| qop.trim() == "auth"));
        let head = format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"");
        Digest { head, ha1: hex(&format!("{user}:{realm}:{password}")), nonce, count: 0 }
    }

    /// The value of `Authorization` for the next request.
    pub(super) fn authorize(&mut self, method: &str, uri: &str) -> HeaderValue {
        self.count += 1;
        let count = self.count;
        let ha2 = hex(&format!("{method}:{uri}"));
        let response = hex(&format!("{}:{}:{count:08x}:{CNONCE}:auth:{ha2}", self.ha1, self.nonce));
        let mut value = String::with_capacity(384);
        let _ = write!(
            value,
            "{}{uri}\", algorithm=MD5, qop=auth, nc={count:08x}, cnonce=\"{CNONCE}\", response=\"{response}\"",
            self.head
        );
        let mut value = HeaderValue::try_from(value).unwrap();
        value.set_sensitive(true);
        value
    }
}

/// The MD5 of a text in hex digits.
fn hex(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash = Md5::digest(text.as_bytes());
    hash.iter().flat_map(|octet| [octet >> 4, octet & 15]).map(|n| char::from(DIGITS[usize::from(n)])).collect()
}
