//! What goes over a TLS connection once the handshake is over: records opened where they were read to, records sealed.
//!
//! rustls hands out the keys and keeps what only it can do: new keys, and session tickets (its kernel API, made for record
//! layers outside of it). Its own record layer would copy each record's content, and keep room for a handshake beside
//! every idle connection. The ciphers are its provider's; rules and alerts are those of rustls' record layer.

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::crypto::cipher::{InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundPlainMessage};
use rustls::kernel::KernelConnection;
use rustls::{
    AlertDescription, ContentType, Error, HandshakeType, InvalidMessage, PeerMisbehaved, ProtocolVersion,
    SupportedCipherSuite,
};

use super::scratch::Room;
use super::tls_keys::{opening, sealing};

/// Length of a record's header: content type, version, length (RFC 8446 section 5.1).
const HEADER: usize = 5;
/// Records are shorter than that, whatever TLS 1.2 or 1.3 add to their content.
const LONGEST_RECORD: usize = (1 << 14) + 2048;
/// Most content of a record.
const CONTENT: usize = 1 << 14;
/// Longest handshake message taken, as rustls does.
const LONGEST_MESSAGE: usize = 0xffff;
/// So many records without content, one after the other.
const MOST_EMPTY: u8 = 32;
/// So many warnings (TLS 1.2, and `user_canceled`).
const MOST_WARNINGS: u8 = 4;
/// So many updates of keys without any content in between.
const MOST_UPDATES: u8 = 32;
/// So many requests to renegotiate.
const MOST_RENEGOTIATIONS: u8 = 1;

/// A connection's keys and counts.
pub(super) struct Traffic {
    keys: KernelConnection<ClientConnectionData>,
    seal: Box<dyn MessageEncrypter>,
    open: Box<dyn MessageDecrypter>,
    /// Records sealed and opened with these keys.
    sealed: u64,
    opened: u64,
    /// A handshake message whose rest is to come in the next record.
    message: Vec<u8>,
    /// What the peer has done of what it may do only so often.
    empty: u8,
    warnings: u8,
    updates: u8,
    renegotiations: u8,
}

/// What is wrong, and what the peer is told of it.
struct Wrong(Error, Option<AlertDescription>);

impl<E: Into<Error>> From<E> for Wrong {
    fn from(error: E) -> Wrong {
        Wrong(error.into(), None)
    }
}

impl Traffic {
    /// Takes over a connection whose handshake is over, and which has nothing left to send.
    ///
    /// # Errors
    /// rustls' own, if the connection's configuration does not let secrets be extracted, or it is not so far.
    pub(super) fn new(connection: UnbufferedClientConnection) -> Result<Traffic, Error> {
        let (secrets, keys) = connection.dangerous_into_kernel_connection()?;
        let suite = keys.negotiated_cipher_suite();
        let ((sealed, out), (opened, inward)) = (secrets.tx, secrets.rx);
        Ok(Traffic {
            seal: sealing(suite, out, sealed)?,
            open: opening(suite, inward)?,
            keys,
            sealed,
            opened,
            message: Vec::new(),
            empty: 0,
            warnings: 0,
            updates: 0,
            renegotiations: 0,
        })
    }

