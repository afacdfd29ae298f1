//! `capacity.json`: versioned as `summary.json` is, units in the names, keys only ever added.

use serde::{Deserialize, Serialize};

use super::{Broke, Figures};
use crate::capacity::usl::{self, Estimate, NoFit, Usl};
use crate::capacity::{Answer, Found, Harder, Recovery, Stretch};
use crate::metrics::{Validity, Verdict};
use crate::report::compare::median;
use crate::report::summary::Workload;
use crate::workload::Measure;

/// A search, from what was asked to what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`crate::report::summary::SCHEMA_VERSION`] of the build that wrote it.
    pub schema_version: u32,
    /// Version of bootstorm that wrote it.
    pub version: String,
    /// What was run, before the key was varied.
    pub workload: Workload,
    /// All chance followed from this, in every probe.
    pub seed: u64,
    /// When it began: UTC, RFC 3339, whole seconds.
    pub started_at: String,
    /// How long it took, in seconds of real time.
    pub wall_s: f64,
    /// What the phones talked to.
    pub target: String,
    /// Whether all of it was computed in virtual time.
    pub in_virtual_time: bool,
    /// Whether it was interrupted: then nothing is found.
    pub partial: bool,
    /// Seconds of phone time per second of real time.
    pub compression: f64,
    /// What was asked.
    pub sought: Sought,
    /// The workload's thresholds, as typed.
    pub thresholds: Vec<String>,
    /// What was found; null if it was interrupted before.
    pub found: Option<Found>,
    /// What kept the generator from measuring more, where that was the limit.
    pub bound: Option<Bound>,
    /// What broke first, and whose fault it is.
    pub broke: Option<Broke>,
    /// What became of the server beyond its knee, when the load was taken away.
    pub recovery: Option<Recovered>,
    /// Why that is not known.
    pub no_recovery: Option<String>,
    /// The universal scalability law, fitted to the curve.
    pub scalability: Option<Usl>,
    /// Why there is no fit.
    pub no_scalability: Option<NoFit>,
    /// Load by load, from the easiest to the hardest.
    pub curve: Vec<Point>,
    /// Every probe, in order.
    pub probes: Vec<Probe>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sought {
    /// The key.
    pub find: String,
    /// What its values are.
    pub measure: Measure,
    /// The end of the range that is easiest for the server.
    pub easiest: f64,
    /// The hardest end.
    pub hardest: f64,
    /// Which way is harder.
    pub harder: Harder,
    /// How close the two loads around the knee were to be.
    pub tolerance: f64,
    /// Around the knee the majority of so many probes decided.
    pub repeats: u32,
    /// Seconds of real time between two probes.
    pub rest_s: f64,
}

/// What bound the generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// `cores`, `ports`, `files`, or `books` where the counts did not add up.
    pub what: String,
    /// In whole sentences, as the probe's verdict or the machine's limits have it.
    pub reasons: Vec<String>,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// From 1.
    pub number: u32,
    /// The key's value.
    pub load: f64,
    /// `met`, `missed`, or `not-counted` where the probe says nothing of the server.
    pub answer: String,
    /// Its folder, beside this file; null if it kept none.
    pub folder: Option<String>,
    /// The run's judgement of itself.
    pub verdict: Verdict,
    /// Thresholds it crossed, each with what it was.
    pub crossed: Vec<String>,
    /// Its figures; null if it could not be made.
    pub figures: Option<Figures>,
}

/// One load of the curve: medians of the probes there that count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The key's value.
    pub load: f64,
    /// Probes that met the thresholds.
    pub met: u32,
    /// Probes that missed one.
    pub missed: u32,
    /// Probes that say nothing of the server.
    pub not_counted: u32,
    /// Median response time over all operations, in milliseconds.
    pub response_p50_ms: Option<f64>,
    /// 99 % of the operations took less.
    pub response_p99_ms: Option<f64>,
    /// Share of the operations that failed.
    pub failed_share: Option<f64>,
    /// Until the last phone that came through was provisioned, in seconds of real time.
    pub drain_s: Option<f64>,
    /// `ok` operations per second of phone time.
    pub throughput_per_s: Option<f64>,
    /// Operations under way at once, on average, that ended `ok` (by Little's law).
    pub concurrency: Option<f64>,
}

