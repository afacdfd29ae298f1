//! The workload that pushes a server over its knee and takes the load away again: four parts of equal length, in one run.
//!
//! | part | load |
//! |---|---|
//! | before | a share of the knee |
//! | beyond | more than the knee |
//! | taken away | the share again: time to come back |
//! | after | the same, to be compared with `before` |
//!
//! A rate is laid over the phase's own: independent starts of two streams are independent starts of the sum. A storm is
//! played four times, three of them by a share of the phones or over a longer time.

use std::time::Duration;

use super::file::{ArrivalSection, PhaseSection, PoissonSection, PowerReturnSection, RampSection, RunSection};
use super::quantity::{Rate, Share, Time};
use super::{Arrival, Capacity, Overrides, Phase, Plan, Push, SearchKey};
use crate::capacity::Harder;

/// The overrides that make a workload one of recovery, and when its parts begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// What to change.
    pub overrides: Overrides,
    /// Phone time at which the first part begins.
    pub begins: Duration,
    /// Phone time of each part.
    pub part: Duration,
    /// The load before and after, in the key's values.
    pub base: f64,
    /// The load beyond the knee.
    pub beyond: f64,
}

/// Which part of a workload the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The rate of this phase.
    Rate(usize),
    /// The width of this phase's storm.
    Width(usize),
    /// How many phones there are.
    Phones,
}

impl Recovery {
    /// Makes it from the plan of a probe. `overrides` are those that hold for every probe, `part` how long each part lasts
    /// if the workload does not say.
    ///
    /// # Errors
    /// Why it cannot be made, in words.
    pub fn of(
        plan: &Plan,
        capacity: &Capacity,
        push: &Push,
        knee: f64,
        part: Duration,
        overrides: &Overrides,
    ) -> Result<Recovery, String> {
        let kind = kind(plan, &capacity.key)
            .ok_or_else(|| format!("{} is no load that could be taken away in the course of a run", capacity.find))?;
        let part = push.part.unwrap_or(part).max(Duration::from_secs(1));
        let at = |times: f64| match capacity.harder() {
            Harder::Larger => capacity.axis.rounded(knee * times),
            Harder::Smaller => capacity.axis.rounded(knee / times),
        };
        let (base, beyond) = (at(push.back_to), at(push.push));
        let begins = match kind {
            Kind::Rate(n) => since_start(&plan.phases[n]),
            Kind::Width(_) | Kind::Phones => Duration::ZERO,
        };
        let phases: Vec<Phase> = match kind {
            Kind::Rate(n) => laid_over(plan, n, (base, beyond), part),
            Kind::Width(n) => four_times(plan, part, |phase, index, part| {
                if index == n {
                    phase.arrival = widened(&phase.arrival, &capacity.key, if part == 1 { beyond } else { base });
                }
            }),
            Kind::Phones => four_times(plan, part, |phase, _, part| {
                if part != 1 {
                    phase.share *= push.back_to / push.push;
                }
            }),
        };
        let mut overrides = match kind {
            // The other phones take no part in the base load.
            Kind::Phones => capacity.at(beyond, overrides),
            _ => capacity.at(base, overrides),
        };
        overrides.sets.push(format!("phase={}", inline(plan, &phases)?));
        let run = RunSection {
            duration: Some(Time(begins + part * 4)),
            compression: plan.compression,
            ..RunSection::default()
        };
        overrides.sets.push(format!("run={}", toml::Value::try_from(run).map_err(|error| error.to_string())?));
        Ok(Recovery { overrides, begins, part, base, beyond })
    }

    /// When a part (from 0) begins and ends, in seconds of real time. The first part of a steady load has a start-up, which
    /// is left out.
    pub fn seconds(&self, part: u32, compression: f64) -> (f64, f64) {
        let begins = self.begins + self.part * part;
        let from = if part == 0 { begins + self.part / 4 } else { begins };
        (from.as_secs_f64() / compression, (begins + self.part).as_secs_f64() / compression)
    }
}

fn since_start(phase: &Phase) -> Duration {
    Duration::from_micros(phase.at.as_micros())
}

