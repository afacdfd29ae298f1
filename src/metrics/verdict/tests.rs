//! Each rule on a record of its own, at its bounds.

use std::time::Duration;

use super::*;
use crate::metrics::record::tests::closed;
use crate::metrics::{
    CoreSample, Due, HandshakeFacts, HandshakeKind, Law, MachineSample, PhaseFacts, Row, ThreadSample, Timeline,
};
use crate::phone::{Failure, Operation};

fn judged(change: impl FnOnce(&mut Record)) -> Verdict {
    let mut record = closed();
    change(&mut record);
    Verdict::of(&record)
}

#[track_caller]
fn assert_says(verdict: &Verdict, state: Validity, words: &str) {
    assert_eq!(verdict.state, state, "{:?}", verdict.reasons);
    assert!(verdict.reasons.iter().any(|reason| reason.contains(words)), "{words}: {:?}", verdict.reasons);
}

#[track_caller]
fn assert_valid(verdict: &Verdict) {
    assert_eq!(*verdict, Verdict { state: Validity::Valid, reasons: vec![] });
}

#[test]
fn a_run_whose_books_close_and_whose_generator_kept_up_is_valid() {
    assert_valid(&judged(|_| ()));
}

type Change = fn(&mut Record);

#[test]
fn books_that_do_not_close_make_it_invalid() {
    let cases: [(&str, Change); 5] = [
        ("restore: 1 planned, but 0 started and 0 dropped", |r| r.tally.totals.operations[1].planned += 1),
        ("restore: 1 started, but 0 outcomes", |r| {
            r.tally.totals.operations[1].planned += 1;
            r.tally.totals.operations[1].started += 1;
        }),
        ("exchanges: 1 sent, but 0 answered and 0 failed", |r| r.tally.totals.exchanges.sent += 1),
        ("the plan has 8 phones, the shards had 7", |r| r.plan.phones += 1),
        ("phones: 7 in all, but 6 off", |r| r.tally.totals.standings.off -= 1),
    ];
    for (words, change) in cases {
        assert_says(&judged(change), Validity::Invalid, words);
    }
}

#[test]
fn books_that_do_not_close_in_between_make_it_invalid_too() {
    let second = |planned, started, finished| {
        let mut row = Row::default();
        (row.interval.planned, row.interval.started, row.interval.finished) = (planned, started, finished);
        row
    };
    let run = |rows: Vec<Row>| {
        judged(|r| {
            r.timeline.rows = rows;
            r.tally.totals.operations[0].planned = 2;
            r.tally.totals.operations[0].started = 2;
            *r.tally.totals.operations[0].outcomes.values_mut().next().unwrap() = 2;
        })
    };
    assert_valid(&run(vec![second(2, 1, 0), second(0, 1, 2)]));
    let verdict = run(vec![second(1, 1, 0), second(0, 1, 0), second(1, 0, 2)]);
    assert_says(
        &verdict,
        Validity::Invalid,
        "by the end of second 1, 1 operations more were begun or dropped than planned",
    );
    let verdict = run(vec![second(2, 1, 2), second(0, 1, 0)]);
    assert_says(&verdict, Validity::Invalid, "by the end of second 0, 1 operations more had ended than begun");
    let verdict = run(vec![second(2, 1, 0), second(1, 1, 2)]);
    assert_says(&verdict, Validity::Invalid, "2 operations planned in all, but 3 when its seconds are added up");
}

#[test]
fn the_generators_own_limits_make_it_invalid_and_the_servers_do_not() {
    for failure in Failure::ALL {
        let verdict = judged(|r| {
            r.tally.totals.exchanges.sent += 3;
            r.tally.totals.exchanges.failures.insert(failure, 3);
        });
        let generators = matches!(failure, Failure::LocalPorts | Failure::LocalFiles);
        assert_eq!(verdict.state == Validity::Invalid, generators, "{failure:?}");
        assert_eq!(verdict.reasons.iter().any(|r| r.contains(failure.name())), generators);
    }
}

