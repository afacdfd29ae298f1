//! The run second by second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Slice, Standings};

/// What happened within one interval of real time. Everything in it adds: over shards as over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Starts of the plan: power-ups, changes, wishes.
    pub starts: u32,
    /// Operations that came to stand in the plan.
    pub planned: u32,
    /// Operations that began.
    pub started: u32,
    /// Operations that ended.
    pub finished: u32,
    /// Operations that ended `ok`.
    pub succeeded: u32,
    /// Operations that will never start.
    pub dropped: u32,
    /// Exchanges sent.
    pub sent: u32,
    /// Exchanges answered with 1xx, 2xx, 3xx, 4xx, 5xx.
    pub statuses: [u32; 5],
    /// Of the 4xx, those with 401.
    pub unauthorized: u32,
    /// Exchanges that failed below HTTP.
    pub failures: u32,
    /// TLS handshakes done.
    pub handshakes: u32,
    /// TLS handshakes failed.
    pub handshakes_failed: u32,
    /// Screens that came up to wait for a person.
    pub prompts: u32,
    /// Octets written to sockets.
    pub bytes_out: u64,
    /// Octets read from sockets.
    pub bytes_in: u64,
    /// By how much the exchanges in flight changed from the interval's start to its end.
    pub in_flight_change: i32,
    /// By how much, at most, they rose above what they were at its start.
    pub in_flight_rise: i32,
    /// How the phones' standings changed.
    pub standings_change: Standings,
}

impl Interval {
    /// Adds another shard's share of the same interval.
    pub(super) fn beside(&mut self, other: &Interval) {
        let rise = self.in_flight_rise.saturating_add(other.in_flight_rise);
        self.add(other);
        self.in_flight_rise = rise;
    }

    /// Appends the interval that follows.
    pub(super) fn before(&mut self, next: &Interval) {
        let rise = self.in_flight_rise.max(self.in_flight_change.saturating_add(next.in_flight_rise));
        self.add(next);
        self.in_flight_rise = rise;
    }

    fn add(&mut self, other: &Interval) {
        let counts = [
            (&mut self.starts, other.starts),
            (&mut self.planned, other.planned),
            (&mut self.started, other.started),
            (&mut self.finished, other.finished),
            (&mut self.succeeded, other.succeeded),
            (&mut self.dropped, other.dropped),
            (&mut self.sent, other.sent),
            (&mut self.unauthorized, other.unauthorized),
            (&mut self.failures, other.failures),
            (&mut self.handshakes, other.handshakes),
            (&mut self.handshakes_failed, other.handshakes_failed),
            (&mut self.prompts, other.prompts),
        ];
        for (mine, theirs) in counts.into_iter().chain(self.statuses.iter_mut().zip(other.statuses)) {
            *mine = mine.saturating_add(theirs);
        }
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.in_flight_change = self.in_flight_change.saturating_add(other.in_flight_change);
        self.standings_change += other.standings_change;
    }
}

/// All intervals of a run, of one width. Beyond a bound, neighbours are merged and the width doubles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervals {
    width_s: u32,
    most: usize,
    /// Where the phones stood before the first interval.
    standings_before: Standings,
    rows: Vec<Interval>,
}

impl Default for Intervals {
    fn default() -> Self {
        Intervals::with_most(Intervals::MOST)
    }
}

impl Intervals {
    /// Most intervals kept: more than a day of seconds, about 18 MB.
    pub const MOST: usize = 100_000;

    /// None yet, and never more than `most` (at least 2).
    pub fn with_most(most: usize) -> Intervals {
        Intervals { width_s: 1, most: most.max(2), standings_before: Standings::default(), rows: Vec::new() }
    }

    /// The interval for this moment. Time does not run backwards: an earlier moment falls into the latest.
    pub(super) fn at(&mut self, at: Duration) -> &mut Interval {
        let mut index = self.index(at);
        while index >= self.most {
            self.coarsen();
            index = self.index(at);
        }
        if index >= self.rows.len() {
            self.rows.resize(index + 1, Interval::default());
        }
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    fn index(&self, at: Duration) -> usize {
        usize::try_from(at.as_secs() / u64::from(self.width_s)).unwrap_or(usize::MAX)
    }

    fn coarsen(&mut self) {
        self.width_s = self.width_s.saturating_mul(2);
        self.rows = self
            .rows
            .chunks(2)
            .map(|pair| {
                let mut first = pair[0];
                pair.iter().skip(1).for_each(|next| first.before(next));
                first
            })
            .collect();
    }

    /// Appends a slice. Slices come in order.
    pub(super) fn append(&mut self, slice: &Slice) {
        self.standings_before += slice.standings_before;
        self.at(slice.begins()).before(&slice.interval);
    }

    /// Adds another shard's intervals, second by second.
    pub fn merge(&mut self, other: &Intervals) {
        let coarser;
        let mut other = other;
        while self.width_s < other.width_s {
            self.coarsen();
        }
        if other.width_s < self.width_s {
            let mut copy = other.clone();
            while copy.width_s < self.width_s {
                copy.coarsen();
            }
            coarser = copy;
            other = &coarser;
        }
        if self.rows.len() < other.rows.len() {
            self.rows.resize(other.rows.len(), Interval::default());
        }
        for (mine, theirs) in self.rows.iter_mut().zip(&other.rows) {
            mine.beside(theirs);
        }
        self.standings_before += other.standings_before;
    }

    /// Seconds of real time in each interval.
    pub fn width_s(&self) -> u32 {
        self.width_s
    }

    /// The intervals in order, each with the levels it ended at.
    pub fn levels(&self) -> impl Iterator<Item = Level> + '_ {
        let mut in_flight = 0_i64;
        let mut standings = self.standings_before;
        self.rows.iter().enumerate().map(move |(i, interval)| {
            let peak = in_flight + i64::from(interval.in_flight_rise);
            in_flight += i64::from(interval.in_flight_change);
            standings += interval.standings_change;
            Level {
                start_s: i as u64 * u64::from(self.width_s),
                interval: *interval,
                in_flight: u64::try_from(in_flight).unwrap_or(0),
                in_flight_peak: u64::try_from(peak).unwrap_or(0),
                standings,
            }
        })
    }