/// What became of the server beyond its knee, when the load was taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recovered {
    /// The judgement.
    pub judgement: Recovery,
    /// The load before and after.
    pub base: f64,
    /// The load beyond the knee.
    pub beyond: f64,
    /// The four parts: before, beyond the knee, taken away, after.
    pub parts: [Stretch; 4],
    /// Operations that phones left off because power returned to them once more; finished and not ok in the parts.
    #[serde(default)]
    pub left_off: u64,
    /// Its folder, beside this file; null if it kept none.
    pub folder: Option<String>,
    /// The run's judgement of itself.
    pub verdict: Verdict,
}

impl Probe {
    /// The word for an answer.
    pub const fn word(answer: Answer) -> &'static str {
        match answer {
            Answer::Met => "met",
            Answer::Missed => "missed",
            Answer::Blind => "not-counted",
        }
    }

    /// Whether it says something of the server.
    pub fn counts(&self) -> bool {
        self.answer != Probe::word(Answer::Blind)
    }
}

impl Point {
    /// The curve of these probes, from the easiest load to the hardest.
    pub fn curve(probes: &[Probe], harder: Harder) -> Vec<Point> {
        let mut loads: Vec<f64> = probes.iter().map(|probe| probe.load).collect();
        loads.sort_by(f64::total_cmp);
        loads.dedup();
        if harder == Harder::Smaller {
            loads.reverse();
        }
        let at = |load: f64| {
            let here: Vec<&Probe> = probes.iter().filter(|probe| probe.load == load).collect();
            let count = |answer| here.iter().filter(|probe| probe.answer == Probe::word(answer)).count() as u32;
            let of = |value: fn(&Figures) -> Option<f64>| {
                let counting = here.iter().filter(|probe| probe.counts());
                let mut values: Vec<_> = counting.filter_map(|probe| value(probe.figures.as_ref()?)).collect();
                values.sort_by(f64::total_cmp);
                median(&values)
            };
            Point {
                load,
                met: count(Answer::Met),
                missed: count(Answer::Missed),
                not_counted: count(Answer::Blind),
                response_p50_ms: of(|f| f.response_p50_ms),
                response_p99_ms: of(|f| f.response_p99_ms),
                failed_share: of(|f| f.failed_share),
                drain_s: of(|f| f.drain_s),
                throughput_per_s: of(|f| f.throughput_per_s),
                concurrency: of(|f| f.concurrency),
            }
        };
        loads.into_iter().map(at).collect()
    }

    /// Whether most of what counts here met the thresholds; `None` if nothing counts.
    pub fn is_met(&self) -> Option<bool> {
        (self.met + self.missed > 0).then_some(self.met > self.missed)
    }
}

/// With nine digits in each figure, so that what is read again is what was written.
fn short(law: Usl) -> Usl {
    let digits = |value: f64| format!("{value:.8e}").parse().unwrap_or(value);
    let estimate = |e: Estimate| Estimate { value: digits(e.value), low: digits(e.low), high: digits(e.high) };
    Usl {
        lambda: estimate(law.lambda),
        sigma: estimate(law.sigma),
        kappa: estimate(law.kappa),
        most: law.most.map(estimate),
        peak_at: law.peak_at.map(digits),
        measured_to: digits(law.measured_to),
        scatter: digits(law.scatter),
        ..law
    }
}

impl Document {
    /// Fits the law of scalability to the curve: concurrency against throughput.
    pub fn fit(&mut self) {
        let points: Vec<(f64, f64)> =
            self.curve.iter().filter_map(|p| Some((p.concurrency?, p.throughput_per_s?))).collect();
        // Concurrency is in seconds of real time, and so must the throughput be.
        let points: Vec<_> = points.iter().map(|(n, x)| (*n, x * self.compression)).collect();
        (self.scalability, self.no_scalability) = match usl::fit(&points) {
            Ok(law) => (Some(short(law)), None),
            Err(why) => (None, Some(why)),
        };
    }

    /// Probes that say nothing of the server.
    pub fn not_counted(&self) -> usize {
        self.probes.iter().filter(|probe| !probe.counts()).count()
    }

    /// Whether the measurement of every probe that counts could be trusted without reserve.
    pub fn is_degraded(&self) -> bool {
        self.probes.iter().any(|probe| probe.counts() && probe.verdict.state == Validity::Degraded)
    }

    /// A value of the key, with its unit.
    pub fn told(&self, load: f64) -> String {
        self.sought.measure.told(load)
    }
}
