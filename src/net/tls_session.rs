//! A client's TLS session: records in, records out, no socket.
//!
//! Its handshake is carried by rustls' unbuffered connection, what follows by [`Traffic`] with the keys from it. Records are
//! opened where they were read to and sealed where they are written from: both are shared by all connections of a thread
//! (`scratch`). Of its own a session keeps only an incomplete record, until the rest of it has come.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ClientConfig, CommonState, Error};

use super::scratch::Room;
use super::tls_traffic::Traffic;

/// What a record adds to its content at most, header included (RFC 8446 section 5.2; TLS 1.2 has an explicit nonce).
const RECORD_EXTRA: usize = 5 + 8 + 1 + 16;
/// Most content of a record.
const RECORD_CONTENT: usize = 1 << 14;

/// A session, from its first hello on.
pub(super) struct TlsSession {
    phase: Phase,
    /// What has come of a record (or of a message in several) whose rest is still to come; empty for most of the time,
    /// and then without any memory.
    rest: Vec<u8>,
    /// Whether the peer said that nothing follows.
    closed: bool,
    /// Whether an error or our own farewell ended it: nothing is to be asked of it any more.
    failed: bool,
    /// Whether rustls is to be asked no longer than for the handshake.
    settles: bool,
}

#[allow(clippy::large_enum_variant, reason = "it is settled for nearly all of its time")]
enum Phase {
    /// In the handshake, and afterwards until the session is settled.
    Shaking(Box<UnbufferedClientConnection>),
    Settled(Traffic),
    /// rustls would not part with the keys.
    Over,
}

impl TlsSession {
    /// A session that has not begun: the first [`TlsSession::take`] makes the client's hello.
    ///
    /// # Errors
    /// rustls' own, if it can make no hello of this.
    pub(super) fn new(config: &Arc<ClientConfig>, name: ServerName<'static>) -> Result<TlsSession, Error> {
        let connection = UnbufferedClientConnection::new(Arc::clone(config), name)?;
        let phase = Phase::Shaking(Box::new(connection));
        Ok(TlsSession { phase, rest: Vec::new(), closed: false, failed: false, settles: false })
    }

    /// What was agreed; none any more once the session is settled.
    pub(super) fn agreed(&self) -> Option<&CommonState> {
        match &self.phase {
            Phase::Shaking(connection) => Some(connection),
            Phase::Settled(_) | Phase::Over => None,
        }
    }

    /// Whether the handshake is still to be completed; its last records may still have to be sent when it is.
    pub(super) fn is_handshaking(&self) -> bool {
        self.agreed().is_some_and(CommonState::is_handshaking)
    }

    /// Keeps no more of the handshake than has to be kept, as soon as it is over and nothing of a record is kept. Only for
    /// a session whose configuration lets secrets be extracted.
    pub(super) fn settle(&mut self) {
        self.settles = true;
        let Phase::Shaking(connection) = &self.phase else { return };
        let busy = connection.is_handshaking() || connection.wants_write() || !self.rest.is_empty();
        if busy || self.closed || self.failed {
            return;
        }
        if let Phase::Shaking(connection) = std::mem::replace(&mut self.phase, Phase::Over) {
            match Traffic::new(*connection) {
                Ok(traffic) => self.phase = Phase::Settled(traffic),
                Err(_) => self.failed = true,
            }
        }
    }

    /// Whether the peer has said that nothing follows (`close_notify`).
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many octets have come that could not be used yet.
    pub(super) fn kept(&self) -> usize {
        self.rest.len()
    }

    /// Copies them to the beginning of `room`, which has room for them: what comes next is to be read behind them.
    pub(super) fn put_kept(&self, room: &mut [u8]) {
        room[..self.rest.len()].copy_from_slice(&self.rest);
    }

    /// Takes in the records in `incoming`: what was [kept](TlsSession::put_kept), and what has come since. `content` is
    /// given the plaintext, a record at a time; what is to be answered is added to `out`, and goes out even if this fails.
    ///
    /// # Errors
    /// What was wrong, or the alert by which the peer ended the session. The alert that says so to the peer is in `out`.
    /// Afterwards the session is over.
    pub(super) fn take(
        &mut self,
        incoming: &mut [u8],
        out: &mut Room,
        mut content: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        if self.failed || self.closed {
            return Ok(());
        }
        let mut done = 0;
        let result = match &mut self.phase {
            Phase::Settled(traffic) => traffic.take(incoming, &mut done, out, &mut content),
            Phase::Shaking(connection) => {
                let result = process(connection, incoming, &mut done, out, &mut content);
                if result.is_err() {
                    drain(connection, &mut incoming[done..], out);
                }
                result
            }
            Phase::Over => Ok(false),
        };
        self.failed = result.is_err();
        self.closed = matches!(result, Ok(true));
        let rest = incoming.get(done..).unwrap_or_default();
        if rest.is_empty() || self.closed || self.failed {
            // Most of the time there was nothing, and this is free.
            self.rest = Vec::new();
            if self.settles {
                self.settle();
            }
        } else {
            self.rest.clear();
            self.rest.extend_from_slice(rest);
        }
        result.map(drop)
    }

