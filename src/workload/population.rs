//! The phones of a phase.

use std::ops::Range;
use std::sync::Arc;

use crate::phone::{Chance, Draw, Fleet, Purpose};

use super::Phase;
use super::shuffle::Shuffle;

/// The key of draws that belong to a phase and to no phone: there is never a phone of this index.
const NO_PHONE: u32 = u32::MAX;

/// The phones of a phase: its fleets, less those its share leaves out.
#[derive(Clone, Debug)]
pub(crate) struct Population {
    chance: Chance,
    phase: u64,
    share: f64,
    fleets: Vec<Range<u32>>,
    /// Phones in the fleets, those left out included.
    len: u32,
}

impl Population {
    /// The phones of phase number `number`.
    pub(crate) fn of(phase: &Phase, fleets: &[Arc<Fleet>], chance: Chance, number: u64) -> Population {
        let range = |f: &usize| fleets.get(*f).map(|f| f.first..f.first.saturating_add(f.count));
        let mut fleets: Vec<Range<u32>> = phase.fleets.iter().filter_map(range).collect();
        fleets.sort_by_key(|r| r.start);
        let len = fleets.iter().map(|r| r.end - r.start).sum();
        Population { chance, phase: number, share: phase.share, fleets, len }
    }

    /// The phase's own stream for a purpose.
    pub(crate) fn stream(&self, chance: Chance, purpose: Purpose) -> Draw {
        chance.draw(NO_PHONE, purpose, self.phase)
    }

    /// The phones in the order of their indexes.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = u32> + Send + use<> {
        let all = self.clone();
        self.fleets.clone().into_iter().flatten().filter(move |phone| all.has(*phone))
    }

    /// The phones in an order that follows from the seed, fleets interleaved.
    pub(crate) fn shuffled(self) -> impl Iterator<Item = u32> + Send {
        let order = Shuffle::new(self.len, self.stream(self.chance, Purpose::ArrivalPhone));
        (0..self.len).filter_map(move |n| self.at(order.at(n)).filter(|phone| self.has(*phone)))
    }

    /// One phone at random. There must be one at all.
    pub(crate) fn pick(&self, draw: &mut Draw) -> u32 {
        loop {
            let position = (draw.unit() * f64::from(self.len)) as u32;
            match self.at(position) {
                Some(phone) if self.has(phone) => return phone,
                _ => {}
            }
        }
    }

    /// How many phones there are.
    pub(crate) fn count(&self) -> u32 {
        if self.share >= 1.0 { self.len } else { self.in_order().count() as u32 }
    }

    /// The phone at a position of the fleets, one fleet after the other.
    fn at(&self, mut position: u32) -> Option<u32> {
        for range in &self.fleets {
            let len = range.end - range.start;
            if position < len {
                return Some(range.start + position);
            }
            position -= len;
        }
        None
    }

    /// Whether the share takes in this phone: drawn per phone and phase.
    fn has(&self, phone: u32) -> bool {
        self.share >= 1.0 || self.chance.draw(phone, Purpose::ArrivalPhone, self.phase).happens(self.share)
    }
}
