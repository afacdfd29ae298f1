//! Everything between the phones and the server: who waits for what, and what is on its way back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONNECTION;

use super::lines::{Had, Lines, Wanted};
use super::{Conditions, Effort};
use crate::driver::{Queue, Wish};
use crate::metrics::ExchangeFacts;
use crate::phone::{Answer, BodyFacts, Failure, Request};
use crate::target::{Mishap, Served};
use crate::workload::Plan;

/// An exchange on its way back to its phone.
pub(super) struct Reply {
    serial: u64,
    pub(super) facts: ExchangeFacts,
    pub(super) answer: Result<Answer, Failure>,
    after: After,
}

/// What becomes of the connection after an exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Kept,
    ServerCloses,
    PhoneCloses,
}

/// Everything between the phones and the server.
pub(super) struct World {
    conditions: Conditions,
    plan: Arc<Plan>,
    serial: u64,
    arrivals: BinaryHeap<Reverse<(Duration, u64, u32)>>,
    replies: HashMap<u32, Reply>,
    /// Who goes on over the connection it has: these go first where connections are few.
    going_on: Queue<Box<Request>>,
    /// Who waits for a connection, or for the generator's processors.
    waiting: Queue<Box<Request>>,
    /// When the processors are through with what they have.
    client_free: Duration,
    server_free: Duration,
    pub(super) lines: Lines,
}

impl World {
    pub(super) fn new(conditions: &Conditions, plan: &Arc<Plan>) -> World {
        World {
            conditions: *conditions,
            plan: plan.clone(),
            serial: 0,
            arrivals: BinaryHeap::new(),
            replies: HashMap::new(),
            going_on: Queue::new(),
            waiting: Queue::new(),
            client_free: Duration::ZERO,
            server_free: Duration::ZERO,
            lines: Lines::new(conditions, plan),
        }
    }

    /// Takes in what phones want; who hangs up in the same moment wants nothing any more.
    pub(super) fn take_in(&mut self, now: Duration, wishes: &mut Vec<Wish>) {
        self.lines.settle(now);
        let bounded = self.conditions.max_connections != usize::MAX;
        for wish in wishes.drain(..) {
            match wish {
                Wish::Hangup { phone } => {
                    self.replies.remove(&phone);
                    self.going_on.remove(phone);
                    self.waiting.remove(phone);
                    self.lines.hang_up(phone, now);
                }
                Wish::Send { phone, request } if bounded && self.lines.has(phone) => self.going_on.push(phone, request),
                Wish::Send { phone, request } => self.waiting.push(phone, request),
            }
        }
    }

    /// Whose request goes out now, if the processors and the connections allow one.
    pub(super) fn next_to_send(&mut self, now: Duration) -> Option<(u32, Box<Request>)> {
        if self.client_free > now {
            return None;
        }
        if let Some(next) = self.going_on.pop() {
            return Some(next);
        }
        if self.waiting.is_empty() || !self.lines.make_room(now) {
            return None;
        }
        self.waiting.pop()
    }

