//! A queue of phones, first come first served, from which any phone can step out at once.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

/// Phones in the order they came, each with something of its own and at most once.
///
/// A phone that steps out leaves its place in the order behind; such places are cleared away before they outnumber
/// those who wait. So nothing here takes longer for a phone among twenty thousand, and nothing grows without bound.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    places: VecDeque<(u32, u64)>,
    /// What each has, and the number of its place.
    phones: FxHashMap<u32, (u64, T)>,
    next: u64,
}

/// So many left places are never worth clearing away.
const FEW: usize = 64;
/// Room for so many phones is never worth giving back.
const ROOM: usize = 4_096;

impl<T> Queue<T> {
    pub(crate) fn new() -> Queue<T> {
        Queue { places: VecDeque::new(), phones: FxHashMap::default(), next: 0 }
    }

    /// How many wait.
    #[cfg(any(feature = "live", test))]
    pub(crate) fn len(&self) -> usize {
        self.phones.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.phones.is_empty()
    }

    #[cfg(any(feature = "live", test))]
    pub(crate) fn has(&self, phone: u32) -> bool {
        self.phones.contains_key(&phone)
    }

    /// What this phone has.
    #[cfg(feature = "live")]
    pub(super) fn get_mut(&mut self, phone: u32) -> Option<&mut T> {
        self.phones.get_mut(&phone).map(|(_, what)| what)
    }

    /// The phone joins at the end; what it had here before is gone.
    pub(crate) fn push(&mut self, phone: u32, what: T) {
        self.next += 1;
        self.phones.insert(phone, (self.next, what));
        self.places.push_back((phone, self.next));
        if self.places.len() > 2 * self.phones.len() + FEW {
            let phones = &self.phones;
            self.places.retain(|place| is_taken(phones, place));
        }
    }

    /// The phone steps out, wherever it is.
    pub(crate) fn remove(&mut self, phone: u32) -> Option<T> {
        let what = self.phones.remove(&phone).map(|(_, what)| what);
        if self.phones.capacity() > ROOM && self.phones.len() < self.phones.capacity() / 8 {
            // The crowd is gone, and its room with it.
            self.phones.shrink_to(2 * self.phones.len());
            let phones = &self.phones;
            self.places.retain(|place| is_taken(phones, place));
            self.places.shrink_to(2 * self.places.len());
        }
        what
    }

    /// Who came first, and what it has.
    pub(crate) fn first(&mut self) -> Option<(u32, &T)> {
        while self.places.front().is_some_and(|place| !is_taken(&self.phones, place)) {
            self.places.pop_front();
        }
        let (phone, _) = self.places.front()?;
        self.phones.get(phone).map(|(_, what)| (*phone, what))
    }

    /// Takes who came first.
    pub(crate) fn pop(&mut self) -> Option<(u32, T)> {
        let (phone, _) = self.first()?;
        self.places.pop_front();
        self.remove(phone).map(|what| (phone, what))
    }
}

fn is_taken<T>(phones: &FxHashMap<u32, (u64, T)>, (phone, place): &(u32, u64)) -> bool {
    phones.get(phone).is_some_and(|(current, _)| current == place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push(u32),
        Remove(u32),
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![3 => (0..8u32).prop_map(Step::Push), 2 => (0..8u32).prop_map(Step::Remove), 1 => Just(Step::Pop)]
    }

    proptest! {
        #[test]
        fn it_is_a_list_one_can_step_out_of(steps in prop::collection::vec(step(), 0..400)) {
            let (mut queue, mut list) = (Queue::new(), Vec::new());
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(phone) => {
                        list.retain(|(other, _)| *other != phone);
                        list.push((phone, n));
                        queue.push(phone, n);
                    }
                    Step::Remove(phone) => {
                        let at = list.iter().position(|(other, _)| *other == phone);
                        prop_assert_eq!(queue.remove(phone), at.map(|at| list.remove(at).1));
                    }
                    Step::Pop => {
                        let first = (!list.is_empty()).then(|| list.remove(0));
                        prop_assert_eq!(queue.pop(), first);
                    }
                }
                prop_assert_eq!(queue.len(), list.len());
                prop_assert_eq!(queue.first(), list.first().map(|(phone, n)| (*phone, n)));
                prop_assert!((0..8).all(|phone| queue.has(phone) == list.iter().any(|(other, _)| *other == phone)));
            }
        }
    }

    #[test]
    fn a_crowd_that_is_gone_leaves_no_room_behind() {
        let mut queue = Queue::new();
        (0..100_000).for_each(|phone| queue.push(phone, phone));
        for phone in 0..99_990 {
            assert_eq!(queue.pop(), Some((phone, phone)));
        }
        assert!(queue.phones.capacity() <= 2 * ROOM && queue.places.capacity() <= 2 * ROOM);
        assert!((99_990..100_000).all(|phone| queue.pop() == Some((phone, phone))) && queue.is_empty());
    }

    #[test]
    fn places_left_behind_do_not_pile_up() {
        let mut queue = Queue::new();
        queue.push(0, ());
        for n in 1..10_000 {
            queue.push(n % 7 + 1, ());
            queue.remove(n % 7 + 1);
        }
        assert!(queue.places.len() <= 2 * queue.len() + FEW + 1, "{}", queue.places.len());
        assert_eq!(queue.pop(), Some((0, ())), "who waits keeps its place");
    }
}
