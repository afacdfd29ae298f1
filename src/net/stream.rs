//! A connection's plaintext side: what exchanges read and write.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::clock::{closing, now};
use super::failure::tls_error;
use super::handshake::alert_received;
use super::meter::{Meter, Socket};
use super::scratch;
use super::tls_stream::TlsStream;

/// Most that is read and thrown away when a connection is closed, so that the close is a FIN and not a reset.
const FAREWELL_READ: usize = 64 * 1024;

#[derive(Debug)]
enum Wire {
    Plain(Socket),
    Tls(Box<TlsStream>),
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
    pub(super) fn tls(stream: TlsStream, meter: Rc<Meter>) -> Stream {
        Stream { wire: Wire::Tls(Box::new(stream)), meter }
    }

    /// Its counts.
    pub(super) fn meter(&self) -> &Rc<Meter> {
        &self.meter
    }

    /// Reads what has come and gives it to `content`, in one piece or several. True if there was anything, false if there
    /// will be nothing any more.
    ///
    /// # Errors
    /// The socket's and those of TLS; plaintext that came before what was wrong is given first.
    pub(super) fn poll_take(&mut self, cx: &mut Context<'_>, mut content: impl FnMut(&[u8])) -> Poll<io::Result<bool>> {
        let meter = &self.meter;
        let content = |octets: &[u8]| {
            // Session tickets come right after a TLS 1.3 handshake: only plaintext is the answer.
            if meter.answered.get().is_none() {
                meter.answered.set(Some(now()));
            }
            content(octets);
        };
        poll_wire_take(&mut self.wire, meter, cx, content)
    }

    /// Takes some of `octets`, or all. How many.
    ///
    /// # Errors
    /// The socket's and those of TLS.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.meter.begun.set(true);
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_write(cx, octets),
            Wire::Tls(stream) => stream.poll_write(cx, octets),
        }
    }

    /// Ready when all that was taken is handed to the system. With the whole request given, this is the moment its last
    /// octet was.
    ///
    /// # Errors
    /// The socket's.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Wire::Tls(stream) = &mut self.wire {
            ready!(stream.poll_send(cx))?;
        }
        let meter = &self.meter;
        if meter.begun.get() && meter.given.get() && !meter.broken.get() && meter.sent.get().is_none() {
            meter.sent.set(Some(now()));
        }
        Poll::Ready(Ok(()))
    }

    /// Whether an idle connection can still carry a request: the peer has neither closed it nor sent anything.
    pub(super) fn poll_alive(&mut self, cx: &mut Context<'_>) -> bool {
        poll_wire_take(&mut self.wire, &self.meter, cx, |_| {}).is_pending()
    }

    /// The same for one that was found alive or read from just now: all that can have changed is that something came.
    pub(super) fn poll_still_alive(&mut self, cx: &mut Context<'_>) -> bool {
        let readable = match &self.wire {
            Wire::Plain(socket) => socket.poll_readable(cx),
            Wire::Tls(stream) => stream.poll_readable(cx),
        };
        readable.is_pending() || self.poll_alive(cx)
    }

    /// Waits for the peer to end the connection with an error: an alert that follows the handshake.
    pub(super) async fn refusal(&mut self) -> Option<io::Error> {
        poll_fn(|cx| poll_wire_take(&mut self.wire, &self.meter, cx, |_| {})).await.err()
    }

    /// Sends all of `octets`.
    ///
    /// # Errors
    /// The socket's and those of TLS.
    pub(super) async fn say(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut said = 0;
        while said < octets.len() {
            said += poll_fn(|cx| self.poll_write(cx, &octets[said..])).await?;
        }
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Adds to `heard` what the peer sends, to its end or until there are `most` octets or more.
    ///
    /// # Errors
    /// The socket's and those of TLS; what came before is in `heard`.
    pub(super) async fn hear(&mut self, heard: &mut Vec<u8>, most: usize) -> io::Result<()> {
        while heard.len() < most {
            if !poll_fn(|cx| self.poll_take(cx, |octets| heard.extend_from_slice(octets))).await? {
                break;
            }
        }
        Ok(())
    }

    /// Closes in good order, as far as that goes without waiting: takes what has already come (an unread rest
    /// would turn the close into a reset), says goodbye (TLS `close_notify`), ends the writing side.
    pub(super) fn farewell(self) {
        closing(|| self.say_farewell());
    }

    fn say_farewell(mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut left = FAREWELL_READ;
        while left > 0 {
            let mut came = 0;
            match poll_wire_take(&mut self.wire, &self.meter, &mut cx, |octets| came += octets.len()) {
                Poll::Ready(Ok(true)) => left = left.saturating_sub(came),
                _ => break,
            }
        }
        match &mut self.wire {
            Wire::Plain(socket) => drop(Pin::new(socket).poll_shutdown(&mut cx)),
            Wire::Tls(stream) => stream.close(&mut cx),
        }
    }
}

fn poll_wire_take(
    wire: &mut Wire,
    meter: &Meter,
    cx: &mut Context<'_>,
    mut content: impl FnMut(&[u8]),
) -> Poll<io::Result<bool>> {
    match wire {
        Wire::Plain(socket) => scratch::incoming(0, |room| {
            let mut buf = ReadBuf::new(room);
            ready!(Pin::new(socket).poll_read(cx, &mut buf))?;
            if !buf.filled().is_empty() {
                content(buf.filled());
            }
            Poll::Ready(Ok(!buf.filled().is_empty()))
        }),
        Wire::Tls(stream) => {
            let result = stream.poll_take(cx, content);
            if let Poll::Ready(Err(error)) = &result
                && let Some(alert) = tls_error(error).and_then(alert_received)
            {
                meter.alert.set(Some(alert));
            }
            result
        }
    }
}
