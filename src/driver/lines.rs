//! The lines of one shard's phones: connections, exchanges under way, and who waits for a connection.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::net::{Connection, Connector, Done};
use crate::phone::Request;

use super::queue::Queue;
use super::{Roster, Wish};

/// Most exchanges begun in one turn of the loop. When thousands of phones want to begin in the same moment, those
/// under way are served in between; that the others wait is lateness, not the server's doing.
const AT_ONCE: usize = 32;

/// Connections and exchanges of the shard's phones.
pub(super) struct Lines {
    connector: Connector,
    /// Most connections open at once, in flight and idle together.
    max: usize,
    keep_idle: Duration,
    began: Instant,
    in_flight: HashMap<u32, (u64, AbortHandle)>,
    idle: Queue<(Instant, Connection)>,
    /// Who wants to go on over the connection it has. These go first: a phone in the midst of an operation does not
    /// lose its connection to one that has not begun, only because all share this machine's bound.
    going_on: Queue<(Instant, Box<Request>)>,
    /// Who waits for a connection.
    waiting: Queue<(Instant, Box<Request>)>,
    /// Tells an exchange from a later one of the same phone.
    serial: u64,
    news: Rc<News>,
    peak: usize,
    opened: u64,
}

/// What the exchanges' tasks have to tell.
#[derive(Default)]
struct News {
    begun: RefCell<Vec<Begun>>,
    ended: RefCell<Vec<Ended>>,
    /// An exchange's task ended in a panic.
    broke: Cell<bool>,
    told: Notify,
}

/// An exchange that is now really attempted.
struct Begun {
    phone: u32,
    serial: u64,
    at: Duration,
}

/// An exchange that ended, on its way to its phone.
struct Ended {
    phone: u32,
    serial: u64,
    at: Duration,
    done: Done,
}

impl Lines {
    /// No line yet. At most `max` connections will be open at once, and idle ones be kept for `keep_idle`.
    pub(super) fn new(connector: Connector, max: usize, keep_idle: Duration, began: Instant) -> Lines {
        Lines {
            connector,
            max: max.max(1),
            keep_idle,
            began,
            in_flight: HashMap::new(),
            idle: Queue::new(),
            going_on: Queue::new(),
            waiting: Queue::new(),
            serial: 0,
            news: Rc::default(),
            peak: 0,
            opened: 0,
        }
    }

    /// Whether nothing is under way or waits.
    pub(super) fn is_quiet(&self) -> bool {
        let nobody_waits = self.going_on.is_empty() && self.waiting.is_empty();
        nobody_waits && self.in_flight.is_empty() && self.news.ended.borrow().is_empty()
    }

    /// Connections open, in flight and idle together.
    pub(super) fn open(&self) -> usize {
        self.in_flight.len() + self.idle.len()
    }

    /// Connections opened, or tried to, since the run began.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// Most connections that were open at once.
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// Whether an exchange ended in a panic: its phone would wait for ever.
    pub(super) fn broke(&self) -> bool {
        self.news.broke.get()
    }

    /// Until an exchange has something to tell.
    pub(super) async fn news(&self) {
        self.news.told.notified().await;
    }

    /// Tells the phones what became of their exchanges.
    pub(super) fn collect(&mut self, now: Duration, roster: &mut Roster, wishes: &mut Vec<Wish>) {
        for Begun { phone, serial, at } in self.news.begun.take() {
            if self.is_current(phone, serial) {
                roster.dispatched(at.min(now), phone);
            }
        }
        for Ended { phone, serial, at, done } in self.news.ended.take() {
            if !self.is_current(phone, serial) {
                continue; // Hung up in the meantime.
            }
            self.in_flight.remove(&phone);
            if let Some(connection) = done.connection {
                self.idle.push(phone, (Instant::now(), connection));
            }
            let answer = done.answer.as_ref().map_err(|failure| *failure);
            roster.exchanged(at.min(now), phone, &done.facts, answer, wishes);
        }
    }

