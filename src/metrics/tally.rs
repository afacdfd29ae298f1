//! What one shard counted: totals and intervals, together.

use std::time::Duration;

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

    /// The run lasted until then: intervals in which nothing happened are there as well.
    pub fn until(&mut self, wall: Duration) {
        self.intervals.at(wall);
    }

    /// Adds another shard's counts.
    pub fn merge(&mut self, other: &Tally) {
        self.totals.merge(&other.totals);
        self.intervals.merge(&other.intervals);
        self.notables.merge(&other.notables);
    }
}
