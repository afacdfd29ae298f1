//! A Digest session.

use std::borrow::Cow;

use http::HeaderValue;

use super::info::{InfoVerdict, Rspauth};
use super::terms::DigestTerms;
use crate::auth::challenge::{AlgorithmOffer, DigestChallenge};
use crate::auth::digest::{Ha1, Hex, Proof, Qop, SessionKey, userhash};
use crate::auth::field_value::FieldValue;
use crate::auth::packed::{number, pack, take_number, unpack};
use crate::auth::parameters::Parameters;
use crate::auth::{Charset, Credentials};

/// What a session has of its own, taken apart for use. Between uses it is octets: the count, HA1, the session key where it
/// is another, then user name, nonce, cnonce and opaque, packed.
pub(super) struct DigestSession<'a> {
    /// Answers given with this nonce.
    pub(super) nc: u32,
    ha1: Ha1,
    /// HA1 bound to the first nonce and cnonce of the session, for -sess; else HA1.
    key: SessionKey,
    user: Cow<'a, str>,
    pub(super) nonce: Cow<'a, str>,
    cnonce: Cow<'a, str>,
    opaque: Option<Cow<'a, str>>,
}

/// The last octet of a count that may be the greatest there is.
const LONG: usize = 4;

impl<'a> DigestSession<'a> {
    /// None if the challenge's algorithm or qualities are unknown.
    pub(super) fn open(
        c: &'a DigestChallenge,
        who: &'a Credentials,
        cnonce: &'a str,
        integrity: bool,
    ) -> Option<(DigestTerms, DigestSession<'a>)> {
        let algorithm = c.algorithm.known()?;
        let ha1 = Ha1::new(algorithm, c.charset, who, &c.octets.encode(&c.realm));
        let terms = DigestTerms {
            realm: c.realm.as_str().into(),
            algorithm,
            qop: c.qop.choose(integrity)?,
            integrity,
            names_algorithm: c.algorithm != AlgorithmOffer::Absent,
            userhash: c.userhash,
            has_opaque: c.opaque.is_some(),
            offered: c.charset,
            charset: c.charset.able_to_hold(&[who.user(), who.password()]),
            ascii: who.user().is_ascii() && who.password().is_ascii(),
            octets: c.octets,
        };
        let session = DigestSession {
            nc: 0,
            ha1,
            key: ha1.session_key(&c.octets.encode(&c.nonce), cnonce.as_bytes()),
            user: who.user().into(),
            nonce: c.nonce.as_str().into(),
            cnonce: cnonce.into(),
            opaque: c.opaque.as_deref().map(Cow::Borrowed),
        };
        Some((terms, session))
    }

    /// One answer more with this nonce. Saturates after 4,294,967,295; every server has let it go stale long before.
    pub(super) fn count(own: &mut Box<[u8]>) {
        // As a rule one octet of the count takes it up, and the lower ones begin anew.
        let takes = own.iter().position(|octet| octet & 127 != 127);
        let last = own.iter().position(|octet| *octet < 128);
        if let (Some(takes), Some(last)) = (takes, last)
            && takes <= last
            && last < LONG
        {
            own[..takes].iter_mut().for_each(|octet| *octet &= 128);
            own[takes] += 1;
            return;
        }
        let mut rest = &**own;
        let counted = take_number(&mut rest).unwrap_or_default().saturating_add(1).min(u32::MAX as usize);
        let (before, mut count) = (own.len() - rest.len(), Vec::new());
        number(counted, &mut count);
        if count.len() == before {
            own[..before].copy_from_slice(&count);
        } else {
            count.extend_from_slice(rest);
            *own = count.into();
        }
    }