    /// Most exchanges in flight at once (see [`super::Storm::peak_in_flight`] for what that means over shards).
    pub fn peak_in_flight(&self) -> u64 {
        self.levels().map(|l| l.in_flight_peak).max().unwrap_or(0)
    }
}

/// One interval and what had become of the levels by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// When it began, in seconds of real time since the run began.
    pub start_s: u64,
    /// What happened in it.
    pub interval: Interval,
    /// Exchanges in flight at its end.
    pub in_flight: u64,
    /// Most exchanges in flight within it.
    pub in_flight_peak: u64,
    /// Where the phones stood at its end.
    pub standings: Standings,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One exchange in flight from `from` to `to` (seconds), seen by a shard alone.
    fn of(most: usize, spans: &[(u64, u64)]) -> Intervals {
        let mut intervals = Intervals::with_most(most);
        let mut changes: Vec<(u64, i32)> = spans.iter().flat_map(|&(from, to)| [(from, 1), (from + to, -1)]).collect();
        changes.sort_unstable_by_key(|&(at, change)| (at, -change));
        for (at, change) in changes {
            let interval = intervals.at(Duration::from_secs(at));
            interval.in_flight_change += change;
            interval.in_flight_rise = interval.in_flight_rise.max(interval.in_flight_change);
            interval.sent += u32::from(change > 0);
        }
        intervals
    }

    #[test]
    fn quiet_seconds_carry_the_levels_on() {
        let rows: Vec<_> =
            of(100, &[(1, 4), (1, 2)]).levels().map(|l| (l.start_s, l.in_flight, l.in_flight_peak)).collect();
        assert_eq!(rows, [(0, 0, 0), (1, 2, 2), (2, 2, 2), (3, 1, 2), (4, 1, 1), (5, 0, 1)]);
    }

    #[test]
    fn a_shard_that_ends_early_keeps_its_levels() {
        let mut a = of(100, &[(5, 1)]);
        let standings_before = Standings { provisioned: 3, ..Standings::default() };
        let mut b = Intervals { standings_before, ..Intervals::default() };
        b.at(Duration::ZERO).in_flight_change = 2;
        b.at(Duration::ZERO).in_flight_rise = 2;
        a.merge(&b);
        let last = a.levels().last().map(|l| (l.start_s, l.in_flight, l.standings.provisioned));
        assert_eq!(last, Some((6, 2, 3)));
        assert_eq!(a.peak_in_flight(), 3);
    }

    #[test]
    fn beyond_the_bound_neighbours_merge_and_nothing_is_lost() {
        let spans: Vec<_> = (0..50).map(|i| (i * 3, 7)).collect();
        let (fine, coarse) = (of(1000, &spans), of(8, &spans));
        assert_eq!((fine.width_s(), coarse.width_s()), (1, 32));
        assert!(coarse.levels().count() <= 8);
        assert_eq!(coarse.peak_in_flight(), fine.peak_in_flight());
        assert_eq!(coarse.levels().map(|l| l.interval.sent).sum::<u32>(), 50);
        let starts: Vec<_> = coarse.levels().map(|l| l.start_s).collect();
        assert_eq!(starts, [0, 32, 64, 96, 128]);
    }

    #[test]
    fn time_does_not_run_backwards() {
        let mut intervals = Intervals::default();
        intervals.at(Duration::from_secs(3)).sent += 1;
        intervals.at(Duration::from_secs(1)).sent += 1;
        assert_eq!(intervals.levels().map(|l| l.interval.sent).collect::<Vec<_>>(), [0, 0, 0, 2]);
    }

    proptest! {
        #[test]
        fn merging_is_commutative_whatever_the_widths(a in spans(), b in spans(), most in 2usize..9) {
            let (a, b) = (of(1000, &a), of(most, &b));
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.merge(&b);
            ba.merge(&a);
            prop_assert_eq!(ab.width_s, ba.width_s);
            prop_assert_eq!(&ab.rows, &ba.rows);
        }

        #[test]
        fn a_peak_over_shards_is_never_too_low(a in spans(), b in spans()) {
            let whole = of(1000, &[a.as_slice(), &b].concat());
            let mut sum = of(1000, &a);
            sum.merge(&of(1000, &b));
            prop_assert!(sum.peak_in_flight() >= whole.peak_in_flight());
        }
    }

    fn spans() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((0u64..60, 0u64..9), 0..12)
    }
}
