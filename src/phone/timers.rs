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
    /// By slot: in the order they are served when several are due.
    fn of(slot: u8) -> Option<TimerFor> {
        Some(match slot {
            0 => TimerFor::Chain,
            1 => TimerFor::Retry,
            2 => TimerFor::Person,
            3 => TimerFor::Periodic,
            4 => TimerFor::Report,
            asked => TimerFor::Asked(*Operation::ALL.get(usize::from(asked) - 5)?),
        })
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

/// All timers of one phone; each is set or not. Hardly ever are more than two: the others are boxed.
#[derive(Clone, Debug)]
pub(super) struct Timers {
    few: [Moment; FEW],
    /// Which timers those are, where they are set.
    slots: [u8; FEW],
    others: Option<Box<[Moment; SLOTS]>>,
}

const FEW: usize = 2;

impl Default for Timers {
    fn default() -> Self {
        Timers { few: [Moment::NEVER; FEW], slots: [0; FEW], others: None }
    }
}

impl Timers {
    pub(super) fn set(&mut self, timer: TimerFor, at: Moment) {
        self.clear(timer);
        if at == Moment::NEVER {
            return;
        }
        let slot = timer.slot();
        match self.few.iter().position(|few| *few == Moment::NEVER) {
            Some(free) => (self.few[free], self.slots[free]) = (at, slot as u8),
            None => self.others.get_or_insert_with(|| Box::new([Moment::NEVER; SLOTS]))[slot] = at,
        }
    }

    pub(super) fn clear(&mut self, timer: TimerFor) {
        let slot = timer.slot();
        for (few, _) in self.few.iter_mut().zip(self.slots).filter(|(_, of)| usize::from(*of) == slot) {
            *few = Moment::NEVER;
        }
        if let Some(others) = &mut self.others {
            others[slot] = Moment::NEVER;
            if others.iter().all(|at| *at == Moment::NEVER) {
                self.others = None;
            }
        }
    }

    pub(super) fn is_set(&self, timer: TimerFor) -> bool {
        self.at(timer) != Moment::NEVER
    }

    /// The earliest moment anything is due; `NEVER` if nothing is.
    pub(super) fn next(&self) -> Moment {
        let others = self.others.iter().flat_map(|others| others.iter());
        self.few.iter().chain(others).min().copied().unwrap_or(Moment::NEVER)
    }

    /// The first timer due at `now`, by moment and then by kind; it is cleared.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<(TimerFor, Moment)> {
        // As a rule nothing is.
        if self.next() > now {
            return None;
        }
        let few = self.few.iter().zip(self.slots).map(|(at, slot)| (*at, slot));
        let others = self.others.iter().flat_map(|others| (0..).zip(others.iter()).map(|(slot, at)| (*at, slot)));
        // Slots are in the order of kinds. What is not set is never due, not even at the end of all time.
        let due = few.chain(others).filter(|(at, _)| *at <= now && *at != Moment::NEVER);
        let (at, slot) = due.min()?;
        let timer = TimerFor::of(slot)?;
        self.clear(timer);
        Some((timer, at))
    }

    fn at(&self, timer: TimerFor) -> Moment {
        let slot = timer.slot();
        let few = self.few.iter().zip(self.slots).find(|(at, of)| usize::from(*of) == slot && **at != Moment::NEVER);
        let other = || self.others.as_ref().map_or(Moment::NEVER, |others| others[slot]);
        few.map_or_else(other, |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a plain table would have them.
        #[test]
        fn a_few_or_many_make_no_difference(
            steps in prop::collection::vec((0..SLOTS, 0..6_u64, 0..3_u8), 0..80),
        ) {
            let mut timers = Timers::default();
            let mut table = [Moment::NEVER; SLOTS];
            let kinds: Vec<TimerFor> = (0..SLOTS as u8).filter_map(TimerFor::of).collect();
            prop_assert!(kinds.is_sorted() && kinds.iter().enumerate().all(|(slot, kind)| kind.slot() == slot));
            for (kind, us, step) in steps {
                let (timer, at) = (kinds[kind], Moment::from_micros(us));
                match step {
                    0 => (timers.clear(timer), table[kind] = Moment::NEVER).0,
                    1 => (timers.set(timer, at), table[kind] = at).0,
                    _ => {
                        let due = (0..SLOTS).filter(|k| table[*k] <= at).min_by_key(|k| (table[*k], *k));
                        let want = due.map(|k| (kinds[k], std::mem::replace(&mut table[k], Moment::NEVER)));
                        prop_assert_eq!(timers.take_due(at), want);
                    }
                }
                prop_assert_eq!(timers.next(), table.into_iter().min().unwrap());
                prop_assert!((0..SLOTS).all(|k| timers.is_set(kinds[k]) == (table[k] != Moment::NEVER)));
            }
        }
    }

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