/// The key as a part of the workload; none if it is none that has to do with load.
fn kind(plan: &Plan, key: &SearchKey) -> Option<Kind> {
    let SearchKey::Key(key) = key else { return Some(Kind::Phones) };
    let words: Vec<&str> = key.split('.').collect();
    let of_plan = |n: &str| n.parse::<usize>().ok().filter(|n| *n < plan.phases.len());
    match words.as_slice() {
        ["fleet", _, "count"] => Some(Kind::Phones),
        ["phase", n, "arrival", "constant"] | ["phase", n, "arrival", "poisson", "rate"] => of_plan(n).map(Kind::Rate),
        ["phase", n, "arrival", "ramp", "to"] => of_plan(n).map(Kind::Rate),
        ["phase", n, "arrival", "ramp", "over"] => of_plan(n).map(Kind::Width),
        ["phase", n, "arrival", "power-return", "ports" | "boot" | "spread"] => of_plan(n).map(Kind::Width),
        _ => None,
    }
}

/// The plan's phases with phase `n` at its base rate for all four parts, and what is missing laid over it in the second.
fn laid_over(plan: &Plan, n: usize, (base, beyond): (f64, f64), part: Duration) -> Vec<Phase> {
    let mut phases = plan.phases.clone();
    let name = phases[n].name.clone();
    phases[n].arrival = Arrival::Poisson { rate: base, over: part * 4 };
    let mut over = phases[n].clone();
    over.name = format!("{name}, beyond the knee");
    over.at = over.at + part;
    over.arrival = Arrival::Poisson { rate: beyond - base, over: part };
    phases.push(over);
    phases
}

/// The plan's phases played in each of the four parts, each as `change` makes it.
fn four_times(plan: &Plan, part: Duration, change: impl Fn(&mut Phase, usize, u32)) -> Vec<Phase> {
    const NAMES: [&str; 4] = ["", "beyond the knee", "taken away", "after"];
    let mut phases = Vec::new();
    for (number, name) in (0_u32..).zip(NAMES) {
        for (index, phase) in plan.phases.iter().enumerate() {
            let mut phase = phase.clone();
            // The first keeps its name: the key may be named by it.
            if number > 0 {
                phase.name = format!("{}, {name}", phase.name);
            }
            phase.at = phase.at + part * number;
            change(&mut phase, index, number);
            phases.push(phase);
        }
    }
    phases
}

/// The arrival plan with the width that the key names at this many seconds.
fn widened(arrival: &Arrival, key: &SearchKey, seconds: f64) -> Arrival {
    let width = Duration::from_secs_f64(seconds);
    let SearchKey::Key(key) = key else { return arrival.clone() };
    match arrival.clone() {
        Arrival::Ramp { from, to, .. } => Arrival::Ramp { from, to, over: width },
        Arrival::PowerReturn { ports, boot, spread, dhcp_rate } => match key.rsplit('.').next() {
            Some("boot") => Arrival::PowerReturn { ports, boot: width, spread, dhcp_rate },
            Some("spread") => Arrival::PowerReturn { ports, boot, spread: width, dhcp_rate },
            _ => Arrival::PowerReturn { ports: width, boot, spread, dhcp_rate },
        },
        other => other,
    }
}

/// The phases as a list of inline tables.
fn inline(plan: &Plan, phases: &[Phase]) -> Result<String, String> {
    let typed: Vec<PhaseSection> = phases.iter().map(|phase| section(plan, phase)).collect();
    toml::Value::try_from(typed).map(|value| value.to_string()).map_err(|error| error.to_string())
}

