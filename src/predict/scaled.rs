//! A smaller fleet of which the same comes, for predictions of large ones.

use std::sync::Arc;

use crate::phone::Fleet;
use crate::workload::{Arrival, EmbeddedTarget, Network, Phase, Plan, Target, Work};

/// The same plan with one of every `of` phones, that start as much more slowly, against a target with as much less of
/// everything that is shared. What it comes to, times `of`, is about what the whole comes to.
pub(super) fn scaled(plan: &Plan, of: u32) -> Plan {
    let mut first = 0;
    let fleets = plan.fleets.iter().map(|fleet| {
        let count = fleet.count.div_ceil(of).max(1);
        let part = Fleet {
            name: fleet.name.clone(),
            family: fleet.family.clone(),
            first,
            count,
            identities: fleet.identities.clone(),
            account: fleet.account.clone(),
            people: fleet.people.clone(),
            backup_size: fleet.backup_size,
            starts_on: fleet.starts_on,
            keep_alive: fleet.keep_alive,
        };
        first += count;
        Arc::new(part)
    });
    Plan {
        name: plan.name.clone(),
        sha256: plan.sha256.clone(),
        effective: String::new(),
        seed: plan.seed,
        fleets: fleets.collect(),
        target: target(&plan.target, of),
        fallback: plan.fallback.clone(),
        phases: plan.phases.iter().map(|phase| slower(phase, f64::from(of))).collect(),
        compression: plan.compression,
        end: plan.end,
        timeouts: plan.timeouts,
        network: Network {
            max_connections: plan.network.max_connections.map(|most| (most / of as usize).max(1)),
            ..plan.network.clone()
        },
        tls: plan.tls.clone(),
        thresholds: Vec::new(),
        capacity: None,
    }
}

fn slower(phase: &Phase, of: f64) -> Phase {
    let arrival = match phase.arrival.clone() {
        Arrival::Constant { rate } => Arrival::Constant { rate: rate / of },
        Arrival::Ramp { from, to, over } => Arrival::Ramp { from: from / of, to: to / of, over },
        Arrival::Poisson { rate, over } => Arrival::Poisson { rate: rate / of, over },
        Arrival::PowerReturn { ports, boot, spread, dhcp_rate } => {
            Arrival::PowerReturn { ports, boot, spread, dhcp_rate: dhcp_rate.map(|rate| rate / of) }
        }
        Arrival::AtOnce => Arrival::AtOnce,
    };
    Phase { arrival, ..phase.clone() }
}

fn target(target: &Target, of: u32) -> Target {
    match target {
        Target::Embedded(config) => Target::Embedded(EmbeddedTarget { work: less(&config.work, of), ..config.clone() }),
        url => url.clone(),
    }
}

/// Fewer workers; where there are too few to be shared out, slower ones.
fn less(work: &Work, of: u32) -> Work {
    let queue = work.queue.map(|queue| (queue / of as usize).max(1));
    match work.workers {
        None => Work { queue, ..*work },
        Some(workers) if workers >= 4 * of as usize => Work { workers: Some(workers / of as usize), queue, ..*work },
        Some(_) => Work { service: (work.service.0 * of, work.service.1 * of), queue, ..*work },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::workload::{Overrides, parse};

    const WORKLOAD: &str = r#"
[target.embedded]
tls = false
[target.embedded.work]
service = "2ms"
workers = 1
queue = 100
[network]
max-connections = 50
[[fleet]]
name = "many"
family = "cisco-mpp"
count = 1000
[[fleet]]
name = "few"
family = "avaya-96xx"
count = 3
[[phase]]
name = "power"
does = "power-up"
arrival = { constant = "100/s" }
"#;

    #[test]
    fn a_tenth_takes_as_long() {
        let whole = parse(WORKLOAD, "scaled.toml", Path::new("."), &Overrides::default()).unwrap();
        let tenth = scaled(&whole, 10);
        assert_eq!(tenth.fleets.iter().map(|f| (f.first, f.count)).collect::<Vec<_>>(), [(0, 100), (100, 1)]);
        assert_eq!(tenth.network.max_connections, Some(5));
        let last = |plan: &Plan| plan.starts(0, 1).last().unwrap().at.as_secs_f64();
        assert!((last(&whole) - last(&tenth)).abs() < 0.3, "{} and {}", last(&whole), last(&tenth));
        let Target::Embedded(config) = &tenth.target else { panic!("it is embedded") };
        assert_eq!((config.work.service.1, config.work.queue), (Duration::from_millis(20), Some(10)));
    }
}
