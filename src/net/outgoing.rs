//! A phone's request as it goes out: head, and body in pieces.

use bytes::{Buf, Bytes};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::phone::Request;

/// Size of the pieces a body is handed down in: between two of them an early answer is noticed.
const PIECE: usize = 16 * 1024;
/// Room for a head as phones write it.
const HEAD: usize = 512;

/// A request on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// What goes out first, and how much of it has: the head, and the beginning of a body that need not wait.
    first: Vec<u8>,
    written: usize,
    /// The rest of the body.
    body: Bytes,
    /// Whether the body waits for `100 Continue`.
    held: bool,
    /// Whether the request asked to be told to continue.
    asks: bool,
    /// Whether the request says that the connection is to be closed.
    pub(super) closes: bool,
}

impl Outgoing {
    /// The request as the phone wrote it: `Host` first, its own headers in their order, `Content-Length` last.
    /// A phone that will not reuse the connection says `Connection: close` (RFC 9112 section 9.6), so that the server
    /// closes first and no port of ours waits in TIME_WAIT. A body goes out as it is: a phone that names a transfer
    /// coding has applied it.
    pub(super) fn new(request: &Request, host: &HeaderValue) -> Outgoing {
        let mut body = request.body.clone();
        let (mut hosts, mut lengths, mut connections, mut closes, mut asks) = (false, false, false, false, false);
        for (name, value) in &request.headers {
            hosts |= name == HOST;
            lengths |= name == CONTENT_LENGTH || name == TRANSFER_ENCODING;
            if name == CONNECTION {
                connections = true;
                let tokens = value.as_bytes().split(|octet| *octet == b',');
                closes |= tokens.into_iter().any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"));
            }
            asks |= name == EXPECT && value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        }
        asks &= !body.is_empty();
        let mut first = Vec::with_capacity(HEAD + if asks { 0 } else { body.len().min(PIECE) });
        first.extend_from_slice(request.method.as_str().as_bytes());
        first.push(b' ');
        push_target(&mut first, &request.path);
        first.extend_from_slice(b" HTTP/1.1\r\n");
        if !hosts {
            push_line(&mut first, &HOST, host.as_bytes());
        }
        for (name, value) in &request.headers {
            push_line(&mut first, name, value.as_bytes());
        }
        if !lengths && (!body.is_empty() || expects_length(&request.method)) {
            push_line(&mut first, &CONTENT_LENGTH, body.len().to_string().as_bytes());
        }
        if !request.keep_alive && !connections {
            push_line(&mut first, &CONNECTION, b"close");
        }
        first.extend_from_slice(b"\r\n");
        if !asks {
            first.extend_from_slice(&body.split_to(body.len().min(PIECE)));
        }
        Outgoing { first, written: 0, body, held: asks, asks, closes }
    }

    /// What is to go out next; nothing if all has, or if the body waits.
    pub(super) fn piece(&self) -> &[u8] {
        match &self.first[self.written..] {
            [] if self.held => &[],
            [] => &self.body[..self.body.len().min(PIECE)],
            first => first,
        }
    }

    /// So much of the piece is handed down.
    pub(super) fn written(&mut self, octets: usize) {
        if self.written < self.first.len() {
            self.written += octets;
        } else {
            self.body.advance(octets);
        }
    }

    /// Whether all is handed down.
    pub(super) fn is_given(&self) -> bool {
        self.written == self.first.len() && self.body.is_empty()
    }

    /// Whether the body waits.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Lets the body go.
    pub(super) fn release(&mut self) {
        self.held = false;
    }

    /// An interim answer has come. Whether the request had asked for one.
    pub(super) fn informed(&mut self, status: StatusCode) -> bool {
        if status == StatusCode::CONTINUE {
            self.release();
        }
        self.asks
    }
}

/// Methods whose requests say `Content-Length: 0` when there is no body (RFC 9110 section 8.6).
fn expects_length(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::POST | Method::PATCH)
}

