//! The ledger of TLS handshakes: a line for each kind, and what the lines come to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::totals::{add_counts, count};
use super::{Counts, Distribution, HandshakeFacts, HandshakeKind};
use crate::phone::Failure;

/// TLS handshakes, kind by kind. Each handshake stands in exactly one line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TlsTotals {
    /// The lines. There are few: failures have one for each cause, and there are no more causes than alerts and
    /// names of failures.
    pub ledger: BTreeMap<HandshakeKey, HandshakeLine>,
}

/// What a handshake is filed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HandshakeKey {
    /// How it went.
    pub sort: HandshakeSort,
    /// Whether the client presented a certificate in it. One that is resumed never does.
    pub client_certificate: bool,
}

/// How a handshake went, as finely as the ledger tells kinds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HandshakeSort {
    /// With certificates.
    Full,
    /// With certificates, after a hello-retry request.
    HelloRetry,
    /// From a ticket: in TLS 1.3 always, for what a server hands out there is a ticket, whatever it stands for.
    ResumedTicket,
    /// From a session the server kept under its id (TLS 1.2).
    ResumedSession,
    /// The server refused it by this alert (RFC 8446 section 6).
    Alert(u8),
    /// It failed in another way.
    Failed(Failure),
}

/// The handshakes of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HandshakeLine {
    /// The whole handshake.
    pub wall: Distribution,
    /// CPU time of the client's thread in it.
    pub cpu: Distribution,
    /// From the start to the client hello written.
    pub hello: Distribution,
    /// From the client hello to the first octet of the server's flight.
    pub server_flight: Distribution,
    /// Inside the verification of the server's certificates.
    pub verify: Distribution,
    /// All the rest, once the server's flight began.
    pub finish: Distribution,
    /// Octets written.
    pub bytes_out: u64,
    /// Octets read.
    pub bytes_in: u64,
    /// TLS records written.
    pub records_out: u64,
    /// TLS records read, whole ones.
    pub records_in: u64,
    /// Of these handshakes, those in which the server asked for another hello.
    pub retried: u64,
    /// By version.
    pub versions: Counts<Cow<'static, str>>,
    /// By suite.
    pub suites: Counts<Cow<'static, str>>,
    /// By key-exchange group.
    pub groups: Counts<Cow<'static, str>>,
    /// By the scheme of the server's signature.
    pub signatures: Counts<Cow<'static, str>>,
    /// Alerts the client sent, by their number.
    pub alerts_sent: Counts<u8>,
    /// Chains received, by number of certificates.
    pub chain_lengths: Counts<u32>,
    /// Octets (DER) of all chains received.
    pub chain_bytes: u64,
    /// Octets (DER) of the longest of them.
    pub chain_bytes_max: u32,
}

/// The times of handshakes of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HandshakeTotals {
    /// The whole handshake.
    pub wall: Distribution,
    /// CPU time of the client's thread in it.
    pub cpu: Distribution,
}

impl HandshakeKey {
    /// What this handshake is filed under.
    pub fn of(facts: &HandshakeFacts) -> HandshakeKey {
        let sort = match (facts.kind, facts.alert_received) {
            (HandshakeKind::Full, _) => HandshakeSort::Full,
            (HandshakeKind::HelloRetry, _) => HandshakeSort::HelloRetry,
            (HandshakeKind::Resumed, _) if facts.by_session => HandshakeSort::ResumedSession,
            (HandshakeKind::Resumed, _) => HandshakeSort::ResumedTicket,
            (HandshakeKind::Failed, Some(alert)) => HandshakeSort::Alert(alert),
            (HandshakeKind::Failed, None) => HandshakeSort::Failed(facts.failure.unwrap_or(Failure::TlsFailed)),
        };
        HandshakeKey { sort, client_certificate: facts.client_certificate }
    }

