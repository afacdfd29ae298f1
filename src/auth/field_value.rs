//! Writing the value of an authentication header, octet by octet.

use bytes::Bytes;
use http::HeaderValue;

/// A header value being written: a scheme, then parameters. Octets that no header may carry (controls) are left
/// out, so that nothing put in can break out of its line.
#[derive(Clone, Debug)]
pub(super) struct FieldValue {
    octets: Vec<u8>,
    first: bool,
}

impl FieldValue {
    /// Begins with a scheme, or with nothing if it is empty.
    pub(super) fn new(scheme: &str) -> FieldValue {
        let mut octets = Vec::with_capacity(320);
        octets.extend_from_slice(scheme.as_bytes());
        if !scheme.is_empty() {
            octets.push(b' ');
        }
        FieldValue { octets, first: true }
    }

    /// Adds `name=value`; the value must be a token.
    pub(super) fn token(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.extend(value.as_bytes());
    }

    /// Adds a bare word (a token68).
    pub(super) fn bare(&mut self, word: &str) {
        self.extend(word.as_bytes());
    }

    /// Adds `name="value"`.
    pub(super) fn quoted(&mut self, name: &'static str, value: &[u8]) {
        self.name(name);
        self.octets.push(b'"');
        // As a rule nothing in it needs care.
        let plain = |o: u8| (o >= b' ') & (o != 0x7f) & (o != b'"') & (o != b'\\');
        if value.iter().fold(true, |all, octet| all & plain(*octet)) {
            self.octets.extend_from_slice(value);
        } else {
            for &octet in value {
                if matches!(octet, b'"' | b'\\') {
                    self.octets.push(b'\\');
                }
                self.extend(&[octet]);
            }
        }
        self.octets.push(b'"');
    }

    /// Adds `name*=UTF-8''value` (RFC 8187): the name without its asterisk is given.
    pub(super) fn extended(&mut self, name: &'static str, value: &str) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        self.name(name);
        self.octets.truncate(self.octets.len() - 1);
        self.extend(b"*=UTF-8''");
        for octet in value.bytes() {
            if octet.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&octet) {
                self.octets.push(octet);
            } else {
                let digits = [b'%', HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]];
                self.extend(&digits);
            }
        }
    }

    /// Names are this program's own: nothing in them is to be left out.
    fn name(&mut self, name: &'static str) {
        if !self.first {
            self.octets.extend_from_slice(b", ");
        }
        self.first = false;
        self.octets.extend_from_slice(name.as_bytes());
        self.octets.push(b'=');
    }

    fn extend(&mut self, octets: &[u8]) {
        let may = |o: u8| (o == b'\t') | ((o >= b' ') & (o != 0x7f));
        if octets.iter().fold(true, |all, octet| all & may(*octet)) {
            self.octets.extend_from_slice(octets);
        } else {
            self.octets.extend(octets.iter().copied().filter(|octet| may(*octet)));
        }
    }

    /// The octets so far.
    pub(super) fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    /// The header value, marked as a secret so that no `Debug` shows it.
    pub(super) fn secret(self) -> HeaderValue {
        let mut value = self.public();
        value.set_sensitive(true);
        value
    }

    /// The header value.
    pub(super) fn public(self) -> HeaderValue {
        // Controls never got in, and nothing else is refused.
        HeaderValue::from_maybe_shared(Bytes::from(self.octets)).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The text of an extended value (RFC 8187): `UTF-8''…` or `ISO-8859-1''…`; none if it is neither.
pub(super) fn read_extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, coded) = (parts.next()?, parts.next()?, parts.next()?);
    let mut octets = Vec::with_capacity(coded.len());
    let mut rest = coded.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
            octets.push((high << 4 | low) as u8);
        } else {
            octets.push(octet);
        }
    }
    if charset.eq_ignore_ascii_case("UTF-8") {
        String::from_utf8(octets).ok()
    } else if charset.eq_ignore_ascii_case("ISO-8859-1") {
        Some(octets.into_iter().map(char::from).collect())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7616 3.9.2.
    #[test]
    fn the_extended_name_of_the_rfc() {
        let mut f = FieldValue::new("");
        f.extended("username", "J\u{e4}s\u{f8}n Doe");
        assert_eq!(f.public(), "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe");
    }

    #[test]
    fn foreign_extended_values() {
        assert_eq!(read_extended("iso-8859-1'en'%A3%20rates").as_deref(), Some("\u{a3} rates"));
        for bad in ["", "UTF-8'x", "UTF-8''%C", "UTF-8''%ff", "KOI8-R''a", "UTF-8''%zz"] {
            assert_eq!(read_extended(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn extended_values_come_back(text: String) {
            let mut f = FieldValue::new("");
            f.extended("n", &text);
            let octets = f.into_octets();
            let value = std::str::from_utf8(&octets).unwrap().strip_prefix("n*=").unwrap();
            prop_assert_eq!(read_extended(value), Some(text));
        }

        #[test]
        fn nothing_breaks_out_of_a_quoted_value(octets: Vec<u8>) {
            let mut f = FieldValue::new("X");
            f.quoted("a", &octets);
            let value = f.public();
            prop_assert!(value.as_bytes().starts_with(b"X a=\"") && value.as_bytes().ends_with(b"\""));
            prop_assert!(!value.as_bytes().contains(&b'\n'));
        }
    }
}
