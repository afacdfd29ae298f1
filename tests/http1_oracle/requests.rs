//! The other way: what our client writes, as hyper's server and httparse read it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bootstorm::phone::{BodyFacts, Origin, Request};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::support;

/// A request as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// A connection that keeps what was read from it.
struct Tee {
    tcp: TcpStream,
    read: Rc<RefCell<Vec<u8>>>,
}

impl AsyncRead for Tee {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.tcp).poll_read(cx, buf);
        self.read.borrow_mut().extend_from_slice(&buf.filled()[before..]);
        result
    }
}

impl AsyncWrite for Tee {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// What was read of each request: by hyper, and the octets themselves.
type Log = Rc<RefCell<Vec<(Taken, Vec<u8>)>>>;

/// Hyper's server: answers everything.
async fn serve(listener: TcpListener, log: Log) {
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let read = Rc::new(RefCell::new(Vec::new()));
        let stream = TokioIo::new(Tee { tcp, read: Rc::clone(&read) });
        let log = Rc::clone(&log);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (log, read) = (Rc::clone(&log), Rc::clone(&read));
            async move {
                let (head, body) = request.into_parts();
                let taken = Taken {
                    method: head.method.to_string(),
                    target: head.uri.to_string(),
                    headers: head.headers.iter().map(|(name, value)| line(name.as_str(), value.as_bytes())).collect(),
                    body: body.collect().await.unwrap().to_bytes().to_vec(),
                };
                log.borrow_mut().push((taken, read.take()));
                Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"taken"))))
            }
        });
        tokio::task::spawn_local(http1::Builder::new().serve_connection(stream, service));
    }
}

/// Hyper's server, on a port of its own.
async fn server() -> (Arc<Origin>, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Log::default();
    tokio::task::spawn_local(serve(listener, Rc::clone(&log)));
    (Arc::new(Origin { tls: false, host: "127.0.0.1".to_owned(), port }), log)
}

fn line(name: &str, value: &[u8]) -> (String, Vec<u8>) {
    (name.to_ascii_lowercase(), value.trim_ascii().to_vec())
}

/// As httparse reads these octets; what follows the head is the body.
fn parsed(octets: &[u8]) -> Taken {
    let mut lines = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut lines);
    let length = request.parse(octets).unwrap().unwrap();
    assert_eq!(request.version, Some(1));
    Taken {
        method: request.method.unwrap().to_owned(),
        target: request.path.unwrap().to_owned(),
        headers: request.headers.iter().map(|header| line(header.name, header.value)).collect(),
        body: octets[length..].to_vec(),
    }
}

/// The octets a target stands for.
fn decoded(target: &str) -> Vec<u8> {
    let octets = target.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&octet) = octets.get(at) {
        let code =
            target.get(at + 1..at + 3).filter(|code| octet == b'%' && code.bytes().all(|c| c.is_ascii_hexdigit()));
        out.push(code.map_or(octet, |code| u8::from_str_radix(code, 16).unwrap()));
        at += if code.is_some() { 3 } else { 1 };
    }
    out
}

/// What was read must be what was meant.
fn check(request: &Request, taken: &Taken) {
    assert_eq!(taken.method, request.method.as_str());
    let root = if request.path.starts_with('/') { "" } else { "/" };
    assert_eq!(decoded(&taken.target), decoded(&format!("{root}{}", request.path)), "{}", taken.target);
    assert_eq!(taken.body, request.body);
    let own: Vec<_> = request.headers.iter().map(|(name, value)| line(name.as_str(), value.as_bytes())).collect();
    let has = |name: &str| own.iter().any(|(other, _)| other == name);
    let mut wanted = Vec::new();
    if !has("host") {
        wanted.push(line("host", format!("127.0.0.1:{}", request.origin.port).as_bytes()));
    }
    wanted.extend_from_slice(&own);
    let says_length = !request.body.is_empty() || ["PUT", "POST", "PATCH"].contains(&request.method.as_str());
    if says_length && !has("content-length") {
        wanted.push(line("content-length", request.body.len().to_string().as_bytes()));
    }
    if !request.keep_alive && !has("connection") {
        wanted.push(line("connection", b"close"));
    }
    assert_eq!(taken.headers, wanted);
}

/// A request but for whom it goes to.
#[derive(Clone, Debug)]
struct Draft {
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    keep_alive: bool,
}

impl Draft {
    fn to(&self, origin: &Arc<Origin>) -> Request {
        Request {
            method: self.method.clone(),
            headers: self.headers.clone(),
            body: self.body.clone().into(),
            keep_alive: self.keep_alive,
            ..support::get(origin, &self.path)
        }
    }

