//! Whether the load was the one asked for: as many starts as were due, and when they were due.

use super::words::percent;
use super::{Findings, Validity};
use crate::metrics::Record;

/// More than this share of what was due is another load.
const SHARE: f64 = 0.01;
/// Stretches of so many rows are looked at: what is late and made up for within the run is another load as well.
const STRETCH: usize = 10;
/// So many rows later at the latest, a start counts as delivered in its stretch: less than that is lateness, which is
/// judged as such.
const GRACE: usize = 1;
/// A single start that comes late is lateness too.
const FEWEST: f64 = 1.0;

pub(super) fn judge(record: &Record, findings: &mut Findings) {
    let timeline = &record.timeline;
    let Some(due) = record.plan.due.in_rows_of(timeline.width_s) else { return };
    let delivered: Vec<u64> = timeline.rows.iter().map(|row| u64::from(row.interval.starts)).collect();
    let (due, delivered) = (running(&due), running(&delivered));
    let known = known_rows(record, &delivered);
    if due.is_empty() || known == 0 {
        return;
    }
    if let Some(reason) = at_the_end(record, &due, &delivered) {
        findings.push((Validity::Invalid, reason));
    } else if let Some(reason) = on_the_way(timeline.width_s, &due[..known.min(due.len())], &delivered[..known]) {
        findings.push((Validity::Invalid, reason));
    }
}

/// Sums up to the end of each row.
fn running(rows: &[u64]) -> Vec<u64> {
    let sums = rows.iter().scan(0, |sum, n| {
        *sum += n;
        Some(*sum)
    });
    sums.collect()
}

/// How many rows are known to the end: all of a run that ended by itself; of one that was interrupted or killed those
/// before the last in which anything was delivered.
fn known_rows(record: &Record, delivered: &[u64]) -> usize {
    let all = delivered.len();
    if !record.marks.partial && record.marks.ends_at_ms.is_none() {
        return all;
    }
    let end = delivered.last().copied().unwrap_or(0);
    delivered.partition_point(|sum| *sum < end).min(all.saturating_sub(1))
}

fn at_the_end(record: &Record, due: &[u64], delivered: &[u64]) -> Option<String> {
    if record.marks.partial || record.marks.ends_at_ms.is_some() {
        return None;
    }
    let (due, delivered) = (*due.last()?, *delivered.last()?);
    let off = due.abs_diff(delivered) as f64;
    (off > SHARE * due as f64 && off > FEWEST).then(|| {
        format!(
            "{delivered} starts were delivered and {due} were due by the end ({} off): the generator could not keep the \
             plan's rate; give it more cores or fewer phones",
            percent(off / due.max(1) as f64)
        )
    })
}

/// The worst stretch at whose end more than its share was still not delivered a little later.
fn on_the_way(width_s: u32, due: &[u64], delivered: &[u64]) -> Option<String> {
    let last = *delivered.last()?;
    let by = |row: usize| delivered.get(row).copied().unwrap_or(last);
    let stretches = (0..due.len()).filter(|end| end + GRACE < delivered.len()).filter_map(|end| {
        let before = end.checked_sub(STRETCH).map_or(0, |row| due[row]);
        let (wanted, missing) = (due[end] - before, due[end].saturating_sub(by(end + GRACE)));
        let off = missing as f64 / wanted.max(1) as f64;
        (missing as f64 > FEWEST && off > SHARE).then_some((off, wanted, missing, end))
    });
    let (off, wanted, missing, end) = stretches.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let second = |row: usize| row as u64 * u64::from(width_s);
    let begin = second((end + 1).saturating_sub(STRETCH));
    Some(format!(
        "the generator fell behind its plan: {wanted} starts were due from second {begin} to {}, and {missing} starts \
         ({}) were more than {width_s} s late then; that they were made up for later is another load than the one asked \
         for: give the generator more cores or fewer phones, and leave its machine alone",
        second(end + 1),
        percent(off.min(1.0)),
    ))
}
