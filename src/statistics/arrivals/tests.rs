//! Clean arrivals are left in peace, planted faults are named.

use proptest::prelude::*;
use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;

/// Not at zero: the clock of the arrivals need not start with the phase.
const START: u64 = 17_000_000;

fn window(seconds: u64) -> Window {
    Window { start_us: START, end_us: START + seconds * 1_000_000 }
}

fn poisson(rate_at: impl Fn(f64) -> f64, seconds: u64, seed: u64) -> Vec<u64> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut at = 0.0;
    let mut arrivals = Vec::new();
    loop {
        let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        at += -uniform.ln() / rate_at(at);
        if at >= seconds as f64 {
            return arrivals;
        }
        arrivals.push(START + (at * 1e6) as u64);
    }
}

fn constant(rate: f64, seconds: u64) -> Vec<u64> {
    let count = (rate * seconds as f64) as u64;
    (0..count).map(|i| START + ((i as f64 + 0.3) / rate * 1e6) as u64).collect()
}

/// Starts only on the ticks of a coarse timer.
fn ticks(arrivals: &[u64], tick_us: u64) -> Vec<u64> {
    arrivals.iter().map(|at| at.div_ceil(tick_us) * tick_us).filter(|at| *at < START + 60_000_000).collect()
}

/// 50 ms without a start every 5 s; what was due then starts at its end.
fn stalled(arrivals: &[u64]) -> Vec<u64> {
    arrivals.iter().map(|&at| if at % 5_000_000 < 50_000 { at - at % 5_000_000 + 50_000 } else { at }).collect()
}

fn found(findings: &[Finding], which: fn(&Finding) -> bool) -> bool {
    findings.iter().any(which)
}

#[test]
fn clean_arrivals_give_few_false_alarms() {
    // At most six checks at one in a thousand: 2.4 alarms expected of 400 phases; 1 % would be 4, and 10 is beyond chance.
    let mut alarms = Vec::new();
    for seed in 0..400 {
        let (rate, seconds) = [(20.0, 60), (100.0, 60), (500.0, 20), (2_000.0, 10)][seed as usize % 4];
        let law = Law::Poisson { rate_per_s: rate };
        alarms.extend(check_arrivals(&poisson(|_| rate, seconds, seed), law, window(seconds)));
    }
    assert!(alarms.len() < 10, "{alarms:?}");
    for (rate, seconds) in [(20.0, 60), (333.3, 60), (2_000.0, 60), (7_000.0, 10)] {
        assert_eq!(check_arrivals(&constant(rate, seconds), Law::Constant { rate_per_s: rate }, window(seconds)), []);
    }
}

#[test]
fn ticks_of_a_millisecond_are_found() {
    let law = Law::Poisson { rate_per_s: 2_000.0 };
    for seed in 0..5 {
        let arrivals = ticks(&poisson(|_| 2_000.0, 60, seed), 1_000);
        let findings = check_arrivals(&arrivals, law, window(60));
        assert!(
            found(&findings, |f| matches!(f, Finding::GapsOffTheLaw { distance, .. } if *distance > 0.3)),
            "{findings:?}"
        );
    }
    let findings =
        check_arrivals(&ticks(&constant(2_000.0, 60), 1_000), Law::Constant { rate_per_s: 2_000.0 }, window(60));
    assert!(found(&findings, |f| matches!(f, Finding::UnevenGaps { .. })), "{findings:?}");
    let intended = poisson(|_| 2_000.0, 60, 4);
    let given = Law::Given { intended_us: &intended };
    let findings = check_arrivals(&ticks(&intended, 1_000), given, window(60));
    assert!(found(&findings, |f| matches!(f, Finding::GapsOffTheLaw { .. })), "{findings:?}");
}

#[test]
fn ticks_that_do_not_matter_are_not() {
    // 60,000 gaps on a grid of 10 µs: any test of fit without a bound on the size calls that significant.
    let arrivals = ticks(&poisson(|_| 1_000.0, 60, 3), 10);
    assert_eq!(check_arrivals(&arrivals, Law::Poisson { rate_per_s: 1_000.0 }, window(60)), []);
}

#[test]
fn stalls_are_found() {
    for seed in 0..5 {
        let intended = poisson(|_| 2_000.0, 60, seed);
        let late = stalled(&intended);
        for law in [Law::Poisson { rate_per_s: 2_000.0 }, Law::Given { intended_us: &intended }] {
            let findings = check_arrivals(&late, law, window(60));
            let stall =
                |f: &Finding| matches!(f, Finding::Stalls { count: 12, share_of_time, .. } if *share_of_time > 0.009);
            assert!(found(&findings, stall), "{findings:?}");
        }
    }
    let findings = check_arrivals(&stalled(&constant(2_000.0, 60)), Law::Constant { rate_per_s: 2_000.0 }, window(60));
    assert!(found(&findings, |f| matches!(f, Finding::Stalls { count: 12, .. })), "{findings:?}");
}

