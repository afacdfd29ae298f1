//! How many connections this machine allows, known before the storm.

use std::fs;
use std::net::IpAddr;

use super::NetError;
use super::source::Sources;
use crate::workload::SourceRange;

const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED_PORTS: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";
/// Files that are no connections: journal, logs, terminal, …
const OTHER_FILES: u64 = 64;
/// Files of each shard that are no connections: its runtime's, its timer.
const FILES_PER_SHARD: u64 = 8;

/// What a run asks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// Most connections open at once, over all shards.
    pub connections: u64,
    /// Whether the target runs in this process: then each connection takes two files.
    pub embedded: bool,
    /// How many shards.
    pub shards: usize,
    /// Source addresses; none: as the system chooses, which is one address towards one target.
    pub sources: &'a [SourceRange],
    /// Where the connections go.
    pub target: IpAddr,
}

/// What the machine allows. The demand fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open files allowed to this process.
    pub open_files: u64,
    /// Local ports of each source address.
    pub ports_per_source: u64,
    /// Source addresses towards the target.
    pub sources: u64,
    /// Connections the open files allow.
    pub connections_by_files: u64,
    /// Connections the local ports allow.
    pub connections_by_ports: u64,
}

impl Limits {
    /// Most connections at once that both allow.
    pub fn connections(&self) -> u64 {
        self.connections_by_files.min(self.connections_by_ports)
    }
}

/// The system's range of local ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ports {
    first: u16,
    last: u16,
    /// Of these, how many the system keeps back.
    reserved: u64,
}

impl Ports {
    fn count(self) -> u64 {
        (u64::from(self.last) + 1).saturating_sub(u64::from(self.first)).saturating_sub(self.reserved)
    }
}

/// Raises the limit of open files as far as this process may, and says how far that is.
///
/// # Errors
/// [`NetError::System`] if the limit cannot be read or set.
pub fn raise_open_files() -> Result<u64, NetError> {
    rlimit::increase_nofile_limit(u64::MAX)
        .map_err(|error| NetError::System { what: "the limit of open files", reason: error.to_string() })
}

/// Raises the open files as far as allowed and checks that `demand` fits this machine.
///
/// # Errors
/// [`NetError::Files`] or [`NetError::Ports`], which say what change makes it fit; [`NetError::SourceRange`],
/// [`NetError::SourceNotLocal`] or [`NetError::SourceFamily`] if a source address cannot be used; [`NetError::System`] if a limit cannot be read.
pub fn check(demand: &Demand<'_>) -> Result<Limits, NetError> {
    let sources = Sources::new(demand.sources)?;
    sources.require_local()?;
    let sources = match demand.sources.first() {
        None => 1,
        Some(first) => match sources.towards(demand.target) {
            0 => {
                let origin = demand.target.to_string();
                return Err(NetError::SourceFamily { source_address: first.first, origin });
            }
            some => some,
        },
    };
    assess(demand, sources, raise_open_files()?, local_ports()?)
}

fn assess(demand: &Demand<'_>, sources: u64, open_files: u64, ports: Ports) -> Result<Limits, NetError> {
    let others = OTHER_FILES + FILES_PER_SHARD.saturating_mul(demand.shards as u64);
    let each = if demand.embedded { 2 } else { 1 };
    let limits = Limits {
        open_files,
        ports_per_source: ports.count(),
        sources,
        connections_by_files: open_files.saturating_sub(others) / each,
        connections_by_ports: ports.count().saturating_mul(sources),
    };
    let connections = demand.connections;
    if connections > limits.connections_by_files {
        return Err(NetError::Files {
            needed: connections.saturating_mul(each).saturating_add(others),
            allowed: open_files,
            connections,
            both_ends: if demand.embedded { ", both ends in this process" } else { "" },
            fitting: limits.connections_by_files,
        });
    }
    if connections > limits.connections_by_ports {
        return Err(NetError::Ports {
            connections,
            sources,
            ports: ports.count(),
            range: format!("{}-{}", ports.first, ports.last),
            fitting: limits.connections_by_ports,
            wanted_sources: connections.div_ceil(ports.count().max(1)),
        });
    }
    Ok(limits)
}

fn local_ports() -> Result<Ports, NetError> {
    let system = |reason: String| NetError::System { what: PORT_RANGE, reason };
    let range = fs::read_to_string(PORT_RANGE).map_err(|error| system(error.to_string()))?;
    let (first, last) = parse_range(&range).ok_or_else(|| system(format!("{range:?} is no range of ports")))?;
    // Older kernels and some containers do not have it: nothing is reserved then.
    let reserved = fs::read_to_string(RESERVED_PORTS).unwrap_or_default();
    Ok(Ports { first, last, reserved: count_reserved(&reserved, first, last) })
}

