//! How many things happened in each millisecond of a run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Counts by millisecond, in order. Eight octets for each millisecond in which something happened, as a run in which a million
/// phones come up has most of a million of them. A millisecond is counted up to 16,777,215, more than a run has phones, and
/// lies within 34 years; what is beyond counts as that.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Moments(Vec<Moment>);

/// The millisecond in the upper 40 bits, the count in the lower 24.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment(u64);

const COUNT_BITS: u32 = 24;
const MOST: u64 = (1 << COUNT_BITS) - 1;
const LATEST: u64 = u64::MAX >> COUNT_BITS;

impl Moment {
    fn new(ms: u64, count: u64) -> Moment {
        Moment(ms.min(LATEST) << COUNT_BITS | count.min(MOST))
    }

    fn ms(self) -> u64 {
        self.0 >> COUNT_BITS
    }

    fn count(self) -> u64 {
        self.0 & MOST
    }
}

impl Moments {
    /// So many more in this millisecond.
    pub(super) fn add(&mut self, ms: u64, count: u64) {
        let more = Moment::new(ms, count);
        let after = match self.0.last() {
            // As a rule time goes on.
            Some(last) if last.ms() < more.ms() => self.0.len(),
            _ => self.0.partition_point(|m| m.ms() < more.ms()),
        };
        match self.0.get_mut(after).filter(|m| m.ms() == more.ms()) {
            Some(same) => *same = Moment::new(more.ms(), same.count() + more.count()),
            None => self.0.insert(after, more),
        }
    }

    /// Adds those of another shard.
    pub(super) fn merge(&mut self, other: &Moments) {
        let Some(first) = other.0.first() else { return };
        let from = self.0.partition_point(|m| m.ms() < first.ms());
        let mut mine = self.0.split_off(from).into_iter().peekable();
        for theirs in &other.0 {
            while let Some(before) = mine.next_if(|m| m.ms() <= theirs.ms()) {
                self.0.push(before);
            }
            self.add(theirs.ms(), theirs.count());
        }
        self.0.extend(mine);
    }

    /// The milliseconds and their counts, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|m| (m.ms(), m.count()))
    }
}

impl fmt::Debug for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// As a map from millisecond to count.
impl Serialize for Moments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Moments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moments, D::Error> {
        let mut moments = Moments::default();
        BTreeMap::<u64, u32>::deserialize(deserializer)?
            .into_iter()
            .for_each(|(ms, count)| moments.add(ms, count.into()));
        Ok(moments)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn moments(of: &[(u64, u32)]) -> Moments {
        let mut moments = Moments::default();
        of.iter().for_each(|(ms, count)| moments.add(*ms, (*count).into()));
        moments
    }

    #[test]
    fn what_is_beyond_counts_as_the_most_there_is() {
        let all = moments(&[(u64::MAX, 3), (LATEST, 4), (7, u32::MAX), (7, 1)]);
        assert_eq!(all.iter().collect::<Vec<_>>(), [(7, MOST), (LATEST, 7)]);
        assert_eq!(format!("{all:?}"), format!("{{7: {MOST}, {LATEST}: 7}}"));
    }

    proptest! {
        #[test]
        fn they_are_a_map_of_counts(
            mine in vec((0..60u64, 1..9u32), 0..40),
            theirs in vec((0..60u64, 1..9u32), 0..40),
            later in 0..80u64,
        ) {
            let theirs: Vec<_> = theirs.into_iter().map(|(ms, count)| (ms + later, count)).collect();
            let mut map = BTreeMap::new();
            for (ms, count) in mine.iter().chain(&theirs) {
                *map.entry(*ms).or_default() += u64::from(*count);
            }
            let (mut ours, others) = (moments(&mine), moments(&theirs));
            ours.merge(&others);
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), map.iter().map(|(ms, n)| (*ms, *n)).collect::<Vec<_>>());

            let mut other_way = others;
            other_way.merge(&moments(&mine));
            prop_assert_eq!(&ours, &other_way);

            let written = postcard::to_stdvec(&ours).unwrap();
            prop_assert_eq!(&written, &postcard::to_stdvec(&map).unwrap(), "in a journal they are a map");
            prop_assert_eq!(postcard::from_bytes::<Moments>(&written).unwrap(), ours);
        }
    }
}
