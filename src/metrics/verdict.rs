//! The run's judgement of itself: whether its figures tell of the server or of the generator.
//!
//! One file a rule; `docs/verdict.md` says why each is as it is.

mod delivery;
mod lateness;
mod ledger;
mod limits;
mod load;
mod steadiness;
#[cfg(test)]
mod tests;
mod words;

use serde::{Deserialize, Serialize};

use super::record::Record;

/// How far the figures can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// The figures tell of the server and the phones.
    #[default]
    Valid,
    /// Part of them may tell of the generator: read the reasons.
    Degraded,
    /// The generator, not the server, was the limit, or the counts do not add up.
    Invalid,
}

impl Validity {
    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Validity::Valid => "valid",
            Validity::Degraded => "degraded",
            Validity::Invalid => "invalid",
        }
    }
}

/// The run's judgement of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst that any rule found.
    pub state: Validity,
    /// Each a sentence with the figure that led to it, the worst first; empty if valid.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Judges a finished run.
    pub fn of(record: &Record) -> Verdict {
        let mut findings = Vec::new();
        ledger::judge(record, &mut findings);
        judge_content(record, &mut findings);
        limits::judge(record, &mut findings);
        delivery::judge(record, &mut findings);
        load::judge(record, &mut findings);
        lateness::judge(record, &mut findings);
        steadiness::judge(record, &mut findings);
        // What makes it invalid is told before what merely degrades it.
        findings.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let state = findings.first().map_or(Validity::Valid, |(state, _)| *state);
        Verdict { state, reasons: findings.into_iter().map(|(_, reason)| reason).collect() }
    }

    /// Whether the figures do not tell of the server at all (exit code 97).
    pub fn is_invalid(&self) -> bool {
        self.state == Validity::Invalid
    }

    /// Adds a finding: the state never gets better.
    pub fn add(&mut self, state: Validity, reason: impl Into<String>) {
        self.state = self.state.max(state);
        self.reasons.push(reason.into());
    }
}

/// What the rules found, each a state and a sentence.
type Findings = Vec<(Validity, String)>;

fn judge_content(record: &Record, findings: &mut Findings) {
    if record.tally.totals.operations.iter().all(|o| o.started == 0) {
        findings.push((Validity::Degraded, "no operation was started: nothing was measured".to_owned()));
    }
}
