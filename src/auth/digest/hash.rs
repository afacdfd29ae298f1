//! The hash functions and their hexadecimal form.

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};

use crate::auth::Algorithm;

/// The result of a hash function: 16 or 32 octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    octets: [u8; 32],
    len: u8,
}

impl Sum {
    /// The hash of the parts joined by colons, as every formula of Digest has it.
    pub(super) fn of(algorithm: Algorithm, parts: &[&[u8]]) -> Sum {
        match algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => Sum::with::<Md5>(parts),
            Algorithm::Sha256 | Algorithm::Sha256Sess => Sum::with::<Sha256>(parts),
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => Sum::with::<Sha512_256>(parts),
        }
    }

    fn with<D: Digest>(parts: &[&[u8]]) -> Sum {
        let mut hash = D::new();
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                hash.update(b":");
            }
            hash.update(part);
        }
        Sum::from_octets(&hash.finalize())
    }

    /// A sum from its octets; those beyond 32 are ignored (no hash here has more).
    pub(super) fn from_octets(from: &[u8]) -> Sum {
        let len = from.len().min(32);
        let mut octets = [0; 32];
        octets[..len].copy_from_slice(&from[..len]);
        Sum { octets, len: len as u8 }
    }

    /// A sum from its hexadecimal digits in either case; none if they are not as many as the algorithm's.
    pub(super) fn from_hex(algorithm: Algorithm, digits: &str) -> Option<Sum> {
        let digits = digits.as_bytes();
        if digits.len() != algorithm.hex_len() {
            return None;
        }
        let mut octets = [0; 32];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *octet = (high << 4 | low) as u8;
        }
        Some(Sum { octets, len: (digits.len() / 2) as u8 })
    }

    /// The hash itself.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    /// The lower-case hexadecimal digits: what the RFCs mean by H().
    pub(super) fn hex(&self) -> Hex {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, octet) in digits.chunks_exact_mut(2).zip(&self.octets[..usize::from(self.len)]) {
            pair[0] = DIGITS[usize::from(octet >> 4)];
            pair[1] = DIGITS[usize::from(octet & 15)];
        }
        Hex { digits, len: self.len * 2 }
    }
}

/// Hexadecimal digits without an allocation.
#[derive(Clone, Copy)]
pub(in crate::auth) struct Hex {
    digits: [u8; 64],
    len: u8,
}

impl Hex {
    pub(in crate::auth) fn as_bytes(&self) -> &[u8] {
        &self.digits[..usize::from(self.len)]
    }

    /// The eight digits of a number.
    pub(in crate::auth) fn of(number: u32) -> Hex {
        let mut octets = [0; 32];
        octets[..4].copy_from_slice(&number.to_be_bytes());
        Sum { octets, len: 4 }.hex()
    }

    pub(in crate::auth) fn as_str(&self) -> &str {
        // They are digits.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl From<Hex> for String {
    fn from(hex: Hex) -> String {
        hex.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321 A.5, FIPS 180-4 examples.
    #[test]
    fn known_sums() {
        let table = [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha256Sess, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Algorithm::Sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ];
        for (algorithm, hex) in table {
            let sum = Sum::of(algorithm, &[b"abc"]);
            assert_eq!(String::from(sum.hex()), hex);
            assert!(Sum::from_hex(algorithm, &hex.to_uppercase()) == Some(sum));
            assert!(Sum::from_hex(algorithm, &hex[1..]).is_none());
            assert!(Sum::from_hex(algorithm, &hex.replace('9', "x")).is_none());
        }
    }

    #[test]
    fn parts_are_joined_by_colons() {
        assert!(Sum::of(Algorithm::Md5, &[b"a", b"", b"b"]) == Sum::of(Algorithm::Md5, &[b"a::b"]));
    }
}
