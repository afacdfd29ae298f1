//! What a client knows of one protection space: how to answer there without being asked again.
//!
//! ```text
//! 401 ──open──▶ Session ──authorize──▶ request, request, …      nc = 1, 2, …
//!                  ▲  ▲ └─take_info──  Authentication-Info      nextnonce: nc = 1 again; rspauth checked
//!                  │  └──renew───────  401 with stale=true      new nonce, same secret
//!                  └──open───────────  401 otherwise            the credentials are refused: others are needed
//! ```
mod digest;
mod info;

use std::fmt;

use http::HeaderValue;

use self::digest::DigestSession;
pub use self::info::{InfoVerdict, Rspauth};
use super::field_value::FieldValue;
use super::{AnswerScheme, Challenge, Credentials, basic};

/// An authentication session with one protection space. Two words until opened up: everything is boxed. For Digest it
/// keeps HA1 and not the password; Basic cannot but keep what it sends. `Debug` shows neither.
#[derive(Clone)]
pub struct Session(Kind);

#[derive(Clone)]
enum Kind {
    Basic(Box<BasicSession>),
    Digest(Box<DigestSession>),
}

#[derive(Clone)]
struct BasicSession {
    realm: Option<Box<str>>,
    token68: Box<str>,
}

impl Session {
    /// A session that answers this challenge, with `auth` where `auth` and `auth-int` are offered; none if it cannot
    /// be answered (see [`Challenge::scheme`]). `cnonce` is the client nonce for as long as the nonce lives: a fresh
    /// random word of printable ASCII.
    pub fn open(challenge: &Challenge, credentials: &Credentials, cnonce: &str) -> Option<Session> {
        Session::open_with(challenge, credentials, cnonce, false)
    }

    /// As [`Session::open`]; with `integrity`, `auth-int` is used where it is offered.
    pub fn open_with(
        challenge: &Challenge,
        credentials: &Credentials,
        cnonce: &str,
        integrity: bool,
    ) -> Option<Session> {
        match challenge {
            Challenge::Basic(c) => Some(Session(Kind::Basic(Box::new(BasicSession {
                realm: c.realm.as_deref().map(Box::from),
                token68: basic::encode(credentials, c.charset).into(),
            })))),
            Challenge::Digest(c) => {
                let session = DigestSession::open(c, credentials, cnonce, integrity)?;
                Some(Session(Kind::Digest(Box::new(session))))
            }
            Challenge::Other(_) => None,
        }
    }

    /// The value of `Authorization` for the next request, marked sensitive. `uri` is the target exactly as on the
    /// request line; the body counts only under `auth-int`. Each call counts: call it once for each request sent.
    pub fn authorize(&mut self, method: &str, uri: &str, body: &[u8]) -> HeaderValue {
        match &mut self.0 {
            Kind::Basic(s) => {
                let mut f = FieldValue::new("Basic");
                f.bare(&s.token68);
                f.secret()
            }
            Kind::Digest(s) => s.authorize(method, uri, body),
        }
    }

    /// Goes on with the nonce of a `stale=true` challenge and a new `cnonce`, without the password: true. False, and
    /// nothing changed, if this session's secret does not fit the challenge (another realm, hash function or
    /// character encoding, or not Digest): open a new one.
    pub fn renew(&mut self, challenge: &Challenge, cnonce: &str) -> bool {
        match (&mut self.0, challenge) {
            (Kind::Digest(s), Challenge::Digest(c)) => s.renew(c, cnonce),
            _ => false,
        }
    }

    /// Takes the value of `Authentication-Info` that came with the answer to the last request: checks `rspauth`, and
    /// goes on with `nextnonce` unless `rspauth` is wrong. `uri` is that of the request; `body` is the answer's, which
    /// only `auth-int` needs: none if it was not kept, and `rspauth` is then [`Rspauth::Unchecked`].
    pub fn take_info(&mut self, info: &[u8], uri: &str, body: Option<&[u8]>) -> InfoVerdict {
        match &mut self.0 {
            Kind::Basic(_) => InfoVerdict::NOTHING,
            Kind::Digest(s) => s.take_info(info, uri, body),
        }
    }

    /// The realm; none for Basic where the server named none.
    pub fn realm(&self) -> Option<&str> {
        match &self.0 {
            Kind::Basic(s) => s.realm.as_deref(),
            Kind::Digest(s) => Some(s.realm()),
        }
    }

    /// The scheme of its answers.
    pub fn scheme(&self) -> AnswerScheme {
        match &self.0 {
            Kind::Basic(_) => AnswerScheme::Basic,
            Kind::Digest(s) => AnswerScheme::Digest(s.algorithm()),
        }
    }

    /// The nonce now in use; none for Basic.
    pub fn nonce(&self) -> Option<&str> {
        match &self.0 {
            Kind::Basic(_) => None,
            Kind::Digest(s) => Some(s.nonce()),
        }
    }

    /// How many answers were given with the nonce now in use; zero for Basic.
    pub fn nonce_count(&self) -> u32 {
        match &self.0 {
            Kind::Basic(_) => 0,
            Kind::Digest(s) => s.nonce_count(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("scheme", &self.scheme().name())
            .field("realm", &self.realm())
            .field("nonce", &self.nonce())
            .field("nonce_count", &self.nonce_count())
            .finish_non_exhaustive()
    }
}