/// A phase as somebody would type it.
fn section(plan: &Plan, phase: &Phase) -> PhaseSection {
    let arrival = match phase.arrival {
        Arrival::AtOnce => ArrivalSection::AtOnce,
        Arrival::Constant { rate } => ArrivalSection::Constant(Rate(rate)),
        Arrival::Ramp { from, to, over } => {
            ArrivalSection::Ramp(RampSection { from: Rate(from), to: Rate(to), over: Time(over) })
        }
        Arrival::Poisson { rate, over } => {
            ArrivalSection::Poisson(PoissonSection { rate: Rate(rate), over: Time(over) })
        }
        Arrival::PowerReturn { ports, boot, spread, dhcp_rate } => ArrivalSection::PowerReturn(PowerReturnSection {
            ports: Time(ports),
            boot: Time(boot),
            spread: Time(spread),
            dhcp_rate: dhcp_rate.map(Rate),
        }),
    };
    PhaseSection {
        name: Some(phase.name.clone()),
        at: Time(since_start(phase)),
        does: Some(phase.trigger),
        fleets: Some(phase.fleets.iter().filter_map(|f| plan.fleets.get(*f)).map(|fleet| fleet.name.clone()).collect()),
        share: Share(phase.share),
        arrival,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::parse;
    use super::*;

    const WORKLOAD: &str = r#"
[run]
compression = 2
[target.embedded]
tls = false
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 100
starts-on = true
[[phase]]
name = "power"
does = "power-up"
arrival = { power-return = { ports = "10s", boot = "1s", spread = "0s" } }
[[phase]]
name = "day"
at = "20s"
does = "resync"
arrival = { poisson = { rate = "5/s", over = "1m" } }
[thresholds]
phones.failed = "== 0"
[capacity]
find = "phones"
from = 100
to = 1000
"#;

    /// The recovery workload of a knee, as a plan.
    fn recovery(find: &str, from: &str, to: &str, knee: f64) -> (Recovery, Plan) {
        let sets = [format!("capacity.find={find}"), format!("capacity.from={from}"), format!("capacity.to={to}")];
        let overrides = Overrides { sets: sets.to_vec(), ..Overrides::default() };
        let load = |overrides: &Overrides| {
            parse(WORKLOAD, "w.toml", Path::new("."), overrides).unwrap_or_else(|e| panic!("{e}"))
        };
        let plan = load(&overrides);
        let capacity = plan.capacity.clone().unwrap();
        let push = capacity.recovery.unwrap();
        let part = Duration::from_secs(30);
        let recovery = Recovery::of(&plan, &capacity, &push, knee, part, &overrides).unwrap();
        let plan = load(&recovery.overrides);
        (recovery, plan)
    }

    #[test]
    fn a_rate_is_laid_over_the_phase_s_own() {
        let (recovery, plan) = recovery("phase.day.rate", "1/s", "100/s", 40.0);
        assert_eq!((recovery.base, recovery.beyond, recovery.begins), (20.0, 80.0, Duration::from_secs(20)));
        assert_eq!(plan.end, crate::workload::End::After(Duration::from_secs(140)));
        assert_eq!(plan.compression, 2.0);
        let rates: Vec<_> =
            plan.phases.iter().map(|p| (p.name.as_str(), p.at.as_secs_f64(), p.arrival.clone())).collect();
        let poisson = |rate, over| Arrival::Poisson { rate, over: Duration::from_secs(over) };
        assert_eq!(rates[1], ("day", 20.0, poisson(20.0, 120)));
        assert_eq!(rates[2], ("day, beyond the knee", 50.0, poisson(60.0, 30)));
        assert_eq!((rates.len(), plan.phones()), (3, 100));
        assert_eq!(recovery.seconds(0, 2.0), (13.75, 25.0), "real seconds, without the start-up");
        assert_eq!(recovery.seconds(3, 2.0), (55.0, 70.0));
    }

    #[test]
    fn a_storm_is_played_four_times() {
        let (recovery, plan) = recovery("phones", "100", "10k", 400.0);
        assert_eq!((recovery.base, recovery.beyond, plan.phones()), (200.0, 800.0, 800));
        let shares: Vec<_> = plan.phases.iter().map(|p| (p.name.as_str(), p.at.as_secs_f64(), p.share)).collect();
        assert_eq!(shares[0], ("power", 0.0, 0.25));
        assert_eq!(shares[2], ("power, beyond the knee", 30.0, 1.0));
        assert_eq!(shares[6], ("power, after", 90.0, 0.25));
        assert_eq!(shares.len(), 8);
        let (_, same) = self::recovery("fleet.cisco.count", "100", "10k", 400.0);
        assert_eq!((same.phones(), same.phases.len()), (800, 8));
    }

    #[test]
    fn a_storm_s_width_is_varied() {
        let (recovery, plan) = recovery("phase.power.over", "1m", "1s", 10.0);
        assert_eq!((recovery.base, recovery.beyond, plan.phones()), (20.0, 5.0, 100));
        let ports: Vec<_> = plan
            .phases
            .iter()
            .filter_map(|p| match p.arrival {
                Arrival::PowerReturn { ports, .. } => Some(ports.as_secs()),
                _ => None,
            })
            .collect();
        assert_eq!(ports, [20, 5, 20, 20]);
    }

    #[test]
    fn what_is_no_load_cannot_be_taken_away() {
        let sets =
            ["capacity.find=target.embedded.work.service", "capacity.from=1ms", "capacity.to=1s"].map(str::to_owned);
        let overrides = Overrides { sets: sets.to_vec(), ..Overrides::default() };
        let plan = parse(WORKLOAD, "w.toml", Path::new("."), &overrides).unwrap();
        let capacity = plan.capacity.clone().unwrap();
        let why = Recovery::of(&plan, &capacity, &capacity.recovery.unwrap(), 0.02, Duration::ZERO, &overrides);
        assert!(why.unwrap_err().contains("no load that could be taken away"));
    }
}
