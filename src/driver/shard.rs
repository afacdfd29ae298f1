//! One shard: its phones, its connections, one loop on one thread.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, LocalSet};
use tokio::time::Instant;

use crate::metrics::{Distribution, SnapshotCell, Tally};
use crate::net::{Connection, Connector, Done};
use crate::phone::{DropCause, Moment, Request};
use crate::workload::{End, Plan};

use super::control::Stop;
use super::{Control, Pace, Roster, Wish};

/// How often a shard tells where it stands.
const PUBLISH: Duration = Duration::from_millis(100);

/// One shard at work.
pub(super) struct Shard {
    pub(super) plan: Arc<Plan>,
    pub(super) roster: Roster,
    pub(super) connector: Connector,
    /// Most connections open at once, in flight and idle together.
    pub(super) max_connections: usize,
    pub(super) control: Control,
    pub(super) snapshot: Arc<SnapshotCell>,
    pub(super) began: Instant,
}

/// What a shard brings home.
pub(super) struct ShardResult {
    pub(super) tally: Tally,
    pub(super) loop_lag: Distribution,
    pub(super) cpu: Duration,
    pub(super) ended: Duration,
    pub(super) peak_connections: usize,
}

/// An exchange that ended, on its way to its phone.
struct EndedExchange {
    phone: u32,
    serial: u64,
    at: Duration,
    done: Done,
}

/// Connections and exchanges of the shard's phones.
struct Lines {
    connector: Connector,
    max: usize,
    in_flight: HashMap<u32, (u64, AbortHandle)>,
    idle: HashMap<u32, (u64, Connection)>,
    /// Idle connections by the time they went idle; stale entries are skipped.
    idle_order: VecDeque<(Instant, u32, u64)>,
    keep_idle: Duration,
    waiting: VecDeque<(u32, Box<Request>, Instant)>,
    /// Tells an exchange from a later one of the same phone.
    serial: u64,
    ended: Rc<RefCell<Vec<EndedExchange>>>,
    woken: Rc<Notify>,
    peak: usize,
}

impl Shard {
    /// Runs to the end of the run. Must be called within a [`LocalSet`].
    pub(super) async fn run(mut self) -> ShardResult {
        let pace = Pace::new(self.plan.compression);
        let mut stop = self.control.watch();
        let mut lines = Lines::new(&self);
        let mut lag = Distribution::default();
        let mut wishes = Vec::new();
        let (mut published, mut settled, mut draining) = (Duration::ZERO, false, Stop::Not);
        let end = match self.plan.end {
            End::After(phone_time) | End::Settled { limit: phone_time } => pace.real_time(Moment::ZERO + phone_time),
        };
        let until_settled = matches!(self.plan.end, End::Settled { .. });
        loop {
            let now = self.began.elapsed();
            // What has ended comes before what is due: a phone that loses its power now must not get its answer after.
            lines.collect(now, &mut self.roster, &mut wishes);
            if draining == Stop::Not {
                self.roster.advance(now, &mut wishes);
            }
            lines.grant(&mut wishes, &mut self.roster, self.began);
            lines.close_idle(Instant::now());

            let asked = *stop.borrow_and_update();
            if asked > draining {
                draining = asked;
                self.stop(now, asked, &mut wishes);
                lines.grant(&mut wishes, &mut self.roster, self.began);
            }
            if draining != Stop::Not && lines.is_quiet() {
                break;
            }
            if draining == Stop::Not {
                if now >= end {
                    self.control.over();
                    continue;
                }
                let is_settled = until_settled && self.roster.is_settled();
                if is_settled != settled {
                    settled = is_settled;
                    self.control.settled(settled);
                    continue;
                }
            }
            if now >= published + PUBLISH {
                published = now;
                self.snapshot.publish(self.roster.recorder().snapshot());
            }
            let due =
                if draining == Stop::Not { pace.real_time(self.roster.next_due()).min(end) } else { Duration::MAX };
            self.sleep(due, published + PUBLISH, &lines, &mut stop, &mut lag).await;
        }
        let ended = self.began.elapsed();
        self.snapshot.publish(self.roster.recorder().snapshot());
        let cpu = crate::net::thread_cpu();
        ShardResult {
            tally: self.roster.into_recorder().finish(ended),
            loop_lag: lag,
            cpu,
            ended,
            peak_connections: lines.peak,
        }
    }

    fn stop(&mut self, now: Duration, stop: Stop, wishes: &mut Vec<Wish>) {
        match stop {
            Stop::Not => {}
            Stop::Over => self.roster.drain(now, DropCause::RunEnded, wishes),
            Stop::Interrupted => self.roster.drain(now, DropCause::Interrupted, wishes),
            Stop::Now => self.roster.abort(now, wishes),
        }
    }

    /// Sleeps until something is due or has happened.
    async fn sleep(
        &self,
        due: Duration,
        publish: Duration,
        lines: &Lines,
        stop: &mut watch::Receiver<Stop>,
        lag: &mut Distribution,
    ) {
        let wake = due.min(publish);
        tokio::select! {
            biased;
            () = lines.woken.notified() => {}
            _ = stop.changed() => {}
            () = tokio::time::sleep_until(self.began + wake) => {
                lag.record(self.began.elapsed().saturating_sub(wake));
            }
        }
    }
}

