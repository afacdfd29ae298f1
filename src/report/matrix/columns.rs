//! Which figures a matrix is told by: those that were asked for, or those that go with what was varied.

use serde_json::Value;

use super::Played;
use crate::phone::Operation;
use crate::report::compare::Sense;
use crate::workload::Formula;

/// One figure of every run.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// As in `summary.json`, an expression of several such figures, or `per_handshake.…` for what is made of them.
    pub(super) key: String,
    /// As a person reads it, with the unit.
    pub(super) name: String,
    /// Its direction.
    pub(super) sense: Sense,
    how: How,
    /// Whether it is worth a column only where something of it happened.
    if_any: bool,
}

/// How a figure is had from a summary.
#[derive(Clone, Debug)]
enum How {
    /// The formula, and how many of the shown unit one of its own is.
    Formula(Formula, f64),
    /// From what happened of one kind of handshake.
    OfKind(fn(&Value, &str) -> Option<f64>),
}

/// The kinds of handshakes, the one that tells of a setup first: phones that resume must have made a full one before.
const KINDS: [&str; 3] = ["resumed", "full", "hello_retry"];

impl Column {
    /// Its value in a run; none if it cannot be told.
    pub(super) fn value(&self, summary: &Value) -> Option<f64> {
        match &self.how {
            How::Formula(formula, scale) => formula.value(summary).ok().map(|value| value * scale),
            How::OfKind(value) => {
                let done = |kind: &&str| summary["tls"]["handshakes"][*kind].as_u64().is_some_and(|n| n > 0);
                value(summary, KINDS.into_iter().find(done)?)
            }
        }
    }

    /// Whether these values are worth a column.
    pub(super) fn is_told_by(&self, values: &[Option<f64>]) -> bool {
        values.iter().flatten().any(|value| !self.if_any || *value != 0.0)
    }

    /// Whether it counts something.
    pub(super) fn counts(&self) -> bool {
        matches!(&self.how, How::Formula(formula, scale) if formula.unit().is_empty() && *scale == 1.0)
    }

    /// Whether it is of one kind of handshake in each run.
    pub(super) fn is_of_kind(&self) -> bool {
        matches!(self.how, How::OfKind(_))
    }
}

/// A figure that goes with some workloads.
struct Usual {
    key: &'static str,
    name: &'static str,
    sense: Sense,
    scale: f64,
    if_any: bool,
}

const fn usual(key: &'static str, name: &'static str, sense: Sense) -> Usual {
    Usual { key, name, sense, scale: 1.0, if_any: false }
}

const fn if_any(key: &'static str, name: &'static str) -> Usual {
    Usual { if_any: true, ..usual(key, name, Sense::Amount) }
}

impl Usual {
    /// Its column; none if it is a slip of this very list.
    fn column(&self) -> Option<Column> {
        let Usual { key, name, sense, scale, if_any } = *self;
        let how = How::Formula(Formula::parse(key).ok()?, scale);
        Some(Column { key: key.to_owned(), name: name.to_owned(), sense, how, if_any })
    }
}

/// How the phones came back.
const STORM: [Usual; 2] = [
    usual("storm.drain_s", "drained after, s", Sense::Time),
    usual("storm.provisioned_95_s", "95 % provisioned after, s", Sense::Time),
];

const STORM_RATE: &str = "storm.handshakes_per_s";
const PEAK: &str = "storm.handshakes_peak_per_s";

/// How many handshakes a TLS setup lets through, and how long a storm takes with it.
const TLS: [Usual; 3] = [
    usual(PEAK, "handshakes/s at peak", Sense::Speed),
    usual(STORM_RATE, "handshakes/s in the storm", Sense::Speed),
    usual("storm.drain_s", "drained after, s", Sense::Time),
];

/// A figure of one kind of handshake: key, name, direction, and how it is had.
type PerHandshake = (&'static str, &'static str, Sense, fn(&Value, &str) -> Option<f64>);

/// What a handshake of a TLS setup costs.
const PER_HANDSHAKE: [PerHandshake; 6] = [
    ("per_handshake.client_cpu_us", "client CPU a handshake, µs", Sense::Amount, |s, kind| {
        s["tls"]["client_cpu_by_kind_us"][kind]["mean"].as_f64()
    }),
    ("per_handshake.target_cpu_us", "target CPU a handshake, µs", Sense::Amount, |s, kind| {
        let target = &s["target"];
        target["handshake_cpu_us"][kind].as_f64().or_else(|| target["cpu_us_per_handshake"].as_f64())
    }),
    ("per_handshake.bytes_out", "octets sent a handshake", Sense::Amount, |s, kind| each(s, kind, "bytes_out")),
    ("per_handshake.bytes_in", "octets received a handshake", Sense::Amount, |s, kind| each(s, kind, "bytes_in")),
    ("per_handshake.p50_ms", "handshake p50, ms", Sense::Time, |s, kind| {
        s["tls"]["handshake_by_kind_ms"][kind]["p50"].as_f64()
    }),
    ("per_handshake.p99_ms", "handshake p99, ms", Sense::Time, |s, kind| {
        s["tls"]["handshake_by_kind_ms"][kind]["p99"].as_f64()
    }),
];

/// Of all lines of the ledger of this kind together, what each handshake has of something that adds.
fn each(summary: &Value, kind: &str, what: &str) -> Option<f64> {
    let lines = summary["tls"]["ledger"].as_object()?.values().filter(|line| line["kind"] == kind);
    let (sum, count) = lines.fold((0, 0), |(sum, count), line| {
        let number = |key: &str| line[key].as_u64().unwrap_or(0);
        (sum + number(what), count + number("count"))
    });
    (count > 0).then(|| sum as f64 / count as f64)
}

