//! A client's TLS session: records in, records out, no socket.
//!
//! It is carried by rustls' unbuffered connection, which decrypts where the octets were read to and encrypts where they
//! are written from: both are shared by all connections of a thread (`scratch`). Of its own a session keeps only an
//! incomplete record, until the rest of it has come.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ClientConfig, CommonState, Error};

use super::scratch::Room;

/// What a record adds to its content at most, header included (RFC 8446 section 5.2; TLS 1.2 has an explicit nonce).
const RECORD_EXTRA: usize = 5 + 8 + 1 + 16;
/// Most content of a record.
const RECORD_CONTENT: usize = 1 << 14;

/// A session, from its first hello on.
pub(super) struct TlsSession {
    connection: UnbufferedClientConnection,
    /// What has come of a record (or of a message in several) whose rest is still to come; empty for most of the time,
    /// and then without any memory.
    rest: Vec<u8>,
    /// Whether the peer said that nothing follows.
    closed: bool,
    /// Whether an error ended it: rustls is not to be asked any more.
    failed: bool,
}

impl TlsSession {
    /// A session that has not begun: the first [`TlsSession::take`] makes the client's hello.
    ///
    /// # Errors
    /// rustls' own, if it can make no hello of this.
    pub(super) fn new(config: &Arc<ClientConfig>, name: ServerName<'static>) -> Result<TlsSession, Error> {
        let connection = UnbufferedClientConnection::new(Arc::clone(config), name)?;
        Ok(TlsSession { connection, rest: Vec::new(), closed: false, failed: false })
    }

    /// What was agreed.
    pub(super) fn agreed(&self) -> &CommonState {
        &self.connection
    }

    /// Whether the handshake is still to be completed; its last records may still have to be sent when it is.
    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
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
        let mut done = 0;
        let result = self.process(incoming, &mut done, out, &mut content);
        if result.is_err() {
            self.failed = true;
            self.drain(&mut incoming[done..], out);
        }
        let rest = incoming.get(done..).unwrap_or_default();
        if rest.is_empty() || self.closed || self.failed {
            self.rest = Vec::new();
        } else {
            self.rest.clear();
            self.rest.extend_from_slice(rest);
        }
        result
    }

    fn process(
        &mut self,
        incoming: &mut [u8],
        done: &mut usize,
        out: &mut Room,
        content: &mut impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        if self.failed || self.closed {
            return Ok(());
        }
        loop {
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(&mut incoming[*done..]);
            let mut idle = false;
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
                Ok(ConnectionState::PeerClosed) => {
                    self.closed = true;
                    idle = true;
                    Ok(())
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) | ConnectionState::Closed) => {
                    idle = true;
                    Ok(())
                }
                Ok(other) => Err(Error::General(format!("rustls has the client do {other:?}"))),
                Err(error) => Err(error),
            };
            *done += discard;
            result?;
            if idle {
                return Ok(());
            }
        }
    }

    /// After an error: what is still to be told to the peer, and nothing more of what came from it.
    fn drain(&mut self, incoming: &mut [u8], out: &mut Room) {
        while self.connection.wants_write() {
            match self.connection.process_tls_records(incoming).state {
                Ok(ConnectionState::EncodeTlsData(records)) => {
                    if encode(records, out).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    /// Adds records with this content to `out`, behind whatever else had to be said.
    ///
    /// # Errors
    /// If the session is over, or its keys are worn out.
    pub(super) fn encrypt(&mut self, content: &[u8], out: &mut Room) -> Result<(), Error> {
        let records = content.len() / RECORD_CONTENT + 1;
        let mut least = content.len() + records * RECORD_EXTRA;
        loop {
            if self.failed {
                return Err(Error::General("the TLS session is over".to_owned()));
            }
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.rest);
            let mut encrypted = false;
            let result = match state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => match traffic.encrypt(content, out.free(least)) {
                    Ok(octets) => {
                        out.fill(octets);
                        encrypted = true;
                        Ok(())
                    }
                    Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => {
                        least = required_size;
                        Ok(())
                    }
                    Err(EncryptError::EncryptExhausted) => Err(Error::EncryptError),
                },
                Ok(ConnectionState::EncodeTlsData(records)) => encode(records, out),
                Ok(ConnectionState::TransmitTlsData(records)) => {
                    records.done();
                    Ok(())
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.closed = true;
                    Ok(())
                }
                Ok(other) => Err(Error::General(format!("rustls has the client do {other:?}"))),
                Err(error) => Err(error),
            };
            self.failed |= result.is_err();
            self.rest.drain(..discard.min(self.rest.len()));
            result?;
            if encrypted {
                return Ok(());
            }
        }
    }

    /// Adds to `out` that nothing follows (`close_notify`), if that can still be said.
    pub(super) fn close(&mut self, out: &mut Room) {
        if self.failed || self.is_handshaking() {
            return;
        }
        // Long enough for the alert and what may wait to be sent before it.
        let mut least = 256;
        for _ in 0..8 {
            match self.connection.process_tls_records(&mut self.rest).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    match traffic.queue_close_notify(out.free(least)) {
                        Ok(octets) => out.fill(octets),
                        Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size })) => {
                            least = required_size;
                            continue;
                        }
                        Err(EncryptError::EncryptExhausted) => {}
                    }
                    break;
                }
                Ok(ConnectionState::EncodeTlsData(records)) => drop(encode(records, out)),
                Ok(ConnectionState::TransmitTlsData(records)) => records.done(),
                Ok(ConnectionState::PeerClosed) => {}
                _ => break,
            }
        }
        self.failed = true;
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
