//! What the target has seen, readable while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use http::StatusCode;

use crate::metrics::{CpuSum, TargetHandshakes};

/// What the target has seen since it started, summed over its accept loops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections accepted.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Requests answered, by status. Heads too broken to be answered by the site are in `malformed` only.
    pub requests: BTreeMap<u16, u64>,
    /// TLS handshakes with certificates.
    pub handshakes_full: u64,
    /// Of these, after a hello-retry request.
    pub handshakes_retried: u64,
    /// TLS handshakes from a ticket or a session's id.
    pub handshakes_resumed: u64,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: u64,
    /// CPU time inside the handshakes of each kind.
    pub handshakes: TargetHandshakes,
    /// Of the handshakes done, those in which the client showed a certificate.
    pub client_certificates: u64,
    /// Connections that ended with something that is not HTTP.
    pub malformed: u64,
    /// Connections closed because the peer was silent for too long within a request or a response.
    pub stalled: u64,
    /// Connections that broke off within a request or a response.
    pub broken: u64,
    /// Times a connection could not be accepted, for want of files or memory.
    pub accept_errors: u64,
    /// Octets read from sockets, TLS records included.
    pub bytes_in: u64,
    /// Octets written to sockets, TLS records included.
    pub bytes_out: u64,
}

impl Stats {
    /// Requests answered, whatever the status.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// One accept loop's counters: no other loop writes them.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) handshakes_full: AtomicU64,
    pub(crate) handshakes_retried: AtomicU64,
    pub(crate) handshakes_resumed: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) cpu_full: AtomicU64,
    pub(crate) cpu_retried: AtomicU64,
    pub(crate) cpu_resumed: AtomicU64,
    pub(crate) cpu_failed: AtomicU64,
    pub(crate) client_certificates: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) stalled: AtomicU64,
    pub(crate) broken: AtomicU64,
    pub(crate) accept_errors: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    /// The loop's thread, by the system's number; 0 until it runs.
    pub(crate) thread: AtomicI32,
    statuses: Box<[AtomicU64]>,
}

/// Statuses 100 to 599.
const STATUSES: usize = 500;

impl Counters {
    pub(crate) fn new() -> Arc<Counters> {
        let zero = || AtomicU64::new(0);
        Arc::new(Counters {
            connections: zero(),
            closed: zero(),
            handshakes_full: zero(),
            handshakes_retried: zero(),
            handshakes_resumed: zero(),
            handshakes_failed: zero(),
            cpu_full: zero(),
            cpu_retried: zero(),
            cpu_resumed: zero(),
            cpu_failed: zero(),
            client_certificates: zero(),
            malformed: zero(),
            stalled: zero(),
            broken: zero(),
            accept_errors: zero(),
            bytes_in: zero(),
            bytes_out: zero(),
            thread: AtomicI32::new(0),
            statuses: (0..STATUSES).map(|_| zero()).collect(),
        })
    }

    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(counter) = usize::from(status.as_u16()).checked_sub(100).and_then(|i| self.statuses.get(i)) {
            Counters::add(counter, 1);
        }
    }
}

/// The sum of all loops.
pub(crate) fn sum(loops: &[Arc<Counters>]) -> Stats {
    let total = |of: fn(&Counters) -> &AtomicU64| loops.iter().map(|c| of(c).load(Ordering::Relaxed)).sum::<u64>();
    // Closed first: a connection that closes in between counts as open, never as fewer than none.
    let closed = total(|c| &c.closed);
    let connections = total(|c| &c.connections);
    let mut requests = BTreeMap::new();
    for counters in loops {
        for (status, counter) in (100..).zip(counters.statuses.iter()) {
            let n = counter.load(Ordering::Relaxed);
            if n > 0 {
                *requests.entry(status).or_default() += n;
            }
        }
    }
    let (full, retried) = (total(|c| &c.handshakes_full), total(|c| &c.handshakes_retried));
    let kind = |count, cpu: fn(&Counters) -> &AtomicU64| CpuSum { count, ns: total(cpu) };
    Stats {
        handshakes: TargetHandshakes {
            full: kind(full.saturating_sub(retried), |c| &c.cpu_full),
            resumed: kind(total(|c| &c.handshakes_resumed), |c| &c.cpu_resumed),
            hello_retry: kind(retried, |c| &c.cpu_retried),
            failed: kind(total(|c| &c.handshakes_failed), |c| &c.cpu_failed),
        },
        connections,
        open: connections.saturating_sub(closed),
        requests,
        handshakes_full: full,
        handshakes_retried: retried,
        handshakes_resumed: total(|c| &c.handshakes_resumed),
        handshakes_failed: total(|c| &c.handshakes_failed),
        client_certificates: total(|c| &c.client_certificates),
        malformed: total(|c| &c.malformed),
        stalled: total(|c| &c.stalled),
        broken: total(|c| &c.broken),
        accept_errors: total(|c| &c.accept_errors),
        bytes_in: total(|c| &c.bytes_in),
        bytes_out: total(|c| &c.bytes_out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_add_up() {
        let loops = [Counters::new(), Counters::new()];
        for (counters, status) in loops.iter().zip([401, 200]) {
            counters.answered(StatusCode::OK);
            counters.answered(StatusCode::from_u16(status).unwrap());
            Counters::add(&counters.connections, 2);
        }
        Counters::add(&loops[1].closed, 1);
        // Beyond what is a status: not counted, and no panic.
        loops[0].answered(StatusCode::from_u16(999).unwrap());
        let stats = sum(&loops);
        assert_eq!(stats.requests, BTreeMap::from([(200, 3), (401, 1)]));
        assert_eq!((stats.total(), stats.connections, stats.open), (4, 4, 3));
    }
}
