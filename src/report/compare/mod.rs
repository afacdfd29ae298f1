//! Two runs of one workload side by side, or several pairs of them: what is faster, slower, the same, or not to be told.
//!
//! [`Differences`] says whether they may be compared, [`figures`] by what, `judge` answers, [`Comparison`] is told.

mod figure;
mod judge;
mod sameness;
mod spread;
mod text;

use std::path::PathBuf;

use serde::Serialize;

pub use figure::{Figure, Seconds, Sense, figures};
pub use judge::{Answer, MIN_PAIRS, Measured, Ratio, judge_runs};
pub use sameness::{Difference, Differences};
pub use spread::Spread;
pub(in crate::report) use spread::median;

use super::{Manifest, Saved};
use crate::metrics::{Timeline, Validity};

/// A saved run and where it was read from.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its folder.
    pub folder: PathBuf,
    /// What its journal tells.
    pub saved: Saved,
}

/// Why runs are not compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// They are of different workloads.
    #[error("{}: another workload than that of {}, so every figure would differ for that reason alone:\n{}\ncompare runs of one workload, or say --allow-different", .b.display(), .a.display(), lines(.differences))]
    Different {
        /// The first run.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// What differs.
        differences: Vec<Difference>,
    },
    /// One of them is invalid.
    #[error("{}: this measurement is invalid ({reasons}): it tells of the generator, not of the server; measure again, or say --allow-invalid", .run.display())]
    Invalid {
        /// The run.
        run: PathBuf,
        /// Why.
        reasons: String,
    },
    /// One of them is only a part of a run.
    #[error("{}: only a part of this run is there ({why}): its figures are those of another stretch of time; measure again, or say --allow-invalid", .run.display())]
    Partial {
        /// The run.
        run: PathBuf,
        /// Why.
        why: String,
    },
    /// Runs of one side were not made alike.
    #[error("{}: not the same settings as {}, but both are given as {side}:\n{}\nthe order is A B A2 B2 …", .other.display(), .first.display(), lines(.differences))]
    Mixed {
        /// `A` or `B`.
        side: char,
        /// Its first run.
        first: PathBuf,
        /// The other.
        other: PathBuf,
        /// What differs.
        differences: Vec<Difference>,
    },
}

fn lines(differences: &[Difference]) -> String {
    differences.iter().map(|d| format!("  {d}")).collect::<Vec<_>>().join("\n")
}

/// What is asked of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Different workloads may be compared.
    pub allow_different: bool,
    /// Invalid runs, and parts of runs, may be.
    pub allow_invalid: bool,
    /// The figures asked for, each by its key or the beginning of it; all if empty.
    pub figures: Vec<String>,
    /// Figures that differ by less than this share (0.05: 5 %) are the same.
    pub margin: f64,
}

impl Default for Question {
    /// All figures of valid runs of one workload, the same within 5 %.
    fn default() -> Self {
        Question { allow_different: false, allow_invalid: false, figures: Vec::new(), margin: 0.05 }
    }
}

/// Runs of A and of B, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The workload's name, as A has it.
    pub workload: String,
    /// Pairs of runs.
    pub pairs: usize,
    /// The folders of A's runs.
    pub a: Vec<PathBuf>,
    /// The folders of B's runs.
    pub b: Vec<PathBuf>,
    /// In what B's effective workload differs from A's.
    pub differences: Vec<Difference>,
    /// What must be known with every answer.
    pub notes: Vec<String>,
    /// This share of intervals holds the truth. Differences are called so only if they stand among all figures together.
    pub confidence: f64,
    /// Figures that differ by less than this share are the same.
    pub margin: f64,
    /// One row for each figure.
    pub figures: Vec<Row>,
}

/// One figure of A and of B.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// As in `summary.json`, or a name of its own for what is made of it.
    pub key: String,
    /// As a person reads it, with the unit.
    pub name: String,
    /// A's value: over several runs, the median.
    pub a: Option<f64>,
    /// B's.
    pub b: Option<f64>,
    /// The value of each run of A.
    pub a_runs: Vec<Option<f64>>,
    /// The value of each run of B.
    pub b_runs: Vec<Option<f64>>,
    /// B ÷ A with its interval, if one can be told.
    pub ratio: Option<Ratio>,
    /// The answer.
    pub answer: Answer,
    /// The answer in words.
    pub words: String,
    /// Why it cannot be told.
    pub why: Option<String>,
    /// Which way is worse.
    #[serde(skip)]
    pub sense: Sense,
}

