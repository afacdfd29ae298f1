//! A plan's starts, shard by shard, and the proof that shards make no difference.

use std::fmt::Write as _;
use std::iter::Peekable;

use sha2::{Digest, Sha256};

use crate::phone::{Chance, Moment};

use super::arrival::{self, Starts};
use super::population::Population;
use super::{Plan, Start};

impl Plan {
    /// The intended starts of one shard of `shards`, sorted by time, phone and trigger: those of all phones whose
    /// index leaves the remainder `shard`. The union over the shards is the same for any number of them.
    pub fn starts(&self, shard: u32, shards: u32) -> impl Iterator<Item = Start> + Send + use<> {
        Merged::of((0..self.phases.len()).map(|phase| arrival::starts(self, phase, shard, shards)))
    }

    /// The intended starts of one phase alone, over all phones, sorted; none if there is no such phase.
    pub fn starts_of_phase(&self, phase: usize) -> impl Iterator<Item = Start> + Send + use<> {
        arrival::starts(self, phase, 0, 1)
    }

    /// How many phones a phase concerns: those of its fleets that its share takes in.
    pub fn phones_of_phase(&self, phase: usize) -> u32 {
        let p = self.phases.get(phase);
        p.map_or(0, |p| Population::of(p, &self.fleets, Chance::new(self.seed), phase as u64).count())
    }

    /// The last intended start; `None` if there is none at all.
    pub fn last_start(&self) -> Option<Moment> {
        self.starts(0, 1).last().map(|start| start.at)
    }

    /// SHA-256 (hex) over all intended starts, generated as `shards` shards and merged: equal for any number of
    /// shards, and on every machine.
    pub fn schedule_hash(&self, shards: u32) -> String {
        let shards = shards.max(1);
        let mut hash = Sha256::new();
        for start in Merged::of((0..shards).map(|shard| Box::new(self.starts(shard, shards)) as Starts)) {
            hash.update(start.at.as_micros().to_le_bytes());
            hash.update(start.phone.to_le_bytes());
            hash.update(start.trigger.name());
            hash.update([0]);
        }
        hex(&hash.finalize())
    }
}

/// Octets as lower-case hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Sorted streams as one sorted stream.
struct Merged {
    streams: Vec<Peekable<Starts>>,
}

impl Merged {
    fn of(streams: impl Iterator<Item = Starts>) -> Merged {
        Merged { streams: streams.map(Iterator::peekable).collect() }
    }
}

impl Iterator for Merged {
    type Item = Start;

