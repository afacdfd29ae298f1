//! Does a series stay where it is? The cumulated sum of its deviations, against the same values in shuffled order.
//!
//! A series that rises, falls, jumps or swings slowly lets the cumulated sum run far from zero; the same values
//! shuffled do not. Source: W. A. Taylor, *Change-Point Analysis* (2000), for the statistic; E. S. Edgington and
//! P. Onghena, *Randomization Tests* (4th ed., 2007), chapter 3, for the p-value. No law of the values is assumed.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

/// What the cumulated sum says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// How often a shuffled series strays as far, 0 to 1: small means that the order matters.
    pub p_value: f64,
    /// The number of values before the point at which the level changed most.
    pub at: usize,
    /// The mean of the values before that point.
    pub before: f64,
    /// The mean of the values from that point on.
    pub after: f64,
}

/// Shuffles beyond this say nothing new at the levels used here.
const SHUFFLES: u32 = 1_999;

/// Judges a series; `None` for fewer than eight values, where no order can be told from chance.
pub fn drift(series: &[f64], seed: u64) -> Option<Drift> {
    if series.len() < 8 {
        return None;
    }
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let mut centred: Vec<f64> = series.iter().map(|x| x - mean).collect();
    let (farthest, at) = excursion(&centred);
    let before = series[..at].iter().sum::<f64>() / at as f64;
    let after = series[at..].iter().sum::<f64>() / (series.len() - at) as f64;
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    // A hair's breadth of tolerance: the same values in another order may add up a rounding apart.
    let bar = farthest * (1.0 - 1e-9);
    let mut as_far = 0;
    for _ in 0..SHUFFLES {
        centred.shuffle(&mut random);
        as_far += u32::from(excursion(&centred).0 >= bar);
    }
    Some(Drift { p_value: f64::from(as_far + 1) / f64::from(SHUFFLES + 1), at, before, after })
}

/// How far the cumulated sum goes from zero, and after how many values (at least one is left on each side).
fn excursion(centred: &[f64]) -> (f64, usize) {
    let mut sum = 0.0;
    let mut farthest = (0.0, 1);
    for (index, value) in centred.iter().enumerate().take(centred.len() - 1) {
        sum += value;
        if f64::abs(sum) > farthest.0 {
            farthest = (f64::abs(sum), index + 1);
        }
    }
    farthest
}

#[cfg(test)]
mod tests {
    use rand::RngCore;

    use super::*;

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        (0..n).map(|_| random.next_u32() as f64 / u32::MAX as f64).collect()
    }

    #[test]
    fn a_jump_a_slope_and_a_swing_are_seen_and_placed() {
        let jump: Vec<f64> = noise(1, 40).iter().enumerate().map(|(i, x)| if i < 25 { *x } else { x + 1.0 }).collect();
        let found = drift(&jump, 1).unwrap();
        assert!(found.p_value < 0.002, "{found:?}");
        assert_eq!(found.at, 25);
        assert!(found.after - found.before > 0.7);

        let slope: Vec<f64> = noise(2, 40).iter().enumerate().map(|(i, x)| x - i as f64 * 0.05).collect();
        assert!(drift(&slope, 1).unwrap().p_value < 0.002);

        let swing: Vec<f64> = noise(3, 40).iter().enumerate().map(|(i, x)| x + (i as f64 / 6.0).sin()).collect();
        assert!(drift(&swing, 1).unwrap().p_value < 0.01);
    }

    #[test]
    fn false_alarms_are_as_rare_as_the_p_value_says() {
        // 400 calm series at a level of 5 %: 20 expected, standard deviation 4.4; 38 is four of them away.
        let alarms = (0..400).filter(|&seed| drift(&noise(seed + 10, 20), seed).unwrap().p_value <= 0.05).count();
        assert!((4..=38).contains(&alarms), "{alarms} alarms of 400");
    }

    #[test]
    fn too_short_or_without_any_variation() {
        assert_eq!(drift(&[1.0; 7], 1), None);
        assert_eq!(drift(&[1.0; 20], 1).unwrap().p_value, 1.0);
    }
}
