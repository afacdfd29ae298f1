//! One run against another: the ratio of one figure, from the two intervals.
//!
//! The two runs are independent, so the ends of the ratio's interval follow from the ends of both (on logarithms): the
//! method of variance estimates recovery of A. Donner and G. Y. Zou, *Closed-form confidence intervals for functions of
//! the normal mean and standard deviation*, Stat. Methods Med. Res. 21 (2012). It keeps the lopsidedness of the
//! intervals it is given, and holds what they hold.

use super::super::critical::{normal_quantile, two_sided_p};
use super::super::interval::{Interval, Refusal};
use super::answer::{Comparison, Doubt, Ratio, Terms};

/// The second run's figure against the first's, with the confidence of their intervals ([`Terms::rules`]). Where one has
/// no interval, nothing can be told.
pub fn compare_pair(first: Result<Interval, Refusal>, second: Result<Interval, Refusal>, terms: &Terms) -> Comparison {
    match (first, second) {
        (Err(why), _) => Comparison::doubtful(Doubt::FirstRefused(why)),
        (_, Err(why)) => Comparison::doubtful(Doubt::SecondRefused(why)),
        (Ok(first), Ok(second)) if first.value <= 0.0 || second.value <= 0.0 => {
            Comparison::doubtful(Doubt::NotPositive)
        }
        (Ok(first), Ok(second)) => Comparison::of(ratio(&first, &second), terms),
    }
}

fn ratio(first: &Interval, second: &Interval) -> Ratio {
    let log = |x: f64| x.max(0.0).ln();
    let difference = log(second.value) - log(first.value);
    let down = (log(second.value) - log(second.low)).hypot(log(first.high) - log(first.value));
    let up = (log(second.high) - log(second.value)).hypot(log(first.value) - log(first.low));
    // The half-width towards "no difference" is as many standard errors long as the confidence says.
    let towards = if difference > 0.0 { down } else { up };
    let errors = normal_quantile(0.5 + first.confidence.min(second.confidence) / 2.0);
    let p_value = if difference == 0.0 { 1.0 } else { two_sided_p(errors * difference / towards) };
    Ratio { value: difference.exp(), low: (difference - down).exp(), high: (difference + up).exp(), p_value }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::*;

    fn figure(value: f64, low: f64, high: f64) -> Result<Interval, Refusal> {
        let confidence = 0.95;
        Ok(Interval { value, low, high, confidence, blocks: 100, block_s: 6.0, effective_samples: 60_000.0 })
    }

    #[test]
    fn equal_widths_add_up_like_the_sides_of_a_right_angle() {
        let ten = 1.1f64;
        let same = figure(100.0, 100.0 / ten, 100.0 * ten);
        let ratio = compare_pair(same, same, &Terms::default()).ratio.unwrap();
        assert!((ratio.high.ln() - 2f64.sqrt() * ten.ln()).abs() < 1e-12);
        assert!((ratio.low * ratio.high - 1.0).abs() < 1e-12);
        assert_eq!((ratio.value, ratio.p_value), (1.0, 1.0));
    }

    #[test]
    fn the_p_value_and_the_interval_agree() {
        let first = figure(100.0, 97.0, 103.0);
        for second in [104.0, 104.2, 104.4, 104.6, 90.0, 300.0, 96.0] {
            let ratio =
                compare_pair(first, figure(second, second * 0.97, second * 1.03), &Terms::default()).ratio.unwrap();
            assert_eq!(ratio.p_value < 0.05, ratio.low > 1.0 || ratio.high < 1.0, "{ratio:?}");
        }
    }

    #[test]
    fn swapping_the_runs_turns_the_ratio_over() {
        let (first, second) = (figure(100.0, 90.0, 140.0), figure(150.0, 145.0, 170.0));
        let there = compare_pair(first, second, &Terms::default()).ratio.unwrap();
        let back = compare_pair(second, first, &Terms::default()).ratio.unwrap();
        assert!((there.low * back.high - 1.0).abs() < 1e-12 && (there.high * back.low - 1.0).abs() < 1e-12);
        assert!((there.p_value - back.p_value).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_told() {
        let refusal = Refusal::TooFewSamples { samples: 3, needed: 299 };
        let fine = figure(100.0, 90.0, 110.0);
        let answer = |first, second| compare_pair(first, second, &Terms::default()).answer;
        assert_eq!(answer(Err(refusal), fine), Answer::CannotTell(Doubt::FirstRefused(refusal)));
        assert_eq!(answer(fine, Err(refusal)), Answer::CannotTell(Doubt::SecondRefused(refusal)));
        assert_eq!(answer(fine, figure(0.0, 0.0, 1.0)), Answer::CannotTell(Doubt::NotPositive));
        // An end at zero leaves the ratio open on that side.
        let open = compare_pair(figure(10.0, 0.0, 20.0), fine, &Terms::default()).ratio.unwrap();
        assert_eq!(open.high, f64::INFINITY);
        assert!(open.low > 1.0);
    }

    #[test]
    fn two_figures_that_never_vary() {
        let exact = |value| figure(value, value, value);
        assert_eq!(compare_pair(exact(5.0), exact(5.0), &Terms::default()).answer, Answer::SameWithin(0.05));
        assert_eq!(compare_pair(exact(5.0), exact(6.0), &Terms::default()).answer, Answer::Slower);
    }
}
