//! How phone time runs against real time.

use std::time::Duration;

use crate::phone::Moment;

/// Phone seconds per real second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// Real time for 1; `compression` must be above zero (plans are checked).
    pub fn new(compression: f64) -> Pace {
        Pace(compression)
    }

    /// The phone time at this real time since the run began, to the microsecond, rounded down.
    pub fn phone_time(self, real: Duration) -> Moment {
        if self.0 == 1.0 {
            return Moment::from_micros(u64::try_from(real.as_micros()).unwrap_or(u64::MAX));
        }
        Moment::from_micros((real.as_nanos() as f64 * self.0 / 1e3) as u64)
    }

    /// The first real time, to the nanosecond, at which phone time has reached `moment`.
    pub fn real_time(self, moment: Moment) -> Duration {
        if self.0 == 1.0 {
            return Duration::from_micros(moment.as_micros());
        }
        let mut real = Duration::from_nanos((moment.as_micros() as f64 * 1e3 / self.0).ceil() as u64);
        // Rounding of the division may leave it a hair short; time must not stand still then.
        while self.phone_time(real) < moment && real < Duration::from_secs(u32::MAX.into()) {
            real += Duration::from_nanos(1 + (1.0 / self.0) as u64 * 1_000);
        }
        real
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_moment_has_come_at_its_real_time(us in 0..10_000_000_000u64, compression in 0.01..10_000.0f64) {
            let pace = Pace::new(compression);
            let moment = Moment::from_micros(us);
            prop_assert!(pace.phone_time(pace.real_time(moment)) >= moment);
        }
    }

    #[test]
    fn a_minute_at_sixtyfold_is_a_second() {
        assert_eq!(Pace::new(60.0).real_time(Moment::from_micros(60_000_000)), Duration::from_secs(1));
        assert_eq!(Pace::new(60.0).phone_time(Duration::from_secs(1)), Moment::from_micros(60_000_000));
    }
}