#[test]
fn an_empty_run_does_not_pass_for_a_measurement() {
    let verdict = judged(|r| r.tally = crate::metrics::Recorder::new(7, 1.0).finish(Duration::ZERO));
    assert_eq!(verdict.state, Validity::Degraded);
}

#[test]
fn a_busy_shard_degrades_and_a_saturated_one_invalidates() {
    for (busy, state) in
        [(0.8, Validity::Valid), (0.81, Validity::Degraded), (0.9, Validity::Degraded), (0.91, Validity::Invalid)]
    {
        assert_eq!(judged(|r| r.generator.cpu_busy_max = busy).state, state, "{busy}");
    }
}

/// So many seconds of the run, each with a look at the machine and so many operations that ended in it.
fn seconds(record: &mut Record, seconds: &[(u32, f32, f32)]) {
    let all: u32 = seconds.iter().map(|(operations, ..)| operations).sum();
    record.timeline = Timeline::default();
    for &(operations, busy, waited) in seconds {
        let mut row = Row::default();
        (row.interval.planned, row.interval.started, row.interval.finished) = (operations, operations, operations);
        let idle = ThreadSample { busy: 0.02, waited: 0.0 };
        let cores =
            vec![CoreSample { core: 0, busy: 0.99, steal: 0.0 }, CoreSample { core: 1, busy: 0.5, steal: 0.01 }];
        let shards = vec![idle, ThreadSample { busy, waited }];
        row.machine = Some(MachineSample { cores, shards, ..MachineSample::default() });
        record.timeline.rows.push(row);
    }
    let o = &mut record.tally.totals.operations[0];
    (o.planned, o.started) = (all.into(), all.into());
    *o.outcomes.values_mut().next().unwrap() = all.into();
}

#[test]
fn what_a_thread_wanted_of_its_core_counts_where_the_operations_fell() {
    type Seconds = &'static [(u32, f32, f32)];
    let table: [(Seconds, Validity, &str); 8] = [
        // A core is busy, and the thread has all the time it wants: the server under test is beside it.
        (&[(100, 0.4, 0.05); 10], Validity::Valid, ""),
        (&[(100, 0.95, 0.0); 10], Validity::Invalid, "used 95 % of its core in the seconds in which 100 % of"),
        (&[(100, 0.85, 0.0); 10], Validity::Degraded, "bursts may have waited"),
        // A hog: the thread wants little more than half of a core, and gets half of that.
        (&[(100, 0.48, 0.47); 10], Validity::Invalid, "wanted a core 95 % of the time and had one 48 % of it"),
        // A start-up of a second, in which hardly anything ended.
        (&[(5, 1.0, 0.0), (100, 0.3, 0.0), (100, 0.3, 0.0)], Validity::Valid, ""),
        // One bad second of twenty, in which most of it happened.
        (&[(2, 0.1, 0.0), (900, 0.5, 0.5), (2, 0.1, 0.0), (2, 0.1, 0.0)], Validity::Invalid, "something else"),
        // Nothing happened while somebody else had the core.
        (&[(0, 0.1, 0.9), (0, 0.1, 0.9), (100, 0.3, 0.0)], Validity::Valid, ""),
        (&[(0, 0.1, 0.0); 3], Validity::Valid, ""),
    ];
    for (rows, state, words) in table {
        let verdict = judged(|r| {
            seconds(r, rows);
            // The run's own average is not asked where the seconds are known.
            r.generator.cpu_busy_max = 0.99;
        });
        if rows.iter().all(|(n, ..)| *n == 0) {
            assert_eq!(verdict.state, Validity::Degraded, "nothing was measured: {verdict:?}");
            continue;
        }
        assert_eq!(verdict.state, state, "{rows:?}: {verdict:?}");
        assert!(verdict.reasons.iter().any(|r| r.contains(words)) || words.is_empty(), "{words}: {verdict:?}");
    }
}

