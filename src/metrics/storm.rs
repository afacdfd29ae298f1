//! The storm: how the phones come back after power returns.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Tally;
use super::moments::Moments;

/// When phones first came through the boot chain. Real time since the run began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioning {
    /// The earliest intended power-up.
    first_power_up: Option<Duration>,
    /// The earliest moment at which a phone without power began to boot.
    first_boot: Option<Duration>,
    /// How many phones were first provisioned within each millisecond (its end is the key).
    by_ms: Moments,
    /// The latest of these moments, exact.
    last: Option<Duration>,
    phones: u64,
}

impl Provisioning {
    pub(super) fn power_up_intended(&mut self, at: Duration) {
        earliest(&mut self.first_power_up, Some(at));
    }

    pub(super) fn booting(&mut self, at: Duration) {
        earliest(&mut self.first_boot, Some(at));
    }

    pub(super) fn provisioned(&mut self, at: Duration) {
        let ms = u64::try_from(at.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        self.by_ms.add(ms, 1);
        self.last = self.last.max(Some(at));
        self.phones += 1;
    }

    /// Adds another shard's phones.
    pub(super) fn merge(&mut self, other: &Provisioning) {
        earliest(&mut self.first_power_up, other.first_power_up);
        earliest(&mut self.first_boot, other.first_boot);
        self.by_ms.merge(&other.by_ms);
        self.last = self.last.max(other.last);
        self.phones += other.phones;
    }

    /// Phones that came through the boot chain at least once.
    pub fn phones(&self) -> u64 {
        self.phones
    }

    /// When the storm began: the first intended power-up, or where the driver told of none, the first boot.
    pub fn start(&self) -> Option<Duration> {
        self.first_power_up.or(self.first_boot)
    }

    /// From the storm's start until the last phone that came through was first provisioned.
    pub fn drain(&self) -> Option<Duration> {
        Some(self.last?.saturating_sub(self.start()?))
    }

    /// From the storm's start until the given share (0 to 1) of `phones` was provisioned, to the millisecond;
    /// `None` if that was never reached.
    pub fn share_reached(&self, share: f64, phones: u64) -> Option<Duration> {
        let start = self.start()?;
        let wanted = ((share * phones as f64).ceil() as u64).max(1);
        if wanted > self.phones {
            return None;
        }
        if wanted == self.phones {
            return self.drain();
        }
        let mut sum = 0;
        let (ms, _) = self.by_ms.iter().find(|(_, n)| {
            sum += n;
            sum >= wanted
        })?;
        Some(Duration::from_millis(ms).saturating_sub(start))
    }
}

fn earliest(mine: &mut Option<Duration>, theirs: Option<Duration>) {
    *mine = match (*mine, theirs) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

/// What the storm came to. Times are real time from the first intended power-up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storm {
    /// Phones to which the plan returns the power.
    pub phones: u64,
    /// Of these, how many came through the boot chain.
    pub provisioned: u64,
    /// Until the last phone *that came through* was first provisioned; `None` if none did.
    pub drain: Option<Duration>,
    /// Until half of the storm's phones were provisioned; `None` if that was never reached.
    pub provisioned_50: Option<Duration>,
    /// Until 95 % of them were.
    pub provisioned_95: Option<Duration>,
    /// Until all of them were.
    pub provisioned_100: Option<Duration>,
    /// Most exchanges under way at once. With several shards, the sum of their peaks within the same second:
    /// never too low, and too high by what lies within that second.
    pub peak_in_flight: u64,
    /// Exchanges sent for each that a calm fleet needs.
    pub amplification: Option<f64>,
}

impl Storm {
    /// The storm of a whole run in which the plan returns the power to `phones`.
    pub fn of(tally: &Tally, phones: u64) -> Storm {
        let p = &tally.totals.provisioning;
        Storm {
            phones,
            provisioned: p.phones(),
            drain: p.drain(),
            provisioned_50: p.share_reached(0.5, phones),
            provisioned_95: p.share_reached(0.95, phones),
            provisioned_100: p.share_reached(1.0, phones),
            peak_in_flight: tally.intervals.peak_in_flight(),
            amplification: tally.totals.exchanges.amplification(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn curve(start: u64, provisioned: &[u64]) -> Provisioning {
        let mut p = Provisioning::default();
        p.power_up_intended(ms(start));
        provisioned.iter().for_each(|&at| p.provisioned(ms(at)));
        p
    }

    #[test]
    fn shares_count_from_the_first_intended_power_up_and_of_all_phones() {
        let p = curve(100, &[400, 200, 300, 1100]);
        let table = [
            (0.5, 4, Some(ms(200))),
            (0.95, 4, Some(ms(1000))),
            (1.0, 4, Some(ms(1000))),
            (0.5, 8, Some(ms(1000))),
            (0.5, 9, None),
            (0.95, 5, None),
            (0.5, 1, Some(ms(100))),
        ];
        for (share, phones, reached) in table {
            assert_eq!(p.share_reached(share, phones), reached, "{share} of {phones}");
        }
        assert_eq!(p.drain(), Some(ms(1000)));
    }

    #[test]
    fn nothing_is_told_of_a_storm_that_was_none() {
        let p = Provisioning::default();
        assert_eq!((p.drain(), p.share_reached(0.5, 10), p.share_reached(0.0, 0)), (None, None, None));
        assert_eq!(curve(5, &[]).drain(), None);
    }

    #[test]
    fn a_boot_stands_in_for_an_unknown_power_up() {
        let mut p = Provisioning::default();
        p.booting(ms(50));
        p.booting(ms(20));
        p.provisioned(ms(70));
        assert_eq!(p.drain(), Some(ms(50)));
        p.power_up_intended(ms(10));
        assert_eq!(p.drain(), Some(ms(60)));
    }

    #[test]
    fn shards_add_in_any_order() {
        let (a, b) = (curve(100, &[200, 300]), curve(90, &[300, 250]));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(ab, ba);
        assert_eq!(ab.drain(), Some(ms(210)));
        assert_eq!(ab.share_reached(0.5, 4), Some(ms(160)));
    }
}
