//! The checks themselves. Each asks twice: could it be chance, and does it matter?
//!
//! With 100,000 arrivals the rounding of a clock is significant in any test; with 100 nothing is. So a finding needs a
//! p-value below [`LEVEL`] *and* a size above its bound. The bounds are what would be seen in a server's response times.

use super::super::critical::{normal_quantile, two_sided_p};
use super::anderson_darling::{anderson_darling, anderson_darling_p};
use super::finding::Finding;
use super::law::{Law, Window};

/// Each of at most six checks of a phase gives a false alarm at most this often: all of them once in 160 clean phases.
const LEVEL: f64 = 0.001;
/// With fewer arrivals nothing is judged.
pub const MIN_ARRIVALS: usize = 100;
/// A rate is off from 1 % on: at a load of 0.9 that moves the queue by a tenth.
const RATE_BOUND: f64 = 0.01;
/// Gaps are off their law when this share of them lies elsewhere.
const GAPS_BOUND: f64 = 0.05;
/// The instants have moved when this share of all arrivals is early or late.
const INSTANTS_BOUND: f64 = 0.01;
/// Neighbouring gaps are correlated from here on.
const CORRELATION_BOUND: f64 = 0.05;
/// Stalls matter when this share of the time lies in them.
const STALLS_BOUND: f64 = 0.002;
/// Gaps of a constant rate may differ from it by this share on average.
const EVEN_BOUND: f64 = 0.05;
/// The counts' variance is off when it is this many times the law's, or one part in so many.
const DISPERSION_BOUND: f64 = 1.5;