/// Three seconds of waiting for the server, of which a thread without a core can have made 40 ms.
#[test]
fn waiting_for_a_core_that_cannot_have_moved_the_figures_only_degrades() {
    let waited = |lag_ms: u64| {
        judged(|r| {
            seconds(r, &[(100, 0.05, 0.9); 10]);
            times(r, 1_000, 3_000_000, 300);
            (0..300).for_each(|_| r.generator.loop_lag.record(Duration::from_millis(lag_ms)));
        })
    };
    assert_says(&waited(40), Validity::Degraded, "something else on the generator's machine held the cores");
    assert_says(&waited(400), Validity::Invalid, "something else on the generator's machine held the cores");
}

#[test]
fn time_given_to_other_machines_degrades() {
    for (steal, state) in [(0.019, Validity::Valid), (0.03, Validity::Degraded)] {
        let verdict = judged(|r| {
            seconds(r, &[(100, 0.3, 0.0); 10]);
            r.timeline.rows.iter_mut().for_each(|row| row.machine.as_mut().unwrap().cores[1].steal = steal);
        });
        assert_eq!(verdict.state, state, "{verdict:?}");
    }
}

/// Operations with this lateness and response time, and the machine's floor.
fn times(record: &mut Record, late_us: u64, response_us: u64, samples: usize) {
    let o = &mut record.tally.totals.operations[1];
    for _ in 0..samples {
        o.lateness.record(Duration::from_micros(late_us));
        o.response.record(Duration::from_micros(response_us));
    }
    (0..300).for_each(|_| record.generator.timer_floor.record(Duration::from_micros(120)));
}

#[test]
fn lateness_matters_when_it_is_beyond_the_machines_floor_and_a_good_part_of_the_response_time() {
    for (late_us, response_us, state) in [
        (110, 400, Validity::Valid),
        (310, 900, Validity::Valid),
        (1_000, 25_000, Validity::Valid),
        (1_000, 2_000, Validity::Invalid),
        (500, 9_000, Validity::Invalid),
        (500, 11_000, Validity::Valid),
    ] {
        let verdict = judged(|r| times(r, late_us, response_us, 300));
        assert_eq!(verdict.state, state, "{late_us} of {response_us}: {verdict:?}");
        let said = "restore: lateness p99 of";
        assert_eq!(verdict.reasons.iter().any(|r| r.contains(said)), state == Validity::Invalid);
        assert!(verdict.reasons.iter().all(|r| r.contains("this machine's own floor is 0.32 ms")));
    }
    // Handshakes take the thread for longer in one piece: starts that fall together wait for each other's.
    for (cpu_us, state) in [(100, Validity::Invalid), (300, Validity::Valid)] {
        let verdict = judged(|r| {
            times(r, 600, 1_400, 300);
            let facts =
                HandshakeFacts { cpu: Duration::from_micros(cpu_us), ..HandshakeFacts::new(HandshakeKind::Full) };
            (0..300).for_each(|_| r.tally.totals.tls.record(&facts));
        });
        assert_eq!(verdict.state, state, "{cpu_us}: {verdict:?}");
    }
    // Where nobody measured the floor, 5 ms are none of anybody's business.
    let unknown = |late_ms: u64| {
        judged(|r| {
            times(r, late_ms * 1_000, late_ms * 5_000, 300);
            r.generator.timer_floor = crate::metrics::Distribution::new();
        })
    };
    assert_valid(&unknown(5));
    assert_says(&unknown(6), Validity::Invalid, "lateness p99 of 6.00 ms is 20 % of the response time p99 of 30.0 ms");
}

#[test]
fn too_few_operations_for_a_p99_are_not_judged_by_it() {
    assert_valid(&judged(|r| times(r, 900_000, 1_000_000, 298)));
    assert_eq!(judged(|r| times(r, 900_000, 1_000_000, 299)).state, Validity::Invalid);
}

