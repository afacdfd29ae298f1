//! Many runs of each side: the Hodges–Lehmann ratio with the Mann–Whitney interval.
//!
//! On logarithms, the ratio is the median of all ratios of a second figure to a first one; the interval is cut from the
//! same ratios in order, at the ranks that the Mann–Whitney distribution gives. Nothing is assumed of how runs vary,
//! so it also covers what differs *between* runs (a cold cache, another placement), which one pair can never show.
//! Source: M. Hollander, D. A. Wolfe, E. Chicken, *Nonparametric Statistical Methods* (3rd ed., 2014), sections 4.2 to 4.3;
//! J. L. Hodges and E. L. Lehmann, *Estimates of location based on rank tests*, Ann. Math. Statist. 34 (1963).

use super::super::critical::{normal_quantile, two_sided_p};
use super::answer::{Comparison, Doubt, Ratio, Terms};
use super::mann_whitney::exact_cumulative;

/// With fewer runs of a side even a complete separation is no proof.
pub const MIN_PAIRS: usize = 5;

/// The runs' figures of the second side against those of the first, one figure a run, in any order.
pub fn compare_pairs(first: &[f64], second: &[f64], terms: &Terms) -> Comparison {
    let pairs = first.len().min(second.len());
    if pairs < MIN_PAIRS {
        return Comparison::doubtful(Doubt::TooFewPairs { pairs, needed: MIN_PAIRS });
    }
    if first.iter().chain(second).any(|figure| figure.is_nan() || *figure <= 0.0) {
        return Comparison::doubtful(Doubt::NotPositive);
    }
    let mut logs: Vec<f64> = second.iter().flat_map(|s| first.iter().map(|f| s.ln() - f.ln())).collect();
    logs.sort_unstable_by(f64::total_cmp);
    let law = Law::of(first.len(), second.len());
    let Some(rank) = law.rank((1.0 - terms.confidence) / 2.0) else {
        return Comparison::doubtful(Doubt::TooFewPairs { pairs, needed: pairs + 1 });
    };
    let ratio = Ratio {
        value: median(&logs).exp(),
        low: logs[rank].exp(),
        high: logs[logs.len() - 1 - rank].exp(),
        p_value: law.p_value(&logs),
    };
    Comparison::of(ratio, terms)
}

fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0
}

/// How the Mann–Whitney statistic varies where there is no difference.
enum Law {
    Exact(Vec<f64>),
    Normal { mean: f64, deviation: f64 },
}

impl Law {
    fn of(n: usize, m: usize) -> Self {
        exact_cumulative(n, m).map_or_else(
            || {
                let (n, m) = (n as f64, m as f64);
                Self::Normal { mean: n * m / 2.0, deviation: (n * m * (n + m + 1.0) / 12.0).sqrt() }
            },
            Self::Exact,
        )
    }

    /// How many of the sorted ratios may be cut off at each end, at most `tail` of probability at each.
    fn rank(&self, tail: f64) -> Option<usize> {
        match self {
            Self::Exact(cumulative) => cumulative.iter().rposition(|&p| p <= tail),
            Self::Normal { mean, deviation } => Some((mean + normal_quantile(tail) * deviation - 0.5).floor() as usize),
        }
    }

    /// Two-sided; ties count as half, rounded so that they never make a difference surer.
    fn p_value(&self, logs: &[f64]) -> f64 {
        let above = logs.iter().filter(|log| **log > 0.0).count() as f64;
        let ties = logs.iter().filter(|log| **log == 0.0).count() as f64;
        let u = above + ties / 2.0;
        let small = u.min(logs.len() as f64 - u);
        match self {
            Self::Exact(cumulative) => (2.0 * cumulative[small.ceil() as usize]).min(1.0),
            Self::Normal { mean, deviation } => two_sided_p((mean - small - 0.5).max(0.0) / deviation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::{Answer, Better};
    use super::*;

    /// As the printed tables have it.
    const USUAL: Terms = Terms { better: Better::Smaller, margin: 0.05, confidence: 0.95 };

    #[test]
    fn five_against_five_worked_by_hand() {
        let first = [1.0, 2.0, 4.0, 8.0, 16.0];
        let second = first.map(|x| x * 100.0);
        let found = compare_pairs(&first, &second, &USUAL);
        let ratio = found.ratio.unwrap();
        // The 25 ratios are 100 times the powers of two from -4 to 4; two may be cut off at each end (P(U <= 2) = 0.016).
        assert!((ratio.value - 100.0).abs() < 1e-9);
        assert!((ratio.low - 12.5).abs() < 1e-9 && (ratio.high - 800.0).abs() < 1e-9, "{ratio:?}");
        assert!((ratio.p_value - 2.0 / 252.0).abs() < 1e-12);
        assert_eq!(found.answer, Answer::Slower);
    }

    #[test]
    fn the_interval_and_the_p_value_agree() {
        let first = [100.0, 101.5, 99.0, 102.2, 98.7, 100.4];
        for shift in [0.97, 0.98, 0.99, 1.0, 1.005, 1.01, 1.02, 1.03, 1.05] {
            let second: Vec<f64> =
                first.iter().enumerate().map(|(i, x)| x * shift * (1.0 + 0.0007 * i as f64)).collect();
            let ratio = compare_pairs(&first, &second, &USUAL).ratio.unwrap();
            assert_eq!(ratio.p_value <= 0.05, ratio.low > 1.0 || ratio.high < 1.0, "{shift}: {ratio:?}");
        }
    }

    #[test]
    fn large_groups_go_over_smoothly() {
        let spread = |n: usize, by: f64| (0..n).map(|i| by * (1.0 + i as f64 / n as f64)).collect::<Vec<f64>>();
        let exact = compare_pairs(&spread(40, 1.0), &spread(40, 1.15), &USUAL).ratio.unwrap();
        let normal = compare_pairs(&spread(41, 1.0), &spread(41, 1.15), &USUAL).ratio.unwrap();
        for (a, b) in [(exact.low, normal.low), (exact.high, normal.high), (exact.p_value, normal.p_value)] {
            assert!((a - b).abs() < 0.01, "{exact:?} {normal:?}");
        }
    }

    #[test]
    fn what_cannot_be_told() {
        let answer = |first: &[f64], second: &[f64]| compare_pairs(first, second, &USUAL).answer;
        assert_eq!(answer(&[1.0; 4], &[1.0; 5]), Answer::CannotTell(Doubt::TooFewPairs { pairs: 4, needed: 5 }));
        assert_eq!(answer(&[0.0; 5], &[1.0; 5]), Answer::CannotTell(Doubt::NotPositive));
        assert_eq!(answer(&[2.0; 5], &[2.0; 5]), Answer::SameWithin(0.05));
        let sure = Terms { confidence: 0.999, ..USUAL };
        assert!(matches!(
            compare_pairs(&[1.0; 5], &[2.0; 5], &sure).answer,
            Answer::CannotTell(Doubt::TooFewPairs { .. })
        ));
    }
}
