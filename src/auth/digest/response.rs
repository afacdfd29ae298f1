//! The response of a request, and the rspauth of its answer.

use super::hash::{Hex, Sum};
use super::{Qop, SessionKey};

/// What is common to the hash of a request and that of its response: what a key is asked to prove.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The quality of protection.
    pub qop: Qop,
    /// The nonce, in octets as it came.
    pub nonce: &'a [u8],
    /// The eight digits of the nonce count; not used by [`Qop::Legacy`].
    pub nc: &'a [u8],
    /// The client nonce; not used by [`Qop::Legacy`].
    pub cnonce: &'a [u8],
    /// The request target as in the `uri` parameter.
    pub uri: &'a [u8],
}

impl Proof<'_> {
    /// The `response` of a request. The body counts only for auth-int.
    pub fn response(&self, key: &SessionKey, method: &str, body: &[u8]) -> String {
        self.digits(key, method.as_bytes(), body).into()
    }

    /// The `rspauth` of the server's answer: A2 without the method, the answer's body for auth-int
    /// (RFC 7616 3.5).
    pub fn rspauth(&self, key: &SessionKey, body: &[u8]) -> String {
        self.digits(key, b"", body).into()
    }

    /// As [`Proof::response`], without an allocation.
    pub(in crate::auth) fn digits(&self, key: &SessionKey, method: &[u8], body: &[u8]) -> Hex {
        let algorithm = key.algorithm;
        let ha2 = match self.qop {
            Qop::Legacy | Qop::Auth => Sum::of(algorithm, &[method, self.uri]),
            Qop::AuthInt => Sum::of(algorithm, &[method, self.uri, Sum::of(algorithm, &[body]).hex().as_bytes()]),
        };
        let (key, ha2) = (key.sum.hex(), ha2.hex());
        let (key, ha2) = (key.as_bytes(), ha2.as_bytes());
        let sum = match self.qop.token() {
            None => Sum::of(algorithm, &[key, self.nonce, ha2]),
            Some(qop) => Sum::of(algorithm, &[key, self.nonce, self.nc, self.cnonce, qop.as_bytes(), ha2]),
        };
        sum.hex()
    }
}
