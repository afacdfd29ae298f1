//! What a client answers: the value of `Authorization`, as a server reads and checks it.

use std::fmt;

use http::HeaderValue;

use super::digest::{Ha1, Proof, Qop, SessionKey};
use super::field_value::{FieldValue, read_extended};
use super::parameters::Parameters;
use super::{Algorithm, AnswerScheme, Charset, Credentials, basic};

/// The credentials of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Basic: user name and password in clear.
    Basic(Credentials),
    /// Digest.
    Digest(Box<DigestAnswer>),
    /// Another scheme, named as the client wrote it.
    Other(String),
}

/// The credentials of the Digest scheme (RFC 7616 3.4).
#[derive(Clone, PartialEq, Eq)]
pub struct DigestAnswer {
    /// Who.
    pub user: AnswerUser,
    /// The realm.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// The request target the client hashed; RFC 7616 3.4.6 wants it compared with the request's.
    pub uri: String,
    /// The algorithm; none named means MD5.
    pub algorithm: Option<Algorithm>,
    /// The quality of protection.
    pub qop: Qop,
    /// How many answers the client gave with this nonce; none without qop.
    pub nc: Option<u32>,
    /// The client nonce; none without qop, except with a session key.
    pub cnonce: Option<String>,
    /// The challenge's opaque, returned.
    pub opaque: Option<String>,
    response: String,
    octets: Charset,
}

/// How a client names its user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AnswerUser {
    /// By name (`username` or `username*`).
    Name(String),
    /// By the userhash; see [`super::digest::UserhashIndex`].
    Hash(String),
}

impl Authorization {
    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    /// The client's fault: Basic or Digest credentials that break their RFC.
    pub fn parse(value: &[u8]) -> Result<Authorization, MalformedAuthorization> {
        let (text, octets) = Charset::decode(value);
        let text = text.trim();
        let (scheme, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if scheme.is_empty() {
            Err(MalformedAuthorization::Empty)
        } else if scheme.eq_ignore_ascii_case("Basic") {
            Ok(Authorization::Basic(basic::decode(rest.trim())?))
        } else if scheme.eq_ignore_ascii_case("Digest") {
            DigestAnswer::read(rest, octets).map(|answer| Authorization::Digest(Box::new(answer)))
        } else {
            Ok(Authorization::Other(scheme.to_owned()))
        }
    }

    /// The scheme; none for another one.
    pub fn scheme(&self) -> Option<AnswerScheme> {
        match self {
            Authorization::Basic(_) => Some(AnswerScheme::Basic),
            Authorization::Digest(answer) => Some(AnswerScheme::Digest(answer.algorithm())),
            Authorization::Other(_) => None,
        }
    }
}

impl DigestAnswer {
    fn read(text: &str, octets: Charset) -> Result<DigestAnswer, MalformedAuthorization> {
        use MalformedAuthorization as Bad;
        let p = Parameters::read(text);
        if p.unclosed {
            return Err(Bad::UnclosedQuote);
        }
        if let Some(name) = p.contradiction() {
            return Err(Bad::Contradiction { name: name.to_owned() });
        }
        let needed = |name: &'static str| p.owned(name).ok_or(Bad::NoParameter { name });
        let algorithm = match p.get("algorithm") {
            None => None,
            Some(token) => Some(Algorithm::from_token(token).ok_or(Bad::UnknownValue { name: "algorithm" })?),
        };
        let qop = match p.get("qop") {
            None => Qop::Legacy,
            Some(token) => Qop::from_token(token).ok_or(Bad::UnknownValue { name: "qop" })?,
        };
        let (mut nc, mut cnonce) = (None, p.owned("cnonce"));
        if qop != Qop::Legacy {
            nc = Some(nonce_count(&needed("nc")?).ok_or(Bad::UnknownValue { name: "nc" })?);
            cnonce = Some(needed("cnonce")?);
        }
        let response = needed("response")?;
        if response.len() != algorithm.unwrap_or(Algorithm::Md5).hex_len() || !is_lower_hex(&response) {
            return Err(Bad::UnknownValue { name: "response" });
        }
        Ok(DigestAnswer {
            user: user(&p)?,
            realm: needed("realm")?,
            nonce: needed("nonce")?,
            uri: needed("uri")?,
            algorithm,
            qop,
            nc,
            cnonce,
            opaque: p.owned("opaque"),
            response,
            octets,
        })
    }

    /// The algorithm meant.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Md5)
    }

