//! A keyed shuffle without memory: a Feistel network over the next power of four, walked until it falls inside.

use rand::RngCore;

use crate::phone::Draw;

/// A permutation of `0..len`.
#[derive(Clone, Debug)]
pub(crate) struct Shuffle {
    len: u32,
    half: u32,
    keys: [u64; ROUNDS],
}

/// Four make a Feistel network as good as random for any use but cryptography; six cost little more.
const ROUNDS: usize = 6;

impl Shuffle {
    /// The permutation this draw gives.
    pub(crate) fn new(len: u32, mut draw: Draw) -> Shuffle {
        let bits = 64 - u64::from(len.saturating_sub(1)).leading_zeros();
        Shuffle { len, half: bits.div_ceil(2).max(1), keys: std::array::from_fn(|_| draw.next_u64()) }
    }

    /// What stands at `position`; positions beyond the length stay where they are.
    pub(crate) fn at(&self, position: u32) -> u32 {
        if position >= self.len {
            return position;
        }
        let mut x = u64::from(position);
        // The network permutes at most four times `len` numbers: a few steps lead back inside.
        loop {
            x = self.step(x);
            if x < u64::from(self.len) {
                return x as u32;
            }
        }
    }

    fn step(&self, x: u64) -> u64 {
        let mask = (1u64 << self.half) - 1;
        let (mut left, mut right) = (x >> self.half, x & mask);
        for key in self.keys {
            let mut round = (right ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            round = (round ^ (round >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
            (left, right) = (right, left ^ ((round >> 32) & mask));
        }
        (left << self.half) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::{Chance, Purpose};

    fn shuffle(seed: u64, len: u32) -> Shuffle {
        Shuffle::new(len, Chance::new(seed).draw(0, Purpose::ArrivalPhone, 0))
    }

    proptest::proptest! {
        #[test]
        fn each_number_stands_once(seed: u64, len in 0u32..3000) {
            let s = shuffle(seed, len);
            let mut all: Vec<u32> = (0..len).map(|n| s.at(n)).collect();
            all.sort_unstable();
            proptest::prop_assert!(all.into_iter().eq(0..len));
        }
    }

    #[test]
    fn it_mixes() {
        // Of 10,000 positions, those of the first half should fall evenly on both halves.
        let s = shuffle(1, 10_000);
        let low = (0..5_000).filter(|n| s.at(*n) < 5_000).count();
        assert!((2_350..2_650).contains(&low), "{low}");
        assert_ne!(shuffle(1, 100).at(0), shuffle(2, 100).at(0));
        assert!(shuffle(3, u32::MAX).at(u32::MAX - 1) < u32::MAX);
    }
}
