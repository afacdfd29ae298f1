//! Thresholds: goals over the figures of `summary.json` that can fail a run.

mod expression;
mod formula;
mod token;

use std::fmt;

use serde_json::Value;

use self::expression::{Expression, Parser, alike, wrong};
pub use self::formula::Formula;
use super::figure;
use super::unit::Unit;

/// A goal that can fail the run: figures, a comparison, figures or numbers.
///
/// `operations.restore.response_ms.p99 < 500ms`, `exchanges.failed / exchanges.total < 0.1%`,
/// `phones.prompting == 0`. A number without a unit is in the unit of what it stands beside.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// What stands before the comparison, as typed.
    figure: String,
    /// The comparison and what follows it, as typed.
    goal: String,
    comparison: Comparison,
    value: Expression,
    limit: Expression,
    /// In which the value is told.
    unit: Unit,
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
        // What differs by no more than rounding is equal: 0.1 + 0.2 is 0.3.
        let equal = (value - limit).abs() <= 1e-12 * value.abs().max(limit.abs());
        match self {
            Comparison::Less => value < limit && !equal,
            Comparison::LessOrEqual => value < limit || equal,
            Comparison::Greater => value > limit && !equal,
            Comparison::GreaterOrEqual => value > limit || equal,
            Comparison::Equal => equal,
            Comparison::NotEqual => !equal,
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
    #[error("`{0}` is no comparison; write for example \"== 0\" or \"< 500ms\" (signs: < <= > >= == !=)")]
    NoComparison(String),
    /// The expression is none, or its units do not go together.
    #[error("`{text}`, character {character}: {what}; {right}")]
    Expression {
        /// As typed.
        text: String,
        /// Where in it, from 1.
        character: usize,
        /// What is wrong there.
        what: String,
        /// What would be right.
        right: String,
    },
}

/// What a threshold says of a summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What stands before the comparison, in [`Threshold::unit`]; `None` if it cannot be told.
    pub value: Option<f64>,
    /// What it is compared with, in the same unit; `None` if that cannot be told.
    pub limit: Option<f64>,
    /// How it went.
    pub judgement: Judgement,
}

/// How a check went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The goal is met.
    Pass,
    /// The goal is missed.
    #[default]
    Fail,
    /// A figure is `null`: there were too few samples to tell. Counts as missed.
    Null,
    /// The summary has no such figure: nothing of the kind happened. Counts as missed.
    NoFigure,
    /// It divides by zero. Counts as missed.
    Undefined,
    /// The run was interrupted: whether the goal would have been met is not known. Neither met nor missed.
    NotJudged,
}

impl Judgement {
    /// Whether the goal is met.
    pub const fn passed(self) -> bool {
        matches!(self, Judgement::Pass)
    }

    /// Whether it counts as missed.
    pub const fn failed(self) -> bool {
        !matches!(self, Judgement::Pass | Judgement::NotJudged)
    }

    /// Why there is no value, if there is none.
    pub const fn why_unknown(self) -> Option<&'static str> {
        match self {
            Judgement::Null => Some("too few samples to tell"),
            Judgement::NoFigure => Some("nothing of the kind happened"),
            Judgement::Undefined => Some("divides by zero"),
            Judgement::Pass | Judgement::Fail | Judgement::NotJudged => None,
        }
    }
}

impl Verdict {
    /// Whether the goal is met.
    pub const fn passed(&self) -> bool {
        self.judgement.passed()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.judgement.why_unknown(), self.passed()) {
            (Some(why), _) => write!(f, "failed: {why}"),
            (None, true) => write!(f, "passed: {}", self.value.unwrap_or_default()),
            (None, false) => write!(f, "failed: {}", self.value.unwrap_or_default()),
        }
    }
}