/// A header line, its name as phones write it: `User-Agent`.
fn push_line(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    let name = name.as_str().as_bytes();
    let begins = out.len();
    out.extend_from_slice(name);
    let mut before = b'-';
    for octet in &mut out[begins..] {
        if before == b'-' {
            octet.make_ascii_uppercase();
        }
        before = *octet;
    }
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The request target in origin form. What may not stand there is percent-encoded; a path that is empty or
/// relative is taken from the root.
fn push_target(out: &mut Vec<u8>, path: &str) {
    if !path.starts_with('/') {
        out.push(b'/');
    }
    for octet in path.bytes() {
        if octet.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&octet) {
            out.push(octet);
        } else {
            out.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::sync::Arc;

    use super::*;
    use crate::phone::{Origin, Reason};

    fn request(method: Method, body: &'static str, headers: &[(&'static str, &'static str)]) -> Request {
        let headers =
            headers.iter().map(|(n, v)| (http::HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        Request {
            origin: Arc::new(Origin { tls: false, host: "files.example".to_owned(), port: 80 }),
            method,
            path: "/a.txt?x=1".to_owned(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
            reason: Reason::First,
            keep_alive: true,
        }
    }

    /// What follows the request line, line by line, to the end of the head.
    fn head(request: &Request) -> Vec<String> {
        let host = HeaderValue::from_static("files.example");
        let outgoing = Outgoing::new(request, &host);
        let text = String::from_utf8(outgoing.piece().to_vec()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        head.split("\r\n").skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn heads_table() {
        let agent = ("user-agent", "AVAYA");
        let plain = request(Method::GET, "", &[agent, ("authorization", "Basic eA=="), ("x-b-cd", "1")]);
        let lines = ["Host: files.example", "User-Agent: AVAYA", "Authorization: Basic eA==", "X-B-Cd: 1"];
        assert_eq!(head(&plain), lines);
        let put = request(Method::PUT, "body", &[agent]);
        assert_eq!(head(&put), ["Host: files.example", "User-Agent: AVAYA", "Content-Length: 4"]);
        let empty = request(Method::PUT, "", &[]);
        assert_eq!(head(&empty), ["Host: files.example", "Content-Length: 0"]);
        let own = request(Method::PUT, "body", &[("host", "other"), ("content-length", "4")]);
        assert_eq!(head(&own), ["Host: other", "Content-Length: 4"]);
        let last = Request { keep_alive: false, ..request(Method::GET, "", &[]) };
        assert_eq!(head(&last), ["Host: files.example", "Connection: close"]);
        let said = Request { keep_alive: false, ..request(Method::GET, "", &[("connection", "keep-alive")]) };
        assert_eq!(head(&said), ["Host: files.example", "Connection: keep-alive"]);
    }

    #[test]
    fn a_request_that_closes_the_connection_is_known() {
        let host = HeaderValue::from_static("files.example");
        for (value, closes) in [("close", true), ("x, Close", true), ("keep-alive", false)] {
            let request = request(Method::GET, "", &[("connection", value)]);
            assert_eq!(Outgoing::new(&request, &host).closes, closes, "{value}");
        }
    }

    /// All of it, in pieces of at most so many octets.
    fn sent(outgoing: &mut Outgoing, most: usize) -> Vec<u8> {
        let mut sent = Vec::new();
        while !outgoing.piece().is_empty() {
            let piece = outgoing.piece();
            let piece = piece[..piece.len().min(most)].to_vec();
            assert!(!outgoing.is_given());
            outgoing.written(piece.len());
            sent.extend(piece);
        }
        sent
    }

    #[test]
    fn only_a_body_waits_to_be_told_to_continue() {
        let host = HeaderValue::from_static("files.example");
        for (body, expect, held) in
            [("x", "100-continue", true), ("x", "100-Continue", true), ("", "100-continue", false)]
        {
            let request = request(Method::PUT, body, &[("expect", expect)]);
            let mut outgoing = Outgoing::new(&request, &host);
            assert_eq!(outgoing.is_held(), held);
            assert!(sent(&mut outgoing, 7).ends_with(b"\r\n\r\n"));
            assert_eq!(outgoing.is_given(), !held);
            assert_eq!(outgoing.informed(StatusCode::EARLY_HINTS), held);
            assert_eq!(outgoing.is_held(), held, "not yet");
            outgoing.informed(StatusCode::CONTINUE);
            assert_eq!(sent(&mut outgoing, 7), body.as_bytes());
            assert!(outgoing.is_given());
        }
    }

    #[test]
    fn a_large_body_goes_out_in_pieces() {
        let host = HeaderValue::from_static("files.example");
        let body: Vec<u8> = (0..3 * PIECE + 5).map(|n| n as u8).collect();
        let request = Request { body: body.clone().into(), ..request(Method::PUT, "", &[]) };
        for most in [1_000, usize::MAX] {
            let mut outgoing = Outgoing::new(&request, &host);
            let sent = sent(&mut outgoing, most);
            assert!(sent.ends_with(&body) && sent.len() > body.len());
            assert!(outgoing.is_given());
        }
    }

    fn target(path: &str) -> String {
        let mut out = Vec::new();
        push_target(&mut out, path);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn targets_table() {
        for (path, want) in [
            ("/46xxsettings.txt", "/46xxsettings.txt"),
            ("/a b.txt", "/a%20b.txt"),
            ("", "/"),
            ("a", "/a"),
            ("/é#x", "/%C3%A9%23x"),
            ("/a?b=c&d=%20", "/a?b=c&d=%20"),
        ] {
            assert_eq!(target(path), want);
        }
    }

    proptest! {
        #[test]
        fn every_path_becomes_a_target(path in "\\PC{0,40}") {
            let uri: http::Uri = target(&path).parse().unwrap();
            prop_assert!(uri.path().starts_with('/'));
            prop_assert!(uri.scheme().is_none() && uri.authority().is_none());
        }
    }
}
