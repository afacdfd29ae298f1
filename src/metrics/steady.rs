//! The phases of a run whose load was meant to be steady, and lasted long enough to be looked at as such.

use super::{Law, PhaseFacts, Record, Timeline};
use crate::statistics::arrivals::{self, Finding, Window, check_arrivals};

/// A steady phase that is over sooner is an event, as a storm is: it has no long run.
pub(super) const LEAST_S: f64 = 10.0;

/// A phase with its arrivals and the time they were to take.
pub(super) struct Steady<'r> {
    pub(super) phase: &'r PhaseFacts,
    arrivals: &'r [u64],
    window: Window,
}

/// The steady phases of a run.
pub(super) fn phases(record: &Record) -> impl Iterator<Item = Steady<'_>> {
    let timeline = &record.timeline;
    let known_us = record.timeline.rows.len() as u64 * u64::from(timeline.width_s) * 1_000_000;
    let whole = !record.marks.partial && record.marks.ends_at_ms.is_none();
    record.plan.phases.iter().zip(&timeline.arrivals).filter_map(move |(phase, arrivals)| {
        let cut = !whole || arrivals.len() >= Timeline::ARRIVALS;
        let last = arrivals.last()? + 1;
        let us = match phase.law {
            Law::Given => return None,
            Law::Constant { rate } => arrivals.len() as f64 / rate * 1e6,
            Law::Poisson { over_s, .. } => over_s * 1e6,
        };
        // What was interrupted tells of the time up to its last arrival.
        let meant = phase.at_us.saturating_add(us as u64);
        let end_us = if cut { meant.min(last) } else { meant.min(known_us.max(last)) };
        let window = Window { start_us: phase.at_us, end_us };
        let within = arrivals.partition_point(|at| *at < end_us);
        let before = arrivals.partition_point(|at| *at < phase.at_us);
        let lasts_s = end_us.saturating_sub(phase.at_us) as f64 / 1e6;
        (lasts_s >= LEAST_S).then(|| Steady { phase, arrivals: &arrivals[before.min(within)..within], window })
    })
}

impl Steady<'_> {
    /// In which ways its arrivals are not what they claim to be. `floor_us`: how late a timer of this machine comes by
    /// itself; what is finer than that nobody could do better.
    pub(super) fn findings(&self, floor_us: u64) -> Vec<Finding> {
        let (law, rate) = match self.phase.law {
            Law::Given => return Vec::new(),
            Law::Constant { rate } => (arrivals::Law::Constant { rate_per_s: rate }, rate),
            Law::Poisson { rate, .. } => (arrivals::Law::Poisson { rate_per_s: rate }, rate),
        };
        let gap_us = 1e6 / rate;
        let matters = |finding: &Finding| match *finding {
            Finding::UnevenGaps { mean_deviation } => mean_deviation * gap_us > floor_us as f64,
            Finding::Stalls { longest_us, .. } => longest_us as f64 > gap_us + 2.0 * floor_us as f64,
            _ => true,
        };
        let mut findings = check_arrivals(self.arrivals, law, self.window);
        findings.retain(matters);
        findings
    }
}
