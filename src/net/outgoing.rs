//! A phone's request as it goes out: head, and body in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use hyper::body::{Body, Frame, SizeHint};

use super::meter::Meter;
use crate::phone::Request;

/// Size of the pieces a body is handed down in: between two of them an early answer is noticed.
const PIECE: usize = 16 * 1024;

/// What holds a body back until the server has said `100 Continue`, or has been silent for long enough.
#[derive(Debug, Default)]
pub(super) struct Gate {
    open: AtomicBool,
    informed: AtomicBool,
}

impl Gate {
    /// Lets the body pass.
    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// Whether the body may pass.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether an interim response (1xx) has come since this was last asked.
    pub(super) fn take_informed(&self) -> bool {
        self.informed.swap(false, Ordering::Relaxed)
    }
}

/// The request's body.
#[derive(Debug)]
pub(super) struct Outgoing {
    rest: Bytes,
    meter: Rc<Meter>,
    gate: Option<Arc<Gate>>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // No waker is kept: whoever opens the gate polls the connection again, and that asks again here.
        if self.gate.as_ref().is_some_and(|gate| !gate.is_open()) {
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        if self.rest.is_empty() {
            self.meter.given.set(true);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// A request ready for hyper, and the gate its body waits at, if it asks to be told to continue.
pub(super) struct Prepared {
    pub(super) request: hyper::Request<Outgoing>,
    pub(super) gate: Option<Arc<Gate>>,
}

/// Makes the request as the phone wrote it: `Host` first, its own headers in their order, `Content-Length` last.
/// A phone that will not reuse the connection says `Connection: close` (RFC 9112 section 9.6), so that the server
/// closes first and no port of ours waits in TIME_WAIT.
pub(super) fn prepare(request: &Request, host: &HeaderValue, meter: &Rc<Meter>) -> Prepared {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 3);
    if !request.headers.iter().any(|(name, _)| name == HOST) {
        headers.append(HOST, host.clone());
    }
    for (name, value) in &request.headers {
        headers.append(name.clone(), value.clone());
    }
    let has_body = !request.body.is_empty();
    let says_length = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    if !says_length && (has_body || expects_length(&request.method)) {
        headers.append(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    }
    if !request.keep_alive && !headers.contains_key(CONNECTION) {
        headers.append(CONNECTION, HeaderValue::from_static("close"));
    }
    let gate = (has_body && expects_continue(&headers)).then(Arc::<Gate>::default);
    let body = Outgoing { rest: request.body.clone(), meter: Rc::clone(meter), gate: gate.clone() };
    let mut out = hyper::Request::new(body);
    *out.method_mut() = request.method.clone();
    *out.uri_mut() = target(&request.path);
    *out.headers_mut() = headers;
    if let Some(gate) = &gate {
        let gate = Arc::clone(gate);
        hyper::ext::on_informational(&mut out, move |interim| {
            gate.informed.store(true, Ordering::Relaxed);
            if interim.status() == http::StatusCode::CONTINUE {
                gate.open();
            }
        });
    }
    Prepared { request: out, gate }
}

/// Methods whose requests say `Content-Length: 0` when there is no body (RFC 9110 section 8.6).
fn expects_length(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::POST | Method::PATCH)
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// The request target in origin form. What may not stand there is percent-encoded; a path that is empty or
/// relative is taken from the root.
fn target(path: &str) -> Uri {
    let mut text = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        text.push('/');
    }
    for octet in path.bytes() {
        if octet.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&octet) {
            text.push(char::from(octet));
        } else {
            text.push_str(&format!("%{octet:02X}"));
        }
    }
    PathAndQuery::try_from(text).map_or_else(|_| Uri::default(), Uri::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    fn head(request: &Request) -> Vec<String> {
        let host = HeaderValue::from_static("files.example");
        let prepared = prepare(request, &host, &Rc::default());
        prepared.request.headers().iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect()
    }

    #[test]
    fn heads_table() {
        let agent = ("user-agent", "AVAYA");
        let plain = request(Method::GET, "", &[agent, ("authorization", "Basic eA==")]);
        assert_eq!(head(&plain), ["host: files.example", "user-agent: AVAYA", "authorization: Basic eA=="]);
        let put = request(Method::PUT, "body", &[agent]);
        assert_eq!(head(&put), ["host: files.example", "user-agent: AVAYA", "content-length: 4"]);
        let empty = request(Method::PUT, "", &[]);
        assert_eq!(head(&empty), ["host: files.example", "content-length: 0"]);
        let own = request(Method::PUT, "body", &[("host", "other"), ("content-length", "4")]);
        assert_eq!(head(&own), ["host: other", "content-length: 4"]);
        let last = Request { keep_alive: false, ..request(Method::GET, "", &[]) };
        assert_eq!(head(&last), ["host: files.example", "connection: close"]);
        let said = Request { keep_alive: false, ..request(Method::GET, "", &[("connection", "keep-alive")]) };
        assert_eq!(head(&said), ["host: files.example", "connection: keep-alive"]);
    }

    #[test]
    fn only_a_body_waits_at_the_gate() {
        let host = HeaderValue::from_static("files.example");
        for (body, expect, gated) in
            [("x", "100-continue", true), ("x", "100-Continue", true), ("", "100-continue", false)]
        {
            let request = request(Method::PUT, body, &[("expect", expect)]);
            assert_eq!(prepare(&request, &host, &Rc::default()).gate.is_some(), gated);
        }
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
            assert_eq!(target(path).to_string(), want);
        }
    }

    proptest! {
        #[test]
        fn every_path_becomes_a_target(path in "\\PC{0,40}") {
            let uri = target(&path);
            prop_assert!(uri.path().starts_with('/'));
            prop_assert!(uri.scheme().is_none() && uri.authority().is_none());
        }
    }
}
