//! The recorder: one per shard, it turns what phones do and sockets see into counts.
//!
//! The driver calls, in the order things happen:
//! [`Recorder::start`] when the plan acts on a phone, [`Recorder::action`] for each action of the phone machine,
//! [`Recorder::dispatched`] when an exchange is really attempted (connect or first byte), [`Recorder::exchange`] when
//! an exchange ended *before* it hands the answer to the phone, [`Recorder::standing`] when a phone's standing
//! changed, and once [`Recorder::finish`]. [`Recorder::take_slices`] hands on what is over meanwhile.

mod exchange;
mod phones;
#[cfg(test)]
mod tests;
mod trail;

use std::time::Duration;

use rustc_hash::FxHashMap;

use self::phones::Phones;
use self::trail::{Told, Trail, Watch};
use super::distribution::micros;
use super::totals::count;
use super::{Arrivals, ExchangeFacts, LedgerFault, Slice, Snapshot, Standings, Tally, Totals, Upkeep};
use crate::phone::{Action, Failure, Moment, Operation, Outcome, Request, Standing};
use crate::workload::Start;

/// Counts everything one shard does. Not shared: each shard has its own, and their [`Tally`]s add.
#[derive(Debug)]
pub struct Recorder {
    compression: f64,
    /// The slice under way, when it ends, and whether anything happened in it.
    slice: Slice,
    ends: Duration,
    touched: bool,
    /// Slices that are over, until somebody takes them.
    closed: Vec<Slice>,
    /// What all closed slices came to, where the phones stand, and how many operations wait to begin.
    before: Snapshot,
    standings: Standings,
    backlog: i64,
    under_way: FxHashMap<u32, UnderWay>,
    watch: Watch,
    /// Trails nobody needs any more, for the next operations.
    #[allow(clippy::vec_box, reason = "the boxes themselves go in and out")]
    spare: Vec<Box<Trail>>,
    once_provisioned: Phones,
    /// Those that now stand provisioned.
    up: Phones,
    in_flight: i64,
}

/// What a phone is doing now: at most one operation and one exchange. Phones that do nothing have none of this, but
/// for a few that did something in this slice; of the others there may be as many as phones, so it is kept small (40
/// octets with its key).
#[derive(Debug, Default)]
struct UnderWay {
    operation: Option<Operation>,
    /// Whether the operation's first attempt was made.
    dispatched: bool,
    /// Whether the phone awaits the end of an exchange.
    exchange: bool,
    /// Whether that exchange is really attempted, and not waiting for its turn.
    flying: bool,
    /// When the operation should have begun, in microseconds of real time.
    intended_us: u64,
    /// When its first attempt was made, and until then, when it began.
    begun_us: u64,
    /// Its last exchanges; none before the first.
    trail: Option<Box<Trail>>,
}

/// Phones for which there is room from the start; from there on the table grows as the storm does.
const ROOM: usize = 8_192;

/// If there are no more than so many, those that do nothing are not looked for.
const IDLE: usize = 1_024;

/// Most trails kept for the next operations.
const SPARE: usize = 1_024;

impl Recorder {
    /// A recorder for a shard of exactly `phones` phones, all without power until told otherwise, in a run with
    /// `compression` phone seconds to the real second (what is not above zero counts as 1).
    pub fn new(phones: usize, compression: f64) -> Recorder {
        let phones_wide = phones as u64;
        let standings = Standings { off: i64::try_from(phones).unwrap_or(i64::MAX), ..Standings::default() };
        let totals = Totals { phones: phones_wide, standings, ..Totals::default() };
        Recorder {
            compression: if compression.is_finite() && compression > 0.0 { compression } else { 1.0 },
            slice: Slice { totals, standings_before: standings, ..Slice::default() },
            ends: Slice::WIDTH,
            touched: true,
            closed: Vec::new(),
            before: Snapshot::default(),
            standings,
            backlog: 0,
            under_way: FxHashMap::with_capacity_and_hasher(phones.min(ROOM), Default::default()),
            watch: Watch::default(),
            spare: Vec::new(),
            once_provisioned: Phones::default(),
            up: Phones::default(),
            in_flight: 0,
        }
    }

    /// Time has come this far: closes the slice that is over, if one is. Whatever happens closes it too; this is for
    /// stretches in which nothing does.
    pub fn roll(&mut self, at: Duration) {
        if at < self.ends {
            return;
        }
        let number = Slice::number_at(at);
        if number > self.slice.number {
            self.close();
            self.slice.number = number;
        }
        self.ends = self.slice.ends();
    }