    /// There are few streams, so looking at all heads is the quickest way.
    fn next(&mut self) -> Option<Start> {
        let heads = self.streams.iter_mut().enumerate();
        let (_, first) = heads.filter_map(|(n, s)| s.peek().map(|head| (*head, n))).min()?;
        self.streams.get_mut(first)?.next()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::{Overrides, parse};
    use super::*;

    /// A plan of three fleets and these phases.
    fn plan(seed: u64, counts: [u32; 3], phases: &str) -> Plan {
        let mut text = format!("seed = {seed}\n[target]\nembedded = true\n");
        for (n, count) in counts.iter().enumerate() {
            text +=
                &format!("[[fleet]]\nname = \"f{n}\"\nfamily = \"avaya-96xx\"\ncount = {count}\nstarts-on = true\n");
        }
        parse(&(text + phases), "test.toml", Path::new(""), &Overrides::default()).unwrap_or_else(|e| panic!("{e}"))
    }

    fn phase(does: &str, at: &str, share: f64, fleets: &str, arrival: &str) -> String {
        let body = format!(
            "does = \"{does}\"\nat = \"{at}\"\nshare = {share}\nfleets = {fleets}\narrival = {}\n",
            arrival.replace('\'', "\"")
        );
        let name = crate::phone::BodyFacts::of(body.as_bytes()).hash;
        format!("[[phase]]\nname = \"{name:x}\"\n{body}")
    }

    /// Plans that start each phone once.
    const ONCE: [&str; 7] = [
        "'at-once'",
        "{ constant = '7/s' }",
        "{ constant = '3M/s' }",
        "{ ramp = { from = '1/s', to = '50/s', over = '3s' } }",
        "{ ramp = { from = '0/s', to = '9/min', over = '0s' } }",
        "{ power-return = { ports = '1s', boot = '2s', spread = '2s' } }",
        "{ power-return = { ports = '0s', boot = '1s', spread = '0s', dhcp-rate = '40/s' } }",
    ];
    const POISSON: &str = "{ poisson = { rate = '20/s', over = '5s' } }";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn shards_make_no_difference(
            seed in 0..u64::MAX / 2,
            counts in [1u32..60, 1u32..60, 1u32..60],
            first in 0..ONCE.len(),
            share in prop_oneof![Just(1.0), 0.05f64..1.0],
            shards in 2u32..9,
        ) {
            let all = "[\"f0\", \"f1\", \"f2\"]";
            let phases = phase("power-up", "1s", 1.0, "[\"f0\", \"f2\"]", ONCE[first])
                + &phase("change", "2s", share, all, POISSON)
                + &phase("backup", "0s", share, all, ONCE[(first + 3) % ONCE.len()]);
            let plan = plan(seed, counts, &phases);
            let whole: Vec<Start> = plan.starts(0, 1).collect();
            prop_assert!(whole.is_sorted());
            let mut parts: Vec<Start> = Vec::new();
            for shard in 0..shards {
                let part: Vec<Start> = plan.starts(shard, shards).collect();
                prop_assert!(part.is_sorted());
                prop_assert!(part.iter().all(|s| s.phone % shards == shard));
                parts.extend(part);
            }
            parts.sort();
            prop_assert_eq!(&parts, &whole);
            prop_assert_eq!(plan.schedule_hash(1), plan.schedule_hash(shards));
            prop_assert_eq!(plan.last_start(), whole.last().map(|s| s.at));
            let of_phases: usize = (0..3).map(|n| plan.starts_of_phase(n).count()).sum();
            prop_assert_eq!(of_phases, whole.len());
        }

        #[test]
        fn each_phone_of_the_fleets_starts_once(
            seed in 0..u64::MAX / 2,
            counts in [1u32..40, 1u32..40, 1u32..40],
            arrival in prop::sample::select(&ONCE[..]),
            share in prop_oneof![Just(1.0), 0.05f64..1.0],
        ) {
            let plan = plan(seed, counts, &phase("power-up", "5s", share, "[\"f2\", \"f0\"]", arrival));
            let mut phones: Vec<u32> = plan.starts(0, 1).map(|s| s.phone).collect();
            phones.sort_unstable();
            let [a, b, c] = counts;
            let fleets = (0..a).chain(a + b..a + b + c);
            prop_assert_eq!(phones.len() as u32, plan.phones_of_phase(0));
            prop_assert!(phones.windows(2).all(|w| w[0] < w[1]), "a phone starts twice");
            prop_assert!(phones.iter().all(|p| fleets.clone().any(|f| f == *p)));
            if share == 1.0 {
                prop_assert!(phones.into_iter().eq(fleets));
            }
            prop_assert!(plan.starts(0, 1).all(|s| s.at >= Moment::from_micros(5_000_000)));
        }
    }

    #[test]
    fn another_seed_gives_another_schedule() {
        for arrival in ONCE.iter().skip(1).chain([&POISSON]) {
            let hash =
                |seed| plan(seed, [20, 20, 20], &phase("power-up", "0s", 1.0, "[\"f0\"]", arrival)).schedule_hash(1);
            if !arrival.contains("spread = '0s'") {
                assert_ne!(hash(1), hash(2), "{arrival}");
            }
            assert_eq!(hash(1), hash(1));
        }
    }

    #[test]
    fn a_constant_rate_is_even_and_fleets_interleave() {
        let plan = plan(5, [300, 300, 1], &phase("power-up", "2s", 1.0, "[\"f0\", \"f1\"]", "{ constant = '200/s' }"));
        let starts: Vec<Start> = plan.starts(0, 1).collect();
        for (n, start) in starts.iter().enumerate() {
            assert_eq!(start.at.as_micros(), 2_000_000 + 5_000 * n as u64);
        }
        let of_first = starts.iter().take(300).filter(|s| s.phone < 300).count();
        assert!((110..190).contains(&of_first), "{of_first} of the first 300 are of the first fleet");
    }

