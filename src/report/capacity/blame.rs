//! What broke first, and whose fault it is, as far as the probe there can tell.

use serde::{Deserialize, Serialize};

use super::{Document, Figures, Probe};
use crate::capacity::Found;
use crate::metrics::Validity;
use crate::report::number::{count, figure};

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// The file server's.
    Server,
    /// The way's between phones and server.
    Network,
    /// The generator's.
    Generator,
    /// This machine's: server and generator share its cores, and all of them are busy.
    SharedCores,
    /// The phones' own setup: the threshold was crossed by outcomes that have nothing to do with load.
    Phones,
}

/// What broke first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Broke {
    /// The easiest load at which a threshold was crossed.
    pub load: f64,
    /// The number of the probe that tells it.
    pub probe: u32,
    /// The thresholds that were crossed there, each with what it was.
    pub crossed: Vec<String>,
    /// Whose fault it is.
    pub whose: Whose,
    /// In a sentence.
    pub words: String,
    /// What to do about it, in a sentence; empty in searches of earlier versions.
    #[serde(default)]
    pub remedy: String,
}

/// From this share of a second on a core is busy.
const BUSY: f64 = 0.95;

/// Loops that come late by this share of the median response time explain part of it.
const LAG: f64 = 0.1;

impl Broke {
    /// What broke first in a search: at the load that was decided as missed and is the easiest of them.
    pub fn of(document: &Document, embedded: bool) -> Option<Broke> {
        let load = match document.found.as_ref()? {
            Found::Knee(knee) => knee.missed_at,
            Found::Missed { at } => *at,
            Found::Limited { missed_at, .. } => (*missed_at)?,
            Found::Met { .. } => return None,
        };
        let probe = document.probes.iter().find(|probe| probe.load == load && probe.answer == "missed")?;
        let figures = probe.figures.as_ref()?;
        // The easiest load that was met tells what an exchange takes without a crowd.
        let easy = document.probes.iter().find(|probe| probe.answer == "met");
        let easy = easy.and_then(|probe| Some((document.told(probe.load), probe.figures.as_ref()?)));
        let (whose, words, remedy) = blame(probe, figures, easy, embedded && !document.in_virtual_time);
        let (crossed, remedy) = (probe.crossed.clone(), remedy.to_owned());
        Some(Broke { load, probe: probe.number, crossed, whose, words, remedy })
    }
}

impl Whose {
    /// As it stands in a sentence.
    pub const fn told(self) -> &'static str {
        match self {
            Whose::Server => "the server's",
            Whose::Network => "the network's",
            Whose::Generator => "the generator's",
            Whose::SharedCores => "this machine's: server and generator share its cores",
            Whose::Phones => "the phones' own setup, not the load's",
        }
    }

    /// Who that is, in a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Whose::Server => "the server",
            Whose::Network => "the network",
            Whose::Generator => "the generator",
            Whose::SharedCores => "this machine",
            Whose::Phones => "the phones' setup",
        }
    }
}

/// Whose fault it is, why, and what to do.
type Blame = (Whose, String, &'static str);

/// A load at which the server has no trouble, as it is told, and its figures.
type Easy<'f> = Option<(String, &'f Figures)>;

/// The outcome that most operations failed with decides; where none failed, the part of an exchange that grew most.
fn blame(probe: &Probe, figures: &Figures, easy: Easy<'_>, shares_cores: bool) -> Blame {
    let fault = |outcome: &str| figures.faults.get(outcome).map(String::as_str);
    let by_load = figures.outcomes.iter().filter(|(outcome, _)| !matches!(fault(outcome), Some("phone" | "none")));
    let worst = by_load.max_by_key(|(_, n)| **n);
    let is_starved = shares_cores && probe.verdict.state == Validity::Degraded && figures.core_busy.is_some_and(|busy| busy >= BUSY)
        // A busy core is no harm where it takes milliseconds of a quarter of a second.
        && figures.loop_lag_p99_ms.zip(figures.response_p50_ms).is_some_and(|(lag, p50)| lag > LAG * p50);
    let (whose, words, remedy) = match worst {
        // A handful among thousands does not explain a response time.
        Some((outcome, n)) if *n * 1_000 >= figures.started => {
            let of = format!("{} of {} operations ended `{outcome}`", count(*n), count(figures.started));
            match fault(outcome) {
                Some("generator") => (Whose::Generator, format!("{of}: the generator's own limit"), GENERATOR),
                Some("network") => (Whose::Network, format!("{of}: nothing came back from the network"), NETWORK),
                _ => {
                    let (mechanism, remedy) = mechanism(outcome);
                    (Whose::Server, format!("{of}: {mechanism}"), remedy)
                }
            }
        }
        _ => slowest(figures, easy),
    };
    if whose == Whose::Server && is_starved {
        let words =
            format!("{words}; but a core of this machine, which server and generator share, was busy all the time");
        return (Whose::SharedCores, words, SHARED_CORES);
    }
    (whose, words, remedy)
}