    /// The octets of the realm, as they came: what [`Ha1::of_octets`] hashes.
    pub fn realm_octets(&self) -> Vec<u8> {
        self.octets.encode(&self.realm).into_owned()
    }

    /// The key this answer was made with, if the secret is the user's: for -sess bound to this answer's own nonce
    /// and cnonce. None if the secret is of another hash function.
    pub fn key(&self, ha1: &Ha1) -> Option<SessionKey> {
        let cnonce = self.octets.encode(self.cnonce.as_deref().unwrap_or_default());
        Some(ha1.for_algorithm(self.algorithm())?.session_key(&self.octets.encode(&self.nonce), &cnonce))
    }

    /// Whether whoever sent this knows the secret, and sent this method, `uri` and (under `auth-int`) body. It says
    /// nothing of the nonce's age, of replays, or of whether `uri` is the request's.
    ///
    /// A -sess key is computed from this answer's nonce and cnonce. A server that hands out `nextnonce` to -sess
    /// clients must keep [`DigestAnswer::key`] of the session's first request and use [`DigestAnswer::verify_with`].
    pub fn verify(&self, method: &str, body: &[u8], ha1: &Ha1) -> bool {
        self.key(ha1).is_some_and(|key| self.verify_with(method, body, &key))
    }

    /// As [`DigestAnswer::verify`], with the key of the session.
    pub fn verify_with(&self, method: &str, body: &[u8], key: &SessionKey) -> bool {
        key.algorithm() == self.algorithm()
            && self.prove(|proof| same(proof.response(key, method, body).as_bytes(), self.response.as_bytes()))
    }

    /// The value of `Authentication-Info` for the answer to a request that was verified with this key: the server's
    /// own proof over `body` (which counts under `auth-int`), and the next nonce if there is to be one.
    pub fn info(&self, key: &SessionKey, body: &[u8], next_nonce: Option<&str>) -> HeaderValue {
        let mut f = FieldValue::new("");
        if let Some(nonce) = next_nonce {
            f.quoted("nextnonce", nonce.as_bytes());
        }
        if let Some(qop) = self.qop.token() {
            f.token("qop", qop);
        }
        f.quoted("rspauth", self.prove(|proof| proof.rspauth(key, body)).as_bytes());
        if let (Some(nc), Some(cnonce)) = (self.nc, &self.cnonce) {
            f.quoted("cnonce", &self.octets.encode(cnonce));
            f.token("nc", &format!("{nc:08x}"));
        }
        f.public()
    }

    fn prove<T>(&self, with: impl FnOnce(&Proof<'_>) -> T) -> T {
        let nc = self.nc.map(|nc| format!("{nc:08x}")).unwrap_or_default();
        with(&Proof {
            qop: self.qop,
            nonce: &self.octets.encode(&self.nonce),
            nc: nc.as_bytes(),
            cnonce: &self.octets.encode(self.cnonce.as_deref().unwrap_or_default()),
            uri: &self.octets.encode(&self.uri),
        })
    }
}

/// Shows no response: with it and a short password the password could be guessed.
impl fmt::Debug for DigestAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestAnswer")
            .field("user", &self.user)
            .field("realm", &self.realm)
            .field("nonce", &self.nonce)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .field("cnonce", &self.cnonce)
            .field("opaque", &self.opaque)
            .finish_non_exhaustive()
    }
}

fn user(p: &Parameters<'_>) -> Result<AnswerUser, MalformedAuthorization> {
    use MalformedAuthorization as Bad;
    match (p.owned("username"), p.get("username*")) {
        (Some(_), Some(_)) => Err(Bad::Contradiction { name: "username*".to_owned() }),
        (Some(hash), None) if p.is_true("userhash") => Ok(AnswerUser::Hash(hash)),
        (None, Some(_)) if p.is_true("userhash") => Err(Bad::Contradiction { name: "userhash".to_owned() }),
        (Some(name), None) => Ok(AnswerUser::Name(name)),
        (None, Some(coded)) => {
            read_extended(coded).map(AnswerUser::Name).ok_or(Bad::UnknownValue { name: "username*" })
        }
        (None, None) => Err(Bad::NoParameter { name: "username" }),
    }
}

