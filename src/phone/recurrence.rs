//! What a phone does by itself again and again: every so often, or once a day.

use std::time::Duration;

use super::{Delay, Moment};

const DAY: Duration = Duration::from_secs(86_400);

/// When a phone does something of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// This long after the last success.
    Every(Delay),
    /// Once a day.
    Daily {
        /// From the beginning of the run to the first time.
        first: Duration,
        /// What chance adds each day.
        spread: Duration,
    },
}

impl Recurrence {
    /// The delay from `now` to the next time. A daily time that is just now is tomorrow's.
    pub fn delay(self, now: Moment) -> Delay {
        match self {
            Recurrence::Every(delay) => delay,
            Recurrence::Daily { first, spread } => {
                let since = now.since(Moment::ZERO);
                let days = if since < first { 0 } else { (since - first).as_secs() / DAY.as_secs() + 1 };
                let next = first + Duration::from_secs(days * DAY.as_secs());
                Delay { base: next - since, spread }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daily_is_at_the_same_time_each_day() {
        let hours = |h: u64| Duration::from_secs(h * 3_600);
        let daily = Recurrence::Daily { first: hours(3), spread: hours(1) };
        for (now, wait) in [(0, 3), (2, 1), (3, 24), (4, 23), (26, 1), (27, 24), (52, 23)] {
            let delay = daily.delay(Moment::ZERO + hours(now));
            assert_eq!(delay, Delay { base: hours(wait), spread: hours(1) }, "at {now} h");
        }
    }
}