    fn is_current(&self, phone: u32, serial: u64) -> bool {
        self.in_flight.get(&phone).is_some_and(|(current, _)| *current == serial)
    }

    /// Carries out what phones want, as far as connections allow. True if more can begin at once in the next turn.
    pub(super) fn grant(&mut self, wishes: &mut Vec<Wish>) -> bool {
        let now = Instant::now();
        for wish in wishes.drain(..) {
            match wish {
                Wish::Hangup { phone } => self.hang_up(phone),
                Wish::Send { phone, request } if self.idle.has(phone) => self.going_on.push(phone, (now, request)),
                Wish::Send { phone, request } => self.waiting.push(phone, (now, request)),
            }
        }
        for _ in 0..AT_ONCE {
            let next = match self.going_on.pop() {
                Some(next) => Some(next),
                None if self.is_line_free() => self.waiting.pop(),
                None => return false,
            };
            let Some((phone, (since, request))) = next else { return false };
            self.dispatch(phone, request, since);
        }
        true
    }

    /// Whether one more connection may be opened, be it that an idle one was closed for it.
    fn is_line_free(&mut self) -> bool {
        self.open() < self.max || (!self.waiting.is_empty() && self.idle.pop().is_some())
    }

    fn dispatch(&mut self, phone: u32, request: Box<Request>, since: Instant) {
        self.serial += 1;
        let (serial, began) = (self.serial, self.began);
        let kept = self.idle.remove(phone).map(|(_, connection)| connection);
        self.opened += u64::from(kept.is_none());
        let (connector, news) = (self.connector.clone(), self.news.clone());
        let exchange = async move {
            // Only now has its turn come: what it waited for until here was this program.
            let begun = Instant::now();
            news.begun.borrow_mut().push(Begun { phone, serial, at: begun.duration_since(began) });
            let mut done = connector.exchange(phone, kept, &request).await;
            done.facts.waited = begun.duration_since(since);
            news.ended.borrow_mut().push(Ended { phone, serial, at: began.elapsed(), done });
            news.told.notify_one();
        };
        let task = tokio::task::spawn_local(telling_of_panics(self.news.clone(), exchange));
        self.in_flight.insert(phone, (serial, task.abort_handle()));
        self.peak = self.peak.max(self.open());
    }

    /// The phone lost power or the run ends: its connection, its request, its TLS sessions are gone.
    fn hang_up(&mut self, phone: u32) {
        if let Some((_, task)) = self.in_flight.remove(&phone) {
            task.abort();
        }
        self.idle.remove(phone);
        self.going_on.remove(phone);
        self.waiting.remove(phone);
        self.connector.forget(phone);
    }

    /// Closes connections that were idle for too long.
    pub(super) fn close_idle(&mut self, now: Instant) {
        while self.idle.first().is_some_and(|(_, (since, _))| now.duration_since(*since) >= self.keep_idle) {
            self.idle.pop();
        }
    }
}

/// Runs a task that no one waits for; if it panics, the loop gets to know.
async fn telling_of_panics(news: Rc<News>, task: impl Future<Output = ()>) {
    struct Witness(Rc<News>);
    impl Drop for Witness {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.0.broke.set(true);
                self.0.told.notify_one();
            }
        }
    }
    let _witness = Witness(news);
    task.await;
}

#[cfg(test)]
mod tests {
    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    #[test]
    fn a_panic_in_an_exchange_wakes_the_loop_and_a_hang_up_does_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let news = Rc::<News>::default();
            let task = spawn_local(telling_of_panics(news.clone(), std::future::pending()));
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.is_err());
            assert!(!news.broke.get(), "hung up");
            spawn_local(telling_of_panics(news.clone(), async { panic!("on purpose") }));
            news.told.notified().await;
            assert!(news.broke.get());
        });
    }
}