/// Holds a phase's arrivals (µs, sorted, all within the window) against their law. An empty answer is a clean one, or
/// fewer than [`MIN_ARRIVALS`] both seen and expected, or an empty window.
pub fn check_arrivals(arrivals_us: &[u64], law: Law<'_>, window: Window) -> Vec<Finding> {
    let expected = match law {
        Law::Poisson { rate_per_s } | Law::Constant { rate_per_s } => rate_per_s * window.seconds(),
        Law::Given { intended_us } => intended_us.len() as f64,
    };
    if window.seconds() <= 0.0 || expected.max(arrivals_us.len() as f64) < MIN_ARRIVALS as f64 {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = rate(arrivals_us.len() as f64, expected, law, window).into_iter().collect();
    // What hardly arrived at all has no gaps to speak of.
    if arrivals_us.len() < MIN_ARRIVALS {
        return findings;
    }
    let gaps: Vec<u64> = arrivals_us.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    match law {
        Law::Poisson { rate_per_s } => {
            findings.extend(exponential_gaps(&gaps, rate_per_s));
            // A gap that ought to come once in 1,000 such phases.
            let longest = (gaps.len() as f64 / LEVEL).ln() / rate_per_s * 1e6;
            findings.extend(stalls(&gaps, |_| longest, window));
            findings.extend(correlated(&gaps));
            findings.extend(uniform_instants(arrivals_us, window));
            findings.extend(dispersion(arrivals_us, window));
        }
        Law::Constant { rate_per_s } => {
            let gap = 1e6 / rate_per_s;
            findings.extend(even_gaps(&gaps, gap));
            findings.extend(stalls(&gaps, |_| 2.0 * gap + 1.0, window));
            let even = |position: f64| position;
            findings.extend(moved(arrivals_us, window, even, 0.0));
        }
        Law::Given { intended_us } => {
            let intended: Vec<u64> = intended_us.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
            findings.extend(same_gaps(&gaps, &intended));
            // Where one-to-one, each gap against its own; else against the longest that was intended.
            let longest = intended.iter().max().copied().unwrap_or(0);
            let mean = window.seconds() * 1e6 / expected;
            let own = |index: usize| if gaps.len() == intended.len() { intended[index] } else { longest };
            findings.extend(stalls(&gaps, |index| own(index) as f64 + 10.0 * mean, window));
            let total = intended_us.len().max(1) as f64;
            let until = |position: f64| {
                let at = window.start_us + (position * window.seconds() * 1e6).round() as u64;
                intended_us.partition_point(|&intended| intended <= at) as f64 / total
            };
            findings.extend(moved(arrivals_us, window, until, 0.0));
        }
    }
    findings
}

fn rate(seen: f64, expected: f64, law: Law<'_>, window: Window) -> Option<Finding> {
    // A Poisson count varies by its root; the others not at all, but for the arrival on the edge.
    let sure = match law {
        Law::Poisson { .. } => two_sided_p((seen - expected) / expected.sqrt()) < LEVEL,
        Law::Constant { .. } | Law::Given { .. } => (seen - expected).abs() > 1.0,
    };
    let matters = (seen / expected - 1.0).abs() > RATE_BOUND;
    let per_s = |count: f64| count / window.seconds();
    (sure && matters).then(|| Finding::RateOff { asked_per_s: per_s(expected), seen_per_s: per_s(seen) })
}

fn exponential_gaps(gaps: &[u64], rate_per_s: f64) -> Option<Finding> {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable();
    // A gap of whole µs stands for the µs about it.
    let below: Vec<f64> = sorted.iter().map(|&gap| -f64::exp_m1(-(gap as f64 + 0.5) * rate_per_s / 1e6)).collect();
    let a2 = anderson_darling(&below);
    let distance = largest_distance(&sorted, |gap| -f64::exp_m1(-(gap as f64 + 0.5) * rate_per_s / 1e6));
    (anderson_darling_p(a2) < LEVEL && distance > GAPS_BOUND)
        .then_some(Finding::GapsOffTheLaw { distance, anderson_darling: Some(a2) })
}

/// The largest distance between the share of values up to a value and what the law says, looked at where all of its
/// equals are counted, so that a grid of ticks is seen as what it is.
fn largest_distance(sorted: &[u64], law: impl Fn(u64) -> f64) -> f64 {
    let n = sorted.len() as f64;
    let mut before = 0.0;
    let mut largest = 0.0f64;
    for equal in sorted.chunk_by(|a, b| a == b) {
        let after = before + equal.len() as f64 / n;
        let below = if equal[0] == 0 { 0.0 } else { law(equal[0] - 1) };
        largest = largest.max((after - law(equal[0])).abs()).max((below - before).abs());
        before = after;
    }
    largest
}

/// Two-sample: Smirnov's distance, sure at the level where it exceeds its own critical value.
fn same_gaps(gaps: &[u64], intended: &[u64]) -> Option<Finding> {
    if intended.is_empty() {
        return None;
    }
    let (mut seen, mut asked) = (gaps.to_vec(), intended.to_vec());
    seen.sort_unstable();
    asked.sort_unstable();
    let mut lengths: Vec<u64> = seen.iter().chain(&asked).copied().collect();
    lengths.sort_unstable();
    lengths.dedup();
    let share = |of: &[u64], up_to: u64| of.partition_point(|&gap| gap <= up_to) as f64 / of.len() as f64;
    // A clock's rounding moves both ends of a gap, and equal gaps all at once: 2 µs either way are no distance.
    let apart = |gap: u64| {
        let shorter = share(&seen, gap) - share(&asked, gap.saturating_add(2));
        let longer = share(&asked, gap) - share(&seen, gap.saturating_add(2));
        shorter.max(longer)
    };
    let distance = lengths.into_iter().map(apart).fold(0.0, f64::max);
    let (n, m) = (seen.len() as f64, asked.len() as f64);
    let critical = (-(LEVEL / 2.0).ln() / 2.0 * (n + m) / (n * m)).sqrt();
    (distance > critical && distance > GAPS_BOUND)
        .then_some(Finding::GapsOffTheLaw { distance, anderson_darling: None })
}

fn even_gaps(gaps: &[u64], gap: f64) -> Option<Finding> {
    // The first µs is the clock's.
    let off = |&seen: &u64| ((seen as f64 - gap).abs() - 1.0).max(0.0) / gap;
    let mean_deviation = gaps.iter().map(off).sum::<f64>() / gaps.len() as f64;
    (mean_deviation > EVEN_BOUND).then_some(Finding::UnevenGaps { mean_deviation })
}

fn stalls(gaps: &[u64], longest: impl Fn(usize) -> f64, window: Window) -> Option<Finding> {
    let long = gaps.iter().enumerate().filter(|(index, gap)| **gap as f64 > longest(*index));
    let long: Vec<u64> = long.map(|(_, gap)| *gap).collect();
    let share_of_time = long.iter().sum::<u64>() as f64 / 1e6 / window.seconds();
    let longest_us = long.iter().max().copied()?;
    (share_of_time > STALLS_BOUND).then_some(Finding::Stalls { count: long.len(), longest_us, share_of_time })
}

/// Spearman's rank correlation of each gap with the next: one long gap weighs no more than any other.
fn correlated(gaps: &[u64]) -> Option<Finding> {
    let ranks = ranks(gaps);
    let mean = (ranks.len() as f64 - 1.0) / 2.0;
    let variance: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    let product: f64 = ranks.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let lag_one = if variance > 0.0 { product / variance } else { 0.0 };
    let sure = two_sided_p(lag_one * (gaps.len() as f64).sqrt()) < LEVEL;
    (sure && lag_one.abs() > CORRELATION_BOUND).then_some(Finding::GapsCorrelated { lag_one })
}

/// From 0; equals share their mean rank.
fn ranks(values: &[u64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by_key(|&index| values[index]);
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let shared = first as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|&index| ranks[index] = shared);
        first += equal.len();
    }
    ranks
}

