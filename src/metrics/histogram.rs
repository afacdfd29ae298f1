//! Samples counted by bucket, in a table no longer than the longest of them asks for.
//!
//! The buckets are HDR's ([`super::bucket`]), so what is counted here can be given out as an HDR histogram. It is ours
//! because every exchange is counted in several, and every slice of a run makes them anew, writes them down and adds them
//! up: a histogram that always has all 23,000 buckets, up to an hour, costs more there than the exchanges of the slice.

use super::bucket;

/// How many samples each bucket has.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

/// The table grows by so many buckets.
const STEP: usize = 512;

impl Histogram {
    /// Takes in `count` samples of so many microseconds.
    pub(super) fn add(&mut self, us: u32, count: u64) {
        let place = bucket::place(us);
        match self.counts.get_mut(place) {
            Some(here) => *here = here.saturating_add(count),
            None => self.grow(place, count),
        }
        self.total = self.total.saturating_add(count);
    }

    #[cold]
    fn grow(&mut self, place: usize, count: u64) {
        self.counts.resize((place / STEP + 1) * STEP, 0);
        self.counts[place] = count;
    }

    /// Adds the samples of another.
    pub(super) fn merge(&mut self, other: &Histogram) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
        }
        self.total = self.total.saturating_add(other.total);
    }

    /// How many samples there are.
    pub(super) fn count(&self) -> u64 {
        self.total
    }

    /// The lowest value of the bucket in which the sample of this rank lies, from 1.
    pub(super) fn at_rank(&self, rank: u64) -> Option<u32> {
        let mut passed = 0_u64;
        let place = self.counts.iter().position(|count| {
            passed = passed.saturating_add(*count);
            passed >= rank
        });
        place.map(bucket::lowest_at)
    }

    /// Buckets that have samples, in rising order: their lowest value, and how many.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u32, u64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(place, count)| (bucket::lowest_at(place), *count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_tells_what_hdrs_own_histogram_tells(
            samples in prop::collection::vec((prop_oneof![0u32..5_000, 0u32..=3_600_000_000], 1u64..5), 1..80),
            q in 0.0001f64..0.9999,
        ) {
            let mut theirs = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).unwrap();
            let (mut ours, mut other) = (Histogram::default(), Histogram::default());
            for (n, (us, count)) in samples.iter().enumerate() {
                theirs.record_n((*us).into(), *count).unwrap();
                if n % 3 == 0 { &mut other } else { &mut ours }.add(*us, *count);
            }
            ours.merge(&other);
            prop_assert_eq!(ours.count(), theirs.len());
            let rank = (q * ours.count() as f64).ceil() as u64;
            prop_assert_eq!(ours.at_rank(rank).map(|us| u64::from(bucket::highest(us))), Some(theirs.value_at_quantile(q)));
            let pairs: Vec<_> = ours.pairs().map(|(us, n)| (u64::from(us), n)).collect();
            let recorded = theirs.iter_recorded();
            let wanted: Vec<_> = recorded
                .map(|v| (theirs.lowest_equivalent(v.value_iterated_to()), v.count_since_last_iteration()))
                .collect();
            prop_assert_eq!(pairs, wanted);
        }
    }

    #[test]
    fn it_takes_no_more_room_than_its_longest_sample() {
        let mut histogram = Histogram::default();
        histogram.add(300, 1);
        assert_eq!(histogram.counts.len(), STEP);
        histogram.add(3_600_000_000, 1);
        assert!(histogram.counts.len() < 24_000 && histogram.count() == 2);
    }
}
