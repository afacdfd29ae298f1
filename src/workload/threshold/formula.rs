//! Figures to be shown: one of `summary.json`, or an expression of several, without a comparison.

use std::fmt;

use serde_json::Value;

use super::expression::{Expression, Parser};
use super::{Judgement, ThresholdError, figure, tidy};
use crate::workload::unit::Unit;

/// What can be worked out on a summary: `storm.drain_s`, `exchanges.bytes_out / exchanges.total`.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    text: String,
    value: Expression,
    unit: Unit,
}

impl Formula {
    /// Reads a dotted figure of the summary, or an expression of several.
    ///
    /// # Errors
    /// What is wrong, where, and what would be right.
    pub fn parse(text: &str) -> Result<Formula, ThresholdError> {
        let text = text.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_name) {
            figure::find(text).map_err(|right| ThresholdError::NoFigure { figure: text.to_owned(), right })?;
        }
        let mut parser = Parser::new(text)?;
        let typed = parser.sum()?;
        parser.end()?;
        let unit = typed.unit.unwrap_or(Unit::PURE).shown();
        Ok(Formula { text: text.to_owned(), value: typed.expression, unit })
    }

    /// As typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The unit of its value: `ms`, `s`, `bytes`, …; empty for counts and ratios.
    pub fn unit(&self) -> String {
        self.unit.name()
    }

    /// Its value on a summary, in [`Formula::unit`].
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(&self, summary: &Value) -> Result<f64, Judgement> {
        let inner = self.value.value(summary)?;
        Ok(tidy(inner / self.unit.one().unwrap_or(1.0)))
    }
}

impl fmt::Display for Formula {
    /// As typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_worked_out_in_their_own_units() {
        let summary = json!({
            "storm": { "drain_s": 4.0 },
            "tls": { "bytes_out": 3_000, "handshakes": { "full": 10 }, "client_cpu_us": { "mean": 215.0, "p99": null } },
        });
        for (text, value, unit) in [
            ("storm.drain_s", Ok(4.0), "s"),
            ("tls.client_cpu_us.mean", Ok(215.0), "µs"),
            ("tls.bytes_out / tls.handshakes.full", Ok(300.0), "bytes"),
            ("tls.handshakes.full / storm.drain_s", Ok(2.5), "/s"),
            ("tls.client_cpu_us.p99", Err(Judgement::Null), "µs"),
            ("tls.handshakes.full / tls.handshakes.resumed", Err(Judgement::NoFigure), ""),
        ] {
            let formula = Formula::parse(text).unwrap();
            assert_eq!((formula.value(&summary), formula.unit().as_str()), (value, unit), "{text}");
        }
        for text in ["storm.drane_s", "storm.drain_s < 3", "", "storm.drain_s storm.phones"] {
            assert!(Formula::parse(text).is_err(), "{text}");
        }
    }
}
