//! Which octets a request line's path and query may have (RFC 3986, 3.3 and 3.4).

/// Whether an octet may stand in a path or query as it is; `%` counts as one that begins a triplet.
pub(super) const fn is_path_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
                | b'?'
                | b'%'
        )
}

/// The first character of `text` that may not stand in a path.
pub(super) fn unfit(text: &str) -> Option<char> {
    text.chars().find(|c| !u8::try_from(*c).is_ok_and(is_path_octet))
}

/// `text` with every octet percent-encoded that may not stand in a path: for what macros and templates bring in.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if is_path_octet(octet) {
            out.push(octet.into());
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is let through is what the HTTP library takes: a path never changes on its way.
    #[test]
    fn a_fit_path_is_sent_as_it_is() {
        for octet in 0..=0x7fu8 {
            let path = format!("/{}", encoded(&char::from(octet).to_string()));
            assert_eq!(unfit(&path), None, "{path}");
            let uri: http::Uri = path.parse().unwrap();
            assert_eq!(uri.path_and_query().unwrap().as_str(), path);
        }
        assert_eq!(encoded("/a b\"c/\u{e9}"), "/a%20b%22c/%C3%A9");
        assert_eq!(unfit("/a`b"), Some('`'));
    }
}
