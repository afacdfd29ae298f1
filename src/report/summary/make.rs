//! A summary from a record.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Auth, Bounds, Connections, CpuAccount, Exchanges, Figures, Generator, HandshakePhasesMs, Handshakes, Kinds, Marks,
    Named, Operation, Phones, ResponseIntervals, SCHEMA_VERSION, Storm, Summary, Target, Threshold, Tls, Typed,
    Workload,
};
use crate::auth::{Algorithm, AnswerScheme};
use crate::metrics::{
    self, AuthTotals, Counts, CpuSum, ExchangeTotals, HandshakeKey, HandshakeKind, HandshakeLine, MachineSample,
    OperationTotals, Record, Standings, TargetHandshakes, TargetUse, ThresholdResult, TlsTotals, alert_name,
};
use crate::phone::{self, ChallengeKind, Screen};

impl Summary {
    /// The figures of a finished run.
    pub fn of(record: &Record) -> Summary {
        let totals = &record.tally.totals;
        let started: u64 = totals.operations.iter().map(|o| o.started).sum();
        Summary {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workload: Workload { name: record.plan.name.clone(), sha256: record.plan.sha256.clone() },
            seed: record.plan.seed,
            started_at: humantime::format_rfc3339_seconds(record.started_at).to_string(),
            wall_s: seconds(record.wall),
            compression: record.plan.compression,
            marks: Marks::of(&record.marks),
            verdict: record.verdict(),
            thresholds: record.thresholds.iter().map(threshold).collect(),
            phones: phones(totals.phones, &totals.standings),
            operations: operations(record),
            exchanges: exchanges(&totals.exchanges, started),
            auth: auth(&totals.auth, totals.exchanges.auth_retries, started),
            tls: tls(&totals.tls, record.target.as_ref().and_then(|target| target.handshakes)),
            storm: storm(record),
            generator: generator(record),
            target: record.target.map(|target| used(record, target)),
        }
    }
}

fn threshold(t: &ThresholdResult) -> Threshold {
    Threshold {
        text: t.text.clone(),
        value: t.value,
        limit: t.limit,
        unit: t.unit.clone(),
        pass: t.judgement.passed(),
        judgement: t.judgement,
    }
}

fn phones(total: u64, at: &Standings) -> Phones {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let (provisioned, prompting) = (count(at.provisioned), count(at.prompting));
    Phones {
        total,
        provisioned,
        prompting,
        failed: total.saturating_sub(provisioned + prompting),
        failed_booting: count(at.booting),
        failed_off: count(at.off),
    }
}

fn operations(record: &Record) -> BTreeMap<String, Operation> {
    phone::Operation::ALL
        .into_iter()
        .map(|operation| (operation, record.tally.totals.operation(operation)))
        .filter(|(_, o)| o.planned + o.started > 0)
        .map(|(of, o)| {
            let response_interval_ms = response_intervals(&record.response_intervals(of));
            (of.name().to_owned(), Operation { response_interval_ms, ..operation(o) })
        })
        .collect()
}

fn response_intervals(i: &metrics::ResponseIntervals) -> ResponseIntervals {
    let [p50, p90, p99] = [i.p50, i.p90, i.p99].map(|bounds| {
        let ms = |us: f64| decimals(us / 1e3, 1e3);
        bounds.map(|(low, high)| Bounds { low: ms(low), high: ms(high) })
    });
    ResponseIntervals { p50, p90, p99, refused: i.refused.clone() }
}

fn operation(o: &OperationTotals) -> Operation {
    let faults = o.outcomes.keys().filter(|outcome| !outcome.is_success());
    Operation {
        planned: o.planned,
        started: o.started,
        dropped: o.dropped(),
        dropped_causes: named(&o.dropped, |cause| cause.name()),
        succeeded: o.succeeded(),
        outcomes: named(&o.outcomes, |outcome| outcome.name()),
        faults: faults.map(|outcome| (outcome.name().into_owned(), outcome.fault().name().to_owned())).collect(),
        exchanges: o.exchanges,
        undispatched: o.undispatched,
        response_ms: Figures::ms(&o.response),
        response_interval_ms: ResponseIntervals::default(),
        response_ok_ms: Figures::ms(&o.response_ok),
        service_ms: Figures::ms(&o.service),
        lateness_ms: Figures::ms(&o.lateness),
    }
}