    /// Which of the four kinds of the summary's contract it is one of.
    pub const fn kind(self) -> HandshakeKind {
        match self.sort {
            HandshakeSort::Full => HandshakeKind::Full,
            HandshakeSort::HelloRetry => HandshakeKind::HelloRetry,
            HandshakeSort::ResumedTicket | HandshakeSort::ResumedSession => HandshakeKind::Resumed,
            HandshakeSort::Alert(_) | HandshakeSort::Failed(_) => HandshakeKind::Failed,
        }
    }

    /// Its name in every output: `full`, `hello-retry`, `resumed-ticket`, `resumed-session`, `failed-alert-…`,
    /// `failed-…`; with `-client-certificate` behind it if the client presented one.
    pub fn name(self) -> String {
        let name = match self.sort {
            HandshakeSort::Full => "full".to_owned(),
            HandshakeSort::HelloRetry => "hello-retry".to_owned(),
            HandshakeSort::ResumedTicket => "resumed-ticket".to_owned(),
            HandshakeSort::ResumedSession => "resumed-session".to_owned(),
            HandshakeSort::Alert(alert) => format!("failed-alert-{}", alert_name(alert)),
            HandshakeSort::Failed(failure) => format!("failed-{}", failure.name()),
        };
        if self.client_certificate { name + "-client-certificate" } else { name }
    }
}

/// The name of an alert as the IANA registry has it, with hyphens; its number if it has none.
pub fn alert_name(alert: u8) -> Cow<'static, str> {
    let name = match alert {
        0 => "close-notify",
        10 => "unexpected-message",
        20 => "bad-record-mac",
        21 => "decryption-failed",
        22 => "record-overflow",
        30 => "decompression-failure",
        40 => "handshake-failure",
        41 => "no-certificate",
        42 => "bad-certificate",
        43 => "unsupported-certificate",
        44 => "certificate-revoked",
        45 => "certificate-expired",
        46 => "certificate-unknown",
        47 => "illegal-parameter",
        48 => "unknown-ca",
        49 => "access-denied",
        50 => "decode-error",
        51 => "decrypt-error",
        70 => "protocol-version",
        71 => "insufficient-security",
        80 => "internal-error",
        86 => "inappropriate-fallback",
        90 => "user-canceled",
        100 => "no-renegotiation",
        109 => "missing-extension",
        110 => "unsupported-extension",
        112 => "unrecognized-name",
        113 => "bad-certificate-status-response",
        115 => "unknown-psk-identity",
        116 => "certificate-required",
        120 => "no-application-protocol",
        other => return other.to_string().into(),
    };
    name.into()
}

impl TlsTotals {
    /// Takes in one handshake.
    pub(super) fn record(&mut self, facts: &HandshakeFacts) {
        self.ledger.entry(HandshakeKey::of(facts)).or_default().record(facts);
    }

    /// The lines that make up one kind of the summary's contract.
    fn lines(&self, kind: HandshakeKind) -> impl Iterator<Item = &HandshakeLine> {
        self.ledger.iter().filter(move |(key, _)| key.kind() == kind).map(|(_, line)| line)
    }

    /// The lines of handshakes that were completed.
    fn done(&self) -> impl Iterator<Item = &HandshakeLine> {
        self.ledger.iter().filter(|(key, _)| key.kind() != HandshakeKind::Failed).map(|(_, line)| line)
    }

    /// How many there were of one kind.
    pub fn count(&self, kind: HandshakeKind) -> u64 {
        self.lines(kind).map(HandshakeLine::count).sum()
    }

    /// The times of one kind.
    pub fn kind(&self, kind: HandshakeKind) -> HandshakeTotals {
        times(self.lines(kind))
    }

    /// The times of all handshakes that were completed.
    pub fn completed(&self) -> HandshakeTotals {
        times(self.done())
    }

    /// One distribution over all lines.
    pub fn whole(&self, of: impl Fn(&HandshakeLine) -> &Distribution) -> Distribution {
        merged(self.ledger.values().map(of))
    }

    /// One number, summed over all lines.
    pub fn sum(&self, of: impl Fn(&HandshakeLine) -> u64) -> u64 {
        self.ledger.values().map(of).sum()
    }

