//! Live metrics: while a run is on, whoever asks (Prometheus) is told how far it is.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use super::Ended;
use crate::report::prometheus;

/// A listener for those who ask.
#[derive(Debug)]
pub(super) struct Monitor {
    listener: TcpListener,
    address: SocketAddr,
}

/// How long a request's head may take to come.
const HEAD: Duration = Duration::from_secs(10);
/// Who asks: some. More are not accepted before one has gone.
const CONNECTIONS: usize = 16;

impl Monitor {
    /// Listens: before the run, so that a port that is taken is known then.
    pub(super) fn bind(address: SocketAddr) -> Result<Monitor, Ended> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(Monitor { address: listener.local_addr()?, listener })
        });
        bound.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Ended::usage(format!(
                "--prometheus {address}: somebody listens there; name another port, or 0 for a free one"
            )),
            _ => Ended::usage(format!("--prometheus {address}: cannot be listened at ({error})")),
        })
    }

    /// Where the metrics are.
    pub(super) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Tells whoever asks what `page` says at that moment. Never ends.
    pub(super) async fn serve(self, page: impl Fn() -> String + 'static) {
        let page: Rc<dyn Fn() -> String> = Rc::new(page);
        let listener = match tokio::net::TcpListener::from_std(self.listener) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!("the metrics cannot be served ({error}): the run goes on without");
                return std::future::pending().await;
            }
        };
        let local = LocalSet::new();
        let serving = async {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept(), if open.len() < CONNECTIONS => match accepted {
                        Ok((stream, _)) => _ = open.spawn_local(converse(stream, page.clone())),
                        // Without a file for it, trying again at once would only burn the processor.
                        Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    },
                    Some(_) = open.join_next() => {}
                }
            }
        };
        local.run_until(serving).await
    }
}

/// One connection, for as long as the other side keeps it.
async fn converse(stream: TcpStream, page: Rc<dyn Fn() -> String>) {
    let service = service_fn(|request| {
        let response = answer(&request, &page);
        async { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!("somebody who asked for the metrics: {error}");
    }
}

fn answer<B>(request: &Request<B>, page: &Rc<dyn Fn() -> String>) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, prometheus::CONTENT_TYPE, page()),
        (&Method::GET | &Method::HEAD, _) => {
            (StatusCode::NOT_FOUND, "text/plain", "a run of bootstorm: its metrics are at /metrics\n".to_owned())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, http::HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// `127.0.0.1:9464`, `[::1]:9464`, or a port alone, which is loopback's.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse::<u16>();
    match port {
        Ok(port) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        Err(_) => text.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:9464, or a port".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_loopbacks() {
        for (text, want) in [
            ("9464", Some("127.0.0.1:9464")),
            (":0", Some("127.0.0.1:0")),
            ("0.0.0.0:9464", Some("0.0.0.0:9464")),
            ("[::1]:9464", Some("[::1]:9464")),
            ("localhost:9464", None),
            ("99999", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok(), want.map(|a| a.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn only_the_metrics_are_there_and_only_to_be_read() {
        let page: Rc<dyn Fn() -> String> = Rc::new(|| "x 1\n".to_owned());
        let ask = |method: Method, path: &str| {
            let request = Request::builder().method(method).uri(path).body(()).unwrap();
            answer(&request, &page)
        };
        let metrics = ask(Method::GET, "/metrics?x=1");
        assert_eq!(metrics.status(), 200);
        assert_eq!(metrics.headers()[CONTENT_TYPE], prometheus::CONTENT_TYPE);
        assert_eq!(ask(Method::GET, "/").status(), 404);
        let refused = ask(Method::POST, "/metrics");
        assert_eq!((refused.status().as_u16(), refused.headers()[ALLOW].to_str().unwrap()), (405, "GET, HEAD"));
    }

    #[test]
    fn a_port_that_is_taken_is_told() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let ended = Monitor::bind(taken.local_addr().unwrap()).unwrap_err();
        assert!(ended.message.contains("somebody listens there"), "{}", ended.message);
    }
}
