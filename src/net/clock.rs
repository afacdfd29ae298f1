//! The two clocks of the sockets: real time, and the CPU time of this thread; and what this thread spent on opening and
//! closing connections.

use std::cell::Cell;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::metrics::Upkeep;

/// The moment, for measuring.
#[allow(clippy::disallowed_methods, reason = "phases of an exchange are measured in real time; this is the one place")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// CPU time this thread has used; zero where the system does not say.
pub(crate) fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// One in so many connections is timed as it is opened and closed: this clock is a call of the system's, and dear.
const TIMED: u64 = 8;

thread_local! {
    static UPKEEP: Cell<Upkeep> = const {
        Cell::new(Upkeep { opened: 0, opened_timed: 0, opening_ns: 0, closed: 0, closed_timed: 0, closing_ns: 0 })
    };
    static OPENED: Cell<u64> = const { Cell::new(0) };
    static CLOSED: Cell<u64> = const { Cell::new(0) };
}

/// What this thread's connections have cost since this was last asked.
pub fn take_upkeep() -> Upkeep {
    UPKEEP.take()
}

/// A connection is about to be opened: whether that is to be timed.
pub(super) fn opening_is_timed() -> bool {
    is_timed(&OPENED)
}

fn is_timed(count: &'static std::thread::LocalKey<Cell<u64>>) -> bool {
    let before = count.get();
    count.set(before + 1);
    before.is_multiple_of(TIMED)
}

/// A connection was opened, or could not be; what that took, if it was timed.
pub(super) fn opened(took: Option<Duration>) {
    let mut upkeep = UPKEEP.get();
    upkeep.opened += 1;
    if let Some(took) = took {
        upkeep.opened_timed += 1;
        upkeep.opening_ns += nanos(took);
    }
    UPKEEP.set(upkeep);
}

/// Closes a connection and notes what that took.
pub(super) fn closing(close: impl FnOnce()) {
    let before = is_timed(&CLOSED).then(thread_cpu);
    close();
    let mut upkeep = UPKEEP.get();
    upkeep.closed += 1;
    if let Some(before) = before {
        upkeep.closed_timed += 1;
        upkeep.closing_ns += nanos(thread_cpu().saturating_sub(before));
    }
    UPKEEP.set(upkeep);
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
