//! A connection's plaintext side: what exchanges read and write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::clock::{closing, now};
use super::failure::tls_error;
use super::handshake::alert_received;
use super::meter::{Meter, Socket};

/// Most that is read and thrown away when a connection is closed, so that the close is a FIN and not a reset.
const FAREWELL_READ: usize = 64 * 1024;

#[derive(Debug)]
enum Wire {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

/// An open connection, with or without TLS, and its counts.
#[derive(Debug)]
pub(super) struct Stream {
    wire: Wire,
    meter: Rc<Meter>,
}

impl Stream {
    /// HTTP straight on TCP.
    pub(super) fn plain(socket: Socket, meter: Rc<Meter>) -> Stream {
        Stream { wire: Wire::Plain(socket), meter }
    }

    /// HTTP over TLS.
    pub(super) fn tls(stream: TlsStream<Socket>, meter: Rc<Meter>) -> Stream {
        Stream { wire: Wire::Tls(Box::new(stream)), meter }
    }

    /// Its counts.
    pub(super) fn meter(&self) -> &Rc<Meter> {
        &self.meter
    }

    /// Whether an idle connection can still carry a request: the peer has neither closed it nor sent anything.
    pub(super) fn poll_alive(&mut self, cx: &mut Context<'_>) -> bool {
        let mut octet = [0; 1];
        self.poll_wire_read(cx, &mut ReadBuf::new(&mut octet)).is_pending()
    }

    /// The same for one that was found alive and has lain idle since: all that can have changed is that something came.
    pub(super) fn poll_still_alive(&mut self, cx: &mut Context<'_>) -> bool {
        let socket = match &self.wire {
            Wire::Plain(socket) => socket,
            Wire::Tls(stream) => stream.get_ref().0,
        };
        socket.poll_readable(cx).is_pending() || self.poll_alive(cx)
    }

    /// Waits for the peer to end the connection with an error: an alert that follows the handshake.
    pub(super) async fn refusal(&mut self) -> Option<io::Error> {
        let mut octet = [0; 1];
        std::future::poll_fn(|cx| self.poll_wire_read(cx, &mut ReadBuf::new(&mut octet))).await.err()
    }

    /// Closes in good order, as far as that goes without waiting: takes what has already come (an unread rest
    /// would turn the close into a reset), says goodbye (TLS `close_notify`), ends the writing side.
    pub(super) fn farewell(self) {
        closing(|| self.say_farewell());
    }

    fn say_farewell(mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut octets = [0; 4096];
        for _ in 0..FAREWELL_READ / octets.len() {
            let mut buf = ReadBuf::new(&mut octets);
            match self.poll_wire_read(&mut cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {}
                _ => break,
            }
        }
        let _ = Pin::new(&mut self).poll_shutdown(&mut cx);
    }

    fn poll_wire_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Wire::Tls(stream) => {
                let result = Pin::new(stream).poll_read(cx, buf);
                if let Poll::Ready(Err(error)) = &result
                    && let Some(alert) = tls_error(error).and_then(alert_received)
                {
                    self.meter.alert.set(Some(alert));
                }
                result
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = self.poll_wire_read(cx, buf);
        // Session tickets come right after a TLS 1.3 handshake: only plaintext is the answer.
        if buf.filled().len() > before && self.meter.answered.get().is_none() {
            self.meter.answered.set(Some(now()));
        }
        result
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.meter.begun.set(true);
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_write(cx, octets),
            Wire::Tls(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.meter.begun.set(true);
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Wire::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Plain(socket) => socket.is_write_vectored(),
            Wire::Tls(stream) => stream.is_write_vectored(),
        }
    }

    /// With the whole request given, this is the moment its last octet was handed to the system.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        let meter = &self.meter;
        let through = matches!(result, Poll::Ready(Ok(()))) && meter.begun.get() && meter.given.get();
        if through && !meter.broken.get() && meter.sent.get().is_none() {
            meter.sent.set(Some(now()));
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
