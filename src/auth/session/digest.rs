//! A Digest session.

use http::HeaderValue;

use super::info::{InfoVerdict, Rspauth};
use crate::auth::challenge::{AlgorithmOffer, DigestChallenge};
use crate::auth::digest::{Ha1, Hex, Proof, Qop, SessionKey, userhash};
use crate::auth::field_value::FieldValue;
use crate::auth::parameters::Parameters;
use crate::auth::{Algorithm, Charset, Credentials};

#[derive(Clone)]
pub(super) struct DigestSession {
    realm: Box<str>,
    user: Box<str>,
    nonce: Box<str>,
    cnonce: Box<str>,
    opaque: Option<Box<str>>,
    ha1: Ha1,
    /// HA1 bound to the first nonce and cnonce of the session, for -sess; else HA1.
    key: SessionKey,
    /// Answers given with this nonce.
    nc: u32,
    qop: Qop,
    /// auth-int is preferred.
    integrity: bool,
    /// The challenge named its algorithm, so the answer does.
    names_algorithm: bool,
    userhash: bool,
    /// What the challenge said of the encoding of user name and password.
    offered: Charset,
    /// The encoding they are sent in.
    charset: Charset,
    /// Both are ASCII, so that the encoding makes no difference.
    ascii: bool,
    /// How realm, nonce and opaque were read.
    octets: Charset,
}

impl DigestSession {
    /// None if the challenge's algorithm or qualities are unknown.
    pub(super) fn open(c: &DigestChallenge, who: &Credentials, cnonce: &str, integrity: bool) -> Option<DigestSession> {
        let algorithm = c.algorithm.known()?;
        let ha1 = Ha1::new(algorithm, c.charset, who, &c.octets.encode(&c.realm));
        Some(DigestSession {
            realm: c.realm.as_str().into(),
            user: who.user().into(),
            nonce: c.nonce.as_str().into(),
            cnonce: cnonce.into(),
            opaque: c.opaque.as_deref().map(Box::from),
            ha1,
            key: ha1.session_key(&c.octets.encode(&c.nonce), cnonce.as_bytes()),
            nc: 0,
            qop: c.qop.choose(integrity)?,
            integrity,
            names_algorithm: c.algorithm != AlgorithmOffer::Absent,
            userhash: c.userhash,
            offered: c.charset,
            charset: c.charset.able_to_hold(&[who.user(), who.password()]),
            ascii: who.user().is_ascii() && who.password().is_ascii(),
            octets: c.octets,
        })
    }

    pub(super) fn renew(&mut self, c: &DigestChallenge, cnonce: &str) -> bool {
        let secret = c.algorithm.known().and_then(|algorithm| self.ha1.for_algorithm(algorithm));
        let (Some(ha1), Some(qop)) = (secret, c.qop.choose(self.integrity)) else {
            return false;
        };
        let same_octets = c.octets.encode(&c.realm) == self.octets.encode(&self.realm);
        if !same_octets || (c.charset != self.offered && !self.ascii) {
            return false;
        }
        self.offered = c.charset;
        self.realm = c.realm.as_str().into();
        self.nonce = c.nonce.as_str().into();
        self.cnonce = cnonce.into();
        self.opaque = c.opaque.as_deref().map(Box::from);
        self.ha1 = ha1;
        self.key = ha1.session_key(&c.octets.encode(&c.nonce), cnonce.as_bytes());
        self.nc = 0;
        self.qop = qop;
        self.names_algorithm = c.algorithm != AlgorithmOffer::Absent;
        self.userhash = c.userhash;
        self.octets = c.octets;
        true
    }

