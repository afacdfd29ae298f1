//! What an interval is, and why there may be none.

use std::fmt;

/// How sure an interval is to be, and the seed of what little chance there is in judging it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The share of intervals that are to hold the truth, 0 to 1.
    pub confidence: f64,
    /// Seeds the shuffles of the test for drift: the same seed, the same answer.
    pub seed: u64,
}

impl Default for Rules {
    /// 95 %, a seed of 0.
    fn default() -> Self {
        Self { confidence: 0.95, seed: 0 }
    }
}

/// A figure with the interval that holds the truth with the confidence asked for, in the figure's own unit (µs for
/// quantiles). `low <= value <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The figure as it was seen.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The share of such intervals that hold the truth, 0 to 1.
    pub confidence: f64,
    /// How many independent blocks of seconds it rests on.
    pub blocks: usize,
    /// The length of a block in seconds.
    pub block_s: f64,
    /// How many independent samples the run's samples are worth.
    pub effective_samples: f64,
}

/// Why no interval is given. Each says in words what the data lack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// Not even the figure itself is carried by so few samples.
    TooFewSamples {
        /// What there is.
        samples: u64,
        /// What there would have to be.
        needed: u64,
    },
    /// The level changes within the run, or swings more slowly than the run is long.
    Drifts {
        /// The second at which the level changed most.
        at_s: usize,
        /// Whether it was higher after than before.
        rises: bool,
        /// How often chance alone would stray as far.
        p_value: f64,
    },
    /// What one second is like tells of the next ones for so long that too few independent blocks remain.
    TooFewBlocks {
        /// What there is.
        blocks: usize,
        /// What there would have to be.
        needed: usize,
        /// The length in seconds that a block must have to be independent of the next.
        block_s: f64,
    },
    /// The samples come in bursts and are worth too few independent ones.
    TooFewEffectiveSamples {
        /// What they are worth.
        effective: f64,
        /// What they would have to be worth.
        needed: f64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooFewSamples { samples, needed } => write!(f, "{samples} samples cannot carry it, {needed} could"),
            Self::Drifts { at_s, rises, .. } => {
                let way = if rises { "higher" } else { "lower" };
                write!(f, "the values are not steady: {way} after second {at_s} than before")
            }
            Self::TooFewBlocks { blocks, needed, block_s } => write!(
                f,
                "the run is too short: what happens tells on for up to {block_s:.0} s, so it holds {blocks} of the \
                 {needed} independent blocks it takes"
            ),
            Self::TooFewEffectiveSamples { effective, needed } => write!(
                f,
                "the samples come in bursts and are worth {effective:.0} independent ones, and {needed:.0} are needed"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// How many independent samples a quantile needs to be stated at all: with fewer, the largest sample lies below the
/// true quantile more than once in twenty times. 59 for p95, 299 for p99, 2,995 for p99.9, 29,956 for p99.99; by
/// symmetry quantiles below the median are as demanding. `p` lies between 0 and 1 and is neither.
///
/// Source: S. S. Wilks, *Determination of sample sizes for setting tolerance limits*, Ann. Math. Statist. 12 (1941).
pub fn samples_needed(p: f64) -> u64 {
    (0.05f64.ln() / p.max(1.0 - p).ln()).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_sizes_of_the_tables() {
        for (p, needed) in [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.01, 299), (0.999, 2_995), (0.9999, 29_956)]
        {
            assert_eq!(samples_needed(p), needed, "p {p}");
        }
    }

    #[test]
    fn every_refusal_has_words() {
        let all = [
            Refusal::TooFewSamples { samples: 12, needed: 299 },
            Refusal::Drifts { at_s: 300, rises: true, p_value: 0.0005 },
            Refusal::TooFewBlocks { blocks: 7, needed: 20, block_s: 81.2 },
            Refusal::TooFewEffectiveSamples { effective: 812.3, needed: 1500.0 },
        ];
        let words: Vec<String> = all.iter().map(Refusal::to_string).collect();
        insta::assert_snapshot!(words.join("\n"));
    }
}
