//! A run second by second, as a saved journal tells it: what intervals, curves and heat maps are made from.

use std::time::Duration;

use crate::phone::Operation;

use super::{Buckets, Interval, MachineSample, Slice};

/// The run in rows of equal width. Made when a journal is read, never while a run is on: a run's memory does not grow.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Seconds of real time in each row: 1, or for very long runs a power of two.
    pub width_s: u32,
    /// In order, without gaps, from the run's beginning.
    pub rows: Vec<Row>,
    /// When each phase's starts reached their phones: microseconds of real time since the run began, rising; by
    /// phase, at most [`Timeline::ARRIVALS`] each (the first ones).
    pub arrivals: Vec<Vec<u64>>,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What happened, counted.
    pub interval: Interval,
    /// Response times of the operations that *ended* in it, in the order of [`Operation::ALL`].
    pub response: [Buckets; Operation::ALL.len()],
    /// Operations that waited to begin when it ended.
    pub backlog: u64,
    /// The last look at the machine in it.
    pub machine: Option<MachineSample>,
}

impl Timeline {
    /// Most arrivals kept of one phase.
    pub const ARRIVALS: usize = 200_000;
    /// Most rows: two hours of seconds. Beyond, neighbours are merged.
    pub const ROWS: usize = 7_200;

    /// The response times of one kind of operation, row by row.
    pub fn response(&self, operation: Operation) -> impl Iterator<Item = &Buckets> {
        self.rows.iter().map(move |row| &row.response[operation.index()])
    }

    /// Appends a slice of the whole run. Slices come in order.
    pub fn add(&mut self, slice: &Slice) {
        let begins = slice.begins();
        let row = self.row(begins);
        row.interval.before(&slice.interval);
        row.backlog = slice.backlog;
        for (mine, theirs) in row.response.iter_mut().zip(&slice.totals.operations) {
            mine.merge(&theirs.response.buckets());
        }
        let begins_us = u64::try_from(begins.as_micros()).unwrap_or(u64::MAX);
        for arrivals in &slice.arrivals {
            let phase = usize::from(arrivals.phase);
            if self.arrivals.len() <= phase {
                self.arrivals.resize(phase + 1, Vec::new());
            }
            let kept = &mut self.arrivals[phase];
            let room = Timeline::ARRIVALS.saturating_sub(kept.len());
            kept.extend(arrivals.at_us.iter().take(room).map(|us| begins_us.saturating_add((*us).into())));
        }
    }

    /// Takes in a look at the machine.
    pub fn look(&mut self, sample: &MachineSample) {
        // It tells of the second before it: the one that ends with it.
        let at = Duration::from_millis(sample.at_ms.saturating_sub(1));
        self.row(at).machine = Some(sample.clone());
    }

    /// The run lasted until then: rows in which nothing happened are there as well.
    pub fn until(&mut self, wall: Duration) {
        if let Some(before) = wall.checked_sub(Duration::from_nanos(1)) {
            self.row(before);
        }
    }

    /// The row of this moment. A moment earlier than the last row keeps its place.
    fn row(&mut self, at: Duration) -> &mut Row {
        let index = |width_s: u32| usize::try_from(at.as_secs() / u64::from(width_s)).unwrap_or(usize::MAX);
        while index(self.width_s) >= Timeline::ROWS {
            self.coarsen();
        }
        let index = index(self.width_s);
        if index >= self.rows.len() {
            // Who waits goes on waiting while nothing happens.
            let backlog = self.rows.last().map_or(0, |row| row.backlog);
            self.rows.resize(index + 1, Row { backlog, ..Row::default() });
        }
        &mut self.rows[index]
    }

    fn coarsen(&mut self) {
        self.width_s = self.width_s.saturating_mul(2);
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        while let Some(mut first) = rows.next() {
            if let Some(next) = rows.next() {
                first.before(next);
            }
            self.rows.push(first);
        }
    }
}

impl Row {
    /// Appends the row that follows.
    fn before(&mut self, next: Row) {
        self.interval.before(&next.interval);
        self.response.iter_mut().zip(&next.response).for_each(|(mine, theirs)| mine.merge(theirs));
        self.backlog = next.backlog;
        self.machine = next.machine.or(self.machine.take());
    }
}

impl Default for Timeline {
    /// Nothing is known.
    fn default() -> Self {
        Timeline { width_s: 1, rows: Vec::new(), arrivals: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Arrivals;

    fn slice(number: u64, response_ms: &[u64]) -> Slice {
        let mut slice = Slice { number, backlog: number, ..Slice::default() };
        slice.interval.finished = response_ms.len() as u32;
        let response = &mut slice.totals.operations[0].response;
        response_ms.iter().for_each(|ms| response.record(Duration::from_millis(*ms)));
        slice.arrivals = vec![Arrivals { phase: 1, at_us: vec![7] }];
        slice
    }

    #[test]
    fn slices_become_rows_of_a_second_and_gaps_stay() {
        let mut timeline = Timeline::default();
        for (number, response) in [(0, [5, 6]), (1, [5, 7]), (6, [9, 9])] {
            timeline.add(&slice(number, &response));
        }
        timeline.look(&MachineSample { at_ms: 1000, rss_bytes: 3, ..MachineSample::default() });
        timeline.until(Duration::from_millis(4_001));
        let finished: Vec<_> = timeline.rows.iter().map(|r| r.interval.finished).collect();
        assert_eq!(finished, [4, 0, 0, 2, 0]);
        let counts: Vec<_> = timeline.response(Operation::ALL[0]).map(Buckets::count).collect();
        assert_eq!(counts, [4, 0, 0, 2, 0]);
        assert_eq!(timeline.rows.iter().map(|row| row.backlog).collect::<Vec<_>>(), [1, 1, 1, 6, 6]);
        assert_eq!(timeline.rows[0].machine.as_ref().map(|m| m.rss_bytes), Some(3));
        assert_eq!(timeline.arrivals, [vec![], vec![7, 500_007, 3_000_007]]);
    }

    #[test]
    fn a_very_long_run_gets_wider_rows_and_loses_nothing() {
        let mut timeline = Timeline::default();
        let slices = 5 * Timeline::ROWS as u64;
        for number in (0..slices).step_by(100) {
            timeline.add(&slice(number, &[1]));
        }
        assert!(timeline.rows.len() <= Timeline::ROWS && timeline.width_s == 4, "{}", timeline.rows.len());
        let finished: u32 = timeline.rows.iter().map(|r| r.interval.finished).sum();
        assert_eq!(u64::from(finished), slices.div_ceil(100));
    }
}
