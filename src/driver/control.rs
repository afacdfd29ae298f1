//! What the shards of a run share: when it began, whether it should stop, whether all have settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::watch;

/// How far a run is on its way to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// It runs.
    #[default]
    Not,
    /// Its end has come: nothing new begins.
    Over,
    /// Somebody interrupted it: nothing new begins.
    Interrupted,
    /// It ends at once.
    Now,
}

/// The handle by which a run is stopped from outside. Clones share one state.
#[derive(Clone, Debug)]
pub struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stop: watch::Sender<Stop>,
    settled: AtomicUsize,
    shards: AtomicUsize,
    interrupted: AtomicBool,
}

impl Default for Control {
    fn default() -> Self {
        Control(Arc::new(Inner {
            stop: watch::Sender::new(Stop::Not),
            settled: AtomicUsize::new(0),
            shards: AtomicUsize::new(1),
            interrupted: AtomicBool::new(false),
        }))
    }
}

impl Control {
    /// The first call drains the run, a second one ends it at once; says which of the two it was (true: at once).
    pub fn interrupt(&self) -> bool {
        self.0.interrupted.store(true, Ordering::Relaxed);
        self.0.stop.send_modify(|stop| *stop = if *stop < Stop::Interrupted { Stop::Interrupted } else { Stop::Now });
        *self.0.stop.borrow() == Stop::Now
    }

    /// Whether anybody interrupted the run.
    pub fn was_interrupted(&self) -> bool {
        self.0.interrupted.load(Ordering::Relaxed)
    }

    /// A run of this many shards begins.
    pub(super) fn expect(&self, shards: usize) {
        self.0.shards.store(shards, Ordering::Relaxed);
    }

    /// The run's end has come.
    pub(super) fn over(&self) {
        self.0.stop.send_if_modified(|stop| {
            let first = *stop == Stop::Not;
            if first {
                *stop = Stop::Over;
            }
            first
        });
    }

    pub(super) fn watch(&self) -> watch::Receiver<Stop> {
        self.0.stop.subscribe()
    }

    /// A shard has settled, or no longer is. When the last one settles the run is over.
    pub(super) fn settled(&self, now: bool) {
        if !now {
            self.0.settled.fetch_sub(1, Ordering::SeqCst);
        } else if self.0.settled.fetch_add(1, Ordering::SeqCst) + 1 == self.0.shards.load(Ordering::Relaxed) {
            self.over();
        }
    }
}
