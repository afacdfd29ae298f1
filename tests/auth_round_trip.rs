//! Our client against our server, for everything Digest can be. They share their hashing: `auth_vectors` and
//! `auth_oracles` are what keeps both honest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::time::Duration;

use bootstorm::auth::digest::{Ha1, QopOffer, UserhashIndex};
use bootstorm::auth::{
    Algorithm, AlgorithmOffer, AnswerUser, Authorization, BasicChallenge, Challenge, Charset, Credentials,
    DigestAnswer, DigestChallenge, NonceShape, NonceVerdict, Nonces, OtherChallenge, Replay, Rspauth, Session,
    parse_challenges,
};
use proptest::prelude::*;
use proptest::sample::select;

const QOPS: [QopOffer; 4] = [
    QopOffer::Absent,
    QopOffer::AUTH,
    QopOffer::Listed { auth: false, auth_int: true },
    QopOffer::Listed { auth: true, auth_int: true },
];

/// What a server has for one user.
struct Server {
    challenge: DigestChallenge,
    credentials: Credentials,
    index: UserhashIndex,
    nonces: Nonces,
}

impl Server {
    fn new(challenge: DigestChallenge, credentials: Credentials) -> Server {
        let algorithm = challenge.algorithm.known().unwrap();
        let users = ["somebody else", credentials.user()];
        let index = UserhashIndex::new(algorithm, challenge.charset, challenge.realm.as_bytes(), users);
        let replay = Replay::Counted { capacity: 100 };
        let nonces = Nonces::new(NonceShape::IIS, Duration::from_secs(1), [1; 32], replay);
        Server { challenge, credentials, index, nonces }
    }

    fn challenge(&self, now: u64, stale: bool) -> Challenge {
        let nonce = self.nonces.issue(now, 4711);
        Challenge::Digest(DigestChallenge { nonce, stale, ..self.challenge.clone() })
    }

    fn ha1(&self) -> Ha1 {
        let algorithm = self.challenge.algorithm.known().unwrap();
        Ha1::new(algorithm, self.challenge.charset, &self.credentials, self.challenge.realm.as_bytes())
    }

    fn knows(&self, answer: &DigestAnswer) -> bool {
        let user = match &answer.user {
            AnswerUser::Name(name) => Some(name.as_str()),
            AnswerUser::Hash(hash) => self.index.find(hash),
        };
        user == Some(self.credentials.user())
    }
}

fn received(value: &[u8]) -> DigestAnswer {
    match Authorization::parse(value) {
        Ok(Authorization::Digest(answer)) => *answer,
        other => panic!("no Digest answer: {other:?}"),
    }
}

/// Sent over the wire as octets and read again.
fn wired(challenge: &Challenge) -> Challenge {
    parse_challenges([challenge.to_header_value().as_bytes()]).unwrap().remove(0)
}

#[test]
fn every_kind_of_digest_is_answered_verified_and_confirmed() {
    for algorithm in Algorithm::ALL {
        for qop in QOPS {
            for (userhash, charset, integrity) in [
                (false, Charset::Latin1, false),
                (false, Charset::Utf8, true),
                (true, Charset::Latin1, true),
                (true, Charset::Utf8, false),
            ] {
                let base = DigestChallenge::new("R \"quoted\" \u{fc}", "", algorithm);
                let opaque = Some("o\\paque".to_owned());
                let challenge = DigestChallenge { qop, userhash, charset, opaque, ..base };
                let what = format!("{challenge:?}");
                one_life(
                    Server::new(challenge, Credentials::new("J\u{e4}s\u{f8}n \"D\"", "\u{df}:")),
                    integrity,
                    &what,
                );
            }
        }
    }
}

