//! What this machine allows a run, known before the storm.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use super::NetError;
use super::source::Sources;
use crate::workload::SourceRange;

const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED_PORTS: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";
/// Whether ports of connections in TIME_WAIT may be given out again: 0 never, 1 always, 2 on loopback.
const REUSE: &str = "/proc/sys/net/ipv4/tcp_tw_reuse";
/// After how many milliseconds they are then (Linux 6.14 and later; a second before).
const REUSE_DELAY: &str = "/proc/sys/net/ipv4/tcp_tw_reuse_delay";
/// TIME_WAIT of Linux: fixed when the kernel is built.
const TIME_WAIT: Duration = Duration::from_secs(60);
/// Files that are no connections: journal, logs, terminal, …
const OTHER_FILES: u64 = 64;
/// Files of each shard that are no connections: its runtime's, its timer.
const FILES_PER_SHARD: u64 = 8;
/// Where the server runs in this process: of so many connections one may have ended at the phone while the server's end
/// is still a file, because its loop has not come to it. More linger the busier it is.
const LINGERS_ONE_OF: u64 = 16;

/// What a run asks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// Most connections open at once, over all shards.
    pub connections: u64,
    /// Most local ports taken at once: of these, and of those closed so lately that the system keeps their ports back.
    /// What is less than `connections` counts as that.
    pub ports: u64,
    /// Whether the target runs in this process: then each connection takes two files.
    pub embedded: bool,
    /// How many shards.
    pub shards: usize,
    /// Source addresses; none: as the system chooses, which is one address towards one target.
    pub sources: &'a [SourceRange],
    /// Where the connections go.
    pub target: IpAddr,
    /// What it takes of memory.
    pub memory: Memory,
}

/// Resident memory a run needs, in octets; zero where nobody reckoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Without any connection: the program, its phones at rest, and what they keep.
    pub rest: u64,
    /// Each connection, both ends if both are in this process.
    pub connection: u64,
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
    /// Octets of memory there are for this process; `None` if the system does not say.
    pub memory: Option<u64>,
    /// Connections the open files allow.
    pub connections_by_files: u64,
    /// Connections the local ports allow.
    pub connections_by_ports: u64,
    /// Connections the memory allows.
    pub connections_by_memory: u64,
}

impl Limits {
    /// Most connections at once that all of them allow.
    pub fn connections(&self) -> u64 {
        self.connections_by_files.min(self.connections_by_ports).min(self.connections_by_memory)
    }

    /// Files left for a target in this process, when so many connections have theirs.
    pub fn files_of_target(&self, connections: u64, shards: usize) -> u64 {
        self.open_files.saturating_sub(others(shards)).saturating_sub(connections)
    }
}

/// What this machine has.
#[derive(Clone, Copy, Debug)]
struct Machine {
    open_files: u64,
    ports: Ports,
    memory: Option<u64>,
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
/// [`NetError::Files`], [`NetError::Ports`], [`NetError::PortsKeptBack`] or [`NetError::Memory`], which say what change
/// makes it fit; [`NetError::SourceRange`], [`NetError::SourceNotLocal`] or [`NetError::SourceFamily`] if a source
/// address cannot be used; [`NetError::System`] if a limit cannot be read.
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
    let machine = Machine { open_files: raise_open_files()?, ports: local_ports()?, memory: free_memory() };
    assess(demand, sources, &machine)
}

/// For how long the system gives a port no second time after its connection was closed by this side first, towards
/// loopback or another machine. Systems let TIME_WAIT be cut short, on loopback or everywhere.
pub fn ports_kept_back(loopback: bool) -> Duration {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    match read(REUSE).trim() {
        "1" => {}
        "2" if loopback => {}
        _ => return TIME_WAIT,
    }
    Duration::from_millis(read(REUSE_DELAY).trim().parse().unwrap_or(1000))
}

