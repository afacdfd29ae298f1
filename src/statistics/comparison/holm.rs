//! Several figures at once: Holm's correction, so that the chance of *any* false difference stays what one alone had.
//!
//! Source: S. Holm, *A simple sequentially rejective multiple test procedure*, Scand. J. Statist. 6 (1979).

use super::answer::{Answer, Comparison, Doubt};

/// Holm's adjusted p-values, in the order given: the family-wise level at which each would still be called a difference.
pub fn holm_adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut worst = 0.0f64;
    for (place, &index) in order.iter().enumerate() {
        worst = worst.max(p_values[index] * (p_values.len() - place) as f64);
        adjusted[index] = worst.min(1.0);
    }
    adjusted
}

/// Takes back those differences among the figures of one comparison that many figures would show by chance. Figures
/// without a ratio do not count. `confidence` is that of the comparisons.
pub fn holm(comparisons: &mut [Comparison], confidence: f64) {
    let told: Vec<usize> = (0..comparisons.len()).filter(|&index| comparisons[index].ratio.is_some()).collect();
    let p_values: Vec<f64> = told.iter().filter_map(|&index| comparisons[index].ratio).map(|r| r.p_value).collect();
    for (&index, adjusted) in told.iter().zip(holm_adjusted(&p_values)) {
        let answer = &mut comparisons[index].answer;
        if matches!(answer, Answer::Faster | Answer::Slower) && adjusted > 1.0 - confidence + 1e-12 {
            *answer = Answer::CannotTell(Doubt::AmongMany { figures: told.len() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Ratio;
    use super::*;

    #[test]
    fn the_worked_example_of_the_books() {
        let adjusted = holm_adjusted(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm_adjusted(&[]), Vec::<f64>::new());
        assert_eq!(holm_adjusted(&[0.9, 0.8]), [1.0, 1.0]);
    }

    #[test]
    fn only_differences_are_taken_back() {
        let of =
            |p_value, answer| Comparison { ratio: Some(Ratio { value: 1.1, low: 1.0, high: 1.2, p_value }), answer };
        let mut all = [
            of(0.001, Answer::Slower),
            of(0.04, Answer::Faster),
            of(0.03, Answer::SameWithin(0.05)),
            Comparison::doubtful(Doubt::NotPositive),
        ];
        holm(&mut all, 0.95);
        let answers = all.map(|one| one.answer);
        let many = Answer::CannotTell(Doubt::AmongMany { figures: 3 });
        assert_eq!(answers, [Answer::Slower, many, Answer::SameWithin(0.05), Answer::CannotTell(Doubt::NotPositive)]);
    }
}
