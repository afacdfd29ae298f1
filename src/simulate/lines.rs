//! The connections of the simulated phones, as the driver and the server hold them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::Conditions;
use super::usage::{Recent, TIME_WAIT, Usage};
use crate::workload::{Plan, TlsPlan};

/// Who ends an idle connection first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Server,
    Phone,
}

/// A connection.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Tells one use of it from the next.
    stamp: u64,
    /// Since when it has been idle; none while it is at work.
    idle: Option<Duration>,
    /// Requests it has carried.
    served: u32,
    tls: bool,
    /// At work, it waits for processors and not for the server's leisure.
    crowded: bool,
    /// Whether the server has its end still open.
    served_on: bool,
}

/// How a connection was had for an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Had {
    /// It was there.
    Kept,
    /// It was not to be had.
    Refused,
    /// It was made for this.
    Opened {
        /// With a full handshake.
        full: bool,
        /// With a resumed one.
        resumed: bool,
    },
}

/// All connections there are, and what they take.
#[derive(Debug)]
pub(super) struct Lines {
    most: usize,
    keep: Duration,
    server_keeps: Duration,
    server_requests: u32,
    /// Who resumes TLS sessions, and keeps them through a reboot.
    tls: TlsPlan,
    weights: [super::Weights; 2],
    lines: HashMap<u32, Line>,
    /// Kept ones, the longest idle first; an entry counts only if its stamp does.
    idle: VecDeque<(u32, u64)>,
    ends: BinaryHeap<Reverse<(Duration, Side, u32, u64)>>,
    sessions: HashSet<u32>,
    stamp: u64,
    at_work: u64,
    server_ends: u64,
    weight: u64,
    ports_kept_back: Recent,
    time_wait: Recent,
    opened_lately: Recent,
    pub(super) usage: Usage,
}

impl Lines {
    pub(super) fn new(conditions: &Conditions, plan: &Plan) -> Lines {
        Lines {
            most: conditions.max_connections.max(1),
            keep: plan.network.idle,
            server_keeps: conditions.server_keeps,
            server_requests: conditions.server_requests.unwrap_or(u32::MAX),
            tls: plan.tls.clone(),
            weights: [conditions.plain, conditions.tls],
            lines: HashMap::new(),
            idle: VecDeque::new(),
            ends: BinaryHeap::new(),
            sessions: HashSet::new(),
            stamp: 0,
            at_work: 0,
            server_ends: 0,
            weight: 0,
            ports_kept_back: Recent::new(conditions.ports_kept_back),
            time_wait: Recent::new(TIME_WAIT),
            opened_lately: Recent::new(TIME_WAIT),
            usage: Usage::default(),
        }
    }

    /// Whether the phone has a connection it can go on with.
    pub(super) fn has(&self, phone: u32) -> bool {
        self.lines.contains_key(&phone)
    }

    /// Whether one more may be opened, be it that the longest idle is closed for it.
    pub(super) fn make_room(&mut self, now: Duration) -> bool {
        if self.lines.len() < self.most {
            return true;
        }
        while let Some((phone, stamp)) = self.idle.pop_front() {
            if self.lines.get(&phone).is_some_and(|line| line.stamp == stamp) {
                self.close(phone, now, Side::Phone);
                return true;
            }
        }
        false
    }

    /// Idle connections whose time is over by `now` are closed.
    pub(super) fn settle(&mut self, now: Duration) {
        while let Some(Reverse((at, side, phone, stamp))) = self.ends.peek().copied() {
            if at > now {
                break;
            }
            self.ends.pop();
            if self.lines.get(&phone).is_none_or(|line| line.stamp != stamp) {
                continue;
            }
            match side {
                Side::Phone => self.close(phone, at, Side::Phone),
                // The phone does not look at it before it wants it, or has kept it for long enough.
                Side::Server => self.server_leaves(phone),
            }
        }
    }

    /// The phone finds no server.
    pub(super) fn refused(&mut self, phone: u32, now: Duration) -> Had {
        self.close(phone, now, Side::Server);
        Had::Refused
    }

