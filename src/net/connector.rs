//! The phones' way to the servers: one exchange at a time for each phone.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::HeaderValue;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::unconstrained;

use super::alarm::Alarm;
use super::clock::{self, now, thread_cpu};
use super::conversation::{Conversation, Line, converse};
use super::deadline::Deadline;
use super::dial::dial;
use super::failure;
use super::handshake::{Handshake, handshake};
use super::meter::{Meter, Socket};
use super::outgoing::Outgoing;
use super::session::as_phone;
use super::source::Sources;
use super::stream::Stream;
use super::tls::Tls;
use super::{Addresses, Connection, NetError, TlsSettings};
use crate::metrics::{ExchangeFacts, HandshakeFacts};
use crate::phone::{Answer, Failure, Origin, Request};
use crate::workload::{Network, Timeouts};

/// What every shard's [`Connector`] is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long phones wait for what.
    pub timeouts: Timeouts,
    /// Source addresses, and how long idle connections are kept.
    pub network: Network,
    /// What the phones' TLS does.
    pub tls: TlsSettings,
    /// The allowed origins and where they are.
    pub addresses: Addresses,
    /// How many shards there are: each keeps its share of the TLS sessions.
    pub shards: usize,
}

/// How an exchange ended.
#[derive(Debug)]
pub struct Done {
    /// What was measured. `waited` is left at zero: only the driver knows.
    pub facts: ExchangeFacts,
    /// The answer, or how the exchange failed below HTTP (also in `facts`).
    pub answer: Result<Answer, Failure>,
    /// The connection, if both sides allow it to be kept.
    pub connection: Option<Connection>,
}

/// A connection that was opened, or not, without an exchange.
#[derive(Debug)]
pub struct Opened {
    /// What its TLS handshake was, if there was one.
    pub handshake: Option<HandshakeFacts>,
    /// The connection, or how it failed.
    pub connection: Result<Connection, Failure>,
}

/// Makes connections and carries out exchanges for the phones of one shard. A clone is the same connector.
#[derive(Clone)]
pub struct Connector {
    inner: Rc<Inner>,
}

struct Inner {
    servers: Vec<Server>,
    sources: Sources,
    timeouts: Timeouts,
    idle: Duration,
    tls: Option<Tls>,
}

/// An allowed origin, ready to be connected to.
struct Server {
    origin: Origin,
    addresses: Vec<SocketAddr>,
    /// Which address answered last: names like `localhost` have several, and often only one is served.
    preferred: Cell<usize>,
    host: HeaderValue,
    name: Option<ServerName<'static>>,
}

impl Connector {
    /// Makes the connector of one shard.
    ///
    /// # Errors
    /// [`NetError`] if the TLS settings do not do ([`NetError::CaNotNamed`], [`NetError::TlsSetup`]), a source range
    /// makes no sense ([`NetError::SourceRange`]), is of another family than the target
    /// ([`NetError::SourceFamily`]), or an origin's host can be no name ([`NetError::BadHost`]).
    pub fn new(settings: &Settings) -> Result<Connector, NetError> {
        let sources = Sources::new(&settings.network.sources)?;
        let servers = settings
            .addresses
            .iter()
            .map(|(origin, addresses)| Server::new(origin, addresses))
            .collect::<Result<Vec<_>, _>>()?;
        for server in &servers {
            if let Some(source) = sources.firsts().find(|source| server.towards(Some(*source)).next().is_none()) {
                return Err(NetError::SourceFamily { source_address: source, origin: server.origin.to_string() });
            }
        }
        let needs_tls = servers.iter().any(|server| server.origin.tls);
        let tls = if needs_tls { Some(Tls::new(&settings.tls, settings.shards)?) } else { None };
        let inner = Inner { servers, sources, timeouts: settings.timeouts, idle: settings.network.idle, tls };
        Ok(Connector { inner: Rc::new(inner) })
    }