#[test]
fn a_machine_that_was_busy_before_the_run_is_told_of() {
    let on = |floor_ms: u64, late_ms: u64| {
        judged(|r| {
            times(r, late_ms * 1_000, 40_000, 300);
            r.generator.timer_floor = crate::metrics::Distribution::new();
            (0..300).for_each(|_| r.generator.timer_floor.record(Duration::from_millis(floor_ms)));
        })
    };
    assert_says(&on(7, 6), Validity::Degraded, "the machine was busy already");
    assert_says(&on(7, 8), Validity::Invalid, "did not keep to its plan");
    assert_valid(&on(7, 1));
}

#[test]
fn stalls_that_only_the_tail_knows_of_degrade() {
    let verdict = judged(|r| {
        times(r, 100, 2_000, 2_990);
        times(r, 45_000, 47_000, 10);
    });
    assert_says(
        &verdict,
        Validity::Degraded,
        "lateness p99.9 of 45.0 ms is 96 % of the response time p99.9 of 47.0 ms",
    );
}

#[test]
fn lateness_that_does_not_show_or_is_the_embedded_servers_only_degrades() {
    let with = |late_us: u64, service_us: u64, embedded: bool| {
        judged(|r| {
            times(r, late_us, 20_000, 300);
            (0..300).for_each(|_| r.tally.totals.operations[1].service.record(Duration::from_micros(service_us)));
            (0..300).for_each(|_| r.generator.loop_lag.record(Duration::from_micros(200)));
            r.plan.embedded = embedded;
        })
    };
    assert_says(&with(2_000, 19_800, false), Validity::Degraded, "it hardly shows");
    assert_says(&with(2_000, 18_000, false), Validity::Invalid, "did not keep to its plan");
    assert_says(&with(2_000, 18_000, true), Validity::Degraded, "the embedded server runs on the same cores");
    assert_says(&with(15_000, 5_000, true), Validity::Invalid, "did not keep to its plan");
}

#[test]
fn who_had_to_wait_for_a_connection_is_told_by_whose_will() {
    let waits = |bounded: bool, most: u64, waited_ms: u64, in_flight: i32| {
        judged(|r| {
            times(r, 12_345_000, 60_000_000, 300);
            for _ in 0..300 {
                r.tally.totals.exchanges.phases.waited.record(Duration::from_millis(waited_ms));
            }
            r.plan.connections_bounded = bounded;
            r.generator.max_connections = most;
            let mut row = crate::metrics::Interval::default();
            (row.in_flight_change, row.in_flight_rise) = (in_flight, in_flight);
            r.tally.intervals.append(&crate::metrics::Slice { interval: row, ..Default::default() });
        })
    };
    let asked = waits(true, 5, 12_000, 5);
    assert_says(&asked, Validity::Degraded, "lateness p99 of 12.3 s is 21 % of the response time p99 of 60.0 s");
    assert_says(&asked, Validity::Degraded, "the workload allows 5 at once (network.max-connections)");
    assert_says(&waits(false, 5, 12_000, 5), Validity::Invalid, "machine allows only 5 for 7 phones");
    // There were connections left, or phones did not wait for them: then it was the generator.
    for verdict in [waits(true, 5, 12_000, 1), waits(true, 5, 100, 5), waits(true, 7, 12_000, 7)] {
        assert_says(&verdict, Validity::Invalid, "the generator did not keep to its plan");
    }
}

#[test]
fn what_nothing_could_begin_at_once_is_no_fault() {
    let at_once = |burst| {
        judged(|r| {
            times(r, 300_000, 1_000_000, 300);
            r.plan.due.burst = burst;
        })
    };
    assert_says(&at_once(2_000), Validity::Degraded, "2000 starts are due within one millisecond");
    assert_says(&at_once(3), Validity::Invalid, "the generator did not keep");
}

