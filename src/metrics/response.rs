//! How sure the quantiles of response times are.

use super::{Buckets, Record, bucket, steady};
use crate::phone::Operation;
use crate::statistics::{Refusal, Rules, Seconds};

/// Between which bounds (microseconds) quantiles of response times lie with a confidence of 95 %.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseIntervals {
    /// Of the median.
    pub p50: Option<(f64, f64)>,
    /// Of p90.
    pub p90: Option<(f64, f64)>,
    /// Of p99.
    pub p99: Option<(f64, f64)>,
    /// Why there is none of the highest of these quantiles that is told; `None` if there is one, or nothing is told.
    pub refused: Option<String>,
}

/// What happens once cannot tell how much it varies.
const ONE_EVENT: &str = "one storm is one event: repeat the run (--repeat) to learn how much it varies";

impl Record {
    /// How sure the quantiles of this operation's response times are. Nothing where no quantile is told or no seconds
    /// are known; refused where the load was no steady one.
    pub fn response_intervals(&self, operation: Operation) -> ResponseIntervals {
        let response = &self.tally.totals.operation(operation).response;
        let told: Vec<f64> = [0.5, 0.9, 0.99].into_iter().filter(|q| response.quantile_us(*q).is_some()).collect();
        if told.is_empty() || self.timeline.rows.is_empty() {
            return ResponseIntervals::default();
        }
        if steady::phases(self).next().is_none() {
            return ResponseIntervals { refused: Some(ONE_EVENT.to_owned()), ..ResponseIntervals::default() };
        }
        let rows: Vec<&Buckets> = self.timeline.response(operation).collect();
        // Before the first and after the last there was nothing to be measured.
        let busy = |rows: &Buckets| !rows.as_slice().is_empty();
        let first = rows.iter().position(|row| busy(row)).unwrap_or(0);
        let last = rows.iter().rposition(|row| busy(row)).map_or(0, |last| last + 1);
        let seconds = Seconds::new(rows[first..last].iter().map(|row| row.as_slice()));
        let rules = Rules { seed: self.plan.seed, ..Rules::default() };
        let mut intervals = ResponseIntervals::default();
        for q in told {
            let interval = seconds.interval(q, &rules);
            intervals.refused = interval.as_ref().err().map(Refusal::to_string);
            // Each is the lowest value of its bucket; quantiles are told as the highest of theirs.
            let bounds = interval.ok().map(|i| (i.low, f64::from(bucket::highest(i.high as u32))));
            match q {
                0.5 => intervals.p50 = bounds,
                0.9 => intervals.p90 = bounds,
                _ => intervals.p99 = bounds,
            }
        }
        intervals
    }
}
