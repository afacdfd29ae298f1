//! One connection: TLS, requests one after another, and an end that comes in any case.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::HandshakeKind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::access_log::{LogHead, LogSender};
use super::metered::{Metered, Pulse, now};
use super::stats::Counters;
use super::{Patience, Site};
use crate::phone::Moment;

/// Most octets of heads and bodies read ahead, per connection.
const BUFFER: usize = 64 * 1024;
/// Most octets set aside for a body on the strength of its announced length alone.
const TRUSTED_LENGTH: u64 = 64 * 1024;

/// What every connection of an accept loop shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) site: Arc<Site>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) log: Option<LogSender>,
    /// When the server started: the zero of its moments.
    pub(crate) start: Instant,
    /// True once the server is stopping.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves one connection to its end. Whatever the peer does, this returns.
pub(crate) async fn serve(shared: Shared, stream: TcpStream, peer: IpAddr) {
    let counters = Arc::clone(&shared.counters);
    let _closed = Closed(Arc::clone(&counters));
    // Answers are written whole; waiting to fill a segment would only cost time.
    let _ = stream.set_nodelay(true);
    let pulse = Pulse::new();
    let stream = Metered::new(stream, Arc::clone(&pulse), Arc::clone(&counters));
    match shared.tls.clone() {
        None => converse(shared, stream, pulse, peer).await,
        Some(acceptor) => match timeout(shared.site.patience().header, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let kind = match stream.get_ref().1.handshake_kind() {
                    Some(HandshakeKind::Resumed) => &counters.handshakes_resumed,
                    Some(HandshakeKind::FullWithHelloRetryRequest) => {
                        Counters::add(&counters.handshakes_retried, 1);
                        &counters.handshakes_full
                    }
                    _ => &counters.handshakes_full,
                };
                Counters::add(kind, 1);
                converse(shared, stream, pulse, peer).await;
            }
            Ok(Err(_)) | Err(_) => Counters::add(&counters.handshakes_failed, 1),
        },
    }
}

/// Counts a connection as closed however it ends: also when it is cut off with the runtime.
struct Closed(Arc<Counters>);

impl Drop for Closed {
    fn drop(&mut self) {
        Counters::add(&self.0.closed, 1);
    }
}

/// Requests and responses, until one side has enough.
async fn converse<S>(shared: Shared, stream: S, pulse: Arc<Pulse>, peer: IpAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (patience, counters, mut stop) = (shared.site.patience(), Arc::clone(&shared.counters), shared.stop.clone());
    let service = service_fn(|request| answer(&shared, &pulse, peer, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper counts from the end of the last response: it bounds heads that trickle in; the watch below is the
        // one that ends connections that are silent.
        .header_read_timeout(patience.header.max(patience.idle) + Duration::from_secs(1))
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut wake = now() + limit(&patience, &pulse);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    Counters::add(cause(&counters, &error), 1);
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(wake) => {
                let due = pulse.last_moved() + limit(&patience, &pulse);
                if now() < due {
                    wake = due;
                } else if pulse.is_busy() || stopping {
                    Counters::add(&counters.stalled, 1);
                    return;
                } else {
                    // Idle: ends here and now. With half a response stuck in the socket it does not end by
                    // asking; the next wake ends it then.
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                    wake = now() + patience.body;
                }
            }
        }
    }
}

/// How long the peer may be silent as things stand.
fn limit(patience: &Patience, pulse: &Pulse) -> Duration {
    match (pulse.is_busy(), pulse.has_served()) {
        (true, _) => patience.body,
        (false, true) => patience.idle,
        (false, false) => patience.header,
    }
}

fn cause<'c>(counters: &'c Counters, error: &hyper::Error) -> &'c AtomicU64 {
    if error.is_parse() {
        &counters.malformed
    } else if error.is_timeout() {
        &counters.stalled
    } else {
        &counters.broken
    }
}

/// One request's response.
async fn answer(
    shared: &Shared,
    pulse: &Pulse,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let nth = pulse.begin();
    let (head, body) = request.into_parts();
    let log = shared.log.as_ref().map(|log| (log, LogHead::of(&head)));
    let site = &shared.site;
    let (mut response, read) = if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) {
        // RFC 9112 3.2. The core does not ask for it: in virtual time there is no host.
        (no_host(), true)
    } else {
        match gather(body, site.body_limit()).await? {
            Some(body) => {
                let request = Request::from_parts(head, body);
                (site.respond(moment(shared), &request), true)
            }
            None => (site.respond_unread(moment(shared), &head), false),
        }
    };
    let enough = site.patience().requests.is_some_and(|most| nth >= u64::from(most));
    if !read || enough {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if read {
        pulse.end()
    } else {
        pulse.end_unread()
    }
    shared.counters.answered(response.status());
    if let Some((log, head)) = log {
        log.log(peer, &head, &response);
    }
    Ok(response.map(Full::new))
}

/// The whole body; `None` as soon as it is known to be larger than `limit`.
async fn gather(mut body: Incoming, limit: u64) -> Result<Option<Bytes>, hyper::Error> {
    let announced = body.size_hint().lower();
    if announced > limit {
        return Ok(None);
    }
    let mut whole = BytesMut::with_capacity(announced.min(TRUSTED_LENGTH) as usize);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if (whole.len() + data.len()) as u64 > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(Some(whole.freeze()))
}

fn moment(shared: &Shared) -> Moment {
    Moment::ZERO + now().saturating_duration_since(shared.start)
}

fn no_host() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
