//! A search as people and programs read it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::capacity::{Answer, Found, Harder, Knee, Recovery, Stretch};
use crate::metrics::{GeneratorFacts, Marks, PlanFacts, Record, Recorder, Timeline, Validity, Verdict};
use crate::phone::{Action, Failure, Moment, Operation, Outcome};
use crate::report::Summary;
use crate::report::summary::Workload;
use crate::workload::Measure;

/// A server that carries 100 a second: response times as of one worker with random service times.
fn figures(load: f64) -> Figures {
    let carried = load.min(100.0);
    let ms = if load < 99.0 { 10.0 / (1.0 - load / 100.0) } else { 900.0 };
    // As figures of a run are.
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    let ms = rounded(ms);
    let turned_away = ((load - 100.0).max(0.0) * 10.0) as u64;
    let started = (load * 10.0) as u64;
    let of = |n: u64, what: &str, to: &str| (n > 0).then(|| (what.to_owned(), to.to_owned()));
    Figures {
        started,
        succeeded: started - turned_away,
        failed: turned_away,
        failed_share: Some(turned_away as f64 / started as f64),
        outcomes: of(turned_away, "overload", "").map(|(name, _)| (name, turned_away)).into_iter().collect(),
        faults: of(turned_away, "overload", "server").into_iter().collect(),
        response_p50_ms: Some(rounded(ms * 0.7)),
        response_p99_ms: Some(rounded(ms * 4.6)),
        phases_ms: [("first_byte".to_owned(), ms), ("connect".to_owned(), 0.3)].into(),
        throughput_per_s: Some(carried),
        concurrency: Some(rounded(carried * ms / 1e3)),
        wall_s: 10.5,
        ..Figures::default()
    }
}

pub(in crate::report) fn probe(number: u32, load: f64, answer: Answer) -> Probe {
    let verdict = match answer {
        Answer::Blind => Verdict { state: Validity::Invalid, reasons: vec!["a core was taken".to_owned()] },
        _ => Verdict::default(),
    };
    let crossed = match answer {
        Answer::Missed => vec!["operations.resync.response_ms.p99 < 500ms (it was 4,140 ms)".to_owned()],
        _ => Vec::new(),
    };
    Probe {
        number,
        load,
        answer: Probe::word(answer).to_owned(),
        folder: Some(format!("probe-{number:02}")),
        verdict,
        crossed,
        figures: Some(figures(load)),
    }
}

/// A search that found a knee at about 97/s.
pub(in crate::report) fn document() -> Document {
    let stretch = |from_s: f64, finished: u64, succeeded: u64, sent: f64, p50: f64| Stretch {
        from_s,
        to_s: from_s + 10.0,
        finished,
        succeeded,
        goodput_per_s: succeeded as f64 / 10.0,
        sent_per_s: sent,
        response_p50_ms: Some(p50),
    };
    let probes: Vec<Probe> = [
        (25.0, Answer::Met),
        (50.0, Answer::Met),
        (100.0, Answer::Missed),
        (100.0, Answer::Missed),
        (70.71, Answer::Met),
        (84.09, Answer::Blind),
        (84.09, Answer::Met),
        (91.7, Answer::Met),
        (95.76, Answer::Missed),
        (95.76, Answer::Met),
        (95.76, Answer::Met),
        (97.86, Answer::Missed),
        (200.0, Answer::Missed),
    ]
    .into_iter()
    .zip(1..)
    .map(|((load, answer), number)| probe(number, load, answer))
    .collect();
    let mut document = Document {
        schema_version: 1,
        version: "1.2.3".into(),
        workload: Workload { name: "capacity".into(), sha256: "5e".repeat(32) },
        seed: 42,
        started_at: "2026-11-22T03:00:00Z".into(),
        wall_s: 141.2,
        target: "embedded, iis-like, plain HTTP".into(),
        in_virtual_time: false,
        partial: false,
        compression: 1.0,
        sought: Sought {
            find: "phase.load.rate".into(),
            measure: Measure::Rate,
            easiest: 25.0,
            hardest: 800.0,
            harder: Harder::Larger,
            tolerance: 0.05,
            repeats: 3,
            rest_s: 0.5,
        },
        thresholds: vec!["operations.resync.response_ms.p99 < 500ms".into()],
        found: Some(Found::Knee(Knee {
            value: 96.8,
            met_at: 95.76,
            missed_at: 97.86,
            low: 91.7,
            high: 97.86,
            contradicted: vec![95.76],
            tight: true,
        })),
        bound: None,
        broke: None,
        recovery: Some(Recovered {
            judgement: Recovery::MetastableCollapse,
            base: 48.4,
            beyond: 193.6,
            parts: [
                stretch(2.5, 360, 360, 48.0, 14.0),
                stretch(10.0, 1_200, 400, 230.0, 900.0),
                stretch(20.0, 1_400, 6, 310.0, 1_000.0),
                stretch(30.0, 1_450, 0, 322.0, 1_000.0),
            ],
            left_off: 0,
            folder: Some("recovery".into()),
            verdict: Verdict::default(),
        }),
        no_recovery: None,
        scalability: None,
        no_scalability: None,
        curve: Point::curve(&probes, Harder::Larger),
        probes,
    };
    document.fit();
    document.broke = Broke::of(&document, true);
    document
}

