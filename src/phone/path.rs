//! Paths made of what macros, templates and identities bring in, which may be anything.

use super::settings::unsendable;

/// `text` with every octet percent-encoded that may not stand in a request target.
pub(super) fn encoded(text: impl Into<String>) -> String {
    let text = text.into();
    if unsendable(&text).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let mut room = [0; 4];
        let one = character.encode_utf8(&mut room);
        if unsendable(one).is_none() {
            out.push_str(one);
        } else {
            out.extend(one.bytes().map(|octet| format!("%{octet:02X}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is let through is what the HTTP library takes: a path never changes on its way.
    #[test]
    fn an_encoded_path_is_sent_as_it_is() {
        for octet in 0..=0x7fu8 {
            let path = format!("/{}", encoded(char::from(octet).to_string()));
            assert_eq!(unsendable(&path), None, "{path}");
            let uri: http::Uri = path.parse().unwrap();
            assert_eq!(uri.path_and_query().unwrap().as_str(), path);
        }
        assert_eq!(encoded("/a b\"c/\u{e9}"), "/a%20b%22c/%C3%A9");
    }
}
