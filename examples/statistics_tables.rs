//! The tables of `docs/statistics.md`: how often the intervals hold the truth, and what `compare` finds.
//!
//! `cargo run --release --example statistics_tables` writes them to stdout as Markdown, in a quarter of an hour;
//! `… -- coverage 200` does one table with fewer runs than the 1,000 of the page.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

#[path = "../tests/virtual_queue/mod.rs"]
mod virtual_queue;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bootstorm::statistics::arrivals::{Law, Window, check_arrivals};
use bootstorm::statistics::comparison::{Answer, Comparison, Terms, compare_pair, compare_pairs, holm};
use bootstorm::statistics::{Interval, Refusal, Rules, Seconds, mean_interval};
use virtual_queue::{Queue, Service, bucket, exponential, slices, uniform};

const HEAD: &str =
    "| queue | load | run | printed | holds the truth | truth below / above | half-width | refused because |
|---|---|---|---|---|---|---|---|";
const LOADS: [f64; 5] = [0.3, 0.5, 0.7, 0.8, 0.9];

fn main() {
    let table = std::env::args().nth(1).unwrap_or_else(|| "all".into());
    let runs = std::env::args().nth(2).and_then(|runs| runs.parse().ok()).unwrap_or(1_000);
    let is = |name: &str| table == name || table == "all";
    use Service::{Constant, Exponential, Mixed};
    if is("coverage") {
        coverage(0.99, runs, Exponential, &[600, 1_200, 3_600], 100.0);
    }
    if is("services") {
        coverage(0.99, runs, Constant, &[600, 3_600], 100.0);
        coverage(0.99, runs, Mixed, &[600, 3_600], 100.0);
    }
    if is("edge") {
        coverage(0.99, runs, Exponential, &[1_800], 100.0);
    }
    if is("rates") {
        coverage(0.99, runs, Exponential, &[120], 1_000.0);
        coverage(0.99, runs, Exponential, &[3_600], 20.0);
    }
    if is("quantiles") {
        coverage(0.5, runs, Exponential, &[600], 100.0);
        coverage(0.9, runs, Exponential, &[600], 100.0);
        mean_coverage(runs, 600, 100.0);
    }
    if is("pair") {
        one_pair(runs / 5);
    }
    if is("pairs") {
        many_pairs(runs / 5);
    }
    if is("family") {
        family(runs / 5);
    }
    if is("arrivals") {
        arrivals(runs);
    }
}

/// One line a cell: how many of the runs were given an interval, and how many of those hold the truth.
fn coverage(p: f64, runs: usize, service: Service, lengths: &[usize], rate: f64) {
    println!("\np{} at {rate} arrivals a second, {runs} runs a line\n\n{HEAD}", p * 100.0);
    let queues = LOADS.map(|load| Queue::new(service, rate, load));
    let truths = many(queues.len(), |n| f64::from(bucket(queues[n as usize - 1].true_quantile(p, 500_000))));
    for &seconds in lengths {
        for (queue, truth) in queues.iter().zip(&truths) {
            let interval = |seed| Seconds::new(slices(&queue.run(seconds, seed))).interval(p, &Rules::default());
            let seen = many(runs, interval);
            println!("{}", line(&format!("{} | {} | {seconds} s", name(service), queue.load), *truth, &seen));
        }
    }
}

/// The same for the mean response time.
fn mean_coverage(runs: usize, seconds: usize, rate: f64) {
    println!("\nmean response time at {rate} arrivals a second, {runs} runs a line\n\n{HEAD}");
    for load in LOADS {
        let queue = Queue::new(Service::Exponential, rate, load);
        let truth = 1e6 / (rate / load - rate);
        let seen = many(runs, |seed| mean_of(&queue.run(seconds, seed), &Rules::default()));
        println!("{}", line(&format!("{} | {load} | {seconds} s", name(queue.service)), truth, &seen));
    }
}

fn mean_of(run: &[Vec<(u32, u32)>], rules: &Rules) -> Result<Interval, Refusal> {
    let over = |each: fn(&(u32, u32)) -> f64| run.iter().map(|second| second.iter().map(each).sum()).collect();
    let sums: Vec<f64> = over(|&(value, count)| f64::from(value) * f64::from(count));
    let counts: Vec<f64> = over(|&(_, count)| f64::from(count));
    mean_interval(&sums, &counts, rules)
}

