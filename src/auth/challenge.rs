//! What a server asks for: the challenges of `WWW-Authenticate` (RFC 9110 11.6.1).

use std::fmt;

use http::HeaderValue;

use super::digest::QopOffer;
use super::field_value::FieldValue;
use super::{Algorithm, AnswerScheme, Charset};

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Basic (RFC 7617).
    Basic(BasicChallenge),
    /// Digest (RFC 7616, 2617, 2069), with at least a realm and a nonce.
    Digest(DigestChallenge),
    /// Another scheme, or one of the two that cannot be answered for its [`Flaw`].
    Other(OtherChallenge),
}

/// A challenge of the Basic scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasicChallenge {
    /// The realm; RFC 7617 demands one, some servers send none.
    pub realm: Option<String>,
    /// How user name and password are to be encoded.
    pub charset: Charset,
    /// How the octets of the realm were read.
    pub octets: Charset,
}

/// A challenge of the Digest scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestChallenge {
    /// The realm.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// To be returned unchanged.
    pub opaque: Option<String>,
    /// The credentials were right, only the nonce is too old.
    pub stale: bool,
    /// The algorithm.
    pub algorithm: AlgorithmOffer,
    /// The qualities of protection.
    pub qop: QopOffer,
    /// How user name and password are to be encoded.
    pub charset: Charset,
    /// Whether the user name may be sent hashed.
    pub userhash: bool,
    /// URIs of the protection space, absolute or absolute paths; empty: the whole server (RFC 7616 3.3).
    pub domain: Vec<String>,
    /// How the octets of realm, nonce and opaque were read: they go back, and into the hash, as they came.
    pub octets: Charset,
}

/// The algorithm of a Digest challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AlgorithmOffer {
    /// None named: MD5 is meant.
    #[default]
    Absent,
    /// One that can be computed.
    Known(Algorithm),
    /// Another one, as the server wrote it.
    Unknown(String),
}

/// A challenge that cannot be answered here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherChallenge {
    /// The scheme, as the server wrote it.
    pub scheme: String,
    /// Its realm, if it names one.
    pub realm: Option<String>,
    /// The token68 after the scheme, for example of `NTLM` and `Negotiate`.
    pub token68: Option<String>,
    /// What is wrong, where the scheme is Basic or Digest or the text broke off.
    pub flaw: Option<Flaw>,
}

/// Why a challenge of a known scheme cannot be answered: the server's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A quoted value has no closing quote, so the rest may be missing.
    #[error("a quoted value has no closing quote")]
    UnclosedQuote,
    /// A Digest challenge without a realm.
    #[error("a Digest challenge must name a realm")]
    NoRealm,
    /// A Digest challenge without a nonce.
    #[error("a Digest challenge must name a nonce")]
    NoNonce,
}

impl Challenge {
    /// The realm, if it names one.
    pub fn realm(&self) -> Option<&str> {
        match self {
            Challenge::Basic(c) => c.realm.as_deref(),
            Challenge::Digest(c) => Some(&c.realm),
            Challenge::Other(c) => c.realm.as_deref(),
        }
    }

    /// The scheme of an answer to it; none if it cannot be answered: another scheme, an unknown algorithm or only
    /// unknown qualities of protection.
    pub fn scheme(&self) -> Option<AnswerScheme> {
        match self {
            Challenge::Basic(_) => Some(AnswerScheme::Basic),
            Challenge::Digest(c) => c.qop.choose(false).and(c.algorithm.known()).map(AnswerScheme::Digest),
            Challenge::Other(_) => None,
        }
    }

    /// Whether it says that only the nonce was too old.
    pub const fn is_stale(&self) -> bool {
        matches!(self, Challenge::Digest(DigestChallenge { stale: true, .. }))
    }

    /// The challenge as a header value, in the form of the RFCs: stale and algorithm unquoted, all else quoted.
    pub fn to_header_value(&self) -> HeaderValue {
        self.written().public()
    }

    fn written(&self) -> FieldValue {
        match self {
            Challenge::Basic(c) => c.written(),
            Challenge::Digest(c) => c.written(),
            Challenge::Other(c) => c.written(),
        }
    }
}

/// As in [`Challenge::to_header_value`], as text.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Charset::decode(&self.written().into_octets()).0)
    }
}

impl AlgorithmOffer {
    /// The algorithm, if it can be computed; MD5 if none is named.
    pub const fn known(&self) -> Option<Algorithm> {
        match self {
            AlgorithmOffer::Absent => Some(Algorithm::Md5),
            AlgorithmOffer::Known(algorithm) => Some(*algorithm),
            AlgorithmOffer::Unknown(_) => None,
        }
    }
}

impl BasicChallenge {
    fn written(&self) -> FieldValue {
        let mut f = FieldValue::new("Basic");
        if let Some(realm) = &self.realm {
            f.quoted("realm", &self.octets.encode(realm));
        }
        if self.charset == Charset::Utf8 {
            f.quoted("charset", b"UTF-8");
        }
        f
    }
}

impl DigestChallenge {
    /// A challenge of today's plain kind: `qop="auth"`, nothing optional.
    pub fn new(realm: impl Into<String>, nonce: impl Into<String>, algorithm: Algorithm) -> DigestChallenge {
        DigestChallenge {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: None,
            stale: false,
            algorithm: AlgorithmOffer::Known(algorithm),
            qop: QopOffer::AUTH,
            charset: Charset::Latin1,
            userhash: false,
            domain: Vec::new(),
            octets: Charset::Utf8,
        }
    }

    fn written(&self) -> FieldValue {
        let mut f = FieldValue::new("Digest");
        f.quoted("realm", &self.octets.encode(&self.realm));
        if !self.domain.is_empty() {
            f.quoted("domain", &self.octets.encode(&self.domain.join(" ")));
        }
        f.quoted("nonce", &self.octets.encode(&self.nonce));
        if let Some(opaque) = &self.opaque {
            f.quoted("opaque", &self.octets.encode(opaque));
        }
        if self.stale {
            f.token("stale", "true");
        }
        match &self.algorithm {
            AlgorithmOffer::Absent => {}
            AlgorithmOffer::Known(algorithm) => f.token("algorithm", algorithm.token()),
            AlgorithmOffer::Unknown(token) => f.quoted("algorithm", &self.octets.encode(token)),
        }
        if let Some(list) = self.qop.list() {
            f.quoted("qop", list.as_bytes());
        }
        if self.charset == Charset::Utf8 {
            f.token("charset", "UTF-8");
        }
        if self.userhash {
            f.token("userhash", "true");
        }
        f
    }
}

impl OtherChallenge {
    fn written(&self) -> FieldValue {
        let mut f = FieldValue::new(&self.scheme);
        if let Some(token68) = &self.token68 {
            f.bare(token68);
        }
        if let Some(realm) = &self.realm {
            f.quoted("realm", realm.as_bytes());
        }
        f
    }
}
