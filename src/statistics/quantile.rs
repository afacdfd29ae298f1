//! The interval of a quantile: which values could be the true one, given how the seconds of the run differ?
//!
//! A value x is the true p99 if 1 % of all requests exceed it in the long run. So for every x that was seen, count the
//! exceedances block by block, take off 1 % of the block's requests, and ask whether the mean of these differences is
//! zero by a t test with the skewness taken out ([`super::studentised`]). The interval is the values that pass. This
//! is Woodruff's interval (R. S. Woodruff, *Confidence intervals for medians and other position measures*, JASA 47,
//! 1952) on batch means, inverted as a test rather than by adding an error to the estimate: nothing is assumed about
//! the density of the values, and the ends are as lopsided as the data.
//!
//! What it needs of the data is judged *at the median*, not at the quantile: how many independent samples the run's
//! samples are worth. Bursts beyond p99 are few, and a run that happened to have few of them would look the steadiest
//! of all; the swings about the median are many, and say the same of the queue behind them.

use super::blocks::{Blocks, refuse_drift, suitable};
use super::critical::student_t_quantile;
use super::interval::{Interval, Refusal, Rules, samples_needed};
use super::seconds::Seconds;
use super::studentised::Sums;

/// Independent samples (as judged at the median) that must lie beyond the quantile, on its thinner side.
const MIN_BEYOND: f64 = 20.0;
/// The same as judged by the bursts beyond the quantile itself, which is a far rougher guess.
const MIN_BURSTS: f64 = 4.0;

impl Seconds {
    /// The quantile `p` (between 0 and 1) with its interval, or why there is none. Costs one walk over all entries.
    pub fn interval(&self, p: f64, rules: &Rules) -> Result<Interval, Refusal> {
        let needed = samples_needed(p);
        let value = match self.quantile(p) {
            Some(value) if self.samples() >= needed => value,
            _ => return Err(Refusal::TooFewSamples { samples: self.samples(), needed }),
        };
        let beyond = self.differences(value);
        refuse_drift(&beyond, rules.seed)?;
        let blocks = suitable(&beyond)?;
        let effective_samples = self.enough_samples(p, value, &beyond, blocks)?;
        // How well the spread is known: no better than the blocks, nor than the samples beyond the quantile, can show it.
        let degrees = (blocks.count as f64).min(effective_samples * p.min(1.0 - p)) - 1.0;
        let bar = student_t_quantile(0.5 + rules.confidence / 2.0, degrees);
        let (low, high) = self.values_that_pass(p, blocks, bar);
        Ok(Interval {
            value: f64::from(value),
            low: f64::from(low.min(value)),
            high: f64::from(high.max(value)),
            confidence: rules.confidence,
            blocks: blocks.count,
            block_s: blocks.length_s(),
            effective_samples,
        })
    }

    /// Second by second: how many values exceed `value`, less what the second's share of all that do would be.
    fn differences(&self, value: u32) -> Vec<f64> {
        let exceeding = self.exceeding(value);
        let share = exceeding.iter().sum::<f64>() / self.samples() as f64;
        exceeding.iter().zip(self.totals()).map(|(above, total)| above - share * total).collect()
    }

    /// What the samples are worth, or that it is too little for the quantile `p`, seen at `value`.
    fn enough_samples(&self, p: f64, value: u32, beyond: &[f64], blocks: Blocks) -> Result<f64, Refusal> {
        let thin = p.min(1.0 - p);
        let middle = self.quantile(0.5).unwrap_or(value);
        let about_middle = self.differences(middle);
        let middle_blocks = suitable(&about_middle)?;
        let effective = self.worth(middle, &middle_blocks.sums(&about_middle));
        let by_bursts = self.worth(value, &blocks.sums(beyond));
        for (worth, least) in [(effective, MIN_BEYOND / thin), (by_bursts, MIN_BURSTS / thin)] {
            if worth < least {
                return Err(Refusal::TooFewEffectiveSamples { effective: worth, needed: least });
            }
        }
        Ok(effective)
    }

    /// How many independent samples would let the share beyond `value` vary as much as these blocks do.
    fn worth(&self, value: u32, differences: &[f64]) -> f64 {
        let samples = self.samples() as f64;
        let share = self.exceeding(value).iter().sum::<f64>() / samples;
        let seen = Sums::of(differences).variance_of_sum();
        if seen <= 0.0 {
            return samples;
        }
        (samples * samples * share * (1.0 - share) / seen).min(samples)
    }

    /// The lowest and the highest value whose t stays within `bar` if it is taken for the true quantile `p`.
    fn values_that_pass(&self, p: f64, blocks: Blocks, bar: f64) -> (u32, u32) {
        // With nothing exceeding, each block lacks its whole share.
        let mut differences = blocks.sums(self.totals());
        differences.iter_mut().for_each(|total| *total *= p - 1.0);
        let mut sums = Sums::of(&differences);
        let mut high = None;
        let mut low = 0;
        for (value, holders) in self.descending() {
            // Too many exceed it: the truth lies higher.
            if high.is_some() && sums.t() > bar {
                break;
            }
            low = value;
            for (second, count) in holders {
                let block = &mut differences[blocks.of(second)];
                sums.change(*block, *block + count);
                *block += count;
            }
            // From here on, enough reach it.
            if high.is_none() && sums.t() >= -bar {
                high = Some(value);
            }
        }
        (low, high.unwrap_or(low))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(run: &[Vec<(u32, u32)>]) -> Seconds {
        Seconds::new(run.iter().map(Vec::as_slice))
    }

    /// A run of seconds that know nothing of each other.
    fn runs() -> impl Strategy<Value = Vec<Vec<(u32, u32)>>> {
        prop::collection::vec(prop::collection::vec((1u32..5_000, 0u32..40), 0..12), 0..90)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ends_are_values_of_the_run_about_the_figure(run in runs(), p in 0.02f64..0.98) {
            let run = seconds(&run);
            if let Ok(found) = run.interval(p, &Rules::default()) {
                prop_assert_eq!(Some(found.value as u32), run.quantile(p));
                prop_assert!(found.low <= found.value && found.value <= found.high, "{found:?}");
                let values: Vec<f64> = run.descending().map(|(value, _)| f64::from(value)).collect();
                prop_assert!(values.contains(&found.low) && values.contains(&found.high), "{found:?}");
                prop_assert!(found.effective_samples <= run.samples() as f64);
            }
        }

        #[test]
        fn only_the_order_of_values_counts(run in runs(), p in 0.02f64..0.98) {
            // Any growing function of the values carries the interval with it.
            let grown: Vec<Vec<(u32, u32)>> =
                run.iter().map(|s| s.iter().map(|&(value, count)| (value * value + 7, count)).collect()).collect();
            let grow = |x: f64| x * x + 7.0;
            match (seconds(&run).interval(p, &Rules::default()), seconds(&grown).interval(p, &Rules::default())) {
                (Ok(a), Ok(b)) => {
                    prop_assert_eq!((grow(a.low), grow(a.value), grow(a.high)), (b.low, b.value, b.high));
                }
                (a, b) => prop_assert_eq!(a.err(), b.err()),
            }
        }

        #[test]
        fn more_confidence_is_never_narrower(run in runs(), p in 0.1f64..0.9) {
            let at = |confidence| seconds(&run).interval(p, &Rules { confidence, seed: 1 });
            if let (Ok(sure), Ok(surer)) = (at(0.8), at(0.99)) {
                prop_assert!(surer.low <= sure.low && sure.high <= surer.high, "{sure:?} {surer:?}");
            }
        }
    }
}
