//! What the client sockets saw of one exchange: the facts from which every figure is made.

use std::time::Duration;

use crate::phone::Failure;

/// One exchange: scheduled → dispatched → TCP connect → TLS → request sent → first byte → last byte.
///
/// Durations are real time. A phase that did not happen is `None`.
#[derive(Clone, Debug, Default)]
pub struct ExchangeFacts {
    /// Waiting for a free slot, port or file, from the phone's wish to dispatch: never the server's doing.
    pub waited: Duration,
    /// TCP connect; `None` on a reused connection.
    pub connect: Option<Duration>,
    /// The TLS handshake, done or failed; `None` on plain HTTP and reused connections. Boxed: most exchanges have none, and
    /// these facts go from hand to hand.
    pub handshake: Option<Box<HandshakeFacts>>,
    /// Writing the request, up to its last octet handed to the system.
    pub send: Option<Duration>,
    /// From the request sent to the first octet of the answer.
    pub first_byte: Option<Duration>,
    /// From the first octet of the answer to its last.
    pub receive: Option<Duration>,
    /// From dispatch to the end, however it ended.
    pub total: Duration,
    /// Status, if an answer was read.
    pub status: Option<u16>,
    /// How it failed, if it did.
    pub failure: Option<Failure>,
    /// Whether it went over a connection that had served an exchange before.
    pub reused: bool,
    /// Whether a kept connection turned out dead before any octet of an answer, and a fresh one was used.
    pub reconnected: bool,
    /// Octets written to the socket (TLS records included).
    pub bytes_out: u64,
    /// Octets read from the socket.
    pub bytes_in: u64,
}

/// One TLS handshake as the client saw it.
#[derive(Clone, Debug)]
pub struct HandshakeFacts {
    /// How it went.
    pub kind: HandshakeKind,
    /// From the start to the client hello written.
    pub hello: Duration,
    /// From the client hello to the first octet of the server's flight.
    pub server_flight: Option<Duration>,
    /// Time inside the verification of the server's certificates.
    pub verify: Option<Duration>,
    /// The whole handshake.
    pub total: Duration,
    /// CPU time of this thread inside the handshake.
    pub cpu: Duration,
    /// `1.2` or `1.3`.
    pub version: Option<&'static str>,
    /// IANA name of the suite.
    pub suite: Option<&'static str>,
    /// Name of the key-exchange group.
    pub group: Option<&'static str>,
    /// Certificates in the server's chain.
    pub chain_length: u32,
    /// Octets of the server's chain (DER).
    pub chain_bytes: u32,
    /// Octets written during the handshake.
    pub bytes_out: u64,
    /// Octets read during the handshake.
    pub bytes_in: u64,
    /// TLS records written during the handshake.
    pub records_out: u32,
    /// TLS records read during the handshake, whole ones.
    pub records_in: u32,
    /// IANA name of the scheme by which the server signed (in TLS 1.2 `ecdsa_sha384` and the like, which say nothing of
    /// the curve); none on resumption.
    pub signature: Option<&'static str>,
    /// Whether a resumption was by a session the server kept under its id (TLS 1.2), and not by a ticket.
    pub by_session: bool,
    /// Whether the server asked for another hello.
    pub retried: bool,
    /// Whether the client presented a certificate.
    pub client_certificate: bool,
    /// The alert by which the server refused it.
    pub alert_received: Option<u8>,
    /// The alert by which the client gave it up.
    pub alert_sent: Option<u8>,
    /// How it failed, if it did.
    pub failure: Option<Failure>,
}

impl HandshakeFacts {
    /// A handshake of this kind, of which nothing else is known.
    pub fn new(kind: HandshakeKind) -> HandshakeFacts {
        HandshakeFacts {
            kind,
            hello: Duration::ZERO,
            server_flight: None,
            verify: None,
            total: Duration::ZERO,
            cpu: Duration::ZERO,
            version: None,
            suite: None,
            group: None,
            chain_length: 0,
            chain_bytes: 0,
            bytes_out: 0,
            bytes_in: 0,
            records_out: 0,
            records_in: 0,
            signature: None,
            by_session: false,
            retried: false,
            client_certificate: false,
            alert_received: None,
            alert_sent: None,
            failure: None,
        }
    }

    /// The server refused it after all, by this alert: in TLS 1.3 a client is through before the server has seen what
    /// it presents.
    pub fn refuse(&mut self, alert: u8, failure: Failure) {
        self.kind = HandshakeKind::Failed;
        self.alert_received = Some(alert);
        self.failure = Some(failure);
    }
}

/// How a handshake went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandshakeKind {
    /// With certificates.
    Full,
    /// From a ticket or session.
    Resumed,
    /// Full, after a hello-retry request.
    HelloRetry,
    /// It failed.
    Failed,
}
