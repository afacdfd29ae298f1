//! What a shard tells while the run is on: a few numbers another thread may read at any time.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a run is, summed since it began unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Phones there are.
    pub phones: u64,
    /// Phones now in the boot chain.
    pub booting: u64,
    /// Phones now through the boot chain.
    pub provisioned: u64,
    /// Phones now before a screen that waits for a person.
    pub prompting: u64,
    /// Phones now failed, without a screen.
    pub failed: u64,
    /// Operations planned.
    pub planned: u64,
    /// Operations started.
    pub started: u64,
    /// Operations ended.
    pub finished: u64,
    /// Operations ended `ok`.
    pub succeeded: u64,
    /// Operations dropped.
    pub dropped: u64,
    /// Exchanges sent.
    pub sent: u64,
    /// Exchanges answered or failed.
    pub ended: u64,
    /// Exchanges answered 401.
    pub unauthorized: u64,
    /// Exchanges failed below HTTP.
    pub failures: u64,
    /// Exchanges now in flight.
    pub in_flight: u64,
}

const FIELDS: usize = 15;

impl Snapshot {
    const fn to_array(self) -> [u64; FIELDS] {
        let Snapshot { phones, booting, provisioned, prompting, failed, .. } = self;
        let Snapshot { planned, started, finished, succeeded, dropped, .. } = self;
        let Snapshot { sent, ended, unauthorized, failures, in_flight, .. } = self;
        [
            phones,
            booting,
            provisioned,
            prompting,
            failed,
            planned,
            started,
            finished,
            succeeded,
            dropped,
            sent,
            ended,
            unauthorized,
            failures,
            in_flight,
        ]
    }

    const fn from_array(a: [u64; FIELDS]) -> Snapshot {
        let [phones, booting, provisioned, prompting, failed, planned, started, finished, succeeded, dropped, ..] = a;
        let [.., sent, ended, unauthorized, failures, in_flight] = a;
        Snapshot {
            phones,
            booting,
            provisioned,
            prompting,
            failed,
            planned,
            started,
            finished,
            succeeded,
            dropped,
            sent,
            ended,
            unauthorized,
            failures,
            in_flight,
        }
    }
}

impl AddAssign for Snapshot {
    /// The sum over shards.
    fn add_assign(&mut self, other: Snapshot) {
        let mut sum = self.to_array();
        sum.iter_mut().zip(other.to_array()).for_each(|(a, b)| *a += b);
        *self = Snapshot::from_array(sum);
    }
}

/// Where one shard publishes its snapshot for another thread. Numbers of one reading may be some microseconds apart.
#[derive(Debug, Default)]
pub struct SnapshotCell([AtomicU64; FIELDS]);

impl SnapshotCell {
    /// A cell with nothing in it yet.
    pub fn new() -> SnapshotCell {
        SnapshotCell::default()
    }

    /// Puts the shard's latest numbers there (some 15 plain stores: ten times a second costs nothing).
    pub fn publish(&self, snapshot: Snapshot) {
        for (cell, value) in self.0.iter().zip(snapshot.to_array()) {
            cell.store(value, Ordering::Relaxed);
        }
    }

    /// The latest numbers.
    pub fn read(&self) -> Snapshot {
        Snapshot::from_array(std::array::from_fn(|i| self.0[i].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_survives_the_cell_and_adds() {
        let a = Snapshot::from_array(std::array::from_fn(|i| 1 << i));
        let cell = SnapshotCell::new();
        assert_eq!(cell.read(), Snapshot::default());
        cell.publish(a);
        let mut twice = cell.read();
        assert_eq!(twice, a);
        assert_eq!((a.phones, a.dropped, a.sent, a.in_flight), (1, 1 << 9, 1 << 10, 1 << 14));
        twice += a;
        assert_eq!(twice, Snapshot::from_array(std::array::from_fn(|i| 2 << i)));
    }
}
