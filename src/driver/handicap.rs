//! Faults planted into the generator.

use std::time::Duration;

/// A fault planted into the generator, so that tests can prove that the verdict finds it. Never reachable from the
/// command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handicap {
    /// None: always, outside tests.
    #[default]
    None,
    /// The shards' timers only know multiples of this since the run began, and come at the next one.
    Ticks(Duration),
    /// Now and then each shard's loop does nothing at all for a while.
    Stalls {
        /// How often, since the run began.
        every: Duration,
        /// For how long.
        lasting: Duration,
    },
}

impl Handicap {
    /// When the timer comes that is set for this time since the run began.
    pub(super) fn comes(self, at: Duration) -> Duration {
        match self {
            Handicap::Ticks(tick) if !tick.is_zero() => {
                let ticks = at.as_nanos().div_ceil(tick.as_nanos());
                u64::try_from(ticks * tick.as_nanos()).map_or(Duration::MAX, Duration::from_nanos)
            }
            _ => at,
        }
    }

    /// Does nothing at all, if it is time to. `stalls` counts how often it was.
    pub(super) fn stall(self, now: impl FnOnce() -> Duration, stalls: &mut u32) {
        if let Handicap::Stalls { every, lasting } = self
            && now() >= every * (*stalls + 1)
        {
            *stalls += 1;
            std::thread::sleep(lasting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_up_and_only_they_do() {
        let us = Duration::from_micros;
        let ticks = Handicap::Ticks(us(1000));
        for (at, comes) in [(0, 0), (1, 1000), (999, 1000), (1000, 1000), (1001, 2000)] {
            assert_eq!(ticks.comes(us(at)), us(comes), "{at}");
            assert_eq!(Handicap::None.comes(us(at)), us(at));
        }
        assert_eq!(ticks.comes(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn a_stall_comes_once_each_time() {
        let (ms, mut stalls) = (Duration::from_millis, 0);
        let handicap = Handicap::Stalls { every: ms(100), lasting: Duration::ZERO };
        let counts = [99, 100, 101, 199, 200, 350].map(|now| {
            handicap.stall(|| ms(now), &mut stalls);
            stalls
        });
        assert_eq!(counts, [0, 1, 1, 1, 2, 3]);
    }
}