#[test]
fn a_rate_that_is_off_is_found() {
    for seed in 0..5 {
        let arrivals = poisson(|_| 1_960.0, 60, seed);
        let findings = check_arrivals(&arrivals, Law::Poisson { rate_per_s: 2_000.0 }, window(60));
        assert!(matches!(findings[..], [Finding::RateOff { .. }]), "{findings:?}");
    }
    let findings = check_arrivals(&constant(1_960.0, 60), Law::Constant { rate_per_s: 2_000.0 }, window(60));
    assert!(found(&findings, |f| matches!(f, Finding::RateOff { .. })), "{findings:?}");
    let nothing = check_arrivals(&[], Law::Constant { rate_per_s: 2_000.0 }, window(60));
    assert!(matches!(nothing[..], [Finding::RateOff { seen_per_s: 0.0, .. }]), "{nothing:?}");
}

#[test]
fn a_rate_that_doubles_half_way_is_found() {
    for seed in 0..5 {
        let arrivals = poisson(|at| if at < 30.0 { 200.0 } else { 400.0 }, 60, seed);
        let findings = check_arrivals(&arrivals, Law::Poisson { rate_per_s: 300.0 }, window(60));
        let half_way = |f: &Finding| matches!(f, Finding::RateMoves { at_s, distance } if (at_s - 30.0).abs() < 3.0 && *distance > 0.1);
        assert!(found(&findings, half_way), "{findings:?}");
    }
}

#[test]
fn other_laws_are_not_taken_for_poisson() {
    let law = Law::Poisson { rate_per_s: 200.0 };
    let even = check_arrivals(&constant(200.0, 60), law, window(60));
    assert!(found(&even, |f| matches!(f, Finding::GapsOffTheLaw { .. })), "{even:?}");
    assert!(found(&even, |f| matches!(f, Finding::CountsSwing { dispersion } if *dispersion < 0.1)), "{even:?}");
    // Every other second is twice as busy.
    let swings = poisson(|at| if (at as u64).is_multiple_of(2) { 133.3 } else { 266.7 }, 60, 1);
    let swings = check_arrivals(&swings, law, window(60));
    assert!(found(&swings, |f| matches!(f, Finding::CountsSwing { dispersion } if *dispersion > 1.5)), "{swings:?}");
    // Long and short gaps take turns: the same gaps, another order.
    let mut gaps: Vec<u64> = poisson(|_| 200.0, 60, 2).windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let half = gaps.len() / 2;
    let mut at = START;
    let turns: Vec<u64> = (0..half)
        .flat_map(|i| [gaps[(i * 7919) % half], gaps[half + (i * 104_729) % half]])
        .map(|gap| {
            at += gap;
            at
        })
        .filter(|at| *at < START + 60_000_000)
        .collect();
    let turns = check_arrivals(&turns, law, window(60));
    assert!(found(&turns, |f| matches!(f, Finding::GapsCorrelated { lag_one } if *lag_one < -0.5)), "{turns:?}");
}

#[test]
fn few_arrivals_are_not_judged() {
    assert_eq!(check_arrivals(&[START; 99], Law::Poisson { rate_per_s: 1.0 }, window(60)), []);
}

proptest! {
    #[test]
    fn what_starts_as_given_is_clean(mut gaps in proptest::collection::vec(0u64..200_000, 100..400), shift in 0u64..2) {
        let mut at = START;
        gaps.iter_mut().for_each(|gap| {
            at += *gap;
            *gap = at;
        });
        let window = Window { start_us: START, end_us: at + 10 };
        let actual: Vec<u64> = gaps.iter().enumerate().map(|(i, at)| at + shift * (i as u64 % 2)).collect();
        let mut actual = actual;
        actual.sort_unstable();
        prop_assert_eq!(check_arrivals(&actual, Law::Given { intended_us: &gaps }, window), vec![]);
    }

    #[test]
    fn whatever_arrives_is_judged_without_a_panic(
        mut arrivals in proptest::collection::vec(START..START + 10_000_000, 0..300),
        mut intended in proptest::collection::vec(START..START + 10_000_000, 0..300),
        rate in 0.1f64..1e6,
    ) {
        arrivals.sort_unstable();
        intended.sort_unstable();
        for law in [Law::Poisson { rate_per_s: rate }, Law::Constant { rate_per_s: rate }, Law::Given { intended_us: &intended }] {
            for finding in check_arrivals(&arrivals, law, window(10)) {
                prop_assert!(!finding.to_string().contains("NaN"), "{finding}");
            }
        }
    }
}
