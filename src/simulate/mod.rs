//! Virtual time: the same phones on the same plan against a server model, without sockets or a clock.
//!
//! The server is a function from moment and request to response, as the embedded target's core is. Time
//! moves from event to event, so an hour of a fleet takes as long as its exchanges take to compute.

mod embedded;
mod lines;
mod usage;
mod world;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::driver::{Pace, Roster, Share};
use crate::metrics::{Slice, Tally};
use crate::phone::{DropCause, Moment, Origin};
use crate::target::Served;
use crate::workload::{End, Plan};

pub use embedded::run_embedded;
pub use usage::{SMALL_BODY, TIME_WAIT, Usage, Weights};
use world::{World, as_http};

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

/// Processor time, shared out among all: while one thing is done, the next waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// An exchange.
    pub exchange: Duration,
    /// A connection, made and closed, without TLS.
    pub open: Duration,
    /// A full TLS handshake.
    pub full: Duration,
    /// A resumed one.
    pub resumed: Duration,
}

impl Effort {
    /// Of each the longer.
    pub fn longer(self, other: Effort) -> Effort {
        Effort {
            exchange: self.exchange.max(other.exchange),
            open: self.open.max(other.open),
            full: self.full.max(other.full),
            resumed: self.resumed.max(other.resumed),
        }
    }
}

/// What a run in virtual time goes by, beside the plan and the server.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// How long things take that wait for nobody.
    pub latencies: Latencies,
    /// Most connections open at once, idle ones included; who finds no room waits, as in the driver.
    pub max_connections: usize,
    /// How long the server keeps an idle connection.
    pub server_keeps: Duration,
    /// How many requests it takes on one; none: any number.
    pub server_requests: Option<u32>,
    /// What it takes of the generator's processors to begin: until then an exchange has not begun.
    pub client: Effort,
    /// What the rest takes of processors, those of the server included where they are known.
    pub server: Effort,
    /// What a connection weighs over plain HTTP.
    pub plain: Weights,
    /// What it weighs with TLS.
    pub tls: Weights,
    /// For how long the system gives a port no second time after the phone closed its connection first.
    pub ports_kept_back: Duration,
    /// Exchanges after which the run is given up.
    pub most_exchanges: u64,
}

impl Default for Conditions {
    /// A server next door that keeps connections for ever, no bound, machines that need no time.
    fn default() -> Conditions {
        Conditions {
            latencies: Latencies::default(),
            max_connections: usize::MAX,
            server_keeps: Duration::MAX,
            server_requests: None,
            client: Effort::default(),
            server: Effort::default(),
            plain: Weights::default(),
            tls: Weights::default(),
            ports_kept_back: TIME_WAIT,
            most_exchanges: u64::MAX,
        }
    }
}

/// How a run in virtual time ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// When, since it began.
    pub ended: Duration,
    /// Whether it came to its end, and was not given up (see [`Conditions::most_exchanges`]).
    pub whole: bool,
    /// What it took.
    pub usage: Usage,
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
    let conditions = Conditions { latencies, ..Conditions::default() };
    play(plan, origin, base, &conditions, server, take).ended
}

/// The same under these conditions. Tells what it took as well; if it is given up, what it took until then.
pub fn play<S: Into<Served>>(
    plan: &Arc<Plan>,
    origin: &Arc<Origin>,
    base: &str,
    conditions: &Conditions,
    server: impl Fn(Moment, &http::Request<Bytes>) -> S,
    take: &mut dyn FnMut(Slice),
) -> Played {
    let pace = Pace::new(plan.compression);
    let mut roster = Roster::new(plan.clone(), origin.clone(), base.to_owned(), Share::WHOLE);
    let mut world = World::new(conditions, plan);
    let mut wishes = Vec::new();
    let (end, until_settled) = match plan.end {
        End::After(at) => (pace.real_time(Moment::ZERO + at), false),
        End::Settled { limit } => (pace.real_time(Moment::ZERO + limit), true),
    };
    let (mut now, mut draining, mut whole) = (Duration::ZERO, false, true);
    loop {
        // As in the driver, what has ended comes before what is due at the same moment.
        while let Some((phone, reply)) = world.arrived(now) {
            roster.exchanged(now, phone, &reply.facts, reply.answer.as_ref().map_err(|failure| *failure), &mut wishes);
        }
        if !draining {
            roster.advance(now, &mut wishes);
        }
        world.take_in(now, &mut wishes);
        while let Some((phone, request)) = world.next_to_send(now) {
            roster.dispatched(now, phone);
            let served = server(pace.phone_time(now), &as_http(&request)).into();
            let worked = served.at.map_or(Duration::ZERO, |at| pace.real_time(at).saturating_sub(now));
            world.send(now, phone, &request, &served, worked);
        }
        if world.lines.usage.exchanges >= conditions.most_exchanges {
            whole = false;
            break;
        }
        let over = now >= end || (until_settled && world.is_quiet() && roster.is_settled());
        if over && !draining {
            draining = true;
            roster.drain(now, DropCause::RunEnded, &mut wishes);
        }
        let due = if draining { Moment::NEVER } else { roster.next_due() };
        let next = match (due, world.next()) {
            (Moment::NEVER, None) if draining => break,
            (Moment::NEVER, None) => end,
            (Moment::NEVER, Some(event)) => event,
            (due, None) => pace.real_time(due).min(end),
            (due, Some(event)) => pace.real_time(due).min(end).min(event),
        };
        now = now.max(next);
        roster.take_slices(now).into_iter().for_each(&mut *take);
    }
    roster.finish_slices(now).into_iter().for_each(take);
    Played { ended: now, whole, usage: world.lines.usage }
}
