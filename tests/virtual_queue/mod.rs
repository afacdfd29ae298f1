//! Runs whose true figures are known: a queue with one server, in virtual time, by D. V. Lindley's recursion (1952).
//! Shared by the tests of intervals and comparisons and by `examples/statistics_tables.rs`.
#![allow(dead_code, unreachable_pub, reason = "each of its users needs a part of it, and none is above it")]

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How long the server works on a request; the mean follows from the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    /// M/M/1: exponential.
    Exponential,
    /// M/D/1: always the same.
    Constant,
    /// M/G/1: one exponential in nine of ten cases and a longer one in the tenth, with four times the variance of an exponential.
    Mixed,
}

/// A queue fed by a Poisson stream.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    pub service: Service,
    /// Arrivals a second.
    pub rate: f64,
    /// The share of time that the server is busy.
    pub load: f64,
    /// All response times are multiplied by this: a planted difference.
    pub stretch: f64,
}

impl Queue {
    pub fn new(service: Service, rate: f64, load: f64) -> Self {
        Self { service, rate, load, stretch: 1.0 }
    }

    /// A run of so many seconds, begun when the queue has long settled: the response times (µs, lowest value of their
    /// bucket at three digits) of the requests that arrive in each second, as (value, count), sorted.
    pub fn run(&self, seconds: usize, seed: u64) -> Vec<Vec<(u32, u32)>> {
        let mut run = vec![Vec::new(); seconds];
        self.visit(seconds, seed, |second, response| run[second].push(bucket(response)));
        run.iter_mut().map(|values| histogram(values)).collect()
    }

    /// The true quantile in µs: by formula where there is one, else from one run that is very long.
    pub fn true_quantile(&self, p: f64, seconds: usize) -> f64 {
        if self.service == Service::Exponential {
            // The response time of M/M/1 is exponential with the rate (service rate - arrival rate).
            return -(1.0 - p).ln() / (self.rate / self.load - self.rate) * 1e6 * self.stretch;
        }
        // A cell for each bucket: which doubling it lies in, and where in that.
        let mut counts = vec![0u64; 32 * 2_048];
        let mut total = 0u64;
        self.visit(seconds, 0x7EA7, |_, response| {
            let shift = shift(response as u32);
            counts[shift as usize * 2_048 + (response as u32 >> shift) as usize] += 1;
            total += 1;
        });
        let mut left = (p * total as f64).ceil() as u64;
        let reached = counts.iter().position(|&count| {
            let here = left <= count;
            left = left.saturating_sub(count);
            here
        });
        reached.map_or(0.0, |cell| ((cell % 2_048) as f64) * f64::exp2((cell / 2_048) as f64))
    }

    fn visit(&self, seconds: usize, seed: u64, mut each: impl FnMut(usize, f64)) {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mean_gap = 1e6 / self.rate;
        let mean_work = mean_gap * self.load;
        // Sixty times the queue's own relaxation time, in µs.
        let settled = 60.0 * mean_work / (1.0 - self.load.sqrt()).powi(2);
        let end = settled + seconds as f64 * 1e6;
        let (mut now, mut response) = (0.0, 0.0f64);
        loop {
            let gap = mean_gap * exponential(&mut random);
            now += gap;
            if now >= end {
                return;
            }
            let work = match self.service {
                Service::Exponential => mean_work * exponential(&mut random),
                Service::Constant => mean_work,
                // Two exponentials, equal shares of the work, squared coefficient of variation 4.
                Service::Mixed => {
                    let often = 0.5 * (1.0 + 0.6f64.sqrt());
                    let share = if uniform(&mut random) < often { often } else { 1.0 - often };
                    mean_work / (2.0 * share) * exponential(&mut random)
                }
            };
            response = (response - gap).max(0.0) + work;
            if now >= settled {
                each(((now - settled) / 1e6) as usize, response * self.stretch);
            }
        }
    }
}

/// Above 0, at most 1.
pub fn uniform(random: &mut Pcg64Mcg) -> f64 {
    ((random.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// Exponential with mean 1.
pub fn exponential(random: &mut Pcg64Mcg) -> f64 {
    -uniform(random).ln()
}

/// The lowest value of the bucket that an HdrHistogram of three digits puts a value in.
pub fn bucket(value: f64) -> u32 {
    let value = value as u32;
    (value >> shift(value)) << shift(value)
}

/// How many low bits of a value its bucket does not tell.
fn shift(value: u32) -> u32 {
    (32 - value.leading_zeros()).saturating_sub(11)
}

/// Sorted (value, count) pairs.
pub fn histogram(values: &mut [u32]) -> Vec<(u32, u32)> {
    values.sort_unstable();
    values.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len() as u32)).collect()
}

/// As the library takes them.
pub fn slices(run: &[Vec<(u32, u32)>]) -> impl Iterator<Item = &[(u32, u32)]> {
    run.iter().map(Vec::as_slice)
}
