//! The bare loops: what hyper, tokio and rustls cost when nothing is built on them. `scripts/bench-hot-path` holds a run
//! against them:
//!
//! ```text
//! bare plain      HOST:PORT PATH --connections N --exchanges N
//! bare tls        HOST:PORT PATH --connections N --exchanges N --ca FILE
//! bare handshake  HOST:PORT PATH --connections N --exchanges N --ca FILE
//! bare digest-put HOST:PORT PATH --connections N --exchanges N --user NAME --password WORD --body OCTETS
//! ```
//!
//! Closed loops on one current-thread runtime: each connection sends its next request as soon as the last answer is
//! read to its end. What is sent is, octet for octet, what an `http-device` phone sends (`benches/bare/*.toml`). Of an
//! answer, status and length are looked at and nothing is kept. Nothing is timed, counted by kind, or written down.
//!
//! * `plain`, `tls`: a connection kept for all its exchanges, made by hyper's own `client::conn::http1`, its connection
//!   in a task as hyper's documentation has it.
//! * `tls`: TLS by rustls over aws-lc-rs, the chain verified against the CA by rustls' own verifier.
//! * `handshake`: a connection for each exchange, `Connection: close`; TLS 1.3, the chain verified, never resumed.
//! * `digest-put`: a PUT on a kept connection, answered with the nonce of the first challenge and a rising `nc`
//!   (RFC 7616, MD5, qop=auth); the secret's hash is computed once.
//!
//! An answer of any other status than expected, or a connection that breaks, ends the program: a loop that went wrong
//! has no figure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a benchmark, a panic is the message")]

mod digest;
mod line;

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, USER_AGENT};
use http::{HeaderValue, Method, StatusCode, Uri};
use http_body_util::Full;
use hyper::Request;
use tokio::task::LocalSet;

use digest::Digest;
use line::{Line, Tls};

/// What the phones of the workloads call themselves.
const AGENT: HeaderValue = HeaderValue::from_static("bootstorm-bare");

/// What is to be done.
struct Job {
    address: String,
    host: HeaderValue,
    path: Uri,
    tls: Option<Tls>,
    connections: u64,
    /// Exchanges still to be begun, by whichever connection comes first.
    left: Cell<u64>,
    digest: Option<(String, String, Bytes)>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // What `cargo bench` alone comes to.
    let [mode, address, path, ..] = args.as_slice() else {
        eprintln!("nothing to count here: run scripts/bench-hot-path");
        return;
    };
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let number = |name: &str| option(name).unwrap_or_else(|| panic!("{name} N")).parse::<u64>().expect(name);
    let ca = || option("--ca").expect("--ca FILE");
    let digest = || {
        let word = |name: &str| option(name).unwrap_or_else(|| panic!("{name} WORD"));
        let body = Bytes::from(vec![b'x'; usize::try_from(number("--body")).unwrap()]);
        (word("--user"), word("--password"), body)
    };
    let job = Rc::new(Job {
        address: address.clone(),
        host: HeaderValue::try_from(address).unwrap(),
        path: path.parse().unwrap(),
        tls: matches!(mode.as_str(), "tls" | "handshake").then(|| Tls::trusting(&ca(), address)),
        connections: number("--connections"),
        left: Cell::new(number("--exchanges")),
        digest: (mode == "digest-put").then(digest),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let tasks: Vec<_> = (0..job.connections)
            .map(|number| {
                let job = job.clone();
                match mode.as_str() {
                    "plain" | "tls" => tokio::task::spawn_local(async move { job.gets().await }),
                    "handshake" => tokio::task::spawn_local(async move { job.handshakes().await }),
                    "digest-put" => tokio::task::spawn_local(async move { job.puts(number).await }),
                    other => panic!("there is no mode {other}"),
                }
            })
            .collect();
        for task in tasks {
            task.await.expect("a loop that went wrong has no figure");
        }
    });
}

impl Job {
    /// Whether there is one more exchange to be made.
    fn one_more(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    async fn open(&self) -> Line {
        Line::open(&self.address, self.tls.as_ref()).await
    }

    /// GETs on one kept connection.
    async fn gets(&self) {
        let mut line = self.open().await;
        while self.one_more() {
            let mut request = self.request(Method::GET, &self.path, Bytes::new());
            request.headers_mut().insert(USER_AGENT, AGENT);
            assert_eq!(line.exchange(request).await.0, StatusCode::OK);
        }
    }

    /// GETs, each on a connection of its own.
    async fn handshakes(&self) {
        while self.one_more() {
            let mut line = self.open().await;
            let mut request = self.request(Method::GET, &self.path, Bytes::new());
            request.headers_mut().insert(USER_AGENT, AGENT);
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            assert_eq!(line.exchange(request).await.0, StatusCode::OK);
        }
    }

    /// PUTs to a file of its own on one kept connection, each answered before it is challenged but for the first.
    async fn puts(&self, number: u64) {
        let (user, password, body) = self.digest.clone().unwrap();
        let uri: Uri = format!("{}{number}.txt", self.path).parse().unwrap();
        let put = || {
            let mut request = self.request(Method::PUT, &uri, body.clone());
            request.headers_mut().insert(USER_AGENT, AGENT);
            request
        };
        let length = HeaderValue::from(body.len());
        let mut line = self.open().await;
        let mut first = put();
        first.headers_mut().insert(CONTENT_LENGTH, length.clone());
        let (status, headers) = line.exchange(first).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let mut digest = Digest::answering(&headers, &user, &password);
        // Servers close a connection rather than read a body they refuse.
        line = self.open().await;
        while self.one_more() {
            let mut request = put();
            request.headers_mut().insert(AUTHORIZATION, digest.authorize("PUT", uri.path()));
            request.headers_mut().insert(CONTENT_LENGTH, length.clone());
            let status = line.exchange(request).await.0;
            assert!(status.is_success(), "{status}");
        }
    }

    fn request(&self, method: Method, path: &Uri, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        request
    }
}
