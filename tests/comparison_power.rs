//! Does `compare` find what was planted, and nothing else? The small version of the figures in `docs/statistics.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod virtual_queue;

use bootstorm::statistics::comparison::{Answer, Terms, compare_pair, compare_pairs};
use bootstorm::statistics::{Interval, Refusal, Seconds};
use virtual_queue::{Queue, Service, slices};

/// The figures of one run and of the same run with all response times 5 % longer.
struct Run {
    plain: Result<Interval, Refusal>,
    longer: Result<Interval, Refusal>,
}

fn run(seconds: usize, seed: u64) -> Run {
    let mut run = Queue::new(Service::Exponential, 500.0, 0.3).run(seconds, seed);
    let judge = |run: &[Vec<(u32, u32)>]| Seconds::new(slices(run)).interval(0.99, &Terms::default().rules(seed));
    let plain = judge(&run);
    run.iter_mut().flatten().for_each(|(value, _)| *value += *value / 20);
    Run { plain, longer: judge(&run) }
}

fn is_difference(answer: Answer) -> bool {
    matches!(answer, Answer::Faster | Answer::Slower)
}

#[test]
fn one_pair_finds_five_percent_and_no_more_than_there_is() {
    // Binomial, 20 pairs: at 2 % false differences four or more come once in 1,700; at 90 % power fewer than 15 come once
    // in 90, at half that power 15 or more once in 3,000.
    let pairs: Vec<(Run, Run)> = (0..20).map(|pair| (run(360, 2 * pair), run(360, 2 * pair + 1))).collect();
    let terms = Terms::default();
    let same = pairs.iter().map(|(a, b)| compare_pair(a.plain, b.plain, &terms).answer);
    let planted = pairs.iter().map(|(a, b)| compare_pair(a.plain, b.longer, &terms).answer);
    let removed = pairs.iter().map(|(a, b)| compare_pair(a.longer, b.plain, &terms).answer);
    let wrong = same.filter(|answer| is_difference(*answer)).count();
    let slower = planted.filter(|answer| *answer == Answer::Slower).count();
    let faster = removed.filter(|answer| *answer == Answer::Faster).count();
    assert!(wrong <= 3, "{wrong} false differences");
    assert!(slower >= 15 && faster >= 15, "{slower} found slower, {faster} found faster, of 20");
}

#[test]
fn several_short_pairs_find_five_percent() {
    // Ten trials of eight pairs of a minute each: too short for an interval of their own, not for the order of eight.
    let (mut wrong, mut found) = (0, 0);
    for trial in 0..10u64 {
        let figures: Vec<(f64, f64)> = (0..16)
            .map(|index| {
                let seconds = Queue::new(Service::Exponential, 500.0, 0.3).run(60, 1_000 + trial * 16 + index);
                let p99 = f64::from(Seconds::new(slices(&seconds)).quantile(0.99).unwrap());
                (p99, p99 * 1.05)
            })
            .collect();
        let (first, second) = figures.split_at(8);
        let plain: Vec<f64> = first.iter().map(|figure| figure.0).collect();
        let other: Vec<f64> = second.iter().map(|figure| figure.0).collect();
        let longer: Vec<f64> = second.iter().map(|figure| figure.1).collect();
        wrong += usize::from(is_difference(compare_pairs(&plain, &other, &Terms::default()).answer));
        found += usize::from(compare_pairs(&plain, &longer, &Terms::default()).answer == Answer::Slower);
    }
    assert!(wrong <= 2, "{wrong} false differences of 10");
    assert!(found >= 8, "{found} of 10 found");
}
