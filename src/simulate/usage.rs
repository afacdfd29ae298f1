//! What a run in virtual time takes of machines: connections, ports, memory, octets.

use std::collections::VecDeque;
use std::time::Duration;

/// For how long the system remembers a connection that this side closed first (TIME_WAIT of Linux).
pub const TIME_WAIT: Duration = Duration::from_secs(60);

/// What a run took at most, and in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Connections made, or tried.
    pub opened: u64,
    /// Of these, with a full TLS handshake.
    pub full: u64,
    /// Of these, with a resumed TLS handshake.
    pub resumed: u64,
    /// Exchanges sent.
    pub exchanges: u64,
    /// Octets written to sockets, TLS included.
    pub bytes_out: u64,
    /// Octets read from sockets, TLS included.
    pub bytes_in: u64,
    /// Most connections open at once, as the phones have them.
    pub connections: u64,
    /// Most of them at work at once: opening, or waiting for an answer.
    pub at_work: u64,
    /// Most open ends at once: the phones' and the server's.
    pub ends: u64,
    /// Most that the open ends weighed at once: see [`Weights`].
    pub weight: u64,
    /// Most phones that kept a TLS session at once.
    pub sessions: u64,
    /// Most local ports that were taken at once: of open connections, and of closed ones whose port is not given out yet.
    pub ports: u64,
    /// Most closed connections at once that this side's system still remembers, because this side closed first.
    pub time_wait: u64,
    /// Most connections made within [`TIME_WAIT`].
    pub opened_in_time_wait: u64,
}

/// What the ends of one connection weigh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// The phone's end, opening or waiting for an answer.
    pub at_work: u64,
    /// The phone's end, kept and idle.
    pub kept: u64,
    /// The server's end, while it works on an answer.
    pub server_at_work: u64,
    /// The server's end, idle.
    pub server_kept: u64,
    /// What the server's end has beside, from the first request on whose body was no small one: see [`SMALL_BODY`].
    pub server_grown: u64,
    /// How often a request's body is there while the connection is at work on it: once for each end.
    pub bodies: u64,
}

/// A body of no more octets fits into the buffer that a server's end has in any case (hyper's first).
pub const SMALL_BODY: u64 = 8 * 1024;

impl Weights {
    /// A connection at work, both ends: `crowded` if it waits for processors, and so is at some step of opening or
    /// asking, and not yet at the server's leisure. That lies between idle and at work, as measured where all boot at once.
    pub(super) fn working(&self, crowded: bool) -> (u64, u64) {
        match crowded {
            true => (self.kept + self.at_work.saturating_sub(self.kept) * 3 / 4, self.server_kept),
            false => (self.at_work, self.server_at_work),
        }
    }
}

/// Counts moments that stay for a while.
#[derive(Debug)]
pub(super) struct Recent {
    stays: Duration,
    moments: VecDeque<Duration>,
}

impl Recent {
    pub(super) fn new(stays: Duration) -> Recent {
        Recent { stays, moments: VecDeque::new() }
    }

    /// One more; moments come in order.
    pub(super) fn add(&mut self, at: Duration) {
        self.moments.push_back(at);
    }

    /// How many of them are no older.
    pub(super) fn count(&mut self, now: Duration) -> u64 {
        while self.moments.front().is_some_and(|at| *at + self.stays <= now) {
            self.moments.pop_front();
        }
        self.moments.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_forgotten_when_their_time_is_over() {
        let second = Duration::from_secs;
        let mut recent = Recent::new(second(3));
        for at in [1, 1, 2] {
            recent.add(second(at));
        }
        let counts = [2, 3, 4, 5, 9].map(|now| recent.count(second(now)));
        assert_eq!(counts, [3, 3, 1, 0, 0]);
    }
}
