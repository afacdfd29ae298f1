//! The figures of `summary.json` (schema version 1), so that a threshold's slip is found before the run.

use std::borrow::Cow;

use crate::auth::{Algorithm, AnswerScheme};
use crate::phone::{ChallengeKind, DropCause, Failure, Operation, Outcome, Screen};

use super::error::nearest;
use super::unit::Unit;

/// What stands at a place of the summary.
enum Shape {
    /// A number.
    Number,
    /// Mean, quantiles and maximum.
    Spread,
    /// An object of these.
    Object(Vec<(&'static str, Shape)>),
    /// The same object under each name of the handshakes' ledger, absent where there was none such.
    Ledger(Vec<(&'static str, Shape)>),
    /// Counters by name, absent when zero.
    Counters(Names),
}

/// The names counters can have.
#[derive(Clone, Copy)]
enum Names {
    Outcomes,
    DropCauses,
    Failures,
    Status,
    Answers,
    Versions,
    /// Whatever the TLS library calls its suites and groups; lengths of chains.
    Any,
}

/// The keys of a spread.
const SPREAD: [&str; 9] = ["samples", "mean", "p50", "p90", "p95", "p99", "p99_9", "p99_99", "max"];

/// What is known of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Always there once its object is.
    Number,
    /// A counter that is absent when zero; the object it stands in is named by so many octets of the figure.
    Counter(usize),
}

/// Finds a figure by its dotted name; if there is none such, what would be right.
pub(crate) fn find(figure: &str) -> Result<Known, String> {
    walk(&summary(), figure, 0).ok_or_else(|| {
        let mut all = Vec::new();
        names(&summary(), "", &mut all);
        match nearest(figure, all.iter().map(|name| name.as_ref())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let top = figure.split('.').next().unwrap_or_default();
                let inside: Vec<&str> =
                    all.iter().map(|n| n.as_ref()).filter(|n| n.split('.').next() == Some(top)).take(8).collect();
                match inside.is_empty() {
                    true => {
                        "figures begin with phones, operations, exchanges, auth, tls, storm, generator or target, for \
                             example `operations.restore.response_ms.p99`"
                            .to_owned()
                    }
                    false => format!("there are for example {}", super::error::list(inside)),
                }
            }
        }
    })
}

/// Ratios and shares; what has no unit in its name and is none of these is a count.
const RATIOS: [&str; 8] = [
    "cpu_busy",
    "cpu_busy_max",
    "per_operation",
    "retry_rate",
    "amplification",
    "shard_demand_max",
    "shard_waited_max",
    "steal_max",
];

/// The unit of a figure, as its name says.
pub(crate) fn unit(figure: &str) -> Unit {
    let (above, last) = figure.rsplit_once('.').unwrap_or(("", figure));
    if last == "samples" {
        return Unit::COUNT;
    }
    let ends = |suffix: &str| figure.split('.').any(|key| key.ends_with(suffix));
    match () {
        () if RATIOS.contains(&last) || above.ends_with("core_busy_max") => Unit::PURE,
        () if ends("_ms") => Unit::MILLISECONDS,
        () if ends("_us") || figure.contains("_us_per_") => Unit::MICROSECONDS,
        () if last.ends_with("_per_s") => Unit::COUNT.per(Unit::SECONDS),
        () if last.ends_with("_s") => Unit::SECONDS,
        () if last.split('_').any(|word| word == "bytes") => Unit::BYTES,
        () => Unit::COUNT,
    }
}

fn walk(shape: &Shape, figure: &str, at: usize) -> Option<Known> {
    let rest = figure.get(at..)?;
    match shape {
        Shape::Number => None,
        Shape::Spread => SPREAD.contains(&rest).then_some(Known::Number),
        Shape::Counters(names) => names.have(rest).then_some(Known::Counter(at.saturating_sub(1))),
        Shape::Object(keys) => {
            let (key, below) = rest.split_once('.').map_or((rest, None), |(k, b)| (k, Some(b)));
            let (_, shape) = keys.iter().find(|(known, _)| *known == key)?;
            match below {
                Some(below) => walk(shape, figure, figure.len() - below.len()),
                None => matches!(shape, Shape::Number).then_some(Known::Number),
            }
        }
        Shape::Ledger(keys) => {
            let (line, below) = rest.split_once('.')?;
            let (key, further) = below.split_once('.').map_or((below, None), |(k, b)| (k, Some(b)));
            let (_, shape) = keys.iter().find(|(known, _)| *known == key).filter(|_| is_ledger_line(line))?;
            match further {
                Some(further) => walk(shape, figure, figure.len() - further.len()),
                // Counted from nothing: where there is no such line, there were none.
                None if key == "count" => Some(Known::Counter(at.saturating_sub(1))),
                None => matches!(shape, Shape::Number).then_some(Known::Number),
            }
        }
    }
}

/// Every figure there can be, as far as names are known beforehand.
fn names(shape: &Shape, above: &str, into: &mut Vec<Cow<'static, str>>) {
    let join = |key: &str| if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
    match shape {
        Shape::Number => into.push(above.to_owned().into()),
        Shape::Spread => into.extend(SPREAD.map(|key| join(key).into())),
        Shape::Counters(names) => into.extend(names.known().iter().map(|name| join(name).into())),
        Shape::Object(keys) => keys.iter().for_each(|(key, below)| names(below, &join(key), into)),
        Shape::Ledger(keys) => {
            for line in LEDGER_LINES {
                keys.iter().for_each(|(key, below)| names(below, &join(&format!("{line}.{key}")), into));
            }
        }
    }
}

impl Names {
    fn have(self, name: &str) -> bool {
        match self {
            Names::Any => !name.is_empty(),
            Names::Status => is_status(name),
            Names::Outcomes if name.strip_prefix("http-").is_some_and(is_status) => true,
            _ => self.known().iter().any(|known| known == name),
        }
    }

    fn known(self) -> Vec<Cow<'static, str>> {
        match self {
            Names::Outcomes => outcomes().map(Outcome::name).collect(),
            Names::DropCauses => DROP_CAUSES.map(|cause| cause.name().into()).to_vec(),
            Names::Failures => Failure::ALL.map(|failure| failure.name().into()).to_vec(),
            Names::Status => ["200", "201", "204", "401", "403", "404", "503"].map(Cow::Borrowed).to_vec(),
            Names::Answers => {
                let digests = Algorithm::ALL.into_iter().map(AnswerScheme::Digest);
                std::iter::once(AnswerScheme::Basic).chain(digests).map(|a| a.name().into()).collect()
            }
            Names::Versions => ["1.2", "1.3"].map(Cow::Borrowed).to_vec(),
            Names::Any => Vec::new(),
        }
    }
}

fn is_status(name: &str) -> bool {
    name.len() == 3 && name.parse::<u16>().is_ok_and(|code| (100..600).contains(&code))
}

/// The lines of the ledger that have a name of their own; those of failures have their cause's.
const LEDGER_LINES: [&str; 4] = ["full", "hello-retry", "resumed-ticket", "resumed-session"];

fn is_ledger_line(name: &str) -> bool {
    let name = name.strip_suffix("-client-certificate").unwrap_or(name);
    LEDGER_LINES.contains(&name) || name.strip_prefix("failed-").is_some_and(|cause| !cause.is_empty())
}

const DROP_CAUSES: [DropCause; 5] = [
    DropCause::PhoneBusy,
    DropCause::PoweredOff,
    DropCause::BootIncomplete,
    DropCause::RunEnded,
    DropCause::Interrupted,
];

/// Every outcome that has a name of its own.
fn outcomes() -> impl Iterator<Item = Outcome> {
    let screens = Screen::ALL.map(Outcome::Prompt);
    Outcome::PLAIN.into_iter().chain(screens).chain(Failure::ALL.map(Outcome::Failed))
}

/// The summary's shape.
fn summary() -> Shape {
    object(
        &["wall_s"],
        &[],
        vec![
            ("phones", numbers(&["total", "provisioned", "prompting", "failed", "failed_booting", "failed_off"])),
            ("operations", Shape::Object(Operation::ALL.map(|o| (o.name(), operation())).into())),
            ("exchanges", exchanges()),
            ("auth", auth()),
            ("tls", tls()),
            ("target", target()),
            (
                "storm",
                numbers(&[
                    "phones",
                    "provisioned",
                    "drain_s",
                    "provisioned_50_s",
                    "provisioned_95_s",
                    "provisioned_100_s",
                    "peak_in_flight",
                    "amplification",
                    "handshakes_per_s",
                    "handshakes_peak_per_s",
                ]),
            ),
            (
                "generator",
                object(
                    &[
                        "shards",
                        "cpu_busy",
                        "cpu_busy_max",
                        "cpu_s",
                        "shard_demand_max",
                        "shard_waited_max",
                        "steal_max",
                        "backlog_max",
                        "open_files",
                        "open_files_limit",
                        "ports_max",
                        "ports_limit",
                        "rss_bytes",
                        "rss_per_phone_bytes",
                    ],
                    &["loop_lag_ms", "timer_floor_ms", "pace_ms"],
                    vec![
                        ("core_busy_max", Shape::Counters(Names::Any)),
                        (
                            "cpu_account",
                            numbers(&["opening_s", "handshakes_s", "closing_s", "rest_s", "rest_us_per_exchange"]),
                        ),
                    ],
                ),
            ),
        ],
    )
}

fn operation() -> Shape {
    object(
        &["planned", "started", "dropped", "succeeded", "exchanges", "undispatched"],
        &["response_ms", "response_ok_ms", "service_ms", "lateness_ms"],
        vec![
            ("outcomes", Shape::Counters(Names::Outcomes)),
            ("dropped_causes", Shape::Counters(Names::DropCauses)),
            (
                "response_interval_ms",
                Shape::Object(["p50", "p90", "p99"].map(|q| (q, numbers(&["low", "high"]))).into()),
            ),
        ],
    )
}

fn exchanges() -> Shape {
    object(
        &["total", "answered", "failed", "per_operation", "bytes_out", "bytes_in"],
        &[],
        vec![
            ("status", Shape::Counters(Names::Status)),
            ("failures", Shape::Counters(Names::Failures)),
            ("connections", numbers(&["opened", "reused", "reconnected", "opening_cpu_us", "closing_cpu_us"])),
            ("phases_ms", spreads(&["waited", "connect", "tls", "send", "first_byte", "receive", "total"])),
        ],
    )
}

fn auth() -> Shape {
    object(
        &["retry_rate", "stored"],
        &[],
        vec![
            ("challenges", numbers(&ChallengeKind::ALL.map(ChallengeKind::name))),
            ("answers", Shape::Counters(Names::Answers)),
            ("prompts", numbers(&Screen::ALL.map(Screen::name))),
            ("typed", numbers(&["right", "wrong"])),
        ],
    )
}

fn tls() -> Shape {
    const KINDS: [&str; 4] = ["full", "resumed", "hello_retry", "failed"];
    object(
        &["bytes_out", "bytes_in", "records_out", "records_in", "chain_bytes_max"],
        &["handshake_ms", "client_cpu_us"],
        vec![
            ("handshakes", numbers(&KINDS)),
            ("handshake_by_kind_ms", spreads(&KINDS)),
            ("client_cpu_by_kind_us", spreads(&KINDS)),
            ("phases_ms", spreads(&HANDSHAKE_PHASES)),
            ("versions", Shape::Counters(Names::Versions)),
            ("suites", Shape::Counters(Names::Any)),
            ("groups", Shape::Counters(Names::Any)),
            ("signatures", Shape::Counters(Names::Any)),
            ("chain_lengths", Shape::Counters(Names::Any)),
            ("ledger", ledger()),
        ],
    )
}

const HANDSHAKE_PHASES: [&str; 4] = ["hello", "server_flight", "verify", "finish"];

/// What each line of the handshakes' ledger has.
fn ledger() -> Shape {
    let numbers = [
        "count",
        "retried",
        "target_cpu_us",
        "bytes_out",
        "bytes_in",
        "records_out",
        "records_in",
        "bytes_out_each",
        "bytes_in_each",
        "records_out_each",
        "records_in_each",
        "chain_bytes_each",
        "chain_bytes_max",
    ];
    let counters = ["suites", "groups", "signatures", "alerts_sent", "chain_lengths"];
    let mut keys = vec![("phases_ms", spreads(&HANDSHAKE_PHASES)), ("versions", Shape::Counters(Names::Versions))];
    keys.extend(["handshake_ms", "client_cpu_us"].map(|key| (key, Shape::Spread)));
    keys.extend(numbers.map(|key| (key, Shape::Number)));
    keys.extend(counters.map(|key| (key, Shape::Counters(Names::Any))));
    Shape::Ledger(keys)
}

/// What the target used, where it was watched.
fn target() -> Shape {
    const KINDS: [&str; 4] = ["full", "resumed", "hello_retry", "failed"];
    let figures =
        ["cpu_s", "cpu_busy", "cpu_us_per_exchange", "cpu_us_per_handshake", "rss_bytes", "processes", "gone"];
    object(&figures, &[], vec![("handshake_cpu_us", numbers(&KINDS)), ("handshakes", numbers(&KINDS))])
}

fn numbers(keys: &[&'static str]) -> Shape {
    object(keys, &[], vec![])
}

fn spreads(keys: &[&'static str]) -> Shape {
    object(&[], keys, vec![])
}

fn object(numbers: &[&'static str], spreads: &[&'static str], mut more: Vec<(&'static str, Shape)>) -> Shape {
    more.extend(numbers.iter().map(|key| (*key, Shape::Number)));
    more.extend(spreads.iter().map(|key| (*key, Shape::Spread)));
    Shape::Object(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_figures_are_found() {
        for (figure, want) in [
            ("phones.failed", Known::Number),
            ("operations.restore.response_ms.p99_9", Known::Number),
            ("operations.backup.outcomes.http-405", Known::Counter(26)),
            ("operations.resync.outcomes.prompt-profile-account", Known::Counter(26)),
            ("exchanges.status.401", Known::Counter(16)),
            ("auth.answers.digest-md5-sess", Known::Counter(12)),
            ("auth.prompts.profile-account", Known::Number),
            ("tls.versions.1.3", Known::Counter(12)),
            ("tls.suites.TLS13_AES_128_GCM_SHA256", Known::Counter(10)),
            ("generator.loop_lag_ms.max", Known::Number),
            ("generator.cpu_account.rest_us_per_exchange", Known::Number),
            ("tls.ledger.full.client_cpu_us.p50", Known::Number),
            ("tls.ledger.resumed-session-client-certificate.count", Known::Counter(10)),
            ("tls.ledger.failed-alert-certificate-required.count", Known::Counter(10)),
            ("tls.ledger.full.suites.TLS_AES_128_GCM_SHA256", Known::Counter(22)),
            ("target.handshake_cpu_us.full", Known::Number),
        ] {
            assert_eq!(find(figure), Ok(want), "{figure}");
        }
    }

    #[test]
    fn units_are_those_of_the_names() {
        for (figure, want) in [
            ("phones.failed", Unit::COUNT),
            ("operations.restore.response_ms.p99_9", Unit::MILLISECONDS),
            ("operations.restore.response_ms.samples", Unit::COUNT),
            ("exchanges.phases_ms.tls.max", Unit::MILLISECONDS),
            ("exchanges.bytes_in", Unit::BYTES),
            ("exchanges.per_operation", Unit::PURE),
            ("tls.client_cpu_by_kind_us.full.p50", Unit::MICROSECONDS),
            ("tls.chain_bytes_max", Unit::BYTES),
            ("tls.ledger.full.bytes_in_each", Unit::BYTES),
            ("tls.ledger.full.target_cpu_us", Unit::MICROSECONDS),
            ("target.cpu_us_per_handshake", Unit::MICROSECONDS),
            ("target.cpu_busy", Unit::PURE),
            ("generator.cpu_account.opening_s", Unit::SECONDS),
            ("storm.provisioned_95_s", Unit::SECONDS),
            ("storm.handshakes_peak_per_s", Unit::COUNT.per(Unit::SECONDS)),
            ("generator.cpu_s", Unit::SECONDS),
            ("generator.cpu_busy_max", Unit::PURE),
            ("generator.rss_per_phone_bytes", Unit::BYTES),
            ("wall_s", Unit::SECONDS),
            ("exchanges.status.401", Unit::COUNT),
        ] {
            assert!(find(figure).is_ok(), "{figure}");
            assert_eq!(unit(figure), want, "{figure}");
        }
    }

    #[test]
    fn slips_get_the_nearest_figure() {
        for (figure, right) in [
            ("phones.fialed", "did you mean `phones.failed`?"),
            ("operations.restore.response_ms.p98", "did you mean `operations.restore.response_ms.p90`?"),
            ("operations.restore.response_ms.p99.9", "did you mean `operations.restore.response_ms.p99_9`?"),
            ("operations.restor.planned", "did you mean `operations.restore.planned`?"),
            ("tls.versions.1.1", "did you mean `tls.versions.1.2`?"),
        ] {
            assert_eq!(find(figure), Err(right.to_owned()), "{figure}");
        }
        for figure in [
            "phones",
            "tls.ledger.full",
            "tls.ledger.other.count",
            "operations.restore.response_ms",
            "exchanges.status.999",
            "weather",
            "",
        ] {
            assert!(find(figure).is_err(), "{figure}");
        }
    }
}
