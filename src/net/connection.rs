//! A kept connection.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::clock::now;
use super::line::Line;
use super::stream::Stream;
use crate::phone::Origin;

/// An idle connection a phone keeps; no task, polled by nobody. It is ready for the next exchange at once, with hyper and
/// its buffers, until it is parked: then it is a socket and, under TLS, its session.
///
/// Dropping it closes it in good order, as far as that goes without waiting.
pub struct Connection {
    state: State,
    origin: Arc<Origin>,
    idle_since: Instant,
}

enum State {
    /// With hyper on it.
    Awake(Box<Line>),
    /// The bare connection.
    Parked(Stream),
    /// On its way to reuse or close, or found dead.
    Gone,
}

impl Connection {
    /// Idle since this moment.
    pub(super) fn new(line: Box<Line>, origin: Arc<Origin>, idle_since: Instant) -> Connection {
        let has_aged = line.has_aged;
        let mut connection = Connection { state: State::Awake(line), origin, idle_since };
        if has_aged {
            connection.park();
        }
        connection
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

    /// Gives back what only a connection in use needs: hyper, its buffers, its timer. What is left is the socket and its
    /// TLS session. The next exchange makes the rest anew; for one that comes soon that costs more than it saves.
    pub fn park(&mut self) {
        if let State::Awake(line) = std::mem::replace(&mut self.state, State::Gone)
            && let Some(stream) = line.into_idle()
        {
            self.state = State::Parked(stream);
        }
    }

    /// The open connection, unless the peer is known to have closed it or to have sent something nobody asked for. (Of one
    /// that was not parked, only the next exchange finds out.)
    pub(super) async fn wake(mut self) -> Option<Box<Line>> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Awake(line) => Some(line),
            State::Parked(mut stream) => {
                if poll_fn(|cx| Poll::Ready(stream.poll_alive(cx))).await {
                    Line::on(stream).await.ok()
                } else {
                    None
                }
            }
            State::Gone => None,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.park();
        if let State::Parked(stream) = std::mem::replace(&mut self.state, State::Gone) {
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