/// Three requests, a nonce gone stale, and one more.
fn one_life(mut server: Server, integrity: bool, what: &str) {
    let first = wired(&server.challenge(0, false));
    let mut client = Session::open_with(&first, &server.credentials, "c1", integrity).expect(what);
    let mut last = Vec::new();
    for now in 1..=3 {
        let (method, uri, body) = ("PUT", "/a b?\"=\\", b"body".as_slice());
        let value = client.authorize(method, uri, body);
        let answer = received(value.as_bytes());
        assert!(server.knows(&answer), "{what}: {:?}", answer.user);
        assert_eq!((answer.uri.as_str(), answer.opaque.as_deref()), (uri, Some("o\\paque")), "{what}");
        assert!(answer.verify(method, body, &server.ha1()), "{what}");
        assert_eq!(server.nonces.take(&answer.nonce, answer.nc, now), NonceVerdict::Fresh, "{what}");
        let info = answer.info(&answer.key(&server.ha1()).unwrap(), b"reply", None);
        let verdict = client.take_info(info.as_bytes(), uri, Some(b"reply"));
        assert_eq!(verdict.rspauth, Rspauth::Right, "{what}");
        last = value.as_bytes().to_vec();
    }
    let replayed = received(&last);
    if replayed.nc.is_some() {
        assert_eq!(server.nonces.take(&replayed.nonce, replayed.nc, 4), NonceVerdict::Replayed, "{what}");
    }
    assert_eq!(server.nonces.judge(&replayed.nonce, 2_000_000), NonceVerdict::Stale, "{what}");
    let again = wired(&server.challenge(2_000_000, true));
    assert!(again.is_stale() && client.renew(&again, "c2"), "{what}");
    let answer = received(client.authorize("GET", "/", b"").as_bytes());
    assert!(answer.verify("GET", b"", &server.ha1()), "{what}");
    assert_eq!(server.nonces.judge(&answer.nonce, 2_000_001), NonceVerdict::Fresh, "{what}");
}

#[test]
fn a_session_key_held_by_the_server_follows_nextnonce() {
    let challenge = DigestChallenge::new("R", "n1", Algorithm::Sha256Sess);
    let server = Server::new(challenge.clone(), Credentials::new("u", "p"));
    let mut client = Session::open(&Challenge::Digest(challenge), &server.credentials, "c").unwrap();
    let first = received(client.authorize("GET", "/", b"").as_bytes());
    let key = first.key(&server.ha1()).unwrap();
    assert!(client.take_info(first.info(&key, b"", Some("n2")).as_bytes(), "/", None).next_nonce);
    let second = received(client.authorize("GET", "/", b"").as_bytes());
    assert_eq!((second.nonce.as_str(), second.nc), ("n2", Some(1)));
    assert!(second.verify_with("GET", b"", &key), "the key of the session's first request");
    assert!(!second.verify("GET", b"", &server.ha1()), "a key made of the new nonce is another one");
}

/// Text a header can carry in quotes, beyond ASCII too.
fn text() -> impl Strategy<Value = String> {
    "[ -~\u{a0}-\u{2fff}\t]{0,16}"
}

fn digest_challenge() -> impl Strategy<Value = DigestChallenge> {
    let offers = prop_oneof![
        Just(AlgorithmOffer::Absent),
        select(&Algorithm::ALL[..]).prop_map(AlgorithmOffer::Known),
        Just(AlgorithmOffer::Unknown("SHA-3 \"x\"".to_owned())),
    ];
    let qops = prop_oneof![select(&QOPS[..]), Just(QopOffer::Listed { auth: false, auth_int: false })];
    let charsets = select(&[Charset::Latin1, Charset::Utf8][..]);
    let domain = prop::collection::vec("/[!-~]{0,8}", 0..3);
    let texts = (text(), text(), prop::option::of(text()));
    (texts, any::<bool>(), offers, qops, charsets, any::<bool>(), domain).prop_map(
        |((realm, nonce, opaque), stale, algorithm, qop, charset, userhash, domain)| DigestChallenge {
            realm,
            nonce,
            opaque,
            stale,
            algorithm,
            qop,
            charset,
            userhash,
            domain,
            octets: Charset::Utf8,
        },
    )
}

fn any_challenge() -> impl Strategy<Value = Challenge> {
    let basic = (prop::option::of(text()), select(&[Charset::Latin1, Charset::Utf8][..]))
        .prop_map(|(realm, charset)| Challenge::Basic(BasicChallenge { realm, charset, octets: Charset::Utf8 }));
    let other = ("X[a-zA-Z-]{1,8}", prop::option::of("[A-Za-z0-9+/]{1,20}={0,2}"))
        .prop_map(|(scheme, token68)| Challenge::Other(OtherChallenge { scheme, token68, ..Default::default() }));
    prop_oneof![basic, digest_challenge().prop_map(Challenge::Digest), other]
}