    /// Takes in the whole records at the beginning of `incoming`, `done` octets in all; true if the peer says that nothing
    /// follows. `content` is given the plaintext, a record at a time; answers and alerts are added to `out`.
    ///
    /// # Errors
    /// What was wrong, or the alert by which the peer ended it. Nothing is to be asked of this any more then.
    pub(super) fn take(
        &mut self,
        incoming: &mut [u8],
        done: &mut usize,
        out: &mut Room,
        content: &mut impl FnMut(&[u8]),
    ) -> Result<bool, Error> {
        loop {
            match self.take_record(&mut incoming[*done..], out, content) {
                Ok(None) => return Ok(false),
                Ok(Some((length, closed))) => {
                    *done += length;
                    if closed {
                        return Ok(true);
                    }
                }
                Err(Wrong(error, alert)) => {
                    if let Some(alert) = alert {
                        const FATAL: u8 = 2;
                        self.seal(ContentType::Alert, &[FATAL, alert.into()], out)?;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// The first record, if it is whole: its length, and whether it says that nothing follows.
    fn take_record(
        &mut self,
        incoming: &mut [u8],
        out: &mut Room,
        content: &mut impl FnMut(&[u8]),
    ) -> Result<Option<(usize, bool)>, Wrong> {
        let Some((typ, version, length)) = header(incoming)? else { return Ok(None) };
        let Some(octets) = incoming.get_mut(HEADER..HEADER + length) else { return Ok(None) };
        if typ == ContentType::ChangeCipherSpec {
            return Err(unexpected(typ));
        }
        let opened = self.open.decrypt(InboundOpaqueMessage::new(typ, version, octets), self.opened);
        let record = opened.map_err(|error| {
            let alert = match &error {
                Error::DecryptError => Some(AlertDescription::BadRecordMac),
                Error::PeerSentOversizedRecord => Some(AlertDescription::RecordOverflow),
                Error::PeerMisbehaved(PeerMisbehaved::IllegalMiddleboxChangeCipherSpec) => {
                    Some(AlertDescription::UnexpectedMessage)
                }
                Error::InvalidMessage(_) => Some(AlertDescription::DecodeError),
                _ => None,
            };
            Wrong(error, alert)
        })?;
        self.opened += 1;
        let (typ, payload) = (record.typ, record.payload);
        if !self.message.is_empty() && typ != ContentType::Handshake {
            return Err(PeerMisbehaved::MessageInterleavedWithHandshakeMessage.into());
        }
        if payload.is_empty() {
            bounded(&mut self.empty, MOST_EMPTY, PeerMisbehaved::TooManyEmptyFragments)?;
        } else {
            self.empty = 0;
        }
        let mut closed = false;
        match typ {
            ContentType::ApplicationData => {
                self.updates = 0;
                if !payload.is_empty() {
                    content(payload);
                }
            }
            ContentType::Alert => closed = self.alert(payload)?,
            ContentType::Handshake => self.handshake(payload, out)?,
            _ => return Err(unexpected(typ)),
        }
        Ok(Some((HEADER + length, closed)))
    }

    /// Whether an alert says that nothing follows; what it says otherwise is an error, but for a few warnings.
    fn alert(&mut self, payload: &[u8]) -> Result<bool, Wrong> {
        let &[level, alert] = payload else {
            return Err(Wrong(InvalidMessage::MessageTooShort.into(), Some(AlertDescription::DecodeError)));
        };
        let alert = AlertDescription::from(alert);
        let received = Error::AlertReceived(alert);
        match (level, alert) {
            (1 | 2, AlertDescription::CloseNotify) => Ok(true),
            (1, _) => {
                bounded(&mut self.warnings, MOST_WARNINGS, PeerMisbehaved::TooManyWarningAlertsReceived)?;
                match self.is_tls13() && alert != AlertDescription::UserCanceled {
                    true => Err(Wrong(received, Some(AlertDescription::DecodeError))),
                    false => Ok(false),
                }
            }
            (2, _) => Err(Wrong(received, None)),
            _ => Err(Wrong(received, Some(AlertDescription::IllegalParameter))),
        }
    }

    /// Takes in a record of handshake messages, or parts of them.
    fn handshake(&mut self, payload: &[u8], out: &mut Room) -> Result<(), Wrong> {
        let mut begun = std::mem::take(&mut self.message);
        let mut messages = if begun.is_empty() {
            payload
        } else {
            begun.extend_from_slice(payload);
            &begun
        };
        while let &[kind, a, b, c, ref rest @ ..] = messages {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            if length > LONGEST_MESSAGE {
                return Err(InvalidMessage::HandshakePayloadTooLarge.into());
            }
            let Some((message, after)) = rest.split_at_checked(length) else { break };
            messages = after;
            self.handshake_message(HandshakeType::from(kind), message, after.is_empty(), out)?;
        }
        self.message = messages.to_vec();
        Ok(())
    }

    fn handshake_message(
        &mut self,
        kind: HandshakeType,
        message: &[u8],
        is_last: bool,
        out: &mut Room,
    ) -> Result<(), Wrong> {
        match kind {
            HandshakeType::NewSessionTicket if self.is_tls13() => {
                self.keys.handle_new_session_ticket(message).map_err(|error| {
                    let is_odd = matches!(error, Error::InvalidMessage(_));
                    Wrong(error, is_odd.then_some(AlertDescription::DecodeError))
                })
            }
            HandshakeType::KeyUpdate if self.is_tls13() => {
                // What follows is under other keys already (RFC 8446 section 5.1).
                if !is_last {
                    let why = PeerMisbehaved::KeyEpochWithPendingFragment;
                    return Err(Wrong(why.into(), Some(AlertDescription::UnexpectedMessage)));
                }
                bounded(&mut self.updates, MOST_UPDATES, PeerMisbehaved::TooManyKeyUpdateRequests)?;
                let invalid = |alert| Wrong(InvalidMessage::InvalidKeyUpdate.into(), Some(alert));
                match message {
                    [0] => {}
                    [1] => self.update_own(false, out)?,
                    [_] => return Err(invalid(AlertDescription::IllegalParameter)),
                    _ => return Err(invalid(AlertDescription::DecodeError)),
                }
                let (opened, secrets) = self.keys.update_rx_secret()?;
                self.open = opening(self.keys.negotiated_cipher_suite(), secrets)?;
                self.opened = opened;
                Ok(())
            }
            HandshakeType::HelloRequest if !self.is_tls13() && message.is_empty() => {
                let too_many = PeerMisbehaved::TooManyRenegotiationRequests;
                bounded(&mut self.renegotiations, MOST_RENEGOTIATIONS, too_many)?;
                Ok(self.warn(AlertDescription::NoRenegotiation, out)?)
            }
            _ => {
                let expect_types = match self.is_tls13() {
                    true => vec![HandshakeType::NewSessionTicket, HandshakeType::KeyUpdate],
                    false => Vec::new(),
                };
                let error = Error::InappropriateHandshakeMessage { expect_types, got_type: kind };
                Err(Wrong(error, Some(AlertDescription::UnexpectedMessage)))
            }
        }
    }

    /// Seals with new keys from here on, and says so; `asks` the peer to do the same.
    fn update_own(&mut self, asks: bool, out: &mut Room) -> Result<(), Error> {
        self.seal(ContentType::Handshake, &[HandshakeType::KeyUpdate.into(), 0, 0, 1, u8::from(asks)], out)?;
        let (sealed, secrets) = self.keys.update_tx_secret()?;
        self.seal = sealing(self.keys.negotiated_cipher_suite(), secrets, sealed)?;
        self.sealed = sealed;
        Ok(())
    }

    /// Adds records with this content to `out`.
    ///
    /// # Errors
    /// If the keys are worn out and there are no new ones (TLS 1.2).
    pub(super) fn encrypt(&mut self, content: &[u8], out: &mut Room) -> Result<(), Error> {
        for content in content.chunks(CONTENT) {
            if self.sealed.saturating_add(1) >= self.limit() {
                if !self.is_tls13() {
                    return Err(Error::EncryptError);
                }
                self.update_own(true, out)?;
            }
            self.seal(ContentType::ApplicationData, content, out)?;
        }
        Ok(())
    }

    /// Adds to `out` that nothing follows.
    pub(super) fn close(&mut self, out: &mut Room) -> Result<(), Error> {
        self.warn(AlertDescription::CloseNotify, out)
    }

    fn warn(&mut self, alert: AlertDescription, out: &mut Room) -> Result<(), Error> {
        const WARNING: u8 = 1;
        self.seal(ContentType::Alert, &[WARNING, alert.into()], out)
    }

    fn seal(&mut self, typ: ContentType, content: &[u8], out: &mut Room) -> Result<(), Error> {
        // The version every record names since TLS 1.2; 1.3 hides its own behind it.
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload: content.into() };
        let record = self.seal.encrypt(message, self.sealed)?.encode();
        self.sealed += 1;
        out.free(record.len())[..record.len()].copy_from_slice(&record);
        out.fill(record.len());
        Ok(())
    }

    fn is_tls13(&self) -> bool {
        self.keys.protocol_version() == ProtocolVersion::TLSv1_3
    }

    /// How many records may be sealed with the same keys.
    fn limit(&self) -> u64 {
        match self.keys.negotiated_cipher_suite() {
            SupportedCipherSuite::Tls12(suite) => suite.common.confidentiality_limit,
            SupportedCipherSuite::Tls13(suite) => suite.common.confidentiality_limit,
        }
    }
}

/// What the header at the beginning of `incoming` says: content type, version, length of what follows; none if it is not
/// yet whole.
fn header(incoming: &[u8]) -> Result<Option<(ContentType, ProtocolVersion, usize)>, Wrong> {
    let wrong = |what: InvalidMessage| Wrong(what.into(), Some(AlertDescription::DecodeError));
    let &[typ, major, minor, a, b, ..] = incoming else { return Ok(None) };
    if !(20..=24).contains(&typ) {
        return Err(wrong(InvalidMessage::InvalidContentType));
    }
    if major != 3 {
        return Err(wrong(InvalidMessage::UnknownProtocolVersion));
    }
    let (typ, length) = (ContentType::from(typ), usize::from(u16::from_be_bytes([a, b])));
    if length == 0 && typ != ContentType::ApplicationData {
        return Err(wrong(InvalidMessage::InvalidEmptyPayload));
    }
    if length >= LONGEST_RECORD {
        return Err(wrong(InvalidMessage::MessageTooLarge));
    }
    Ok(Some((typ, ProtocolVersion::from(u16::from_be_bytes([major, minor])), length)))
}

fn unexpected(got_type: ContentType) -> Wrong {
    let expect_types = vec![ContentType::ApplicationData, ContentType::Handshake];
    Wrong(Error::InappropriateMessage { expect_types, got_type }, Some(AlertDescription::UnexpectedMessage))
}

/// One more of what there may be only so many of.
fn bounded(count: &mut u8, most: u8, why: PeerMisbehaved) -> Result<(), Wrong> {
    if *count >= most {
        return Err(why.into());
    }
    *count += 1;
    Ok(())
}
