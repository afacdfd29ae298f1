//! What a run would take of this machine, in words and as JSON.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::bounds::{self, Bounds};
use super::{Ended, machine};
use crate::net::{NetError, limits};
use crate::predict::{Forecast, Scene, forecast};
use crate::report::number::{bytes, count, seconds};
use crate::workload::{Plan, Target};

/// What nobody can know of a server given by its URL: how long it takes for an answer.
const SERVICE: Duration = Duration::from_millis(5);

/// What a run needs, what there is, and whether it fits.
pub(super) struct Needs {
    forecast: Forecast,
    /// What the machine allows; none where it cannot be told, or is refused.
    has: Option<limits::Limits>,
    sources: u64,
    ports_kept_back: Duration,
    own_memory: u64,
    /// What a person must know besides.
    notes: Vec<String>,
    pub(super) refused: Option<NetError>,
}

impl Needs {
    /// Plays the plan, and checks what comes of it as `run` does.
    pub(super) fn of(plan: &Arc<Plan>, shards: Option<u32>, service: Option<Duration>) -> Result<Needs, Ended> {
        let target = address(plan);
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
        let shards = shards.unwrap_or(cores);
        let on_loopback = target.to_canonical().is_loopback();
        let ports_kept_back = limits::ports_kept_back(on_loopback);
        let bounds = Bounds::of(plan, target, shards as usize);
        let max_connections = match &bounds {
            Ok(bounds) => bounds.connections,
            // It will not run so; what it would take is told all the same.
            Err(_) => plan.network.max_connections.unwrap_or(plan.phones() as usize),
        };
        let own_memory = machine::own_memory();
        let service = service.unwrap_or(SERVICE);
        let scene = Scene { shards, cores, own_memory, max_connections, on_loopback, ports_kept_back, service };
        let forecast = forecast(plan, &scene).map_err(Ended::undone)?;
        let (has, notes, refused) = match bounds {
            Ok(bounds) => {
                let fits = bounds::check(plan, target, shards as usize, &forecast);
                (Some(bounds.limits.clone()), bounds.notes(plan, forecast.usage.ports), fits.err())
            }
            Err(refused) => (None, Vec::new(), Some(refused)),
        };
        let sources = plan.network.sources.iter().map(|range| u64::from(range.count)).sum::<u64>().max(1);
        Ok(Needs { forecast, has, sources, ports_kept_back, own_memory, notes, refused })
    }

    pub(super) fn as_json(&self) -> Value {
        let Forecast { usage: u, memory: m, .. } = &self.forecast;
        let has = self.has.as_ref();
        json!({
            "played_one_of": self.forecast.one_of,
            "assumed_service_ms": self.forecast.assumed_service.map(|time| time.as_secs_f64() * 1e3),
            "wall_s": self.forecast.wall.as_secs_f64(),
            "connections": {
                "at_once": u.connections, "at_work_at_once": u.at_work, "opened": u.opened,
                "opened_within_60_s": u.opened_in_time_wait, "bounded": self.forecast.bounded,
            },
            "handshakes": { "full": u.full, "resumed": u.resumed },
            "exchanges": u.exchanges,
            "bytes_out": u.bytes_out,
            "bytes_in": u.bytes_in,
            "memory_bytes": m.total(),
            "memory_parts_bytes": {
                "program": m.program, "phones": m.phones, "connections": m.connections, "tls_sessions": m.sessions,
                "uploads": m.uploads,
            },
            "memory_now_bytes": self.own_memory,
            "memory_free_bytes": has.and_then(|has| has.memory),
            "open_files": self.forecast.open_files,
            "open_files_limit": has.map(|has| has.open_files),
            "ports": u.ports,
            "ports_limit": has.map(|has| has.connections_by_ports),
            "ports_kept_back_s": self.ports_kept_back.as_secs_f64(),
            "time_wait": u.time_wait,
        })
    }

    pub(super) fn as_text(&self) -> String {
        let Forecast { usage: u, memory: m, .. } = &self.forecast;
        let has = self.has.as_ref();
        let of = |limit: Option<u64>| limit.map(|limit| format!(" of {}", count(limit))).unwrap_or_default();
        let mut out = String::from("\nWhat it takes\n");
        let mut line = |name: &str, words: String| {
            // Writing into a String cannot fail.
            let _ = writeln!(out, "  {name:<12}  {words}");
        };
        let free = has.and_then(|has| has.memory).map(|free| format!(" of {} free", bytes(free))).unwrap_or_default();
        let parts = [
            ("connections", m.connections),
            ("phones", m.phones),
            ("TLS sessions", m.sessions),
            ("uploads", m.uploads),
            ("the program", m.program),
        ];
        let parts = parts.iter().filter(|(_, octets)| *octets > 0);
        let parts: Vec<_> = parts.map(|(name, octets)| format!("{name} {}", bytes(*octets))).collect();
        line("memory", format!("{}{free}: {}", bytes(m.total()), parts.join(", ")));
        line(
            "connections",
            format!(
                "{} at once ({} of them at work), {} opened, at most {} in a minute",
                count(u.connections),
                count(u.at_work),
                count(u.opened),
                count(u.opened_in_time_wait)
            ),
        );
        let both = if self.forecast.embedded { ", both ends in this process" } else { "" };
        line("open files", format!("{}{}{both}", count(self.forecast.open_files), of(has.map(|has| has.open_files))));
        let back = seconds(Some(self.ports_kept_back.as_secs_f64()));
        let sources = match self.sources {
            1 => String::new(),
            sources => format!(" over {sources} source addresses"),
        };
        line(
            "local ports",
            format!(
                "{}{}{sources}; one whose phone closed first is kept back for {back}; {} in TIME_WAIT at most",
                count(u.ports),
                of(has.map(|has| has.connections_by_ports)),
                count(u.time_wait)
            ),
        );
        line("handshakes", format!("{} full, {} resumed", count(u.full), count(u.resumed)));
        line("exchanges", format!("{}, {} out, {} in", count(u.exchanges), bytes(u.bytes_out), bytes(u.bytes_in)));
        line("time", seconds(Some(self.forecast.wall.as_secs_f64())));
        let played = match self.forecast.one_of {
            1 => "played in virtual time with every phone".to_owned(),
            n => format!("played in virtual time with one of {n} phones, and multiplied"),
        };
        let against = match self.forecast.assumed_service {
            None => "against the embedded target".to_owned(),
            Some(time) => format!(
                "against an assumed server: IIS-like, every file there, {} an answer (--service-time)",
                humantime::format_duration(time)
            ),
        };
        line("reckoned", format!("{played}, {against}"));
        self.notes.iter().for_each(|note| line("note", note.clone()));
        out
    }
}

/// Where the connections go; a name is not looked up: nothing is sent.
fn address(plan: &Plan) -> IpAddr {
    plan.target.address().unwrap_or_else(|| match (&plan.target, plan.network.sources.first()) {
        (Target::Url { origin, .. }, _) if origin.host == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        // Some address that is not loopback, of the sources' family.
        (_, Some(range)) if !range.first.is_loopback() => range.first,
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    })
}
