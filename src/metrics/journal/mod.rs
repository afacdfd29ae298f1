//! The journal: what a run leaves behind whatever happens to it, and from which all its reports are made.
//!
//! An append-only sequence of [`Entry`]s: one [`Header`], then [`Slice`]s and looks at the machine as they come, and at
//! the end of a run that was not killed one [`Closing`]. Each is framed with its length and checksum and written whole,
//! so a journal cut at any octet reads up to the last entry before the cut.

mod read;
mod replay;
#[cfg(test)]
mod tests;
mod write;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{GeneratorFacts, MachineSample, Marks, PlanFacts, Slice, TargetUse};

pub use read::{Damage, End, How, Reader, Unreadable};
pub use replay::Replay;
pub use write::Writer;

/// What a journal begins with; the last octet is the version of its form.
pub const MAGIC: [u8; 10] = *b"bootstorm\x02";

/// No entry is longer, in octets. A slice in which five million phones start is a fifth of it.
pub const LONGEST_ENTRY: u32 = 1 << 26;

/// No run is longer: ten years.
pub const LONGEST_RUN: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "one at a time is alive")]
pub enum Entry {
    /// Always the first.
    Header(Header),
    /// What happened within half a second. Numbers rise; those in which nothing happened are left out.
    Slice(Slice),
    /// A look at the machine.
    Machine(MachineSample),
    /// Always the last.
    Closing(Closing),
}

/// What is known before the run begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of bootstorm that wrote it.
    pub version: String,
    /// When the run began: milliseconds since 1970, UTC.
    pub started_at_ms: u64,
    /// What was meant to happen.
    pub plan: PlanFacts,
    /// The thresholds, each as the workload has it: figure and comparison.
    pub thresholds: Vec<(String, String)>,
    /// `manifest.json`, as text: what was run, where, and by whose leave.
    pub manifest: String,
    /// What must be known with every figure, as far as it is known then.
    pub marks: Marks,
    /// What is known of the generator before the run: shards, the timer's own lateness, bounds.
    pub generator: GeneratorFacts,
}

/// What is known when the run has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// How long the run took: microseconds of real time.
    pub wall_us: u64,
    /// What must be known with every figure.
    pub marks: Marks,
    /// What the run cost the generator.
    pub generator: GeneratorFacts,
    /// What it cost the target; `None` if nobody watched.
    pub target: Option<TargetUse>,
}