    /// What the handshakes that were completed agreed on.
    pub fn agreed<K: Ord + Clone>(&self, of: impl Fn(&HandshakeLine) -> &Counts<K>) -> Counts<K> {
        let mut all = Counts::new();
        self.done().for_each(|line| add_counts(&mut all, of(line)));
        all
    }

    /// Chains received in all handshakes, failed ones among them, by number of certificates.
    pub fn chain_lengths(&self) -> Counts<u32> {
        let mut all = Counts::new();
        self.ledger.values().for_each(|line| add_counts(&mut all, &line.chain_lengths));
        all
    }

    /// Octets (DER) of the longest chain received.
    pub fn chain_bytes_max(&self) -> u32 {
        self.ledger.values().map(|line| line.chain_bytes_max).max().unwrap_or(0)
    }

    pub(super) fn merge(&mut self, other: &TlsTotals) {
        for (key, theirs) in &other.ledger {
            self.ledger.entry(*key).or_default().merge(theirs);
        }
    }
}

impl HandshakeLine {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.wall.count()
    }

    fn record(&mut self, facts: &HandshakeFacts) {
        self.wall.record(facts.total);
        self.cpu.record(facts.cpu);
        self.hello.record(facts.hello);
        if let Some(server_flight) = facts.server_flight {
            self.server_flight.record(server_flight);
            let told = facts.hello + server_flight + facts.verify.unwrap_or(Duration::ZERO);
            self.finish.record(facts.total.saturating_sub(told));
        }
        if let Some(verify) = facts.verify {
            self.verify.record(verify);
        }
        self.bytes_out += facts.bytes_out;
        self.bytes_in += facts.bytes_in;
        self.records_out += u64::from(facts.records_out);
        self.records_in += u64::from(facts.records_in);
        self.retried += u64::from(facts.retried);
        count_name(&mut self.versions, facts.version);
        count_name(&mut self.suites, facts.suite);
        count_name(&mut self.groups, facts.group);
        count_name(&mut self.signatures, facts.signature);
        if let Some(alert) = facts.alert_sent {
            count(&mut self.alerts_sent, alert);
        }
        if facts.chain_length > 0 {
            count(&mut self.chain_lengths, facts.chain_length);
            self.chain_bytes += u64::from(facts.chain_bytes);
            self.chain_bytes_max = self.chain_bytes_max.max(facts.chain_bytes);
        }
    }

    fn merge(&mut self, other: &HandshakeLine) {
        self.wall.merge(&other.wall);
        self.cpu.merge(&other.cpu);
        self.hello.merge(&other.hello);
        self.server_flight.merge(&other.server_flight);
        self.verify.merge(&other.verify);
        self.finish.merge(&other.finish);
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
        self.records_out += other.records_out;
        self.records_in += other.records_in;
        self.retried += other.retried;
        add_counts(&mut self.versions, &other.versions);
        add_counts(&mut self.suites, &other.suites);
        add_counts(&mut self.groups, &other.groups);
        add_counts(&mut self.signatures, &other.signatures);
        add_counts(&mut self.alerts_sent, &other.alerts_sent);
        add_counts(&mut self.chain_lengths, &other.chain_lengths);
        self.chain_bytes += other.chain_bytes;
        self.chain_bytes_max = self.chain_bytes_max.max(other.chain_bytes_max);
    }
}

impl HandshakeTotals {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.wall.count()
    }
}

fn times<'l>(lines: impl Iterator<Item = &'l HandshakeLine>) -> HandshakeTotals {
    let mut times = HandshakeTotals::default();
    for line in lines {
        times.wall.merge(&line.wall);
        times.cpu.merge(&line.cpu);
    }
    times
}

fn merged<'d>(distributions: impl Iterator<Item = &'d Distribution>) -> Distribution {
    let mut all = Distribution::new();
    distributions.for_each(|one| all.merge(one));
    all
}

