//! A distribution of durations: an HDR histogram with exact count, sum and maximum beside it.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::bucket::{self, Buckets};
use super::histogram::Histogram;

/// How many durations of which length, from 1 µs to [`Distribution::HIGHEST`] at three digits.
///
/// The bounds are fixed, so that two distributions always add bucket for bucket. What lies beyond them is
/// still exact in count, mean and maximum; a quantile that falls there is unknown rather than cut.
/// It takes no more room than its samples need: none before the first, four octets each for the first
/// [`Distribution::FEW`], and from there on eight for each bucket up to the longest of them (188 KiB at most).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Packed")]
pub struct Distribution {
    store: Store,
    sum_us: u64,
    max_us: u64,
    beyond: u64,
}

/// Where the samples are kept, each as the lowest value of its bucket.
#[derive(Clone, Debug)]
enum Store {
    /// One by one, in the order they came.
    Few(Vec<u32>),
    /// Counted by bucket.
    Many(Box<Histogram>),
}

impl Default for Store {
    fn default() -> Self {
        Store::Few(Vec::new())
    }
}

/// As it is written down: what differs from nothing.
#[derive(Serialize, Deserialize)]
struct Packed {
    sum_us: u64,
    max_us: u64,
    beyond: u64,
    /// How far the bucket lies above the one before, and its count.
    gaps: Vec<(u32, u64)>,
}

/// How sure one must be that a sample lies beyond a quantile before the quantile is told.
const CONFIDENCE: f64 = 0.95;

const HIGHEST_US: u32 = 3_600_000_000;

impl Distribution {
    /// The longest duration with a bucket of its own: an hour. A minute would hold any exchange, but not the
    /// response time of an operation that waited its turn in a storm; the hour costs 48 KiB more.
    pub const HIGHEST: Duration = Duration::from_micros(HIGHEST_US as u64);

    /// Significant decimal digits of a quantile.
    pub const DIGITS: u8 = 3;

    /// So many samples are kept one by one: sorting them costs no more than looking through all buckets.
    pub const FEW: usize = 2048;

    /// An empty distribution.
    pub const fn new() -> Distribution {
        Distribution { store: Store::Few(Vec::new()), sum_us: 0, max_us: 0, beyond: 0 }
    }

    /// Takes in one duration, in whole microseconds.
    pub fn record(&mut self, duration: Duration) {
        let us = micros(duration);
        let within = u32::try_from(us).unwrap_or(u32::MAX).min(HIGHEST_US);
        match &mut self.store {
            Store::Many(histogram) => histogram.add(within, 1),
            Store::Few(_) => self.put(bucket::lowest(within), 1),
        }
        self.beyond += u64::from(us > u64::from(HIGHEST_US));
        self.sum_us = self.sum_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
    }