/// What any workload costs.
const ANY: [Usual; 3] = [
    usual("exchanges.per_operation", "exchanges an operation", Sense::Amount),
    Usual { scale: 1e6, ..usual("generator.cpu_s / exchanges.total", "client CPU an exchange, µs", Sense::Amount) },
    if_any("auth.challenges.stale", "stale challenges"),
];

/// What should not happen.
const FAILED: [Usual; 4] = [
    if_any("phones.failed", "phones failed"),
    if_any("tls.handshakes.failed", "handshakes failed"),
    if_any("phones.prompting", "phones prompting"),
    // What a phone left off when its power went is no failure of anybody.
    if_any("exchanges.failed - exchanges.failures.aborted", "exchanges failed"),
];

/// The columns of a matrix whose runs came to these summaries. Those that no run can tell are not there.
pub(super) fn columns(played: &Played, summaries: &[&Value]) -> Vec<Column> {
    let all = match played.show.is_empty() {
        true => by_themselves(played, summaries),
        false => played.show.iter().filter_map(|text| asked(text)).collect(),
    };
    let told = |column: &Column| {
        let values: Vec<_> = summaries.iter().map(|summary| column.value(summary)).collect();
        !played.show.is_empty() || column.is_told_by(&values)
    };
    let mut all: Vec<Column> = all.into_iter().filter(told).collect();
    // The most in one second of the run tells less than the rate of the storm itself.
    if played.show.is_empty() && all.iter().any(|column| column.key == STORM_RATE) {
        all.retain(|column| column.key != PEAK);
    }
    all
}

/// A figure that somebody named.
fn asked(text: &str) -> Option<Column> {
    // A matrix of a later version may name one that this version does not know.
    let formula = Formula::parse(text).ok()?;
    let unit = formula.unit();
    let sense = match unit.as_str() {
        _ if text.contains("cpu") => Sense::Amount,
        "µs" | "ms" | "s" | "min" | "h" => Sense::Time,
        unit if unit.ends_with("/s") => Sense::Speed,
        _ => Sense::Amount,
    };
    let name = if unit.is_empty() { text.to_owned() } else { format!("{text}, {unit}") };
    Some(Column { key: text.to_owned(), name, sense, how: How::Formula(formula, 1.0), if_any: false })
}

/// What goes with what was varied, and with what the runs did.
fn by_themselves(played: &Played, summaries: &[&Value]) -> Vec<Column> {
    let is_tls = |key: &String| key.split('.').any(|word| word == "tls") || key == "target.url";
    let tls = played.axes.iter().flat_map(|axis| &axis.keys).any(is_tls);
    let mut columns: Vec<Column> = match tls {
        true => TLS.iter().filter_map(Usual::column).collect(),
        false => STORM.iter().filter_map(Usual::column).collect(),
    };
    if tls {
        columns.extend(PER_HANDSHAKE.map(|(key, name, sense, value)| Column {
            key: key.to_owned(),
            name: name.to_owned(),
            sense,
            how: How::OfKind(value),
            if_any: false,
        }));
    }
    let quantiles: &[&str] = if tls { &["p99"] } else { &["p50", "p99"] };
    columns.extend(main_operation(summaries).into_iter().flat_map(|operation| {
        let column = move |quantile: &&str| {
            let key = format!("operations.{operation}.response_ms.{quantile}");
            let name = format!("{operation} response time {quantile}, ms");
            let how = How::Formula(Formula::parse(&key).ok()?, 1.0);
            Some(Column { key, name, sense: Sense::Time, how, if_any: false })
        };
        quantiles.iter().filter_map(column).collect::<Vec<_>>()
    }));
    if !tls {
        columns.extend(ANY.iter().filter_map(Usual::column));
    }
    columns.extend(FAILED.iter().filter_map(Usual::column));
    columns
}

/// The operation that was begun most often.
fn main_operation(summaries: &[&Value]) -> Option<&'static str> {
    let begun = |name: &str| -> u64 {
        summaries.iter().filter_map(|summary| summary["operations"][name]["started"].as_u64()).sum()
    };
    let operations = Operation::ALL.map(|operation| (begun(operation.name()), operation.name()));
    operations.into_iter().rev().max_by_key(|(begun, _)| *begun).filter(|(begun, _)| *begun > 0).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_figure_is_one() {
        for usual in STORM.iter().chain(&TLS).chain(&ANY).chain(&FAILED) {
            assert!(Formula::parse(usual.key).is_ok(), "{}", usual.key);
        }
    }

    #[test]
    fn what_somebody_names_knows_its_direction() {
        for (text, name, sense) in [
            ("storm.drain_s", "storm.drain_s, s", Sense::Time),
            ("tls.client_cpu_us.mean", "tls.client_cpu_us.mean, µs", Sense::Amount),
            ("exchanges.total / wall_s", "exchanges.total / wall_s, /s", Sense::Speed),
            ("exchanges.bytes_in", "exchanges.bytes_in, bytes", Sense::Amount),
            ("phones.failed", "phones.failed", Sense::Amount),
        ] {
            let column = asked(text).unwrap();
            assert_eq!((column.name.as_str(), column.sense), (name, sense));
        }
        assert!(asked("weather.rain_ms").is_none());
    }
}
