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
mod terms;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use self::digest::DigestSession;
pub use self::info::{InfoVerdict, Rspauth};
use self::terms::AnswerTerms;
pub(super) use self::terms::Terms;
use super::field_value::FieldValue;
use super::place::Place;
use super::{AnswerScheme, Challenge, Commons, Credentials, basic};

/// An authentication session with one protection space. Three words: its terms, which many phones share, and what it has
/// of its own, as short as can be. For Digest it keeps HA1 and not the password; Basic cannot but keep what it sends.
/// `Debug` shows neither.
#[derive(Clone)]
pub struct Session {
    terms: Arc<Terms>,
    /// Basic: what it sends. Digest: see [`DigestSession`].
    own: Box<[u8]>,
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
            Challenge::Basic(c) => Some(Session {
                terms: Arc::new(AnswerTerms::Basic { realm: c.realm.as_deref().map(Box::from) }.into()),
                own: basic::encode(credentials, c.charset).into_bytes().into(),
            }),
            Challenge::Digest(c) => {
                let (terms, session) = DigestSession::open(c, credentials, cnonce, integrity)?;
                let own = session.packed(&terms);
                Some(Session { terms: Arc::new(AnswerTerms::Digest(terms).into()), own })
            }
            Challenge::Other(_) => None,
        }
    }

    /// The same session, which holds there; its terms are those of others, if others have the same.
    pub(super) fn placed(mut self, place: Place, commons: &Commons) -> Session {
        Arc::make_mut(&mut self.terms).place = place;
        Session { terms: commons.terms(self.terms), own: self.own }
    }

    /// Where it holds.
    pub(super) fn place(&self) -> &Place {
        &self.terms.place
    }

    /// The value of `Authorization` for the next request, marked sensitive. `uri` is the target exactly as on the
    /// request line; the body counts only under `auth-int`. Each call counts: call it once for each request sent.
    pub fn authorize(&mut self, method: &str, uri: &str, body: &[u8]) -> HeaderValue {
        match &self.terms.answer {
            AnswerTerms::Basic { .. } => {
                let mut f = FieldValue::new("Basic");
                f.bare(std::str::from_utf8(&self.own).unwrap_or_default());
                f.secret()
            }
            AnswerTerms::Digest(terms) => {
                DigestSession::count(&mut self.own);
                DigestSession::unpacked(terms, &self.own).authorize(terms, method, uri, body)
            }
        }
    }

    /// Goes on with the nonce of a `stale=true` challenge and a new `cnonce`, without the password: true. False, and
    /// nothing changed, if this session's secret does not fit the challenge (another realm, hash function or
    /// character encoding, or not Digest): open a new one.
    pub fn renew(&mut self, challenge: &Challenge, cnonce: &str) -> bool {
        let (AnswerTerms::Digest(terms), Challenge::Digest(c)) = (&self.terms.answer, challenge) else { return false };
        let Some((terms, renewed)) = DigestSession::unpacked(terms, &self.own).renewed(terms, c, cnonce) else {
            return false;
        };
        self.own = renewed.packed(&terms);
        self.terms = Arc::new(Terms { place: self.terms.place.clone(), answer: AnswerTerms::Digest(terms) });
        true
    }

    /// Takes the value of `Authentication-Info` that came with the answer to the last request: checks `rspauth`, and
    /// goes on with `nextnonce` unless `rspauth` is wrong. `uri` is that of the request; `body` is the answer's, which
    /// only `auth-int` needs: none if it was not kept, and `rspauth` is then [`Rspauth::Unchecked`].
    pub fn take_info(&mut self, info: &[u8], uri: &str, body: Option<&[u8]>) -> InfoVerdict {
        let AnswerTerms::Digest(terms) = &self.terms.answer else { return InfoVerdict::NOTHING };
        let mut session = DigestSession::unpacked(terms, &self.own);
        let verdict = session.take_info(terms, info, uri, body);
        if verdict.next_nonce {
            self.own = session.packed(terms);
        }
        verdict
    }

    /// The realm; none for Basic where the server named none.
    pub fn realm(&self) -> Option<&str> {
        self.terms.answer.realm()
    }

    /// The scheme of its answers.
    pub fn scheme(&self) -> AnswerScheme {
        self.terms.answer.scheme()
    }

    /// The nonce now in use; none for Basic.
    pub fn nonce(&self) -> Option<Cow<'_, str>> {
        match &self.terms.answer {
            AnswerTerms::Basic { .. } => None,
            AnswerTerms::Digest(terms) => Some(DigestSession::unpacked(terms, &self.own).nonce),
        }
    }

    /// How many answers were given with the nonce now in use; zero for Basic.
    pub fn nonce_count(&self) -> u32 {
        match &self.terms.answer {
            AnswerTerms::Basic { .. } => 0,
            AnswerTerms::Digest(terms) => DigestSession::unpacked(terms, &self.own).nc,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::parse_challenges;

    fn challenge(header: &str) -> Challenge {
        parse_challenges([header.as_bytes()]).unwrap().remove(0)
    }

    fn session(header: &str) -> Session {
        Session::open(&challenge(header), &Credentials::new("2001", "secret"), "c1").unwrap()
    }

    fn answer(session: &mut Session) -> String {
        session.authorize("GET", "/", b"").to_str().unwrap().to_owned()
    }

    #[test]
    fn a_session_is_three_words_and_shows_no_secret() {
        assert!(size_of::<Session>() <= 3 * size_of::<usize>());
        let mut basic = session("Basic realm=\"R\"");
        assert_eq!(answer(&mut basic), "Basic MjAwMTpzZWNyZXQ=");
        let shown = format!("{basic:?} {:?}", basic.authorize("GET", "/", b""));
        assert!(!shown.contains("MjAw") && !shown.contains("secret"), "{shown}");
        assert!(format!("{:?}", session("Digest realm=\"R\", nonce=\"n\"")).contains("digest-md5"));
    }

    #[test]
    fn each_answer_counts_once_for_its_nonce() {
        let mut s = session("Digest realm=\"R\", nonce=\"n1\", qop=\"auth\"");
        let counts: Vec<bool> =
            (1..=300).map(|i| answer(&mut s).contains(&format!("nc={i:08x}, cnonce=\"c1\""))).collect();
        assert_eq!(counts, [true; 300]);
        assert!(s.renew(&challenge("Digest realm=\"R\", nonce=\"n2\", qop=\"auth\", stale=true"), "c2"));
        assert_eq!((s.nonce().as_deref(), s.nonce_count()), (Some("n2"), 0));
        assert!(answer(&mut s).contains("nc=00000001, cnonce=\"c2\""));
    }

    #[test]
    fn a_session_goes_on_only_where_its_secret_fits() {
        let table = [
            ("Digest realm=\"R\", nonce=\"m\"", true),
            ("Digest realm=\"R\", nonce=\"m\", algorithm=MD5-sess, qop=\"auth-int\", opaque=\"o\"", true),
            ("Digest realm=\"R\", nonce=\"m\", charset=UTF-8", true),
            ("Digest realm=\"r\", nonce=\"m\"", false),
            ("Digest realm=\"R\", nonce=\"m\", algorithm=SHA-256", false),
            ("Digest realm=\"R\", nonce=\"m\", algorithm=unknown", false),
            ("Digest realm=\"R\", nonce=\"m\", qop=\"unknown\"", false),
            ("Basic realm=\"R\"", false),
            ("NTLM", false),
        ];
        for (header, renewed) in table {
            let mut s = session("Digest realm=\"R\", nonce=\"n\"");
            assert_eq!(s.renew(&challenge(header), "c2"), renewed, "{header}");
            assert_eq!(s.nonce().as_deref(), Some(if renewed { "m" } else { "n" }), "{header}");
            // A renewed session answers as one that was opened with the password.
            if renewed {
                let mut opened = Session::open(&challenge(header), &Credentials::new("2001", "secret"), "c2").unwrap();
                assert_eq!(answer(&mut s), answer(&mut opened), "{header}");
            }
        }
    }

    #[test]
    fn another_encoding_of_what_is_not_ascii_needs_the_password() {
        let plain = challenge("Digest realm=\"R\", nonce=\"n\"");
        let utf8 = challenge("Digest realm=\"R\", nonce=\"n\", charset=UTF-8");
        let mut s = Session::open(&plain, &Credentials::new("2001", "\u{fc}"), "c").unwrap();
        assert!(!s.renew(&utf8, "c") && s.renew(&plain, "c"));
    }

    #[test]
    fn infos() {
        let right = "rspauth=\"RIGHT\"";
        let table = [
            // info (RIGHT stands for the right value), verdict, nonce afterwards
            ("", Rspauth::Absent, "n"),
            ("nonsense \"", Rspauth::Absent, "n"),
            ("nextnonce=\"m\"", Rspauth::Absent, "m"),
            ("nextnonce=\"\"", Rspauth::Absent, "n"),
            ("nextnonce=\"m", Rspauth::Absent, "n"),
            (right, Rspauth::Right, "n"),
            ("qop=auth, rspauth=\"RIGHT\", cnonce=\"c1\", nc=00000001, nextnonce=\"m\"", Rspauth::Right, "m"),
            ("rspauth=\"00\", nextnonce=\"m\"", Rspauth::Wrong, "n"),
            ("rspauth=\"RIGHT\", cnonce=\"c2\"", Rspauth::Wrong, "n"),
            ("rspauth=\"RIGHT\", nc=00000002", Rspauth::Wrong, "n"),
            ("rspauth=\"RIGHT\", qop=auth-int", Rspauth::Unchecked, "n"),
            ("rspauth=\"RIGHT\", qop=auth-conf", Rspauth::Unchecked, "n"),
        ];
        // MD5(MD5(2001:R:secret):n:00000001:c1:auth:MD5(:/))
        let value = "e54c8268fd12d4e405a926f415983473";
        for (info, rspauth, nonce) in table {
            let mut s = session("Digest realm=\"R\", nonce=\"n\", qop=\"auth\"");
            answer(&mut s);
            let verdict = s.take_info(info.replace("RIGHT", value).as_bytes(), "/", None);
            assert_eq!(verdict, InfoVerdict { rspauth, next_nonce: nonce == "m" }, "{info}");
            assert_eq!((s.nonce().as_deref(), s.nonce_count()), (Some(nonce), u32::from(nonce == "n")), "{info}");
        }
        let verdict = session("Basic realm=\"R\"").take_info(b"nextnonce=\"m\"", "/", None);
        assert_eq!(verdict, InfoVerdict::NOTHING);
    }

    /// RFC 7616 3.4.2, 3.6: the session, and with it the key, lives until the next challenge.
    #[test]
    fn the_session_key_outlives_the_nonce() {
        let mut s = session("Digest realm=\"R\", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess");
        answer(&mut s);
        s.take_info(b"nextnonce=\"m\"", "/", None);
        // MD5(MD5(MD5(2001:R:secret):n:c1):m:00000001:c1:auth:MD5(GET:/))
        assert!(answer(&mut s).contains("response=\"cec70102c37386bc466e0b68421ee311\""));
    }

    #[test]
    fn names_that_are_not_ascii() {
        let table = [
            ("Digest realm=\"R\", nonce=\"n\"", "J\u{e4}s", &b"username=\"J\xe4s\","[..]),
            ("Digest realm=\"R\", nonce=\"n\"", "\u{20ac}", b"username=\"\xe2\x82\xac\","),
            ("Digest realm=\"R\", nonce=\"n\", charset=UTF-8", "J\u{e4}s", b"username*=UTF-8''J%C3%A4s,"),
            ("Digest realm=\"R\", nonce=\"n\", charset=UTF-8", "a\"b\\c", b"username=\"a\\\"b\\\\c\","),
            ("Digest realm=\"R\", nonce=\"n\"", "a\nb", b"username*=UTF-8''a%0Ab,"),
        ];
        for (header, user, written) in table {
            let mut s = Session::open(&challenge(header), &Credentials::new(user, "p"), "c").unwrap();
            let value = s.authorize("GET", "/", b"");
            assert!(value.as_bytes()[7..].starts_with(written), "{user}: {:?}", value.as_bytes());
        }
    }

    #[test]
    fn a_realm_goes_back_as_it_came() {
        let header: &[u8] = b"Digest realm=\"B\xfcro \\\"x\\\"\", nonce=\"n\"";
        let challenge = parse_challenges([header]).unwrap().remove(0);
        let mut s = Session::open(&challenge, &Credentials::new("u", "p"), "c").unwrap();
        assert_eq!(s.realm(), Some("B\u{fc}ro \"x\""));
        let value = s.authorize("GET", "/", b"");
        let back = b"realm=\"B\xfcro \\\"x\\\"\", ";
        assert!(value.as_bytes().windows(back.len()).any(|w| w == back));
    }
}
