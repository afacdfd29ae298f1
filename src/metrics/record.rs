//! A finished run: everything its reports are made from.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Due, GeneratorFacts, Storm, Tally, TargetUse, Timeline, Verdict};
use crate::workload::{Arrival, Judgement, Phase, Plan, Target, Threshold};

/// A finished run. Every value was given in: nothing here reads a clock or a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What was meant to happen.
    pub plan: PlanFacts,
    /// When the run began.
    pub started_at: SystemTime,
    /// How long it took.
    pub wall: Duration,
    /// What all shards counted.
    pub tally: Tally,
    /// The same second by second, as the journal has it; empty if there is none.
    pub timeline: Timeline,
    /// What it cost the generator.
    pub generator: GeneratorFacts,
    /// What it cost the target; `None` if nobody watched.
    pub target: Option<TargetUse>,
    /// What must be known with every figure.
    pub marks: Marks,
    /// The thresholds, each as checked.
    pub thresholds: Vec<ThresholdResult>,
}

/// What a report needs to know of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// The workload's name.
    pub name: String,
    /// SHA-256 (hex) of the effective workload.
    pub sha256: String,
    /// The seed.
    pub seed: u64,
    /// Phones in all.
    pub phones: u64,
    /// Phones to which the plan returns the power at least once (0: there is no storm); `None`: all phones if any
    /// booted.
    pub storm_phones: Option<u64>,
    /// Phone seconds per real second.
    pub compression: f64,
    /// The plan's phases, in order.
    pub phases: Vec<PhaseFacts>,
    /// Whether the workload itself bounds the connections: then waiting for one is part of what it asks for.
    pub connections_bounded: bool,
    /// Whether the server is the embedded one, which shares the generator's cores.
    pub embedded: bool,
    /// The plan's starts, second by second.
    pub due: Due,
}

impl PlanFacts {
    /// What a report needs to know of this plan.
    pub fn of(plan: &Plan) -> PlanFacts {
        let mut powered_up = vec![false; plan.phones() as usize];
        // The plan is walked once: a big fleet's takes a while, and no phone has started yet.
        let starts = plan.starts(0, 1).inspect(|start| powered_up[start.phone as usize] |= start.trigger.boots());
        let due = Due::of(plan, starts);
        PlanFacts {
            name: plan.name.clone(),
            sha256: plan.sha256.clone(),
            seed: plan.seed,
            phones: plan.phones().into(),
            storm_phones: Some(powered_up.iter().filter(|up| **up).count() as u64),
            compression: plan.compression,
            phases: plan.phases.iter().map(|phase| PhaseFacts::of(phase, plan.compression)).collect(),
            connections_bounded: plan.network.max_connections.is_some(),
            embedded: matches!(plan.target, Target::Embedded(_)),
            due,
        }
    }
}

/// What a report needs to know of a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseFacts {
    /// Its name.
    pub name: String,
    /// When it begins: microseconds of real time since the run began.
    pub at_us: u64,
    /// The law its starts claim to follow.
    pub law: Law,
}

impl PhaseFacts {
    fn of(phase: &Phase, compression: f64) -> PhaseFacts {
        let law = match phase.arrival {
            Arrival::Constant { rate } => Law::Constant { rate: rate * compression },
            Arrival::Poisson { rate, over } => {
                Law::Poisson { rate: rate * compression, over_s: over.as_secs_f64() / compression }
            }
            Arrival::AtOnce | Arrival::Ramp { .. } | Arrival::PowerReturn { .. } => Law::Given,
        };
        PhaseFacts { name: phase.name.clone(), at_us: (phase.at.as_micros() as f64 / compression) as u64, law }
    }
}

/// The law of a phase's starts, in real time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Law {
    /// None that a test could be made of: a storm, a ramp, all at once.
    #[default]
    Given,
    /// Evenly spaced.
    Constant {
        /// Starts per real second.
        rate: f64,
    },
    /// Independent, with exponential gaps.
    Poisson {
        /// Mean starts per real second.
        rate: f64,
        /// For how long, in real seconds.
        over_s: f64,
    },
}

/// What must be known with every figure, and is stamped on every output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The run was interrupted: the figures are those of a part of it.
    pub partial: bool,
    /// Certificates were not verified.
    pub tls_not_verified: bool,
    /// Whoever ran it accepts an invalid measurement: it does not fail the run.
    pub accepted_invalid: bool,
    /// The journal ends here, in milliseconds since the run began, and has no ending: the run was killed, or its disk
    /// was full. What happened later is not known.
    pub ends_at_ms: Option<u64>,
}

/// A threshold, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThresholdResult {
    /// As the workload has it.
    pub text: String,
    /// What stands before its comparison, in `unit`; `None` if that cannot be told.
    pub value: Option<f64>,
    /// What it is compared with, in `unit`; `None` if that cannot be told.
    pub limit: Option<f64>,
    /// The unit of both: `ms`, `s`, `bytes`, `%`, …; empty for counts and ratios.
    pub unit: String,
    /// How it went.
    pub judgement: Judgement,
}

impl ThresholdResult {
    /// Checks a threshold on a run's summary. Of a run that was interrupted or killed, the figures are those of a part
    /// of it: they are told, not judged.
    pub fn check(threshold: &Threshold, summary: &Value, marks: &Marks) -> ThresholdResult {
        let checked = threshold.check(summary);
        let whole = !marks.partial && marks.ends_at_ms.is_none();
        ThresholdResult {
            text: threshold.to_string(),
            value: checked.value,
            limit: checked.limit,
            unit: threshold.unit(),
            judgement: if whole { checked.judgement } else { Judgement::NotJudged },
        }
    }
}

impl Record {
    /// The run's judgement of itself.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self)
    }

    /// What the storm came to.
    pub fn storm(&self) -> Storm {
        let booted = self.tally.totals.provisioning.start().is_some();
        let all = if booted { self.plan.phones } else { 0 };
        Storm::of(&self.tally, self.plan.storm_phones.unwrap_or(all))
    }

    /// Whether no threshold was crossed.
    pub fn thresholds_hold(&self) -> bool {
        !self.thresholds.iter().any(|t| t.judgement.failed())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metrics::Recorder;
    use crate::phone::{Action, Moment, Operation, Outcome};

    /// Seven phones, one of which did one thing: closed books.
    pub(in crate::metrics) fn closed() -> Record {
        let mut recorder = Recorder::new(7, 1.0);
        let intended = Moment::ZERO;
        for action in [
            Action::Planned(Operation::Resync),
            Action::Started { operation: Operation::Resync, intended },
            Action::Finished(Operation::Resync, Outcome::Ok),
        ] {
            recorder.action(Duration::ZERO, 0, &action);
        }
        Record {
            plan: PlanFacts { phones: 7, compression: 1.0, ..PlanFacts::default() },
            started_at: SystemTime::UNIX_EPOCH,
            wall: Duration::from_secs(1),
            tally: recorder.finish(Duration::from_secs(1)),
            timeline: Timeline::default(),
            generator: GeneratorFacts { shards: 1, ..GeneratorFacts::default() },
            target: None,
            marks: Marks::default(),
            thresholds: Vec::new(),
        }
    }
}