    pub(super) fn authorize(&mut self, method: &str, uri: &str, body: &[u8]) -> HeaderValue {
        // Saturates after 4,294,967,295 answers with one nonce; every server has let it go stale long before.
        self.nc = self.nc.saturating_add(1);
        let nc = Hex::of(self.nc);
        let nc = nc.as_str();
        let (realm, nonce) = (self.octets.encode(&self.realm), self.octets.encode(&self.nonce));
        let proof = Proof {
            qop: self.qop,
            nonce: &nonce,
            nc: nc.as_bytes(),
            cnonce: self.cnonce.as_bytes(),
            uri: uri.as_bytes(),
        };
        let response = proof.response(&self.key, method, body);

        let mut f = FieldValue::new("Digest");
        self.write_user(&mut f, &realm);
        f.quoted("realm", &realm);
        f.quoted("nonce", &nonce);
        f.quoted("uri", uri.as_bytes());
        if self.names_algorithm {
            f.token("algorithm", self.algorithm().token());
        }
        if let Some(qop) = self.qop.token() {
            f.token("qop", qop);
            f.token("nc", nc);
        }
        // A session key cannot be made without the cnonce, not even where RFC 2069 has none.
        if self.qop != Qop::Legacy || self.algorithm().is_session() {
            f.quoted("cnonce", self.cnonce.as_bytes());
        }
        f.quoted("response", response.as_bytes());
        if let Some(opaque) = &self.opaque {
            f.quoted("opaque", &self.octets.encode(opaque));
        }
        f.secret()
    }

    /// The user name in the first form that can carry it (RFC 7616 3.4, 3.4.4): hashed where offered, quoted,
    /// extended where it is not ASCII and the server knows RFC 7616 (it named a charset) or no other form will do.
    fn write_user(&self, f: &mut FieldValue, realm: &[u8]) {
        if self.userhash {
            let hash = userhash(self.algorithm(), self.charset, &self.user, realm);
            f.quoted("username", hash.as_bytes());
            f.token("userhash", "true");
        } else if self.user.chars().any(char::is_control) || (!self.user.is_ascii() && self.offered == Charset::Utf8) {
            f.extended("username", &self.user);
        } else {
            f.quoted("username", &self.charset.encode(&self.user));
        }
    }

    pub(super) fn take_info(&mut self, info: &[u8], uri: &str, body: Option<&[u8]>) -> InfoVerdict {
        let (text, octets) = Charset::decode(info);
        let p = Parameters::read(&text);
        let rspauth = p.get("rspauth").map_or(Rspauth::Absent, |given| self.check(&p, given, uri, body));
        let next = p.get("nextnonce").filter(|n| !n.is_empty() && !p.unclosed && rspauth != Rspauth::Wrong);
        // The realm stays as it was read; a nonce beyond ASCII in another encoding than the realm is not taken.
        let next = next.filter(|n| n.is_ascii() || octets == self.octets);
        if let Some(nonce) = next {
            // The session key stays: it lives until the next challenge (RFC 7616 3.4.2, 3.6).
            self.nonce = nonce.into();
            self.nc = 0;
        }
        InfoVerdict { rspauth, next_nonce: next.is_some() }
    }

    fn check(&self, p: &Parameters<'_>, given: &str, uri: &str, body: Option<&[u8]>) -> Rspauth {
        let nc = Hex::of(self.nc);
        let nc = nc.as_str();
        // Digits count in either case: RFC 7616 wants lower case, a server that knows the secret is authentic anyway.
        if p.get("cnonce").is_some_and(|theirs| *theirs != *self.cnonce)
            || p.get("nc").is_some_and(|theirs| !theirs.eq_ignore_ascii_case(nc))
        {
            return Rspauth::Wrong;
        }
        let qop = match p.get("qop") {
            None => self.qop,
            Some(token) => match Qop::from_token(token) {
                Some(qop) => qop,
                None => return Rspauth::Unchecked,
            },
        };
        if qop == Qop::AuthInt && body.is_none() {
            return Rspauth::Unchecked;
        }
        let nonce = self.octets.encode(&self.nonce);
        let (cnonce, uri) = (self.cnonce.as_bytes(), uri.as_bytes());
        let proof = Proof { qop, nonce: &nonce, nc: nc.as_bytes(), cnonce, uri };
        let right = proof.rspauth(&self.key, body.unwrap_or_default()).eq_ignore_ascii_case(given);
        if right { Rspauth::Right } else { Rspauth::Wrong }
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) const fn nonce_count(&self) -> u32 {
        self.nc
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.ha1.algorithm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million phones may each hold one.
    #[test]
    fn a_session_is_small() {
        assert!(size_of::<DigestSession>() <= 176, "{}", size_of::<DigestSession>());
    }
}
