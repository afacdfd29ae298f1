//! The connections of the simulated phones, as the driver and the server hold them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::Conditions;
use super::usage::{Recent, SMALL_BODY, TIME_WAIT, Usage};
use crate::workload::{Plan, TlsPlan};

/// Who ends an idle connection first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Phone,
}

/// A connection.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Tells one use of it from the next; later ones are greater.
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
    /// Octets of the body of the request it is at work on.
    body: u64,
    /// Whether it has ever carried a body that was no small one.
    grown: bool,
}

/// What a request wants of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) tls: bool,
    /// Octets of its body.
    pub(super) body: u64,
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
    /// The phones of idle ones by the stamp these had when they became so: the longest idle is the first.
    idle: BTreeMap<u64, u32>,
    /// Of these, those that the server has open still.
    served_idle: BTreeMap<u64, u32>,
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
            idle: BTreeMap::new(),
            served_idle: BTreeMap::new(),
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
        let longest = self.idle.first_key_value().map(|(_, phone)| *phone);
        longest.inspect(|phone| self.close(*phone, now, Side::Phone)).is_some()
    }

    /// Idle connections whose time is over by `now` are closed.
    pub(super) fn settle(&mut self, now: Duration) {
        while let Some((at, side, phone)) = self.next_end().filter(|(at, ..)| *at <= now) {
            match side {
                Side::Phone => self.close(phone, at, Side::Phone),
                // The phone does not look at it before it wants it, or has kept it for long enough.
                Side::Server => self.server_leaves(phone),
            }
        }
    }

    /// Which idle connection's time is over next, and who ends it: the server where both would.
    fn next_end(&self) -> Option<(Duration, Side, u32)> {
        let end = |idle: &BTreeMap<u64, u32>, keeps: Duration, side| {
            let phone = *idle.first_key_value()?.1;
            Some((self.lines.get(&phone)?.idle?.checked_add(keeps)?, side, phone))
        };
        let server = end(&self.served_idle, self.server_keeps, Side::Server);
        let phone = end(&self.idle, self.keep, Side::Phone);
        server.into_iter().chain(phone).min_by_key(|(at, ..)| *at)
    }

    /// The phone finds no server.
    pub(super) fn refused(&mut self, phone: u32, now: Duration) -> Had {
        self.close(phone, now, Side::Server);
        Had::Refused
    }

    /// The phone sends a request now.
    pub(super) fn take(&mut self, phone: u32, now: Duration, wanted: Wanted, crowded: impl Fn(Had) -> bool) -> Had {
        let Wanted { tls, body } = wanted;
        let grows = body > SMALL_BODY;
        let kept = self.lines.get(&phone).copied();
        if let Some(line) = kept {
            if line.served_on && line.tls == tls {
                self.lift(line);
                let stamp = self.next();
                let crowded = crowded(Had::Kept);
                self.put(
                    phone,
                    Line {
                        stamp,
                        idle: None,
                        served: line.served + 1,
                        crowded,
                        body,
                        grown: line.grown | grows,
                        ..line
                    },
                );
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
        self.put(
            phone,
            Line { stamp, idle: None, served: 1, tls, crowded: crowded(had), served_on: true, body, grown: grows },
        );
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
        self.lift(line);
        let stamp = self.next();
        self.put(phone, Line { stamp, idle: Some(now), ..line });
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
        self.lift(line);
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
        self.lift(line);
        self.server_ends -= u64::from(line.served_on);
        self.put(phone, Line { served_on: false, ..line });
    }

    /// Takes a line as it was off the books.
    fn lift(&mut self, line: Line) {
        self.weigh(line, false);
        self.idle.remove(&line.stamp);
        self.served_idle.remove(&line.stamp);
    }

    /// Puts a line back as it is now, and notes what all take.
    fn put(&mut self, phone: u32, line: Line) {
        self.lines.insert(phone, line);
        if line.idle.is_some() {
            self.idle.insert(line.stamp, phone);
            if line.served_on && self.server_keeps < self.keep {
                self.served_idle.insert(line.stamp, phone);
            }
        }
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
        let server = server + if line.grown { weights.server_grown } else { 0 };
        let at_work = u64::from(line.idle.is_none());
        let weight = phone + if line.served_on { server } else { 0 } + at_work * line.body * weights.bodies;
        if there {
            self.weight += weight;
            self.at_work += at_work;
        } else {
            self.weight -= weight;
            self.at_work -= at_work;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Weights;
    use super::*;
    use crate::workload::{Overrides, parse};

    const SECOND: Duration = Duration::from_secs(1);

    /// No connection yet; phones keep one for ten seconds, the server for five.
    fn lines() -> Lines {
        let text = r#"
[target.embedded]
tls = false
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 3
[[phase]]
name = "power"
does = "power-up"
[network]
idle = "10s"
"#;
        let plan = parse(text, "lines.toml", Path::new("."), &Overrides::default()).unwrap();
        let plain =
            Weights { at_work: 1_000, kept: 100, server_at_work: 20, server_kept: 10, server_grown: 5, bodies: 2 };
        Lines::new(&Conditions { server_keeps: 5 * SECOND, plain, ..Conditions::default() }, &plan)
    }

    fn take(lines: &mut Lines, phone: u32, now: Duration, body: u64) -> Had {
        lines.take(phone, now, Wanted { tls: false, body }, |_| false)
    }

    #[test]
    fn a_server_keeps_what_a_large_body_made_grow() {
        let mut lines = lines();
        take(&mut lines, 0, SECOND, SMALL_BODY);
        assert_eq!(lines.weight, 1_020 + 2 * SMALL_BODY, "both ends have the body");
        lines.keep(0, SECOND);
        assert_eq!(lines.weight, 110);
        assert_eq!(take(&mut lines, 0, SECOND, SMALL_BODY + 1), Had::Kept);
        lines.keep(0, SECOND);
        assert_eq!(lines.weight, 115);
        assert_eq!(take(&mut lines, 0, SECOND, 0), Had::Kept);
        assert_eq!(lines.weight, 1_025);
        lines.phone_closes(0, SECOND);
        assert_eq!((lines.weight, lines.usage.weight), (0, 1_025 + 2 * (SMALL_BODY + 1)));
    }

    #[test]
    fn idle_ones_end_when_their_time_is_over_and_leave_nothing() {
        let mut lines = lines();
        for (phone, at) in [(0, 1), (1, 2), (0, 3)] {
            take(&mut lines, phone, at * SECOND, 0);
            lines.keep(phone, at * SECOND);
        }
        assert_eq!((lines.idle.len(), lines.served_idle.len(), lines.server_ends), (2, 2, 2));
        lines.settle(7 * SECOND);
        assert_eq!(
            (lines.idle.len(), lines.served_idle.len(), lines.server_ends),
            (2, 1, 1),
            "the server left phone 1"
        );
        lines.settle(12 * SECOND);
        assert_eq!((lines.idle.len(), lines.served_idle.len(), lines.server_ends), (1, 0, 0), "phone 1 left as well");
        assert_eq!(lines.usage.time_wait, 0, "the server was first");
        assert!(matches!(take(&mut lines, 0, 12 * SECOND, 0), Had::Opened { .. }));
        assert_eq!((lines.idle.len(), lines.served_idle.len(), lines.lines.len()), (0, 0, 1));
    }
}
