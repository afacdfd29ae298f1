//! A kept connection.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::clock::now;
use super::conversation::Line;
use super::session::as_phone;
use crate::phone::Origin;

/// An idle connection a phone keeps: a socket and, under TLS, its session; no buffers, no task, polled by nobody.
///
/// Dropping it closes it in good order, as far as that goes without waiting.
pub struct Connection {
    /// Taken out only on the way to reuse or close.
    line: Option<Line>,
    origin: Arc<Origin>,
    /// Whose it is.
    phone: u32,
    idle_since: Instant,
}

impl Connection {
    /// Kept by `phone`, idle since this moment.
    pub(super) fn new(line: Line, origin: Arc<Origin>, phone: u32, idle_since: Instant) -> Connection {
        Connection { line: Some(line), origin, phone, idle_since }
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

    /// Gives back what only a connection soon used again has: its timer. What is left is the socket and its TLS session.
    pub fn park(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        line.alarm = Alarm::default();
        // The socket lets go of whom it would have woken. What came meanwhile, such as a session ticket, is taken.
        match as_phone(self.phone, || line.stream.poll_alive(&mut Context::from_waker(Waker::noop()))) {
            true => self.line = Some(line),
            false => line.stream.farewell(),
        }
    }

    /// The open connection, unless the peer has closed it or sent something nobody asked for.
    pub(super) fn wake(mut self, cx: &mut Context<'_>) -> Option<Line> {
        let mut line = self.line.take()?;
        line.stream.poll_still_alive(cx).then_some(line)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.stream.farewell();
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
