//! The operations a person will ask about: the slowest, and those of phones that never came up.

use serde::{Deserialize, Serialize};

use crate::phone::{Failure, Operation, Outcome};

/// One exchange of an operation that is told in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When it was asked for: microseconds of real time since the run began.
    pub at_us: u64,
    /// Until it ended, in microseconds; `None` if it had not when the operation did.
    pub took_us: Option<u64>,
    /// Its method.
    pub method: String,
    /// Its path, as the phone sent it.
    pub path: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// How it failed below HTTP.
    pub failure: Option<Failure>,
}

/// One operation of one phone, with its last exchanges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notable {
    /// The phone's index in the run.
    pub phone: u32,
    /// Its extension; empty until whoever knows the fleets fills it in.
    pub extension: String,
    /// What it did.
    pub operation: Operation,
    /// How that ended; `None` if it had not when the run did.
    pub outcome: Option<Outcome>,
    /// The intended start: microseconds of real time since the run began.
    pub intended_us: u64,
    /// From there to the end, in microseconds.
    pub response_us: u64,
    /// Exchanges before those of `steps`.
    pub left_out: u32,
    /// Its last exchanges, in order: at most [`Notable::STEPS`].
    pub steps: Vec<Step>,
}

impl Notable {
    /// Most exchanges told of one operation.
    pub const STEPS: usize = 6;
}

/// The notable operations of a slice, a shard or a run. Bounded, and the same in whatever order shares are added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notables {
    /// The slowest of each kind of operation by response time, slowest first: at most [`Notables::SLOWEST`] of each.
    pub slowest: Vec<Notable>,
    /// The last operation of phones that have not come through the boot chain, by phone: at most
    /// [`Notables::STRANDED`].
    pub stranded: Vec<Notable>,
    /// Phones told of as stranded before, that came through after all.
    pub recovered: Vec<u32>,
}

impl Notables {
    /// Most operations kept of each kind.
    pub const SLOWEST: usize = 10;
    /// Most phones kept.
    pub const STRANDED: usize = 50;

    /// Adds what another shard, or the slice that follows, has to tell.
    pub fn merge(&mut self, later: &Notables) {
        self.slowest.extend_from_slice(&later.slowest);
        self.slowest.sort_by(|a, b| {
            let key = |n: &Notable| (n.operation, std::cmp::Reverse(n.response_us), n.phone, n.intended_us);
            key(a).cmp(&key(b))
        });
        self.slowest.dedup();
        let mut rank = 0;
        let mut kind = None;
        self.slowest.retain(|n| {
            rank = if kind.replace(n.operation) == Some(n.operation) { rank + 1 } else { 0 };
            rank < Notables::SLOWEST
        });
        self.stranded.retain(|n| !later.recovered.contains(&n.phone));
        for one in &later.stranded {
            match self.stranded.binary_search_by_key(&one.phone, |n| n.phone) {
                Ok(at) => self.stranded[at] = one.clone(),
                Err(at) => self.stranded.insert(at, one.clone()),
            }
        }
        self.stranded.truncate(Notables::STRANDED);
    }
}