impl Lines {
    fn new(shard: &Shard) -> Lines {
        Lines {
            connector: shard.connector.clone(),
            max: shard.max_connections.max(1),
            in_flight: HashMap::new(),
            idle: HashMap::new(),
            idle_order: VecDeque::new(),
            keep_idle: shard.plan.network.idle,
            waiting: VecDeque::new(),
            serial: 0,
            ended: Rc::default(),
            woken: Rc::default(),
            peak: 0,
        }
    }

    /// Whether nothing is under way or waits.
    fn is_quiet(&self) -> bool {
        self.in_flight.is_empty() && self.waiting.is_empty() && self.ended.borrow().is_empty()
    }

    /// Gives ended exchanges to their phones.
    fn collect(&mut self, now: Duration, roster: &mut Roster, wishes: &mut Vec<Wish>) {
        let ended = std::mem::take(&mut *self.ended.borrow_mut());
        for EndedExchange { phone, serial, at, done } in ended {
            if self.in_flight.get(&phone).is_none_or(|(current, _)| *current != serial) {
                continue; // Hung up in the meantime.
            }
            self.in_flight.remove(&phone);
            if let Some(connection) = done.connection {
                self.idle.insert(phone, (serial, connection));
                self.idle_order.push_back((Instant::now(), phone, serial));
            }
            let answer = done.answer.as_ref().map_err(|failure| *failure);
            roster.exchanged(at.min(now), phone, &done.facts, answer, wishes);
        }
    }

    /// Carries out what phones want, as far as connections allow.
    fn grant(&mut self, wishes: &mut Vec<Wish>, roster: &mut Roster, began: Instant) {
        let now = Instant::now();
        for wish in wishes.drain(..) {
            match wish {
                Wish::Hangup { phone } => self.hang_up(phone),
                Wish::Send { phone, request } => self.waiting.push_back((phone, request, now)),
            }
        }
        while let Some((phone, _, _)) = self.waiting.front() {
            let has_line = self.idle.contains_key(phone);
            if !has_line && self.in_flight.len() + self.idle.len() >= self.max && !self.close_oldest() {
                return;
            }
            let Some((phone, request, since)) = self.waiting.pop_front() else { return };
            self.dispatch(phone, request, since, roster, began);
        }
    }

    fn dispatch(&mut self, phone: u32, request: Box<Request>, since: Instant, roster: &mut Roster, began: Instant) {
        self.serial += 1;
        let serial = self.serial;
        let kept = self.idle.remove(&phone).map(|(_, connection)| connection);
        let (connector, ended, woken) = (self.connector.clone(), self.ended.clone(), self.woken.clone());
        let dispatched = Instant::now();
        roster.dispatched(dispatched.duration_since(began), phone);
        let task = tokio::task::spawn_local(async move {
            let mut done = connector.exchange(phone, kept, &request).await;
            done.facts.waited = dispatched.duration_since(since);
            ended.borrow_mut().push(EndedExchange { phone, serial, at: began.elapsed(), done });
            woken.notify_one();
        });
        self.in_flight.insert(phone, (serial, task.abort_handle()));
        self.peak = self.peak.max(self.in_flight.len() + self.idle.len());
    }

    /// The phone lost power or the run ends: its connection, its request, its TLS sessions are gone.
    fn hang_up(&mut self, phone: u32) {
        if let Some((_, task)) = self.in_flight.remove(&phone) {
            task.abort();
        }
        self.idle.remove(&phone);
        self.waiting.retain(|(waiting, _, _)| *waiting != phone);
        self.connector.forget(phone);
    }

    /// Closes the connection that has been idle longest; false if there is none.
    fn close_oldest(&mut self) -> bool {
        while let Some((_, phone, serial)) = self.idle_order.pop_front() {
            if self.idle.get(&phone).is_some_and(|(current, _)| *current == serial) {
                self.idle.remove(&phone);
                return true;
            }
        }
        false
    }

    /// Closes connections that were idle for too long.
    fn close_idle(&mut self, now: Instant) {
        while let Some((since, _, _)) = self.idle_order.front() {
            if now.duration_since(*since) < self.keep_idle {
                return;
            }
            if let Some((_, phone, serial)) = self.idle_order.pop_front()
                && self.idle.get(&phone).is_some_and(|(current, _)| *current == serial)
            {
                self.idle.remove(&phone);
            }
        }
    }
}

/// Runs one shard on a thread and runtime of its own.
pub(super) fn on_own_runtime(
    make: impl FnOnce(Instant) -> Result<Shard, super::RunError>,
    began: Instant,
) -> Result<ShardResult, super::RunError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(super::RunError::Runtime)?;
    let local = LocalSet::new();
    local.block_on(&runtime, async move { Ok(make(began)?.run().await) })
}
