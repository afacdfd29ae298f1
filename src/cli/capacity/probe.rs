//! One probe: a run at one load, and what it says of the server.

use std::sync::Arc;

use super::player::{Played, Player, Wanted};
use crate::capacity::Answer;
use crate::cli::Ended;
use crate::cli::workload::WorkloadArgs;
use crate::metrics::{Record, Verdict};
use crate::report::Summary;
use crate::report::capacity::{Bound, Figures, Probe};
use crate::report::summary::Threshold;
use crate::workload::{Capacity, Overrides};

/// Makes probes.
pub(super) struct Prober<'p> {
    pub(super) workload: &'p WorkloadArgs,
    /// What every run is told over the workload's file.
    pub(super) overrides: Overrides,
    pub(super) capacity: &'p Capacity,
    pub(super) player: Box<dyn Player + 'p>,
}

/// A probe that was made.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) probe: Probe,
    pub(super) answer: Answer,
    /// What bound the generator, if it was the limit.
    pub(super) bound: Option<Bound>,
}

impl Prober<'_> {
    /// Makes the probe; `None` if it was interrupted.
    pub(super) fn probe(&mut self, number: u32, load: f64) -> Result<Option<Answered>, Ended> {
        let name = format!("probe-{number:02}");
        let overrides = self.capacity.at(load, &self.overrides);
        let plan = Arc::new(self.workload.load_with(&overrides)?);
        let played = self.player.play(&Wanted { name: &name, plan, base: &self.overrides, overrides: &overrides })?;
        let record = match played {
            Played::Interrupted => return Ok(None),
            Played::Refused(bound) => {
                let verdict = Verdict { reasons: bound.reasons.clone(), ..Verdict::default() };
                let answer = Answer::Blind;
                let probe = Probe {
                    number,
                    load,
                    answer: Probe::word(answer).to_owned(),
                    folder: None,
                    verdict,
                    crossed: Vec::new(),
                    figures: None,
                };
                return Ok(Some(Answered { probe, answer, bound: Some(bound) }));
            }
            Played::Made(record) => record,
        };
        let summary = Summary { verdict: self.player.judge(&record), ..Summary::of(&record) };
        let answer = answer(&summary);
        if number == 1 && answer == Answer::Missed {
            self.tellable(&summary, load)?;
        }
        let bound = (answer == Answer::Blind).then(|| bound(&record, &summary));
        let crossed = summary.thresholds.iter().filter(|t| t.crossed()).map(crossed).collect();
        let probe = Probe {
            number,
            load,
            answer: Probe::word(answer).to_owned(),
            folder: self.player.kept(&name),
            figures: Some(Figures::of(&record, &summary)),
            verdict: summary.verdict,
            crossed,
        };
        Ok(Some(Answered { probe, answer, bound }))
    }

    /// At the easiest load every threshold must be one that can be told: too few samples are not the server's failure.
    fn tellable(&self, summary: &Summary, load: f64) -> Result<(), Ended> {
        let crossed = || summary.thresholds.iter().filter(|t| t.crossed());
        if crossed().any(|t| t.judgement.why_unknown().is_none()) {
            return Ok(());
        }
        let untold: Vec<_> = crossed().map(|t| format!("{} ({})", t.text, t.told())).collect();
        let at = format!("{} = {}", self.capacity.find, self.capacity.typed(load));
        Err(Ended::usage(format!(
            "{}: thresholds cannot be told at {at}: {}; make the phase longer, begin at a harder load, or use a lower \
             quantile (p99 takes 299 operations, p90 takes 29)",
            self.workload.file().display(),
            untold.join(", ")
        )))
    }
}

fn answer(summary: &Summary) -> Answer {
    match () {
        () if summary.verdict.is_invalid() => Answer::Blind,
        () if summary.thresholds.iter().any(Threshold::crossed) => Answer::Missed,
        () => Answer::Met,
    }
}

/// A threshold with what it was.
fn crossed(threshold: &Threshold) -> String {
    format!("{} (it was {})", threshold.text, threshold.told())
}

/// What bound the generator in an invalid run.
fn bound(record: &Record, summary: &Summary) -> Bound {
    let failures = &summary.exchanges.failures;
    let what = match () {
        () if failures.contains_key("local-ports") => "ports",
        () if failures.contains_key("local-files") => "files",
        () if !record.tally.totals.ledger_faults.is_empty() => "books",
        () => "cores",
    };
    Bound { what: what.to_owned(), reasons: summary.verdict.reasons.clone() }
}
