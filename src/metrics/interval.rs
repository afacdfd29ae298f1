//! The run second by second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Standings;

/// What happened within one interval of real time. Everything in it adds: over shards as over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
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
    fn beside(&mut self, other: &Interval) {
        let rise = self.in_flight_rise.saturating_add(other.in_flight_rise);
        self.add(other);
        self.in_flight_rise = rise;
    }

    /// Appends the interval that follows.
    fn before(&mut self, next: &Interval) {
        let rise = self.in_flight_rise.max(self.in_flight_change.saturating_add(next.in_flight_rise));
        self.add(next);
        self.in_flight_rise = rise;
    }

    fn add(&mut self, other: &Interval) {
        let counts = [
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

    fn with_most(most: usize) -> Intervals {
        Intervals { width_s: 1, most: most.max(2), standings_before: Standings::default(), rows: Vec::new() }
    }

    pub(super) fn starting_at(standings: Standings) -> Intervals {
        Intervals { standings_before: standings, ..Intervals::default() }
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

    /// When the latest interval began.
    pub(super) fn last_start_s(&self) -> u64 {
        self.rows.len().saturating_sub(1) as u64 * u64::from(self.width_s)
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