    pub(super) fn packed(&self, terms: &DigestTerms) -> Box<[u8]> {
        let mut own = Vec::with_capacity(256);
        number(self.nc as usize, &mut own);
        own.extend_from_slice(self.ha1.octets());
        if terms.algorithm.is_session() {
            own.extend_from_slice(self.key.octets());
        }
        let texts = [&self.user, &self.nonce, &self.cnonce].into_iter().chain(&self.opaque);
        texts.for_each(|text| pack(text, &mut own));
        // A copy of the right length: giving back what is left over would leave a hole beside it.
        Box::from(&*own)
    }

    pub(super) fn unpacked(terms: &DigestTerms, mut own: &'a [u8]) -> DigestSession<'a> {
        let nc = take_number(&mut own).and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
        let mut sum = || own.split_off(..terms.algorithm.hex_len() / 2).unwrap_or_default();
        let ha1 = Ha1::from_octets(terms.algorithm, sum());
        let key = match terms.algorithm.is_session() {
            true => SessionKey::from_octets(terms.algorithm, sum()),
            false => ha1.session_key(&[], &[]),
        };
        let (user, nonce, cnonce) = (unpack(&mut own), unpack(&mut own), unpack(&mut own));
        let opaque = terms.has_opaque.then(|| unpack(&mut own));
        DigestSession { nc, ha1, key, user, nonce, cnonce, opaque }
    }

    /// The session with the challenge's nonce, under its terms; none if the secret does not fit them.
    pub(super) fn renewed(
        self,
        terms: &DigestTerms,
        c: &'a DigestChallenge,
        cnonce: &'a str,
    ) -> Option<(DigestTerms, DigestSession<'a>)> {
        let ha1 = c.algorithm.known().and_then(|algorithm| self.ha1.for_algorithm(algorithm))?;
        let qop = c.qop.choose(terms.integrity)?;
        let same_octets = c.octets.encode(&c.realm) == terms.octets.encode(&terms.realm);
        if !same_octets || (c.charset != terms.offered && !terms.ascii) {
            return None;
        }
        let terms = DigestTerms {
            realm: c.realm.as_str().into(),
            algorithm: ha1.algorithm(),
            qop,
            names_algorithm: c.algorithm != AlgorithmOffer::Absent,
            userhash: c.userhash,
            has_opaque: c.opaque.is_some(),
            offered: c.charset,
            octets: c.octets,
            ..*terms
        };
        let session = DigestSession {
            nc: 0,
            ha1,
            key: ha1.session_key(&c.octets.encode(&c.nonce), cnonce.as_bytes()),
            user: self.user,
            nonce: c.nonce.as_str().into(),
            cnonce: cnonce.into(),
            opaque: c.opaque.as_deref().map(Cow::Borrowed),
        };
        Some((terms, session))
    }

    pub(super) fn authorize(&self, terms: &DigestTerms, method: &str, uri: &str, body: &[u8]) -> HeaderValue {
        let nc = Hex::of(self.nc);
        let nc = nc.as_str();
        let (realm, nonce) = (terms.octets.encode(&terms.realm), terms.octets.encode(&self.nonce));
        let proof = Proof {
            qop: terms.qop,
            nonce: &nonce,
            nc: nc.as_bytes(),
            cnonce: self.cnonce.as_bytes(),
            uri: uri.as_bytes(),
        };
        let response = proof.digits(&self.key, method.as_bytes(), body);

        let mut f = FieldValue::new("Digest");
        self.write_user(terms, &mut f, &realm);
        f.quoted("realm", &realm);
        f.quoted("nonce", &nonce);
        f.quoted("uri", uri.as_bytes());
        if terms.names_algorithm {
            f.token("algorithm", terms.algorithm.token());
        }
        if let Some(qop) = terms.qop.token() {
            f.token("qop", qop);
            f.token("nc", nc);
        }
        // A session key cannot be made without the cnonce, not even where RFC 2069 has none.
        if terms.qop != Qop::Legacy || terms.algorithm.is_session() {
            f.quoted("cnonce", self.cnonce.as_bytes());
        }
        f.quoted("response", response.as_bytes());
        if let Some(opaque) = &self.opaque {
            f.quoted("opaque", &terms.octets.encode(opaque));
        }
        f.secret()
    }

    /// The user name in the first form that can carry it (RFC 7616 3.4, 3.4.4): hashed where offered, quoted,
    /// extended where it is not ASCII and the server knows RFC 7616 (it named a charset) or no other form will do.
    fn write_user(&self, terms: &DigestTerms, f: &mut FieldValue, realm: &[u8]) {
        if terms.userhash {
            let hash = userhash(terms.algorithm, terms.charset, &self.user, realm);
            f.quoted("username", hash.as_bytes());
            f.token("userhash", "true");
        } else if self.user.chars().any(char::is_control) || (!self.user.is_ascii() && terms.offered == Charset::Utf8) {
            f.extended("username", &self.user);
        } else {
            f.quoted("username", &terms.charset.encode(&self.user));
        }
    }

    /// Goes on with the next nonce, if there is one: the verdict says so.
    pub(super) fn take_info(
        &mut self,
        terms: &DigestTerms,
        info: &[u8],
        uri: &str,
        body: Option<&[u8]>,
    ) -> InfoVerdict {
        let (text, octets) = Charset::decode(info);
        let p = Parameters::read(&text);
        let rspauth = p.get("rspauth").map_or(Rspauth::Absent, |given| self.check(terms, &p, given, uri, body));
        let next = p.get("nextnonce").filter(|n| !n.is_empty() && !p.unclosed && rspauth != Rspauth::Wrong);
        // The realm stays as it was read; a nonce beyond ASCII in another encoding than the realm is not taken.
        let next = next.filter(|n| n.is_ascii() || octets == terms.octets);
        if let Some(nonce) = next {
            // The session key stays: it lives until the next challenge (RFC 7616 3.4.2, 3.6).
            self.nonce = Cow::Owned(nonce.to_owned());
            self.nc = 0;
        }
        InfoVerdict { rspauth, next_nonce: next.is_some() }
    }

    fn check(&self, terms: &DigestTerms, p: &Parameters<'_>, given: &str, uri: &str, body: Option<&[u8]>) -> Rspauth {
        let nc = Hex::of(self.nc);
        let nc = nc.as_str();
        // Digits count in either case: RFC 7616 wants lower case, a server that knows the secret is authentic anyway.
        if p.get("cnonce").is_some_and(|theirs| *theirs != *self.cnonce)
            || p.get("nc").is_some_and(|theirs| !theirs.eq_ignore_ascii_case(nc))
        {
            return Rspauth::Wrong;
        }
        let qop = match p.get("qop") {
            None => terms.qop,
            Some(token) => match Qop::from_token(token) {
                Some(qop) => qop,
                None => return Rspauth::Unchecked,
            },
        };
        if qop == Qop::AuthInt && body.is_none() {
            return Rspauth::Unchecked;
        }
        let nonce = terms.octets.encode(&self.nonce);
        let (cnonce, uri) = (self.cnonce.as_bytes(), uri.as_bytes());
        let proof = Proof { qop, nonce: &nonce, nc: nc.as_bytes(), cnonce, uri };
        let right = proof.rspauth(&self.key, body.unwrap_or_default()).eq_ignore_ascii_case(given);
        if right { Rspauth::Right } else { Rspauth::Wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Algorithm, Challenge, Session};

    /// A million phones may each hold one.
    #[test]
    fn a_session_is_short() {
        let nonce = format!("+Upgraded+v1{}", "5c1e36d9".repeat(14));
        let challenge = Challenge::Digest(DigestChallenge::new("Digest", nonce, Algorithm::Md5Sess));
        let session = Session::open(&challenge, &Credentials::new("20000", "pw-20000"), "0123456789abcdef").unwrap();
        assert!(session.own.len() <= 120, "{}", session.own.len());
    }
}