    fn says(&self, name: &str, wanted: &[u8]) -> bool {
        self.headers.iter().any(|(other, value)| {
            let mut tokens = value.as_bytes().split(|octet| *octet == b',');
            other == name && tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted))
        })
    }
}

fn draft() -> BoxedStrategy<Draft> {
    let method = select(&["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"][..])
        .prop_map(|method| Method::from_bytes(method.as_bytes()).unwrap());
    let path = prop_oneof![
        2 => "/[a-zA-Z0-9_.~-]{1,20}(\\?[a-z]=[a-z0-9%+&/?]{0,9})?",
        1 => "(/)?\\PC{0,30}",
        1 => "/(%[0-9a-fA-F]{2}|%|[ -~]){0,20}",
    ];
    let name =
        select(&["user-agent", "accept", "x-b-cd", "authorization", "if-none-match", "range", "cookie", "a"][..]);
    let value = vec(prop_oneof![20 => b' '..=b'~', 1 => Just(b'\t'), 1 => 0x80..=0xff_u8], 0..40);
    let other = (name, value).prop_map(|(name, value)| (name, HeaderValue::from_bytes(&value).unwrap()));
    let known = select(
        &[
            ("expect", "100-continue"),
            ("expect", "100-Continue"),
            ("connection", "close"),
            ("connection", "keep-alive"),
            ("connection", "x, Close"),
            ("host", "files.example:8080"),
        ][..],
    )
    .prop_map(|(name, value)| (name, HeaderValue::from_static(value)));
    let headers = vec(prop_oneof![4 => other, 1 => known], 0..6);
    let body = prop_oneof![
        2 => Just(Vec::new()),
        2 => vec(any::<u8>(), 1..200),
        1 => (15_000..50_000_usize, any::<u8>()).prop_map(|(length, octet)| vec![octet; length]),
    ];
    (method, path, headers, body, any::<bool>(), any::<bool>())
        .prop_map(|(method, path, headers, body, says_length, keep_alive)| {
            let named = |(name, value)| (HeaderName::from_static(name), value);
            let mut headers: Vec<_> = headers.into_iter().map(named).collect();
            // One of each of these, as a phone writes.
            for single in ["host", "expect", "connection"] {
                let mut seen = 0;
                headers.retain(|(name, _)| name != single || std::mem::replace(&mut seen, 1) == 0);
            }
            if says_length {
                headers.push((http::header::CONTENT_LENGTH, HeaderValue::from(body.len())));
            }
            Draft { method, path, headers, body, keep_alive }
        })
        .boxed()
}

proptest! {
    /// Up to four requests of one phone, on the same connection as long as it may be kept.
    #[test]
    fn a_request_is_read_as_it_was_meant(drafts in vec(draft(), 1..5)) {
        support::run(async {
            let (origin, log) = server().await;
            let connector = support::connector(&[&origin]).await;
            let mut kept = None;
            for draft in &drafts {
                let request = draft.to(&origin);
                let could_keep = kept.is_some();
                let done = connector.exchange(0, kept.take(), &request).await;
                support::assert_answered(&done, 200);
                assert_eq!(done.facts.reused, could_keep, "{:?}", done.facts);
                let body: &[u8] = if draft.method == Method::HEAD { b"" } else { b"taken" };
                assert_eq!(done.answer.unwrap().body, BodyFacts::of(body));
                let (theirs, octets) = log.borrow_mut().pop().expect("one request");
                assert!(log.borrow().is_empty());
                let ours = parsed(&octets);
                check(&request, &ours);
                // A header map does not keep the order of different names.
                let sorted = |taken: &Taken| {
                    let mut headers = taken.headers.clone();
                    headers.sort_by(|one, other| one.0.cmp(&other.0));
                    Taken { headers, ..taken.clone() }
                };
                assert_eq!(sorted(&ours), sorted(&theirs));
                let closes = draft.says("connection", b"close") || !draft.keep_alive;
                assert_eq!(done.connection.is_some(), !closes, "{draft:?}");
                kept = done.connection;
            }
        });
    }
}

/// A phone that names a transfer coding has applied it: its body goes out as it is, and hyper takes the coding off.
#[test]
fn a_body_already_in_chunks_is_read_as_the_octets_within() {
    support::run(async {
        let (origin, log) = server().await;
        let chunks = Bytes::from_static(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        let coding = (http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        let request = Request { headers: vec![coding], ..support::put(&origin, "/b", chunks.clone()) };
        let done = support::connector(&[&origin]).await.exchange(0, None, &request).await;
        support::assert_answered(&done, 200);
        let (theirs, octets) = log.borrow_mut().pop().unwrap();
        assert_eq!((theirs.body, parsed(&octets).body), (b"abcde".to_vec(), chunks.to_vec()));
        assert!(!theirs.headers.iter().any(|(name, _)| name == "content-length"));
    });
}
