//! A set of phones, an eighth of an octet each.

/// Phones by index.
#[derive(Debug, Default)]
pub(super) struct Phones(Vec<u64>);

impl Phones {
    pub(super) fn has(&self, phone: u32) -> bool {
        let (word, bit) = place(phone);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    /// Whether it was not in yet.
    pub(super) fn insert(&mut self, phone: u32) -> bool {
        let (word, bit) = place(phone);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    pub(super) fn remove(&mut self, phone: u32) {
        let (word, bit) = place(phone);
        if let Some(w) = self.0.get_mut(word) {
            *w &= !bit;
        }
    }
}

const fn place(phone: u32) -> (usize, u64) {
    (phone as usize / 64, 1 << (phone % 64))
}