fn name(service: Service) -> &'static str {
    match service {
        Service::Exponential => "M/M/1",
        Service::Constant => "M/D/1",
        Service::Mixed => "M/G/1",
    }
}

fn line(name: &str, truth: f64, seen: &[Result<Interval, Refusal>]) -> String {
    let given: Vec<&Interval> = seen.iter().filter_map(|one| one.as_ref().ok()).collect();
    let n = given.len().max(1) as f64;
    let below = given.iter().filter(|i| truth < i.low).count() as f64 / n;
    let above = given.iter().filter(|i| truth > i.high).count() as f64 / n;
    let half = given.iter().map(|i| (i.high - i.low) / 2.0 / truth).sum::<f64>() / n;
    let mut why: BTreeMap<&str, usize> = BTreeMap::new();
    for refusal in seen.iter().filter_map(|one| one.as_ref().err()) {
        *why.entry(match refusal {
            Refusal::TooFewSamples { .. } => "samples",
            Refusal::Drifts { .. } => "drift",
            Refusal::TooFewBlocks { .. } => "blocks",
            Refusal::TooFewEffectiveSamples { .. } => "bursts",
        })
        .or_default() += 1;
    }
    let why: Vec<String> = why.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let printed = 100.0 * given.len() as f64 / seen.len() as f64;
    if given.is_empty() {
        return format!("| {name} | 0 % | – | – | – | {} |", why.join(", "));
    }
    let (held, below, above, half) = (100.0 * (1.0 - below - above), 100.0 * below, 100.0 * above, 100.0 * half);
    format!("| {name} | {printed:.1} % | {held:.1} % | {below:.1} / {above:.1} % | {half:.1} % | {} |", why.join(", "))
}

/// One run against another: two equal ones, and one whose response times are 5 % longer.
fn one_pair(pairs: usize) {
    println!("\none pair, p99 at 100 arrivals a second, {pairs} pairs a line\n");
    println!("| load | each run | equal: false differences | same within 5 % | +5 %: found | cannot tell |");
    println!("|---|---|---|---|---|---|");
    for load in [0.3, 0.5, 0.7] {
        for seconds in [600, 1_200, 1_800, 3_600, 7_200] {
            let equal = Queue::new(Service::Exponential, 100.0, load);
            let longer = Queue { stretch: 1.05, ..equal };
            let judge = |queue: Queue, seed| {
                Seconds::new(slices(&queue.run(seconds, seed))).interval(0.99, &terms().rules(seed))
            };
            let answers = many(pairs, |pair| {
                let first = judge(equal, 3 * pair);
                let same = compare_pair(first, judge(equal, 3 * pair + 1), &terms());
                (same.answer, compare_pair(first, judge(longer, 3 * pair + 2), &terms()).answer)
            });
            println!("| {load} | {seconds} s | {} |", shares(&answers));
        }
    }
}

/// Interleaved short runs, judged by their order.
fn many_pairs(trials: usize) {
    println!("\nmany pairs, p99 at 100 arrivals a second and a load of 0.5, {trials} trials a line\n");
    println!("| pairs | each run | equal: false differences | same within 5 % | +5 %: found | cannot tell |");
    println!("|---|---|---|---|---|---|");
    for (pairs, seconds) in [(5, 300), (8, 300), (10, 300), (5, 600), (8, 600), (10, 600)] {
        let figures = |from: u64, stretch: f64| -> Vec<f64> {
            let queue = Queue { stretch, ..Queue::new(Service::Exponential, 100.0, 0.5) };
            let p99 = |run| Seconds::new(slices(&queue.run(seconds, from + run))).quantile(0.99);
            (0..pairs).filter_map(p99).map(f64::from).collect()
        };
        let answers = many(trials, |trial| {
            let first = figures(trial * 100, 1.0);
            let same = compare_pairs(&first, &figures(trial * 100 + 30, 1.0), &terms());
            (same.answer, compare_pairs(&first, &figures(trial * 100 + 60, 1.05), &terms()).answer)
        });
        println!("| {pairs} | {seconds} s | {} |", shares(&answers));
    }
}

