//! Whether the generator's threads had the cores they needed, in the seconds that the figures are made of.
//!
//! A second in which a thread worked or waited for a core nearly all the time is one in which whatever came in had to
//! queue for it, answers too, and then service times are the generator's as well. That a *core* is busy is no harm by
//! itself: the server under test may run on it, and give way whenever the generator wants it.

use super::words::percent;
use super::{Findings, Validity};
use crate::metrics::{MachineSample, Record};

/// Above this share of its time, what a thread measures is the queue before it.
const SATURATED: f64 = 0.9;
/// Above this share, a thread has no room for a burst.
const BUSY: f64 = 0.8;
/// Seconds with fewer of the operations than this do not make the figures: a start-up, a straggler.
const MATTERS: f64 = 0.1;
/// Loops may come late by this share of a response time that is reported.
const LAG_SHARE: f64 = 0.05;
/// More than this share of the time given to other machines makes the seconds unequal.
const STEAL: f64 = 0.02;

/// A second that was looked at: how much of the run fell into it.
struct Second<'r> {
    weight: f64,
    machine: &'r MachineSample,
}

/// What one thread wanted of its core in the seconds that matter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    /// Share of the time it ran.
    pub(super) busy: f64,
    /// Share of the time it could have run and had no core.
    pub(super) waited: f64,
}

impl Demand {
    fn total(self) -> f64 {
        (self.busy + self.waited).min(1.0)
    }

    /// Whether it was others who had the core.
    fn is_kept_waiting(self) -> bool {
        self.waited > 0.25 * self.total()
    }
}

/// A machine's second without a weight says nothing; one without work neither.
fn seconds(record: &Record) -> Vec<Second<'_>> {
    let rows = record.timeline.rows.iter();
    let looked_at = rows.filter_map(|row| {
        let weight = f64::from(row.interval.started) + f64::from(row.interval.finished);
        row.machine.as_ref().filter(|_| weight > 0.0).map(|machine| Second { weight, machine })
    });
    looked_at.collect()
}

/// The thread that wanted most of its core in a second, and how much.
fn worst(machine: &MachineSample) -> (usize, Demand) {
    let demands = machine.shards.iter().map(|s| Demand { busy: s.busy.into(), waited: s.waited.into() });
    demands.enumerate().max_by(|a, b| a.1.total().total_cmp(&b.1.total())).unwrap_or_default()
}

/// What the shards' threads wanted and did not get, averaged over the run's operations: the worst of them. `None` if
/// nobody looked.
pub(super) fn average(record: &Record) -> Option<Demand> {
    let seconds = seconds(record);
    let shards = seconds.iter().map(|s| s.machine.shards.len()).max()?;
    let of = |shard: usize| {
        let seen = seconds.iter().filter_map(|s| s.machine.shards.get(shard).map(|thread| (s.weight, thread)));
        let (all, busy, waited) = seen.fold((0.0, 0.0, 0.0), |(all, busy, waited), (weight, thread)| {
            (all + weight, busy + weight * f64::from(thread.busy), waited + weight * f64::from(thread.waited))
        });
        Demand { busy: busy / f64::max(all, 1.0), waited: waited / f64::max(all, 1.0) }
    };
    (0..shards).map(of).max_by(|a, b| a.waited.total_cmp(&b.waited))
}

pub(super) fn judge(record: &Record, findings: &mut Findings) {
    let mut looks = record.timeline.rows.iter().filter_map(|row| row.machine.as_ref());
    if looks.all(|machine| machine.shards.is_empty()) {
        return judge_average(record, findings);
    }
    let seconds = seconds(record);
    let all: f64 = seconds.iter().map(|s| s.weight).sum();
    if seconds.is_empty() {
        return;
    }
    let beyond = |bound: f64| -> (f64, usize, Demand) {
        let above = seconds.iter().map(|s| (s.weight, worst(s.machine))).filter(|(_, (_, d))| d.total() > bound);
        let above: Vec<_> = above.collect();
        let weight: f64 = above.iter().map(|(weight, _)| weight).sum();
        let mean = |of: fn(Demand) -> f64| above.iter().map(|(w, (_, d))| w * of(*d)).sum::<f64>() / weight.max(1.0);
        let shard = above.iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, (shard, _))| *shard);
        (weight / all, shard, Demand { busy: mean(|d| d.busy), waited: mean(|d| d.waited) })
    };
    for (bound, state) in [(SATURATED, Validity::Invalid), (BUSY, Validity::Degraded)] {
        let (share, shard, demand) = beyond(bound);
        if share < MATTERS {
            continue;
        }
        // A thread that waits for its core is late by so much and no more; an embedded server has to run somewhere.
        let harmless = demand.is_kept_waiting() && (record.plan.embedded || !lag_matters(record));
        let state = if harmless { Validity::Degraded } else { state };
        findings.push((state, saturated(state, share, shard, demand)));
        break;
    }
    judge_steal(&seconds, all, findings);
}

/// Whether the loops came late by a good part of any response time that is told as p99.
pub(super) fn lag_matters(record: &Record) -> bool {
    let lag = record.generator.loop_lag.quantile_us(0.99).or(record.generator.loop_lag.max_us());
    let told = record.tally.totals.operations.iter().filter_map(|o| o.response.quantile_us(0.99)).min();
    lag.zip(told).is_none_or(|(lag, told)| lag as f64 > LAG_SHARE * told as f64)
}

fn saturated(state: Validity, share: f64, shard: usize, demand: Demand) -> String {
    let when = format!("in the seconds in which {} of the operations fell", percent(share));
    let (wanted, busy) = (percent(demand.total()), percent(demand.busy));
    if demand.is_kept_waiting() {
        return format!(
            "the thread of shard {shard} wanted a core {wanted} of the time and had one {busy} of it, {when}: something \
             else on the generator's machine held the cores; stop it, or run the generator (or the server under test) \
             elsewhere"
        );
    }
    let consequence = match state {
        Validity::Invalid => "the generator was the limit",
        _ => "bursts may have waited for it",
    };
    format!(
        "the busiest shard's thread used {busy} of its core {when}: {consequence}; use more cores (--shards) or a faster \
         machine, or fewer phones"
    )
}

/// Without looks at the machine, all there is is the whole run's average.
fn judge_average(record: &Record, findings: &mut Findings) {
    let busy = record.generator.cpu_busy_max.max(record.generator.cpu_busy);
    let told = format!("the busiest shard's thread used {:.0} % of its core", busy * 100.0);
    if busy > SATURATED {
        let advice = "use more cores (--shards) or a faster machine, or fewer phones";
        findings.push((Validity::Invalid, format!("{told}: the generator was the limit; {advice}")));
    } else if busy > BUSY {
        findings.push((Validity::Degraded, format!("{told}: bursts may have waited for it")));
    }
}

fn judge_steal(seconds: &[Second<'_>], all: f64, findings: &mut Findings) {
    let cores = seconds.iter().map(|s| s.machine.cores.len()).max().unwrap_or(0);
    let of = |core: usize| {
        let stolen = seconds.iter().map(|s| s.weight * s.machine.cores.get(core).map_or(0.0, |c| f64::from(c.steal)));
        stolen.sum::<f64>() / all
    };
    let worst = (0..cores).map(of).fold(0.0, f64::max);
    if worst > STEAL {
        let reason = format!(
            "the hypervisor gave {} of a core's time to other machines while the operations ran: what waited for it looks \
             like the server's delay; use a machine (or an instance type) that need not share its cores",
            percent(worst)
        );
        findings.push((Validity::Degraded, reason));
    }
}