    /// One exchange of `phone`: on the kept connection if there is one to the same origin and it is still alive,
    /// else on a new one. A kept connection that turns out dead before any octet of the answer came is replaced
    /// once; a fresh one never is. Dropping the future closes the connection.
    pub async fn exchange(&self, phone: u32, kept: Option<Connection>, request: &Request) -> Done {
        if request.origin.tls {
            self.prepare(phone);
        }
        let mut exchange = pin!(self.inner.exchange(phone, kept, request));
        // The runtime's budget would put off answers that are there, behind wakers an exchange does not listen to; it
        // gives way by itself where much is to be read.
        unconstrained(poll_fn(|cx| as_phone(phone, || exchange.as_mut().poll(cx)))).await
    }

    /// Opens a connection for `phone` to one of the allowed origins, for exchanges to come.
    pub async fn open(&self, phone: u32, origin: &Arc<Origin>) -> Opened {
        self.prepare(phone);
        let Some(server) = self.inner.servers.iter().find(|server| server.origin == **origin) else {
            return Opened { handshake: None, connection: Err(Failure::ConnectUnreachable) };
        };
        let mut facts = ExchangeFacts::default();
        let deadline = Deadline::after(self.inner.timeouts.exchange);
        let stream = {
            let mut opening = pin!(self.inner.open(server, phone, deadline, &mut facts));
            poll_fn(|cx| as_phone(phone, || opening.as_mut().poll(cx))).await
        };
        let line = stream.map(|stream| Line { stream, alarm: Alarm::default() });
        let connection = line.map(|line| Connection::new(line, Arc::clone(origin), phone, now()));
        Opened { handshake: facts.handshake.map(|handshake| *handshake), connection }
    }

    /// Has the phone's certificate ready, if it has one: making it is no part of what is measured.
    fn prepare(&self, phone: u32) {
        if let Some(certificates) = self.inner.tls.as_ref().and_then(|tls| tls.certificates.as_ref()) {
            certificates.prepare(phone);
        }
    }

    /// Drops the TLS sessions of `phone`: it has lost power. Those of a fleet that keeps them are kept.
    pub fn forget(&self, phone: u32) {
        if let Some(tls) = &self.inner.tls {
            tls.lost_power(phone);
        }
    }

