//! Virtual time: the same phones on the same plan against a server model, without sockets or a clock.
//!
//! The server is a function from moment and request to response, as the embedded target's core is. Time
//! moves from event to event, so an hour of a fleet takes as long as its exchanges take to compute.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::driver::{Pace, Roster, Share, Wish};
use crate::metrics::{ExchangeFacts, Slice, Tally};
use crate::phone::{Answer, BodyFacts, DropCause, Failure, Moment, Origin, Request};
use crate::target::{Mishap, Served};
use crate::workload::{End, Plan};

/// How long things take in virtual time; real time of the run, not phone time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// A TCP connection, with the TLS handshake if there is one.
    pub connect: Duration,
    /// One request and its answer.
    pub exchange: Duration,
}

impl Default for Latencies {
    /// A server next door.
    fn default() -> Self {
        Latencies { connect: Duration::from_millis(2), exchange: Duration::from_millis(1) }
    }
}

/// An exchange on its way back to its phone.
struct Reply {
    serial: u64,
    facts: ExchangeFacts,
    answer: Result<Answer, Failure>,
}

/// Carries the plan out in virtual time against `server`, to its end. Returns what was counted and when it
/// ended. The server gives a response, or a [`Served`] with its delay or mishap.
pub fn simulate<S: Into<Served>>(
    plan: &Arc<Plan>,
    origin: &Arc<Origin>,
    base: &str,
    latencies: Latencies,
    server: impl Fn(Moment, &http::Request<Bytes>) -> S,
) -> (Tally, Duration) {
    let mut tally = Tally::default();
    let ended = simulate_into(plan, origin, base, latencies, server, &mut |slice| tally.add(&slice));
    tally.until(ended);
    (tally, ended)
}

/// The same, but hands on each [`Slice`] of what was counted as soon as it is over, in order, and keeps none: memory
/// does not grow with the length of the run. Returns when it ended.
pub fn simulate_into<S: Into<Served>>(
    plan: &Arc<Plan>,
    origin: &Arc<Origin>,
    base: &str,
    latencies: Latencies,
    server: impl Fn(Moment, &http::Request<Bytes>) -> S,
    take: &mut dyn FnMut(Slice),
) -> Duration {
    let pace = Pace::new(plan.compression);
    let mut roster = Roster::new(plan.clone(), origin.clone(), base.to_owned(), Share::WHOLE);
    let mut world =
        World { latencies, serial: 0, arrivals: BinaryHeap::new(), replies: HashMap::new(), lines: HashMap::new() };
    let mut wishes = Vec::new();
    let (end, until_settled) = match plan.end {
        End::After(at) => (pace.real_time(Moment::ZERO + at), false),
        End::Settled { limit } => (pace.real_time(Moment::ZERO + limit), true),
    };
    let mut now = Duration::ZERO;
    let mut draining = false;
    loop {
        // As in the driver, what has ended comes before what is due at the same moment.
        while let Some((phone, reply)) = world.arrived(now) {
            if reply.answer.is_ok() {
                world.lines.insert(phone, now);
            }
            roster.exchanged(now, phone, &reply.facts, reply.answer.as_ref().map_err(|failure| *failure), &mut wishes);
        }
        if !draining {
            roster.advance(now, &mut wishes);
        }
        for (phone, request) in granted(&mut wishes, &mut world) {
            roster.dispatched(now, phone);
            let served = server(pace.phone_time(now), &as_http(&request)).into();
            let worked = served.at.map_or(Duration::ZERO, |at| pace.real_time(at).saturating_sub(now));
            world.send(now, phone, &served, worked, plan);
        }
        let over = now >= end || (until_settled && world.replies.is_empty() && roster.is_settled());
        if over && !draining {
            draining = true;
            roster.drain(now, DropCause::RunEnded, &mut wishes);
        }
        let due = if draining { Moment::NEVER } else { roster.next_due() };
        let next = match (due, world.next()) {
            (Moment::NEVER, None) if draining => break,
            (Moment::NEVER, None) => end,
            (Moment::NEVER, Some(reply)) => reply,
            (due, None) => pace.real_time(due).min(end),
            (due, Some(reply)) => pace.real_time(due).min(end).min(reply),
        };
        now = now.max(next);
        roster.take_slices(now).into_iter().for_each(&mut *take);
    }
    roster.finish_slices(now).into_iter().for_each(take);
    now
}

