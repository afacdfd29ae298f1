//! What a comparison says, and why it may say nothing.

use std::fmt;

use super::super::interval::{Refusal, Rules};

/// Which way is better for the figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Response times, errors, bytes.
    Smaller,
    /// Rates.
    Larger,
}

/// What is asked of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Which way is better.
    pub better: Better,
    /// Figures that differ by less than this share (0.05 is 5 %) are the same to whoever asks.
    pub margin: f64,
    /// The confidence of the ratio's interval, 0 to 1.
    pub confidence: f64,
}

impl Terms {
    /// The rules for the intervals that one pair is compared by.
    pub fn rules(&self, seed: u64) -> Rules {
        Rules { confidence: self.confidence, seed }
    }
}

impl Default for Terms {
    /// Smaller is better, 5 %, 98 %: who compares often wants fewer false differences than one in twenty.
    fn default() -> Self {
        Self { better: Better::Smaller, margin: 0.05, confidence: 0.98 }
    }
}

/// The second figure over the first, with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// As it was seen; 1 is no difference.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often two equal servers would differ as much.
    pub p_value: f64,
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// The figure of the first run has no interval.
    FirstRefused(Refusal),
    /// The figure of the second run has no interval.
    SecondRefused(Refusal),
    /// A figure is zero or negative, so there is no ratio.
    NotPositive,
    /// Fewer pairs than can show anything by their order.
    TooFewPairs {
        /// What there is.
        pairs: usize,
        /// What there would have to be.
        needed: usize,
    },
    /// The interval holds both "no difference" and differences that matter.
    TooWide,
    /// One figure of several stands out no more than the most extreme of so many does by chance.
    AmongMany {
        /// How many figures were compared.
        figures: usize,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstRefused(why) => write!(f, "no interval for the first run: {why}"),
            Self::SecondRefused(why) => write!(f, "no interval for the second run: {why}"),
            Self::NotPositive => f.write_str("a figure is zero, so there is no ratio"),
            Self::TooFewPairs { pairs, needed } => write!(f, "{pairs} pairs cannot show a difference, {needed} could"),
            Self::TooWide => f.write_str("the runs leave room both for no difference and for one that matters"),
            Self::AmongMany { figures } => {
                write!(f, "among {figures} figures one differs as much by chance alone")
            }
        }
    }
}

/// The second run against the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The second is better.
    Faster,
    /// The second is worse.
    Slower,
    /// The whole interval lies within the margin, which is given here as a share.
    SameWithin(f64),
    /// Nothing can be said.
    CannotTell(Doubt),
}

/// The answer and the numbers behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// `None` where a figure is missing.
    pub ratio: Option<Ratio>,
    /// What it comes to.
    pub answer: Answer,
}

impl Comparison {
    /// The answer that a ratio gives. *Same* comes first: a difference that is sure but lies within the margin as a
    /// whole is of no matter.
    pub(super) fn of(ratio: Ratio, terms: &Terms) -> Self {
        let answer = if ratio.low >= 1.0 - terms.margin && ratio.high <= 1.0 + terms.margin {
            Answer::SameWithin(terms.margin)
        } else if ratio.low <= 1.0 && ratio.high >= 1.0 {
            Answer::CannotTell(Doubt::TooWide)
        } else if (ratio.low > 1.0) == (terms.better == Better::Larger) {
            Answer::Faster
        } else {
            Answer::Slower
        };
        Self { ratio: Some(ratio), answer }
    }

    pub(super) fn doubtful(doubt: Doubt) -> Self {
        Self { ratio: None, answer: Answer::CannotTell(doubt) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_as_a_table() {
        let wide = Answer::CannotTell(Doubt::TooWide);
        for (low, high, smaller, larger) in [
            (0.90, 0.97, Answer::Faster, Answer::Slower),
            (1.03, 1.10, Answer::Slower, Answer::Faster),
            (1.01, 1.04, Answer::SameWithin(0.05), Answer::SameWithin(0.05)),
            (0.97, 1.02, Answer::SameWithin(0.05), Answer::SameWithin(0.05)),
            (0.97, 1.06, wide, wide),
            (0.94, 1.00, wide, wide),
            (0.0, f64::INFINITY, wide, wide),
        ] {
            let ratio = Ratio { value: (low + high) / 2.0, low, high, p_value: 0.5 };
            for (better, expected) in [(Better::Smaller, smaller), (Better::Larger, larger)] {
                let terms = Terms { better, ..Terms::default() };
                assert_eq!(Comparison::of(ratio, &terms).answer, expected, "{low} to {high}, {better:?}");
            }
        }
    }

    #[test]
    fn every_doubt_has_words() {
        let refusal = Refusal::TooFewSamples { samples: 12, needed: 299 };
        let all = [
            Doubt::FirstRefused(refusal),
            Doubt::SecondRefused(refusal),
            Doubt::NotPositive,
            Doubt::TooFewPairs { pairs: 3, needed: 5 },
            Doubt::TooWide,
            Doubt::AmongMany { figures: 6 },
        ];
        let words: Vec<String> = all.iter().map(Doubt::to_string).collect();
        insta::assert_snapshot!(words.join("\n"));
    }
}
