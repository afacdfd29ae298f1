//! When the phones of a shard want to be woken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::phone::Moment;

/// Wake-ups, the next one first. A phone has one at most, and what it asked for before no longer counts: such entries
/// stay until their time comes or until room is wanted, as phones ask often and are seldom woken. Which entry counts the
/// phone itself knows: `due` tells when it wants to be woken.
#[derive(Debug)]
pub(super) struct WakeUps {
    heap: BinaryHeap<Reverse<(Moment, u32)>>,
}

/// Room beyond what the phones take.
const FEW: usize = 64;

impl WakeUps {
    /// Those that phones want already.
    pub(super) fn of(wanted: impl Iterator<Item = (Moment, u32)> + Clone) -> WakeUps {
        let mut heap = BinaryHeap::with_capacity(with_some_more(wanted.clone().count()));
        heap.extend(wanted.map(Reverse));
        WakeUps { heap }
    }

    /// When the next of them is.
    pub(super) fn next(&mut self, due: impl Fn(u32) -> Moment) -> Option<Moment> {
        while let Some(Reverse((at, phone))) = self.heap.peek() {
            if due(*phone) == *at {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the one that [`WakeUps::next`] told of: the phone.
    pub(super) fn pop(&mut self) -> Option<u32> {
        self.heap.pop().map(|Reverse((_, phone))| phone)
    }

    /// The phone wants to be woken then.
    pub(super) fn push(&mut self, when: Moment, phone: u32, due: impl Fn(u32) -> Moment) {
        if self.heap.len() == self.heap.capacity() {
            self.make_room(due);
        }
        self.heap.push(Reverse((when, phone)));
    }

    /// What no longer counts makes room. There is a quarter more than what counts takes, so it is seldom looked for.
    #[cold]
    fn make_room(&mut self, due: impl Fn(u32) -> Moment) {
        self.heap.retain(|Reverse((at, phone))| due(*phone) == *at);
        if with_some_more(self.heap.len()) > self.heap.capacity() {
            // Some may have asked for the same moment again and again.
            let mut entries = std::mem::take(&mut self.heap).into_vec();
            entries.sort_unstable();
            entries.dedup();
            entries.reserve_exact(with_some_more(entries.len()) - entries.len());
            self.heap = entries.into();
        }
        self.heap.shrink_to(4 * with_some_more(self.heap.len()));
    }
}

fn with_some_more(len: usize) -> usize {
    len + len / 4 + FEW
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(s: u64) -> Moment {
        Moment::from_micros(s * 1_000_000)
    }

    /// Wakes the phone that is next, which is the one that wants it first. False if none wants to be woken.
    fn wakes(wake_ups: &mut WakeUps, due: &mut [Moment]) -> bool {
        let Some(next) = wake_ups.next(|phone| due[phone as usize]) else { return false };
        let phone = wake_ups.pop().unwrap() as usize;
        assert_eq!((Some(&next), next), (due.iter().min(), due[phone]));
        due[phone] = Moment::NEVER;
        true
    }

    proptest! {
        #[test]
        fn each_phone_is_woken_when_it_last_wanted(steps in prop::collection::vec((0..300_u32, 1..9_u64), 0..3_000)) {
            let mut due = vec![Moment::NEVER; 300];
            let mut wake_ups = WakeUps::of(std::iter::empty());
            for (n, (phone, seconds)) in steps.into_iter().enumerate() {
                due[phone as usize] = at(seconds);
                wake_ups.push(at(seconds), phone, |phone| due[phone as usize]);
                if n % 7 == 0 {
                    wakes(&mut wake_ups, &mut due);
                }
            }
            while wakes(&mut wake_ups, &mut due) {}
            prop_assert!(due.iter().all(|at| *at == Moment::NEVER));
        }
    }

    #[test]
    fn it_takes_as_much_as_what_counts_and_some_more() {
        let mut wake_ups = WakeUps::of(std::iter::empty());
        let mut due = vec![Moment::NEVER; 100_000];
        for phone in 0..100_000 {
            due[phone as usize] = at(1);
            wake_ups.push(at(1), phone, |phone| due[phone as usize]);
        }
        assert!(wake_ups.heap.capacity() <= with_some_more(100_000), "{}", wake_ups.heap.capacity());
        // The crowd sleeps; the few that are left ask again and again, sometimes for the same moment.
        due[10..].fill(Moment::NEVER);
        for n in 0..400_000 {
            let phone = n % 10;
            due[phone as usize] = at(u64::from(n / 100));
            wake_ups.push(due[phone as usize], phone, |phone| due[phone as usize]);
        }
        assert!(wake_ups.heap.capacity() <= 8 * with_some_more(10), "{}", wake_ups.heap.capacity());
    }
}
