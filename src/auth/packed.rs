//! Texts, short: a million phones keep a nonce each, and nonces are hexadecimal digits for the most part.

use std::borrow::Cow;

/// Fewer digits than this are not worth packing.
const WORTH: usize = 4;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Adds a text: its lower-case hexadecimal digits at the end take half an octet each.
pub(super) fn pack(text: &str, into: &mut Vec<u8>) {
    let octets = text.as_bytes();
    let digits = octets.iter().rev().take_while(|octet| digit(**octet).is_some()).count();
    let digits = if digits < WORTH { 0 } else { digits };
    let (plain, hex) = octets.split_at(octets.len() - digits);
    number(plain.len(), into);
    number(digits, into);
    into.extend_from_slice(plain);
    into.extend(hex.chunks(2).map(|pair| {
        let [high, low] = [0, 1].map(|n| pair.get(n).copied().and_then(digit).unwrap_or_default());
        high << 4 | low
    }));
}

/// Takes the text that comes first. What [`pack`] has not written gives an empty one.
pub(super) fn unpack<'a>(octets: &mut &'a [u8]) -> Cow<'a, str> {
    take(octets).unwrap_or_default()
}

fn take<'a>(octets: &mut &'a [u8]) -> Option<Cow<'a, str>> {
    let (plain, digits) = (take_number(octets)?, take_number(octets)?);
    let (text, rest) = octets.split_at_checked(plain)?;
    let (hex, rest) = rest.split_at_checked(digits.div_ceil(2))?;
    *octets = rest;
    if digits == 0 {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let mut whole = Vec::with_capacity(plain + 2 * hex.len());
    whole.extend_from_slice(text);
    whole.resize(plain + 2 * hex.len(), 0);
    for (pair, octet) in whole[plain..].chunks_exact_mut(2).zip(hex) {
        pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
    whole.truncate(plain + digits);
    String::from_utf8(whole).ok().map(Cow::Owned)
}

/// The value of a digit as [`take`] writes it.
fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    }
}

/// Adds a number: seven bits an octet, the last ones first; the highest bit says that more follow.
pub(super) fn number(mut n: usize, into: &mut Vec<u8>) {
    while n >= 128 {
        into.push(n as u8 & 127 | 128);
        n >>= 7;
    }
    into.push(n as u8);
}

/// Takes the number that comes first.
pub(super) fn take_number(octets: &mut &[u8]) -> Option<usize> {
    let mut n = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let (first, rest) = octets.split_first()?;
        *octets = rest;
        n |= usize::from(first & 127) << shift;
        if *first < 128 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        pack(text, &mut octets);
        octets
    }

    #[test]
    fn digits_at_the_end_take_half_an_octet() {
        let iis = format!("+Upgraded+v1{}", "0a1b".repeat(28));
        for (text, octets) in
            [("", 2), ("2001", 4), ("bad", 5), ("pw-20000", 8), ("c0ffee001", 7), ("C0FFEE", 8), (&*iis, 2 + 12 + 56)]
        {
            assert_eq!(packed(text).len(), octets, "{text}");
        }
    }

    #[test]
    fn what_was_never_packed_gives_nothing_and_does_not_panic() {
        for octets in
            [&[][..], &[5], &[5, 0, b'a'], &[0, 200], &[255; 12], &[1, 0, 0xff], &[0, 255, 255, 255, 255, 127]]
        {
            assert_eq!(unpack(&mut &*octets), "", "{octets:?}");
        }
    }

    proptest! {
        #[test]
        fn texts_come_back_in_their_order(texts in prop::collection::vec(
            prop_oneof![".{0,20}", "[0-9a-f]{0,200}", "[A-Za-z+/=]{0,9}[0-9a-f]{0,41}"], 0..5,
        )) {
            let mut octets = Vec::new();
            texts.iter().for_each(|text| pack(text, &mut octets));
            let mut rest = &*octets;
            for text in &texts {
                prop_assert_eq!(&*unpack(&mut rest), text);
            }
            prop_assert!(rest.is_empty());
        }
    }
}
