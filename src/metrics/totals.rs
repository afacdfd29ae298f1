//! Everything counted over a whole run, and how the counts of several shards add.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::ledger::LedgerFault;
use super::{Distribution, Phases, Provisioning, Standings, TlsTotals};
use crate::auth::AnswerScheme;
use crate::phone::{ChallengeKind, DropCause, Failure, Operation, Outcome, Screen};

/// Counts by something whose values are not known beforehand. Allocates when a value is first seen, never after.
pub type Counts<K> = BTreeMap<K, u64>;

/// Everything counted over a run, or over one shard of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Phones there are, whatever they do.
    pub phones: u64,
    /// From the intended moment of each start of the plan until the phone was told of it.
    pub pace: Distribution,
    /// By operation, in the order of [`Operation::ALL`].
    pub operations: [OperationTotals; Operation::ALL.len()],
    /// Exchanges and connections.
    pub exchanges: ExchangeTotals,
    /// Challenges, answers, screens.
    pub auth: AuthTotals,
    /// Handshakes.
    pub tls: TlsTotals,
    /// When the phones came through the boot chain.
    pub provisioning: Provisioning,
    /// Where the phones stand at the end.
    pub standings: Standings,
    /// Sequences of events that cannot be, by kind. Any of them makes the counts doubtful.
    pub ledger_faults: Counts<LedgerFault>,
}

/// One kind of operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationTotals {
    /// Stood in the plan.
    pub planned: u64,
    /// Began.
    pub started: u64,
    /// Never began, by cause.
    pub dropped: Counts<DropCause>,
    /// Ended, by outcome.
    pub outcomes: Counts<Outcome>,
    /// Exchanges sent on its behalf.
    pub exchanges: u64,
    /// Ended without any attempt at a connection.
    pub undispatched: u64,
    /// From the intended start to the end, whatever the outcome.
    pub response: Distribution,
    /// The same, of those that ended `ok`.
    pub response_ok: Distribution,
    /// From the actual start to the end, whatever the outcome.
    pub service: Distribution,
    /// From the intended to the actual start.
    pub lateness: Distribution,
}

/// Exchanges and the connections they went over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExchangeTotals {
    /// Asked for by a phone.
    pub sent: u64,
    /// Of these, such as a fleet whose every first answer is right needs too.
    pub calm: u64,
    /// Of these, sent again to answer a challenge.
    pub auth_retries: u64,
    /// Answered, by status.
    pub statuses: Counts<u16>,
    /// Failed below HTTP, by failure.
    pub failures: Counts<Failure>,
    /// Connections opened.
    pub opened: u64,
    /// Exchanges over a connection that had served another.
    pub reused: u64,
    /// Exchanges that found their kept connection dead and took a fresh one.
    pub reconnected: u64,
    /// Octets written to sockets, TLS included.
    pub bytes_out: u64,
    /// Octets read from sockets, TLS included.
    pub bytes_in: u64,
    /// Where the time went.
    pub phases: Phases<Distribution>,
    /// What opening and closing connections cost this process.
    pub upkeep: Upkeep,
}

/// What opening and closing connections cost the clients' threads, TLS aside. The CPU time is that of a sample: reading
/// the clock costs something too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// Connects attempted.
    pub opened: u64,
    /// Of these, those whose CPU time was taken.
    pub opened_timed: u64,
    /// Nanoseconds of CPU time these took: the socket, its connect, its place with the poller.
    pub opening_ns: u64,
    /// Connections closed by the client.
    pub closed: u64,
    /// Of these, those whose CPU time was taken.
    pub closed_timed: u64,
    /// Nanoseconds of CPU time these took: the farewell, the socket's end.
    pub closing_ns: u64,
}

/// Challenges, answers and screens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuthTotals {
    /// Challenges received, by kind.
    pub challenges: Counts<ChallengeKind>,
    /// Requests that carried credentials, by scheme.
    pub answers: Counts<AnswerScheme>,
    /// Screens that came up to wait for a person.
    pub prompts: Counts<Screen>,
    /// Times a person typed right credentials.
    pub typed_right: u64,
    /// Times a person typed wrong credentials.
    pub typed_wrong: u64,
    /// Times stored credentials or realm were replaced.
    pub stored: u64,
}

