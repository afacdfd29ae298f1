//! The plan played in virtual time, and what that comes to.

use std::sync::Arc;
use std::time::Duration;

use super::cost;
use super::scaled::scaled;
use crate::phone::{Chance, Origin};
use crate::simulate::{Conditions, Effort, Latencies, Played, Usage, Weights, play};
use crate::target::{Site, TargetError};
use crate::workload::{EmbeddedTarget, KeyKind, Likeness, Plan, Target, Work};

/// Up to so many phones are played in full.
const FULL: u32 = 20_000;
/// More exchanges than these are not played: then a smaller fleet is.
const MOST_EXCHANGES: u64 = 200_000;
/// By how much the fleet gets smaller each time.
const STEP: u32 = 4;

/// The machine, as far as the plan does not say it.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Threads that drive phones.
    pub shards: u32,
    /// Cores they share with an embedded target.
    pub cores: u32,
    /// Resident memory of this program's own (no files mapped in) as it is, the workload read, in octets.
    pub own_memory: u64,
    /// Most connections the machine allows at once.
    pub max_connections: usize,
    /// Whether the server is found on loopback.
    pub on_loopback: bool,
    /// For how long the system gives a port no second time after the phone closed its connection first.
    pub ports_kept_back: Duration,
    /// How long a server given by its URL takes for an answer: an assumption.
    pub service: Duration,
}

/// What a run will take. Octets are of resident memory or of sockets, TLS included.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// One of so many phones was played; 1: all.
    pub one_of: u32,
    /// How long the server was assumed to take for an answer; `None`: it is the embedded one, whose law is known.
    pub assumed_service: Option<Duration>,
    /// Whether the target is in the generator's process: then its ends and its work are counted in.
    pub embedded: bool,
    /// Real time it takes.
    pub wall: Duration,
    /// What it takes of connections, ports, octets.
    pub usage: Usage,
    /// Most open files.
    pub open_files: u64,
    /// Most resident memory.
    pub memory: MemoryParts,
    /// Whether connections were bound below what phones wanted.
    pub bounded: bool,
}

/// Where the memory goes, in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryParts {
    /// The program, its threads, what it records.
    pub program: u64,
    /// Phones at rest.
    pub phones: u64,
    /// Connections, when they take most: both ends where the target is embedded.
    pub connections: u64,
    /// TLS sessions that phones keep.
    pub sessions: u64,
    /// Files that phones uploaded to an embedded target which keeps them in memory.
    pub uploads: u64,
}

impl MemoryParts {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.program + self.rest() + self.connections
    }

    /// What is there beside program and connections.
    fn rest(&self) -> u64 {
        self.phones + self.sessions + self.uploads
    }
}

impl Forecast {
    /// Octets a connection takes on average when all together take most; 0 without connections.
    pub fn connection(&self) -> u64 {
        self.memory.connections.checked_div(self.usage.connections).unwrap_or(0)
    }
}

/// Octets of memory that the phones take at rest, and what a connection at work takes at most: known without playing.
pub fn at_least(plan: &Plan) -> (u64, u64) {
    let (tls, embedded) = match &plan.target {
        Target::Url { origin, .. } => (origin.tls, false),
        Target::Embedded(config) => (config.tls.is_some(), true),
    };
    let weights = if tls { cost::TLS } else { cost::PLAIN };
    let connection = weights.at_work + if embedded { weights.server_at_work } else { 0 };
    (u64::from(plan.phones()) * cost::PHONE, connection)
}

/// Plays `plan` in virtual time and tells what it takes: in full if that is quick, else one of some phones.
///
/// # Errors
/// If the embedded target cannot be made: its folder cannot be written to, or its realm cannot stand in a header.
pub fn forecast(plan: &Arc<Plan>, scene: &Scene) -> Result<Forecast, TargetError> {
    let mut one_of = plan.phones().div_ceil(FULL).max(1);
    loop {
        let part = if one_of == 1 { plan.clone() } else { Arc::new(scaled(plan, one_of)) };
        let (played, uploads) = play_part(&part, scene, one_of)?;
        if played.whole || part.phones() as usize <= part.fleets.len() {
            let usage = times(&played.usage, one_of.into());
            return Ok(Forecast::of(plan, scene, one_of, played.ended, usage, uploads * u64::from(one_of)));
        }
        one_of = one_of.saturating_mul(STEP);
    }
}

/// What came of the part, and octets that were uploaded and kept.
fn play_part(part: &Arc<Plan>, scene: &Scene, one_of: u32) -> Result<(Played, u64), TargetError> {
    let (config, origin, base) = server(part, scene);
    let site = Site::for_fleets(&config, &part.fleets, Chance::new(part.seed))?;
    let conditions = conditions(part, scene, &config, one_of, &site);
    let played =
        play(part, &origin, &base, &conditions, |now, request| site.serve(now, request), &mut |slice| drop(slice));
    Ok((played, if is_embedded(part) { site.kept_in_memory() } else { 0 }))
}

fn is_embedded(plan: &Plan) -> bool {
    matches!(plan.target, Target::Embedded(_))
}

