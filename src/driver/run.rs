//! A whole run: shards on threads, their counts added up.

use std::convert::Infallible;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::{Distribution, SnapshotCell, Tally};
use crate::net::{Connector, NetError, Settings};
use crate::phone::Origin;
use crate::workload::Plan;

use super::shard::{Shard, ShardResult, on_own_runtime};
use super::{Control, Roster, Share};

/// What a run brought.
#[derive(Debug)]
pub struct Driven {
    /// All counts, over all shards.
    pub tally: Tally,
    /// How late the shards' loops woke.
    pub loop_lag: Distribution,
    /// CPU time of each shard's thread.
    pub cpu: Vec<Duration>,
    /// How long the run took.
    pub wall: Duration,
    /// Most connections open at once (the shards' peaks added up).
    pub peak_connections: usize,
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A thread or its runtime could not be made.
    #[error("could not start a shard's runtime ({0}); this machine is out of threads or files")]
    Runtime(#[source] std::io::Error),
    /// The client side of the network could not be set up.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A shard's thread ended in a panic: a fault of this program.
    #[error("a shard ended in a panic; this is a fault of bootstorm itself, please report it")]
    Panic,
}

/// Everything a run needs besides its plan.
pub struct Setting {
    /// The server.
    pub origin: Arc<Origin>,
    /// Folder before every path.
    pub base: String,
    /// How sockets and TLS behave.
    pub net: Settings,
    /// Most connections at once, over all shards.
    pub max_connections: usize,
    /// How many shards.
    pub shards: u32,
    /// By which the run is stopped.
    pub control: Control,
    /// One for each shard, for whoever watches.
    pub snapshots: Vec<Arc<SnapshotCell>>,
}

/// Carries the plan out on sockets. Returns when every shard has come to its end.
///
/// There are no more shards than connections allowed, or phones.
pub fn run(plan: &Arc<Plan>, setting: &Setting) -> Result<Driven, RunError> {
    let most = u32::try_from(setting.max_connections).unwrap_or(u32::MAX).min(plan.phones());
    let shards = setting.shards.min(most).max(1);
    setting.control.expect(shards as usize);
    let (ready, all_ready) = mpsc::channel::<Infallible>();
    let (mut begins, mut threads) = (Vec::new(), Vec::new());
    for index in 0..shards {
        let make = shard_maker(plan.clone(), setting, Share { index, of: shards }, ready.clone());
        let (begin, began) = mpsc::channel();
        let (control, began) = (setting.control.clone(), move || began.recv().ok());
        let spawned = thread::Builder::new()
            .name(format!("shard-{index}"))
            .spawn(move || on_own_runtime(make, control, began))
            .map_err(RunError::Runtime);
        begins.push(begin);
        threads.push(spawned);
    }
    // Nobody ever sends: this ends when every shard has been made, or could not be.
    drop(ready);
    let _ = all_ready.recv();
    if threads.iter().all(Result::is_ok) {
        // A moment ahead, so that every shard is there when the first phone starts.
        let began = Instant::now() + START_AHEAD;
        // A shard that could not be made is not there to be told.
        begins.iter().for_each(|begin| _ = begin.send(began));
    }
    drop(begins);
    let mut driven = Driven {
        tally: Tally::default(),
        loop_lag: Distribution::default(),
        cpu: Vec::new(),
        wall: Duration::ZERO,
        peak_connections: 0,
    };
    let mut failed = None;
    for thread in threads {
        match thread.and_then(|t| t.join().map_err(|_| RunError::Panic)?) {
            Ok(Some(result)) => driven.add(&result),
            Ok(None) => {}
            Err(error) => _ = failed.get_or_insert(error),
        }
    }
    failed.map_or(Ok(driven), Err)
}

const START_AHEAD: Duration = Duration::from_millis(5);

fn shard_maker(
    plan: Arc<Plan>,
    setting: &Setting,
    share: Share,
    ready: mpsc::Sender<Infallible>,
) -> impl FnOnce() -> Result<Shard, RunError> + Send + 'static {
    let (origin, base, net) = (setting.origin.clone(), setting.base.clone(), setting.net.clone());
    let max_connections = part(setting.max_connections, share);
    let control = setting.control.clone();
    let snapshot = setting.snapshots.get(share.index as usize).cloned().unwrap_or_default();
    move || {
        let connector = Connector::new(&net)?;
        let roster = Roster::new(plan.clone(), origin, base, share);
        drop(ready);
        Ok(Shard { plan, roster, connector, max_connections, control, snapshot })
    }
}

/// A shard's part of what all have together: no two differ by more than one.
fn part(all: usize, share: Share) -> usize {
    let (index, of) = (share.index as usize, share.of as usize);
    all / of + usize::from(index < all % of)
}

impl Driven {
    fn add(&mut self, shard: &ShardResult) {
        self.tally.merge(&shard.tally);
        self.loop_lag.merge(&shard.loop_lag);
        self.cpu.push(shard.cpu);
        self.wall = self.wall.max(shard.ended);
        self.peak_connections += shard.peak_connections;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        for (all, of) in [(1, 1), (2, 2), (3, 2), (2000, 7), (7, 7)] {
            let parts: Vec<_> = (0..of).map(|index| part(all, Share { index, of })).collect();
            assert_eq!(parts.iter().sum::<usize>(), all, "{parts:?}");
            assert!(parts.iter().all(|n| *n >= 1 && n.abs_diff(parts[0]) <= 1), "{parts:?}");
        }
    }
}
