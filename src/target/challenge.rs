//! The text of the challenges, octet by octet as each server writes it.
//!
//! A phone's parser meets differences in order, spaces and quotes here that the RFCs do not speak of.

use crate::auth::digest::QopOffer;
use crate::auth::{Algorithm, NonceShape};
use crate::auth::{AlgorithmOffer, BasicChallenge, Challenge, Charset, DigestChallenge};
use crate::workload::Likeness;

use http::HeaderValue;

/// What the nonces of a likeness look like: as near as a nonce can come that the target itself can check.
pub(crate) fn nonce_shape(likeness: Likeness) -> NonceShape {
    match likeness {
        Likeness::Iis => NonceShape::IIS, // [seen]
        // Twelve characters of time and forty hexadecimal digits of hash in the original [seen].
        Likeness::Apache => NonceShape::new("", 52),
        // The time in hexadecimal, a colon and a hash in the original [seen].
        Likeness::Lighttpd => NonceShape::new("", 48),
        Likeness::Nginx | Likeness::Strict => NonceShape::PLAIN,
    }
}

/// The Basic challenge; `None` if the realm cannot stand in a header.
pub(crate) fn basic(likeness: Likeness, realm: &str) -> Option<HeaderValue> {
    match likeness {
        Likeness::Iis | Likeness::Apache | Likeness::Nginx => value(format!("Basic realm=\"{}\"", quoted(realm))),
        // [seen]
        Likeness::Lighttpd => value(format!("Basic realm=\"{}\", charset=\"UTF-8\"", quoted(realm))),
        Likeness::Strict => {
            let realm = Some(realm.to_owned());
            let challenge = BasicChallenge { realm, charset: Charset::Utf8, octets: Charset::Utf8 };
            Some(Challenge::Basic(challenge).to_header_value())
        }
    }
}

/// What a Digest challenge says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DigestWords<'a> {
    /// The realm.
    pub(crate) realm: &'a str,
    /// The nonce.
    pub(crate) nonce: &'a str,
    /// The algorithm.
    pub(crate) algorithm: Algorithm,
    /// Whether only the nonce was too old.
    pub(crate) stale: bool,
    /// What must come back, where the likeness sends it.
    pub(crate) opaque: &'a str,
    /// Whether user names may come hashed (RFC 7616 3.4.4).
    pub(crate) userhash: bool,
}

/// The Digest challenge; `None` if the realm cannot stand in a header.
pub(crate) fn digest(likeness: Likeness, words: DigestWords<'_>) -> Option<HeaderValue> {
    let DigestWords { nonce, algorithm, stale, .. } = words;
    let realm = quoted(words.realm);
    // lighttpd says it right after the charset [assumed]; with the others there is no original to follow.
    let userhash = if words.userhash { ", userhash=true" } else { "" };
    match likeness {
        // No space after commas, charset bare, realm last [seen]; the place of stale is [assumed].
        Likeness::Iis => value(format!(
            "Digest {}qop=\"auth\",algorithm={algorithm},nonce=\"{nonce}\",charset=utf-8,realm=\"{realm}\"{}",
            if stale { "stale=true," } else { "" },
            userhash.replace(", ", ",")
        )),
        // [seen] note_digest_auth_failure
        Likeness::Apache => value(format!(
            "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}{}, qop=\"auth\"{userhash}",
            if stale { ", stale=true" } else { "" }
        )),
        // [seen] mod_auth_digest_www_authenticate
        Likeness::Lighttpd => value(format!(
            "Digest realm=\"{realm}\", charset=\"UTF-8\"{userhash}, algorithm={algorithm}, nonce=\"{nonce}\", qop=\"auth\"{}",
            if stale { ", stale=true" } else { "" }
        )),
        Likeness::Nginx => {
            let userhash = words.userhash;
            let challenge = DigestChallenge { stale, userhash, ..DigestChallenge::new(words.realm, nonce, algorithm) };
            Some(Challenge::Digest(challenge).to_header_value())
        }
        Likeness::Strict => Some(
            Challenge::Digest(DigestChallenge {
                realm: words.realm.to_owned(),
                nonce: nonce.to_owned(),
                opaque: Some(words.opaque.to_owned()),
                stale,
                algorithm: AlgorithmOffer::Known(algorithm),
                qop: QopOffer::Listed { auth: true, auth_int: true },
                charset: Charset::Utf8,
                userhash: words.userhash,
                domain: Vec::new(),
                octets: Charset::Utf8,
            })
            .to_header_value(),
        ),
    }
}

/// The inside of a quoted string (RFC 9110 5.6.4).
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn value(text: String) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::parse_challenges;

    fn words(algorithm: Algorithm, stale: bool) -> DigestWords<'static> {
        DigestWords { realm: "Digest", nonce: "N", algorithm, stale, opaque: "O", userhash: false }
    }

    fn line(likeness: Likeness, algorithm: Algorithm, stale: bool) -> String {
        let userhash = likeness.usual_userhash();
        digest(likeness, DigestWords { userhash, ..words(algorithm, stale) }).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn each_likeness_writes_as_its_original() {
        let table = [
            (
                Likeness::Iis,
                Algorithm::Md5Sess,
                r#"Digest qop="auth",algorithm=MD5-sess,nonce="N",charset=utf-8,realm="Digest""#,
            ),
            (Likeness::Apache, Algorithm::Md5, r#"Digest realm="Digest", nonce="N", algorithm=MD5, qop="auth""#),
            (
                Likeness::Lighttpd,
                Algorithm::Sha256,
                r#"Digest realm="Digest", charset="UTF-8", algorithm=SHA-256, nonce="N", qop="auth""#,
            ),
            (Likeness::Nginx, Algorithm::Md5, r#"Digest realm="Digest", nonce="N", algorithm=MD5, qop="auth""#),
            (
                Likeness::Strict,
                Algorithm::Sha256,
                r#"Digest realm="Digest", nonce="N", opaque="O", algorithm=SHA-256, qop="auth, auth-int", charset=UTF-8, userhash=true"#,
            ),
        ];
        for (likeness, algorithm, expected) in table {
            assert_eq!(line(likeness, algorithm, false), expected);
        }
        assert_eq!(basic(Likeness::Iis, "localhost").unwrap(), r#"Basic realm="localhost""#);
        assert_eq!(basic(Likeness::Lighttpd, "R").unwrap(), r#"Basic realm="R", charset="UTF-8""#);
    }

    #[test]
    fn a_phones_parser_reads_them_all() {
        for likeness in Likeness::ALL {
            for algorithm in Algorithm::ALL {
                for stale in [false, true] {
                    for realm in ["Digest", r#"a "quoted" \ realm, really"#, "Gerät"] {
                        let userhash = stale;
                        let value =
                            digest(likeness, DigestWords { realm, userhash, ..words(algorithm, stale) }).unwrap();
                        let read = parse_challenges([value.as_bytes()]).unwrap();
                        let [Challenge::Digest(read)] = &read[..] else { panic!("{likeness:?}: {read:?}") };
                        assert_eq!((read.realm.as_str(), read.nonce.as_str(), read.stale), (realm, "N", stale));
                        assert_eq!(read.userhash, userhash);
                        assert_eq!(read.algorithm, AlgorithmOffer::Known(algorithm));
                    }
                }
            }
        }
    }

    #[test]
    fn a_realm_that_would_break_the_line_is_refused() {
        assert!(basic(Likeness::Iis, "a\r\nb").is_none());
        assert!(digest(Likeness::Apache, DigestWords { realm: "a\nb", ..words(Algorithm::Md5, false) }).is_none());
    }
}
