//! What is wrong with arrivals, in figures and words.

use std::fmt;

/// One way in which arrivals are not what they claim to be: surely so, and by enough to matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// More or fewer of them than the law says.
    RateOff {
        /// What the law says.
        asked_per_s: f64,
        /// What was seen.
        seen_per_s: f64,
    },
    /// The gaps between them are not distributed as the law says.
    GapsOffTheLaw {
        /// The largest distance between the share of gaps up to a length and the law's, 0 to 1.
        distance: f64,
        /// Anderson and Darling's statistic; absent where the law is a list of times.
        anderson_darling: Option<f64>,
    },
    /// Gaps of a constant rate that are not constant.
    UnevenGaps {
        /// The mean difference between a gap and the one asked for, as a share of it.
        mean_deviation: f64,
    },
    /// Gaps too long for the law.
    Stalls {
        /// How many.
        count: usize,
        /// The longest, µs.
        longest_us: u64,
        /// The share of the time that lies in them, 0 to 1.
        share_of_time: f64,
    },
    /// A gap tells of the next one.
    GapsCorrelated {
        /// Spearman's rank correlation of neighbouring gaps, -1 to 1.
        lag_one: f64,
    },
    /// The rate changes over time.
    RateMoves {
        /// The largest distance between the share of arrivals up to a moment and the law's, 0 to 1.
        distance: f64,
        /// That moment, seconds into the window.
        at_s: f64,
    },
    /// The counts per second swing more, or less, than the law's.
    CountsSwing {
        /// The variance of the counts over that of the law; 1 is as it should be.
        dispersion: f64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RateOff { asked_per_s, seen_per_s } => {
                write!(f, "{seen_per_s:.1} arrivals a second where {asked_per_s:.1} were asked for")
            }
            Self::GapsOffTheLaw { distance, .. } => {
                write!(f, "the gaps between arrivals are off their law for {:.0} % of them", distance * 100.0)
            }
            Self::UnevenGaps { mean_deviation } => {
                write!(f, "the gaps of a constant rate differ from it by {:.0} % on average", mean_deviation * 100.0)
            }
            Self::Stalls { count, longest_us, share_of_time } => write!(
                f,
                "{count} gaps are too long for the law, up to {:.0} ms and {:.1} % of the time together",
                longest_us as f64 / 1e3,
                share_of_time * 100.0
            ),
            Self::GapsCorrelated { lag_one } => {
                let like = if lag_one > 0.0 { "like" } else { "unlike" };
                write!(f, "a gap is {like} the one before it (rank correlation {lag_one:.2})")
            }
            Self::RateMoves { distance, at_s } => write!(
                f,
                "the rate moves: {:.1} % of all arrivals are early or late, most at second {at_s:.0}",
                distance * 100.0
            ),
            Self::CountsSwing { dispersion } => {
                let way = if dispersion > 1.0 { "more" } else { "less" };
                write!(f, "the counts per second swing {way} than the law's ({dispersion:.1} times the variance)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_words() {
        let all = [
            Finding::RateOff { asked_per_s: 2000.0, seen_per_s: 1960.2 },
            Finding::GapsOffTheLaw { distance: 0.412, anderson_darling: Some(1234.5) },
            Finding::UnevenGaps { mean_deviation: 0.31 },
            Finding::Stalls { count: 12, longest_us: 50_400, share_of_time: 0.0101 },
            Finding::GapsCorrelated { lag_one: 0.22 },
            Finding::GapsCorrelated { lag_one: -0.5 },
            Finding::RateMoves { distance: 0.1667, at_s: 30.0 },
            Finding::CountsSwing { dispersion: 3.4 },
            Finding::CountsSwing { dispersion: 0.1 },
        ];
        let words: Vec<String> = all.iter().map(Finding::to_string).collect();
        insta::assert_snapshot!(words.join("\n"));
    }
}
