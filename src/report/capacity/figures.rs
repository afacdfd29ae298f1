//! What one probe came to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metrics::{Distribution, Record};
use crate::phone::Fault;
use crate::report::summary::{Named, Summary, Threshold};

/// A probe in figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Operations that began.
    pub started: u64,
    /// Operations that ended `ok`.
    pub succeeded: u64,
    /// Operations that failed: by the server's, the network's or the generator's fault, not by a phone's own setup.
    pub failed: u64,
    /// The same as a share of those that began.
    pub failed_share: Option<f64>,
    /// Operations that ended otherwise than `ok`, by outcome.
    pub outcomes: Named,
    /// Whose fault each of these outcomes is.
    pub faults: BTreeMap<String, String>,
    /// Exchanges answered, by status.
    pub status: Named,
    /// Median response time over all operations, in milliseconds.
    pub response_p50_ms: Option<f64>,
    /// 99 % of the operations took less.
    pub response_p99_ms: Option<f64>,
    /// Where the time of an exchange went: the mean of each part, in milliseconds.
    pub phases_ms: BTreeMap<String, f64>,
    /// Until the last phone that came through was provisioned, in seconds of real time; null if no power returned.
    pub drain_s: Option<f64>,
    /// `ok` operations per second of phone time, from the first start to the last end.
    pub throughput_per_s: Option<f64>,
    /// Operations that ended `ok` under way at once, on average: Little's law.
    pub concurrency: Option<f64>,
    /// Most of a second that the busiest core of this machine was busy, whoever used it; 0 to 1.
    pub core_busy: Option<f64>,
    /// By how much the generator's loops came late at p99, in milliseconds: what its cores took from it.
    pub loop_lag_p99_ms: Option<f64>,
    /// How long the run took, in seconds of real time.
    pub wall_s: f64,
    /// The thresholds, checked.
    pub thresholds: Vec<Threshold>,
}

impl Figures {
    /// The figures of a run.
    pub fn of(record: &Record, summary: &Summary) -> Figures {
        let operations = &record.tally.totals.operations;
        let (mut response, mut ok) = (Distribution::new(), Distribution::new());
        let mut outcomes = Named::new();
        let (mut faults, mut failed) = (BTreeMap::new(), 0);
        for operation in operations {
            response.merge(&operation.response);
            ok.merge(&operation.response_ok);
            for (outcome, n) in operation.outcomes.iter().filter(|(outcome, _)| !outcome.is_success()) {
                *outcomes.entry(outcome.name().into_owned()).or_default() += n;
                faults.insert(outcome.name().into_owned(), outcome.fault().name().to_owned());
                failed += if matches!(outcome.fault(), Fault::Phone | Fault::None) { 0 } else { *n };
            }
        }
        let started: u64 = operations.iter().map(|o| o.started).sum();
        let succeeded: u64 = operations.iter().map(|o| o.succeeded()).sum();
        let span = span_s(record);
        let per_second = span.map(|span| succeeded as f64 / span);
        let phases = record.tally.totals.exchanges.phases.named().filter(|(name, _)| *name != "total");
        let ms = |us: f64| (us / 10.0).round() / 100.0;
        Figures {
            started,
            succeeded,
            failed,
            failed_share: (started > 0).then(|| decimals(failed as f64 / started as f64, 1e6)),
            outcomes,
            faults,
            status: summary.exchanges.status.clone(),
            response_p50_ms: response.quantile_us(0.5).map(|us| ms(us as f64)),
            response_p99_ms: response.quantile_us(0.99).map(|us| ms(us as f64)),
            phases_ms: phases.filter_map(|(name, d)| Some((name.to_owned(), ms(d.mean_us()?)))).collect(),
            drain_s: summary.storm.drain_s.filter(|_| summary.storm.phones > 0),
            throughput_per_s: per_second.map(|n| decimals(n / record.plan.compression, 1e3)),
            concurrency: per_second.zip(ok.mean_us()).map(|(n, us)| decimals(n * us / 1e6, 1e6)),
            core_busy: summary.generator.core_busy_max.values().copied().reduce(f64::max),
            loop_lag_p99_ms: summary.generator.loop_lag_ms.p99,
            wall_s: summary.wall_s,
            thresholds: summary.thresholds.clone(),
        }
    }
}

/// From the second of the first start to that of the last end, at least one; `None` if nothing began.
fn span_s(record: &Record) -> Option<f64> {
    let rows: Vec<_> = record.tally.intervals.levels().map(|level| level.interval).collect();
    let first = rows.iter().position(|row| row.started > 0)?;
    let last = rows.iter().rposition(|row| row.started > 0 || row.finished > 0)?;
    let width = f64::from(record.tally.intervals.width_s());
    let whole = (last + 1 - first) as f64 * width;
    // The last second is not over when the run is.
    let end = record.wall.as_secs_f64().min((last + 1) as f64 * width);
    Some((end - first as f64 * width).clamp(1.0_f64.min(whole), whole))
}

fn decimals(value: f64, power: f64) -> f64 {
    (value * power).round() / power
}
