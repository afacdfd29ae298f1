//! One connection: TLS, requests one after another, and an end that comes in any case.

use std::future::{Future, poll_fn};
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::access_log::{LogHead, LogSender};
use super::clock::Clock;
use super::gauge::thread_cpu;
use super::metered::{Metered, Pulse, now};
use super::stats::Counters;
use super::subject::subject;
use super::{Mishap, Patience, Served, Site};

/// Most octets of heads and bodies read ahead, per connection: as long a head as IIS takes. An idle connection keeps its buffer.
const BUFFER: usize = 16 * 1024;
/// Most octets set aside for a body on the strength of its announced length alone.
const TRUSTED_LENGTH: u64 = 64 * 1024;

/// Octets of a response's head, about: half of an answer is reckoned with it.
const TYPICAL_HEAD: usize = 200;
/// Longest work on one answer.
const WORKDAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What every connection of an accept loop shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) site: Arc<Site>,
    pub(crate) counters: Arc<Counters>,
    /// As it is now: events change it.
    pub(crate) tls: Option<watch::Receiver<TlsAcceptor>>,
    pub(crate) log: Option<LogSender>,
    /// What tells its moments.
    pub(crate) clock: Clock,
    /// True once the server is stopping.
    pub(crate) stop: watch::Receiver<bool>,
    /// One for each connection that may be open, of all accept loops together.
    pub(crate) places: Arc<Semaphore>,
}

/// Serves one connection to its end, and keeps its place until then. Whatever the peer does, this returns.
pub(crate) async fn serve(shared: Shared, stream: TcpStream, peer: IpAddr, _place: Option<OwnedSemaphorePermit>) {
    let counters = Arc::clone(&shared.counters);
    let _closed = Closed(Arc::clone(&counters));
    // Answers are written whole; waiting to fill a segment would only cost time.
    let _ = stream.set_nodelay(true);
    let pulse = Pulse::new();
    let stream = Metered::new(stream, Arc::clone(&pulse), Arc::clone(&counters));
    let acceptor = shared.tls.as_ref().map(|tls| tls.borrow().clone());
    match acceptor {
        None => converse(shared, stream, pulse, Peer { address: peer, subject: None }).await,
        Some(acceptor) => match shake(&acceptor, stream, shared.site.patience().header).await {
            (Some(stream), cpu_ns) => {
                let (kind, cpu) = match stream.get_ref().1.handshake_kind() {
                    Some(HandshakeKind::Resumed) => (&counters.handshakes_resumed, &counters.cpu_resumed),
                    Some(HandshakeKind::FullWithHelloRetryRequest) => {
                        Counters::add(&counters.handshakes_retried, 1);
                        (&counters.handshakes_full, &counters.cpu_retried)
                    }
                    _ => (&counters.handshakes_full, &counters.cpu_full),
                };
                Counters::add(kind, 1);
                Counters::add(cpu, cpu_ns);
                let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let subject = leaf.map(|leaf| Arc::from(subject(leaf)));
                if subject.is_some() {
                    Counters::add(&counters.client_certificates, 1);
                }
                converse(shared, stream, pulse, Peer { address: peer, subject }).await;
            }
            (None, cpu_ns) => {
                Counters::add(&counters.handshakes_failed, 1);
                Counters::add(&counters.cpu_failed, cpu_ns);
            }
        },
    }
}

/// The handshake, unless it failed or took too long, and the nanoseconds of CPU time of this thread in it.
async fn shake(acceptor: &TlsAcceptor, stream: Metered, limit: Duration) -> (Option<TlsStream<Metered>>, u64) {
    let mut cpu = Duration::ZERO;
    let mut accept = pin!(acceptor.accept(stream));
    let shaken = timeout(
        limit,
        poll_fn(|cx| {
            let before = thread_cpu();
            let polled = accept.as_mut().poll(cx);
            cpu += thread_cpu().saturating_sub(before);
            polled
        }),
    )
    .await;
    (shaken.ok().and_then(Result::ok), u64::try_from(cpu.as_nanos()).unwrap_or(u64::MAX))
}

/// Who is at the other end.
#[derive(Clone)]
pub(crate) struct Peer {
    /// From where it comes.
    pub(crate) address: IpAddr,
    /// The subject of its certificate, if it showed one.
    pub(crate) subject: Option<Arc<str>>,
}

/// Counts a connection as closed however it ends: also when it is cut off with the runtime.
struct Closed(Arc<Counters>);

impl Drop for Closed {
    fn drop(&mut self) {
        Counters::add(&self.0.closed, 1);
    }
}

/// Requests and responses, until one side has enough.
async fn converse<S>(shared: Shared, stream: S, pulse: Arc<Pulse>, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (patience, counters, mut stop) = (shared.site.patience(), Arc::clone(&shared.counters), shared.stop.clone());
    let service = service_fn(|request| answer(&shared, &pulse, &peer, request));
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
        // It is we who keep the peer waiting.
        (true, _) if pulse.is_at_work() => WORKDAY,
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
    peer: &Peer,
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
                let now = shared.clock.moment();
                // Before the run begins somebody may have a look: nothing befalls that one.
                let served = if shared.clock.has_begun() {
                    site.serve(now, &request)
                } else {
                    site.respond(now, &request).into()
                };
                (carry_out(shared, pulse, served).await, true)
            }
            None => (site.respond_unread(shared.clock.moment(), &head), false),
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

/// The response, once it is there; what goes wrong is prepared.
async fn carry_out(shared: &Shared, pulse: &Pulse, served: Served) -> Response<Bytes> {
    if let Some(at) = served.at {
        pulse.work(true);
        shared.clock.clone().until(at).await;
        pulse.work(false);
    }
    let half = (TYPICAL_HEAD + served.response.body().len()) / 2;
    match served.mishap {
        Some(mishap @ (Mishap::Reset | Mishap::Refused)) => pulse.arm(mishap, 0),
        Some(mishap @ (Mishap::Cut | Mishap::Stall)) => pulse.arm(mishap, half),
        None => {}
    }
    served.response
}

fn no_host() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