const GENERATOR: &str = "search again from a machine with more to give; the run's folder tells what was short";
const NETWORK: &str =
    "look at the way between this machine and the server: firewalls, address tables and links at their limit";
const SHARED_CORES: &str = "put them on two machines (`bootstorm serve` there, `--target` here) and search again";
const TLS: &str = "let phones resume their sessions, or use an ECDSA certificate; `bootstorm run workloads/tls-setups.toml` \
                   tells what each setup costs";
const CONNECTS: &str = "see how many connections it accepts at once, and how long its listen backlog is";
const WORKERS: &str = "give it more workers or less work for each answer, or let the phones ask at different times";

/// What such an outcome says of a server under load, and what to do.
fn mechanism(outcome: &str) -> (&'static str, &'static str) {
    match outcome {
        "overload" => (
            "it turned requests away (503): its queue is full, or it limits how many it takes",
            "raise that limit if the server can answer more than it takes; else let the phones ask at different times",
        ),
        "http-429" => (
            "it turned requests away (429): it limits how many it takes",
            "raise that limit, or exempt the phones' addresses; else let the phones ask at different times",
        ),
        "timeout-first-byte" | "timeout-exchange" => (
            "it took the requests and answered later than the phones wait",
            "let it turn away what it cannot answer in time (a shorter queue), and give it more workers or less work for each \
             answer",
        ),
        "connect-refused" => ("nothing listened, or its backlog was full", CONNECTS),
        "connect-timeout" => ("it did not take connections", CONNECTS),
        "reset" | "closed" => ("it broke connections off", "its own error log tells why"),
        "tls-timeout" => ("its handshakes took longer than the phones wait", TLS),
        _ if outcome.starts_with("tls-") => ("its handshakes failed", "its own error log tells why"),
        _ if outcome.starts_with("http-5") => ("it failed by its own account", "its own error log tells why"),
        _ => ("it gave an answer the phones cannot use", "see the probe's own report for what it answered"),
    }
}

/// Nothing failed: it was too slow. The part of an exchange that takes so much longer than at an easy load tells where.
fn slowest(figures: &Figures, easy: Easy<'_>) -> Blame {
    let usual = |part: &str| easy.as_ref().and_then(|(_, easy)| easy.phases_ms.get(part)).copied().unwrap_or(0.0);
    let grown = figures.phases_ms.iter().map(|(part, ms)| (part, *ms, *ms - usual(part)));
    let longest = grown.max_by(|a, b| a.2.total_cmp(&b.2));
    let Some((part, ms, _)) = longest.filter(|(_, ms, _)| *ms > 0.0) else {
        let see = "see the probe's own report";
        if figures.outcomes.is_empty() {
            return (Whose::Server, "no operation failed, and none was slow: see the threshold".to_owned(), see);
        }
        return (Whose::Phones, "no operation failed by load: see the outcomes".to_owned(), see);
    };
    let before = match &easy {
        Some((load, _)) => format!(" ({} ms at {load})", figure(Some(usual(part)))),
        None => String::new(),
    };
    let (whose, what, then, remedy) = match part.as_str() {
        "waited" => (Whose::Generator, "for a connection that the generator could open", "", GENERATOR),
        "connect" => (Whose::Server, "for the server to take the connection", "", CONNECTS),
        "tls" => (Whose::Server, "for the TLS handshake", "", TLS),
        "first_byte" => (Whose::Server, "for the first octet of its answer", ": requests queue in the server", WORKERS),
        _ => (Whose::Network, "for octets on their way", "", NETWORK),
    };
    let ms = figure(Some(ms));
    let words = format!(
        "hardly any operation failed, but they took too long: an exchange waited {ms} ms on average {what}{before}{then}"
    );
    (whose, words, remedy)
}
