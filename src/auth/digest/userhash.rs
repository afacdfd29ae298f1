//! User names that are sent hashed (RFC 7616 3.4.4).

use std::collections::HashMap;

use super::hash::Sum;
use crate::auth::{Algorithm, Charset};

/// H(user:realm) in hexadecimal: what stands in `username` when `userhash=true`.
pub fn userhash(algorithm: Algorithm, charset: Charset, user: &str, realm: &[u8]) -> String {
    Sum::of(algorithm, &[&charset.encode(user), realm]).hex().into()
}

/// The users of a realm by their userhash, for one hash function: a server has no other way back to the name.
#[derive(Clone, Debug, Default)]
pub struct UserhashIndex {
    users: HashMap<String, String>,
}

impl UserhashIndex {
    /// An index of these users. Of two with the same hash, which cannot be told apart, the last stays.
    pub fn new<U>(algorithm: Algorithm, charset: Charset, realm: &[u8], users: U) -> UserhashIndex
    where
        U: IntoIterator<Item: Into<String>>,
    {
        let entry = |user: String| (userhash(algorithm, charset, &user, realm), user);
        UserhashIndex { users: users.into_iter().map(Into::into).map(entry).collect() }
    }

    /// The user whose hash was sent, in lower-case hexadecimal.
    pub fn find(&self, userhash: &str) -> Option<&str> {
        self.users.get(userhash).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 3.9.2 with erratum 4897.
    #[test]
    fn the_user_of_the_rfc_is_found() {
        let (user, realm) = ("J\u{e4}s\u{f8}n Doe", b"api@example.org");
        let index = UserhashIndex::new(Algorithm::Sha512_256, Charset::Utf8, realm, ["Mufasa", user]);
        let hash = userhash(Algorithm::Sha512_256, Charset::Utf8, user, realm);
        assert!(hash.starts_with("793263ca"), "{hash}");
        assert_eq!(index.find(&hash), Some(user));
        assert_eq!(index.find("00"), None);
    }
}
