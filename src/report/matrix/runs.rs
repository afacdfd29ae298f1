//! The runs of a variant, as their folders tell them.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{Played, PlayedVariant};
use crate::metrics::Validity;
use crate::report::{Folder, Saved, Summary};

/// What a run is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It counts.
    Valid,
    /// It counts, and part of it may tell of the generator.
    Degraded,
    /// It does not count: it tells of the generator.
    Invalid,
    /// It is invalid and counts, since whoever ran it accepts that.
    Accepted,
    /// It does not count: it was interrupted, or killed.
    Partial,
    /// Its folder cannot be read.
    Lost,
}

impl RunState {
    /// In a word or two.
    pub const fn words(self) -> &'static str {
        match self {
            RunState::Valid => "valid",
            RunState::Degraded => "degraded",
            RunState::Invalid => "invalid",
            RunState::Accepted => "invalid, accepted",
            RunState::Partial => "partial",
            RunState::Lost => "unreadable",
        }
    }
}

/// One run of a variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunTold {
    /// Its folder, in that of the matrix.
    pub folder: String,
    /// Which round, from 1.
    pub round: u32,
    /// What it is worth.
    pub state: RunState,
    /// Why, if it is not valid.
    pub reasons: Vec<String>,
    /// Whether a threshold was crossed.
    pub crossed: bool,
}

impl RunTold {
    /// Whether its figures are in the table.
    pub fn counts(&self) -> bool {
        matches!(self.state, RunState::Valid | RunState::Degraded | RunState::Accepted)
    }

    /// A run that came to this.
    pub(in crate::report) fn of(variant: &str, round: u32, summary: &Summary) -> RunTold {
        let marks = &summary.marks;
        let state = match summary.verdict.state {
            _ if marks.partial || marks.ends_at_s.is_some() => RunState::Partial,
            Validity::Valid => RunState::Valid,
            Validity::Degraded => RunState::Degraded,
            Validity::Invalid if marks.accepted_invalid => RunState::Accepted,
            Validity::Invalid => RunState::Invalid,
        };
        RunTold {
            folder: Played::run_folder(variant, round).display().to_string(),
            round,
            state,
            reasons: summary.verdict.reasons.clone(),
            crossed: summary.thresholds.iter().any(|threshold| threshold.crossed()),
        }
    }
}

/// The runs of a variant that have a folder, by round, each with its summary.
pub(super) fn read(folder: &Path, played: &Played, variant: &PlayedVariant) -> Vec<(RunTold, Option<Value>)> {
    let mut runs = Vec::new();
    for round in 1..=played.repeats {
        let own = Played::run_folder(&variant.folder, round);
        if !folder.join(&own).is_dir() {
            continue;
        }
        // A journal of another version cannot be read; the summary beside it can.
        let path = folder.join(&own);
        let summary = Saved::summary(&path).or_else(|error| Folder::read_summary(&path).map_err(|_| error));
        runs.push(match summary {
            Ok(summary) => (RunTold::of(&variant.folder, round, &summary), serde_json::to_value(&summary).ok()),
            Err(error) => {
                let (folder, reasons) = (own.display().to_string(), vec![error.to_string()]);
                (RunTold { folder, round, state: RunState::Lost, reasons, crossed: false }, None)
            }
        });
    }
    runs
}