/// `32768\t60999`.
fn parse_range(text: &str) -> Option<(u16, u16)> {
    let mut words = text.split_ascii_whitespace();
    let first = words.next()?.parse().ok()?;
    let last = words.next()?.parse().ok()?;
    (words.next().is_none() && first <= last).then_some((first, last))
}

/// `8080,9148-9150`: how many of these lie in the range. What cannot be read is not counted.
fn count_reserved(text: &str, first: u16, last: u16) -> u64 {
    text.trim()
        .split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some((from.parse::<u16>().ok()?.max(first), to.parse::<u16>().ok()?.min(last)))
        })
        .filter(|(from, to)| from <= to)
        .map(|(from, to)| u64::from(to - from) + 1)
        .sum()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PORTS: Ports = Ports { first: 32768, last: 60999, reserved: 0 };

    fn demand(connections: u64) -> Demand<'static> {
        Demand { connections, embedded: false, shards: 2, sources: &[], target: IpAddr::V4(Ipv4Addr::LOCALHOST) }
    }

    #[test]
    fn port_range_table() {
        for (text, want) in [
            ("32768\t60999\n", Some((32768, 60999))),
            ("1024 65535", Some((1024, 65535))),
            ("60999 32768", None),
            ("1", None),
            ("", None),
            ("1 2 3", None),
            ("1 70000", None),
        ] {
            assert_eq!(parse_range(text), want, "{text:?}");
        }
    }

    #[test]
    fn reserved_ports_table() {
        for (text, want) in [
            ("\n", 0),
            ("40000\n", 1),
            ("8080,40000-40009", 10),
            ("32000-32768", 1),
            ("60999-65535", 1),
            ("40001-40000", 0),
            ("x,1-y", 0),
        ] {
            assert_eq!(count_reserved(text, 32768, 60999), want, "{text:?}");
        }
    }

    #[test]
    fn what_fits_is_told() {
        let limits = assess(&demand(20_000), 1, 1_048_576, PORTS).unwrap();
        assert_eq!(limits.ports_per_source, 28_232);
        assert_eq!(limits.connections_by_files, 1_048_576 - 80);
        assert_eq!(limits.connections(), 28_232);
        let reserved = Ports { reserved: 232, ..PORTS };
        assert_eq!(assess(&demand(20_000), 2, 1_048_576, reserved).unwrap().connections(), 56_000);
    }

    #[test]
    fn too_few_ports_says_how_many_sources_do() {
        assert!(assess(&demand(28_232), 1, 1_048_576, PORTS).is_ok());
        let error = assess(&demand(60_000), 1, 1_048_576, PORTS).unwrap_err();
        assert!(matches!(error, NetError::Ports { fitting: 28_232, wanted_sources: 3, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("at least 3 addresses in network.sources"), "{text}");
        assert!(text.contains("network.max-connections to 28232"), "{text}");
        assert!(assess(&demand(60_000), 3, 1_048_576, PORTS).is_ok());
    }

    #[test]
    fn too_few_files_says_how_many_are_needed() {
        let error = assess(&demand(2_000), 1, 1024, PORTS).unwrap_err();
        assert!(matches!(error, NetError::Files { needed: 2_080, allowed: 1024, fitting: 944, .. }), "{error}");
        let embedded = Demand { embedded: true, ..demand(2_000) };
        let error = assess(&embedded, 1, 4_000, PORTS).unwrap_err();
        assert!(matches!(error, NetError::Files { needed: 4_080, fitting: 1_960, .. }), "{error}");
        assert!(error.to_string().contains("both ends in this process"));
    }

    #[test]
    fn this_machine_has_limits() {
        let limits = check(&demand(1)).unwrap();
        assert!(limits.connections() >= 1 && limits.open_files > 80);
        let sources = [SourceRange { first: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), count: 3 }];
        let more = check(&Demand { sources: &sources, ..demand(1) }).unwrap();
        assert_eq!(more.sources, 3);
        assert_eq!(more.connections_by_ports, 3 * limits.connections_by_ports);
        let v6 = Demand { sources: &sources, target: "::1".parse().unwrap(), ..demand(1) };
        assert!(matches!(check(&v6), Err(NetError::SourceFamily { .. })));
    }

    #[test]
    fn a_foreign_source_is_refused() {
        let sources = [SourceRange { first: "192.0.2.1".parse().unwrap(), count: 1 }];
        let error = check(&Demand { sources: &sources, ..demand(1) }).unwrap_err();
        assert!(matches!(error, NetError::SourceNotLocal { .. }), "{error}");
    }
}
