//! `summary.json`: a contract. Versioned, units in the names, keys only ever added.
//!
//! All reports are made from it, so that a saved run reads as it did when it ended. A quantile for which there are
//! too few samples is `null`, never a guess: see [`Distribution::samples_needed`]. When read, a key that an earlier
//! version did not write yet counts as nothing.

mod make;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metrics::{Distribution, Phases, Verdict};
use crate::report::number;
use crate::workload::Judgement;

pub use self::tls::{HandshakePhasesMs, Handshakes, Kinds, Tls};

/// The version of the contract. It changes when a key changes its meaning or goes; never when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// Counts by name.
pub type Named = BTreeMap<String, u64>;

/// A finished run in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA_VERSION`] of the build that wrote it.
    pub schema_version: u32,
    /// Version of bootstorm that wrote it.
    pub version: String,
    /// What was run.
    pub workload: Workload,
    /// All chance followed from this.
    pub seed: u64,
    /// When the run began: UTC, RFC 3339, whole seconds.
    pub started_at: String,
    /// How long it took, in seconds of real time.
    pub wall_s: f64,
    /// Seconds of phone time per second of real time.
    pub compression: f64,
    /// What must be known with every figure.
    pub marks: Marks,
    /// The run's judgement of itself.
    pub verdict: Verdict,
    /// The workload's thresholds, checked.
    pub thresholds: Vec<Threshold>,
    /// Where the phones stand at the end.
    pub phones: Phones,
    /// By name of the operation; those that were never planned are left out.
    pub operations: BTreeMap<String, Operation>,
    /// Requests and their responses.
    pub exchanges: Exchanges,
    /// Challenges, answers, screens.
    pub auth: Auth,
    /// Handshakes.
    pub tls: Tls,
    /// How the phones came back after power returned.
    pub storm: Storm,
    /// What the run cost the machine that made it.
    pub generator: Generator,
    /// What it cost the target, where that runs on the same machine and was watched; absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// SHA-256 (hex) of the effective workload.
    pub sha256: String,
}

/// What must be known with every figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// The run was interrupted.
    pub partial: bool,
    /// Certificates were not verified.
    pub tls_not_verified: bool,
    /// Whoever ran it accepts an invalid measurement: it does not fail the run.
    pub accepted_invalid: bool,
    /// The run's journal ends here, in seconds since the run began, and was not closed: the run was killed, or its disk
    /// was full. Absent for a run that came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at_s: Option<f64>,
}

impl Marks {
    pub(in crate::report) fn of(marks: &crate::metrics::Marks) -> Marks {
        let crate::metrics::Marks { partial, tls_not_verified, accepted_invalid, ends_at_ms } = *marks;
        Marks { partial, tls_not_verified, accepted_invalid, ends_at_s: ends_at_ms.map(|ms| ms as f64 / 1e3) }
    }
}

/// A threshold, checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Threshold {
    /// As the workload has it.
    pub text: String,
    /// What stands before its comparison, in `unit`; null: it cannot be told (see `judgement`).
    pub value: Option<f64>,
    /// What it is compared with, in `unit`.
    pub limit: Option<f64>,
    /// The unit of both: `ms`, `s`, `bytes`, `%`, …; empty for counts and ratios.
    pub unit: String,
    /// Whether it holds. What cannot be told or was not judged does not.
    pub pass: bool,
    /// How it went: `pass`, `fail`, `null` (too few samples), `no-figure` (nothing of the kind happened), `undefined`
    /// (divides by zero), `not-judged` (the run was interrupted: neither met nor missed).
    pub judgement: Judgement,
}

impl Threshold {
    /// Whether it was crossed: judged, and does not hold.
    pub fn crossed(&self) -> bool {
        !self.pass && self.judgement.failed()
    }

    /// Its value with its unit, or why there is none.
    pub fn told(&self) -> String {
        let unit = number::unit(&self.unit);
        match (self.value, self.judgement.why_unknown()) {
            (Some(known), _) => format!("{}{unit}", number::value(known)),
            (None, Some(why)) => why.to_owned(),
            (None, None) => "cannot be told".to_owned(),
        }
    }
}

/// Where the phones stand at the end. `provisioned + prompting + failed = total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phones {
    /// All phones.
    pub total: u64,
    /// Through the boot chain.
    pub provisioned: u64,
    /// Before a screen that waits for a person.
    pub prompting: u64,
    /// Neither. The causes are in the outcomes.
    pub failed: u64,
    /// Of the failed: still in the boot chain.
    pub failed_booting: u64,
    /// Of the failed: without power to the end.
    pub failed_off: u64,
}

/// Figures of one distribution, in the unit of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// How many samples there were.
    pub samples: u64,
    /// Exact mean.
    pub mean: Option<f64>,
    /// Median (from 5 samples).
    pub p50: Option<f64>,
    /// 90 % lie below (from 29 samples).
    pub p90: Option<f64>,
    /// 95 % lie below (from 59 samples).
    pub p95: Option<f64>,
    /// 99 % lie below (from 299 samples).
    pub p99: Option<f64>,
    /// 99.9 % lie below (from 2,995 samples).
    pub p99_9: Option<f64>,
    /// 99.99 % lie below (from 29,956 samples).
    pub p99_99: Option<f64>,
    /// Exact maximum.
    pub max: Option<f64>,
}

