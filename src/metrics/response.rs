//! How sure the quantiles of response times are.

use super::Record;
use crate::phone::Operation;

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

impl Record {
    /// How sure the quantiles of this operation's response times are.
    pub fn response_intervals(&self, _operation: Operation) -> ResponseIntervals {
        ResponseIntervals::default()
    }
}