    /// Whether nothing waits and nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.replies.is_empty() && self.going_on.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn send(&mut self, now: Duration, phone: u32, request: &Request, served: &Served, worked: Duration) {
        let Served { response, mishap, .. } = served;
        let tls = request.origin.tls;
        // A server that has gone has broken every connection, and lets none be made.
        let had = match mishap {
            Some(Mishap::Refused) => self.lines.refused(phone, now),
            _ => {
                let (server, free) = (&self.conditions.server, self.server_free);
                let connect = self.conditions.latencies.connect;
                let crowded = |had| free.max(now + connect) + cost(server, had) >= now + worked;
                self.lines.take(phone, now, Wanted { tls, body: request.body.len() as u64 }, crowded)
            }
        };
        let connect = (had != Had::Kept).then_some(self.conditions.latencies.connect);
        self.client_free = self.client_free.max(now) + cost(&self.conditions.client, had);
        let came = now + connect.unwrap_or_default();
        self.server_free = self.server_free.max(came) + cost(&self.conditions.server, had);
        let (plan, queued) = (&self.plan, self.server_free - came);
        let waited = self.conditions.latencies.exchange + worked.max(queued);
        let (failure, waited) = match mishap {
            None if waited <= plan.timeouts.first_byte => (None, waited),
            None => (Some(Failure::TimeoutFirstByte), plan.timeouts.first_byte),
            Some(Mishap::Refused) => (Some(Failure::ConnectRefused), Duration::ZERO),
            Some(Mishap::Reset) => (Some(Failure::Reset), waited),
            Some(Mishap::Cut) => (Some(Failure::Closed), waited),
            Some(Mishap::Stall) => (Some(Failure::TimeoutExchange), plan.timeouts.exchange.max(waited)),
        };
        let total = connect.unwrap_or_default() + waited;
        self.serial += 1;
        let answered = failure.is_none();
        let (bytes_out, bytes_in) = octets(request, served, answered, had, tls);
        let usage = &mut self.lines.usage;
        usage.exchanges += 1;
        usage.bytes_out += bytes_out;
        usage.bytes_in += bytes_in;
        let facts = ExchangeFacts {
            connect,
            first_byte: answered.then_some(waited),
            total,
            status: answered.then(|| response.status().as_u16()),
            failure,
            reused: had == Had::Kept,
            bytes_out,
            bytes_in,
            ..ExchangeFacts::default()
        };
        let after = match failure {
            None if !request.keep_alive || says_close(response.headers()) => After::ServerCloses,
            None => After::Kept,
            Some(Failure::TimeoutFirstByte | Failure::TimeoutExchange) => After::PhoneCloses,
            Some(_) => After::ServerCloses,
        };
        let answer = failure.map_or_else(
            || {
                let (status, headers) = (response.status(), response.headers().clone());
                Ok(Answer { status, headers: headers.into(), body: BodyFacts::of(response.body()) })
            },
            Err,
        );
        self.arrivals.push(Reverse((now + total, self.serial, phone)));
        self.replies.insert(phone, Reply { serial: self.serial, facts, answer, after });
    }

    /// The next reply that is there by `now`.
    pub(super) fn arrived(&mut self, now: Duration) -> Option<(u32, Reply)> {
        while let Some(Reverse((at, serial, phone))) = self.arrivals.peek().copied() {
            if at > now {
                return None;
            }
            self.arrivals.pop();
            if self.replies.get(&phone).is_some_and(|r| r.serial == serial) {
                self.lines.settle(now);
                let reply = self.replies.remove(&phone)?;
                match reply.after {
                    After::Kept => self.lines.keep(phone, now),
                    After::ServerCloses => self.lines.server_closes(phone, now),
                    After::PhoneCloses => self.lines.phone_closes(phone, now),
                }
                return Some((phone, reply));
            }
        }
        None
    }

    /// When something happens next by itself.
    pub(super) fn next(&self) -> Option<Duration> {
        let reply = self.arrivals.peek().map(|Reverse((at, _, _))| *at);
        // Who waits for a connection waits for a reply; who waits for the processors, for them.
        let waits = !(self.going_on.is_empty() && self.waiting.is_empty());
        let free = (waits && !self.is_full()).then_some(self.client_free);
        reply.into_iter().chain(free).min()
    }

    /// Whether every connection is at work, so that only a reply makes room.
    fn is_full(&self) -> bool {
        self.going_on.is_empty() && self.replies.len() >= self.conditions.max_connections.max(1)
    }
}

fn cost(effort: &Effort, had: Had) -> Duration {
    let opened = match had {
        Had::Opened { full: true, .. } => effort.open + effort.full,
        Had::Opened { resumed: true, .. } => effort.open + effort.resumed,
        Had::Opened { .. } => effort.open,
        Had::Kept | Had::Refused => Duration::ZERO,
    };
    effort.exchange + opened
}

fn says_close(headers: &HeaderMap) -> bool {
    headers.get(CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// Octets of a TLS record that are no content (1.3: header, type, tag), and its most content.
const RECORD: (u64, u64) = (22, 16 * 1024);
/// Octets of handshakes, out and in, as measured against the embedded target, whose certificate is one link below the CA:
/// with a P-256 key (RSA of 2,048 bits adds 580 in). The tickets that follow are counted in.
const FULL: (u64, u64) = (305, 1_150);
const RESUMED: (u64, u64) = (590, 480);

/// Octets written and read on behalf of an exchange.
fn octets(request: &Request, served: &Served, answered: bool, had: Had, tls: bool) -> (u64, u64) {
    // "GET /path HTTP/1.1", "Host: …" and the last, empty line.
    let line =
        request.method.as_str().len() + request.path.len() + 12 + "host: ".len() + request.origin.authority().len() + 2;
    let headers = request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let length = if request.body.is_empty() { 0 } else { "content-length: 12345\r\n".len() };
    let out = (line + 2 + headers.sum::<usize>() + length + request.body.len()) as u64;
    let back = match (answered, &served.response) {
        (false, _) => 0,
        (true, response) => {
            let status = response.status().canonical_reason().unwrap_or_default().len() + "HTTP/1.1 200 \r\n".len();
            let headers = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
            // hyper adds the date, and a length where none is given.
            let date = "date: Sun, 22 Nov 2026 02:42:26 GMT\r\n".len();
            let length = if response.headers().contains_key(http::header::CONTENT_LENGTH) {
                0
            } else {
                "content-length: 1234\r\n".len()
            };
            (status + headers.sum::<usize>() + date + length + 2 + response.body().len()) as u64
        }
    };
    let (shake_out, shake_in) = match had {
        Had::Opened { full: true, .. } => FULL,
        Had::Opened { resumed: true, .. } => RESUMED,
        _ => (0, 0),
    };
    let records = |octets: u64| if tls && octets > 0 { octets.div_ceil(RECORD.1) * RECORD.0 } else { 0 };
    (out + records(out) + shake_out, back + records(back) + shake_in)
}

/// The request as a server sees it.
pub(super) fn as_http(request: &Request) -> http::Request<Bytes> {
    let mut out = http::Request::new(request.body.clone());
    *out.method_mut() = request.method.clone();
    // Paths are checked where they are made; one that is none asks for the root.
    *out.uri_mut() = http::Uri::try_from(request.path.as_str()).unwrap_or_default();
    for (name, value) in &request.headers {
        out.headers_mut().append(name.clone(), value.clone());
    }
    out
}