fn count_name(counts: &mut Counts<Cow<'static, str>>, name: Option<&'static str>) {
    if let Some(name) = name {
        count(counts, Cow::Borrowed(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kind: HandshakeKind) -> HandshakeFacts {
        HandshakeFacts {
            hello: Duration::from_micros(100),
            server_flight: Some(Duration::from_micros(1_000)),
            verify: Some(Duration::from_micros(200)),
            total: Duration::from_micros(1_500),
            cpu: Duration::from_micros(450),
            version: Some("1.3"),
            records_out: 3,
            records_in: 6,
            chain_length: 2,
            chain_bytes: 1_400,
            ..HandshakeFacts::new(kind)
        }
    }

    #[test]
    fn each_handshake_stands_in_one_line_and_the_four_kinds_add_up() {
        use HandshakeKind::{Failed, Full, HelloRetry, Resumed};
        let mut tls = TlsTotals::default();
        let by_alert = HandshakeFacts { alert_received: Some(116), ..facts(Failed) };
        let made = [
            facts(Full),
            HandshakeFacts { client_certificate: true, ..facts(Full) },
            HandshakeFacts { retried: true, ..facts(HelloRetry) },
            facts(Resumed),
            HandshakeFacts { by_session: true, version: Some("1.2"), ..facts(Resumed) },
            HandshakeFacts { failure: Some(Failure::TlsAlert), ..by_alert.clone() },
            HandshakeFacts { client_certificate: true, ..by_alert },
            HandshakeFacts { failure: Some(Failure::TlsUnknownCa), alert_sent: Some(48), ..facts(Failed) },
        ];
        made.iter().for_each(|facts| tls.record(facts));
        let names: Vec<_> = tls.ledger.keys().map(|key| key.name()).collect();
        assert_eq!(
            names,
            [
                "full",
                "full-client-certificate",
                "hello-retry",
                "resumed-ticket",
                "resumed-session",
                "failed-alert-certificate-required",
                "failed-alert-certificate-required-client-certificate",
                "failed-tls-unknown-ca",
            ]
        );
        assert_eq!([Full, Resumed, HelloRetry, Failed].map(|kind| tls.count(kind)), [2, 2, 1, 3]);
        assert_eq!((tls.completed().count(), tls.sum(|line| line.records_in)), (5, 48));
        assert_eq!(tls.agreed(|line| &line.versions), [("1.2".into(), 1), ("1.3".into(), 4)].into());
        assert_eq!((tls.chain_lengths(), tls.chain_bytes_max()), ([(2, 8)].into(), 1_400));
    }

    #[test]
    fn the_phases_add_up_to_the_whole() {
        let mut tls = TlsTotals::default();
        tls.record(&facts(HandshakeKind::Full));
        let line = &tls.ledger[&HandshakeKey { sort: HandshakeSort::Full, client_certificate: false }];
        let phases = [&line.hello, &line.server_flight, &line.verify, &line.finish].map(|d| d.mean_us().unwrap());
        assert_eq!((phases, line.wall.mean_us()), ([100.0, 1_000.0, 200.0, 200.0], Some(1_500.0)));
    }

    #[test]
    fn the_lines_of_shards_add_up() {
        let (mut a, mut b, mut whole) = (TlsTotals::default(), TlsTotals::default(), TlsTotals::default());
        for (n, kind) in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Full].into_iter().enumerate() {
            if n == 0 { &mut a } else { &mut b }.record(&facts(kind));
            whole.record(&facts(kind));
        }
        a.merge(&b);
        assert_eq!(a, whole);
        let again: TlsTotals = postcard::from_bytes(&postcard::to_allocvec(&whole).unwrap()).unwrap();
        assert_eq!(again, whole);
    }

    #[test]
    fn alerts_have_the_names_of_the_registry() {
        for (alert, name) in [(40, "handshake-failure"), (70, "protocol-version"), (116, "certificate-required")] {
            assert_eq!(alert_name(alert), name);
        }
        assert_eq!(alert_name(255), "255");
    }
}
