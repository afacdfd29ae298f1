//! Whether a load that was meant to be steady was steady, and its figures can be told with an interval.
//!
//! A storm is one event: what it came to is a census, not a sample, and nothing here applies to it.

use super::lateness::UNKNOWN_FLOOR_US;
use super::words::time;
use super::{Findings, Validity};
use crate::metrics::{Record, steady};
use crate::phone::Operation;

pub(super) fn judge(record: &Record, findings: &mut Findings) {
    let floor_us = record.generator.timer_floor.quantile_us(0.99).unwrap_or(UNKNOWN_FLOOR_US);
    let mut steady = steady::phases(record).peekable();
    let is_steady = steady.peek().is_some();
    for phase in steady {
        let off: Vec<String> = phase.findings(floor_us).iter().map(ToString::to_string).collect();
        if !off.is_empty() {
            let reason = format!(
                "phase `{}`: the starts are not the law they claim to be: {}; the server saw another load, so give the \
                 generator more cores or fewer phones, and leave its machine alone",
                phase.phase.name,
                off.join("; ")
            );
            findings.push((Validity::Degraded, reason));
        }
    }
    if is_steady {
        judge_intervals(record, findings);
    }
}

fn judge_intervals(record: &Record, findings: &mut Findings) {
    for operation in Operation::ALL {
        let response = &record.tally.totals.operation(operation).response;
        let Some(p99) = response.quantile_us(0.99) else { continue };
        if let Some(why) = record.response_intervals(operation).refused {
            let reason = format!(
                "{operation}: how sure its response time p99 of {} is cannot be told: {why}; let the steady load last \
                 longer, or measure what is not steady in a run of its own",
                time(p99)
            );
            findings.push((Validity::Degraded, reason));
        }
    }
}