fn assess(demand: &Demand<'_>, sources: u64, machine: &Machine) -> Result<Limits, NetError> {
    let Machine { open_files, ports, memory } = *machine;
    let others = others(demand.shards);
    let free_files = open_files.saturating_sub(others);
    let connection = demand.memory.connection.max(1);
    let limits = Limits {
        open_files,
        ports_per_source: ports.count(),
        sources,
        memory,
        connections_by_files: match demand.embedded {
            true => free_files.saturating_mul(LINGERS_ONE_OF) / (2 * LINGERS_ONE_OF + 1),
            false => free_files,
        },
        connections_by_ports: ports.count().saturating_mul(sources),
        connections_by_memory: match memory {
            Some(memory) if demand.memory.connection > 0 => memory.saturating_sub(demand.memory.rest) / connection,
            _ => u64::MAX,
        },
    };
    let connections = demand.connections;
    if connections > limits.connections_by_files {
        return Err(NetError::Files {
            needed: others + files_for(connections, demand.embedded),
            allowed: open_files,
            connections,
            embedded: demand.embedded,
            fitting: limits.connections_by_files,
        });
    }
    let all_ports = limits.connections_by_ports;
    let range = || format!("{}-{}", ports.first, ports.last);
    let wanted_sources = demand.ports.max(connections).div_ceil(ports.count().max(1));
    if connections > all_ports {
        let (range, ports) = (range(), ports.count());
        return Err(NetError::Ports { connections, sources, ports, range, fitting: all_ports, wanted_sources });
    }
    if demand.ports > all_ports {
        return Err(NetError::PortsKeptBack {
            needed: demand.ports,
            connections,
            kept_back_s: ports_kept_back(demand.target.to_canonical().is_loopback()).as_secs_f64(),
            sources,
            ports: ports.count(),
            range: range(),
            wanted_sources,
        });
    }
    let needed = demand.memory.rest.saturating_add(connections.saturating_mul(demand.memory.connection));
    if let Some(free) = memory
        && needed > free
    {
        let fitting = if demand.memory.connection > 0 { limits.connections_by_memory } else { 0 };
        return Err(NetError::Memory { needed, free, connections, embedded: demand.embedded, fitting });
    }
    Ok(limits)
}

/// Files that are no connections.
fn others(shards: usize) -> u64 {
    OTHER_FILES + FILES_PER_SHARD.saturating_mul(shards as u64)
}

/// Open files that so many connections take.
fn files_for(connections: u64, embedded: bool) -> u64 {
    match embedded {
        true => connections.saturating_mul(2).saturating_add(connections.div_ceil(LINGERS_ONE_OF)),
        false => connections,
    }
}

/// Octets of memory that are to be had: of the machine, and of the control group this process is in.
fn free_memory() -> Option<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let machine = available(&meminfo)?;
    let number = |file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    // In a container this is its own group; "max" is no number.
    let group = number("/sys/fs/cgroup/memory.max").zip(number("/sys/fs/cgroup/memory.current"));
    Some(group.map_or(machine, |(most, used)| machine.min(most.saturating_sub(used))))
}

