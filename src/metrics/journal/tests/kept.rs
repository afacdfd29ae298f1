//! The form of the journal is pinned: `tests/data/journal/v2.bin` must read to `v2.txt` for as long as this bootstorm
//! says it reads version 2.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{read, written};
use crate::auth::{Algorithm, AnswerScheme};
use crate::metrics::journal::{Closing, Entry, Header, How, MAGIC};
use crate::metrics::{
    Arrivals, CoreSample, CpuSum, Due, GeneratorFacts, HandshakeKey, HandshakeLine, HandshakeSort, Law, LedgerFault,
    MachineSample, Marks, Notable, Notables, PhaseFacts, PlanFacts, Slice, Standings, Step, TargetHandshakes,
    TargetUse, ThreadSample, Upkeep,
};
use crate::phone::{ChallengeKind, DropCause, Failure, Operation, Outcome, Screen};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/journal/v{}.{name}", MAGIC[MAGIC.len() - 1]))
}

#[test]
fn the_kept_journal_still_reads_to_the_same_figures() {
    if std::env::var_os("BLESS").is_some() && !file("bin").exists() {
        fs::create_dir_all(file("bin").parent().unwrap()).unwrap();
        fs::write(file("bin"), written(&one_of_everything())).unwrap();
        fs::write(file("txt"), format!("{:#?}\n", one_of_everything())).unwrap();
    }
    let changed = "the form of the journal has changed (a field, or the order of an enum's variants): raise its version, \
                   the last octet of MAGIC, and write that version's file with BLESS=1";
    let (read, end) = read(&fs::read(file("bin")).unwrap()).unwrap_or_else(|error| panic!("{changed} ({error})"));
    assert_eq!(end.how, How::Closed, "{changed}");
    let (read, kept) = (format!("{read:#?}\n"), fs::read_to_string(file("txt")).unwrap());
    let differs = read.lines().zip(kept.lines()).position(|(read, kept)| read != kept);
    assert!(read == kept, "{changed} (the first difference is in line {:?})", differs.map(|n| n + 1));
}

/// Every field with a value of its own, every variant once.
fn one_of_everything() -> Vec<Entry> {
    let mut n = 0;
    let mut next = || {
        n += 1;
        n
    };
    let marks = Marks { partial: true, tls_not_verified: false, accepted_invalid: true, ends_at_ms: Some(next()) };
    let mut generator = GeneratorFacts {
        shards: next() as u32,
        cpu_busy: 0.25,
        cpu_busy_max: 0.5,
        cpu_seconds: 7.75,
        max_connections: next(),
        open_files: next(),
        rss_bytes: next(),
        rss_per_phone: Some(next()),
        ..GeneratorFacts::default()
    };
    generator.loop_lag.record(Duration::from_micros(next()));
    generator.timer_floor.record(Duration::from_micros(next()));
    let laws = [Law::Given, Law::Constant { rate: 1.5 }, Law::Poisson { rate: 2.5, over_s: 3.5 }];
    let phases = laws.map(|law| PhaseFacts { name: format!("phase-{}", next()), at_us: next(), law });
    let header = Header {
        version: "0.1.0".into(),
        started_at_ms: 1_795_293_834_125,
        plan: PlanFacts {
            name: "kept".into(),
            sha256: "9f86d081".into(),
            seed: next(),
            phones: next(),
            storm_phones: Some(next()),
            compression: 2.0,
            phases: phases.into(),
            connections_bounded: true,
            embedded: true,
            due: Due { width_s: next() as u32, starts: vec![next() as u32, next() as u32], burst: next() as u32 },
        },
        thresholds: vec![("phones.prompting".into(), "<= 5".into())],
        manifest: "{\"schema_version\": 1}".into(),
        marks,
        generator: generator.clone(),
    };
    let machine = MachineSample {
        at_ms: next(),
        cores: vec![CoreSample { core: next() as u32, busy: 0.75, steal: 0.125 }],
        shards: vec![ThreadSample { busy: 0.5, waited: 0.25 }],
        rss_bytes: next(),
        open_files: next(),
        open_files_limit: next(),
        ports: Some(next()),
        ports_limit: None,
        target: Some(target_use(&mut next)),
    };
    let target = Some(target_use(&mut next));
    vec![
        Entry::Header(header),
        Entry::Slice(slice(&mut next)),
        Entry::Machine(machine),
        Entry::Closing(Closing { wall_us: 1_234_567, marks, generator, target }),
    ]
}

