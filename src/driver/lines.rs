//! The lines of one shard's phones: connections, exchanges under way, and who waits for a connection.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::net::{Connection, Connector, Done};
use crate::phone::Request;

use super::flights::{CallSign, Flights};
use super::queue::Queue;
use super::{Roster, Wish};

/// Most exchanges begun in one turn of the loop. When thousands of phones want to begin in the same moment, those
/// under way are served in between; that the others wait is lateness, not the server's doing.
const AT_ONCE: usize = 32;

/// So long a connection stays ready for its phone's next exchange; then it is parked.
const AWAKE: Duration = Duration::from_millis(100);

/// Connections and exchanges of the shard's phones.
pub(super) struct Lines {
    connector: Connector,
    /// Most connections open at once, in flight and idle together.
    max: usize,
    keep_idle: Duration,
    began: Instant,
    in_flight: Flights<Landed>,
    idle: Queue<Idle>,
    /// Idle connections that may not be parked yet, in the order they became idle.
    awake: VecDeque<(u32, Instant)>,
    /// Who wants to go on over the connection it has. These go first: a phone in the midst of an operation does not
    /// lose its connection to one that has not begun, only because all share this machine's bound.
    going_on: Queue<(Instant, Box<Request>)>,
    /// Who waits for a connection.
    waiting: Queue<(Instant, Box<Request>)>,
    /// Exchanges that ended, on their way to their phones.
    ended: Vec<(u32, Landed)>,
    /// Before that no idle connection is to be parked or closed.
    looks_again: Option<Instant>,
    peak: usize,
    opened: u64,
}

/// An idle connection.
struct Idle {
    since: Instant,
    connection: Connection,
    call: CallSign,
}

/// An exchange that ended.
struct Landed {
    at: Duration,
    /// Boxed: it is handed on from hand to hand.
    done: Box<Done>,
}

impl Lines {
    /// No line yet. At most `max` connections will be open at once, and idle ones be kept for `keep_idle`.
    pub(super) fn new(connector: Connector, max: usize, keep_idle: Duration, began: Instant) -> Lines {
        Lines {
            connector,
            max: max.max(1),
            keep_idle,
            began,
            in_flight: Flights::new(),
            idle: Queue::new(),
            awake: VecDeque::new(),
            going_on: Queue::new(),
            waiting: Queue::new(),
            ended: Vec::new(),
            looks_again: None,
            peak: 0,
            opened: 0,
        }
    }

    /// Whether nothing is under way or waits.
    pub(super) fn is_quiet(&self) -> bool {
        let nobody_waits = self.going_on.is_empty() && self.waiting.is_empty();
        nobody_waits && self.in_flight.is_empty() && self.ended.is_empty()
    }

    /// Connections open, in flight and idle together.
    pub(super) fn open(&self) -> usize {
        self.in_flight.len() + self.idle.len()
    }

    /// Connections opened, or tried to, since the run began.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// Most connections that were open at once.
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// Whether there is something for the next turn already: then sockets are looked at first, and nobody waits.
    pub(super) fn has_more(&self) -> bool {
        !self.ended.is_empty() || self.in_flight.any_woken()
    }