impl Marks {
    /// The marks that must be told with every figure, each a word and what it means. The verdict's own is not among
    /// them, but that an invalid one was accepted is.
    pub fn told(&self, verdict: &Verdict) -> Vec<(&'static str, String)> {
        let mut told = Vec::new();
        if self.accepted_invalid && verdict.is_invalid() {
            let words =
                "whoever ran this accepts an invalid measurement (--accept-invalid): do not quote these figures";
            told.push(("INVALID ACCEPTED", words.to_owned()));
        }
        if self.partial || self.ends_at_s.is_some() {
            let words = match self.ends_at_s {
                Some(end) => {
                    format!("the journal ends at {}: what happened later is not known", number::moment(end))
                }
                None => "the run was interrupted: these are the figures of a part of it".to_owned(),
            };
            told.push(("PARTIAL", words));
        }
        if self.tls_not_verified {
            let words = "certificates were not checked: nothing here tells whether phones would trust them";
            told.push(("TLS NOT VERIFIED", words.to_owned()));
        }
        told
    }
}

impl Figures {
    /// In milliseconds, to the microsecond.
    pub fn ms(distribution: &Distribution) -> Figures {
        Figures::scaled(distribution, |us| us.round() / 1e3)
    }

    /// In whole microseconds.
    pub fn us(distribution: &Distribution) -> Figures {
        Figures::scaled(distribution, f64::round)
    }

    fn scaled(d: &Distribution, scale: impl Fn(f64) -> f64) -> Figures {
        let quantile = |q| d.quantile_us(q).map(|us| scale(us as f64));
        Figures {
            samples: d.count(),
            mean: d.mean_us().map(&scale),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            p99_99: quantile(0.9999),
            max: d.max_us().map(|us| scale(us as f64)),
        }
    }
}

/// One kind of operation. `planned = started + dropped`; the outcomes add up to `started`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    /// Stood in the plan.
    pub planned: u64,
    /// Began.
    pub started: u64,
    /// Never began.
    pub dropped: u64,
    /// Of the dropped, by cause.
    pub dropped_causes: Named,
    /// Ended `ok`.
    pub succeeded: u64,
    /// How they ended.
    pub outcomes: Named,
    /// Whose fault each of these outcomes is, `ok` aside: `server`, `phone`, `network`, `generator`, `none`.
    pub faults: BTreeMap<String, String>,
    /// Exchanges sent on their behalf.
    pub exchanges: u64,
    /// Ended without any attempt at a connection.
    pub undispatched: u64,
    /// From the intended start to the end, whatever the outcome.
    pub response_ms: Figures,
    /// How sure its quantiles are.
    pub response_interval_ms: ResponseIntervals,
    /// The same, of those that ended `ok`.
    pub response_ok_ms: Figures,
    /// From the actual start to the end, whatever the outcome.
    pub service_ms: Figures,
    /// From the intended to the actual start.
    pub lateness_ms: Figures,
}

/// Between which bounds quantiles of response times lie with a confidence of 95 %, in milliseconds; null: it cannot be
/// told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponseIntervals {
    /// Of the median.
    pub p50: Option<Bounds>,
    /// Of p90.
    pub p90: Option<Bounds>,
    /// Of p99.
    pub p99: Option<Bounds>,
    /// Why there is none of the highest of these quantiles that is told; null if there is one, or nothing is told.
    pub refused: Option<String>,
}

/// A lower and an upper bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounds {
    /// The lower.
    pub low: f64,
    /// The upper.
    pub high: f64,
}

/// Requests and their responses. `total = answered + failed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exchanges {
    /// Sent.
    pub total: u64,
    /// Answered.
    pub answered: u64,
    /// Failed below HTTP.
    pub failed: u64,
    /// Sent, per operation started.
    pub per_operation: Option<f64>,
    /// Answered, by status.
    pub status: Named,
    /// Failed, by failure.
    pub failures: Named,
    /// Whose fault each of these failures is.
    pub faults: BTreeMap<String, String>,
    /// What they went over.
    pub connections: Connections,
    /// Octets written to sockets, TLS included.
    pub bytes_out: u64,
    /// Octets read from sockets, TLS included.
    pub bytes_in: u64,
    /// Where the time went.
    pub phases_ms: Phases<Figures>,
}

/// Connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// Opened.
    pub opened: u64,
    /// Exchanges over one that had served another.
    pub reused: u64,
    /// Exchanges that found a kept connection dead and took a fresh one.
    pub reconnected: u64,
    /// CPU time of the client's thread for opening one, TLS aside: the mean of a sample of one in eight.
    pub opening_cpu_us: Option<f64>,
    /// CPU time of the client's thread for closing one: the mean of a sample of one in eight.
    pub closing_cpu_us: Option<f64>,
}

