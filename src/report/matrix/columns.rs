//! Which figures a matrix is told by: those that were asked for, or those that go with what was varied.

use serde_json::Value;

use super::Played;
use crate::phone::Operation;
use crate::report::compare::Sense;
use crate::workload::Formula;

/// One figure of every run.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// As in `summary.json`, or an expression of several such figures.
    pub(super) key: String,
    /// As a person reads it, with the unit.
    pub(super) name: String,
    /// Its direction.
    pub(super) sense: Sense,
    formula: Formula,
    /// How many of the shown unit one of the formula's is.
    scale: f64,
    /// Whether it is worth a column only where something of it happened.
    if_any: bool,
}

impl Column {
    /// Its value in a run; none if it cannot be told.
    pub(super) fn value(&self, summary: &Value) -> Option<f64> {
        self.formula.value(summary).ok().map(|value| value * self.scale)
    }

    /// Whether these values are worth a column.
    pub(super) fn is_told_by(&self, values: &[Option<f64>]) -> bool {
        values.iter().flatten().any(|value| !self.if_any || *value != 0.0)
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

/// How the phones came back.
const STORM: [Usual; 2] = [
    usual("storm.drain_s", "drained after, s", Sense::Time),
    usual("storm.provisioned_95_s", "95 % provisioned after, s", Sense::Time),
];

/// What a TLS setup costs. Figures of kinds of handshakes that did not happen are not there.
const TLS: [Usual; 11] = [
    usual("storm.handshakes_peak_per_s", "handshakes/s at peak", Sense::Speed),
    usual("storm.handshakes_per_s", "handshakes/s in the storm", Sense::Speed),
    usual("storm.drain_s", "drained after, s", Sense::Time),
    usual("tls.client_cpu_by_kind_us.full.mean", "client CPU a full handshake, µs", Sense::Amount),
    usual("tls.client_cpu_by_kind_us.hello_retry.mean", "client CPU a hello-retry handshake, µs", Sense::Amount),
    usual("tls.client_cpu_by_kind_us.resumed.mean", "client CPU a resumed handshake, µs", Sense::Amount),
    usual(
        "tls.bytes_out / (tls.handshakes.full + tls.handshakes.resumed + tls.handshakes.hello_retry)",
        "octets sent a handshake",
        Sense::Amount,
    ),
    usual(
        "tls.bytes_in / (tls.handshakes.full + tls.handshakes.resumed + tls.handshakes.hello_retry)",
        "octets received a handshake",
        Sense::Amount,
    ),
    usual("tls.handshake_ms.p50", "handshake p50, ms", Sense::Time),
    usual("tls.handshake_ms.p99", "handshake p99, ms", Sense::Time),
    if_any("tls.handshakes.failed", "handshakes failed"),
];

/// What any workload costs.
const ANY: [Usual; 3] = [
    usual("exchanges.per_operation", "exchanges an operation", Sense::Amount),
    Usual { scale: 1e6, ..usual("generator.cpu_s / exchanges.total", "client CPU an exchange, µs", Sense::Amount) },
    if_any("auth.challenges.stale", "stale challenges"),
];

/// What should not happen.
const FAILED: [Usual; 3] = [
    usual("phones.failed", "phones failed", Sense::Amount),
    if_any("phones.prompting", "phones prompting"),
    if_any("exchanges.failed", "exchanges failed"),
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
    all.into_iter().filter(told).collect()
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
    Some(Column { key: text.to_owned(), name, sense, formula, scale: 1.0, if_any: false })
}

/// What goes with what was varied, and with what the runs did.
fn by_themselves(played: &Played, summaries: &[&Value]) -> Vec<Column> {
    let is_tls = |key: &String| key.split('.').any(|word| word == "tls") || key == "target.url";
    let tls = played.axes.iter().flat_map(|axis| &axis.keys).any(is_tls);
    let of = |usual: &Usual| {
        let formula = Formula::parse(usual.key).ok()?;
        let Usual { key, name, sense, scale, if_any } = *usual;
        Some(Column { key: key.to_owned(), name: name.to_owned(), sense, formula, scale, if_any })
    };
    let mut columns: Vec<Column> = match tls {
        true => TLS.iter().filter_map(of).collect(),
        false => STORM.iter().filter_map(of).collect(),
    };
    let quantiles: &[&str] = if tls { &["p99"] } else { &["p50", "p99"] };
    columns.extend(main_operation(summaries).into_iter().flat_map(|operation| {
        let column = move |quantile: &&str| {
            let key = format!("operations.{operation}.response_ms.{quantile}");
            let name = format!("{operation} response time {quantile}, ms");
            let formula = Formula::parse(&key).ok()?;
            Some(Column { key, name, sense: Sense::Time, formula, scale: 1.0, if_any: false })
        };
        quantiles.iter().filter_map(column).collect::<Vec<_>>()
    }));
    if !tls {
        columns.extend(ANY.iter().filter_map(of));
    }
    columns.extend(FAILED.iter().filter_map(of));
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
