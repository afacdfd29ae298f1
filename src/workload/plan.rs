//! The workload as meant: every default filled in, every value checked.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::phone::{Fleet, Moment, Origin, Trigger};

use super::{Capacity, EmbeddedTarget, Threshold, TlsPlan};

/// A run, ready to be carried out in real or virtual time.
#[derive(Debug)]
pub struct Plan {
    /// The workload's name: its file's stem unless it names itself.
    pub name: String,
    /// SHA-256 (hex) of the effective workload: the file with every override applied.
    pub sha256: String,
    /// The effective workload as TOML text, secrets masked (for the manifest).
    pub effective: String,
    /// All chance follows from this.
    pub seed: u64,
    /// The fleets, in order; phone indexes run through them from 0.
    pub fleets: Vec<Arc<Fleet>>,
    /// What the phones talk to.
    pub target: Target,
    /// A plain HTTP server for phones that fall back to it where HTTPS cannot be had.
    pub fallback: Option<Arc<Origin>>,
    /// The stretches of the run.
    pub phases: Vec<Phase>,
    /// Phone seconds per real second (1: real time).
    pub compression: f64,
    /// When the run is over.
    pub end: End,
    /// How long a phone waits for what; real time, never compressed.
    pub timeouts: Timeouts,
    /// Sources and bounds of connections.
    pub network: Network,
    /// What the phones' TLS does.
    pub tls: TlsPlan,
    /// Goals that can fail the run.
    pub thresholds: Vec<Threshold>,
    /// What a search for capacity varies, if the workload says so.
    pub capacity: Option<Capacity>,
}

/// When a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// When the plan is through and no phone can get further by itself: each is provisioned, stands at a
    /// screen to which nobody comes, or has failed (retry and periodic timers do not count); at `limit` in any case.
    Settled {
        /// Phone time after which it ends all the same.
        limit: Duration,
    },
    /// At this phone time, whatever the phones do.
    After(Duration),
}

/// The path under which a server on another machine says whose load it takes: the embedded target serves it to anybody.
pub const CONSENT: &str = "/bootstorm-consent.txt";

/// What the phones talk to.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one in a run")]
pub enum Target {
    /// A server that is there already.
    Url {
        /// Its origin.
        origin: Arc<Origin>,
        /// Folder before every path; no trailing slash, empty for the root.
        base: String,
        /// PEM file with the CA certificates the phones trust; the system's are never used.
        ca_file: Option<PathBuf>,
    },
    /// The embedded server, started by the run.
    Embedded(EmbeddedTarget),
}

impl Target {
    /// The address the phones connect to, if it is one already and no name.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Target::Url { origin, .. } => origin.host.parse().ok(),
            Target::Embedded(embedded) => Some(embedded.listen.ip()),
        }
    }
}

/// A stretch of the run with one arrival plan.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// When it begins.
    pub at: Moment,
    /// What it does to the phones.
    pub trigger: Trigger,
    /// Indexes (into `Plan::fleets`) of the fleets it concerns.
    pub fleets: Vec<usize>,
    /// Share of those phones it concerns (0 to 1), drawn per phone.
    pub share: f64,
    /// When each start falls.
    pub arrival: Arrival,
}

/// An arrival plan: a pure sequence of intended starts (an open model).
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// Every phone at once.
    AtOnce,
    /// Phones one after another at an even rate, each once.
    Constant {
        /// Starts per second of phone time.
        rate: f64,
    },
    /// Phones one after another, each once, at a rate that grows or shrinks linearly.
    Ramp {
        /// Starts per second at the beginning.
        from: f64,
        /// Starts per second at the end of `over`, and from then on.
        to: f64,
        /// How long the rate changes.
        over: Duration,
    },
    /// Independent starts at random (exponential gaps) for a while; each falls on a phone at random.
    Poisson {
        /// Mean starts per second of phone time.
        rate: f64,
        /// How long.
        over: Duration,
    },
    /// Power returns: each phone once, after its switch port's stagger, its own boot time (normal, cut at
    /// zero) and a DHCP answer that comes late when many ask.
    PowerReturn {
        /// Switches bring their ports up over this long, uniform per phone.
        ports: Duration,
        /// Mean boot time.
        boot: Duration,
        /// Standard deviation of the boot time.
        spread: Duration,
        /// DHCP leases the server hands out per second; phones queue for them in order of asking. None: at once.
        dhcp_rate: Option<f64>,
    },
}

/// One intended start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Start {
    /// When.
    pub at: Moment,
    /// Which phone of the run.
    pub phone: u32,
    /// What happens to it.
    pub trigger: Trigger,
    /// Which phase of the plan says so: index into `Plan::phases`.
    pub phase: u16,
}

/// How long a phone waits; real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the TCP connection.
    pub connect: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
    /// From the request sent to the first byte of the answer.
    pub first_byte: Duration,
    /// For the whole exchange, from dispatch to the last byte.
    pub exchange: Duration,
}

/// Sources and bounds of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Addresses the phones connect from, taken in turn; empty: as the system chooses.
    pub sources: Vec<SourceRange>,
    /// Most connections open at once, over all shards; None: as many as open files allow.
    pub max_connections: Option<usize>,
    /// How long an idle connection is kept by the phone.
    pub idle: Duration,
}

/// A run of consecutive source addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRange {
    /// The first.
    pub first: IpAddr,
    /// How many.
    pub count: u32,
}

impl Plan {
    /// How many phones there are in all.
    pub fn phones(&self) -> u32 {
        self.fleets.iter().map(|f| f.count).sum()
    }

    /// Index into `fleets` of the fleet phone `index` belongs to; `fleets.len()` if none has it.
    pub fn fleet_of(&self, index: u32) -> usize {
        self.fleets.partition_point(|f| f.first + f.count <= index)
    }
}
