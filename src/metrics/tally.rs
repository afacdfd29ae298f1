//! What one shard counted: totals and intervals, together.

use super::{Intervals, Totals};

/// What one shard, or after [`Tally::merge`] the whole run, counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Over the whole run.
    pub totals: Totals,
    /// Second by second.
    pub intervals: Intervals,
}

impl Tally {
    /// Adds another shard's counts.
    pub fn merge(&mut self, other: &Tally) {
        self.totals.merge(&other.totals);
        self.intervals.merge(&other.intervals);
    }
}
