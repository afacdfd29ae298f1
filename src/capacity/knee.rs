//! What a search has found.

use serde::{Deserialize, Serialize};

/// The load at which the server stops to meet its thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// In the middle of the two loads that stand around it, by ratio.
    pub value: f64,
    /// The hardest load that was decided as met; all easier ones were.
    pub met_at: f64,
    /// The easiest load that was decided as missed.
    pub missed_at: f64,
    /// Smallest value of the interval around the knee: as `met_at` and `missed_at`, but wider if answers contradict each
    /// other.
    pub low: f64,
    /// Largest value of it.
    pub high: f64,
    /// Loads at which some probes met the thresholds and others missed them.
    pub contradicted: Vec<f64>,
    /// Whether the two loads are as close as was asked, or as values of this key can be.
    pub tight: bool,
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Found {
    /// A knee.
    Knee(Knee),
    /// None: the thresholds are met over the whole range.
    Met {
        /// Its hardest load.
        at: f64,
    },
    /// None within the range: the thresholds are missed at its easiest load already.
    Missed {
        /// That load.
        at: f64,
    },
    /// None within what this generator can do.
    Limited {
        /// The hardest load that was met; `None`: not even the easiest could be measured.
        at_least: Option<f64>,
        /// The easiest load that could not be measured.
        blind_at: f64,
        /// The easiest load that was measured and missed, beyond `blind_at`.
        missed_at: Option<f64>,
    },
}