    /// The phone sends a request now.
    pub(super) fn take(&mut self, phone: u32, now: Duration, tls: bool, crowded: impl Fn(Had) -> bool) -> Had {
        let kept = self.lines.get(&phone).copied();
        if let Some(line) = kept {
            if line.served_on && line.tls == tls {
                self.weigh(line, false);
                let stamp = self.next();
                let crowded = crowded(Had::Kept);
                self.put(phone, Line { stamp, idle: None, served: line.served + 1, crowded, ..line });
                return Had::Kept;
            }
            self.close(phone, now, Side::Server);
        }
        let resumes = tls && self.tls.resumes(phone);
        let resumed = resumes && self.sessions.contains(&phone);
        let full = tls && !resumed;
        if resumes {
            self.sessions.insert(phone);
        }
        self.server_ends += 1;
        self.opened_lately.add(now);
        let stamp = self.next();
        let had = Had::Opened { full, resumed };
        self.put(phone, Line { stamp, idle: None, served: 1, tls, crowded: crowded(had), served_on: true });
        self.usage.opened += 1;
        self.usage.full += u64::from(full);
        self.usage.resumed += u64::from(resumed);
        let ports = self.lines.len() as u64 + self.ports_kept_back.count(now);
        let opened = self.opened_lately.count(now);
        let usage = &mut self.usage;
        usage.ports = usage.ports.max(ports);
        usage.opened_in_time_wait = usage.opened_in_time_wait.max(opened);
        usage.sessions = usage.sessions.max(self.sessions.len() as u64);
        had
    }

    /// The exchange is over, and both sides would go on.
    pub(super) fn keep(&mut self, phone: u32, now: Duration) {
        let Some(line) = self.lines.get(&phone).copied() else { return };
        if line.served >= self.server_requests {
            return self.close(phone, now, Side::Server);
        }
        self.weigh(line, false);
        let stamp = self.next();
        self.put(phone, Line { stamp, idle: Some(now), ..line });
        self.idle.push_back((phone, stamp));
        self.ends.push(Reverse((now + self.keep, Side::Phone, phone, stamp)));
        if self.server_keeps < self.keep {
            self.ends.push(Reverse((now + self.server_keeps, Side::Server, phone, stamp)));
        }
    }

    /// The exchange is over, and the server closes: it was asked to, or will not go on.
    pub(super) fn server_closes(&mut self, phone: u32, now: Duration) {
        self.close(phone, now, Side::Server);
    }

    /// The phone gives its connection up.
    pub(super) fn phone_closes(&mut self, phone: u32, now: Duration) {
        self.close(phone, now, Side::Phone);
    }

    /// The phone lost its power: with the connection go its sessions, unless its fleet keeps them.
    pub(super) fn hang_up(&mut self, phone: u32, now: Duration) {
        self.close(phone, now, Side::Phone);
        if self.tls.loses_sessions(phone) {
            self.sessions.remove(&phone);
        }
    }

    fn next(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    fn close(&mut self, phone: u32, now: Duration, first: Side) {
        let Some(line) = self.lines.remove(&phone) else { return };
        self.weigh(line, false);
        self.server_ends -= u64::from(line.served_on);
        if first == Side::Phone && line.served_on {
            self.ports_kept_back.add(now);
            self.time_wait.add(now);
            let waiting = self.time_wait.count(now);
            self.usage.time_wait = self.usage.time_wait.max(waiting);
        }
    }

    fn server_leaves(&mut self, phone: u32) {
        let Some(line) = self.lines.get(&phone).copied() else { return };
        self.weigh(line, false);
        self.server_ends -= u64::from(line.served_on);
        self.put(phone, Line { served_on: false, ..line });
    }

    /// Puts a line back as it is now, and notes what all take.
    fn put(&mut self, phone: u32, line: Line) {
        self.lines.insert(phone, line);
        self.weigh(line, true);
        let open = self.lines.len() as u64;
        let usage = &mut self.usage;
        usage.connections = usage.connections.max(open);
        usage.at_work = usage.at_work.max(self.at_work);
        usage.ends = usage.ends.max(open + self.server_ends);
        usage.weight = usage.weight.max(self.weight);
    }

    fn weigh(&mut self, line: Line, there: bool) {
        let weights = self.weights[usize::from(line.tls)];
        let (phone, server) = match line.idle {
            None => weights.working(line.crowded),
            Some(_) => (weights.kept, weights.server_kept),
        };
        let weight = phone + if line.served_on { server } else { 0 };
        let at_work = u64::from(line.idle.is_none());
        if there {
            self.weight += weight;
            self.at_work += at_work;
        } else {
            self.weight -= weight;
            self.at_work -= at_work;
        }
    }
}
