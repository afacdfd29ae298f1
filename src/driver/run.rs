//! A whole run: shards on threads, and the keeper beside them.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::metrics::journal::Header;
use crate::metrics::{Distribution, GeneratorFacts, Marks, SnapshotCell, Tally, TargetReading, TargetUse, TargetWatch};
use crate::net::{Connector, NetError, Settings};
use crate::phone::Origin;
use crate::workload::Plan;

use super::keeper::{Durable, JournalError, Keeper, Pen, Told};
use super::monitor::{self, Circumstances};
use super::shard::{Shard, ShardResult, on_own_runtime};
use super::{Control, Handicap, Live, Roster, Share};

/// What a run brought.
#[derive(Debug)]
pub struct Driven {
    /// All counts, over all shards. Its intervals are seconds in a short run, and longer in a long one: the journal has
    /// them all.
    pub tally: Tally,
    /// When the first phone could start.
    pub started_at: SystemTime,
    /// How long the run took.
    pub wall: Duration,
    /// What it cost this process. The journal's closing has the same.
    pub generator: GeneratorFacts,
    /// What it cost the target; `None` if nobody watched. The journal's closing has the same.
    pub target: Option<TargetUse>,
    /// The header's marks, and whether the run was interrupted. The journal's closing has the same.
    pub marks: Marks,
    /// Most connections open at once (the shards' peaks added up).
    pub peak_connections: usize,
    /// Why the journal, if there was to be one, does not tell of the whole run.
    pub journal_error: Option<JournalError>,
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

/// Tells what the target has used of this machine so far.
pub type TargetGauge = Box<dyn FnMut() -> TargetReading + Send>;

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
    /// Whether the server runs in this process: then both ends of each connection are its files.
    pub embedded: bool,
    /// Most local ports there are towards the server, if that is known.
    pub ports: Option<u64>,
    /// What [`super::timer_floor`] found; empty if nobody asked.
    pub timer_floor: Distribution,
    /// By which the run is stopped.
    pub control: Control,
    /// One for each shard, for whoever watches.
    pub snapshots: Vec<Arc<SnapshotCell>>,
    /// What is known while it runs, for whoever watches.
    pub live: Live,
    /// Where the journal goes, if there is to be one.
    pub journal: Option<Box<dyn Durable>>,
    /// What the journal begins with. When the run began and what is known of the generator is filled in here.
    pub header: Header,
    /// Tells what the target uses of this machine, if that can be told.
    pub target: Option<TargetGauge>,
    /// A fault planted for a test.
    pub handicap: Handicap,
}

/// Carries the plan out on sockets. Returns when every shard has come to its end.
///
/// There are no more shards than connections allowed, or phones. A journal that cannot be written does not end the run:
/// [`Driven::journal_error`] tells of it.
///
/// # Errors
/// If the run could not begin, or this program has a fault. What the journal has by then stays.
pub fn run(plan: &Arc<Plan>, mut setting: Setting) -> Result<Driven, RunError> {
    let most = u32::try_from(setting.max_connections).unwrap_or(u32::MAX).min(plan.phones());
    let shards = setting.shards.min(most).max(1);
    setting.control.expect(shards as usize);
    let (ready, all_ready) = mpsc::channel();
    let (keeper, told) = mpsc::channel();
    let (mut begins, mut threads) = (Vec::new(), Vec::new());
    let before = monitor::rss();
    for index in 0..shards {
        let share = Share { index, of: shards };
        let make = shard_maker(plan.clone(), &setting, share, keeper.clone(), ready.clone());
        let (begin, began) = mpsc::channel();
        let (control, began) = (setting.control.clone(), move || began.recv().ok());
        let spawned = thread::Builder::new()
            .name(format!("shard-{index}"))
            .spawn(move || on_own_runtime(make, control, began))
            .map_err(RunError::Runtime);
        begins.push(begin);
        threads.push(spawned);
    }
    drop((ready, keeper));
    // This ends when every shard has been made, or could not be.
    let made = all_ready.iter().count();
    let (control, live) = (setting.control.clone(), setting.live.clone());
    let (mut keeping, mut failed) = (None, None);
    if made == shards as usize {
        let phones = u64::from(plan.phones());
        let each = monitor::rss().checked_sub(before).map(|grown| grown / phones.max(1));
        setting.header.generator.rss_per_phone = each.filter(|_| phones >= MANY);
        match begin(setting, shards, told) {
            Ok(keeper) => {
                begins.iter().for_each(|begin| _ = begin.send(keeper.began));
                keeping = Some(keeper);
            }
            Err(error) => failed = Some(error),
        }
    }
    drop(begins);
    let (mut wall, mut peak_connections) = (Duration::ZERO, 0);
    for thread in threads {
        match thread.and_then(|t| t.join().map_err(|_| RunError::Panic)?) {
            Ok(Some(ShardResult { ended, peak_connections: peak })) => {
                wall = wall.max(ended);
                peak_connections += peak;
            }
            Ok(None) => {}
            Err(error) => _ = failed.get_or_insert(error),
        }
    }
    let kept = keeping.map(|keeping| (keeping.started_at, keeping.thread.join().map_err(|_| RunError::Panic)));
    if let Some(error) = failed {
        return Err(error);
    }
    let (started_at, keeper) = kept.ok_or(RunError::Panic)?;
    let kept = keeper?.close(wall, control.was_interrupted(), peak_connections);
    let known = live.known();
    Ok(Driven {
        tally: known.tally.clone(),
        started_at,
        wall,
        generator: known.generator.clone(),
        target: kept.target,
        marks: kept.marks,
        peak_connections,
        journal_error: kept.error,
    })
}

