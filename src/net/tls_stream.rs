//! A client's TLS on a socket.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, CommonState, Error as TlsError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::meter::Socket;
use super::scratch::{self, Room};
use super::tls_session::TlsSession;

/// A socket and the TLS session on it. Idle, it has no buffers.
#[derive(Debug)]
pub(super) struct TlsStream {
    socket: Socket,
    session: TlsSession,
    /// Records the socket would not take yet.
    unsent: Vec<u8>,
    /// Plaintext that came with the last records of the handshake, before anybody could ask for it.
    early: Vec<u8>,
    /// What went wrong behind plaintext that was still good.
    error: Option<Box<io::Error>>,
}

impl TlsStream {
    /// Makes the client's hello, which is not sent before [`TlsStream::poll_handshake`] is polled.
    ///
    /// # Errors
    /// rustls' own, if it can make no hello of this.
    pub(super) fn begin(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        socket: Socket,
    ) -> io::Result<TlsStream> {
        let mut session = TlsSession::new(config, name).map_err(io::Error::other)?;
        let mut hello = Room::default();
        session.take(&mut [], &mut hello, |_| {}).map_err(io::Error::other)?;
        let unsent = hello.filled().to_vec();
        Ok(TlsStream { socket, session, unsent, early: Vec::new(), error: None })
    }

    /// What was agreed; none any more once the session is settled.
    pub(super) fn agreed(&self) -> Option<&CommonState> {
        self.session.agreed()
    }

    /// Keeps no more of the handshake than has to be kept. Only for a session whose configuration lets secrets be extracted.
    pub(super) fn settle(&mut self) {
        self.session.settle();
    }

    /// Ready if something may have come, or the connection have ended.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_readable(cx)
    }

    /// Ready when the handshake is done and all of it was sent.
    ///
    /// # Errors
    /// The socket's, rustls' (as [`ErrorKind::InvalidData`]), or [`ErrorKind::UnexpectedEof`].
    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sent = self.poll_send(cx)?;
            if !self.session.is_handshaking() {
                return sent.map(Ok);
            }
            let TlsStream { socket, session, unsent, early, .. } = self;
            let came = ready!(poll_feed(socket, session, unsent, cx, |octets| early.extend_from_slice(octets)))?;
            if !came {
                return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, "tls handshake eof")));
            }
        }
    }

    /// Reads what has come, and gives the plaintext in it to `content`, a record at a time. True if there was any, false if
    /// there will be none any more.
    ///
    /// # Errors
    /// The socket's, rustls' (as [`ErrorKind::InvalidData`]), or [`ErrorKind::UnexpectedEof`] if the connection ended without
    /// the peer having said so.
    pub(super) fn poll_take(&mut self, cx: &mut Context<'_>, mut content: impl FnMut(&[u8])) -> Poll<io::Result<bool>> {
        if !self.early.is_empty() {
            content(&std::mem::take(&mut self.early));
            return Poll::Ready(Ok(true));
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(*error));
        }
        let mut any = false;
        while !any {
            if self.session.is_closed() {
                return Poll::Ready(Ok(false));
            }
            let TlsStream { socket, session, unsent, .. } = self;
            let polled = poll_feed(socket, session, unsent, cx, |octets| {
                any = true;
                content(octets);
            });
            match ready!(polled) {
                Ok(true) => {}
                Ok(false) => {
                    let error = "peer closed connection without sending TLS close_notify";
                    return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, error)));
                }
                Err(error) if any => self.error = Some(Box::new(error)),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Takes all of `octets`, encrypts them and sends as much as the socket will have. Pending if it has not yet had what
    /// came before.
    ///
    /// # Errors
    /// The socket's; rustls' if the session is over.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let TlsStream { socket, session, unsent, .. } = self;
        scratch::outgoing(|room| {
            let encrypted = session.encrypt(octets, room);
            send(socket, unsent, cx, room.filled())?;
            encrypted.map_err(io::Error::other)
        })?;
        Poll::Ready(Ok(octets.len()))
    }

    /// Ready when the socket has had everything.
    ///
    /// # Errors
    /// The socket's.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.unsent))?;
            if sent == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.unsent.drain(..sent);
            if self.unsent.is_empty() {
                self.unsent = Vec::new();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Says goodbye (`close_notify`) and ends the writing side, as far as that goes without waiting.
    pub(super) fn close(&mut self, cx: &mut Context<'_>) {
        let TlsStream { socket, session, unsent, .. } = self;
        let sent = scratch::outgoing(|room| {
            session.close(room);
            send(socket, unsent, cx, room.filled())
        });
        if sent.is_ok() && matches!(self.poll_send(cx), Poll::Ready(Ok(()))) {
            let _ = Pin::new(&mut self.socket).poll_shutdown(cx);
        }
    }
}

/// Reads from the socket once and gives the session what came; false at the end of what the peer sends. What the session
/// has to answer is sent, or kept as unsent.
fn poll_feed(
    socket: &mut Socket,
    session: &mut TlsSession,
    unsent: &mut Vec<u8>,
    cx: &mut Context<'_>,
    content: impl FnMut(&[u8]),
) -> Poll<io::Result<bool>> {
    let kept = session.kept();
    scratch::incoming(kept, |room| {
        let mut behind = ReadBuf::new(&mut room[kept..]);
        ready!(Pin::new(&mut *socket).poll_read(cx, &mut behind))?;
        let came = behind.filled().len();
        if came == 0 {
            return Poll::Ready(Ok(false));
        }
        session.put_kept(room);
        let mut answers = Room::default();
        let taken = session.take(&mut room[..kept + came], &mut answers, content);
        // After an error, that is the alert: sent if it can be, but it is the error that counts.
        let sent = send(socket, unsent, cx, answers.filled());
        taken.map_err(|error: TlsError| io::Error::new(ErrorKind::InvalidData, error))?;
        sent?;
        Poll::Ready(Ok(true))
    })
}

/// Sends `octets` behind what is still unsent. What the socket does not take becomes unsent.
fn send(socket: &mut Socket, unsent: &mut Vec<u8>, cx: &mut Context<'_>, octets: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    if unsent.is_empty() {
        while sent < octets.len() {
            match Pin::new(&mut *socket).poll_write(cx, &octets[sent..])? {
                Poll::Ready(0) => return Err(ErrorKind::WriteZero.into()),
                Poll::Ready(written) => sent += written,
                Poll::Pending => break,
            }
        }
    }
    if sent < octets.len() {
        unsent.extend_from_slice(&octets[sent..]);
    }
    Ok(())
}
