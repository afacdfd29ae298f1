//! What the run cost the machine that made it: the facts its verdict rests on.

use serde::{Deserialize, Serialize};

use super::Distribution;

/// The generator's own threads and memory. Only the client's side counts: an embedded target has its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorFacts {
    /// Shards, each a thread of its own.
    pub shards: u32,
    /// CPU time the shards' threads took ÷ wall time ÷ shards, or cores if those are fewer: 0 to 1.
    pub cpu_busy: f64,
    /// The same of the busiest shard alone: what limits first.
    pub cpu_busy_max: f64,
    /// CPU seconds of all shards' threads.
    pub cpu_seconds: f64,
    /// By how much the shards' timers came late.
    pub loop_lag: Distribution,
    /// By how much a timer of this machine comes late when nothing else is done, measured before the run: lateness
    /// below its p99 means nothing here.
    pub timer_floor: Distribution,
    /// Most connections that might be open at once; 0 if that is not known.
    pub max_connections: u64,
    /// Most file descriptors open at once.
    pub open_files: u64,
    /// Most resident memory of the process, in octets.
    pub rss_bytes: u64,
    /// Resident memory a phone at rest takes, in octets; `None` if it was not measured.
    pub rss_per_phone: Option<u64>,
}