/// The server: the plan's own without its folder; for a URL, an IIS-like one that has every file and takes so long.
fn server(plan: &Plan, scene: &Scene) -> (EmbeddedTarget, Arc<Origin>, String) {
    match &plan.target {
        Target::Embedded(config) => {
            let origin = Origin { tls: config.tls.is_some(), host: config.listen.ip().to_string(), port: 8443 };
            (EmbeddedTarget { folder: None, ..config.clone() }, Arc::new(origin), String::new())
        }
        Target::Url { origin, base, .. } => {
            let mut config = EmbeddedTarget::of(Likeness::Iis);
            config.prefilled = true;
            config.work = Work { service: (scene.service, scene.service), queue: None, ..config.work };
            if let Some(fleet) = plan.fleets.first() {
                config.auth.realm.clone_from(&fleet.account.realm);
            }
            (config, origin.clone(), base.clone())
        }
    }
}

fn conditions(plan: &Plan, scene: &Scene, config: &EmbeddedTarget, one_of: u32, site: &Site) -> Conditions {
    let embedded = is_embedded(plan);
    let (cores, shards) = (f64::from(scene.cores.max(1)), f64::from(scene.shards.max(1)));
    let loops = if embedded { config.accept_loops as f64 } else { 0.0 };
    // One thread cannot do more than a core; all together no more than the cores.
    let by = |effort: Effort, threads: f64| {
        let each = |time: Duration| time.mul_f64(f64::from(one_of) / threads.max(1.0));
        let Effort { exchange, open, full, resumed } = effort;
        Effort { exchange: each(exchange), open: each(open), full: each(full), resumed: each(resumed) }
    };
    let key = config.tls.as_ref().map_or(KeyKind::EcdsaP256, |tls| tls.key);
    // A server on this machine has its work done by the same cores, in whatever process.
    let serving = if embedded || scene.on_loopback { cost::server(key) } else { Effort::default() };
    let asking = cost::client(key);
    let both = Effort {
        exchange: asking.exchange + serving.exchange,
        open: asking.open + serving.open,
        full: asking.full + serving.full,
        resumed: asking.resumed + serving.resumed,
    };
    // To begin an exchange is the least of it: where all begin at once, all are begun long before the rest is done.
    let begin = |effort: Effort| {
        let part = |time: Duration| time / cost::BEGIN_ONE_OF;
        Effort { exchange: part(effort.exchange), ..Effort::default() }
    };
    let client = by(begin(asking), shards.min(cores));
    let rest = by(asking, shards.min(cores)).longer(by(both, cores));
    let rest = if embedded { rest.longer(by(serving, loops.min(cores))) } else { rest };
    let ends = |weights: Weights| match embedded {
        true => weights,
        false => Weights { server_at_work: 0, server_kept: 0, server_grown: 0, bodies: 1, ..weights },
    };
    let patience = site.patience();
    Conditions {
        latencies: Latencies { connect: Duration::from_micros(100), exchange: Duration::from_micros(100) },
        max_connections: (scene.max_connections / one_of as usize).max(1),
        server_keeps: patience.idle,
        server_requests: patience.requests,
        client,
        server: rest,
        plain: ends(cost::PLAIN),
        tls: ends(cost::TLS),
        ports_kept_back: scene.ports_kept_back,
        most_exchanges: MOST_EXCHANGES,
    }
}

fn times(usage: &Usage, of: u64) -> Usage {
    Usage {
        opened: usage.opened * of,
        full: usage.full * of,
        resumed: usage.resumed * of,
        exchanges: usage.exchanges * of,
        bytes_out: usage.bytes_out * of,
        bytes_in: usage.bytes_in * of,
        connections: usage.connections * of,
        at_work: usage.at_work * of,
        ends: usage.ends * of,
        weight: usage.weight * of,
        sessions: usage.sessions * of,
        ports: usage.ports * of,
        time_wait: usage.time_wait * of,
        opened_in_time_wait: usage.opened_in_time_wait * of,
    }
}

impl Forecast {
    fn of(plan: &Plan, scene: &Scene, one_of: u32, wall: Duration, usage: Usage, uploads: u64) -> Forecast {
        let embedded = is_embedded(plan);
        let tls = usage.full + usage.resumed > 0;
        let files = cost::FILES + cost::FILES_PER_SHARD * u64::from(scene.shards);
        let files = files + if embedded { cost::FILES_OF_TARGET } else { 0 };
        let ends = if embedded { usage.ends } else { usage.connections };
        let program = scene.own_memory + cost::program(tls, embedded, usage.exchanges);
        let memory = MemoryParts {
            program: program + wall.as_secs().min(1024) * cost::SECOND,
            phones: u64::from(plan.phones()) * cost::PHONE,
            connections: usage.weight,
            sessions: usage.sessions * cost::SESSIONS,
            uploads: cost::uploads(uploads),
        };
        Forecast {
            one_of,
            assumed_service: (!embedded).then_some(scene.service),
            embedded,
            wall,
            open_files: files + ends,
            memory,
            bounded: usage.connections >= scene.max_connections as u64
                && scene.max_connections < plan.phones() as usize,
            usage,
        }
    }
}
