//! The two clocks of the sockets: real time, and the CPU time of this thread.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// The moment, for measuring.
#[allow(clippy::disallowed_methods, reason = "phases of an exchange are measured in real time; this is the one place")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// CPU time this thread has used; zero where the system does not say.
pub(crate) fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