#[test]
fn a_search_on_a_terminal() {
    let text = render(&document(), Some(Path::new("results/x")));
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_search_for_a_program() {
    let text =
        serde_json::to_string_pretty(&Document { probes: document().probes[2..3].to_vec(), ..document() }).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(serde_json::from_str::<Document>(&text).unwrap().curve, document().curve);
}

/// Whatever was found has its own words, and none of them fails for lack of figures.
#[test]
fn every_ending_has_words() {
    let found = [
        None,
        Some(Found::Met { at: 800.0 }),
        Some(Found::Missed { at: 25.0 }),
        Some(Found::Limited { at_least: Some(70.71), blind_at: 74.0, missed_at: Some(200.0) }),
        Some(Found::Limited { at_least: None, blind_at: 25.0, missed_at: None }),
    ];
    let mut told = String::new();
    for found in found {
        let bound = matches!(found, Some(Found::Limited { .. }))
            .then(|| Bound { what: "ports".into(), reasons: vec!["no local port was free".into()] });
        let recovery = None;
        let no_recovery = Some("the workload, or --no-recovery, says so".to_owned());
        let mut document = Document { found, bound, recovery, no_recovery, ..document() };
        document.broke = Broke::of(&document, false);
        document.curve.truncate(2);
        document.fit();
        told += &render(&document, None);
        told += "\n";
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_storm_that_must_not_be_narrower() {
    let document = document();
    let sought =
        Sought { measure: Measure::Time, find: "phase.power.over".into(), harder: Harder::Smaller, ..document.sought };
    let sought = Sought { easiest: 800.0, hardest: 25.0, ..sought };
    let mut probes = document.probes.clone();
    probes.iter_mut().filter_map(|probe| probe.figures.as_mut()).for_each(|f| f.drain_s = Some(130.0));
    let curve = Point::curve(&probes, Harder::Smaller);
    let document = Document { sought, curve, probes, ..document };
    insta::assert_snapshot!(render(&document, None));
}

#[test]
fn the_curve_in_a_spreadsheet() {
    let mut sheet = Vec::new();
    write_curve(&document(), &mut sheet).unwrap();
    insta::assert_snapshot!(String::from_utf8(sheet).unwrap());
}

#[test]
fn saved_and_read_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = crate::report::Folder::named(&root.path().join("x")).unwrap();
    assert!(!is_search(folder.path()));
    assert_eq!(write(&folder, &document()).unwrap(), ["capacity.csv", "report.html", "capacity.json"]);
    assert!(is_search(folder.path()));
    assert_eq!(write(&folder, &document()).unwrap(), [""; 0]);
    assert_eq!(read(folder.path()).unwrap(), document());
    std::fs::write(folder.path().join("capacity.json"), "{}").unwrap();
    assert!(read(folder.path()).unwrap_err().to_string().contains("capacity.json"));
}

/// Who is to blame follows from how operations ended, or from where their time went.
#[test]
fn blame_falls_where_the_figures_point() {
    let found = Some(Found::Missed { at: 200.0 });
    let blamed = |change: &dyn Fn(&mut Probe), embedded: bool| {
        let mut document = Document { found: found.clone(), ..document() };
        change(document.probes.last_mut().unwrap());
        let broke = Broke::of(&document, embedded).unwrap();
        assert!(!broke.remedy.is_empty(), "{}", broke.words);
        (broke.whose, broke.words)
    };
    let ended = |outcome: &'static str, fault: &'static str| {
        move |probe: &mut Probe| {
            let figures = probe.figures.as_mut().unwrap();
            figures.outcomes = [(outcome.to_owned(), 300), ("prompt-authentication".to_owned(), 900)].into();
            figures.faults =
                [(outcome.to_owned(), fault.to_owned()), ("prompt-authentication".into(), "phone".into())].into();
        }
    };
    for (outcome, fault, whose, words) in [
        ("overload", "server", Whose::Server, "it turned requests away (503): its queue is full"),
        ("http-429", "server", Whose::Server, "it turned requests away (429)"),
        ("timeout-first-byte", "server", Whose::Server, "answered later than the phones wait"),
        ("connect-refused", "server", Whose::Server, "backlog"),
        ("connect-timeout", "network", Whose::Network, "nothing came back"),
        ("local-ports", "generator", Whose::Generator, "the generator's own limit"),
        ("http-500", "server", Whose::Server, "by its own account"),
    ] {
        let (blamed, told) = blamed(&ended(outcome, fault), false);
        assert!(blamed == whose && told.contains(words) && told.contains("300 of 2,000"), "{outcome}: {told}");
    }
    let starved = |probe: &mut Probe| {
        probe.verdict.state = Validity::Degraded;
        let figures = probe.figures.as_mut().unwrap();
        (figures.core_busy, figures.loop_lag_p99_ms) = (Some(1.0), Some(120.0));
    };
    let busy = |probe: &mut Probe| {
        starved(probe);
        probe.figures.as_mut().unwrap().loop_lag_p99_ms = Some(6.0);
    };
    assert_eq!(blamed(&busy, true).0, Whose::Server, "six milliseconds do not explain six hundred");
    assert_eq!(blamed(&starved, true).0, Whose::SharedCores);
    assert_eq!(blamed(&starved, false).0, Whose::Server, "a server elsewhere has its own cores");
    let slow = |part: &'static str| {
        move |probe: &mut Probe| {
            let figures = probe.figures.as_mut().unwrap();
            figures.outcomes.clear();
            figures.phases_ms = [(part.to_owned(), 812.0), ("send".to_owned(), 0.1)].into();
        }
    };
    for (part, whose) in [
        ("first_byte", Whose::Server),
        ("tls", Whose::Server),
        ("waited", Whose::Generator),
        ("receive", Whose::Network),
    ] {
        let (blamed, told) = blamed(&slow(part), true);
        assert!(blamed == whose && told.contains("812 ms"), "{part}: {told}");
    }
}

/// Ten operations of 100 ms, one of which fails, within five seconds.
#[test]
fn figures_and_stretches_come_from_the_record() {
    let mut recorder = Recorder::new(10, 1.0);
    for phone in 0..10 {
        let at = Duration::from_millis(500) * phone;
        let intended = Moment::from_micros(at.as_micros() as u64);
        recorder.action(at, phone, &Action::Planned(Operation::Resync));
        recorder.action(at, phone, &Action::Started { operation: Operation::Resync, intended });
        let outcome = if phone == 3 { Outcome::Failed(Failure::TimeoutFirstByte) } else { Outcome::Ok };
        recorder.action(at + Duration::from_millis(100), phone, &Action::Finished(Operation::Resync, outcome));
    }
    let wall = Duration::from_secs(5);
    let slices = recorder.finish_slices(wall);
    let mut record = Record {
        plan: PlanFacts { phones: 10, compression: 2.0, ..PlanFacts::default() },
        started_at: SystemTime::UNIX_EPOCH,
        wall,
        tally: crate::metrics::Tally::default(),
        timeline: Timeline::default(),
        generator: GeneratorFacts::default(),
        marks: Marks::default(),
        target: None,
        thresholds: Vec::new(),
    };
    slices.iter().for_each(|slice| {
        record.timeline.add(slice);
        record.tally.add(slice);
    });
    record.tally.until(wall);
    let figures = Figures::of(&record, &Summary::of(&record));
    assert_eq!((figures.started, figures.succeeded, figures.failed), (10, 9, 1));
    assert_eq!((figures.failed_share, figures.drain_s), (Some(0.1), None));
    // Nine in five real seconds are 0.9 in a second of the phones' time, which runs twice as fast.
    assert_eq!((figures.throughput_per_s, figures.concurrency), (Some(0.9), Some(0.18)));
    assert_eq!(figures.faults["timeout-first-byte"], "server");
    let first = stretch(&record, (0.0, 2.0));
    assert_eq!((first.finished, first.succeeded, first.goodput_per_s), (4, 3, 0.75));
    let median = first.response_p50_ms.unwrap();
    assert!((99.0..=101.0).contains(&median), "{median}");
    let beyond = stretch(&record, (4.0, 9.0));
    assert_eq!((beyond.finished, stretch(&record, (7.0, 9.0)).finished), (2, 0));
}
