//! What many phones have in common, kept once.

use std::cell::RefCell;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::session::Terms;

/// What the phones of one shard remember alike: the terms of their servers' challenges, and where they hold. A session
/// that is put into a realm cache shares what is here already; what no phone remembers any more is cleared away by and by.
#[derive(Debug, Default)]
pub struct Commons {
    terms: RefCell<Set<Terms>>,
}

/// Things of which there is one each.
#[derive(Debug)]
struct Set<T> {
    known: FxHashSet<Arc<T>>,
    /// How many there may be before those that nobody has any more are looked for.
    enough: usize,
}

/// So few are never worth looking through.
const FEW: usize = 64;

impl<T: Eq + Hash> Default for Set<T> {
    fn default() -> Self {
        Set { known: FxHashSet::default(), enough: FEW }
    }
}

impl<T: Eq + Hash> Set<T> {
    fn share(&mut self, thing: Arc<T>) -> Arc<T> {
        if let Some(known) = self.known.get(&thing) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.enough {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.enough = FEW.max(2 * self.known.len());
        }
        self.known.insert(Arc::clone(&thing));
        thing
    }
}

impl Commons {
    pub(super) fn terms(&self, terms: Arc<Terms>) -> Arc<Terms> {
        self.terms.borrow_mut().share(terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_are_one_and_what_nobody_has_is_cleared_away() {
        let mut set = Set::default();
        let kept: Vec<_> = (0..10).map(|n| set.share(Arc::new(n))).collect();
        assert!(kept.iter().all(|one| Arc::ptr_eq(one, &set.share(Arc::new(**one)))));
        for n in 100..10_000 {
            set.share(Arc::new(n));
        }
        assert!(set.known.len() <= FEW + 1, "{}", set.known.len());
        assert!(kept.iter().all(|one| set.known.contains(one)));
        let many: Vec<_> = (0..1_000).map(|n| set.share(Arc::new(n))).collect();
        assert_eq!(
            many.iter().filter(|one| set.known.contains(*one)).count(),
            1_000,
            "all of them are had by somebody"
        );
    }
}