/// Challenges, answers and screens. All names are always there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// Challenges received, by kind.
    pub challenges: Named,
    /// Exchanges sent again to answer a challenge, per operation started.
    pub retry_rate: Option<f64>,
    /// Requests with credentials, by scheme.
    pub answers: Named,
    /// Screens that came up to wait for a person.
    pub prompts: Named,
    /// What people typed at them.
    pub typed: Typed,
    /// Times stored credentials or realm were replaced.
    pub stored: u64,
}

/// What people typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// Right credentials.
    pub right: u64,
    /// Wrong ones.
    pub wrong: u64,
}

/// How the phones came back. Seconds of real time from the first intended power-up; null: never reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storm {
    /// Phones to which the plan returned the power.
    pub phones: u64,
    /// Phones that came through the boot chain at least once.
    pub provisioned: u64,
    /// Until the last phone that came through was first provisioned.
    pub drain_s: Option<f64>,
    /// Until 50 % of `phones` were provisioned.
    pub provisioned_50_s: Option<f64>,
    /// Until 95 % of `phones` were.
    pub provisioned_95_s: Option<f64>,
    /// Until all of them were.
    pub provisioned_100_s: Option<f64>,
    /// Most exchanges under way at once (over several shards: the sum of their peaks within one second).
    pub peak_in_flight: u64,
    /// Exchanges sent for each that a calm fleet needs.
    pub amplification: Option<f64>,
    /// TLS handshakes done a second, from the second in which the storm began to the one in which it had drained; null:
    /// there were none.
    pub handshakes_per_s: Option<f64>,
    /// Most TLS handshakes done within one second of the run.
    pub handshakes_peak_per_s: Option<f64>,
}

/// What the run cost the target, by the accounts of the machine both run on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// What was watched: the `threads` of the embedded target, or the `processes` that were named and all they started.
    pub watched: String,
    /// CPU seconds in the run, whatever for.
    pub cpu_s: f64,
    /// CPU seconds in each second of the run: 1 is a whole core.
    pub cpu_busy: f64,
    /// CPU time for each exchange sent, all else it did included.
    pub cpu_us_per_exchange: Option<f64>,
    /// CPU time for each handshake, all else it did included; null unless nearly every exchange (nine in ten) had a
    /// handshake of its own, for then it would say little about handshakes.
    pub cpu_us_per_handshake: Option<f64>,
    /// CPU time inside a handshake, by the target's own clock, by kind; only the embedded target tells.
    pub handshake_cpu_us: Kinds<Option<f64>>,
    /// Handshakes as the target itself counted them; only the embedded target tells.
    pub handshakes: Option<Kinds<u64>>,
    /// Most resident memory of its processes at any look, in octets; null for the embedded target.
    pub rss_bytes: Option<u64>,
    /// Most processes at any look; 0 for the embedded target.
    pub processes: u32,
    /// Of the processes that were named, those that ended before the run did.
    pub gone: u32,
}

/// Where the CPU time of the shards' threads went. The parts add up to `generator.cpu_s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuAccount {
    /// Opening connections, TLS aside: from the mean of a sample.
    pub opening_s: f64,
    /// TLS handshakes, done and failed.
    pub handshakes_s: f64,
    /// Closing connections: from the mean of a sample.
    pub closing_s: f64,
    /// All the rest: exchanges, phones, waiting for sockets and timers, counting.
    pub rest_s: f64,
    /// The rest, for each exchange sent.
    pub rest_us_per_exchange: Option<f64>,
}

/// What the run cost the machine that made it. What nobody looked at is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Generator {
    /// Threads that drove phones.
    pub shards: u32,
    /// Share of their cores these threads used, 0 to 1.
    pub cpu_busy: f64,
    /// The same of the busiest alone.
    pub cpu_busy_max: f64,
    /// CPU seconds of all of them.
    pub cpu_s: f64,
    /// Where these went.
    pub cpu_account: CpuAccount,
    /// Most of a second that any of these threads ran or waited for a core, 0 to 1: what it wanted of one.
    pub shard_demand_max: Option<f64>,
    /// Most of a second that any of these threads could have run and had no core, 0 to 1.
    pub shard_waited_max: Option<f64>,
    /// Most of a second that each core was busy, whoever used it, 0 to 1; by its number.
    pub core_busy_max: BTreeMap<String, f64>,
    /// Most of a second that the hypervisor gave to others, of any core, 0 to 1.
    pub steal_max: Option<f64>,
    /// By how much their timers came late.
    pub loop_lag_ms: Figures,
    /// By how much this machine's timers come late when nothing else is done, measured before the run.
    pub timer_floor_ms: Figures,
    /// By how much phones were told late of what the plan had for them.
    pub pace_ms: Figures,
    /// Most operations that were planned and had neither begun nor been dropped, at the end of any second.
    pub backlog_max: Option<u64>,
    /// Most file descriptors open at once.
    pub open_files: u64,
    /// Most of these there may be.
    pub open_files_limit: Option<u64>,
    /// Most local ports taken at once, TIME_WAIT included.
    pub ports_max: Option<u64>,
    /// Most of these there may be.
    pub ports_limit: Option<u64>,
    /// Most resident memory, in octets.
    pub rss_bytes: u64,
    /// Resident memory a phone at rest takes, in octets.
    pub rss_per_phone_bytes: Option<u64>,
}
