//! Thresholds: goals over the figures of `summary.json` that can fail a run.

use std::fmt;

use serde_json::Value;

use super::figure::{self, Known};

/// A goal that can fail the run: a figure, a comparison, a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    figure: String,
    comparison: Comparison,
    limit: f64,
    typed: String,
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// Two-character signs first, so that `<=` is not read as `<`.
    const SIGNS: [(&'static str, Comparison); 6] = [
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];

    /// Whether `value` compares so with `limit`.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Comparison::Less => value < limit,
            Comparison::LessOrEqual => value <= limit,
            Comparison::Greater => value > limit,
            Comparison::GreaterOrEqual => value >= limit,
            Comparison::Equal => value == limit,
            Comparison::NotEqual => value != limit,
        }
    }
}

/// A threshold that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// The summary has no such figure.
    #[error("the summary has no figure `{figure}`; {right}")]
    NoFigure {
        /// As typed.
        figure: String,
        /// What would be right.
        right: String,
    },
    /// The comparison is none.
    #[error("`{0}` is no comparison; write for example \"== 0\" or \"< 2000\" (signs: < <= > >= == !=)")]
    NoComparison(String),
}

/// What a threshold says of a summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The figure's value, if there is one.
    pub value: Option<f64>,
    /// How it went.
    pub judgement: Judgement,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The goal is met.
    Pass,
    /// The goal is missed.
    Fail,
    /// The figure is `null`: there were too few samples to tell. Counts as missed.
    Null,
    /// The summary has no such figure: nothing of the kind happened. Counts as missed.
    NoFigure,
}

impl Verdict {
    /// Whether the goal is met.
    pub const fn passed(&self) -> bool {
        matches!(self.judgement, Judgement::Pass)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.judgement, self.value) {
            (Judgement::Null, _) => f.write_str("failed: too few samples for this figure"),
            (Judgement::NoFigure, _) => {
                f.write_str("failed: the run has no such figure (nothing of the kind happened)")
            }
            (Judgement::Pass, value) => write!(f, "passed: {}", value.unwrap_or_default()),
            (Judgement::Fail, value) => write!(f, "failed: {}", value.unwrap_or_default()),
        }
    }
}

impl Threshold {
    /// Reads a threshold: a dotted figure of the summary, and a comparison such as `< 2000`.
    pub fn parse(figure: &str, comparison: &str) -> Result<Threshold, ThresholdError> {
        figure::find(figure).map_err(|right| ThresholdError::NoFigure { figure: figure.to_owned(), right })?;
        let typed = comparison.trim();
        let wrong = || ThresholdError::NoComparison(typed.to_owned());
        let (sign, comparison) =
            Comparison::SIGNS.into_iter().find(|(sign, _)| typed.starts_with(sign)).ok_or_else(wrong)?;
        let number = typed[sign.len()..].trim();
        let limit: f64 = number.replace('_', "").parse().map_err(|_| wrong())?;
        if !limit.is_finite() {
            return Err(wrong());
        }
        Ok(Threshold { figure: figure.to_owned(), comparison, limit, typed: typed.to_owned() })
    }

    /// The figure's dotted name.
    pub fn figure(&self) -> &str {
        &self.figure
    }

    /// How it is compared, and with what, as typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// How it is compared.
    pub const fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// With what it is compared; in the unit of the figure's name.
    pub const fn limit(&self) -> f64 {
        self.limit
    }

    /// Checks a summary.
    pub fn check(&self, summary: &Value) -> Verdict {
        let missing = Verdict { value: None, judgement: Judgement::NoFigure };
        let value = match lookup(summary, &self.figure) {
            Some(Value::Null) => return Verdict { value: None, judgement: Judgement::Null },
            Some(found) => match found.as_f64() {
                Some(value) => value,
                None => return missing,
            },
            // A counter that never counted is left out of its object.
            None => match figure::find(&self.figure) {
                Ok(Known::Counter(home)) if lookup(summary, &self.figure[..home]).is_some() => 0.0,
                _ => return missing,
            },
        };
        let holds = self.comparison.holds(value, self.limit);
        Verdict { value: Some(value), judgement: if holds { Judgement::Pass } else { Judgement::Fail } }
    }
}

/// The value at a dotted name; keys may hold dots themselves (`tls.versions.1.3`).
fn lookup<'s>(summary: &'s Value, figure: &str) -> Option<&'s Value> {
    let object = summary.as_object()?;
    object.get(figure).or_else(|| {
        let dots = figure.match_indices('.').map(|(at, _)| at);
        dots.filter_map(|at| lookup(object.get(&figure[..at])?, &figure[at + 1..])).next()
    })
}

impl fmt::Display for Threshold {
    /// As typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.figure, self.typed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comparisons_are_read_and_shown_as_typed() {
        for (typed, comparison, limit) in [
            ("== 0", Comparison::Equal, 0.0),
            ("<2000", Comparison::Less, 2000.0),
            ("<= 1.5", Comparison::LessOrEqual, 1.5),
            (">= 20_000", Comparison::GreaterOrEqual, 20_000.0),
            ("> -1", Comparison::Greater, -1.0),
            ("!= 3", Comparison::NotEqual, 3.0),
        ] {
            let t = Threshold::parse("phones.failed", typed).unwrap();
            assert_eq!((t.comparison(), t.limit()), (comparison, limit));
            assert_eq!(t.to_string(), format!("phones.failed {typed}"));
        }
        for bad in ["", "0", "=< 3", "= 0", "< ", "< 2s", "< nan", "== zero", "< inf"] {
            let wrong = Threshold::parse("phones.failed", bad);
            assert_eq!(wrong, Err(ThresholdError::NoComparison(bad.trim().to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_summary_is_judged() {
        let summary = json!({
            "phones": {"failed": 3},
            "operations": {"restore": {"outcomes": {"ok": 7}, "response_ms": {"p99": null, "p50": 12.5}}},
            "tls": {"versions": {"1.3": 40}, "handshakes": {"full": 40}, "suites": {}},
        });
        let table = [
            ("phones.failed", "== 0", Some(3.0), Judgement::Fail),
            ("phones.failed", "< 4", Some(3.0), Judgement::Pass),
            ("operations.restore.response_ms.p50", "<= 12.5", Some(12.5), Judgement::Pass),
            ("operations.restore.response_ms.p99", "< 2000", None, Judgement::Null),
            ("operations.restore.outcomes.ok", ">= 7", Some(7.0), Judgement::Pass),
            ("operations.restore.outcomes.not-found", "== 0", Some(0.0), Judgement::Pass),
            ("operations.backup.outcomes.not-found", "== 0", None, Judgement::NoFigure),
            ("operations.backup.planned", "== 0", None, Judgement::NoFigure),
            ("tls.versions.1.3", "> 0", Some(40.0), Judgement::Pass),
            ("tls.versions.1.2", "== 0", Some(0.0), Judgement::Pass),
            ("tls.suites.ANY", "== 0", Some(0.0), Judgement::Pass),
            ("tls.groups.X25519", "== 0", None, Judgement::NoFigure),
            ("storm.drain_s", "< 60", None, Judgement::NoFigure),
        ];
        for (figure, comparison, value, judgement) in table {
            let verdict = Threshold::parse(figure, comparison).unwrap().check(&summary);
            assert_eq!(verdict, Verdict { value, judgement }, "{figure} {comparison}");
            assert_eq!(verdict.passed(), judgement == Judgement::Pass);
        }
    }
}
