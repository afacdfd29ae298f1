//! The interval of a mean or a rate, from its per-second sums: the same test and the same blocks as a quantile's.

use super::blocks::{refuse_drift, suitable};
use super::critical::student_t_quantile;
use super::interval::{Interval, Refusal, Rules};
use super::studentised::Sums;

/// The interval of a rate: the mean of one number a second.
pub fn rate_interval(per_second: &[f64], rules: &Rules) -> Result<Interval, Refusal> {
    mean_interval(per_second, &vec![1.0; per_second.len()], rules)
}

/// The interval of a mean: the sum of all `sums` over the sum of all `weights`, one of each a second (for a mean response
/// time: the sum of the second's response times, and how many there were). Both are finite, weights are not negative,
/// and a second without its pair is left out.
///
/// The ends are the values at which the test of [`super::Seconds::interval`] turns; they are infinite where the
/// weights vary so much that no value can be ruled out (E. C. Fieller, *Some problems in interval estimation*, 1954).
pub fn mean_interval(sums: &[f64], weights: &[f64], rules: &Rules) -> Result<Interval, Refusal> {
    let seconds = sums.len().min(weights.len());
    let (sums, weights) = (&sums[..seconds], &weights[..seconds]);
    let weight: f64 = weights.iter().sum();
    if weight <= 0.0 {
        return Err(Refusal::TooFewSamples { samples: 0, needed: 1 });
    }
    let value = sums.iter().sum::<f64>() / weight;
    let differences: Vec<f64> = sums.iter().zip(weights).map(|(sum, weight)| sum - value * weight).collect();
    refuse_drift(&differences, rules.seed)?;
    let blocks = suitable(&differences)?;
    let (sums, weights) = (blocks.sums(sums), blocks.sums(weights));
    let t_of = |truth: f64| {
        let differences: Vec<f64> = sums.iter().zip(&weights).map(|(sum, weight)| sum - truth * weight).collect();
        Sums::of(&differences).t()
    };
    let spread = Sums::of(&blocks.sums(&differences)).variance_of_sum();
    let step = spread.sqrt() / weight;
    let bar = student_t_quantile(0.5 + rules.confidence / 2.0, blocks.count as f64 - 1.0);
    let alone: f64 = differences.iter().map(|d| d * d).sum();
    Ok(Interval {
        value,
        low: if step > 0.0 { turn(value, -step, |x| t_of(x) <= bar) } else { value },
        high: if step > 0.0 { turn(value, step, |x| t_of(x) >= -bar) } else { value },
        confidence: rules.confidence,
        blocks: blocks.count,
        block_s: blocks.length_s(),
        effective_samples: if spread > 0.0 {
            (seconds as f64 * alone / spread).min(seconds as f64)
        } else {
            seconds as f64
        },
    })
}

/// Where `passes` turns false, going from `from` by steps that double; infinite if it never does.
fn turn(from: f64, step: f64, passes: impl Fn(f64) -> bool) -> f64 {
    const DOUBLINGS: i32 = 40;
    let Some(outside) = (0..DOUBLINGS).map(|n| from + step * f64::from(n).exp2()).find(|x| !passes(*x)) else {
        return step.signum() * f64::INFINITY;
    };
    let (mut inside, mut outside) = (from, outside);
    for _ in 0..60 {
        let middle = (inside + outside) / 2.0;
        if passes(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use rand::{RngCore, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        (0..n).map(|_| random.next_u32() as f64 / u32::MAX as f64).collect()
    }

    #[test]
    fn even_noise_gives_the_interval_of_the_books() {
        let interval = rate_interval(&noise(1, 3_600), &Rules::default()).unwrap();
        // Uniform noise has a deviation of 1/sqrt(12); the mean of 3,600 values one of 0.0048.
        let half = (interval.high - interval.low) / 2.0;
        assert!((half / 0.0048 / 1.984 - 1.0).abs() < 0.25, "{interval:?}");
        assert!(interval.low < 0.5 && 0.5 < interval.high);
        assert_eq!((interval.blocks, interval.block_s), (100, 36.0));
    }

    #[test]
    fn nineteen_in_twenty_intervals_hold_the_truth() {
        // A binomial of 400 at 95 % has a deviation of 4.4: 380 ± 18 is four of them.
        let held = (0..400)
            .filter_map(|seed| {
                // Skewed: the sixth power of noise, mean 1/7.
                let bursts: Vec<f64> = noise(seed, 120).iter().map(|x| x.powi(6)).collect();
                rate_interval(&bursts, &Rules { seed, ..Rules::default() }).ok()
            })
            .filter(|interval| interval.low <= 1.0 / 7.0 && 1.0 / 7.0 <= interval.high)
            .count();
        assert!((357..=397).contains(&held), "{held} of 400");
    }

    #[test]
    fn a_steady_figure_has_no_width_and_a_drifting_one_no_interval() {
        let steady = rate_interval(&[7.0; 60], &Rules::default()).unwrap();
        assert_eq!((steady.low, steady.value, steady.high), (7.0, 7.0, 7.0));
        let rising: Vec<f64> = noise(3, 120).iter().enumerate().map(|(i, x)| x + i as f64 / 40.0).collect();
        assert!(matches!(rate_interval(&rising, &Rules::default()), Err(Refusal::Drifts { rises: true, .. })));
        assert!(matches!(rate_interval(&noise(3, 10), &Rules::default()), Err(Refusal::TooFewBlocks { .. })));
        assert!(rate_interval(&[], &Rules::default()).is_err());
    }

    #[test]
    fn empty_seconds_weigh_nothing() {
        let weights: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
        let sums: Vec<f64> = weights.iter().zip(noise(5, 100)).map(|(w, x)| w * (10.0 + x)).collect();
        let interval = mean_interval(&sums, &weights, &Rules::default()).unwrap();
        assert!((10.3..10.7).contains(&interval.value), "{interval:?}");
        assert!(interval.high - interval.low < 0.3, "{interval:?}");
    }
}