    /// Ready when the sockets have something for an exchange.
    pub(super) fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.in_flight.poll_any_woken(cx)
    }

    /// Serves the sockets that have something: exchanges go on, and some end.
    pub(super) fn serve(&mut self) {
        let Lines { in_flight, idle, awake, ended, .. } = self;
        in_flight.poll_woken(|phone, landed, call| {
            ended.push((phone, landed.keep(phone, call, idle, awake)));
        });
    }

    /// Tells the phones what became of their exchanges.
    pub(super) fn collect(&mut self, now: Duration, roster: &mut Roster, wishes: &mut Vec<Wish>) {
        for (phone, Landed { at, done }) in self.ended.drain(..) {
            let answer = done.answer.as_ref().map_err(|failure| *failure);
            roster.exchanged(at.min(now), phone, &done.facts, answer, wishes);
        }
    }

    /// Carries out what phones want, as far as connections allow. True if more can be done at once in the next turn.
    pub(super) fn grant(&mut self, wishes: &mut Vec<Wish>, roster: &mut Roster) -> bool {
        let mut room = AT_ONCE;
        if !wishes.is_empty() {
            let now = Instant::now();
            // Who loses power in this very turn does not begin anything.
            let nobody_leaves = wishes.iter().all(|wish| matches!(wish, Wish::Send { .. }));
            for wish in wishes.drain(..) {
                match wish {
                    Wish::Hangup { phone } => self.hang_up(phone),
                    Wish::Send { phone, request } if !self.idle.has(phone) => self.waiting.push(phone, (now, request)),
                    // It would be the next anyway.
                    Wish::Send { phone, request } if nobody_leaves && room > 0 && self.going_on.is_empty() => {
                        room -= 1;
                        self.dispatch(phone, request, now, roster);
                    }
                    Wish::Send { phone, request } => self.going_on.push(phone, (now, request)),
                }
            }
        }
        for _ in 0..room {
            let next = match self.going_on.pop() {
                Some(next) => Some(next),
                None if self.is_line_free() => self.waiting.pop(),
                None => return self.has_more(),
            };
            let Some((phone, (since, request))) = next else { return self.has_more() };
            self.dispatch(phone, request, since, roster);
        }
        true
    }

    /// Whether one more connection may be opened, be it that an idle one was closed for it.
    fn is_line_free(&mut self) -> bool {
        self.open() < self.max || (!self.waiting.is_empty() && self.idle.pop().is_some())
    }

    fn dispatch(&mut self, phone: u32, request: Box<Request>, since: Instant, roster: &mut Roster) {
        let (kept, call) = match self.idle.remove(phone) {
            Some(idle) => (Some(idle.connection), idle.call),
            None => (None, self.in_flight.call_sign(phone)),
        };
        self.opened += u64::from(kept.is_none());
        let connector = self.connector.clone();
        // Only now has its turn come: what it waited for until here was this program.
        let begun = Instant::now();
        let at = begun.duration_since(self.began);
        roster.dispatched(at, phone);
        let waited = begun.duration_since(since);
        let exchange = async move {
            let mut done = Box::new(connector.exchange(phone, kept, &request).await);
            done.facts.waited = waited;
            Landed { at: at + done.facts.total, done }
        };
        if let Some((landed, call)) = self.in_flight.start(call, Box::pin(exchange)) {
            self.ended.push((phone, landed.keep(phone, call, &mut self.idle, &mut self.awake)));
        }
        self.peak = self.peak.max(self.open());
    }

    /// The phone lost power or the run ends: its connection, its request, its TLS sessions are gone.
    fn hang_up(&mut self, phone: u32) {
        self.in_flight.cancel(phone);
        self.ended.retain(|(other, _)| *other != phone);
        self.idle.remove(phone);
        self.going_on.remove(phone);
        self.waiting.remove(phone);
        self.connector.forget(phone);
    }

    /// Parks connections that were idle for a moment, closes those that were for too long.
    pub(super) fn close_idle(&mut self, now: Instant) {
        if self.looks_again.is_some_and(|then| now < then) {
            return;
        }
        while self.idle.first().is_some_and(|(_, idle)| now.duration_since(idle.since) >= self.keep_idle) {
            self.idle.pop();
        }
        while let Some((phone, since)) = self.awake.front().copied()
            && now.duration_since(since) >= AWAKE
        {
            self.awake.pop_front();
            if let Some(idle) = self.idle.get_mut(phone).filter(|idle| idle.since == since) {
                idle.connection.park();
            }
        }
        // What becomes idle from here on is none of this before that.
        let soonest = now.checked_add(self.keep_idle.min(AWAKE));
        let closes = self.idle.first().and_then(|(_, idle)| idle.since.checked_add(self.keep_idle));
        let parks = self.awake.front().and_then(|(_, since)| since.checked_add(AWAKE));
        self.looks_again = [soonest, closes, parks].into_iter().flatten().min();
    }
}

impl Landed {
    /// Puts its connection by, if it was kept.
    fn keep(
        mut self,
        phone: u32,
        call: CallSign,
        idle: &mut Queue<Idle>,
        awake: &mut VecDeque<(u32, Instant)>,
    ) -> Landed {
        if let Some(connection) = self.done.connection.take() {
            let since = Instant::from_std(connection.idle_since());
            idle.push(phone, Idle { since, connection, call });
            awake.push_back((phone, since));
        }
        self
    }
}