#[test]
fn others_who_hold_the_core_are_named() {
    let verdict = judged(|r| {
        seconds(r, &[(300, 0.2, 0.35); 5]);
        times(r, 3_000, 9_000, 300);
    });
    assert_says(&verdict, Validity::Invalid, "something else on the generator's machine held the core");
    assert_says(&verdict, Validity::Invalid, "35 % of the time");
}

/// A slow server: ever more phones wait for it, and each was attempted in time.
#[test]
fn a_slow_server_is_not_blamed_on_the_generator() {
    let verdict = judged(|r| {
        times(r, 300, 45_000_000, 3_000);
        seconds(r, &[(100, 0.1, 0.01); 30]);
        for (n, row) in r.timeline.rows.iter_mut().enumerate() {
            row.interval.in_flight_change = 90;
            row.backlog = 80 * n as u64;
        }
        r.generator.max_connections = 5_000;
    });
    assert_valid(&verdict);
}

/// Starts due and delivered, second by second.
fn starts(record: &mut Record, due: &[u32], delivered: &[u32]) {
    let row = |&starts: &u32| {
        let mut row = Row::default();
        row.interval.starts = starts;
        row
    };
    record.plan.due = Due { width_s: 1, starts: due.to_vec(), burst: 1 };
    record.timeline.rows = delivered.iter().map(row).collect();
    // One operation, as the totals have it.
    if let Some(first) = record.timeline.rows.first_mut() {
        (first.interval.planned, first.interval.started, first.interval.finished) = (1, 1, 1);
    }
}

#[test]
fn the_load_must_be_the_one_asked_for_all_the_way() {
    let steady = [100; 30];
    let with = |changes: &[(usize, u32)]| {
        let mut delivered = steady;
        changes.iter().for_each(|(second, n)| delivered[*second] = *n);
        judged(|r| starts(r, &steady, &delivered))
    };
    assert_valid(&with(&[]));
    // A second or less is lateness, whatever its part of a stretch.
    assert_valid(&with(&[(7, 0), (8, 200)]));
    let behind = with(&[(7, 0), (8, 0), (9, 300)]);
    assert_says(
        &behind,
        Validity::Invalid,
        "the generator fell behind its plan: 800 starts were due from second 0 to 8",
    );
    assert_says(&behind, Validity::Invalid, "100 starts (12 %) were more than 1 s late");
    let slow = with(&[(29, 60)]);
    assert_says(&slow, Validity::Invalid, "2960 starts were delivered and 3000 were due by the end (1.3 % off)");
    assert_valid(&with(&[(29, 70)]));
    // A burst at the very end of a second reaches its phones in the next.
    assert_valid(&judged(|r| starts(r, &[0, 0, 2_000, 0], &[0, 0, 3, 1_997])));
    // One straggler of a short run is no other load.
    assert_valid(&judged(|r| starts(r, &[10, 10, 10, 10], &[10, 9, 10, 11])));
    // After the plan's last start the run goes on.
    assert_valid(&judged(|r| starts(r, &[50, 50], &[50, 50, 0, 0, 0, 0])));
}

#[test]
fn what_an_interrupted_run_did_not_deliver_nobody_was_late_with() {
    let (due, delivered) = ([100; 30], [100, 100, 100, 40, 0, 0]);
    assert_says(&judged(|r| starts(r, &due, &delivered)), Validity::Invalid, "were due by the end");
    assert_valid(&judged(|r| {
        starts(r, &due, &delivered);
        r.marks.partial = true;
    }));
    assert_valid(&judged(|r| {
        starts(r, &due, &[100, 100, 40]);
        r.marks.ends_at_ms = Some(2_500);
    }));
    let behind = judged(|r| {
        starts(r, &due, &[100, 0, 0, 0, 300, 100, 20, 0]);
        r.marks.partial = true;
    });
    assert_says(&behind, Validity::Invalid, "the generator fell behind its plan");
}

#[test]
fn the_worst_is_told_first() {
    let verdict = judged(|r| {
        seconds(r, &[(100, 0.85, 0.0); 10]);
        times(r, 1_000, 2_000, 300);
    });
    assert_eq!((verdict.state, verdict.reasons.len()), (Validity::Invalid, 2), "{verdict:?}");
    assert!(verdict.reasons[0].contains("lateness"), "{verdict:?}");
}