fn exchanges(e: &ExchangeTotals, operations_started: u64) -> Exchanges {
    Exchanges {
        total: e.sent,
        answered: e.answered(),
        failed: e.failed(),
        per_operation: ratio(e.sent, operations_started),
        status: named(&e.statuses, |status| status.to_string()),
        failures: named(&e.failures, |failure| failure.name()),
        faults: e.failures.keys().map(|f| (f.name().to_owned(), f.fault().name().to_owned())).collect(),
        connections: Connections {
            opened: e.opened,
            reused: e.reused,
            reconnected: e.reconnected,
            opening_cpu_us: e.upkeep.opening_us().map(|us| decimals(us, 1e2)),
            closing_cpu_us: e.upkeep.closing_us().map(|us| decimals(us, 1e2)),
        },
        bytes_out: e.bytes_out,
        bytes_in: e.bytes_in,
        phases_ms: e.phases.map(Figures::ms),
    }
}

fn auth(a: &AuthTotals, retries: u64, operations_started: u64) -> Auth {
    let schemes = std::iter::once(AnswerScheme::Basic).chain(Algorithm::ALL.map(AnswerScheme::Digest));
    let of = |n: Option<&u64>| n.copied().unwrap_or(0);
    Auth {
        challenges: ChallengeKind::ALL.map(|kind| (kind.name().to_owned(), of(a.challenges.get(&kind)))).into(),
        retry_rate: ratio(retries, operations_started),
        answers: schemes.map(|scheme| (scheme.name().to_owned(), of(a.answers.get(&scheme)))).collect(),
        prompts: Screen::ALL.map(|screen| (screen.name().to_owned(), of(a.prompts.get(&screen)))).into(),
        typed: Typed { right: a.typed_right, wrong: a.typed_wrong },
        stored: a.stored,
    }
}

fn tls(t: &TlsTotals, target: Option<TargetHandshakes>) -> Tls {
    let completed = t.completed();
    let by_kind = kinds(|kind| t.kind(kind));
    Tls {
        handshakes: kinds(|kind| t.count(kind)),
        handshake_ms: Figures::ms(&completed.wall),
        handshake_by_kind_ms: by_kind.each_ref(|k| Figures::ms(&k.wall)),
        client_cpu_us: Figures::us(&completed.cpu),
        client_cpu_by_kind_us: by_kind.each_ref(|k| Figures::us(&k.cpu)),
        phases_ms: HandshakePhasesMs {
            hello: Figures::ms(&t.whole(|line| &line.hello)),
            server_flight: Figures::ms(&t.whole(|line| &line.server_flight)),
            verify: Figures::ms(&t.whole(|line| &line.verify)),
            finish: Figures::ms(&t.whole(|line| &line.finish)),
        },
        bytes_out: t.sum(|line| line.bytes_out),
        bytes_in: t.sum(|line| line.bytes_in),
        records_out: t.sum(|line| line.records_out),
        records_in: t.sum(|line| line.records_in),
        versions: named(&t.agreed(|line| &line.versions), |name| name.clone()),
        suites: named(&t.agreed(|line| &line.suites), |name| name.clone()),
        groups: named(&t.agreed(|line| &line.groups), |name| name.clone()),
        signatures: named(&t.agreed(|line| &line.signatures), |name| name.clone()),
        chain_lengths: named(&t.chain_lengths(), |length| length.to_string()),
        chain_bytes_max: t.chain_bytes_max(),
        ledger: t
            .ledger
            .iter()
            .map(|(key, line)| {
                let alone = t.ledger.keys().filter(|other| other.kind() == key.kind()).count() == 1;
                let target_cpu_us = target.filter(|_| alone).and_then(|t| of_kind(t, key.kind()).mean_us());
                let target_cpu_us = target_cpu_us.map(|us| decimals(us, 1e2));
                (key.name(), Handshakes { target_cpu_us, ..handshakes(*key, line) })
            })
            .collect(),
    }
}

