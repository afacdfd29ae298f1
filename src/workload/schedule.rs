//! A plan's starts, shard by shard, and the proof that shards make no difference.

use std::fmt::Write as _;
use std::iter::Peekable;

use sha2::{Digest, Sha256};

use crate::phone::{Chance, Moment};

use super::arrival::{self, Starts};
use super::population::Population;
use super::{Plan, Start};

impl Plan {
    /// The intended starts of one shard of `shards`, sorted by time, phone and trigger: those of all phones whose
    /// index leaves the remainder `shard`. The union over the shards is the same for any number of them.
    pub fn starts(&self, shard: u32, shards: u32) -> impl Iterator<Item = Start> + Send + use<> {
        Merged::of((0..self.phases.len()).map(|phase| arrival::starts(self, phase, shard, shards)))
    }

    /// The intended starts of one phase alone, over all phones, sorted; none if there is no such phase.
    pub fn starts_of_phase(&self, phase: usize) -> impl Iterator<Item = Start> + Send + use<> {
        arrival::starts(self, phase, 0, 1)
    }

    /// How many phones a phase concerns: those of its fleets that its share takes in.
    pub fn phones_of_phase(&self, phase: usize) -> u32 {
        let p = self.phases.get(phase);
        p.map_or(0, |p| Population::of(p, &self.fleets, Chance::new(self.seed), phase as u64).count())
    }

    /// The last intended start; `None` if there is none at all.
    pub fn last_start(&self) -> Option<Moment> {
        self.starts(0, 1).last().map(|start| start.at)
    }

    /// SHA-256 (hex) over all intended starts, generated as `shards` shards and merged: equal for any number of
    /// shards, and on every machine.
    pub fn schedule_hash(&self, shards: u32) -> String {
        let shards = shards.max(1);
        let mut hash = Sha256::new();
        for start in Merged::of((0..shards).map(|shard| Box::new(self.starts(shard, shards)) as Starts)) {
            hash.update(start.at.as_micros().to_le_bytes());
            hash.update(start.phone.to_le_bytes());
            hash.update(start.trigger.name());
            hash.update([0]);
        }
        hex(&hash.finalize())
    }
}

/// Octets as lower-case hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Sorted streams as one sorted stream.
struct Merged {
    streams: Vec<Peekable<Starts>>,
}

impl Merged {
    fn of(streams: impl Iterator<Item = Starts>) -> Merged {
        Merged { streams: streams.map(Iterator::peekable).collect() }
    }
}

impl Iterator for Merged {
    type Item = Start;

    /// There are few streams, so looking at all heads is the quickest way.
    fn next(&mut self) -> Option<Start> {
        let heads = self.streams.iter_mut().enumerate();
        let (_, first) = heads.filter_map(|(n, s)| s.peek().map(|head| (*head, n))).min()?;
        self.streams.get_mut(first)?.next()
    }
}
