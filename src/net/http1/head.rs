//! The head of an answer.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{Method, StatusCode};
use httparse::{Header, Response, Status};

use super::Wrong;
use super::body::Body;
use crate::phone::Headers;

/// Largest head a phone takes (assumed).
pub(crate) const HEAD_LIMIT: usize = 64 * 1024;
/// Most header lines.
const MOST_HEADERS: usize = 100;

/// What an answer's head says.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: Headers,
    /// How the body that follows is told from what comes after it.
    pub(crate) body: Body,
    /// Whether the server will take another request on the connection.
    pub(crate) keeps: bool,
}

/// What there is at the beginning of some octets.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(crate) enum Read {
    /// Not yet a whole head.
    Partial,
    /// An interim answer (1xx) of so many octets.
    Interim(StatusCode, usize),
    /// The head of the answer proper, of so many octets.
    Final(Head, usize),
}

/// Reads the head at the beginning of `octets`, in answer to a request of this method. A switch of protocols (101) is
/// final: nothing that follows is HTTP.
pub(crate) fn read(octets: &[u8], method: &Method) -> Result<Read, Wrong> {
    let mut lines = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut response = Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    // Beyond the limit nothing is looked at, so that what is told does not hang on how much came at once.
    let within = &octets[..octets.len().min(HEAD_LIMIT)];
    let length = match config.parse_response_with_uninit_headers(&mut response, within, &mut lines) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if within.len() < HEAD_LIMIT => return Ok(Read::Partial),
        Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Err(Wrong::TooLarge),
        Err(_) => return Err(Wrong::Malformed),
    };
    let (Some(code), Some(minor)) = (response.code, response.version) else { return Err(Wrong::Malformed) };
    let status = StatusCode::from_u16(code).map_err(|_| Wrong::Malformed)?;
    if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Read::Interim(status, length));
    }
    let framing = Framing::of(response.headers, minor >= 1);
    let body = framing.body(method, status, minor >= 1)?;
    let headers = match response.headers.first() {
        // All lines are in one piece: from the first name to the end of the head.
        Some(first) => {
            let begins = first.name.as_ptr() as usize - octets.as_ptr() as usize;
            Headers::unparsed(Bytes::copy_from_slice(&octets[begins..length]))
        }
        None => Headers::default(),
    };
    Ok(Read::Final(Head { status, headers, body, keeps: framing.keeps && body != Body::UntilClose }, length))
}

/// What the header lines say of where the message ends.
struct Framing {
    keeps: bool,
    transfer_encoding: Option<bool>,
    /// `Content-Length`; `Err` if it makes no sense, or there are several that differ.
    length: Option<Result<u64, Wrong>>,
}

impl Framing {
    fn of(lines: &[Header<'_>], is_1_1: bool) -> Framing {
        let mut framing = Framing { keeps: is_1_1, transfer_encoding: None, length: None };
        let mut closes = false;
        for line in lines {
            // Told apart by length first: hardly any is one of these.
            match line.name.len() {
                10 if line.name.eq_ignore_ascii_case("connection") => {
                    closes |= has_token(line.value, "close");
                    framing.keeps |= has_token(line.value, "keep-alive");
                }
                17 if line.name.eq_ignore_ascii_case("transfer-encoding") => {
                    // Chunked ends the message only as the last of all codings (RFC 9112 section 6.1).
                    framing.transfer_encoding = Some(last_token(line.value).eq_ignore_ascii_case(b"chunked"));
                }
                14 if line.name.eq_ignore_ascii_case("content-length") => {
                    for token in line.value.split(|octet| *octet == b',') {
                        let length = digits(token.trim_ascii()).ok_or(Wrong::Malformed);
                        framing.length = match framing.length {
                            None => Some(length),
                            Some(before) if before == length => Some(length),
                            Some(_) => Some(Err(Wrong::Malformed)),
                        };
                    }
                }
                _ => {}
            }
        }
        framing.keeps &= !closes;
        framing
    }

    /// RFC 9112 section 6.3.
    fn body(&self, method: &Method, status: StatusCode, is_1_1: bool) -> Result<Body, Wrong> {
        let none =
            matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS);
        if none || *method == Method::HEAD {
            return Ok(Body::length(0));
        }
        match (self.transfer_encoding, self.length) {
            (Some(_), _) if !is_1_1 => Err(Wrong::Malformed),
            (Some(true), _) => Ok(Body::chunked()),
            (None, Some(length)) => Ok(Body::length(length?)),
            (Some(false), _) | (None, None) => Ok(Body::UntilClose),
        }
    }
}