    #[test]
    fn a_share_is_drawn_per_phone_and_phase() {
        let phases = phase("change", "0s", 0.25, "[\"f0\"]", "'at-once'")
            + &phase("backup", "0s", 0.25, "[\"f0\"]", "'at-once'");
        let plan = plan(5, [4000, 1, 1], &phases);
        let phones = |n| plan.starts_of_phase(n).map(|s| s.phone).collect::<Vec<_>>();
        assert!((900..1100).contains(&phones(0).len()), "{}", phones(0).len());
        assert_ne!(phones(0), phones(1));
    }

    #[test]
    fn a_poisson_process_has_its_mean_and_its_spread() {
        let arrival = "{ poisson = { rate = '50/s', over = '200s' } }";
        let plan = plan(11, [100, 100, 1], &phase("change", "10s", 1.0, "[\"f0\", \"f1\"]", arrival));
        let starts: Vec<Start> = plan.starts(0, 1).collect();
        // 10,000 expected; the standard deviation is 100.
        assert!((9_600..10_400).contains(&starts.len()), "{}", starts.len());
        let ends = (starts[0].at.as_secs_f64(), starts[starts.len() - 1].at.as_secs_f64());
        assert!(ends.0 >= 10.0 && ends.1 < 210.0, "{ends:?}");
        // Seconds without any start: e^-50 of them. Variance of the count per second: its mean.
        let mut seconds: BTreeMap<u64, f64> = BTreeMap::new();
        let mut phones: BTreeMap<u32, u32> = BTreeMap::new();
        for start in &starts {
            *seconds.entry(start.at.as_micros() / 1_000_000).or_default() += 1.0;
            *phones.entry(start.phone).or_default() += 1;
        }
        let mean = starts.len() as f64 / 200.0;
        let variance = seconds.values().map(|n| (n - mean).powi(2)).sum::<f64>() / 200.0;
        assert!((0.7..1.3).contains(&(variance / mean)), "variance {variance}, mean {mean}");
        assert_eq!(phones.len(), 200, "every phone has its turn");
    }

    #[test]
    fn dhcp_answers_no_faster_than_it_can() {
        let arrival = "{ power-return = { ports = '1s', boot = '2s', spread = '1s', dhcp-rate = '100/s' } }";
        let plan = plan(3, [500, 500, 1], &phase("power-up", "1s", 1.0, "[\"f0\", \"f1\"]", arrival));
        let starts: Vec<Start> = plan.starts(0, 1).collect();
        assert!(starts.windows(2).all(|w| (w[1].at - w[0].at).as_micros() + 1 >= 10_000));
        // A thousand leases take ten seconds, but all would have asked within six.
        assert!((10.0..14.0).contains(&starts[999].at.as_secs_f64()), "{}", starts[999].at);
    }

    #[test]
    fn no_phase_has_no_start() {
        let mut plan = plan(1, [1, 1, 1], &phase("power-up", "0s", 1.0, "[\"f0\"]", "'at-once'"));
        plan.phases.clear();
        assert_eq!(plan.last_start(), None);
        assert_eq!(plan.starts(0, 1).count(), 0);
    }

    /// Pins the arrival plans: recorded schedule hashes must stay true. Change it only with the schema version.
    #[test]
    fn the_schedule_is_pinned() {
        let all = "[\"f0\", \"f1\", \"f2\"]";
        let phases: String = ONCE.iter().chain([&POISSON]).map(|a| phase("power-up", "3s", 0.5, all, a)).collect();
        assert_eq!(plan(42, [50, 20, 7], &phases).schedule_hash(4), PINNED);
    }
    const PINNED: &str = "da21e9cd8f75efbc39853293d4cde66c4f8770b17ecbd09ab7125715bb73496c";
}
