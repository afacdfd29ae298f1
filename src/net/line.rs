//! hyper on an open connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::alarm::Alarm;
use super::meter::Meter;
use super::outgoing::Outgoing;
use super::stream::Stream;
use std::rc::Rc;

/// Buffer for heads: a larger one is [`crate::phone::Failure::ResponseTooLarge`].
const HEAD_LIMIT: usize = 64 * 1024;

/// hyper's two halves on one connection, polled by whoever has an exchange on it: there is no task. Lives as long as the
/// connection is in use, for one exchange after another; an idle connection can do without ([`Line::into_idle`]).
pub(super) struct Line {
    pub(super) sender: SendRequest<Outgoing>,
    connection: http1::Connection<TokioIo<Stream>, Outgoing>,
    meter: Rc<Meter>,
    /// The connection's one timer.
    pub(super) alarm: Alarm,
    bell: Arc<Bell>,
    /// The bell, as hyper knows it.
    waker: Waker,
    /// Whether hyper is through with the connection.
    pub(super) ended: bool,
    /// Whether the peer speaks an older HTTP, which hyper would from now on write too: a phone does not.
    pub(super) has_aged: bool,
}

impl Line {
    /// hyper, new, on a connection no exchange is under way on.
    pub(super) async fn on(stream: Stream) -> hyper::Result<Box<Line>> {
        let meter = Rc::clone(stream.meter());
        let mut builder = http1::Builder::new();
        builder.title_case_headers(true).max_buf_size(HEAD_LIMIT).max_header_size(HEAD_LIMIT);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let bell = Arc::new(Bell { muted: AtomicBool::new(false), rings: Mutex::new(Waker::noop().clone()) });
        let waker = Waker::from(Arc::clone(&bell));
        let alarm = Alarm::default();
        Ok(Box::new(Line { sender, connection, meter, alarm, bell, waker, ended: false, has_aged: false }))
    }

    /// The connection's counts.
    pub(super) fn meter(&self) -> &Rc<Meter> {
        &self.meter
    }

    /// Lets hyper do what it can. How it ended reaches the waiting side by itself: hyper gives errors to the request or
    /// the body.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if self.ended {
            return;
        }
        self.bell.ring_for(cx.waker());
        self.ended = self.connection.poll_without_shutdown(&mut Context::from_waker(&self.waker)).is_ready();
    }

    /// Does what hyper's connection would be woken for, without the waking: [`Line::poll`] must follow.
    pub(super) fn quietly<T>(&mut self, act: impl FnOnce(&mut SendRequest<Outgoing>) -> T) -> T {
        self.bell.muted.store(true, Ordering::Relaxed);
        let result = act(&mut self.sender);
        self.bell.muted.store(false, Ordering::Relaxed);
        result
    }

    /// The bare connection; none if octets came that belong to no answer.
    pub(super) fn into_idle(self) -> Option<Stream> {
        let parts = self.connection.into_parts();
        parts.read_buf.is_empty().then(|| parts.io.into_inner())
    }
}

/// Passes on what wakes hyper to whoever has the exchange now. The waker hyper and the socket know stays the same for as
/// long as the connection lives.
struct Bell {
    muted: AtomicBool,
    rings: Mutex<Waker>,
}

impl Bell {
    fn ring_for(&self, waker: &Waker) {
        let mut rings = self.rings();
        if !rings.will_wake(waker) {
            rings.clone_from(waker);
        }
    }

    fn rings(&self) -> MutexGuard<'_, Waker> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.muted.load(Ordering::Relaxed) {
            self.rings().wake_by_ref();
        }
    }
}