    /// Adds all samples of `other`, bucket for bucket.
    pub fn merge(&mut self, other: &Distribution) {
        match &other.store {
            Store::Few(samples) => samples.iter().for_each(|&us| self.put(us, 1)),
            Store::Many(theirs) => {
                if let Some(mine) = self.many() {
                    mine.merge(theirs);
                }
            }
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
        self.beyond += other.beyond;
    }

    fn put(&mut self, us: u32, count: u64) {
        if let Store::Few(samples) = &mut self.store
            && (samples.len() as u64).saturating_add(count) <= Distribution::FEW as u64
        {
            samples.extend(std::iter::repeat_n(us, count as usize));
            return;
        }
        if let Some(histogram) = self.many() {
            histogram.add(us, count);
        }
    }

    /// The histogram, made of the few samples there were if there was none. There always is one.
    fn many(&mut self) -> Option<&mut Histogram> {
        if let Store::Few(samples) = &self.store {
            let mut histogram = Histogram::default();
            samples.iter().for_each(|&us| histogram.add(us, 1));
            self.store = Store::Many(Box::new(histogram));
        }
        match &mut self.store {
            Store::Many(histogram) => Some(histogram),
            Store::Few(_) => None,
        }
    }

    /// How many durations were taken in.
    pub fn count(&self) -> u64 {
        match &self.store {
            Store::Few(samples) => samples.len() as u64,
            Store::Many(histogram) => histogram.count(),
        }
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
        let count = self.count();
        if count == 0 || count < Distribution::samples_needed(q)? {
            return None;
        }
        let rank = (q * count as f64).ceil() as u64;
        if rank > count - self.beyond {
            return None;
        }
        let us = match &self.store {
            Store::Few(samples) => {
                let mut sorted = samples.clone();
                let (_, us, _) = sorted.select_nth_unstable(usize::try_from(rank).ok()?.max(1) - 1);
                u64::from(bucket::highest(*us))
            }
            Store::Many(histogram) => u64::from(bucket::highest(histogram.at_rank(rank.max(1))?)),
        };
        // A bucket tells its upper edge, which can lie above the largest sample.
        Some(us.min(self.max_us))
    }

    /// How many samples it takes for the quantile `q` to be more than a guess: with so many, one lies beyond the
    /// true quantile with a probability of 95 %. That is 5 for the median, 29 for p90, 299 for p99, 2,995 for p99.9,
    /// 29,956 for p99.99. `None` unless `q` is above 0 and below 1.
    pub fn samples_needed(q: f64) -> Option<u64> {
        (q > 0.0 && q < 1.0).then(|| ((1.0 - CONFIDENCE).ln() / q.ln()).ceil() as u64)
    }

    /// The samples by bucket, in rising order.
    pub fn buckets(&self) -> Buckets {
        self.pairs().into_iter().map(|(us, n)| (us, u32::try_from(n).unwrap_or(u32::MAX))).collect()
    }

    /// The same as an HDR histogram of microseconds; `None` without samples.
    pub fn to_histogram(&self) -> Option<hdrhistogram::Histogram<u64>> {
        if self.count() == 0 {
            return None;
        }
        let mut histogram =
            hdrhistogram::Histogram::new_with_bounds(1, HIGHEST_US.into(), Distribution::DIGITS).ok()?;
        self.pairs().into_iter().for_each(|(us, count)| histogram.saturating_record_n(us.into(), count));
        Some(histogram)
    }

    /// Buckets (their lowest value in microseconds) that have samples, in rising order, each with its count.
    fn pairs(&self) -> Vec<(u32, u64)> {
        match &self.store {
            Store::Few(samples) => {
                let mut sorted = samples.clone();
                sorted.sort_unstable();
                sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64)).collect()
            }
            Store::Many(histogram) => histogram.pairs().collect(),
        }
    }
}

/// Whole microseconds. (`Duration::as_micros` calculates in 128 bits, which is felt where everything is counted.)
pub(super) const fn micros(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000).saturating_add(duration.subsec_micros() as u64)
}

impl PartialEq for Distribution {
    /// Equal in every figure, however they are kept.
    fn eq(&self, other: &Distribution) -> bool {
        (self.sum_us, self.max_us, self.beyond) == (other.sum_us, other.max_us, other.beyond)
            && self.count() == other.count()
            && self.pairs() == other.pairs()
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut below = 0;
        let gaps = self.pairs().into_iter().map(|(us, n)| (us - std::mem::replace(&mut below, us), n)).collect();
        Packed { sum_us: self.sum_us, max_us: self.max_us, beyond: self.beyond, gaps }.serialize(serializer)
    }
}

impl From<Packed> for Distribution {
    fn from(packed: Packed) -> Distribution {
        let mut d = Distribution::new();
        let mut us = 0_u32;
        for (gap, n) in packed.gaps {
            us = us.saturating_add(gap).min(HIGHEST_US);
            d.put(bucket::lowest(us), n);
        }
        Distribution { sum_us: packed.sum_us, max_us: packed.max_us, beyond: packed.beyond.min(d.count()), ..d }
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
        for (q, n) in [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2_995), (0.9999, 29_956)] {
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
    fn beyond_the_few_nothing_is_lost() {
        let us: Vec<u64> = (0..3 * Distribution::FEW as u64).map(|n| n * 7_919 % 5_000_000).collect();
        let (whole, mut parts) = (of(&us), Distribution::new());
        us.chunks(1_000).for_each(|part| parts.merge(&of(part)));
        assert_eq!(whole, parts);
        assert_eq!(whole.to_histogram().unwrap().len(), us.len() as u64);
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
        fn many_samples_tell_what_few_would(us in prop::collection::vec(prop_oneof![0u64..3_000, 0u64..10_000_000_000], 1..700)) {
            let few = of(&us);
            let mut many = few.clone();
            many.many();
            prop_assert_eq!(&few, &many);
            for q in [0.01, 0.5, 0.9, 0.99] {
                prop_assert_eq!(few.quantile_us(q), many.quantile_us(q), "{}", q);
            }
            let again: Distribution = postcard::from_bytes(&postcard::to_allocvec(&many).unwrap()).unwrap();
            prop_assert_eq!(&again, &few);
            let buckets = few.buckets();
            prop_assert_eq!(buckets.iter().map(|(_, n)| u64::from(n)).sum::<u64>(), few.count());
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