/// Given their number, the instants of a Poisson stream are independent and uniform.
fn uniform_instants(arrivals_us: &[u64], window: Window) -> Option<Finding> {
    let positions: Vec<f64> = arrivals_us.iter().map(|&at| window.position(at)).collect();
    if anderson_darling_p(anderson_darling(&positions)) >= LEVEL {
        return None;
    }
    // The bound is on what is beyond chance.
    let chance = (-(LEVEL / 2.0).ln() / 2.0 / arrivals_us.len() as f64).sqrt();
    moved(arrivals_us, window, |position| position, chance)
}

/// Whether the share of arrivals strays from `law` (of the position in the window, 0 to 1) by more than the bound, and by
/// more than `chance`.
fn moved(arrivals_us: &[u64], window: Window, law: impl Fn(f64) -> f64, chance: f64) -> Option<Finding> {
    let n = arrivals_us.len() as f64;
    let mut most = (0.0, 0.0);
    for (index, &at) in arrivals_us.iter().enumerate() {
        let position = window.position(at);
        let distance = (index as f64 / n - law(position)).abs();
        if distance > most.0 {
            most = (distance, position * window.seconds());
        }
    }
    // One arrival more or less at the edge is no movement.
    let (distance, at_s) = most;
    (distance > INSTANTS_BOUND.max(2.0 / n).max(chance)).then_some(Finding::RateMoves { distance, at_s })
}

/// Fisher's index of dispersion of the counts in whole seconds, by Wilson and Hilferty's cube root of chi square.
fn dispersion(arrivals_us: &[u64], window: Window) -> Option<Finding> {
    const MIN_SECONDS: usize = 10;
    let seconds = window.seconds() as usize;
    if seconds < MIN_SECONDS {
        return None;
    }
    let mut counts = vec![0.0; seconds];
    for &at in arrivals_us {
        let second = (at.saturating_sub(window.start_us) / 1_000_000) as usize;
        if let Some(count) = counts.get_mut(second) {
            *count += 1.0;
        }
    }
    let mean = counts.iter().sum::<f64>() / seconds as f64;
    let degrees = seconds as f64 - 1.0;
    let dispersion = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / mean / degrees;
    let spread = 2.0 / 9.0 / degrees;
    let z = (dispersion.cbrt() - (1.0 - spread)) / spread.sqrt();
    let matters = !(1.0 / DISPERSION_BOUND..=DISPERSION_BOUND).contains(&dispersion);
    (z.abs() > normal_quantile(1.0 - LEVEL / 2.0) && matters).then_some(Finding::CountsSwing { dispersion })
}
