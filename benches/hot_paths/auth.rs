//! Challenges read, answered and, on the other side, verified.

use std::time::Duration;

use bootstorm::auth::digest::{Ha1, QopOffer};
use bootstorm::auth::{
    Algorithm, Authorization, Challenge, Charset, Commons, Credentials, DigestChallenge, NonceShape, NonceVerdict,
    Nonces, RealmCache, Replay, Session, parse_challenges,
};
use http::HeaderValue;

use super::HotPath;

/// `WWW-Authenticate` as three servers send it, one string a header line.
pub(crate) const CHALLENGES: [(&str, &[&str]); 3] = [
    (
        "iis",
        &[concat!(
            r#"Digest qop="auth",algorithm=MD5-sess,nonce="+Upgraded+v1"#,
            "5c1e36d9a1dadb01b6e0d3e3f8a4c1f7a2be2a87c35d65f6a2f1e0d9",
            "c8b7a695847362514039281706f5e4d3c2b1a09f8e7d6c5b4a392817",
            r#"",charset=utf-8,realm="Digest""#
        )],
    ),
    (
        "apache",
        &[
            r#"Digest realm="phones", nonce="7yqoSXMqBgA=5f0c8d3b1a2e4f60718293a4b5c6d7e8f9a0b1c2", algorithm=MD5, domain="/backup /logs", qop="auth""#,
        ],
    ),
    (
        "lighttpd",
        &[
            r#"Digest realm="phones", charset="UTF-8", algorithm=SHA-256, nonce="6740a1b2:0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0", qop="auth""#,
            r#"Digest realm="phones", charset="UTF-8", algorithm=MD5, nonce="6740a1b2:00112233445566778899aabbccddeeff", qop="auth""#,
            r#"Basic realm="phones", charset="UTF-8""#,
        ],
    ),
];

const REALM: &str = "Digest";
const URI: &str = "/backup/20007_96xxdata.txt";
const CNONCE: &str = "4fdc88f0e1c7d3a9";
const ORIGIN: &str = "https://files.example.net:443";

fn credentials() -> Credentials {
    Credentials::new("20007", "pw-20007")
}

/// The header lines of one answer, read whole.
pub(crate) fn parse_challenge(server: &str) -> HotPath<(), Vec<Challenge>> {
    let (_, lines) = CHALLENGES.into_iter().find(|(name, _)| *name == server).unwrap();
    let parse = move || parse_challenges(lines.iter().map(|line| line.as_bytes())).unwrap();
    assert_eq!(parse().len(), lines.len(), "{server}");
    HotPath::new(|| (), move |()| parse())
}

fn challenge(algorithm: Algorithm, nonce: &str) -> DigestChallenge {
    DigestChallenge { qop: QopOffer::AUTH, charset: Charset::Utf8, ..DigestChallenge::new(REALM, nonce, algorithm) }
}

fn nonces() -> Nonces {
    Nonces::new(NonceShape::IIS, Duration::from_secs(3600), [7; 32], Replay::Counted { capacity: 1 })
}

/// The first answer to a challenge: HA1, session key and response.
pub(crate) fn answer_fresh(algorithm: Algorithm) -> HotPath<(), HeaderValue> {
    let challenge = Challenge::Digest(challenge(algorithm, &nonces().issue(1, 2)));
    let credentials = credentials();
    let answer = move || Session::open(&challenge, &credentials, CNONCE).unwrap().authorize("GET", URI, b"");
    HotPath::new(|| (), move |()| answer())
}

/// Every later answer with the same nonce: nc goes up, the key is kept.
pub(crate) fn answer_again(algorithm: Algorithm) -> HotPath<(), HeaderValue> {
    let challenge = Challenge::Digest(challenge(algorithm, &nonces().issue(1, 2)));
    let mut session = Session::open(&challenge, &credentials(), CNONCE).unwrap();
    HotPath::new(|| (), move |()| session.authorize("GET", URI, b""))
}

/// The server's side of one answer: read it, judge its nonce, compute HA1, compare.
pub(crate) fn verify(algorithm: Algorithm) -> HotPath<(), bool> {
    let nonces = nonces();
    let challenge = challenge(algorithm, &nonces.issue(1, 2));
    let mut session = Session::open(&Challenge::Digest(challenge), &credentials(), CNONCE).unwrap();
    let header = session.authorize("GET", URI, b"");
    let credentials = credentials();
    let verify = move || {
        let Ok(Authorization::Digest(answer)) = Authorization::parse(header.as_bytes()) else { return false };
        let ha1 = Ha1::new(algorithm, Charset::Utf8, &credentials, REALM.as_bytes());
        nonces.judge(&answer.nonce, 3) == NonceVerdict::Fresh && answer.verify("GET", b"", &ha1)
    };
    assert!(verify(), "{algorithm}");
    HotPath::new(|| (), move |()| verify())
}

/// The session for a request that is answered before it is challenged: one space for all of the origin, one for a
/// folder, as a phone has them.
pub(crate) fn realm_cache() -> HotPath<(), bool> {
    let mut cache = RealmCache::new();
    for (realm, domain) in [("settings", Vec::new()), (REALM, vec!["/backup/".to_owned()])] {
        let challenge = DigestChallenge { domain, ..DigestChallenge::new(realm, "n", Algorithm::Md5Sess) };
        let challenge = Challenge::Digest(challenge);
        let session = Session::open(&challenge, &credentials(), CNONCE).unwrap();
        cache.put(ORIGIN, URI, &challenge, session, &Commons::default());
    }
    let mut find = move || cache.preemptive(ORIGIN, URI).and_then(|s| s.realm()) == Some(REALM);
    assert!(find());
    HotPath::new(|| (), move |()| find())
}