fn target_use(mut next: impl FnMut() -> u64) -> TargetUse {
    let mut sum = || CpuSum { count: next(), ns: next() };
    let handshakes = TargetHandshakes { full: sum(), resumed: sum(), hello_retry: sum(), failed: sum() };
    TargetUse {
        cpu_us: next(),
        busy: 1.25,
        rss_bytes: Some(next()),
        processes: next() as u32,
        gone: next() as u32,
        handshakes: Some(handshakes),
    }
}

fn slice(mut next: impl FnMut() -> u64) -> Slice {
    let mut slice = Slice { number: next(), backlog: next(), ..Slice::default() };
    slice.standings_before = standings(&mut next);
    let t = &mut slice.totals;
    t.phones = next();
    t.standings = standings(&mut next);
    t.provisioning.power_up_intended(Duration::from_micros(next()));
    t.provisioning.booting(Duration::from_micros(next()));
    (0..3).for_each(|_| t.provisioning.provisioned(Duration::from_micros(900 * next())));
    let mut outcomes = vec![
        Outcome::Ok,
        Outcome::NotFound,
        Outcome::CredentialsRejected,
        Outcome::NoCredentials,
        Outcome::NoUsableScheme,
        Outcome::MalformedChallenge,
        Outcome::ServerNotAuthentic,
        Outcome::Overload,
        Outcome::Http(405),
        Outcome::RedirectRefused,
        Outcome::ContentMismatch,
    ];
    outcomes.extend(Screen::ALL.map(Outcome::Prompt));
    outcomes.extend(Failure::ALL.map(Outcome::Failed));
    for o in &mut t.operations {
        (o.planned, o.started, o.exchanges, o.undispatched) = (next(), next(), next(), next());
        o.outcomes = outcomes.iter().map(|outcome| (*outcome, next())).collect();
        let causes = [
            DropCause::PhoneBusy,
            DropCause::PoweredOff,
            DropCause::BootIncomplete,
            DropCause::RunEnded,
            DropCause::Interrupted,
        ];
        o.dropped = causes.map(|cause| (cause, next())).into();
        for d in [&mut o.response, &mut o.response_ok, &mut o.service, &mut o.lateness] {
            (0..3).for_each(|_| d.record(Duration::from_micros(1_000 * next())));
        }
    }
    let e = &mut t.exchanges;
    (e.sent, e.calm, e.auth_retries, e.opened, e.reused, e.reconnected) =
        (next(), next(), next(), next(), next(), next());
    (e.bytes_out, e.bytes_in) = (next(), next());
    e.statuses = [200, 401, 503].map(|status| (status, next())).into();
    e.failures = Failure::ALL.map(|failure| (failure, next())).into();
    let p = &mut e.phases;
    let mut distributions = vec![&mut t.pace];
    distributions.extend([&mut p.waited, &mut p.connect, &mut p.tls, &mut p.send]);
    distributions.extend([&mut p.first_byte, &mut p.receive, &mut p.total]);
    for d in distributions {
        d.record(Duration::from_micros(next()));
        d.record(Duration::from_secs(4_000));
    }
    e.upkeep = Upkeep {
        opened: next(),
        opened_timed: next(),
        opening_ns: next(),
        closed: next(),
        closed_timed: next(),
        closing_ns: next(),
    };
    let sorts = [
        HandshakeSort::Full,
        HandshakeSort::HelloRetry,
        HandshakeSort::ResumedTicket,
        HandshakeSort::ResumedSession,
        HandshakeSort::Alert(116),
        HandshakeSort::Failed(Failure::TlsTimeout),
    ];
    let keys = sorts.into_iter().zip([false, true].into_iter().cycle());
    let keys = keys.map(|(sort, client_certificate)| HandshakeKey { sort, client_certificate });
    t.tls.ledger = keys.map(|key| (key, line(&mut next))).collect();
    let a = &mut t.auth;
    a.challenges = ChallengeKind::ALL.map(|kind| (kind, next())).into();
    let schemes = std::iter::once(AnswerScheme::Basic).chain(Algorithm::ALL.map(AnswerScheme::Digest));
    a.answers = schemes.map(|scheme| (scheme, next())).collect();
    a.prompts = Screen::ALL.map(|screen| (screen, next())).into();
    (a.typed_right, a.typed_wrong, a.stored) = (next(), next(), next());
    let faults = [
        LedgerFault::FinishedWithoutStart,
        LedgerFault::FinishedAnother,
        LedgerFault::StartedTwice,
        LedgerFault::DispatchedWithoutOperation,
        LedgerFault::SentWithoutOperation,
        LedgerFault::SentTwice,
        LedgerFault::ExchangeWithoutRequest,
    ];
    t.ledger_faults = faults.map(|fault| (fault, next())).into();

    let i = &mut slice.interval;
    for count in [
        &mut i.starts,
        &mut i.planned,
        &mut i.started,
        &mut i.finished,
        &mut i.succeeded,
        &mut i.dropped,
        &mut i.sent,
        &mut i.unauthorized,
        &mut i.failures,
        &mut i.handshakes,
        &mut i.handshakes_failed,
        &mut i.prompts,
    ] {
        *count = next() as u32;
    }
    i.statuses = [(); 5].map(|()| next() as u32);
    (i.bytes_out, i.bytes_in) = (next(), next());
    (i.in_flight_change, i.in_flight_rise) = (-(next() as i32), next() as i32);
    i.standings_change = standings(&mut next);

    slice.arrivals = vec![Arrivals { phase: 3, at_us: vec![next() as u32, next() as u32] }];
    slice.notables = notables(next);
    slice
}

