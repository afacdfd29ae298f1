//! As much of DER (X.690) as certificates and OCSP responses take: elements read, elements written.

/// Tags.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const EXPLICIT_0: u8 = 0xa0;
pub(super) const EXPLICIT_2: u8 = 0xa2;

/// The first element: its tag, its content, and what follows it.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let octets = rest.get(..usize::from(first & 0x7f))?;
            let length = octets.iter().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet));
            (length, rest.get(octets.len()..)?)
        }
        _ => return None,
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// The parts of a certificate that matter here, each as the content of its element.
pub(super) struct Parts<'a> {
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
}

/// RFC 5280 4.1: `SEQUENCE { tbs SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, … }, … }`.
pub(super) fn parts(certificate: &[u8]) -> Option<Parts<'_>> {
    let (_, whole, _) = element(certificate)?;
    let (_, mut tbs, _) = element(whole)?;
    if let (EXPLICIT_0, _, rest) = element(tbs)? {
        tbs = rest;
    }
    let mut next = || {
        let (_, content, rest) = element(tbs)?;
        tbs = rest;
        Some(content)
    };
    let (serial, _algorithm, issuer) = (next()?, next()?, next()?);
    let (_validity, subject) = (next()?, next()?);
    Some(Parts { serial, issuer, subject })
}

/// One element with this content.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
            out.push(0x80 | significant.len() as u8);
            out.extend(significant);
        }
    }
    out.extend(content);
    out
}

/// One element with these elements in it.
pub(super) fn with<const N: usize>(tag: u8, elements: [Vec<u8>; N]) -> Vec<u8> {
    write(tag, &elements.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        assert_eq!(write(NULL, &[]), [5, 0]);
        for (length, head) in [
            (0x7f, &[4, 0x7f][..]),
            (0x80, &[4, 0x81, 0x80]),
            (0xff, &[4, 0x81, 0xff]),
            (0x100, &[4, 0x82, 1, 0]),
            (0x1_0000, &[4, 0x83, 1, 0, 0]),
        ] {
            let written = write(OCTET_STRING, &vec![7; length]);
            assert_eq!(&written[..head.len()], head);
            let (tag, content, rest) = element(&written).unwrap();
            assert_eq!((tag, content.len(), rest.len()), (OCTET_STRING, length, 0));
        }
        let nested = with(SEQUENCE, [write(INTEGER, &[1]), write(NULL, &[])]);
        assert_eq!(nested, [0x30, 5, 2, 1, 1, 5, 0]);
    }

    proptest::proptest! {
        #[test]
        fn no_octets_are_too_odd(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = (element(&octets), parts(&octets).is_some());
        }
    }
}
