//! The buckets of all distributions: HDR's, from 0 µs to an hour at three digits.

use serde::{Deserialize, Serialize};

/// Values below this have a bucket of their own; above, each power of two has half as many.
const LINEAR: u32 = 2048;

/// By how many bits the buckets around this value are wider than one.
const fn shift(us: u32) -> u32 {
    if us < LINEAR { 0 } else { LINEAR.leading_zeros() + 1 - us.leading_zeros() }
}

/// The lowest value of the bucket a value falls into, in microseconds.
pub(super) const fn lowest(us: u32) -> u32 {
    (us >> shift(us)) << shift(us)
}

/// The highest value of that bucket.
pub(super) const fn highest(us: u32) -> u32 {
    lowest(us) + ((1 << shift(us)) - 1)
}

/// The number of a value's bucket, from 0.
pub(super) const fn place(us: u32) -> usize {
    let shift = shift(us);
    // Where buckets are wider, the highest bit of their number within the power of two is always set.
    ((us >> shift) + shift * (LINEAR / 2)) as usize
}

/// The lowest value of the bucket of this number.
pub(super) const fn lowest_at(place: usize) -> u32 {
    let (place, half) = (place as u32, LINEAR / 2);
    if place < LINEAR {
        return place;
    }
    let shift = place / half - 1;
    (place - shift * half) << shift
}

/// Samples by bucket: the lowest value of each bucket that has any (microseconds), rising, and how many it has.
/// The small form of a distribution, of which a run can keep one for every second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets(Vec<(u32, u32)>);

impl Buckets {
    /// The pairs, rising.
    pub fn as_slice(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// The pairs, rising.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.iter().map(|(_, n)| u64::from(n)).sum()
    }

    /// Adds the samples of others, bucket for bucket.
    pub fn merge(&mut self, other: &Buckets) {
        if other.0.is_empty() {
            return;
        }
        self.0.extend_from_slice(&other.0);
        self.0.sort_unstable_by_key(|(us, _)| *us);
        self.0.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
    }
}

impl FromIterator<(u32, u32)> for Buckets {
    /// From pairs that rise.
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(pairs: I) -> Buckets {
        let pairs: Vec<_> = pairs.into_iter().collect();
        debug_assert!(pairs.is_sorted_by(|a, b| a.0 < b.0));
        Buckets(pairs)
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buckets_are_those_of_the_histogram(us in prop_oneof![0u32..5_000, 0u32..=3_600_000_000]) {
            let histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).unwrap();
            prop_assert_eq!(u64::from(lowest(us)), histogram.lowest_equivalent(us.into()));
            prop_assert_eq!(u64::from(highest(us)), histogram.highest_equivalent(us.into()));
            prop_assert_eq!(lowest_at(place(us)), lowest(us));
            prop_assert_eq!(place(highest(us)) + 1, place(highest(us) + 1));
        }

        #[test]
        fn merging_counts_every_sample(a in pairs(), b in pairs()) {
            let mut both: Buckets = a.clone();
            both.merge(&b);
            prop_assert_eq!(both.count(), a.count() + b.count());
            prop_assert!(both.as_slice().is_sorted_by(|x, y| x.0 < y.0));
            let mut other = b;
            other.merge(&a);
            prop_assert_eq!(both, other);
        }
    }

    fn pairs() -> impl Strategy<Value = Buckets> {
        prop::collection::btree_map(0u32..50, 1u32..9, 0..20).prop_map(|map| map.into_iter().collect())
    }
}