/// p50, p90, p99 and the mean at once, with Holm's correction: how often any of them is called different.
fn family(pairs: usize) {
    println!("\none pair, four figures with Holm's correction, load 0.5, 1,200 s, {pairs} pairs\n");
    let queue = Queue::new(Service::Exponential, 100.0, 0.5);
    let judge = |seed| {
        let run = queue.run(1_200, seed);
        let seconds = Seconds::new(slices(&run));
        let mut figures: Vec<_> = [0.5, 0.9, 0.99].iter().map(|p| seconds.interval(*p, &terms().rules(seed))).collect();
        figures.push(mean_of(&run, &terms().rules(seed)));
        figures
    };
    let any = |figures: &[Comparison]| figures.iter().any(|figure| differs(figure.answer));
    let seen = many(pairs, |pair| {
        let (first, second) = (judge(2 * pair), judge(2 * pair + 1));
        let mut figures: Vec<Comparison> =
            first.into_iter().zip(second).map(|(a, b)| compare_pair(a, b, &terms())).collect();
        let before = any(&figures);
        holm(&mut figures, terms().confidence);
        (before, any(&figures))
    });
    let share = |count: usize| 100.0 * count as f64 / pairs as f64;
    let before = share(seen.iter().filter(|one| one.0).count());
    let after = share(seen.iter().filter(|one| one.1).count());
    println!("any false difference: {before:.1} % uncorrected, {after:.1} % corrected");
}

/// As `compare` asks.
fn terms() -> Terms {
    Terms::default()
}

fn differs(answer: Answer) -> bool {
    matches!(answer, Answer::Faster | Answer::Slower)
}

/// Of (answer for equal runs, answer for a planted +5 %).
fn shares(answers: &[(Answer, Answer)]) -> String {
    let share = |is: &dyn Fn(&(Answer, Answer)) -> bool| {
        format!("{:.1} %", 100.0 * answers.iter().filter(|one| is(one)).count() as f64 / answers.len() as f64)
    };
    [
        share(&|(same, _)| differs(*same)),
        share(&|(same, _)| matches!(same, Answer::SameWithin(_))),
        share(&|(_, planted)| *planted == Answer::Slower),
        share(&|(_, planted)| matches!(planted, Answer::CannotTell(_))),
    ]
    .join(" | ")
}

/// A minute of Poisson arrivals, clean and spoilt: how often anything is found.
fn arrivals(phases: usize) {
    type Spoil = fn(u64, f64) -> u64;
    let planted: [(&str, f64, Spoil); 6] =
        [
            ("none", 1.0, |at, _| at),
            ("starts on ticks of 1 ms", 1.0, |at, _| at.div_ceil(1_000) * 1_000),
            ("starts on ticks of 10 µs", 1.0, |at, _| at.div_ceil(10) * 10),
            (
                "stalls of 50 ms every 5 s",
                1.0,
                |at, _| if at % 5_000_000 < 50_000 { at - at % 5_000_000 + 50_000 } else { at },
            ),
            ("the rate 2 % too low", 0.98, |at, _| at),
            // A third of the first half goes to the second: two thirds of the rate, then four thirds.
            ("the rate doubles half way", 1.0, |at, chance| {
                if at < 30_000_000 && chance < 1.0 / 3.0 { at + 30_000_000 } else { at }
            }),
        ];
    println!("\na minute of Poisson arrivals, {phases} phases a cell: how often anything is found\n");
    println!("| planted | 20/s | 100/s | 500/s | 2,000/s |\n|---|---|---|---|---|");
    for (fault, pace, spoil) in planted {
        let cells = [20.0, 100.0, 500.0, 2_000.0].map(|rate| {
            let found = many(phases, |seed| {
                let mut random: rand_pcg::Pcg64Mcg = rand::SeedableRng::seed_from_u64(seed);
                let (mut at, mut starts) = (0.0, Vec::new());
                loop {
                    at += exponential(&mut random) / (rate * pace) * 1e6;
                    if at >= 60e6 {
                        break;
                    }
                    starts.push(spoil(at as u64, uniform(&mut random)));
                }
                starts.sort_unstable();
                starts.retain(|at| *at < 60_000_000);
                let minute = Window { start_us: 0, end_us: 60_000_000 };
                !check_arrivals(&starts, Law::Poisson { rate_per_s: rate }, minute).is_empty()
            });
            format!("{:.1} %", 100.0 * found.iter().filter(|found| **found).count() as f64 / phases as f64)
        });
        println!("| {fault} | {} |", cells.join(" | "));
    }
}

/// `work` for the seeds 1 to `runs`, on all cores.
fn many<T: Send>(runs: usize, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(runs));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::Relaxed);
                    if run >= runs {
                        return;
                    }
                    let found = work(run as u64 + 1);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((run, found));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(run, _)| *run);
    done.into_iter().map(|(_, found)| found).collect()
}
