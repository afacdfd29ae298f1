//! A distribution of durations: an HDR histogram with exact count, sum and maximum beside it.

use std::time::Duration;

use hdrhistogram::Histogram;

/// How many durations of which length, from 1 µs to [`Distribution::HIGHEST`] at three digits.
///
/// The bounds are fixed, so that two distributions always add bucket for bucket. What lies beyond them is
/// still exact in count, mean and maximum; a quantile that falls there is unknown rather than cut.
/// Nothing is allocated before the first sample: an operation that never happens costs nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    histogram: Option<Histogram<u64>>,
    sum_us: u64,
    max_us: u64,
    beyond: u64,
}

/// How sure one must be that a sample lies beyond a quantile before the quantile is told.
const CONFIDENCE: f64 = 0.95;

impl Distribution {
    /// The longest duration with a bucket of its own: an hour. A minute would hold any exchange, but not the
    /// response time of an operation that waited its turn in a storm; the hour costs 48 KiB more.
    pub const HIGHEST: Duration = Duration::from_secs(3600);

    /// Significant decimal digits of a quantile.
    const DIGITS: u8 = 3;

    /// An empty distribution.
    pub const fn new() -> Distribution {
        Distribution { histogram: None, sum_us: 0, max_us: 0, beyond: 0 }
    }

    /// Takes in one duration, in whole microseconds.
    pub fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let highest = Distribution::HIGHEST.as_micros() as u64;
        if self.histogram.is_none() {
            self.histogram = Histogram::new_with_bounds(1, highest, Distribution::DIGITS).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(us.min(highest));
        }
        self.beyond += u64::from(us > highest);
        self.sum_us = self.sum_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
    }

    /// Adds all samples of `other`, bucket for bucket.
    pub fn merge(&mut self, other: &Distribution) {
        match (&mut self.histogram, &other.histogram) {
            (Some(mine), Some(theirs)) => {
                // Equal fixed bounds: the only error there is, a value out of range, cannot be.
                let added = mine.add(theirs);
                debug_assert!(added.is_ok());
            }
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
        self.beyond += other.beyond;
    }

    /// How many durations were taken in.
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// How many of them were longer than [`Distribution::HIGHEST`].
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The exact mean in microseconds; `None` without samples.
    pub fn mean_us(&self) -> Option<f64> {
        match self.count() {
            0 => None,
            n => Some(self.sum_us as f64 / n as f64),
        }
    }

    /// The exact maximum in microseconds; `None` without samples.
    pub fn max_us(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max_us)
    }

    /// The value in microseconds that a share `q` (above 0, below 1) of the samples does not exceed, to three digits.
    ///
    /// `None` if there are fewer than [`Distribution::samples_needed`], or if the quantile lies beyond
    /// [`Distribution::HIGHEST`].
    pub fn quantile_us(&self, q: f64) -> Option<u64> {
        let histogram = self.histogram.as_ref()?;
        if histogram.len() < Distribution::samples_needed(q)? {
            return None;
        }
        let rank = (q * histogram.len() as f64).ceil() as u64;
        if rank > histogram.len() - self.beyond {
            return None;
        }
        // A bucket tells its upper edge, which can lie above the largest sample.
        Some(histogram.value_at_quantile(q).min(self.max_us))
    }

    /// How many samples it takes for the quantile `q` to be more than a guess: with so many, one lies beyond the
    /// true quantile with a probability of 95 %. That is 5 for the median, 29 for p90, 299 for p99, 2,995 for p99.9.
    /// `None` unless `q` is above 0 and below 1.
    pub fn samples_needed(q: f64) -> Option<u64> {
        (q > 0.0 && q < 1.0).then(|| ((1.0 - CONFIDENCE).ln() / q.ln()).ceil() as u64)
    }

    /// The buckets, for an HdrHistogram log; `None` without samples.
    pub fn histogram(&self) -> Option<&Histogram<u64>> {
        self.histogram.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(us: &[u64]) -> Distribution {
        let mut d = Distribution::new();
        us.iter().for_each(|&us| d.record(Duration::from_micros(us)));
        d
    }

    #[test]
    fn samples_needed_follow_from_the_confidence() {
        for (q, n) in [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2_995)] {
            assert_eq!(Distribution::samples_needed(q), Some(n), "{q}");
        }
        for q in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
            assert_eq!(Distribution::samples_needed(q), None, "{q}");
        }
    }

    #[test]
    fn too_few_samples_give_no_quantile_but_mean_and_maximum() {
        assert_eq!(of(&[]).mean_us(), None);
        assert_eq!(of(&[]).max_us(), None);
        assert_eq!(of(&[7]).mean_us(), Some(7.0));
        assert_eq!(of(&[0]).max_us(), Some(0));
        assert_eq!(of(&[1; 4]).quantile_us(0.5), None);
        assert_eq!(of(&[1; 5]).quantile_us(0.5), Some(1));
        assert_eq!(of(&[9; 298]).quantile_us(0.99), None);
        assert_eq!(of(&[9; 299]).quantile_us(0.99), Some(9));
    }

    #[test]
    fn what_lies_beyond_the_bounds_is_counted_and_its_quantile_unknown() {
        let long = 2 * Distribution::HIGHEST.as_micros() as u64;
        let d = of(&[1000, 1000, 1000, long, long, long]);
        assert_eq!((d.count(), d.beyond(), d.max_us()), (6, 3, Some(long)));
        assert_eq!(d.quantile_us(0.5), Some(1000));
        assert_eq!(of(&[1000, 1000, long, long, long]).quantile_us(0.5), None);
        assert_eq!(d.mean_us(), Some((3000 + 3 * long) as f64 / 6.0));
    }

    #[test]
    fn no_quantile_exceeds_the_maximum() {
        let d = of(&[123_457; 10]);
        assert_eq!(d.quantile_us(0.5), Some(123_457));
    }

    proptest! {
        #[test]
        fn merging_is_recording_everything_in_one(a in samples(), b in samples(), c in samples()) {
            let whole = of(&[a.as_slice(), &b, &c].concat());
            let (mut ab_c, mut b_a) = (of(&a), of(&b));
            ab_c.merge(&of(&b));
            b_a.merge(&of(&a));
            prop_assert_eq!(&ab_c, &b_a);
            ab_c.merge(&of(&c));
            let mut bc = of(&b);
            bc.merge(&of(&c));
            let mut a_bc = of(&a);
            a_bc.merge(&bc);
            prop_assert_eq!(&ab_c, &a_bc);
            prop_assert_eq!(&ab_c, &whole);
        }

        #[test]
        fn quantiles_are_exact_to_three_digits(mut us in prop::collection::vec(1u64..3_600_000_000, 299..600)) {
            let d = of(&us);
            us.sort_unstable();
            for q in [0.5, 0.9, 0.99] {
                let exact = us[(q * us.len() as f64).ceil() as usize - 1] as f64;
                let told = d.quantile_us(q).unwrap() as f64;
                prop_assert!(told >= exact && told <= exact * 1.001 + 1.0, "{} told for {}", told, exact);
            }
        }
    }

    fn samples() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0u64..10, 0u64..1_000_000, 0u64..10_000_000_000], 0..40)
    }
}
