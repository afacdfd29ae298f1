//! Octets that come on a connection after a request, as a phone's client hears them.

use std::sync::Arc;

use bootstorm::net::overhear;
use bootstorm::phone::{Answer, BodyFacts, Failure, Origin, Reason, Request};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use httparse::{Header, Status};

type Told = (Option<StatusCode>, Result<(Answer, bool), Failure>);

/// Whatever a server says: the same however it is cut, and what is taken for an answer is what its head announces.
pub fn answer(data: &[u8]) {
    for request in [request(Method::GET), request(Method::HEAD), expecting()] {
        let whole = overhear([data], &request);
        let mut state = crc32fast::hash(data) | 1;
        let mut cut = |most: u32| {
            state = state.wrapping_mul(0x9e37_79b1).rotate_left(13) ^ most;
            (state % most) as usize + 1
        };
        for most in [7, 64, 1024] {
            let mut rest = data;
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cut(most).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            same(&whole, &overhear(pieces, &request), data);
        }
        if data.len() <= 256 {
            same(&whole, &overhear(data.chunks(1), &request), data);
        }
        judge(data, &request, &whole);
    }
}

fn same(whole: &Told, pieces: &Told, data: &[u8]) {
    let facts = |told: &Told| match &told.1 {
        Ok((answer, more)) => Ok((answer.status, answer.headers.clone(), answer.body, *more)),
        Err(failure) => Err(*failure),
    };
    let (one, other) = (facts(whole), facts(pieces));
    let alike = match (&one, &other) {
        (Ok(one), Ok(other)) => (one.0, &*one.1, one.2, one.3) == (other.0, &*other.1, other.2, other.3),
        (Err(one), Err(other)) => one == other,
        _ => false,
    };
    assert!(alike && whole.0 == pieces.0, "{}: whole {one:?}, in pieces {other:?}", data.escape_ascii());
}

/// A whole answer against its octets, read by somebody else.
fn judge(data: &[u8], request: &Request, (status, told): &Told) {
    let Ok((answer, more)) = told else { return };
    assert_eq!(*status, Some(answer.status));
    let mut lines = [httparse::EMPTY_HEADER; 100];
    let (code, lines, rest) = final_head(data, &mut lines);
    assert_eq!(answer.status.as_u16(), code);
    let mut got: Vec<_> = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let names: Vec<_> = lines.iter().map(|line| line.name.to_ascii_lowercase()).collect();
    let mut wanted: Vec<_> = names.iter().zip(lines).map(|(name, line)| (name.as_str(), line.value)).collect();
    // A header map keeps the order of the same name only.
    got.sort_by_key(|line| line.0);
    wanted.sort_by_key(|line| line.0);
    assert_eq!(got, wanted, "{}", data.escape_ascii());
    let (content, length) = body(request, code, lines, rest);
    assert_eq!(answer.body, BodyFacts::of(&content), "{}", data.escape_ascii());
    assert_eq!(*more, length < rest.len(), "{}", data.escape_ascii());
}

/// Status, header lines and what follows them, of the first head that is no interim answer's.
fn final_head<'h, 'a>(mut data: &'a [u8], room: &'h mut [Header<'a>; 100]) -> (u16, &'h [Header<'a>], &'a [u8]) {
    loop {
        let mut lines = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut lines);
        let Ok(Status::Complete(length)) = response.parse(data) else { panic!("an answer without a head") };
        let (code, count) = (response.code.unwrap(), response.headers.len());
        data = &data[length..];
        if !(100..200).contains(&code) {
            *room = lines;
            return (code, &room[..count], data);
        }
    }
}

/// The content of an answer that is whole, and how many octets it took.
fn body(request: &Request, code: u16, lines: &[Header<'_>], rest: &[u8]) -> (Vec<u8>, usize) {
    let last = |name: &str| {
        let line = lines.iter().rfind(|line| line.name.eq_ignore_ascii_case(name))?;
        Some(line.value.rsplit(|octet| *octet == b',').next().unwrap().trim_ascii())
    };
    if request.method == Method::HEAD || code == 204 || code == 304 {
        return (Vec::new(), 0);
    }
    match (last("transfer-encoding"), last("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case(b"chunked") => unchunked(rest),
        (None, Some(length)) => {
            let length = std::str::from_utf8(length).unwrap().parse().unwrap();
            (rest[..length].to_vec(), length)
        }
        _ => (rest.to_vec(), rest.len()),
    }
}

/// The content of chunks that are whole.
fn unchunked(octets: &[u8]) -> (Vec<u8>, usize) {
    let line = |at: usize| at + octets[at..].windows(2).position(|two| two == b"\r\n").unwrap();
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let end = line(at);
        let digits = octets[at..end].iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
        let size = usize::from_str_radix(std::str::from_utf8(&octets[at..at + digits]).unwrap(), 16).unwrap();
        at = end + 2;
        if size == 0 {
            break;
        }
        content.extend_from_slice(&octets[at..at + size]);
        assert_eq!(&octets[at + size..at + size + 2], b"\r\n");
        at += size + 2;
    }
    loop {
        let end = line(at);
        let empty = end == at;
        at = end + 2;
        if empty {
            return (content, at);
        }
    }
}

fn request(method: Method) -> Request {
    Request {
        origin: Arc::new(Origin { tls: false, host: "localhost".to_owned(), port: 80 }),
        method,
        path: "/".to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        reason: Reason::First,
        keep_alive: true,
    }
}

/// A request whose body waits to be told to continue.
fn expecting() -> Request {
    let expect = (HeaderName::from_static("expect"), HeaderValue::from_static("100-continue"));
    Request { headers: vec![expect], body: Bytes::from_static(b"body"), ..request(Method::PUT) }
}