fn has_token(value: &[u8], wanted: &str) -> bool {
    value.split(|octet| *octet == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

fn last_token(value: &[u8]) -> &[u8] {
    value.rsplit(|octet| *octet == b',').next().unwrap_or_default().trim_ascii()
}

/// A decimal number, nothing but digits; none if it is no number, or far beyond any length.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(octets: &str, method: &Method) -> Result<(u16, Body, bool, usize), Wrong> {
        match read(octets.as_bytes(), method)? {
            Read::Final(head, length) => Ok((head.status.as_u16(), head.body, head.keeps, length)),
            other => panic!("{octets:?}: {other:?}"),
        }
    }

    #[test]
    fn where_a_body_ends_and_whether_the_connection_stays() {
        let (get, head_request) = (Method::GET, Method::HEAD);
        let table = [
            ("1.1 200 OK\r\nContent-Length: 5\r\n", &get, Ok((Body::length(5), true))),
            ("1.1 200 OK\r\ncontent-length:5 , 5\r\n", &get, Ok((Body::length(5), true))),
            ("1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", &get, Ok((Body::length(5), true))),
            ("1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n", &get, Err(Wrong::Malformed)),
            ("1.1 200 OK\r\nContent-Length: +5\r\n", &get, Err(Wrong::Malformed)),
            ("1.1 200 OK\r\nContent-Length: \r\n", &get, Err(Wrong::Malformed)),
            ("1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n", &get, Err(Wrong::Malformed)),
            ("1.1 200 OK\r\n", &get, Ok((Body::UntilClose, false))),
            ("1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: x\r\n", &get, Ok((Body::chunked(), true))),
            ("1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", &get, Ok((Body::chunked(), true))),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n", &get, Ok((Body::UntilClose, false))),
            ("1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", &get, Err(Wrong::Malformed)),
            ("1.0 200 OK\r\nContent-Length: 5\r\n", &get, Ok((Body::length(5), false))),
            ("1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n", &get, Ok((Body::length(5), true))),
            ("1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n", &get, Ok((Body::length(5), false))),
            (
                "1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 5\r\n",
                &get,
                Ok((Body::length(5), false)),
            ),
            ("1.1 204 No Content\r\nContent-Length: 5\r\n", &get, Ok((Body::length(0), true))),
            ("1.1 304 Not Modified\r\n", &get, Ok((Body::length(0), true))),
            ("1.1 200 OK\r\nContent-Length: 5\r\n", &head_request, Ok((Body::length(0), true))),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", &head_request, Ok((Body::length(0), true))),
        ];
        for (text, method, wanted) in table {
            let octets = format!("HTTP/{text}\r\nrest");
            let got = head(&octets, method).map(|(_, body, keeps, length)| {
                assert_eq!(length, octets.len() - 4, "{text:?}");
                (body, keeps)
            });
            assert_eq!(got, wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_head_is_told_at_once() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS + 1));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(HEAD_LIMIT));
        let table = [
            ("SSH-2.0-OpenSSH_9.2\r\n", Wrong::Malformed),
            ("HTTP/2.0 200 OK\r\n\r\n", Wrong::Malformed),
            ("HTTP/1.1 20 OK\r\n\r\n", Wrong::Malformed),
            ("HTTP/1.1 099 OK\r\n\r\n", Wrong::Malformed),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Wrong::Malformed),
            ("HTTP/1.1 200 OK\r\nfolded: a\r\n b\r\n\r\n", Wrong::Malformed),
            (&many, Wrong::TooLarge),
            (&long, Wrong::TooLarge),
            (&long[..HEAD_LIMIT], Wrong::TooLarge),
        ];
        for (octets, wrong) in table {
            assert_eq!(
                read(octets.as_bytes(), &Method::GET).unwrap_err(),
                wrong,
                "{:?}",
                &octets[..30.min(octets.len())]
            );
        }
        let Ok(Read::Interim(status, 25)) = read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP", &Method::PUT) else { panic!() };
        assert_eq!(status, StatusCode::CONTINUE);
        // What is told does not hang on how much came at once.
        let broken = long.replace("\r\n\r\n", "\0\r\n\r\n");
        for length in [HEAD_LIMIT, HEAD_LIMIT + 1, broken.len()] {
            assert_eq!(read(&broken.as_bytes()[..length], &Method::GET).unwrap_err(), Wrong::TooLarge, "{length}");
        }
        let switch = head("HTTP/1.1 101 Switching Protocols\r\n\r\n", &Method::GET).unwrap();
        assert_eq!(switch.0, 101);
    }

    #[test]
    fn headers_are_all_there_in_their_order() {
        let octets = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nX-\xc3\xa4: no\r\n\r\n";
        assert!(read(octets, &Method::GET).is_err(), "no name");
        let octets =
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nX: \xe4\r\nwww-authenticate:  B \r\n\r\nbody";
        let Ok(Read::Final(head, _)) = read(octets, &Method::GET) else { panic!() };
        let lines: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(lines, [("www-authenticate", &b"NTLM"[..]), ("www-authenticate", b"B"), ("x", b"\xe4")]);
    }

    proptest! {
        /// A head is not taken for whole before it is, and what it says does not depend on how it came.
        #[test]
        fn every_prefix_of_a_head_is_partial(
            status in 200u16..600,
            names in prop::collection::vec("[a-zA-Z][a-zA-Z0-9-]{0,12}", 0..8),
            value in "[ -~]{0,20}",
        ) {
            let lines: String = names.iter().map(|name| format!("{name}: {value}\r\n")).collect();
            let octets = format!("HTTP/1.1 {status} Whatever\r\n{lines}Content-Length: 3\r\n\r\n");
            for cut in 0..octets.len() {
                // A line that frames the message may make no sense, but nothing is told before all is there.
                prop_assert!(matches!(read(&octets.as_bytes()[..cut], &Method::GET), Ok(Read::Partial)), "{}", cut);
            }
            if let Ok(Read::Final(head, length)) = read(octets.as_bytes(), &Method::GET) {
                prop_assert_eq!((head.status.as_u16(), length), (status, octets.len()));
                prop_assert_eq!(head.headers.len(), names.len() + 1);
            }
        }

        #[test]
        fn octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&octets, &Method::GET);
            let _ = read(&[b"HTTP/1.1 200 OK\r\n", octets.as_slice()].concat(), &Method::GET);
        }
    }
}
