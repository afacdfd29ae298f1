//! What the server under test used of this machine, where it runs on it.

use std::ops::{AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One reading of a target's gauge. What it counts, it counts since the target began or was first looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetReading {
    /// CPU time of its threads.
    pub cpu: Duration,
    /// Resident memory in octets; `None` where it cannot be told from the generator's own.
    pub rss_bytes: Option<u64>,
    /// Its processes now; 0 where it is a part of the generator's.
    pub processes: u32,
    /// Of the processes that were named, those that are no more.
    pub gone: u32,
    /// CPU time inside its own TLS handshakes; only the embedded target tells.
    pub handshakes: Option<TargetHandshakes>,
}

/// What the target has used since the run began. In a look at the machine: by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetUse {
    /// CPU time of its threads, in microseconds.
    pub cpu_us: u64,
    /// CPU time in each second since the look before: 1 is a whole core.
    pub busy: f32,
    /// Most resident memory at any look, in octets.
    pub rss_bytes: Option<u64>,
    /// Most processes at any look; 0 if it is a part of the generator's own.
    pub processes: u32,
    /// Of the processes that were named, those that are no more.
    pub gone: u32,
    /// CPU time inside its own TLS handshakes.
    pub handshakes: Option<TargetHandshakes>,
}

/// A server's own account of its TLS handshakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHandshakes {
    /// With certificates.
    pub full: CpuSum,
    /// From a ticket or session.
    pub resumed: CpuSum,
    /// Full, after a hello-retry request.
    pub hello_retry: CpuSum,
    /// Failed.
    pub failed: CpuSum,
}

/// So many, and the CPU time they took together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuSum {
    /// How many.
    pub count: u64,
    /// Nanoseconds.
    pub ns: u64,
}

impl CpuSum {
    /// The mean, in microseconds; `None` if there was none.
    pub fn mean_us(self) -> Option<f64> {
        (self.count > 0).then(|| self.ns as f64 / 1e3 / self.count as f64)
    }
}

impl TargetHandshakes {
    /// All of them together.
    pub fn sum(self) -> CpuSum {
        let mut sum = self.full;
        [self.resumed, self.hello_retry, self.failed].into_iter().for_each(|kind| sum += kind);
        sum
    }
}

impl AddAssign for CpuSum {
    fn add_assign(&mut self, other: CpuSum) {
        self.count += other.count;
        self.ns += other.ns;
    }
}

impl Sub for CpuSum {
    type Output = CpuSum;

    /// What came since; never less than nothing.
    fn sub(self, earlier: CpuSum) -> CpuSum {
        CpuSum { count: self.count.saturating_sub(earlier.count), ns: self.ns.saturating_sub(earlier.ns) }
    }
}

impl Sub for TargetHandshakes {
    type Output = TargetHandshakes;

    fn sub(self, earlier: TargetHandshakes) -> TargetHandshakes {
        TargetHandshakes {
            full: self.full - earlier.full,
            resumed: self.resumed - earlier.resumed,
            hello_retry: self.hello_retry - earlier.hello_retry,
            failed: self.failed - earlier.failed,
        }
    }
}

/// A target's gauge, and what it showed when the run began.
pub struct TargetWatch {
    gauge: Box<dyn FnMut() -> TargetReading + Send>,
    before: TargetReading,
    at: Duration,
    so_far: TargetUse,
}

/// Looks closer together than this tell no share of the time between them.
const SHORTEST: Duration = Duration::from_millis(10);

impl TargetWatch {
    /// Reads the gauge for the first time: the run begins.
    pub fn begin(mut gauge: Box<dyn FnMut() -> TargetReading + Send>) -> TargetWatch {
        let before = gauge();
        TargetWatch { gauge, before, at: Duration::ZERO, so_far: TargetUse::default() }
    }

    /// Reads it again, at this time since the run began.
    pub fn look(&mut self, at: Duration) -> TargetUse {
        let now = (self.gauge)();
        let cpu = now.cpu.saturating_sub(self.before.cpu);
        let cpu_us = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        let passed = at.saturating_sub(self.at);
        self.at = self.at.max(at);
        let since = cpu_us.saturating_sub(self.so_far.cpu_us) as f32 / 1e6;
        self.so_far = TargetUse {
            cpu_us,
            // In next to no time there is no share of it.
            busy: if passed < SHORTEST { self.so_far.busy } else { since / passed.as_secs_f32() },
            rss_bytes: now.rss_bytes.max(self.so_far.rss_bytes),
            processes: now.processes.max(self.so_far.processes),
            gone: now.gone,
            handshakes: now.handshakes.zip(self.before.handshakes).map(|(now, before)| now - before),
        };
        self.so_far
    }
}

impl std::fmt::Debug for TargetWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TargetWatch").field("at", &self.at).field("so_far", &self.so_far).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_counts_from_the_first_reading_and_memory_is_the_most() {
        let kind = |count, ns| TargetHandshakes { full: CpuSum { count, ns }, ..TargetHandshakes::default() };
        let reading = |ms, rss, processes, handshakes| TargetReading {
            cpu: Duration::from_millis(ms),
            rss_bytes: Some(rss),
            processes,
            gone: 0,
            handshakes: Some(handshakes),
        };
        let mut told = [
            reading(500, 10, 1, kind(3, 900)),
            reading(1_000, 90, 3, kind(5, 1_700)),
            TargetReading { gone: 1, ..reading(2_500, 40, 0, kind(7, 2_100)) },
        ]
        .into_iter();
        let mut watch = TargetWatch::begin(Box::new(move || told.next().unwrap()));
        let first = watch.look(Duration::from_secs(1));
        assert_eq!((first.cpu_us, first.busy, first.rss_bytes, first.processes), (500_000, 0.5, Some(90), 3));
        let second = watch.look(Duration::from_secs(2));
        assert_eq!((second.cpu_us, second.busy, second.rss_bytes, second.processes), (2_000_000, 1.5, Some(90), 3));
        assert_eq!((second.gone, second.handshakes), (1, Some(kind(4, 1_200))));
        assert_eq!(second.handshakes.unwrap().sum().mean_us(), Some(0.3));
    }
}
