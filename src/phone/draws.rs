//! How many draws a phone has made, by purpose.

use super::Purpose;

/// A counter for each purpose a phone draws for. Each purpose counts for itself, so that the order in which different
/// things happen changes none of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Draws([u32; COUNTERS]);

const COUNTERS: usize = 8;

impl Draws {
    /// The number of the next draw, from 1: 0 is for what is drawn once per phone.
    pub(super) fn next(&mut self, purpose: Purpose) -> u64 {
        let counter = &mut self.0[place(purpose)];
        *counter = counter.wrapping_add(1);
        u64::from(*counter)
    }
}

/// What a phone never draws for in this way has no counter of its own.
const fn place(purpose: Purpose) -> usize {
    match purpose {
        Purpose::BootDelay => 0,
        Purpose::Registration => 1,
        Purpose::TimerJitter => 2,
        Purpose::Person => 3,
        Purpose::Typing => 4,
        Purpose::Cnonce => 5,
        Purpose::Debounce => 6,
        Purpose::InUse => 7,
        Purpose::Arrival
        | Purpose::ArrivalPhone
        | Purpose::PowerReturn
        | Purpose::CredentialState
        | Purpose::Backup
        | Purpose::ServerNonce
        | Purpose::ServerWork
        | Purpose::ServerFault
        | Purpose::ServerPassword
        | Purpose::Resumption
        | Purpose::MatrixOrder => COUNTERS - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_counts_for_itself() {
        let of_phones = [
            Purpose::BootDelay,
            Purpose::Registration,
            Purpose::TimerJitter,
            Purpose::Person,
            Purpose::Typing,
            Purpose::Cnonce,
            Purpose::Debounce,
            Purpose::InUse,
        ];
        let mut draws = Draws::default();
        for round in 1..=3 {
            assert!(of_phones.iter().all(|purpose| draws.next(*purpose) == round));
        }
    }
}