/// Eight hexadecimal digits (RFC 7616 3.4).
fn nonce_count(digits: &str) -> Option<u32> {
    let right = digits.len() == 8 && is_lower_hex(digits);
    right.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// The RFC's LHEX.
fn is_lower_hex(digits: &str) -> bool {
    digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Credentials that break their RFC: the client's fault. No value is shown, it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAuthorization {
    /// Nothing in the header.
    #[error("the client's Authorization header is empty")]
    Empty,
    /// Basic credentials.
    #[error(transparent)]
    Basic(#[from] basic::MalformedBasic),
    /// A quoted value has no closing quote.
    #[error("a quoted value of the client's Digest credentials has no closing quote")]
    UnclosedQuote,
    /// A parameter is missing.
    #[error("the client's Digest credentials have no {name}")]
    NoParameter {
        /// Which.
        name: &'static str,
    },
    /// A parameter's value cannot be used.
    #[error("the client's Digest credentials have a value of {name} that RFC 7616 3.4 does not allow")]
    UnknownValue {
        /// Which.
        name: &'static str,
    },
    /// A parameter is there twice with different values, or excludes another.
    #[error("the client's Digest credentials contradict themselves in {name}")]
    Contradiction {
        /// Which.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use MalformedAuthorization as Bad;
    use proptest::prelude::*;

    const GOOD: &str = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", algorithm=MD5, qop=auth, \
                        nc=00000001, cnonce=\"c\", response=\"00112233445566778899aabbccddeeff\"";

    #[test]
    fn good_credentials() {
        let basic = Authorization::parse(b"basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!(basic, Authorization::Basic(Credentials::new("Aladdin", "open sesame")));
        assert_eq!(basic.scheme(), Some(AnswerScheme::Basic));
        let other = Authorization::parse(b"NTLM TlRMTVNTUAAB").unwrap();
        assert_eq!((other.scheme(), other), (None, Authorization::Other("NTLM".to_owned())));
        let Ok(Authorization::Digest(answer)) = Authorization::parse(GOOD.as_bytes()) else { panic!("{GOOD}") };
        assert_eq!((answer.nc, answer.qop, answer.algorithm), (Some(1), Qop::Auth, Some(Algorithm::Md5)));
        assert!(!format!("{answer:?}").contains("001122"));
    }

    #[test]
    fn bad_credentials_are_named() {
        let no = |name| Bad::NoParameter { name };
        let unknown = |name| Bad::UnknownValue { name };
        let contradiction = |name: &str| Bad::Contradiction { name: name.to_owned() };
        let table = [
            ("username=\"u\", ", "", no("username")),
            ("realm=\"r\", ", "", no("realm")),
            ("nonce=\"n\", ", "", no("nonce")),
            ("uri=\"/\", ", "", no("uri")),
            ("nc=00000001, ", "", no("nc")),
            ("cnonce=\"c\", ", "", no("cnonce")),
            ("response=", "x=", no("response")),
            ("algorithm=MD5", "algorithm=MD4", unknown("algorithm")),
            ("qop=auth", "qop=auth-conf", unknown("qop")),
            ("nc=00000001", "nc=1", unknown("nc")),
            ("nc=00000001", "nc=+0000001", unknown("nc")),
            ("nc=00000001", "nc=0000000A", unknown("nc")),
            ("username=\"u\"", "username*=UTF-8''%", unknown("username*")),
            ("username=\"u\"", "username=\"u\", username*=UTF-8''u", contradiction("username*")),
            ("username=\"u\"", "username*=UTF-8''u, userhash=true", contradiction("userhash")),
            ("nonce=\"n\"", "nonce=\"n\", nonce=\"m\"", contradiction("nonce")),
            ("eeff\"", "EEFF\"", unknown("response")),
            ("eeff\"", "ee\"", unknown("response")),
            ("algorithm=MD5", "algorithm=SHA-256", unknown("response")),
            ("eeff\"", "eeff", Bad::UnclosedQuote),
        ];
        for (from, to, error) in table {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(Authorization::parse(GOOD.replacen(from, to, 1).as_bytes()), Err(error), "{from} → {to}");
        }
        assert_eq!(Authorization::parse(b" "), Err(Bad::Empty));
        assert_eq!(Authorization::parse(b"Basic !"), Err(Bad::Basic(basic::MalformedBasic::Base64)));
    }

    #[test]
    fn every_prefix_is_read_without_panic() {
        for end in 0..GOOD.len() {
            if let Ok(Authorization::Digest(_)) = Authorization::parse(&GOOD.as_bytes()[..end]) {
                panic!("{} is not whole", &GOOD[..end]);
            }
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>, text in "(Basic|Digest) \\PC{0,60}") {
            let _ = Authorization::parse(&octets);
            let _ = Authorization::parse(text.as_bytes());
        }
    }
}