proptest! {
    /// In one header or in many.
    #[test]
    fn printed_challenges_are_read_as_they_were(challenges in prop::collection::vec(any_challenge(), 1..5)) {
        let printed: Vec<Vec<u8>> =
            challenges.iter().map(|c| c.to_header_value().as_bytes().trim_ascii_end().to_vec()).collect();
        prop_assert_eq!(&parse_challenges(printed.iter().map(Vec::as_slice)).unwrap(), &challenges);
        prop_assert_eq!(&parse_challenges([printed.join(&b", "[..]).as_slice()]).unwrap(), &challenges);
    }

    #[test]
    fn any_answer_verifies(
        challenge in digest_challenge(),
        user in text(), password: String, method in "[A-Z]{1,8}", uri in "/[!-~]{0,20}", body: Vec<u8>,
        integrity: bool,
    ) {
        let credentials = Credentials::new(user, password);
        let Some(mut client) = Session::open_with(&Challenge::Digest(challenge.clone()), &credentials, "c", integrity)
        else {
            prop_assert!(Challenge::Digest(challenge).scheme().is_none());
            return Ok(());
        };
        let answer = received(client.authorize(&method, &uri, &body).as_bytes());
        let server = Server::new(challenge, credentials);
        prop_assert!(answer.verify(&method, &body, &server.ha1()));
        prop_assert_eq!(&answer.uri, &uri);
        prop_assert_eq!(answer.realm_octets(), server.challenge.realm.as_bytes());
        // Without a charset a name beyond ASCII may come as Latin-1 octets that happen to be UTF-8 as well.
        if server.challenge.charset == Charset::Utf8 || server.credentials.user().is_ascii() {
            prop_assert!(server.knows(&answer), "{:?}", answer.user);
        }
    }

    /// Whatever one octet of the answer becomes: it verifies only if all it proves is what it was.
    #[test]
    fn a_changed_octet_proves_nothing_new(
        algorithm in select(&Algorithm::ALL[..]), qop in select(&QOPS[..]), at: prop::sample::Index, to: u8,
    ) {
        let challenge = DigestChallenge { qop, ..DigestChallenge::new("R", "nonce", algorithm) };
        let server = Server::new(challenge.clone(), Credentials::new("u", "p"));
        let mut client = Session::open(&Challenge::Digest(challenge), &server.credentials, "cnonce").unwrap();
        let value = client.authorize("PUT", "/uri", b"body").as_bytes().to_vec();
        let sent = received(&value);
        let mut changed = value.clone();
        changed[at.index(value.len())] = to;
        if let Ok(Authorization::Digest(read)) = Authorization::parse(&changed)
            && read.verify("PUT", b"body", &server.ha1())
        {
            let proven = |a: &DigestAnswer| {
                let cnonce = if a.qop.token().is_some() || algorithm.is_session() { a.cnonce.clone() } else { None };
                (a.nonce.clone(), a.uri.clone(), a.algorithm(), a.qop, a.nc, cnonce)
            };
            prop_assert_eq!(proven(&read), proven(&sent));
        }
    }

    #[test]
    fn a_changed_request_does_not_verify(
        algorithm in select(&Algorithm::ALL[..]), qop in select(&QOPS[..]), body: Vec<u8>, at: prop::sample::Index, bit in 0..8_u32,
    ) {
        let challenge = DigestChallenge { qop, ..DigestChallenge::new("R", "nonce", algorithm) };
        let server = Server::new(challenge.clone(), Credentials::new("u", "p"));
        let mut client = Session::open_with(&Challenge::Digest(challenge), &server.credentials, "c", true).unwrap();
        let answer = received(client.authorize("PUT", "/", &body).as_bytes());
        prop_assert!(!answer.verify("PUs", &body, &server.ha1()));
        let mut other = body.clone();
        match other.is_empty() {
            true => other.push(0),
            false => other[at.index(body.len())] ^= 1_u8 << bit,
        }
        // Only auth-int covers the body.
        let covered = matches!(qop, QopOffer::Listed { auth_int: true, .. });
        prop_assert_eq!(answer.verify("PUT", &other, &server.ha1()), !covered);
    }
}