fn handshakes(key: HandshakeKey, line: &HandshakeLine) -> Handshakes {
    let chains: u64 = line.chain_lengths.values().sum();
    let each = |all: u64| ratio(all, line.count());
    Handshakes {
        kind: kind_name(key.kind()).to_owned(),
        client_certificate: key.client_certificate,
        count: line.count(),
        retried: line.retried,
        handshake_ms: Figures::ms(&line.wall),
        phases_ms: HandshakePhasesMs {
            hello: Figures::ms(&line.hello),
            server_flight: Figures::ms(&line.server_flight),
            verify: Figures::ms(&line.verify),
            finish: Figures::ms(&line.finish),
        },
        client_cpu_us: Figures::us(&line.cpu),
        target_cpu_us: None,
        bytes_out: line.bytes_out,
        bytes_in: line.bytes_in,
        records_out: line.records_out,
        records_in: line.records_in,
        bytes_out_each: each(line.bytes_out),
        bytes_in_each: each(line.bytes_in),
        records_out_each: each(line.records_out),
        records_in_each: each(line.records_in),
        versions: named(&line.versions, |name| name.clone()),
        suites: named(&line.suites, |name| name.clone()),
        groups: named(&line.groups, |name| name.clone()),
        signatures: named(&line.signatures, |name| name.clone()),
        alerts_sent: named(&line.alerts_sent, |alert| alert_name(*alert)),
        chain_lengths: named(&line.chain_lengths, |length| length.to_string()),
        chain_bytes_each: ratio(line.chain_bytes, chains),
        chain_bytes_max: line.chain_bytes_max,
    }
}

const fn of_kind(handshakes: TargetHandshakes, kind: HandshakeKind) -> CpuSum {
    match kind {
        HandshakeKind::Full => handshakes.full,
        HandshakeKind::Resumed => handshakes.resumed,
        HandshakeKind::HelloRetry => handshakes.hello_retry,
        HandshakeKind::Failed => handshakes.failed,
    }
}

fn used(record: &Record, target: TargetUse) -> Target {
    /// So many handshakes there must be for each exchange for the CPU time to be told of each.
    const DOMINATED: f64 = 0.9;
    let (exchanges, tls) = (record.tally.totals.exchanges.sent, &record.tally.totals.tls);
    let handshakes = tls.completed().count() + tls.count(HandshakeKind::Failed);
    let each = |n: u64| (n > 0).then(|| decimals(target.cpu_us as f64 / n as f64, 1e2));
    let dominated = handshakes as f64 >= DOMINATED * exchanges as f64;
    let own = |kind| target.handshakes.map(|handshakes| of_kind(handshakes, kind));
    let cpu_s = target.cpu_us as f64 / 1e6;
    Target {
        watched: if target.processes == 0 && target.gone == 0 { "threads" } else { "processes" }.to_owned(),
        cpu_s: decimals(cpu_s, 1e6),
        cpu_busy: decimals(cpu_s / record.wall.as_secs_f64().max(1e-9), 1e4),
        cpu_us_per_exchange: each(exchanges),
        cpu_us_per_handshake: each(handshakes).filter(|_| dominated),
        handshake_cpu_us: kinds(|kind| own(kind).and_then(CpuSum::mean_us).map(|us| decimals(us, 1e2))),
        handshakes: target.handshakes.map(|all| kinds(|kind| of_kind(all, kind).count)),
        rss_bytes: target.rss_bytes,
        processes: target.processes,
        gone: target.gone,
    }
}

/// Where the shards' CPU time went.
fn cpu_account(record: &Record) -> CpuAccount {
    let e = &record.tally.totals.exchanges;
    let upkeep = &e.upkeep;
    let part = |mean_us: Option<f64>, n: u64| mean_us.unwrap_or(0.0) * n as f64 / 1e6;
    let opening = part(upkeep.opening_us(), upkeep.opened);
    let closing = part(upkeep.closing_us(), upkeep.closed);
    let handshakes = record.tally.totals.tls.whole(|line| &line.cpu);
    let handshakes = part(handshakes.mean_us(), handshakes.count());
    let rest = (record.generator.cpu_seconds - opening - closing - handshakes).max(0.0);
    CpuAccount {
        opening_s: decimals(opening, 1e6),
        handshakes_s: decimals(handshakes, 1e6),
        closing_s: decimals(closing, 1e6),
        rest_s: decimals(rest, 1e6),
        rest_us_per_exchange: (e.sent > 0).then(|| decimals(rest * 1e6 / e.sent as f64, 1e2)),
    }
}

const fn kind_name(kind: HandshakeKind) -> &'static str {
    match kind {
        HandshakeKind::Full => "full",
        HandshakeKind::Resumed => "resumed",
        HandshakeKind::HelloRetry => "hello_retry",
        HandshakeKind::Failed => "failed",
    }
}

fn kinds<T>(of: impl Fn(HandshakeKind) -> T) -> Kinds<T> {
    Kinds {
        full: of(HandshakeKind::Full),
        resumed: of(HandshakeKind::Resumed),
        hello_retry: of(HandshakeKind::HelloRetry),
        failed: of(HandshakeKind::Failed),
    }
}