impl Totals {
    /// The figures of one kind of operation.
    pub fn operation(&self, operation: Operation) -> &OperationTotals {
        &self.operations[operation.index()]
    }

    /// Adds the totals of another shard. Exact: it is the same whatever the order.
    pub fn merge(&mut self, other: &Totals) {
        self.phones += other.phones;
        self.pace.merge(&other.pace);
        for (mine, theirs) in self.operations.iter_mut().zip(&other.operations) {
            mine.merge(theirs);
        }
        self.exchanges.merge(&other.exchanges);
        self.auth.merge(&other.auth);
        self.tls.merge(&other.tls);
        self.provisioning.merge(&other.provisioning);
        self.standings += other.standings;
        add_counts(&mut self.ledger_faults, &other.ledger_faults);
    }
}

impl OperationTotals {
    /// Never began, all causes.
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Ended, all outcomes.
    pub fn finished(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Ended well.
    pub fn succeeded(&self) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| outcome.is_success()).map(|(_, n)| n).sum()
    }

    fn merge(&mut self, other: &OperationTotals) {
        self.planned += other.planned;
        self.started += other.started;
        add_counts(&mut self.dropped, &other.dropped);
        add_counts(&mut self.outcomes, &other.outcomes);
        self.exchanges += other.exchanges;
        self.undispatched += other.undispatched;
        self.response.merge(&other.response);
        self.response_ok.merge(&other.response_ok);
        self.service.merge(&other.service);
        self.lateness.merge(&other.lateness);
    }
}

impl ExchangeTotals {
    /// Answered, all statuses.
    pub fn answered(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Failed below HTTP, all failures.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Exchanges sent for each that a calm fleet needs; `None` if there were none.
    pub fn amplification(&self) -> Option<f64> {
        (self.calm > 0).then(|| self.sent as f64 / self.calm as f64)
    }

    fn merge(&mut self, other: &ExchangeTotals) {
        self.sent += other.sent;
        self.calm += other.calm;
        self.auth_retries += other.auth_retries;
        add_counts(&mut self.statuses, &other.statuses);
        add_counts(&mut self.failures, &other.failures);
        self.opened += other.opened;
        self.reused += other.reused;
        self.reconnected += other.reconnected;
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
        self.phases.each_mut().into_iter().zip(other.phases.each()).for_each(|(mine, theirs)| mine.merge(theirs));
        self.upkeep += other.upkeep;
    }
}

impl Upkeep {
    /// Mean CPU time of opening one, in microseconds; `None` if none was timed.
    pub fn opening_us(&self) -> Option<f64> {
        (self.opened_timed > 0).then(|| self.opening_ns as f64 / 1e3 / self.opened_timed as f64)
    }

    /// Mean CPU time of closing one, in microseconds; `None` if none was timed.
    pub fn closing_us(&self) -> Option<f64> {
        (self.closed_timed > 0).then(|| self.closing_ns as f64 / 1e3 / self.closed_timed as f64)
    }
}

impl AddAssign for Upkeep {
    fn add_assign(&mut self, other: Upkeep) {
        self.opened += other.opened;
        self.opened_timed += other.opened_timed;
        self.opening_ns += other.opening_ns;
        self.closed += other.closed;
        self.closed_timed += other.closed_timed;
        self.closing_ns += other.closing_ns;
    }
}

impl AuthTotals {
    fn merge(&mut self, other: &AuthTotals) {
        add_counts(&mut self.challenges, &other.challenges);
        add_counts(&mut self.answers, &other.answers);
        add_counts(&mut self.prompts, &other.prompts);
        self.typed_right += other.typed_right;
        self.typed_wrong += other.typed_wrong;
        self.stored += other.stored;
    }
}

/// Counts one more of `key`.
pub(super) fn count<K: Ord>(counts: &mut Counts<K>, key: K) {
    *counts.entry(key).or_default() += 1;
}

pub(super) fn add_counts<K: Ord + Clone>(mine: &mut Counts<K>, theirs: &Counts<K>) {
    for (key, n) in theirs {
        *mine.entry(key.clone()).or_default() += n;
    }
}