/// A minute and more of steady load: starts by this law, and as many responses in each second.
fn steady(record: &mut Record, law: Law, seconds: u32, arrivals: Vec<u64>) {
    let mut seed = 1_u64;
    let mut chance = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / (1_u64 << 31) as f64
    };
    let o = &mut record.tally.totals.operations[0];
    let before = o.clone();
    record.plan.phases = vec![PhaseFacts { name: "steady".into(), at_us: 0, law }];
    record.timeline = Timeline { arrivals: vec![arrivals], ..Timeline::default() };
    for _ in 0..seconds {
        let mut row = Row::default();
        let mut response = crate::metrics::Distribution::new();
        for _ in 0..100 {
            let us = 20_000.0 - 5_000.0 * chance().max(1e-9).ln();
            response.record(Duration::from_micros(us as u64));
        }
        o.response.merge(&response);
        row.response[0] = response.buckets();
        record.timeline.rows.push(row);
    }
    assert_eq!(before.planned, 1);
    let first = &mut record.timeline.rows[0].interval;
    (first.planned, first.started, first.finished) = (1, 1, 1);
    (0..300).for_each(|_| record.generator.timer_floor.record(Duration::from_micros(120)));
}

fn evenly(rate: f64, seconds: u32) -> Vec<u64> {
    (0..(rate * f64::from(seconds)) as u64).map(|n| (n as f64 / rate * 1e6) as u64).collect()
}

#[test]
fn a_steady_load_is_held_to_its_law_and_told_with_intervals() {
    let law = Law::Constant { rate: 100.0 };
    let mut record = closed();
    steady(&mut record, law, 60, evenly(100.0, 60));
    assert_valid(&Verdict::of(&record));
    let intervals = record.response_intervals(Operation::ALL[0]);
    let p99 = record.tally.totals.operations[0].response.quantile_us(0.99).unwrap() as f64;
    let (low, high) = intervals.p99.unwrap();
    assert!(low < p99 && p99 < high && high - low < 0.3 * p99, "{low} to {high} about {p99}");
    assert!(intervals.p50.is_some() && intervals.p90.is_some() && intervals.refused.is_none(), "{intervals:?}");

    // Rounded up to ticks of 100 ms, and with the floor of a machine that could do better.
    let ticks = evenly(100.0, 60).into_iter().map(|us| us.div_ceil(100_000) * 100_000).collect();
    let verdict = judged(|r| steady(r, law, 60, ticks));
    assert_says(&verdict, Validity::Degraded, "phase `steady`: the starts are not the law they claim to be");
    // 50 ms of nothing every five seconds.
    let stalled =
        evenly(100.0, 60).into_iter().map(|us| if us % 5_000_000 < 50_000 { us - us % 5_000_000 + 50_000 } else { us });
    let verdict = judged(|r| steady(r, law, 60, stalled.collect()));
    assert_says(&verdict, Validity::Degraded, "gaps are too long for the law");
}

#[test]
fn a_steady_load_too_short_for_an_interval_degrades_and_a_storm_does_not() {
    let verdict = judged(|r| steady(r, Law::Constant { rate: 100.0 }, 15, evenly(100.0, 15)));
    assert_says(&verdict, Validity::Degraded, "cannot be told: the run is too short");
    // Over in less time than anybody would call steady: an event. So is a storm, however long.
    for (law, seconds) in [(Law::Constant { rate: 100.0 }, 9), (Law::Given, 60)] {
        let mut record = closed();
        steady(&mut record, law, seconds, evenly(100.0, seconds));
        assert_valid(&Verdict::of(&record));
        let refused = record.response_intervals(Operation::ALL[0]).refused.unwrap();
        assert!(refused.contains("one storm is one event"), "{refused}");
    }
}
