//! The hashing of Digest, one for both sides (RFC 7616 3.4, RFC 2617 3.2.2, RFC 2069 2.1.2).
//!
//! ```text
//! HA1      = H(user ":" realm ":" password)                        Ha1, what a server may keep on file
//! key      = HA1, or H(HA1 ":" nonce ":" cnonce) for -sess         SessionKey
//! HA2      = H(method ":" uri), auth-int: H(method ":" uri ":" H(body))
//! response = H(key ":" nonce ":" nc ":" cnonce ":" qop ":" HA2), RFC 2069: H(key ":" nonce ":" HA2)
//! rspauth  = the same with an empty method and the body of the response
//! ```
mod ha1;
mod hash;
mod qop;
mod response;
mod userhash;

pub use ha1::{Ha1, Htdigest, MalformedHtdigest, SessionKey};
pub(super) use hash::Hex;
pub use qop::{Qop, QopOffer};
pub use response::Proof;
pub use userhash::{UserhashIndex, userhash};