    /// Adds records with this content to `out`, behind whatever else had to be said.
    ///
    /// # Errors
    /// If the session is over, or its keys are worn out.
    pub(super) fn encrypt(&mut self, content: &[u8], out: &mut Room) -> Result<(), Error> {
        if self.failed {
            return Err(Error::General("the TLS session is over".to_owned()));
        }
        let result = match &mut self.phase {
            Phase::Settled(traffic) => traffic.encrypt(content, out),
            Phase::Shaking(connection) => encrypt(connection, &mut self.rest, content, out),
            Phase::Over => Err(Error::HandshakeNotComplete),
        };
        self.failed = result.is_err();
        result
    }

    /// Adds to `out` that nothing follows (`close_notify`), if that can still be said.
    pub(super) fn close(&mut self, out: &mut Room) {
        if self.failed || self.is_handshaking() {
            return;
        }
        match &mut self.phase {
            Phase::Settled(traffic) => drop(traffic.close(out)),
            Phase::Shaking(connection) => close(connection, &mut self.rest, out),
            Phase::Over => {}
        }
        self.failed = true;
    }
}

/// Has rustls take in the records in `incoming`, `done` octets in all; true if the peer says that nothing follows.
fn process(
    connection: &mut UnbufferedClientConnection,
    incoming: &mut [u8],
    done: &mut usize,
    out: &mut Room,
    content: &mut impl FnMut(&[u8]),
) -> Result<bool, Error> {
    loop {
        let UnbufferedStatus { mut discard, state } = connection.process_tls_records(&mut incoming[*done..]);
        let mut ready = None;
        let result = match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
                match traffic.next_record() {
                    None => break Ok(()),
                    Some(Ok(record)) => {
                        discard += record.discard;
                        content(record.payload);
                    }
                    Some(Err(error)) => break Err(error),
                }
            },
            Ok(ConnectionState::EncodeTlsData(records)) => encode(records, out),
            // It is in `out`, which goes out in order.
            Ok(ConnectionState::TransmitTlsData(records)) => {
                records.done();
                Ok(())
            }
            Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                ready = Some(true);
                Ok(())
            }
            Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => {
                ready = Some(false);
                Ok(())
            }
            Ok(other) => Err(Error::General(format!("rustls has the client do {other:?}"))),
            Err(error) => Err(error),
        };
        *done += discard;
        result?;
        if let Some(closed) = ready {
            return Ok(closed);
        }
    }
}

/// After an error: what is still to be told to the peer, and nothing more of what came from it.
fn drain(connection: &mut UnbufferedClientConnection, incoming: &mut [u8], out: &mut Room) {
    while connection.wants_write() {
        match connection.process_tls_records(incoming).state {
            Ok(ConnectionState::EncodeTlsData(records)) => {
                if encode(records, out).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

/// Has rustls make records with this content, of a connection of whose incoming octets `rest` is kept.
fn encrypt(
    connection: &mut UnbufferedClientConnection,
    rest: &mut [u8],
    content: &[u8],
    out: &mut Room,
) -> Result<(), Error> {
    let records = content.len() / RECORD_CONTENT + 1;
    let mut least = content.len() + records * RECORD_EXTRA;
    loop {
        // Nothing in `rest` is whole, so nothing of it is used up here.
        match connection.process_tls_records(rest).state? {
            ConnectionState::WriteTraffic(mut traffic) => match traffic.encrypt(content, out.free(least)) {
                Ok(octets) => {
                    out.fill(octets);
                    return Ok(());
                }
                Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => least = required_size,
                Err(EncryptError::EncryptExhausted) => return Err(Error::EncryptError),
            },
            ConnectionState::EncodeTlsData(records) => encode(records, out)?,
            ConnectionState::TransmitTlsData(records) => records.done(),
            other => return Err(Error::General(format!("rustls has the client do {other:?}"))),
        }
    }
}

/// Has rustls say that nothing follows.
fn close(connection: &mut UnbufferedClientConnection, rest: &mut [u8], out: &mut Room) {
    // Long enough for the alert and what may wait to be sent before it.
    let mut least = 256;
    for _ in 0..8 {
        match connection.process_tls_records(rest).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => match traffic.queue_close_notify(out.free(least)) {
                Ok(octets) => return out.fill(octets),
                Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => least = required_size,
                Err(EncryptError::EncryptExhausted) => return,
            },
            Ok(ConnectionState::EncodeTlsData(records)) => drop(encode(records, out)),
            Ok(ConnectionState::TransmitTlsData(records)) => records.done(),
            _ => return,
        }
    }
}

/// Adds a record that rustls has made to `out`.
fn encode(mut records: EncodeTlsData<'_, ClientConnectionData>, out: &mut Room) -> Result<(), Error> {
    let mut least = 0;
    loop {
        match records.encode(out.free(least)) {
            Ok(octets) => {
                out.fill(octets);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) if required_size > least => {
                least = required_size;
            }
            Err(error) => return Err(Error::General(error.to_string())),
        }
    }
}

impl std::fmt::Debug for TlsSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TlsSession { rest, closed, failed, .. } = self;
        f.debug_struct("TlsSession")
            .field("kept", &rest.len())
            .field("closed", closed)
            .field("failed", failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