/// The requests to carry out now: those a phone did not hang up on in the same moment.
fn granted(wishes: &mut Vec<Wish>, world: &mut World) -> Vec<(u32, Box<Request>)> {
    let mut requests = Vec::with_capacity(wishes.len());
    let mut gone = HashSet::new();
    // From the last to the first, so that a hang-up is met before what it ends.
    for wish in wishes.drain(..).rev() {
        match wish {
            Wish::Hangup { phone } => {
                world.hang_up(phone);
                gone.insert(phone);
            }
            Wish::Send { phone, .. } if gone.contains(&phone) => {}
            Wish::Send { phone, request } => requests.push((phone, request)),
        }
    }
    requests.reverse();
    requests
}

/// Everything between the phones and the server.
struct World {
    latencies: Latencies,
    serial: u64,
    arrivals: BinaryHeap<Reverse<(Duration, u64, u32)>>,
    replies: HashMap<u32, Reply>,
    /// Phones with a kept connection, and since when it has been idle.
    lines: HashMap<u32, Duration>,
}

impl World {
    fn send(&mut self, now: Duration, phone: u32, served: &Served, worked: Duration, plan: &Plan) {
        let Served { response, mishap, .. } = served;
        // A server that has gone has broken every connection.
        let since = self.lines.remove(&phone).filter(|_| *mishap != Some(Mishap::Refused));
        let reused = since.is_some_and(|since| now < since + plan.network.idle);
        let connect = (!reused).then_some(self.latencies.connect);
        let waited = self.latencies.exchange + worked;
        let (failure, waited) = match mishap {
            None if waited <= plan.timeouts.first_byte => (None, waited),
            None => (Some(Failure::TimeoutFirstByte), plan.timeouts.first_byte),
            Some(Mishap::Refused) => (Some(Failure::ConnectRefused), Duration::ZERO),
            Some(Mishap::Reset) => (Some(Failure::Reset), waited),
            Some(Mishap::Cut) => (Some(Failure::Closed), waited),
            Some(Mishap::Stall) => (Some(Failure::TimeoutExchange), plan.timeouts.exchange.max(waited)),
        };
        let total = connect.unwrap_or_default() + waited;
        self.serial += 1;
        let facts = ExchangeFacts {
            connect,
            first_byte: failure.is_none().then_some(waited),
            total,
            status: failure.is_none().then(|| response.status().as_u16()),
            failure,
            reused,
            bytes_in: if failure.is_none() { response.body().len() as u64 } else { 0 },
            ..ExchangeFacts::default()
        };
        let answer = failure.map_or_else(
            || {
                let (status, headers) = (response.status(), response.headers().clone());
                Ok(Answer { status, headers: headers.into(), body: BodyFacts::of(response.body()) })
            },
            Err,
        );
        self.arrivals.push(Reverse((now + total, self.serial, phone)));
        self.replies.insert(phone, Reply { serial: self.serial, facts, answer });
    }

    /// The next reply that is there by `now`.
    fn arrived(&mut self, now: Duration) -> Option<(u32, Reply)> {
        while let Some(Reverse((at, serial, phone))) = self.arrivals.peek().copied() {
            if at > now {
                return None;
            }
            self.arrivals.pop();
            if self.replies.get(&phone).is_some_and(|r| r.serial == serial) {
                return self.replies.remove(&phone).map(|reply| (phone, reply));
            }
        }
        None
    }

    fn next(&self) -> Option<Duration> {
        self.arrivals.peek().map(|Reverse((at, _, _))| *at)
    }

    fn hang_up(&mut self, phone: u32) {
        self.replies.remove(&phone);
        self.lines.remove(&phone);
    }
}

/// The request as a server sees it.
fn as_http(request: &Request) -> http::Request<Bytes> {
    let mut out = http::Request::new(request.body.clone());
    *out.method_mut() = request.method.clone();
    // Paths are checked where they are made; one that is none asks for the root.
    *out.uri_mut() = http::Uri::try_from(request.path.as_str()).unwrap_or_default();
    for (name, value) in &request.headers {
        out.headers_mut().append(name.clone(), value.clone());
    }
    out
}
