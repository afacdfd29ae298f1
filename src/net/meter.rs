//! What passes a socket: octets counted, moments noted.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::clock::now;
use super::wiretap::Wiretap;

/// One connection's counts, shared by the layers that see its octets pass.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Octets written to the socket since the connection was made.
    pub(super) bytes_out: Cell<u64>,
    /// Octets read from the socket since the connection was made.
    pub(super) bytes_in: Cell<u64>,
    /// The very first octet the peer sent: tells TLS from everything else.
    pub(super) first_octet: Cell<Option<u8>>,
    /// When the first octets went out on the socket.
    pub(super) first_write: Cell<Option<Instant>>,
    /// When the first octets came in on the socket.
    pub(super) first_read: Cell<Option<Instant>>,
    /// Whether the peer stopped taking what we write (reset, or broken pipe).
    pub(super) broken: Cell<bool>,
    /// Whether any of this exchange's request has been handed down.
    pub(super) begun: Cell<bool>,
    /// Whether the whole of this exchange's request has been handed down.
    pub(super) given: Cell<bool>,
    /// When the last octet of this exchange's request was handed to the system.
    pub(super) sent: Cell<Option<Instant>>,
    /// When the first octet (under TLS: of plaintext) of this exchange's answer came.
    pub(super) answered: Cell<Option<Instant>>,
    /// The alert by which the peer ended the connection, once the handshake was over.
    pub(super) alert: Cell<Option<u8>>,
    /// What watches the records, while a handshake is on.
    pub(super) tap: RefCell<Option<Box<Wiretap>>>,
}

impl Meter {
    /// Ready for the next exchange on the same connection.
    pub(super) fn begin_exchange(&self) {
        self.begun.set(false);
        self.given.set(false);
        self.sent.set(None);
        self.answered.set(None);
    }

    /// What both counters stand at: out, in.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.bytes_out.get(), self.bytes_in.get())
    }

    fn note_write(&self, octets: usize) {
        self.bytes_out.set(self.bytes_out.get() + octets as u64);
        if self.first_write.get().is_none() {
            self.first_write.set(Some(now()));
        }
    }

    fn note_read(&self, octets: &[u8]) {
        let Some(&first) = octets.first() else { return };
        self.bytes_in.set(self.bytes_in.get() + octets.len() as u64);
        if self.first_read.get().is_none() {
            self.first_read.set(Some(now()));
            self.first_octet.set(Some(first));
        }
        if let Some(tap) = &mut *self.tap.borrow_mut() {
            tap.read(octets);
        }
    }

    /// Of these slices, so many octets were written.
    fn tap_written(&self, slices: &[IoSlice<'_>], octets: usize) {
        if let Some(tap) = &mut *self.tap.borrow_mut() {
            let mut left = octets;
            for slice in slices {
                let passed = slice.get(..left).unwrap_or(slice);
                tap.wrote(passed);
                left -= passed.len();
            }
        }
    }
}

/// The TCP connection, under TLS or without.
///
/// Once the peer has reset the connection, writes are taken and thrown away instead of failing: an answer that
/// came before the reset (401 in the middle of a PUT) is still there to be read, and reading finds the end by itself.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    meter: Rc<Meter>,
}

impl Socket {
    /// Counts what passes `tcp` in `meter`.
    pub(super) fn new(tcp: TcpStream, meter: Rc<Meter>) -> Socket {
        Socket { tcp, meter }
    }

    /// Ready if something may have come, or the connection have ended.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_read_ready(cx)
    }

    fn written(&self, offered: usize, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(octets)) => {
                self.meter.note_write(octets);
                Poll::Ready(Ok(octets))
            }
            Poll::Ready(Err(error)) if is_peer_gone(&error) => {
                self.meter.broken.set(true);
                Poll::Ready(Ok(offered))
            }
            other => other,
        }
    }
}

fn is_peer_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = result {
            self.meter.note_read(buf.filled().get(before..).unwrap_or_default());
        }
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.meter.broken.get() {
            return Poll::Ready(Ok(octets.len()));
        }
        let result = Pin::new(&mut self.tcp).poll_write(cx, octets);
        if let Poll::Ready(Ok(written)) = result {
            self.meter.tap_written(&[IoSlice::new(octets)], written);
        }
        self.written(octets.len(), result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = slices.iter().map(|s| s.len()).sum();
        if self.meter.broken.get() {
            return Poll::Ready(Ok(offered));
        }
        let result = Pin::new(&mut self.tcp).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(written)) = result {
            self.meter.tap_written(slices, written);
        }
        self.written(offered, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Socket, TcpStream, Rc<Meter>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        server.set_nodelay(true).unwrap();
        let meter = Rc::new(Meter::default());
        (Socket::new(client, Rc::clone(&meter)), server, meter)
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    #[test]
    fn octets_and_first_moments_are_noted() {
        run(async {
            let (mut socket, mut server, meter) = pair().await;
            assert_eq!((meter.bytes(), meter.first_octet.get()), ((0, 0), None));
            socket.write_all(b"hello").await.unwrap();
            let wrote = meter.first_write.get().unwrap();
            server.write_all(b"HTTP").await.unwrap();
            let mut read = [0; 4];
            socket.read_exact(&mut read).await.unwrap();
            socket.write_all(b" again").await.unwrap();
            assert_eq!((meter.bytes(), meter.first_octet.get()), ((11, 4), Some(b'H')));
            assert_eq!(meter.first_write.get(), Some(wrote));
            assert!(meter.first_read.get().unwrap() >= wrote);
        });
    }

    #[test]
    fn an_answer_before_a_reset_is_still_read_after_a_write_has_met_the_reset() {
        run(async {
            let (mut socket, mut server, meter) = pair().await;
            socket.write_all(b"the server never reads this").await.unwrap();
            server.readable().await.unwrap();
            server.write_all(b"401").await.unwrap();
            SockRef::from(&server).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            drop(server);
            let before = meter.bytes().0;
            socket.write_all(b"more").await.unwrap();
            socket.write_all(b"and more").await.unwrap();
            assert!(meter.broken.get());
            assert_eq!(meter.bytes().0, before, "what was thrown away was not sent");
            let mut answer = [0; 3];
            socket.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"401");
            assert!(!matches!(socket.read(&mut answer).await, Ok(1..)), "nothing follows");
        });
    }
}
