//! Nothing vanishes: planned = started + dropped, second by second and at the end.

use super::{Findings, Validity};
use crate::metrics::{Record, Timeline, unbalanced};

pub(super) fn judge(record: &Record, findings: &mut Findings) {
    let totals = &record.tally.totals;
    let mut faults = Vec::new();
    if totals.phones != record.plan.phones {
        faults.push(format!("the plan has {} phones, the shards had {}", record.plan.phones, totals.phones));
    }
    faults.extend(unbalanced(totals));
    faults.extend(broken_second(&record.timeline));
    faults.extend(lost_seconds(record));
    for fault in faults {
        let reason = format!(
            "the counts do not add up: {fault}; this is a fault of bootstorm itself, please report it, and do not use \
             these figures"
        );
        findings.push((Validity::Invalid, reason));
    }
}

/// The first second after which more has begun than was planned, or more ended than begun.
fn broken_second(timeline: &Timeline) -> Option<String> {
    let (mut waiting, mut under_way, mut in_flight) = (0_i64, 0_i64, 0_i64);
    for (row, second) in timeline.rows.iter().zip((0_u64..).step_by(timeline.width_s.max(1) as usize)) {
        let i = &row.interval;
        waiting += i64::from(i.planned) - i64::from(i.started) - i64::from(i.dropped);
        under_way += i64::from(i.started) - i64::from(i.finished);
        in_flight += i64::from(i.in_flight_change);
        let fault = match (waiting < 0, under_way < 0, in_flight < 0) {
            (true, ..) => format!("{} operations more were begun or dropped than planned", -waiting),
            (_, true, _) => format!("{} operations more had ended than begun", -under_way),
            (.., true) => format!("{} exchanges more had ended than begun", -in_flight),
            _ => continue,
        };
        return Some(format!("by the end of second {second}, {fault}"));
    }
    None
}

/// The seconds of a journal, added up, are the whole run.
fn lost_seconds(record: &Record) -> Option<String> {
    let rows = &record.timeline.rows;
    if rows.is_empty() {
        return None;
    }
    let totals = &record.tally.totals;
    let operations = &totals.operations;
    let sum = |of: fn(&crate::metrics::Interval) -> u32| rows.iter().map(|row| u64::from(of(&row.interval))).sum();
    let counts: [(&str, u64, u64); 4] = [
        ("operations planned", sum(|i| i.planned), operations.iter().map(|o| o.planned).sum()),
        ("operations started", sum(|i| i.started), operations.iter().map(|o| o.started).sum()),
        ("operations dropped", sum(|i| i.dropped), operations.iter().map(|o| o.dropped()).sum()),
        ("exchanges sent", sum(|i| i.sent), totals.exchanges.sent),
    ];
    let differs = counts.into_iter().find(|(_, seconds, whole)| seconds != whole);
    differs.map(|(what, seconds, whole)| format!("{whole} {what} in all, but {seconds} when its seconds are added up"))
}