/// `MemAvailable:   23452 kB`, in octets.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
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

    const MACHINE: Machine = Machine { open_files: 1_048_576, ports: PORTS, memory: Some(1 << 30) };

    fn demand(connections: u64) -> Demand<'static> {
        Demand {
            connections,
            ports: 0,
            embedded: false,
            shards: 2,
            sources: &[],
            target: IpAddr::V4(Ipv4Addr::LOCALHOST),
            memory: Memory::default(),
        }
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
        let limits = assess(&demand(20_000), 1, &MACHINE).unwrap();
        assert_eq!(limits.ports_per_source, 28_232);
        assert_eq!(limits.connections_by_files, 1_048_576 - 80);
        assert_eq!(limits.connections(), 28_232);
        let reserved = Machine { ports: Ports { reserved: 232, ..PORTS }, ..MACHINE };
        assert_eq!(assess(&demand(20_000), 2, &reserved).unwrap().connections(), 56_000);
        let memory = Memory { rest: 1 << 29, connection: 1 << 16 };
        let heavy = Demand { memory, ..demand(1_000) };
        assert_eq!(assess(&heavy, 1, &MACHINE).unwrap().connections(), 1 << 13);
    }

    #[test]
    fn a_target_in_this_process_has_the_files_that_its_phones_leave() {
        let machine = Machine { open_files: 20_000, ..MACHINE };
        let limits = assess(&Demand { embedded: true, ..demand(5_000) }, 1, &machine).unwrap();
        assert_eq!(limits.files_of_target(5_000, 2), 14_920);
        let most = limits.connections_by_files;
        assert_eq!((most, limits.files_of_target(most, 2)), (9_658, 10_262));
        assert!(limits.files_of_target(most, 2) >= most + most / LINGERS_ONE_OF, "and some for those that linger");
    }

    #[test]
    fn too_few_ports_says_how_many_sources_do() {
        assert!(assess(&demand(28_232), 1, &MACHINE).is_ok());
        let error = assess(&demand(60_000), 1, &MACHINE).unwrap_err();
        assert!(matches!(error, NetError::Ports { fitting: 28_232, wanted_sources: 3, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("at least 3 addresses in network.sources"), "{text}");
        assert!(text.contains("network.max-connections to 28232"), "{text}");
        assert!(assess(&demand(60_000), 3, &MACHINE).is_ok());
    }

    #[test]
    fn ports_that_are_kept_back_count_as_well() {
        let churn = Demand { ports: 60_000, ..demand(500) };
        let error = assess(&churn, 1, &MACHINE).unwrap_err();
        assert!(matches!(error, NetError::PortsKeptBack { needed: 60_000, wanted_sources: 3, .. }), "{error}");
        assert!(error.to_string().contains("at least 3 addresses in network.sources"), "{error}");
        assert!(assess(&churn, 3, &MACHINE).is_ok());
    }

    #[test]
    fn too_few_files_says_how_many_are_needed() {
        let few = |open_files| Machine { open_files, ..MACHINE };
        let error = assess(&demand(2_000), 1, &few(1024)).unwrap_err();
        assert!(matches!(error, NetError::Files { needed: 2_080, allowed: 1024, fitting: 944, .. }), "{error}");
        let embedded = Demand { embedded: true, ..demand(2_000) };
        let error = assess(&embedded, 1, &few(4_000)).unwrap_err();
        assert!(matches!(error, NetError::Files { needed: 4_205, fitting: 1_900, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("both ends in this process") && text.contains("bootstorm serve"), "{text}");
        // What it says does.
        assert!(assess(&Demand { connections: 1_900, ..embedded }, 1, &few(4_000)).is_ok());
        assert!(assess(&embedded, 1, &few(4_205)).is_ok());
    }

    #[test]
    fn too_little_memory_says_how_much_is_needed() {
        let memory = Memory { rest: 900 << 20, connection: 100 << 10 };
        let error = assess(&Demand { memory, ..demand(2_000) }, 1, &MACHINE).unwrap_err();
        assert!(matches!(error, NetError::Memory { fitting: 1_269, .. }), "{error}");
        assert!(error.to_string().contains("network.max-connections to 1269"), "{error}");
        let unknown = Machine { memory: None, ..MACHINE };
        assert!(assess(&Demand { memory, ..demand(2_000) }, 1, &unknown).is_ok());
    }

    #[test]
    fn nobody_is_told_to_go_on_with_no_connection() {
        let memory = Memory { rest: 2 << 30, connection: 1 };
        let none = [
            assess(&demand(1), 1, &Machine { open_files: 10, ..MACHINE }),
            assess(&demand(1), 1, &Machine { ports: Ports { reserved: 28_232, ..PORTS }, ..MACHINE }),
            assess(&Demand { memory, ..demand(1) }, 1, &MACHINE),
        ];
        for refused in none {
            let text = refused.unwrap_err().to_string();
            assert!(!text.contains("max-connections") && !text.contains(" to 0"), "{text}");
        }
    }

    #[test]
    fn available_memory_is_read() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:      23452 kB\n"), Some(23_452 * 1024));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
        assert!(free_memory().is_none_or(|free| free > 1 << 20));
        assert!(
            [Duration::from_secs(1), TIME_WAIT].contains(&ports_kept_back(false)) || !ports_kept_back(true).is_zero()
        );
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