fn line(mut next: impl FnMut() -> u64) -> HandshakeLine {
    let mut line = HandshakeLine {
        bytes_out: next(),
        bytes_in: next(),
        records_out: next(),
        records_in: next(),
        retried: next(),
        versions: [("1.3".into(), next())].into(),
        suites: [("TLS_AES_256_GCM_SHA384".into(), next())].into(),
        groups: [("X25519MLKEM768".into(), next())].into(),
        signatures: [("ecdsa_secp256r1_sha256".into(), next())].into(),
        alerts_sent: [(48, next())].into(),
        chain_lengths: [(2, next())].into(),
        chain_bytes: next(),
        chain_bytes_max: next() as u32,
        ..HandshakeLine::default()
    };
    let first = [&mut line.wall, &mut line.cpu, &mut line.hello];
    for d in first.into_iter().chain([&mut line.server_flight, &mut line.verify, &mut line.finish]) {
        d.record(Duration::from_micros(next()));
        d.record(Duration::from_secs(4_000));
    }
    line
}

fn standings(mut next: impl FnMut() -> u64) -> Standings {
    let mut signed = || next() as i64;
    Standings { off: -signed(), booting: signed(), provisioned: signed(), prompting: signed(), failed: signed() }
}

fn notables(mut next: impl FnMut() -> u64) -> Notables {
    let notables = Operation::ALL.map(|operation| Notable {
        phone: next() as u32,
        extension: next().to_string(),
        operation,
        outcome: Some(Outcome::Failed(Failure::Reset)),
        intended_us: next(),
        response_us: next(),
        left_out: next() as u32,
        steps: vec![Step {
            at_us: next(),
            took_us: Some(next()),
            method: "GET".into(),
            path: "/46xxsettings.txt".into(),
            status: Some(401),
            failure: None,
        }],
    });
    let [slow, stranded, ..] = notables.clone();
    Notables { slowest: notables.into(), stranded: vec![slow, stranded], recovered: vec![next() as u32] }
}
