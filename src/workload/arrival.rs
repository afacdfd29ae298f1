//! Arrival plans: which phone starts when. Pure, sorted, and the same whatever the number of shards.
//!
//! Every shard walks the same sequence and keeps what falls on its own phones, so no shard needs to know of
//! another. Nothing is kept per start, but for the power's return, where phones queue for DHCP leases.

use std::time::Duration;

use rand_distr::{Distribution, Exp1, StandardNormal};

use crate::phone::{Chance, Draw, Moment, Purpose};

use super::population::Population;
use super::{Arrival, Plan, Start};

/// A stream of starts, sorted.
pub(crate) type Starts = Box<dyn Iterator<Item = Start> + Send>;

/// The starts of one phase that fall on phones of one shard, sorted by time, then by phone.
pub(crate) fn starts(plan: &Plan, phase: usize, shard: u32, shards: u32) -> Starts {
    let Some(p) = plan.phases.get(phase) else { return Box::new(std::iter::empty()) };
    let chance = Chance::new(plan.seed);
    let phones = Population::of(p, &plan.fleets, chance, phase as u64);
    let mine = move |phone: u32| phone % shards.max(1) == shard;
    let (begin, trigger) = (p.at, p.trigger);
    let number = u16::try_from(phase).unwrap_or(u16::MAX);
    let start = move |(seconds, phone): (f64, u32)| Start { at: after(begin, seconds), phone, trigger, phase: number };
    match p.arrival {
        Arrival::AtOnce => Box::new(phones.in_order().filter(move |p| mine(*p)).map(move |p| start((0.0, p)))),
        Arrival::Constant { rate } => sorted(paced(phones, move |n| Some(n / rate)), mine, start),
        Arrival::Ramp { from, to, over } => {
            let over = over.as_secs_f64();
            sorted(paced(phones, move |n| ramp(from, to, over, n)), mine, start)
        }
        Arrival::Poisson { rate, over } => sorted(poisson(phones, chance, rate, over.as_secs_f64()), mine, start),
        Arrival::PowerReturn { ports, boot, spread, dhcp_rate } => {
            let asks = move |phone| {
                let mut draw = chance.draw(phone, Purpose::PowerReturn, phase as u64);
                (boot_time(ports, boot, spread, &mut draw), phone)
            };
            let all: Vec<(f64, u32)> = match dhcp_rate {
                None => phones.in_order().filter(|p| mine(*p)).map(asks).collect(),
                // Who queues behind whom depends on all phones, not only on this shard's.
                Some(rate) => {
                    let mut all: Vec<_> = phones.in_order().map(asks).collect();
                    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                    lease(&mut all, rate);
                    all.retain(|(_, phone)| mine(*phone));
                    all
                }
            };
            let mut all: Vec<Start> = all.into_iter().map(start).collect();
            all.sort_unstable();
            Box::new(all.into_iter())
        }
    }
}

/// The shard's part of a sequence sorted by time; starts at the same moment are put in the order of phones.
fn sorted(
    sequence: impl Iterator<Item = (f64, u32)> + Send + 'static,
    mine: impl Fn(u32) -> bool + Send + 'static,
    start: impl Fn((f64, u32)) -> Start + Send + 'static,
) -> Starts {
    let mut starts = sequence.filter(move |(_, phone)| mine(*phone)).map(start).peekable();
    let mut together: Vec<Start> = Vec::new();
    Box::new(std::iter::from_fn(move || {
        if together.is_empty() {
            let first = starts.next()?;
            together.push(first);
            together.extend(std::iter::from_fn(|| starts.next_if(|s| s.at == first.at)));
            together.sort_unstable_by(|a, b| b.cmp(a));
        }
        together.pop()
    }))
}

/// Phones one after another, shuffled, each once, at the time of its number; until there is no time.
fn paced(phones: Population, time: impl Fn(f64) -> Option<f64>) -> impl Iterator<Item = (f64, u32)> {
    phones.shuffled().enumerate().map_while(move |(n, phone)| Some((time(n as f64)?, phone)))
}

