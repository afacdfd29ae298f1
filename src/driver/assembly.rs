//! Slices of shards, put beside each other.

use std::collections::BTreeMap;

use crate::metrics::Slice;

/// Takes the slices of each shard as they come and gives those of all, in order, once every shard has passed them.
#[derive(Debug)]
pub(super) struct Assembly {
    /// For each shard, the first slice that may still come from it.
    passed: Vec<u64>,
    pending: BTreeMap<u64, Slice>,
}

impl Assembly {
    /// Nothing yet, of so many shards.
    pub(super) fn new(shards: usize) -> Assembly {
        Assembly { passed: vec![0; shards], pending: BTreeMap::new() }
    }

    /// A shard has closed everything before slice `until`, and these are what it closed since it last told.
    pub(super) fn pass(&mut self, shard: usize, until: u64, slices: Vec<Slice>) {
        for slice in slices {
            match self.pending.get_mut(&slice.number) {
                Some(others) => others.beside(&slice),
                None => _ = self.pending.insert(slice.number, slice),
            }
        }
        if let Some(passed) = self.passed.get_mut(shard) {
            *passed = until.max(*passed);
        }
    }

    /// A shard has ended: nothing more comes from it.
    pub(super) fn end(&mut self, shard: usize) {
        self.pass(shard, u64::MAX, Vec::new());
    }

    /// The next slice that every shard has passed. Those in which nothing happened are left out.
    pub(super) fn next(&mut self) -> Option<Slice> {
        let complete = self.passed.iter().min().copied().unwrap_or(u64::MAX);
        let first = self.pending.first_entry()?;
        (*first.key() < complete).then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slice(number: u64, sent: u64) -> Slice {
        let mut slice = Slice { number, ..Slice::default() };
        slice.totals.exchanges.sent = sent;
        slice
    }

    fn drain(assembly: &mut Assembly) -> Vec<(u64, u64)> {
        std::iter::from_fn(|| assembly.next()).map(|s| (s.number, s.totals.exchanges.sent)).collect()
    }

    #[test]
    fn a_slice_waits_for_the_last_shard() {
        let mut assembly = Assembly::new(2);
        assembly.pass(0, 3, vec![slice(0, 1), slice(2, 10)]);
        assert_eq!(drain(&mut assembly), []);
        assembly.pass(1, 2, vec![slice(0, 100), slice(1, 1000)]);
        assert_eq!(drain(&mut assembly), [(0, 101), (1, 1000)]);
        assembly.pass(1, 3, Vec::new());
        assert_eq!(drain(&mut assembly), [(2, 10)]);
    }

    #[test]
    fn a_shard_that_has_ended_holds_nobody_up() {
        let mut assembly = Assembly::new(2);
        assembly.pass(0, 1, vec![slice(0, 1)]);
        assembly.end(0);
        assembly.pass(1, 2, vec![slice(1, 10)]);
        assert_eq!(drain(&mut assembly), [(0, 1), (1, 10)]);
        assembly.end(1);
        assembly.pass(1, 1, Vec::new());
        assert_eq!(drain(&mut assembly), []);
    }

    proptest! {
        /// Whatever shards tell in whatever order: each slice comes once, in order, and whole.
        #[test]
        fn every_slice_comes_once_in_order_and_whole(
            told in prop::collection::vec((0..3_usize, 1..4_u64, any::<bool>()), 0..60),
        ) {
            let mut assembly = Assembly::new(3);
            let (mut passed, mut want, mut came) = ([0_u64; 3], BTreeMap::<u64, u64>::new(), Vec::new());
            for (n, (shard, on, busy)) in told.into_iter().enumerate() {
                let number = passed[shard];
                let sent = n as u64 + 1;
                let slices = if busy { vec![slice(number, sent)] } else { Vec::new() };
                if busy {
                    *want.entry(number).or_default() += sent;
                }
                passed[shard] += on;
                assembly.pass(shard, passed[shard], slices);
                let least = *passed.iter().min().unwrap();
                came.extend(drain(&mut assembly));
                prop_assert!(came.iter().all(|(number, _)| *number < least));
            }
            (0..3).for_each(|shard| assembly.end(shard));
            came.extend(drain(&mut assembly));
            prop_assert_eq!(came, want.into_iter().collect::<Vec<_>>());
        }
    }
}
