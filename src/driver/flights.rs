//! Exchanges under way, polled by the shard's own loop: no task each, and no runtime's queue between them and the loop.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rustc_hash::FxHashMap;

/// Futures by phone, at most one each. Only those that were woken are polled, in the order they were.
pub(super) struct Flights<T> {
    flights: FxHashMap<u32, Flight<T>>,
    tower: Arc<Tower>,
    /// Those woken, on their way to be polled: kept for its room.
    woken: Vec<Arc<Call>>,
}

struct Flight<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    call: CallSign,
}

/// What a phone's futures are woken by: the same for all of them, as long as it is handed on.
pub(super) struct CallSign {
    call: Arc<Call>,
    waker: Waker,
}

struct Call {
    phone: u32,
    /// Whether it stands in the list already.
    listed: AtomicBool,
    tower: Arc<Tower>,
}

/// Who was woken, and whom that wakes in turn.
#[derive(Default)]
struct Tower {
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    woken: Vec<Arc<Call>>,
    /// The loop, while it sleeps.
    sleeper: Option<Waker>,
}

impl Tower {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.listed.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut desk = self.tower.desk();
        desk.woken.push(Arc::clone(self));
        let sleeper = desk.sleeper.take();
        drop(desk);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }
}

impl<T> Flights<T> {
    pub(super) fn new() -> Flights<T> {
        Flights { flights: FxHashMap::default(), tower: Arc::default(), woken: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// A call sign for a phone that has none to hand on.
    pub(super) fn call_sign(&self, phone: u32) -> CallSign {
        let call = Arc::new(Call { phone, listed: AtomicBool::new(false), tower: Arc::clone(&self.tower) });
        let waker = Waker::from(Arc::clone(&call));
        CallSign { call, waker }
    }

    /// Takes off: the future is polled once. What it came to and its call sign, if that was enough.
    pub(super) fn start(
        &mut self,
        call: CallSign,
        mut future: Pin<Box<dyn Future<Output = T>>>,
    ) -> Option<(T, CallSign)> {
        match future.as_mut().poll(&mut Context::from_waker(&call.waker)) {
            Poll::Ready(result) => Some((result, call)),
            Poll::Pending => {
                self.flights.insert(call.call.phone, Flight { future, call });
                None
            }
        }
    }

    /// Gives one up: its future is dropped.
    pub(super) fn cancel(&mut self, phone: u32) {
        self.flights.remove(&phone);
    }

    /// Polls those that were woken, once each, and hands on which have landed.
    pub(super) fn poll_woken(&mut self, mut landed: impl FnMut(u32, T, CallSign)) {
        std::mem::swap(&mut self.woken, &mut self.tower.desk().woken);
        let mut woken = std::mem::take(&mut self.woken);
        for call in woken.drain(..) {
            // What wakes it from here on is news.
            call.listed.store(false, Ordering::Relaxed);
            // One that has landed may be woken still, and so may one that was given up and whose phone has another now.
            let Some(flight) = self.flights.get_mut(&call.phone) else { continue };
            if !Arc::ptr_eq(&flight.call.call, &call) {
                continue;
            }
            if let Poll::Ready(result) = flight.future.as_mut().poll(&mut Context::from_waker(&flight.call.waker))
                && let Some(flight) = self.flights.remove(&call.phone)
            {
                landed(call.phone, result, flight.call);
            }
        }
        self.woken = woken;
    }

    /// Whether one was woken since they were last polled.
    pub(super) fn any_woken(&self) -> bool {
        !self.tower.desk().woken.is_empty()
    }

    /// Ready when one was woken.
    pub(super) fn poll_any_woken(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut desk = self.tower.desk();
        if !desk.woken.is_empty() {
            return Poll::Ready(());
        }
        match &mut desk.sleeper {
            Some(sleeper) => sleeper.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    /// Ready with its number once its light is green; keeps its waker.
    struct Light {
        number: u32,
        green: Rc<Cell<bool>>,
        waker: Rc<RefCell<Option<Waker>>>,
        polls: Rc<Cell<u32>>,
    }

    impl Future for Light {
        type Output = u32;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
            self.polls.set(self.polls.get() + 1);
            *self.waker.borrow_mut() = Some(cx.waker().clone());
            if self.green.get() { Poll::Ready(self.number) } else { Poll::Pending }
        }
    }

    #[derive(Default)]
    struct Handle {
        green: Rc<Cell<bool>>,
        waker: Rc<RefCell<Option<Waker>>>,
        polls: Rc<Cell<u32>>,
    }

    impl Handle {
        fn light(&self, number: u32) -> Pin<Box<Light>> {
            let (green, waker, polls) = (self.green.clone(), self.waker.clone(), self.polls.clone());
            Box::pin(Light { number, green, waker, polls })
        }

        fn wake(&self) {
            self.waker.borrow().as_ref().unwrap().wake_by_ref();
        }
    }

    fn landed(flights: &mut Flights<u32>) -> Vec<u32> {
        let mut landed = Vec::new();
        flights.poll_woken(|phone, number, _| {
            assert_eq!(phone, number);
            landed.push(number);
        });
        landed
    }

    #[test]
    fn only_those_woken_are_polled_in_their_order() {
        let mut flights = Flights::new();
        let handles: Vec<Handle> = (0..4).map(|_| Handle::default()).collect();
        for (number, handle) in (0..).zip(&handles) {
            assert!(flights.start(flights.call_sign(number), handle.light(number)).is_none());
            handle.green.set(true);
        }
        assert!(landed(&mut flights).is_empty());
        handles[2].wake();
        handles[0].wake();
        handles[2].wake();
        assert_eq!(landed(&mut flights), [2, 0]);
        handles[2].wake();
        assert!(landed(&mut flights).is_empty(), "landed already");
        flights.cancel(1);
        handles[1].wake();
        assert!(landed(&mut flights).is_empty(), "given up");
        assert_eq!(handles.iter().map(|h| h.polls.get()).collect::<Vec<_>>(), [2, 1, 2, 1]);
        assert_eq!(flights.len(), 1);
    }

    #[test]
    fn one_that_wakes_itself_is_polled_again_and_a_former_one_does_not_wake_the_next() {
        let mut flights = Flights::new();
        let (old, new) = (Handle::default(), Handle::default());
        assert!(flights.start(flights.call_sign(7), old.light(7)).is_none());
        flights.cancel(7);
        assert!(flights.start(flights.call_sign(7), new.light(7)).is_none());
        old.wake();
        assert!(landed(&mut flights).is_empty());
        assert_eq!(new.polls.get(), 1);
        new.wake();
        assert!(landed(&mut flights).is_empty());
        new.wake();
        new.green.set(true);
        assert_eq!(landed(&mut flights), [7]);
        assert!(flights.is_empty());
    }

    #[test]
    fn one_that_is_ready_at_once_never_takes_off_and_its_call_sign_is_handed_on() {
        let mut flights = Flights::new();
        let handle = Handle::default();
        handle.green.set(true);
        let (number, call) = flights.start(flights.call_sign(3), handle.light(3)).unwrap();
        assert!(number == 3 && flights.is_empty());
        handle.green.set(false);
        assert!(flights.start(call, handle.light(3)).is_none());
        assert_eq!(flights.len(), 1);
    }

    #[test]
    fn the_loop_sleeps_until_one_is_woken() {
        let mut flights = Flights::new();
        let handle = Handle::default();
        assert!(flights.start(flights.call_sign(0), handle.light(0)).is_none());
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            tokio::select! {
                biased;
                () = poll_fn(|cx| flights.poll_any_woken(cx)) => panic!("nobody was"),
                () = tokio::task::yield_now() => {}
            }
            handle.wake();
            poll_fn(|cx| flights.poll_any_woken(cx)).await;
        });
        handle.green.set(true);
        assert_eq!(landed(&mut flights), [0]);
    }
}