    /// How many phones of this shard lost their TLS sessions because the store was full: if this is not zero, there
    /// were more full handshakes than real phones would have made.
    pub fn evicted_sessions(&self) -> u64 {
        self.inner.tls.as_ref().and_then(|tls| tls.sessions.as_ref()).map_or(0, |sessions| sessions.evicted())
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = self.inner.servers.iter().map(|server| server.origin.to_string());
        f.debug_struct("Connector").field("origins", &origins.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

impl Server {
    fn new(origin: &Origin, addresses: &[SocketAddr]) -> Result<Server, NetError> {
        let bad = || NetError::BadHost { host: origin.host.clone() };
        let host = HeaderValue::try_from(origin.authority()).map_err(|_| bad())?;
        let name = match origin.tls {
            true => Some(ServerName::try_from(origin.host.clone()).map_err(|_| bad())?),
            false => None,
        };
        Ok(Server { origin: origin.clone(), addresses: addresses.to_vec(), preferred: Cell::new(0), host, name })
    }

    /// The addresses that can be reached from `source`, the preferred one first, with their places.
    fn towards(&self, source: Option<IpAddr>) -> impl Iterator<Item = (usize, SocketAddr)> + '_ {
        let count = self.addresses.len();
        let first = self.preferred.get();
        (0..count)
            .map(move |n| (first + n) % count)
            .filter_map(|place| self.addresses.get(place).map(|address| (place, *address)))
            .filter(move |(_, address)| source.is_none_or(|source| source.is_ipv4() == address.is_ipv4()))
    }
}

impl Inner {
    async fn exchange(&self, phone: u32, kept: Option<Connection>, request: &Request) -> Done {
        let start = now();
        let deadline = Deadline::at(start, self.timeouts.exchange);
        let mut facts = ExchangeFacts::default();
        let mut ended = None;
        let (answer, line) = match self.servers.iter().find(|server| server.origin == *request.origin) {
            Some(server) => {
                let spoken = self.carry_out(server, phone, kept, request, (start, deadline), &mut facts).await;
                ended = spoken.ended;
                (spoken.conversation.result, spoken.conversation.line)
            }
            // The phone machine never leaves the allowed origins; if it did, there would be nothing to connect to.
            None => (Err(Failure::ConnectUnreachable), None),
        };
        let ended = ended.unwrap_or_else(now);
        facts.total = ended.saturating_duration_since(start);
        facts.failure = answer.as_ref().err().copied();
        let connection = line.map(|line| Connection::new(line, Arc::clone(&request.origin), phone, ended));
        Done { facts, answer, connection }
    }

    async fn carry_out(
        &self,
        server: &Server,
        phone: u32,
        kept: Option<Connection>,
        request: &Request,
        (start, deadline): (Instant, Deadline),
        facts: &mut ExchangeFacts,
    ) -> Spoken {
        let mut kept = self.reuse(kept, start, request, facts).await;
        loop {
            let reused = kept.is_some();
            let (line, begun) = match kept.take() {
                Some(line) => (line, start),
                // Boxed: what it takes to connect is much, and most exchanges need none of it.
                None => match Box::pin(self.open(server, phone, deadline, facts)).await {
                    Ok(stream) => (Line { stream, alarm: Alarm::default() }, now()),
                    Err(failure) => return Spoken::nothing(failure),
                },
            };
            facts.reused = reused;
            let meter = Rc::clone(line.stream.meter());
            let spoken = self.speak(server, line, request, begun, deadline, facts).await;
            if !reused {
                note_refusal(facts, &meter, spoken.conversation.result.as_ref().err());
            }
            let died = matches!(spoken.conversation.result, Err(Failure::Reset | Failure::Closed))
                && meter.answered.get().is_none();
            if !reused || !died {
                return spoken;
            }
            facts.reused = false;
            facts.reconnected = true;
            (facts.send, facts.first_byte, facts.receive) = (None, None, None);
        }
    }

    /// The kept connection, if it goes to the right place, is not too old, and is still alive.
    async fn reuse(
        &self,
        kept: Option<Connection>,
        start: Instant,
        request: &Request,
        facts: &mut ExchangeFacts,
    ) -> Option<Line> {
        let is_young = |kept: &Connection| start.saturating_duration_since(kept.idle_since()) <= self.idle;
        let is_there =
            |kept: &Connection| Arc::ptr_eq(kept.origin(), &request.origin) || *kept.origin() == request.origin;
        let kept = kept.filter(|kept| is_there(kept) && is_young(kept))?;
        let mut kept = Some(kept);
        let line = poll_fn(|cx| Poll::Ready(kept.take().and_then(|kept| kept.wake(cx)))).await;
        facts.reconnected = line.is_none();
        line
    }

    /// A new connection: TCP, and TLS if the origin says so.
    async fn open(
        &self,
        server: &Server,
        phone: u32,
        deadline: Deadline,
        facts: &mut ExchangeFacts,
    ) -> Result<Stream, Failure> {
        let start = now();
        let connecting = self.connect(server, self.sources.of(phone), deadline);
        let connected = if clock::opening_is_timed() {
            let (connected, took) = timed(connecting).await;
            clock::opened(Some(took));
            connected
        } else {
            clock::opened(None);
            connecting.await
        };
        facts.connect = Some(start.elapsed());
        let meter = Rc::new(Meter::default());
        let socket = Socket::new(connected?, Rc::clone(&meter));
        let config = self.tls.as_ref().and_then(|tls| tls.config(phone));
        let (Some(config), Some(name)) = (config, &server.name) else {
            return Ok(Stream::plain(socket, meter));
        };
        let Handshake { result, facts: shaken } =
            handshake(config, name.clone(), socket, &meter, self.timeouts.tls, deadline).await;
        if result.is_err() {
            facts.bytes_out += shaken.bytes_out;
            facts.bytes_in += shaken.bytes_in;
        }
        facts.handshake = Some(Box::new(shaken));
        result.map(|stream| Stream::tls(stream, meter)).map_err(|broken| broken.failure)
    }

    /// Connects to the server's addresses in turn until one answers.
    async fn connect(&self, server: &Server, source: Option<IpAddr>, deadline: Deadline) -> Result<TcpStream, Failure> {
        let attempts = async {
            let mut failure = Failure::ConnectUnreachable;
            for (place, address) in server.towards(source) {
                match dial(address, source).await {
                    Ok(stream) => {
                        server.preferred.set(place);
                        return Ok(stream);
                    }
                    Err(error) => failure = failure::of_connect(&error),
                }
                // Another address helps only if this one is not served.
                if !matches!(failure, Failure::ConnectRefused | Failure::ConnectUnreachable) {
                    break;
                }
            }
            Err(failure)
        };
        deadline.wait(self.timeouts.connect, Failure::ConnectTimeout, attempts).await?
    }

    /// Request and answer on an open connection, and their phases.
    async fn speak(
        &self,
        server: &Server,
        line: Line,
        request: &Request,
        begun: Instant,
        deadline: Deadline,
        facts: &mut ExchangeFacts,
    ) -> Spoken {
        let meter = Rc::clone(line.stream.meter());
        // On a fresh connection the handshake's octets are this exchange's too.
        let (out_before, in_before) = if facts.reused { meter.bytes() } else { (0, 0) };
        let outgoing = Outgoing::new(request, &server.host);
        let (method, first_byte) = (&request.method, self.timeouts.first_byte);
        let conversation = converse(line, outgoing, method, request.keep_alive, first_byte, deadline).await;
        let ended = now();
        note_phases(facts, &meter, begun, ended);
        let (bytes_out, bytes_in) = meter.bytes();
        facts.bytes_out += bytes_out - out_before;
        facts.bytes_in += bytes_in - in_before;
        facts.status = conversation.status.map(|status| status.as_u16());
        Spoken { conversation, ended: Some(ended) }
    }
}

/// What came of an exchange, and when.
struct Spoken {
    conversation: Conversation,
    /// When it ended; none if it never got to speak.
    ended: Option<Instant>,
}

impl Spoken {
    fn nothing(failure: Failure) -> Spoken {
        Spoken { conversation: Conversation { result: Err(failure), status: None, line: None }, ended: None }
    }
}

/// What `work` comes to, and the CPU time of this thread in it.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut cpu = Duration::ZERO;
    let mut work = pin!(work);
    let result = poll_fn(|cx| {
        let before = thread_cpu();
        let polled = work.as_mut().poll(cx);
        cpu += thread_cpu().saturating_sub(before);
        polled
    })
    .await;
    (result, cpu)
}

/// In TLS 1.3 a client is through with the handshake before the server has seen what it presents: an alert that comes
/// instead of an answer ends the handshake.
fn note_refusal(facts: &mut ExchangeFacts, meter: &Meter, failure: Option<&Failure>) {
    let Some(handshake) = facts.handshake.as_mut().filter(|handshake| handshake.version == Some("1.3")) else { return };
    if let (Some(alert), Some(failure), None) = (meter.alert.get(), failure, meter.answered.get()) {
        handshake.refuse(alert, *failure);
    }
}

/// Where sending, waiting and receiving lay. An answer that comes before all is sent ends the sending.
fn note_phases(facts: &mut ExchangeFacts, meter: &Meter, begun: Instant, ended: Instant) {
    let (sent, answered) = (meter.sent.get(), meter.answered.get());
    let sent = match (sent, answered) {
        (Some(sent), Some(answered)) => Some(sent.min(answered)),
        (sent, answered) => sent.or(answered),
    };
    facts.send = sent.map(|sent| sent.saturating_duration_since(begun));
    facts.first_byte = sent.zip(answered).map(|(sent, answered)| answered.saturating_duration_since(sent));
    facts.receive = answered.map(|answered| ended.saturating_duration_since(answered));
}
