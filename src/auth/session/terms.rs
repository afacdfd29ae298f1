//! The terms of a session: what the server's challenge says to every phone alike.

use crate::auth::digest::Qop;
use crate::auth::place::Place;
use crate::auth::{Algorithm, AnswerScheme, Charset};

/// What sessions with the same server have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::auth) struct Terms {
    /// Where they hold; nowhere until a realm cache has the session.
    pub(super) place: Place,
    pub(super) answer: AnswerTerms,
}

/// How to answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum AnswerTerms {
    Basic { realm: Option<Box<str>> },
    Digest(DigestTerms),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DigestTerms {
    pub(super) realm: Box<str>,
    pub(super) algorithm: Algorithm,
    pub(super) qop: Qop,
    /// auth-int is preferred.
    pub(super) integrity: bool,
    /// The challenge named its algorithm, so the answer does.
    pub(super) names_algorithm: bool,
    pub(super) userhash: bool,
    /// There is an `opaque` to give back.
    pub(super) has_opaque: bool,
    /// What the challenge said of the encoding of user name and password.
    pub(super) offered: Charset,
    /// The encoding they are sent in.
    pub(super) charset: Charset,
    /// Both are ASCII, so that the encoding makes no difference.
    pub(super) ascii: bool,
    /// How realm, nonce and opaque were read.
    pub(super) octets: Charset,
}

impl From<AnswerTerms> for Terms {
    fn from(answer: AnswerTerms) -> Terms {
        Terms { place: Place::default(), answer }
    }
}

impl AnswerTerms {
    pub(super) fn realm(&self) -> Option<&str> {
        match self {
            AnswerTerms::Basic { realm } => realm.as_deref(),
            AnswerTerms::Digest(terms) => Some(&terms.realm),
        }
    }

    pub(super) const fn scheme(&self) -> AnswerScheme {
        match self {
            AnswerTerms::Basic { .. } => AnswerScheme::Basic,
            AnswerTerms::Digest(terms) => AnswerScheme::Digest(terms.algorithm),
        }
    }
}
