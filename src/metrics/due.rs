//! What the plan wants done, second by second: against it is held what the generator did.

use serde::{Deserialize, Serialize};

use super::Timeline;
use crate::workload::{End, Plan, Start};

/// How many starts of the plan are due in which second of real time. Those due when the run is over are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Seconds of real time in each row: 1, or for very long plans a power of two.
    pub width_s: u32,
    /// Starts due in each row, from the run's beginning to the last start.
    pub starts: Vec<u32>,
    /// Most starts due within one millisecond.
    pub burst: u32,
}

impl Due {
    /// What this plan wants, of whose starts (all of them are taken) those after its end do not count.
    pub fn of(plan: &Plan, starts: impl IntoIterator<Item = Start>) -> Due {
        let end = match plan.end {
            End::After(end) | End::Settled { limit: end } => end,
        };
        let starts = starts.into_iter().map(|start| start.at.as_micros());
        let starts = starts.filter(|us| u128::from(*us) < end.as_micros());
        Due::at(starts.map(|us| (us as f64 / plan.compression) as u64))
    }

    /// Starts at these moments (microseconds of real time), in order.
    pub fn at(moments: impl IntoIterator<Item = u64>) -> Due {
        let mut due = Due { width_s: 1, ..Due::default() };
        let (mut ms, mut within) = (u64::MAX, 0);
        for us in moments {
            let row = |width_s: u32| usize::try_from(us / 1_000_000 / u64::from(width_s)).unwrap_or(usize::MAX);
            while row(due.width_s) >= Timeline::ROWS {
                due.width_s = due.width_s.saturating_mul(2);
                due.starts = due.starts.chunks(2).map(|pair| pair.iter().sum()).collect();
            }
            let row = row(due.width_s);
            if row >= due.starts.len() {
                due.starts.resize(row + 1, 0);
            }
            due.starts[row] = due.starts[row].saturating_add(1);
            within = if us / 1_000 == ms { within + 1 } else { 1 };
            ms = us / 1_000;
            due.burst = due.burst.max(within);
        }
        due
    }

    /// All starts.
    pub fn total(&self) -> u64 {
        self.starts.iter().map(|n| u64::from(*n)).sum()
    }

    /// The same in rows of this width, if that is a multiple of its own; `None` if it is not.
    pub fn in_rows_of(&self, width_s: u32) -> Option<Vec<u64>> {
        let own = self.width_s.max(1);
        let times = usize::try_from(width_s / own).unwrap_or(0);
        let fits = times > 0 && width_s.is_multiple_of(own);
        fits.then(|| self.starts.chunks(times).map(|rows| rows.iter().map(|n| u64::from(*n)).sum()).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::workload::{Overrides, parse};

    #[test]
    fn seconds_and_bursts_are_counted_in_real_time() {
        let due = Due::at([0, 10, 999, 1_000, 1_500_000, 4_000_000]);
        assert_eq!((due.starts.as_slice(), due.burst, due.total()), (&[4, 1, 0, 0, 1][..], 3, 6));
        assert_eq!(due.in_rows_of(2), Some(vec![5, 0, 1]));
        let long = Due::at((0..20_000).map(|s| s * 1_000_000));
        assert_eq!((long.width_s, long.starts.len(), long.total()), (4, 5_000, 20_000));
        assert_eq!((long.in_rows_of(2), long.in_rows_of(8).map(|rows| rows[0])), (None, Some(8)));
    }

    #[test]
    fn what_is_due_when_the_run_is_over_is_not_due() {
        let text = "[run]\nduration = \"10s\"\ncompression = 2\n[target]\nembedded = true\n[[fleet]]\n\
                    family = \"cisco-mpp\"\ncount = 100\n[[phase]]\ndoes = \"power-up\"\narrival = { constant = \"4/s\" }\n";
        let plan = parse(text, "w.toml", Path::new(""), &Overrides::default()).unwrap();
        assert_eq!(Due::of(&plan, plan.starts(0, 1)), Due { width_s: 1, starts: vec![8; 5], burst: 1 });
    }
}
