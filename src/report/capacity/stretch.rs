//! A stretch of a run, from its seconds.

use crate::capacity::Stretch;
use crate::metrics::{Buckets, Record};

/// What happened between two moments of a run, in seconds of real time since it began: its whole rows between them.
pub fn stretch(record: &Record, (from_s, to_s): (f64, f64)) -> Stretch {
    let width = f64::from(record.timeline.width_s);
    let (first, last) = ((from_s / width).round() as usize, (to_s / width).round() as usize);
    let rows = record.timeline.rows.get(first..last.min(record.timeline.rows.len())).unwrap_or_default();
    let mut stretch = Stretch { from_s: first as f64 * width, to_s: last as f64 * width, ..Stretch::default() };
    let mut response = Buckets::default();
    let mut sent = 0;
    for row in rows {
        stretch.finished += u64::from(row.interval.finished);
        stretch.succeeded += u64::from(row.interval.succeeded);
        sent += u64::from(row.interval.sent);
        row.response.iter().for_each(|buckets| response.merge(buckets));
    }
    let seconds = (stretch.to_s - stretch.from_s).max(width) * record.plan.compression;
    let rate = |n: u64| (n as f64 / seconds * 1e3).round() / 1e3;
    stretch.goodput_per_s = rate(stretch.succeeded);
    stretch.sent_per_s = rate(sent);
    stretch.response_p50_ms = median(&response).map(|us| f64::from(us) / 1e3);
    stretch
}

fn median(buckets: &Buckets) -> Option<u32> {
    let half = buckets.count().div_ceil(2);
    let mut below = 0;
    buckets
        .iter()
        .find(|(_, n)| {
            below += u64::from(*n);
            below >= half
        })
        .map(|(value, _)| value)
}