/// The keeper at work.
struct Keeping {
    thread: thread::JoinHandle<Keeper>,
    began: Instant,
    started_at: SystemTime,
}

/// Begins the journal, and says when the first phone may start.
fn begin(setting: Setting, shards: u32, told: mpsc::Receiver<Told>) -> Result<Keeping, RunError> {
    let addresses = setting.net.addresses.of(&setting.origin).unwrap_or_default();
    let circumstances = Circumstances {
        shards: shards as usize,
        embedded: setting.embedded,
        targets: [addresses.first().copied(), addresses.get(1).copied()],
        ports: setting.ports,
    };
    let mut header = setting.header;
    header.generator.shards = shards;
    header.generator.max_connections = setting.max_connections as u64;
    header.generator.timer_floor = setting.timer_floor;
    let started_at = now();
    let since_1970 = started_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    header.started_at_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
    let target = setting.target.map(TargetWatch::begin);
    let keeper = Keeper::begin(circumstances, setting.journal, header, setting.live, target);
    // A moment ahead, so that every shard is there when the first phone starts.
    let began = Instant::now() + START_AHEAD;
    let thread = thread::Builder::new()
        .name("keeper".into())
        .spawn(move || keeper.keep(began, &told))
        .map_err(RunError::Runtime)?;
    Ok(Keeping { thread, began, started_at })
}

#[allow(clippy::disallowed_methods, reason = "the journal carries the date of the run")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// From so many phones on, memory tells what one takes at rest; of fewer, threads and their runtimes would be a part.
const MANY: u64 = 50_000;

const START_AHEAD: Duration = Duration::from_millis(5);

fn shard_maker(
    plan: Arc<Plan>,
    setting: &Setting,
    share: Share,
    keeper: mpsc::Sender<Told>,
    ready: mpsc::Sender<()>,
) -> impl FnOnce() -> Result<Shard, RunError> + Send + 'static {
    let (origin, base, net) = (setting.origin.clone(), setting.base.clone(), setting.net.clone());
    let max_connections = part(setting.max_connections, share);
    let control = setting.control.clone();
    let snapshot = setting.snapshots.get(share.index as usize).cloned().unwrap_or_default();
    let handicap = setting.handicap;
    let pen = Pen::new(share.index as usize, keeper);
    move || {
        let connector = Connector::new(&net)?;
        let roster = Roster::new(plan.clone(), origin, base, share);
        // Who waits for it is there as long as any shard is being made.
        let _ = ready.send(());
        Ok(Shard { plan, roster, connector, max_connections, control, snapshot, pen, handicap })
    }
}

/// A shard's part of what all have together: no two differ by more than one.
fn part(all: usize, share: Share) -> usize {
    let (index, of) = (share.index as usize, share.of as usize);
    all / of + usize::from(index < all % of)
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