    /// The slices that are over since the last call, in order. Those in which nothing happened are left out.
    pub fn take_slices(&mut self) -> Vec<Slice> {
        std::mem::take(&mut self.closed)
    }

    fn close(&mut self) {
        let number = self.slice.number;
        if !std::mem::take(&mut self.touched) {
            return;
        }
        self.slice.notables = self.watch.close();
        self.slice.backlog = u64::try_from(self.backlog).unwrap_or(0);
        let slice = std::mem::replace(&mut self.slice, Slice { number, ..Slice::default() });
        self.before += counted(&slice.totals);
        self.closed.push(slice);
        if self.under_way.len() > IDLE {
            self.under_way.retain(|_, u| u.operation.is_some() || u.exchange);
        }
        if self.under_way.capacity() > 2 * ROOM && self.under_way.len() < self.under_way.capacity() / 8 {
            // The storm is over, and its room is given back.
            self.under_way.shrink_to(ROOM.max(2 * self.under_way.len()));
        }
    }

    /// Something happens at this moment. Time does not run backwards: an earlier one falls into the slice under way.
    fn touch(&mut self, at: Duration) {
        self.roll(at);
        self.touched = true;
    }

    /// The plan acts on a phone, `at` this moment of real time. The storm counts from the first intended power-up.
    pub fn start(&mut self, at: Duration, start: &Start) {
        self.touch(at);
        let since_slice = at.saturating_sub(self.slice.begins());
        let at_us = u32::try_from(micros(since_slice)).unwrap_or(u32::MAX);
        match self.slice.arrivals.iter_mut().find(|a| a.phase == start.phase) {
            Some(arrivals) => arrivals.at_us.push(at_us),
            None => self.slice.arrivals.push(Arrivals { phase: start.phase, at_us: vec![at_us] }),
        }
        let intended = self.real(start.at);
        let totals = &mut self.slice.totals;
        totals.pace.record(at.saturating_sub(intended));
        if start.trigger.boots() {
            totals.provisioning.power_up_intended(intended);
        }
        self.slice.interval.starts += 1;
    }

    /// A phone's standing changed. All phones begin as [`Standing::Off`]: tell of those that start on, too.
    pub fn standing(&mut self, at: Duration, phone: u32, from: Standing, to: Standing) {
        if from == to {
            return;
        }
        self.touch(at);
        if to == Standing::Provisioned {
            self.up.insert(phone);
            self.watch.provisioned(phone);
        } else if from == Standing::Provisioned {
            self.up.remove(phone);
        }
        self.standings.shift(from, to);
        if (from, to) == (Standing::Off, Standing::Booting) {
            self.slice.totals.provisioning.booting(at);
        }
        self.slice.totals.standings.shift(from, to);
        self.slice.interval.standings_change.shift(from, to);
    }

    /// One action of the phone machine. `at` is real time since the run began.
    pub fn action(&mut self, at: Duration, phone: u32, action: &Action) {
        if matches!(action, Action::Timer(_) | Action::Because(_)) {
            return;
        }
        self.touch(at);
        let auth = &mut self.slice.totals.auth;
        match action {
            Action::Timer(_) | Action::Because(_) => {}
            Action::Send(request) => self.sent(at, phone, request),
            Action::Hangup => self.hung_up(phone),
            Action::Planned(operation) => {
                self.backlog += 1;
                self.slice.totals.operations[operation.index()].planned += 1;
                self.slice.interval.planned += 1;
            }
            Action::Started { operation, intended } => self.started(at, phone, *operation, *intended),
            Action::Dropped(operation, cause) => {
                self.backlog -= 1;
                count(&mut self.slice.totals.operations[operation.index()].dropped, *cause);
                self.slice.interval.dropped += 1;
            }
            Action::Finished(operation, outcome) => self.finished(at, phone, *operation, *outcome),
            Action::Challenged(kind) => count(&mut auth.challenges, *kind),
            Action::Answering(scheme) => count(&mut auth.answers, *scheme),
            Action::Prompt(screen) => {
                count(&mut auth.prompts, *screen);
                self.slice.interval.prompts += 1;
            }
            Action::Typed { right: true } => auth.typed_right += 1,
            Action::Typed { right: false } => auth.typed_wrong += 1,
            Action::Stored => auth.stored += 1,
            Action::Provisioned => self.provisioned(at, phone),
        }
    }

