//! Headers of both directions.

use bootstorm::auth::digest::Ha1;
use bootstorm::auth::{
    Algorithm, Authorization, Challenge, Charset, ChoiceRule, Credentials, Preference, SchemeSet, Session, basic,
    parse_challenges,
};
use http::HeaderValue;

const CNONCE: &str = "4fdc88f0e1c7d3a9";
const URI: &str = "/backup/20007_96xxdata.txt?a=\"b\"";

/// Whatever a server asks: it can be read or refused, and what we answer is what another server could read.
pub fn challenge(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|octet| *octet == b'\n').collect();
    // The connection would be closed over a header with control characters: no phone sees one.
    if lines.iter().any(|line| HeaderValue::from_bytes(line).is_err()) {
        return;
    }
    let Ok(challenges) = parse_challenges(lines) else { return };
    let credentials = Credentials::new("20007", "ge\u{df}heim");
    for challenge in &challenges {
        let _ = (challenge.realm(), challenge.to_string(), challenge.to_header_value());
        for integrity in [false, true] {
            let session = Session::open_with(challenge, &credentials, CNONCE, integrity);
            assert_eq!(session.is_some(), challenge.scheme().is_some(), "{challenge}");
            if let Some(session) = session {
                answered(challenge, session, &credentials);
            }
        }
    }
    for rule in [ChoiceRule::Strongest, ChoiceRule::ServerOrder] {
        let preference = Preference::new(SchemeSet::ALL, rule);
        let chosen = preference.choose(&challenges);
        assert_eq!(chosen.is_some(), challenges.iter().any(|c| c.scheme().is_some()), "{challenges:?}");
    }
}

fn answered(challenge: &Challenge, mut session: Session, credentials: &Credentials) {
    for count in 1..=2 {
        let header = session.authorize("GET", URI, b"body");
        let read = Authorization::parse(header.as_bytes());
        match (challenge, read) {
            (Challenge::Digest(asked), Ok(Authorization::Digest(answer))) => {
                // Octets beyond ASCII come back as they were, but may be read in another encoding.
                let same = |ours: &str, theirs: &str| ours == theirs || !theirs.is_ascii();
                assert!(same(&answer.nonce, &asked.nonce), "{challenge}: {answer:?}");
                assert_eq!(answer.uri, URI, "{challenge}");
                let opaque = |opaque: &Option<String>| opaque.clone().unwrap_or_default();
                assert!(same(&opaque(&answer.opaque), &opaque(&asked.opaque)), "{challenge}: {answer:?}");
                assert!(answer.nc.is_none_or(|nc| nc == count), "{challenge}");
                let ha1 = Ha1::new(answer.algorithm(), asked.charset, credentials, &answer.realm_octets());
                assert!(answer.verify("GET", b"body", &ha1), "{challenge}: {answer:?}");
                assert!(!answer.verify("PUT", b"body", &ha1), "{challenge}: {answer:?}");
            }
            (Challenge::Basic(asked), Ok(Authorization::Basic(sent))) => {
                let whole = asked.charset == Charset::Utf8;
                assert!(!whole || sent == *credentials, "{challenge}");
            }
            (_, read) => panic!("{challenge} was answered with {header:?}, read as {read:?}"),
        }
    }
    let _ = session.take_info(b"nextnonce=\"next\"", URI, Some(b"reply"));
    let _ = session.renew(challenge, "c2");
}

/// Whatever a client sends: it can be read or refused, and judging it is safe.
pub fn authorization(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = basic::decode(text);
    }
    let credentials = Credentials::new("20007", "pw");
    match Authorization::parse(data) {
        Ok(Authorization::Digest(answer)) => {
            for algorithm in Algorithm::ALL {
                let ha1 = Ha1::new(algorithm, Charset::Utf8, &credentials, &answer.realm_octets());
                let right = answer.verify("GET", b"", &ha1);
                assert!(!right || algorithm.base() == answer.algorithm().base(), "{answer:?}");
                if let Some(key) = answer.key(&ha1) {
                    let _ = answer.info(&key, b"reply", Some("next"));
                }
            }
        }
        Ok(other) => {
            let _ = (other.scheme(), format!("{other:?}"));
        }
        Err(e) => {
            let _ = e.to_string();
        }
    }
}
