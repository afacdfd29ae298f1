//! What one shard counted: totals and intervals, together.

use super::{Intervals, Notables, Slice, Totals};

/// What one shard, or after [`Tally::merge`] the whole run, counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Over the whole run.
    pub totals: Totals,
    /// Second by second.
    pub intervals: Intervals,
    /// What a person will ask about.
    pub notables: Notables,
}

impl Tally {
    /// Appends a slice of the whole run, or of the one shard this is of. Slices come in order.
    pub fn add(&mut self, slice: &Slice) {
        self.totals.merge(&slice.totals);
        self.intervals.append(slice);
        self.notables.merge(&slice.notables);
    }

    /// Adds another shard's counts.
    pub fn merge(&mut self, other: &Tally) {
        self.totals.merge(&other.totals);
        self.intervals.merge(&other.intervals);
        self.notables.merge(&other.notables);
    }
}
