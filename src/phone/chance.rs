//! Keyed chance: every draw is a pure function of `(seed, phone, purpose, counter)`.
//!
//! The same seed therefore gives the same run whatever the number of cores or shards, and a draw
//! added for one purpose never shifts the draws of another.

use std::time::Duration;

use rand::{Rng, RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What a draw is for. The number is part of the key: never renumber, only add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Purpose {
    /// Arrival plans: the phase's own stream (the counter is the phase).
    Arrival = 1,
    /// Which phone an arrival falls on.
    ArrivalPhone = 2,
    /// DHCP stagger and boot-time spread when power returns.
    PowerReturn = 3,
    /// The family's random delay before its first attempt after boot.
    BootDelay = 4,
    /// The delay for registration with the call server.
    Registration = 5,
    /// Jitter in a retry or periodic timer.
    TimerJitter = 6,
    /// Whether this phone's credentials are null, wrong or of another realm.
    CredentialState = 7,
    /// Whether a person comes, and how long they think.
    Person = 8,
    /// Whether the person types right credentials.
    Typing = 9,
    /// Size and content of a backup.
    Backup = 10,
    /// Client nonces of Digest.
    Cnonce = 11,
    /// The delay between a change and its backup.
    Debounce = 12,
    /// The embedded target's nonces.
    ServerNonce = 13,
    /// Whether a phone is in use, and for how long.
    InUse = 14,
    /// How long the embedded target works on a request.
    ServerWork = 15,
    /// Which of the embedded target's answers go wrong.
    ServerFault = 16,
    /// Whose password is changed on the embedded target.
    ServerPassword = 17,
    /// Whether a phone resumes TLS sessions.
    Resumption = 18,
    /// In which order a matrix plays its variants (the counter is the round).
    MatrixOrder = 19,
}

/// The source of all chance in a run: nothing but the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    /// All draws follow from `seed`.
    pub const fn new(seed: u64) -> Chance {
        Chance { seed }
    }

    /// The stream for one key. Streams of different keys are independent.
    pub fn draw(&self, phone: u32, purpose: Purpose, counter: u64) -> Draw {
        // SplitMix64 finaliser over the key's words: cheap, and any bit flips half the state.
        let mut state = mix(self.seed);
        state = mix(state ^ u64::from(phone) ^ (u64::from(purpose as u16) << 32));
        state = mix(state ^ counter);
        Draw(Pcg64Mcg::seed_from_u64(state))
    }
}

fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One keyed stream (PCG XSL 128/64 MCG: named, portable). Also a [`RngCore`], for `rand_distr`.
#[derive(Clone, Debug)]
pub struct Draw(Pcg64Mcg);

impl Draw {
    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Uniform in `[low, high)`; `low` if the range is empty.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        low + high.saturating_sub(low).mul_f64(self.unit())
    }

    /// True with probability `p` (0 to 1).
    pub fn happens(&mut self, p: f64) -> bool {
        self.unit() < p
    }
}

impl RngCore for Draw {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    fn fill_bytes(&mut self, dst: &mut [u8]) {
        self.0.fill_bytes(dst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_always_gives_the_same_draw_and_no_neighbour_the_same() {
        let c = Chance::new(42);
        let at = |phone, purpose, counter| c.draw(phone, purpose, counter).next_u64();
        assert_eq!(at(7, Purpose::Person, 1), at(7, Purpose::Person, 1));
        let all = [
            at(7, Purpose::Person, 1),
            at(8, Purpose::Person, 1),
            at(7, Purpose::Typing, 1),
            at(7, Purpose::Person, 2),
            Chance::new(43).draw(7, Purpose::Person, 1).next_u64(),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    /// Pins the generator: if this changes, every recorded schedule hash changes with it.
    #[test]
    fn the_generator_is_pinned() {
        assert_eq!(Chance::new(42).draw(0, Purpose::Arrival, 0).next_u64(), PINNED);
    }
    const PINNED: u64 = 10_607_086_484_860_013_556;

    #[test]
    fn draws_are_spread_evenly_over_phones() {
        let c = Chance::new(1);
        let mean: f64 = (0..10_000).map(|i| c.draw(i, Purpose::BootDelay, 0).unit()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
    }
}