/// Seconds until start number `n` of a ramp; `None` if it never comes.
///
/// The count after `t` seconds is `from·t + (to - from)·t²/2·over` during the ramp, and grows at `to` after it.
pub(crate) fn ramp(from: f64, to: f64, over: f64, n: f64) -> Option<f64> {
    if n == 0.0 {
        return Some(0.0);
    }
    let during = (from + to) / 2.0 * over;
    if n > during {
        return (to > 0.0).then(|| over + (n - during) / to);
    }
    let bend = (to - from) / (2.0 * over);
    // The root of the square equation in the form that loses no digits when `bend` is small.
    Some(2.0 * n / (from + (from * from + 4.0 * bend * n).max(0.0).sqrt()))
}

/// Independent starts: exponential gaps, each start on a phone at random.
fn poisson(phones: Population, chance: Chance, rate: f64, over: f64) -> impl Iterator<Item = (f64, u32)> {
    let mut gaps = phones.stream(chance, Purpose::Arrival);
    let mut picks = phones.stream(chance, Purpose::ArrivalPhone);
    let anyone = phones.in_order().next().is_some();
    let mut time = 0.0;
    std::iter::from_fn(move || {
        let gap: f64 = Exp1.sample(&mut gaps);
        time += gap / rate;
        (anyone && time < over).then(|| (time, phones.pick(&mut picks)))
    })
}

/// Seconds from the power's return until a phone asks for its lease.
fn boot_time(ports: Duration, boot: Duration, spread: Duration, draw: &mut Draw) -> f64 {
    let port = ports.as_secs_f64() * draw.unit();
    let normal: f64 = StandardNormal.sample(draw);
    port + (boot.as_secs_f64() + spread.as_secs_f64() * normal).max(0.0)
}

/// Turns moments of asking, in order, into moments of being answered, `rate` leases a second.
fn lease(asks: &mut [(f64, u32)], rate: f64) {
    let mut free = 0.0_f64;
    for (time, _) in asks {
        *time = time.max(free);
        free = *time + 1.0 / rate;
    }
}

/// The moment so many seconds later, to the nearest microsecond.
fn after(begin: Moment, seconds: f64) -> Moment {
    // A float beyond the range becomes the greatest integer: `NEVER`.
    Moment::from_micros(begin.as_micros().saturating_add((seconds * 1e6).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_lets_pass_what_its_rate_adds_up_to() {
        // (from, to, over, n, seconds)
        for (from, to, over, n, want) in [
            (10.0, 10.0, 60.0, 100.0, Some(10.0)),
            (0.0, 10.0, 10.0, 50.0, Some(10.0)),
            (0.0, 10.0, 10.0, 60.0, Some(11.0)),
            (0.0, 10.0, 10.0, 12.5, Some(5.0)),
            (10.0, 0.0, 10.0, 50.0, Some(10.0)),
            (10.0, 0.0, 10.0, 37.5, Some(5.0)),
            (10.0, 0.0, 10.0, 51.0, None),
            (5.0, 20.0, 0.0, 20.0, Some(1.0)),
            (0.0, 10.0, 10.0, 0.0, Some(0.0)),
        ] {
            let got = ramp(from, to, over, n);
            let near = match (got, want) {
                (Some(a), Some(b)) => f64::abs(a - b) < 1e-9,
                (a, b) => a == b,
            };
            assert!(near, "{from} {to} {over} {n}: {got:?}, wanted {want:?}");
        }
    }

    #[test]
    fn leases_come_one_after_another() {
        let mut asks = [(1.0, 7), (1.1, 3), (1.2, 9), (5.0, 1)];
        lease(&mut asks, 2.0);
        assert_eq!(asks, [(1.0, 7), (1.5, 3), (2.0, 9), (5.0, 1)]);
    }
}