fn storm(record: &Record) -> Storm {
    let s = record.storm();
    Storm {
        phones: s.phones,
        provisioned: s.provisioned,
        drain_s: s.drain.map(seconds),
        provisioned_50_s: s.provisioned_50.map(seconds),
        provisioned_95_s: s.provisioned_95.map(seconds),
        provisioned_100_s: s.provisioned_100.map(seconds),
        peak_in_flight: s.peak_in_flight,
        amplification: s.amplification.map(|a| decimals(a, 1e4)),
        handshakes_per_s: handshakes_in_storm(record, s.drain),
        handshakes_peak_per_s: handshakes_peak(record),
    }
}

/// Over the rows from the storm's start to its end: what is told second by second is not told more finely.
fn handshakes_in_storm(record: &Record, drain: Option<Duration>) -> Option<f64> {
    let begins = record.tally.totals.provisioning.start()?;
    let drain = drain.filter(|drain| !drain.is_zero())?;
    let width = f64::from(record.timeline.width_s);
    let first = (begins.as_secs_f64() / width).floor() as usize;
    let beyond = ((begins + drain).as_secs_f64() / width).ceil() as usize;
    let rows = record.timeline.rows.iter().take(beyond).skip(first);
    let done: u64 = rows.map(|row| u64::from(row.interval.handshakes)).sum();
    (done > 0).then(|| decimals(done as f64 / drain.as_secs_f64(), 10.0))
}

fn handshakes_peak(record: &Record) -> Option<f64> {
    let most = record.timeline.rows.iter().map(|row| row.interval.handshakes).max().filter(|most| *most > 0)?;
    Some(decimals(f64::from(most) / f64::from(record.timeline.width_s), 10.0))
}

fn generator(record: &Record) -> Generator {
    let g = &record.generator;
    let looks: Vec<_> = record.timeline.rows.iter().filter_map(|row| row.machine.as_ref()).collect();
    // A run too short for a look has but counted.
    let looked = || looks.iter().filter(|look| !look.shards.is_empty());
    let most = |of: fn(&MachineSample) -> f64| looked().map(|look| of(look)).reduce(f64::max);
    let most_of = |of: fn(&MachineSample) -> Option<u64>| looks.iter().filter_map(|look| of(look)).max();
    let share = |share: Option<f64>| share.map(|share| decimals(share.min(1.0), 1e4));
    let mut core_busy_max = BTreeMap::new();
    for core in looks.iter().flat_map(|look| &look.cores) {
        let most = core_busy_max.entry(core.core.to_string()).or_insert(0.0);
        *most = f64::max(*most, decimals(core.busy.into(), 1e4));
    }
    Generator {
        shards: g.shards,
        cpu_busy: decimals(g.cpu_busy, 1e4),
        cpu_busy_max: decimals(g.cpu_busy_max, 1e4),
        cpu_s: decimals(g.cpu_seconds, 1e3),
        cpu_account: cpu_account(record),
        shard_demand_max: share(most(|look| max(look.shards.iter().map(|s| s.busy + s.waited)))),
        shard_waited_max: share(most(|look| max(look.shards.iter().map(|s| s.waited)))),
        core_busy_max,
        steal_max: share(most(|look| max(look.cores.iter().map(|c| c.steal)))),
        loop_lag_ms: Figures::ms(&g.loop_lag),
        timer_floor_ms: Figures::ms(&g.timer_floor),
        pace_ms: Figures::ms(&record.tally.totals.pace),
        backlog_max: record.timeline.rows.iter().map(|row| row.backlog).max(),
        open_files: g.open_files,
        open_files_limit: most_of(|look| Some(look.open_files_limit)),
        ports_max: most_of(|look| look.ports),
        ports_limit: most_of(|look| look.ports_limit),
        rss_bytes: g.rss_bytes,
        rss_per_phone_bytes: g.rss_per_phone,
    }
}

fn max(shares: impl Iterator<Item = f32>) -> f64 {
    shares.fold(0.0, |a, b| f64::max(a, b.into()))
}

fn named<K, S: Into<Cow<'static, str>>>(counts: &Counts<K>, name: impl Fn(&K) -> S) -> Named {
    counts.iter().map(|(key, n)| (name(key).into().into_owned(), *n)).collect()
}

fn ratio(n: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| decimals(n as f64 / of as f64, 1e4))
}

fn seconds(duration: Duration) -> f64 {
    decimals(duration.as_secs_f64(), 1e3)
}

fn decimals(value: f64, power: f64) -> f64 {
    (value * power).round() / power
}
