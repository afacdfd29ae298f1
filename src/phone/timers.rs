//! A phone's timers: one moment for each thing it may wait for.

use super::{Moment, Operation};

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum TimerFor {
    /// The next stage of the boot chain.
    Chain,
    /// A failed operation, tried again.
    Retry,
    /// A person who will have typed.
    Person,
    /// The resync a phone makes by itself.
    Periodic,
    /// The report a phone makes by itself.
    Report,
    /// An operation somebody asked for.
    Asked(Operation),
}

const SLOTS: usize = 5 + Operation::ALL.len();

impl TimerFor {
    /// In the order they are served when several are due.
    fn all() -> impl Iterator<Item = TimerFor> {
        [TimerFor::Chain, TimerFor::Retry, TimerFor::Person, TimerFor::Periodic, TimerFor::Report]
            .into_iter()
            .chain(Operation::ALL.into_iter().map(TimerFor::Asked))
    }

    const fn slot(self) -> usize {
        match self {
            TimerFor::Chain => 0,
            TimerFor::Retry => 1,
            TimerFor::Person => 2,
            TimerFor::Periodic => 3,
            TimerFor::Report => 4,
            TimerFor::Asked(operation) => 5 + operation.index(),
        }
    }
}

/// All timers of one phone; each is set or not.
#[derive(Clone, Debug)]
pub(super) struct Timers([Moment; SLOTS]);

impl Default for Timers {
    fn default() -> Self {
        Timers([Moment::NEVER; SLOTS])
    }
}

impl Timers {
    pub(super) fn set(&mut self, timer: TimerFor, at: Moment) {
        self.0[timer.slot()] = at;
    }

    pub(super) fn clear(&mut self, timer: TimerFor) {
        self.set(timer, Moment::NEVER);
    }

    pub(super) fn is_set(&self, timer: TimerFor) -> bool {
        self.0[timer.slot()] != Moment::NEVER
    }

    /// The earliest moment anything is due; `NEVER` if nothing is.
    pub(super) fn next(&self) -> Moment {
        self.0.into_iter().min().unwrap_or(Moment::NEVER)
    }

    /// The first timer due at `now`, by moment and then by kind; it is cleared.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<(TimerFor, Moment)> {
        // As a rule nothing is.
        if self.next() > now {
            return None;
        }
        let due = TimerFor::all().map(|t| (self.0[t.slot()], t)).filter(|(at, _)| *at <= now && *at != Moment::NEVER);
        let (at, timer) = due.min()?;
        self.clear(timer);
        Some((timer, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_timers_come_by_moment_and_then_by_kind() {
        let mut timers = Timers::default();
        let at = Moment::from_micros;
        assert_eq!(timers.take_due(at(99)), None);
        timers.set(TimerFor::Asked(Operation::Backup), at(5));
        timers.set(TimerFor::Periodic, at(5));
        timers.set(TimerFor::Retry, at(7));
        assert_eq!(timers.next(), at(5));
        assert_eq!(timers.take_due(at(4)), None);
        assert_eq!(timers.take_due(at(9)), Some((TimerFor::Periodic, at(5))));
        assert_eq!(timers.take_due(at(9)), Some((TimerFor::Asked(Operation::Backup), at(5))));
        assert_eq!(timers.take_due(at(9)), Some((TimerFor::Retry, at(7))));
        assert_eq!(timers.next(), Moment::NEVER);
    }
}