impl Comparison {
    /// Compares the runs `a[i]` with the runs `b[i]`, of which there are as many.
    ///
    /// # Errors
    /// If they must not be compared, or not without saying so.
    pub fn of(a: &[Run], b: &[Run], question: &Question) -> Result<Comparison, Refusal> {
        let differences = refuse(a, b, question)?;
        let mut notes = notes(a, b);
        if differences.secret {
            notes.push("the effective workloads differ in a password or a key".into());
        }
        let asked = &question.figures;
        let wanted = |key: &str| asked.is_empty() || asked.iter().any(|asked| key.starts_with(asked.as_str()));
        let rows = judge::rows(a, b, question.margin, wanted);
        let all = differences.forbidden.into_iter().chain(differences.allowed).collect();
        Ok(Comparison {
            workload: a.first().map_or_else(String::new, |run| run.saved.record.plan.name.clone()),
            pairs: a.len().min(b.len()),
            a: a.iter().map(|run| run.folder.clone()).collect(),
            b: b.iter().map(|run| run.folder.clone()).collect(),
            differences: all,
            notes,
            confidence: judge::CONFIDENCE,
            margin: question.margin,
            figures: rows,
        })
    }

    /// The figures that got worse by more than `share` (0.05: 5 %) for sure: their whole interval lies beyond it.
    pub fn regressions(&self, share: f64) -> impl Iterator<Item = &Row> {
        self.figures.iter().filter(|row| row.answer.is_worse()).filter(move |row| {
            row.ratio.is_some_and(|ratio| match row.sense.more_is_worse() {
                true => ratio.low > 1.0 + share,
                false => ratio.high < 1.0 - share,
            })
        })
    }

    /// As a person reads it, at most 110 columns.
    pub fn to_text(&self) -> String {
        text::render(self)
    }
}

impl Run {
    /// Without what it tells second by second: enough where there are several runs, and much smaller.
    pub fn without_seconds(mut self) -> Run {
        self.saved.record.timeline = Timeline::default();
        self
    }
}

fn refuse(a: &[Run], b: &[Run], question: &Question) -> Result<Differences, Refusal> {
    if !question.allow_invalid {
        a.iter().chain(b).try_for_each(refuse_invalid)?;
    }
    let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else { return Ok(Differences::default()) };
    let between = |x: &Run, y: &Run| Differences::between(&x.saved.manifest, &y.saved.manifest);
    let different = |run: &Run, differences: &Differences| match differences.comparable() || question.allow_different {
        true => Ok(()),
        false => Err(Refusal::Different {
            a: first_a.folder.clone(),
            b: run.folder.clone(),
            differences: differences.forbidden.clone(),
        }),
    };
    let differences = between(first_a, first_b);
    different(first_b, &differences)?;
    for (side, first, runs) in [('A', first_a, a), ('B', first_b, b)] {
        for run in runs.iter().skip(1) {
            let within = between(first, run);
            different(run, &within)?;
            // The embedded target's port, for one, is no setting: nothing of the effective workload may differ.
            if !within.allowed.is_empty() && !question.allow_different {
                let (first, other) = (first.folder.clone(), run.folder.clone());
                return Err(Refusal::Mixed { side, first, other, differences: within.allowed });
            }
        }
    }
    Ok(differences)
}

fn refuse_invalid(run: &Run) -> Result<(), Refusal> {
    let record = &run.saved.record;
    let verdict = record.verdict();
    if verdict.state == Validity::Invalid {
        return Err(Refusal::Invalid { run: run.folder.clone(), reasons: verdict.reasons.join("; ") });
    }
    let why = run.saved.caveat().or_else(|| record.marks.partial.then(|| "it was interrupted".to_owned()));
    why.map_or(Ok(()), |why| Err(Refusal::Partial { run: run.folder.clone(), why }))
}

/// What was not the same, and what may therefore be the reason for what is found.
fn notes(a: &[Run], b: &[Run]) -> Vec<String> {
    let mut notes = Vec::new();
    if a.len() == 1 {
        notes.push(
            "one pair shows what varies within a run, not what varies from run to run (caches, placement, other load)"
                .into(),
        );
    }
    let all = || a.iter().chain(b);
    let manifests = || all().map(|run| &run.saved.manifest);
    let Some(first) = manifests().next() else { return notes };
    let alike = |same: fn(&Manifest, &Manifest) -> bool| manifests().all(|m| same(first, m));
    if !alike(|x, y| x.machine == y.machine) {
        notes.push("not all runs were made on the same machine: what differs may be the machine's".into());
    }
    if !alike(|x, y| x.version == y.version) {
        notes.push("not all runs were made by the same version of bootstorm".into());
    }
    if !alike(|x, y| x.limits == y.limits) {
        notes.push("not all runs had the same limits (files, ports, connections)".into());
    }
    if all().any(|run| run.saved.record.marks.tls_not_verified) {
        notes.push("TLS NOT VERIFIED: in some runs the server's certificates were not checked".into());
    }
    for run in all() {
        let folder = run.folder.display();
        let verdict = run.saved.record.verdict();
        if verdict.state != Validity::Valid {
            notes.push(format!("{folder} is {}: {}", verdict.state.name(), verdict.reasons.join("; ")));
        }
        if run.saved.record.marks.partial || run.saved.caveat().is_some() {
            notes.push(format!("{folder} is only a part of a run"));
        }
    }
    notes
}
