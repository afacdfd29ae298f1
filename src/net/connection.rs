//! A kept connection, asleep.

use std::fmt;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use super::clock::now;
use super::stream::Stream;
use crate::phone::Origin;

/// An idle connection a phone keeps: a socket and, under TLS, its session; no buffers, no task, polled by nobody.
///
/// Dropping it closes it in good order, as far as that goes without waiting.
pub struct Connection {
    /// Taken out only on the way to reuse or close.
    stream: Option<Stream>,
    origin: Arc<Origin>,
    idle_since: Instant,
}

impl Connection {
    pub(super) fn new(stream: Stream, origin: Arc<Origin>) -> Connection {
        Connection { stream: Some(stream), origin, idle_since: now() }
    }

    /// What it is connected to.
    pub fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Since when it is idle.
    pub fn idle_since(&self) -> Instant {
        self.idle_since
    }

    /// How long it has been idle.
    pub fn idle_for(&self) -> Duration {
        now().saturating_duration_since(self.idle_since)
    }

    /// The open connection, unless the peer has closed it or sent something nobody asked for.
    pub(super) fn wake(mut self, cx: &mut Context<'_>) -> Option<Stream> {
        let mut stream = self.stream.take()?;
        stream.poll_alive(cx).then_some(stream)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.farewell();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("origin", &self.origin.to_string())
            .field("idle_for", &self.idle_for())
            .finish()
    }
}