    /// The exchange under way is now really attempted (connect or first byte): from here on it is in flight. The first
    /// of an operation is the operation's actual start.
    pub fn dispatched(&mut self, at: Duration, phone: u32) {
        self.touch(at);
        let under_way = self.under_way.get_mut(&phone);
        let Some((u, operation)) = under_way.and_then(|u| u.operation.map(|operation| (u, operation))) else {
            return self.fault(LedgerFault::DispatchedWithoutOperation);
        };
        let takes_off = u.exchange && !std::mem::replace(&mut u.flying, u.exchange);
        if !u.dispatched {
            u.dispatched = true;
            u.begun_us = micros(at);
            let lateness = since(at, u.intended_us);
            self.slice.totals.operations[operation.index()].lateness.record(lateness);
        }
        if takes_off {
            self.fly(1);
        }
    }

    /// An exchange ended, well or not. To be called before the phone is told.
    ///
    /// An exchange the phone forgot ([`Action::Hangup`]) was counted as failed then; if the driver still reports it,
    /// as [`Failure::Aborted`], only what went over the wire is added.
    pub fn exchange(&mut self, at: Duration, phone: u32, facts: &ExchangeFacts) {
        self.touch(at);
        let known = self.end_exchange(phone, |trail| trail.ended(at, facts));
        if !known && facts.failure != Some(Failure::Aborted) {
            self.fault(LedgerFault::ExchangeWithoutRequest);
        }
        if known {
            self.ended(facts);
        }
        self.wire(facts);
    }

    /// What opening and closing connections has cost since this was last told.
    pub fn upkeep(&mut self, upkeep: Upkeep) {
        self.touched |= upkeep != Upkeep::default();
        self.slice.totals.exchanges.upkeep += upkeep;
    }

    /// What is known by now, for the eyes of another thread (see [`super::SnapshotCell`]).
    pub fn snapshot(&self) -> Snapshot {
        let now = |n: i64| u64::try_from(n).unwrap_or(0);
        let s = &self.standings;
        let mut snapshot = Snapshot {
            booting: now(s.booting),
            provisioned: now(s.provisioned),
            prompting: now(s.prompting),
            failed: now(s.failed),
            in_flight: now(self.in_flight),
            ..counted(&self.slice.totals)
        };
        snapshot += self.before;
        snapshot
    }

    /// Closes the books at the end of the run: what has not been taken yet, summed up.
    pub fn finish(mut self, at: Duration) -> Tally {
        let mut tally = Tally::default();
        self.finish_slices(at).iter().for_each(|slice| tally.add(slice));
        tally.until(at);
        tally
    }

    /// Closes the books at the end of the run: the slices that have not been taken yet.
    pub fn finish_slices(&mut self, at: Duration) -> Vec<Slice> {
        self.touch(at);
        let mut unfinished: Vec<_> =
            self.under_way.iter_mut().filter(|(phone, u)| u.operation.is_some() && !self.up.has(**phone)).collect();
        unfinished.sort_unstable_by_key(|(phone, _)| **phone);
        for (&phone, u) in unfinished {
            let Some(operation) = u.operation else { continue };
            let (intended_us, trail) = (u.intended_us, u.trail.take());
            let response_us = micros(at).saturating_sub(intended_us);
            let _ = self.watch.strand(Told { phone, operation, outcome: None, intended_us, response_us, trail });
        }
        self.close();
        self.take_slices()
    }

    fn started(&mut self, at: Duration, phone: u32, operation: Operation, intended: Moment) {
        let intended_us = micros(self.real(intended));
        let under_way = self.under_way.entry(phone).or_default();
        let twice = under_way.operation.is_some();
        *under_way = UnderWay {
            operation: Some(operation),
            dispatched: false,
            exchange: under_way.exchange,
            flying: under_way.flying,
            intended_us,
            begun_us: micros(at),
            trail: None,
        };
        if twice {
            self.fault(LedgerFault::StartedTwice);
        }
        self.backlog -= 1;
        self.slice.totals.operations[operation.index()].started += 1;
        self.slice.interval.started += 1;
    }

