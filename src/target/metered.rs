//! A socket that counts its octets, knows when the last one moved, and closes without losing the last answer.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::Mishap;
use super::stats::Counters;

/// How long a peer that is still sending when it has been answered may go on, so that it reads the answer rather
/// than a reset.
const LINGER: Duration = Duration::from_secs(2);

/// What a connection's parts tell each other.
#[derive(Debug)]
pub(crate) struct Pulse {
    born: Instant,
    /// Microseconds after birth when an octet last moved.
    moved: AtomicU64,
    /// Whether a request is being read or answered.
    busy: AtomicBool,
    /// Requests answered.
    served: AtomicU64,
    /// Whether the peer may still be sending a body nobody wants.
    unread: AtomicBool,
    /// Whether the answer is being worked on: the peer has nothing to do but wait.
    at_work: AtomicBool,
    /// What befalls the connection once so many more octets are written.
    mishap: Mutex<Option<(Mishap, usize)>>,
}

impl Pulse {
    pub(crate) fn new() -> Arc<Pulse> {
        let (moved, served) = (AtomicU64::new(0), AtomicU64::new(0));
        let (busy, unread, at_work) = (AtomicBool::new(false), AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Pulse { born: now(), moved, busy, served, unread, at_work, mishap: Mutex::new(None) })
    }

    /// A request has begun; says which one it is on this connection, from 1.
    pub(crate) fn begin(&self) -> u64 {
        self.busy.store(true, Ordering::Relaxed);
        self.served.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The response stands; what is left is to write it.
    pub(crate) fn end(&self) {
        self.busy.store(false, Ordering::Relaxed);
    }

    /// The response stands, and the request's body was not read.
    pub(crate) fn end_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
        self.end();
    }

    /// The answer is worked on, or no longer.
    pub(crate) fn work(&self, begins: bool) {
        self.mark();
        self.at_work.store(begins, Ordering::Relaxed);
    }

    pub(crate) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::Relaxed)
    }

    /// This befalls the connection once so many more octets are written.
    pub(crate) fn arm(&self, mishap: Mishap, after: usize) {
        *self.mishap() = Some((mishap, after));
    }

    fn mishap(&self) -> MutexGuard<'_, Option<(Mishap, usize)>> {
        // Set and read in one step each: what a panicking thread leaves is sound.
        self.mishap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// Whether it has answered anything yet.
    pub(crate) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed) > 0
    }

    /// When an octet last moved.
    pub(crate) fn last_moved(&self) -> Instant {
        self.born + Duration::from_micros(self.moved.load(Ordering::Relaxed))
    }

    fn mark(&self) {
        let age = now().saturating_duration_since(self.born).as_micros();
        self.moved.store(u64::try_from(age).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// The runtime's clock: this is the shell, where real time is meant.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The socket.
#[derive(Debug)]
pub(crate) struct Metered {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    counters: Arc<Counters>,
    linger: Option<Pin<Box<Sleep>>>,
}

impl Metered {
    pub(crate) fn new(stream: TcpStream, pulse: Arc<Pulse>, counters: Arc<Counters>) -> Metered {
        Metered { stream, pulse, counters, linger: None }
    }

    fn wrote(&self, n: usize) {
        Counters::add(&self.counters.bytes_out, n as u64);
        self.pulse.mark();
        if let Some((_, left)) = &mut *self.pulse.mishap() {
            *left = left.saturating_sub(n);
        }
    }

    /// The mishap that has come, brought about.
    fn befall(&mut self, mishap: Mishap, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match mishap {
            // No waker: the connection's own patience ends it.
            Mishap::Stall => Poll::Pending,
            Mishap::Cut => {
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            Mishap::Reset | Mishap::Refused => {
                // To close a socket that does not linger resets the connection.
                socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        Counters::add(&self.counters.bytes_in, (buf.filled().len() - before) as u64);
        self.pulse.mark();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let armed = *self.pulse.mishap();
        let buf = match armed {
            Some((mishap, 0)) => return self.befall(mishap, cx),
            Some((_, left)) => &buf[..left.min(buf.len())],
            None => buf,
        };
        let n = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.wrote(n);
        Poll::Ready(Ok(n))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.pulse.mishap().is_some() {
            let first = bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| b);
            return self.poll_write(cx, first);
        }
        let n = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.wrote(n);
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing more comes. Closing a socket with octets unread resets the connection, and the reset
    /// overtakes the answer: a peer in the middle of a body no one wants is read out for a moment first.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.pulse.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        let mut space = [std::mem::MaybeUninit::uninit(); 16 * 1024];
        // Bounded, so that a fast peer does not keep this loop's other connections waiting.
        for _ in 0..16 {
            if linger.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut waste = ReadBuf::uninit(&mut space);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut waste)) {
                Ok(()) if !waste.filled().is_empty() => {
                    Counters::add(&this.counters.bytes_in, waste.filled().len() as u64);
                }
                // The end, or a reset: either way there is no more to wait for.
                _ => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
