//! A run second by second, as a saved journal tells it: what intervals, curves and heat maps are made from.

use crate::phone::Operation;

use super::{Buckets, Interval, MachineSample};

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
}

impl Default for Timeline {
    /// Nothing is known.
    fn default() -> Self {
        Timeline { width_s: 1, rows: Vec::new(), arrivals: Vec::new() }
    }
}
