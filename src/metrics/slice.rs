//! A slice: what happened within half a second of a run. Slices are what the journal keeps.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Interval, Notables, Standings, Totals};

/// What one shard, or after [`Slice::beside`] all of them, counted within one slice of real time.
///
/// Everything in it is what was *added* within the slice; [`super::Tally::add`] sums slices up again. Half a second,
/// so that a run killed between two writes loses less than one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Which: slice `n` begins `n` × [`Slice::WIDTH`] after the run did.
    pub number: u64,
    /// Phones there are that no earlier slice told of (the first one tells of all).
    pub standings_before: Standings,
    /// Counters and histograms. `totals.phones` and the standings count what no earlier slice told of.
    pub totals: Totals,
    /// The same as a row.
    pub interval: Interval,
    /// Operations planned that had neither begun nor been dropped when the slice ended.
    pub backlog: u64,
    /// When the plan's starts really reached their phones, by phase.
    pub arrivals: Vec<Arrivals>,
    /// What a person will ask about.
    pub notables: Notables,
}

/// The starts of one phase that reached their phones within a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Index into the plan's phases.
    pub phase: u16,
    /// Microseconds since the slice began, rising.
    pub at_us: Vec<u32>,
}

impl Slice {
    /// How long a slice is.
    pub const WIDTH: Duration = Duration::from_millis(500);

    /// The number of the slice a moment falls into.
    pub fn number_at(at: Duration) -> u64 {
        at.as_secs().saturating_mul(2).saturating_add(u64::from(at.subsec_millis() >= 500))
    }

    /// When it begins, since the run did.
    pub fn begins(&self) -> Duration {
        Duration::from_millis(self.number.saturating_mul(Slice::WIDTH.as_millis() as u64))
    }

    /// When it ends.
    pub fn ends(&self) -> Duration {
        self.begins() + Slice::WIDTH
    }

    /// Adds another shard's slice of the same number.
    pub fn beside(&mut self, other: &Slice) {
        debug_assert_eq!(self.number, other.number);
        self.standings_before += other.standings_before;
        self.totals.merge(&other.totals);
        self.interval.beside(&other.interval);
        self.backlog += other.backlog;
        for theirs in &other.arrivals {
            match self.arrivals.iter_mut().find(|mine| mine.phase == theirs.phase) {
                Some(mine) => {
                    mine.at_us.extend_from_slice(&theirs.at_us);
                    mine.at_us.sort_unstable();
                }
                None => self.arrivals.push(theirs.clone()),
            }
        }
        self.arrivals.sort_by_key(|a| a.phase);
        self.notables.merge(&other.notables);
        for phone in &other.notables.recovered {
            if let Err(at) = self.notables.recovered.binary_search(phone) {
                self.notables.recovered.insert(at, *phone);
            }
        }
    }
}