impl Threshold {
    /// Reads a threshold in two parts: a dotted figure of the summary (or an expression of several), and a comparison
    /// such as `< 500ms`.
    ///
    /// # Errors
    /// What is wrong, where, and what would be right.
    pub fn parse(figure: &str, comparison: &str) -> Result<Threshold, ThresholdError> {
        let (figure, goal) = (figure.trim(), comparison.trim());
        // A lone figure is told of as such: that is how most are written.
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if figure.starts_with(|c: char| c.is_ascii_alphabetic()) && figure.chars().all(is_name) {
            figure::find(figure).map_err(|right| ThresholdError::NoFigure { figure: figure.to_owned(), right })?;
        }
        let mut left = Parser::new(figure)?;
        let value = left.sum()?;
        left.end()?;
        let mut right = Parser::new(goal)?;
        let wrong_sign = || ThresholdError::NoComparison(goal.to_owned());
        let (sign, _) = right.comparison().ok_or_else(wrong_sign)?;
        let (_, comparison) = Comparison::SIGNS.into_iter().find(|(known, _)| *known == sign).ok_or_else(wrong_sign)?;
        let limit = right.sum()?;
        right.end()?;
        let own = limit.unit;
        let (value, limit, unit) = alike(value, limit).map_err(|(at, what, advice)| wrong(goal, at, what, advice))?;
        // In the unit somebody typed beside the limit, else in the figure's own.
        let unit = match (own, value.unit, unit) {
            (Some(typed), ..) if limit.expression.is_constant() => typed,
            (_, Some(figures), Some(both)) if both.one().is_some() => figures,
            (_, _, both) => both.unwrap_or(Unit::PURE),
        };
        Ok(Threshold {
            figure: figure.to_owned(),
            goal: goal.to_owned(),
            comparison,
            value: value.expression,
            limit: limit.expression,
            unit: unit.shown(),
        })
    }

    /// Reads a threshold in one text: `exchanges.failed / exchanges.total < 0.1%`.
    ///
    /// # Errors
    /// As [`Threshold::parse`].
    pub fn parse_whole(text: &str) -> Result<Threshold, ThresholdError> {
        let text = text.trim();
        let mut parser = Parser::new(text)?;
        parser.sum()?;
        let at = parser.at();
        let Some((sign, at_sign)) = parser.comparison() else {
            parser.end()?;
            let right = "write one, such as < 500ms or == 0";
            return Err(wrong(text, at, "there is no comparison".to_owned(), right));
        };
        if !Comparison::SIGNS.iter().any(|(known, _)| *known == sign) {
            let right = "signs are < <= > >= == !=";
            return Err(wrong(text, at_sign, format!("`{sign}` is no comparison"), right));
        }
        parser.sum()?;
        parser.end()?;
        // Both sides are sound; what can still be wrong is that their units differ. Places count in the whole text.
        Threshold::parse(&text[..at_sign], &text[at_sign..]).map_err(|error| match error {
            ThresholdError::Expression { character, what, right, .. } => ThresholdError::Expression {
                text: text.to_owned(),
                character: character + text[..at_sign].chars().count(),
                what,
                right,
            },
            other => other,
        })
    }

    /// What stands before the comparison: a figure's dotted name, or an expression.
    pub fn figure(&self) -> &str {
        &self.figure
    }

    /// The comparison and what it is compared with, as typed: with [`Threshold::figure`], what
    /// [`Threshold::parse`] takes.
    pub fn typed(&self) -> &str {
        &self.goal
    }

    /// How it is compared.
    pub const fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The unit in which value and limit are told: `ms`, `s`, `bytes`, `%`, …; empty for counts and ratios.
    pub fn unit(&self) -> String {
        self.unit.name()
    }

    /// Checks a summary.
    pub fn check(&self, summary: &Value) -> Verdict {
        let one = self.unit.one().unwrap_or(1.0);
        let (value, limit) = (self.value.value(summary), self.limit.value(summary));
        let judgement = match (value, limit) {
            (Ok(value), Ok(limit)) if self.comparison.holds(value, limit) => Judgement::Pass,
            (Ok(_), Ok(_)) => Judgement::Fail,
            (Err(why), _) | (_, Err(why)) => why,
        };
        let told = |inner: Result<f64, Judgement>| inner.ok().map(|inner| tidy(inner / one));
        Verdict { value: told(value), limit: told(limit), judgement }
    }
}

/// Without the dust that changing units leaves: twelve significant digits.
fn tidy(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

impl fmt::Display for Threshold {
    /// As typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.figure, self.goal)
    }
}

#[cfg(test)]
mod tests;
