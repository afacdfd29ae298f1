//! The two character encodings of HTTP authentication: how text becomes octets, and back.

use std::borrow::Cow;

/// How the characters of a user name, password or realm become octets.
///
/// No normalisation is done: RFC 7616 4 and RFC 7617 2.1 want NFC, which is what keyboards and files give (assumption).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// ISO 8859-1, the encoding of HTTP before RFC 7616 and 7617: what is meant when a challenge names none
    /// (RFC 7617 leaves it open; browsers of the time and RFC 2617's TEXT rule do this).
    #[default]
    Latin1,
    /// UTF-8: the challenge says `charset="UTF-8"`.
    Utf8,
}

impl Charset {
    /// The octets of `text`. Text that has characters beyond U+00FF has no Latin-1 form and becomes UTF-8:
    /// a wrong guess is refused by the server, no answer at all would be refused too.
    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        if self == Charset::Utf8 || text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        match text.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<Vec<u8>, _>>() {
            Ok(octets) => Cow::Owned(octets),
            Err(_) => Cow::Borrowed(text.as_bytes()),
        }
    }

    /// This encoding, or UTF-8 if it cannot hold one of these texts: user name and password of one answer must not
    /// be encoded differently.
    pub fn able_to_hold(self, texts: &[&str]) -> Charset {
        let beyond = |text: &&str| text.chars().any(|c| u32::from(c) > 0xff);
        if texts.iter().any(beyond) { Charset::Utf8 } else { self }
    }

    /// Text of octets that came in: UTF-8 if they are that, else Latin-1, which any octets are. With the
    /// encoding found, [`Charset::encode`] gives the same octets again.
    pub fn decode(octets: &[u8]) -> (Cow<'_, str>, Charset) {
        match std::str::from_utf8(octets) {
            Ok(text) => (Cow::Borrowed(text), Charset::Utf8),
            Err(_) => (Cow::Owned(octets.iter().copied().map(char::from).collect()), Charset::Latin1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_becomes_octets() {
        let table: [(Charset, &str, &[u8]); 5] = [
            (Charset::Latin1, "abc", b"abc"),
            (Charset::Latin1, "J\u{e4}s", b"J\xe4s"),
            (Charset::Utf8, "J\u{e4}s", b"J\xc3\xa4s"),
            (Charset::Latin1, "\u{20ac}", b"\xe2\x82\xac"),
            (Charset::Utf8, "", b""),
        ];
        for (charset, text, octets) in table {
            assert_eq!(charset.encode(text).as_ref(), octets, "{charset:?} {text}");
        }
    }

    #[test]
    fn one_text_beyond_latin1_takes_the_others_with_it() {
        assert_eq!(Charset::Latin1.able_to_hold(&["\u{e4}", "\u{20ac}"]), Charset::Utf8);
        assert_eq!(Charset::Latin1.able_to_hold(&["\u{e4}", "b"]), Charset::Latin1);
    }

    proptest! {
        #[test]
        fn octets_come_back(octets: Vec<u8>) {
            let (text, charset) = Charset::decode(&octets);
            prop_assert_eq!(charset.encode(&text).into_owned(), octets);
        }
    }
}