    fn finished(&mut self, at: Duration, phone: u32, operation: Operation, outcome: Outcome) {
        let was = self.under_way.get_mut(&phone).map(|u| {
            let (intended_us, begun_us) = (u.intended_us, u.begun_us);
            (Ran { dispatched: u.dispatched, intended_us, begun_us, trail: u.trail.take() }, u.operation.take())
        });
        let up = self.up.has(phone);
        let totals = &mut self.slice.totals.operations[operation.index()];
        count(&mut totals.outcomes, outcome);
        let fault = match was {
            Some((u, Some(started))) if started == operation => {
                let response = since(at, u.intended_us);
                totals.response.record(response);
                if outcome.is_success() {
                    totals.response_ok.record(response);
                }
                totals.undispatched += u64::from(!u.dispatched);
                totals.service.record(since(at, u.begun_us));
                let (intended_us, response_us) = (u.intended_us, micros(response));
                let outcome = Some(outcome);
                let told = Told { phone, operation, outcome, intended_us, response_us, trail: u.trail };
                self.spare.extend(self.watch.ended(told, up).filter(|_| self.spare.len() < SPARE));
                None
            }
            Some((_, Some(_))) => Some(LedgerFault::FinishedAnother),
            _ => Some(LedgerFault::FinishedWithoutStart),
        };
        if let Some(fault) = fault {
            self.fault(fault);
        }
        let interval = &mut self.slice.interval;
        interval.finished += 1;
        interval.succeeded += u32::from(outcome.is_success());
    }

    fn provisioned(&mut self, at: Duration, phone: u32) {
        if self.once_provisioned.insert(phone) {
            self.slice.totals.provisioning.provisioned(at);
        }
    }

    fn sent(&mut self, at: Duration, phone: u32, request: &Request) {
        let under_way = self.under_way.entry(phone).or_default();
        let running = under_way.operation;
        let twice = std::mem::replace(&mut under_way.exchange, true);
        let flew = std::mem::take(&mut under_way.flying);
        let spare = &mut self.spare;
        let trail = under_way.trail.get_or_insert_with(|| {
            let mut trail = spare.pop().unwrap_or_default();
            trail.clear();
            trail
        });
        trail.sent(at, request);
        match running {
            Some(operation) => self.slice.totals.operations[operation.index()].exchanges += 1,
            None => self.fault(LedgerFault::SentWithoutOperation),
        }
        if twice {
            self.fault(LedgerFault::SentTwice);
        }
        if flew {
            self.fly(-1);
        }
        let e = &mut self.slice.totals.exchanges;
        e.sent += 1;
        e.calm += u64::from(request.reason.is_calm());
        e.auth_retries += u64::from(request.reason.is_auth_retry());
        self.slice.interval.sent += 1;
    }

    fn hung_up(&mut self, phone: u32) {
        if self.end_exchange(phone, |_| ()) {
            count(&mut self.slice.totals.exchanges.failures, Failure::Aborted);
            self.slice.interval.failures += 1;
        }
    }

    /// Ends the phone's exchange, which its trail is told; says whether there was one.
    fn end_exchange(&mut self, phone: u32, tell: impl FnOnce(&mut Trail)) -> bool {
        let Some(under_way) = self.under_way.get_mut(&phone) else { return false };
        let was = std::mem::take(&mut under_way.exchange);
        let flew = std::mem::take(&mut under_way.flying);
        if was && let Some(trail) = &mut under_way.trail {
            tell(trail);
        }
        if flew {
            self.fly(-1);
        }
        was
    }

    /// One exchange more or less in flight.
    fn fly(&mut self, change: i32) {
        self.in_flight += i64::from(change);
        let interval = &mut self.slice.interval;
        interval.in_flight_change += change;
        interval.in_flight_rise = interval.in_flight_rise.max(interval.in_flight_change);
    }

    fn fault(&mut self, fault: LedgerFault) {
        count(&mut self.slice.totals.ledger_faults, fault);
    }

    /// Real time of a moment of phone time.
    fn real(&self, moment: Moment) -> Duration {
        let us = moment.as_micros() as f64 / self.compression;
        Duration::from_micros(us as u64)
    }
}

/// What is left of an operation that ended.
struct Ran {
    dispatched: bool,
    intended_us: u64,
    begun_us: u64,
    trail: Option<Box<Trail>>,
}

/// The counters of a snapshot that add up: what phones do now is not among them.
fn counted(totals: &Totals) -> Snapshot {
    let e = &totals.exchanges;
    let mut snapshot = Snapshot {
        phones: totals.phones,
        sent: e.sent,
        ended: e.answered() + e.failed(),
        unauthorized: e.statuses.get(&401).copied().unwrap_or(0),
        failures: e.failed(),
        ..Snapshot::default()
    };
    for o in &totals.operations {
        snapshot.planned += o.planned;
        snapshot.started += o.started;
        snapshot.finished += o.finished();
        snapshot.succeeded += o.succeeded();
        snapshot.dropped += o.dropped();
    }
    snapshot
}

/// From an earlier moment, in microseconds, to `at`; zero if it is later.
fn since(at: Duration, earlier_us: u64) -> Duration {
    at.saturating_sub(Duration::from_micros(earlier_us))
}
