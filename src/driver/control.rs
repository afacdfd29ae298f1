//! What the shards of a run share: when it began, whether it should stop, whether all have settled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

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

/// By which a shard's loop hears that the run should stop, though it sleeps. It is asked every turn, and that costs no
/// more than a look: the loop is put on the list of those who wait once, and not anew each time it sleeps.
pub(super) struct Bell {
    stop: watch::Receiver<Stop>,
    asked: Stop,
    change: Change,
    /// Whom the next change wakes.
    wakes: Option<Waker>,
}

/// Ready with the receiver at the next change.
type Change = Pin<Box<dyn Future<Output = watch::Receiver<Stop>>>>;

fn next_change(mut stop: watch::Receiver<Stop>) -> Change {
    Box::pin(async move {
        // Who could still change it is gone only with the shard itself.
        let _ = stop.changed().await;
        stop
    })
}

impl Bell {
    pub(super) fn new(stop: watch::Receiver<Stop>) -> Bell {
        let change = next_change(stop.clone());
        let asked = *stop.borrow();
        Bell { stop, asked, change, wakes: None }
    }

    /// What is asked by now.
    pub(super) fn asked(&mut self) -> Stop {
        if self.stop.has_changed().unwrap_or_default() {
            self.asked = *self.stop.borrow_and_update();
            // It has rung, or will at once.
            self.wakes = None;
        }
        self.asked
    }

    /// Ready when something else may be asked.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.wakes.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.wakes = None;
        let Poll::Ready(stop) = self.change.as_mut().poll(cx) else {
            self.wakes = Some(cx.waker().clone());
            return Poll::Pending;
        };
        self.change = next_change(stop);
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_rings_once_for_each_change_however_late_it_is_heard() {
        let control = Control::default();
        let mut bell = Bell::new(control.watch());
        let woken = Arc::new(AtomicUsize::new(0));
        struct Count(Arc<AtomicUsize>);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let waker = Waker::from(Arc::new(Count(Arc::clone(&woken))));
        let mut cx = Context::from_waker(&waker);
        for (n, (change, asked)) in [(0, Stop::Over), (1, Stop::Interrupted), (1, Stop::Now)].into_iter().enumerate() {
            // It may say so twice of what is heard already, but never forgets to wake.
            while bell.poll(&mut cx).is_ready() {}
            assert!(bell.poll(&mut cx).is_pending());
            assert_eq!(woken.load(Ordering::SeqCst), n);
            match change {
                0 => control.over(),
                _ => _ = control.interrupt(),
            }
            assert_eq!(woken.load(Ordering::SeqCst), n + 1);
            assert_eq!(bell.asked(), asked);
            assert_eq!(bell.asked(), asked);
        }
        // Before it was asked to wake anybody.
        let mut bell = Bell::new(control.watch());
        assert_eq!(bell.asked(), Stop::Now);
        let control = Control::default();
        let mut bell = Bell::new(control.watch());
        control.over();
        assert!(bell.poll(&mut cx).is_ready());
        assert_eq!(bell.asked(), Stop::Over);
    }
}
