//! The secrets of Digest: HA1 and the key derived from it.

use std::fmt;

use super::hash::Sum;
use crate::auth::{Algorithm, Charset, Credentials};

/// H(user:realm:password): all a server needs to keep of a password, and all a client needs to remember. It opens
/// its realm like the password itself, so `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ha1 {
    sum: Sum,
    algorithm: Algorithm,
}

impl Ha1 {
    /// The HA1 of octets as they are.
    pub fn of_octets(algorithm: Algorithm, user: &[u8], realm: &[u8], password: &[u8]) -> Ha1 {
        Ha1 { sum: Sum::of(algorithm, &[user, realm, password]), algorithm }
    }

    /// The HA1 of these credentials in a realm whose octets are given (a realm is hashed as it came); user name and
    /// password are encoded in `charset`, the one the challenge named, both in UTF-8 if it cannot hold them.
    pub fn new(algorithm: Algorithm, charset: Charset, credentials: &Credentials, realm: &[u8]) -> Ha1 {
        let (user, password) = (credentials.user(), credentials.password());
        let charset = charset.able_to_hold(&[user, password]);
        Ha1::of_octets(algorithm, &charset.encode(user), realm, &charset.encode(password))
    }

    /// The algorithm it was made for.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What [`Ha1::octets`] has given.
    pub(in crate::auth) fn from_octets(algorithm: Algorithm, octets: &[u8]) -> Ha1 {
        Ha1 { sum: Sum::from_octets(octets), algorithm }
    }

    /// The hash itself, 16 or 32 octets.
    pub(in crate::auth) fn octets(&self) -> &[u8] {
        self.sum.octets()
    }

    /// The same secret for another algorithm of the same hash function (MD5 and MD5-sess share their HA1);
    /// none if the hash functions differ.
    pub fn for_algorithm(&self, algorithm: Algorithm) -> Option<Ha1> {
        (self.algorithm.base() == algorithm.base()).then_some(Ha1 { sum: self.sum, algorithm })
    }

    /// The key that goes into responses: for -sess bound to the nonce and cnonce of the first request of the session
    /// (RFC 7616 3.4.2), else HA1 itself.
    pub fn session_key(&self, nonce: &[u8], cnonce: &[u8]) -> SessionKey {
        let sum = if self.algorithm.is_session() {
            Sum::of(self.algorithm, &[self.sum.hex().as_bytes(), nonce, cnonce])
        } else {
            self.sum
        };
        SessionKey { sum, algorithm: self.algorithm }
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({}, ***)", self.algorithm)
    }
}

/// H(A1), the key of responses. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionKey {
    pub(super) sum: Sum,
    pub(super) algorithm: Algorithm,
}

impl SessionKey {
    /// The algorithm it was made for.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What [`SessionKey::octets`] has given.
    pub(in crate::auth) fn from_octets(algorithm: Algorithm, octets: &[u8]) -> SessionKey {
        SessionKey { sum: Sum::from_octets(octets), algorithm }
    }

    /// The hash itself, 16 or 32 octets.
    pub(in crate::auth) fn octets(&self) -> &[u8] {
        self.sum.octets()
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({}, ***)", self.algorithm)
    }
}

/// One line of an htdigest file: `user:realm:HA1 in hexadecimal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Htdigest {
    /// The user name.
    pub user: String,
    /// The realm; it may contain colons, the user name may not.
    pub realm: String,
    /// The secret.
    pub ha1: Ha1,
}

impl Htdigest {
    /// Reads a line. The file does not say its hash function, so the algorithm is given.
    pub fn parse(line: &str, algorithm: Algorithm) -> Result<Htdigest, MalformedHtdigest> {
        let line = line.trim_end_matches(['\r', '\n']);
        let (user, rest) = line.split_once(':').ok_or(MalformedHtdigest::Fields)?;
        let (realm, digits) = rest.rsplit_once(':').ok_or(MalformedHtdigest::Fields)?;
        let sum = Sum::from_hex(algorithm, digits)
            .ok_or(MalformedHtdigest::Hash { algorithm, digits: algorithm.hex_len() })?;
        Ok(Htdigest { user: user.to_owned(), realm: realm.to_owned(), ha1: Ha1 { sum, algorithm } })
    }
}

/// A line of an htdigest file that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedHtdigest {
    /// It does not have three fields.
    #[error("a line of an htdigest file must read user:realm:hash")]
    Fields,
    /// The third field is no hash of the algorithm.
    #[error("the hash must be {digits} hexadecimal digits for {algorithm}")]
    Hash {
        /// The algorithm asked for.
        algorithm: Algorithm,
        /// How many digits its hash has.
        digits: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_htdigest_line_is_the_hash_of_user_realm_password() {
        // Written by Apache's htdigest for the example of RFC 2617 3.5.
        let line = "Mufasa:testrealm@host.com:939e7578ed9e3c518a452acee763bce9\n";
        let entry = Htdigest::parse(line, Algorithm::Md5).unwrap();
        let credentials = Credentials::new("Mufasa", "Circle Of Life");
        assert_eq!(entry.ha1, Ha1::new(Algorithm::Md5, Charset::Utf8, &credentials, b"testrealm@host.com"));
        assert_eq!((entry.user.as_str(), entry.realm.as_str()), ("Mufasa", "testrealm@host.com"));
    }

    #[test]
    fn bad_htdigest_lines_are_named() {
        let hash = MalformedHtdigest::Hash { algorithm: Algorithm::Sha256, digits: 64 };
        for (line, error) in [("", MalformedHtdigest::Fields), ("u:r", MalformedHtdigest::Fields), ("u:r:beef", hash)] {
            assert_eq!(Htdigest::parse(line, Algorithm::Sha256), Err(error), "{line}");
        }
        let colons = Htdigest::parse(&format!("u:a:b:{}", "0".repeat(64)), Algorithm::Sha256).unwrap();
        assert_eq!(colons.realm, "a:b");
    }

    #[test]
    fn md5_and_md5_sess_share_ha1_and_sha_does_not() {
        let ha1 = Ha1::of_octets(Algorithm::Md5, b"u", b"r", b"p");
        assert_eq!(ha1.for_algorithm(Algorithm::Md5Sess), Some(Ha1::of_octets(Algorithm::Md5Sess, b"u", b"r", b"p")));
        assert_eq!(ha1.for_algorithm(Algorithm::Sha256), None);
    }

    #[test]
    fn secrets_never_show() {
        let ha1 = Ha1::of_octets(Algorithm::Md5, b"Mufasa", b"testrealm@host.com", b"Circle Of Life");
        assert!(!format!("{ha1:?}{:?}", ha1.session_key(b"n", b"c")).contains("939e"));
    }
}
