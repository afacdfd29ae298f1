//! What the machine of the generator was doing, once a second.

use serde::{Deserialize, Serialize};

use super::TargetUse;

/// One look at the machine, since the look before. Shares are of real time, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineSample {
    /// When: milliseconds of real time since the run began.
    pub at_ms: u64,
    /// Each core this process may run on.
    pub cores: Vec<CoreSample>,
    /// Each shard's thread, in the order of shards.
    pub shards: Vec<ThreadSample>,
    /// Resident memory of the process, in octets.
    pub rss_bytes: u64,
    /// File descriptors open.
    pub open_files: u64,
    /// Most of these there may be.
    pub open_files_limit: u64,
    /// Local TCP ports the run's connections take, at most: of those open, and of those closed so lately that the system
    /// does not give them out again (TIME_WAIT). `None` if nobody counted.
    pub ports: Option<u64>,
    /// Most of these there may be: sources × range; `None` if unknown.
    pub ports_limit: Option<u64>,
    /// What the target has used by then; `None` if nobody watches it.
    pub target: Option<TargetUse>,
}

/// One core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoreSample {
    /// Its number, as the system counts.
    pub core: u32,
    /// Share of the time it was not idle, whoever used it.
    pub busy: f32,
    /// Share of the time the hypervisor gave to somebody else.
    pub steal: f32,
}

/// One shard's thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThreadSample {
    /// Share of the time it ran.
    pub busy: f32,
    /// Share of the time it could have run and had no core: somebody else had it.
    pub waited: f32,
}
