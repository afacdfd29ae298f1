//! How many connections a run may have open at once, and what bounds them: the same for `run` and `plan`.

use std::net::IpAddr;

use super::machine;
use crate::net::{NetError, limits};
use crate::predict::{self, Forecast};
use crate::report;
use crate::report::number::count;
use crate::workload::{Plan, Target};

/// How many connections may be open at once, and what bounds them.
pub(super) struct Bounds {
    pub(super) connections: usize,
    pub(super) limits: limits::Limits,
}

impl Bounds {
    /// As the workload says, if the machine can; else as many as it can.
    ///
    /// # Errors
    /// What the machine cannot do, and which change makes it work.
    pub(super) fn of(plan: &Plan, target: IpAddr, shards: usize) -> Result<Bounds, NetError> {
        let phones = u64::from(plan.phones()).max(1);
        let named = plan.network.max_connections.map(|n| n as u64);
        let (rest, connection) = predict::at_least(plan);
        let memory = limits::Memory { rest, connection };
        let connections = named.unwrap_or(shards as u64).min(phones);
        let limits = limits::check(&demand(plan, target, shards, connections, 0, memory))?;
        let most = named.unwrap_or(u64::MAX).min(limits.connections()).min(phones.max(shards as u64));
        Ok(Bounds { connections: usize::try_from(most).unwrap_or(usize::MAX), limits })
    }

    /// What a person must know of these bounds, where so many local ports are taken at once.
    pub(super) fn notes(&self, plan: &Plan, ports: u64) -> Vec<String> {
        self.who_waits(plan).into_iter().chain(self.slow_ports(ports)).collect()
    }

    /// What follows of a bound that nobody named.
    fn who_waits(&self, plan: &Plan) -> Option<String> {
        let (most, phones) = (self.connections as u64, u64::from(plan.phones()));
        if plan.network.max_connections.is_some() || most >= phones {
            return None;
        }
        let limits = &self.limits;
        let memory = match limits.connections_by_memory {
            u64::MAX => String::new(),
            fitting => format!(", memory for {fitting}"),
        };
        Some(format!(
            "at most {most} of {phones} phones can be connected at once ({} open files, {} ports{memory}); the others \
             wait, which is measured apart",
            limits.open_files, limits.connections_by_ports,
        ))
    }

    /// Linux looks for a free port among those of one parity first, all of them if need be, and then among the others:
    /// beyond half the range a connect costs 490 µs of processor time instead of 8 (measured with 28,232 ports).
    fn slow_ports(&self, ports: u64) -> Option<String> {
        let half = self.limits.ports_per_source / 2;
        let (sources, wanted) = (self.limits.sources, ports.div_ceil(half.max(1)));
        (wanted > sources).then(|| {
            format!(
                "up to {} local ports are taken at once, of {} at each of {sources} source address(es): beyond half of \
                 these Linux looks long for a free one, and connecting takes some 0.5 ms of processor time instead of \
                 0.01; {wanted} addresses in network.sources avoid that",
                count(ports),
                count(self.limits.ports_per_source),
            )
        })
    }

    pub(super) fn as_limits(&self, plan: &Plan) -> report::Limits {
        report::Limits {
            open_files: self.limits.open_files,
            max_connections: plan.network.max_connections.map(|n| n as u64),
            source_addresses: if plan.network.sources.is_empty() { 0 } else { self.limits.sources },
            local_ports: Some(self.limits.ports_per_source),
        }
    }
}

/// Checks that what was predicted fits this machine.
///
/// # Errors
/// What does not, and which change makes it work.
pub(super) fn check(plan: &Plan, target: IpAddr, shards: usize, forecast: &Forecast) -> Result<(), NetError> {
    let usage = &forecast.usage;
    let there = machine::resident();
    let rest = (forecast.memory.total() - forecast.memory.connections).saturating_sub(there);
    let memory = limits::Memory { rest, connection: forecast.connection() };
    limits::check(&demand(plan, target, shards, usage.connections, usage.ports, memory)).map(drop)
}

fn demand(
    plan: &Plan,
    target: IpAddr,
    shards: usize,
    connections: u64,
    ports: u64,
    memory: limits::Memory,
) -> limits::Demand<'_> {
    let embedded = matches!(plan.target, Target::Embedded(_));
    limits::Demand { connections, ports, embedded, shards, sources: &plan.network.sources, target, memory }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_half_the_ports_more_sources_are_advised() {
        let bounds = |sources| {
            let limits = limits::Limits {
                open_files: 1 << 20,
                ports_per_source: 28_232,
                sources,
                memory: None,
                connections_by_files: 1 << 20,
                connections_by_ports: 28_232 * sources,
                connections_by_memory: u64::MAX,
            };
            Bounds { connections: 20_000, limits }
        };
        for (sources, ports, advised) in [
            (1, 14_116, None),
            (1, 14_117, Some("; 2 addresses")),
            (2, 28_232, None),
            (2, 40_000, Some("; 3 addresses")),
        ] {
            let note = bounds(sources).slow_ports(ports);
            assert_eq!(note.is_some(), advised.is_some(), "{ports}: {note:?}");
            assert!(note.unwrap_or_default().contains(advised.unwrap_or_default()), "{ports}");
        }
    }
}
