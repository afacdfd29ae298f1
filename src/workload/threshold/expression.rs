//! Sums and quotients of figures: read, held to their units, and worked out on a summary.
//!
//! `sum = product { ("+" | "-") product }` · `product = factor { ("*" | "/") factor }` ·
//! `factor = number [unit] | figure | "(" sum ")" | "-" factor`

use serde_json::Value;

use super::super::figure::{self, Known};
use super::token::{Token, Word, tokens};
use super::{Judgement, ThresholdError};
use crate::workload::unit::Unit;

/// How deep brackets may go: nobody writes more, and a slip of the keyboard must not take the stack.
const DEPTH: usize = 32;
/// How many words there may be, for the same reason.
const WORDS: usize = 200;

/// What can be worked out on a summary, in the inner units.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    /// A figure, and how much its one is in the inner unit.
    Figure {
        name: String,
        one: f64,
    },
    Binary(Sign, Box<Expression>, Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
    Times,
    Per,
}

/// An expression with its unit; none for bare numbers, which take that of what they stand beside.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) expression: Expression,
    pub(super) unit: Option<Unit>,
    /// As typed.
    text: String,
    at: usize,
}

/// Reads words from a text, or from one side of a comparison.
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    next: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Result<Parser<'t>, ThresholdError> {
        let tokens = tokens(text).map_err(|(at, what, right)| wrong(text, at, what, right))?;
        if let Some(token) = tokens.get(WORDS) {
            return Err(wrong(text, token.at, format!("there are more than {WORDS} words"), "write it more simply"));
        }
        Ok(Parser { text, tokens, next: 0, depth: 0 })
    }

    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.next)
    }

    /// Takes the sign if it is next.
    fn sign(&mut self, signs: &str) -> Option<char> {
        match self.peek()?.word {
            Word::Sign(sign) if signs.contains(sign) => {
                self.next += 1;
                Some(sign)
            }
            _ => None,
        }
    }

    /// Takes the comparison that is next: as typed, and where.
    pub(super) fn comparison(&mut self) -> Option<(&'t str, usize)> {
        match self.peek()? {
            Token { word: Word::Comparison(sign), at, .. } => {
                let found = (*sign, *at);
                self.next += 1;
                Some(found)
            }
            _ => None,
        }
    }

    /// So many octets come before the next word, or before the end.
    pub(super) fn at(&self) -> usize {
        self.peek().map_or(self.text.len(), |token| token.at)
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), ThresholdError> {
        match self.peek() {
            None => Ok(()),
            Some(token) => {
                let is_unit = matches!(token.word, Word::Figure(word) if Unit::typed(word).is_some());
                let right = match is_unit || token.text == "%" {
                    true => "write a unit right behind its number: 40s",
                    false => "join two values by + - * or /, and compare once",
                };
                Err(wrong(self.text, token.at, format!("`{}` is one too many", token.text), right))
            }
        }
    }

    pub(super) fn sum(&mut self) -> Result<Typed, ThresholdError> {
        let mut left = self.product()?;
        while let Some(sign) = self.sign("+-") {
            let right = self.product()?;
            let (a, b, unit) = self.alike(left, right)?;
            left = self.join(if sign == '+' { Sign::Plus } else { Sign::Minus }, a, b, unit);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Typed, ThresholdError> {
        let mut left = self.factor()?;
        while let Some(sign) = self.sign("*/") {
            let right = self.factor()?;
            let (sign, unit) = match (sign, left.unit, right.unit) {
                (_, None, None) => (if sign == '*' { Sign::Times } else { Sign::Per }, None),
                ('*', a, b) => (Sign::Times, Some(a.unwrap_or(Unit::PURE).times(b.unwrap_or(Unit::PURE)))),
                (_, a, b) => (Sign::Per, Some(a.unwrap_or(Unit::PURE).per(b.unwrap_or(Unit::PURE)))),
            };
            left = self.join(sign, left, right, unit);
        }
        Ok(left)
    }

    fn join(&self, sign: Sign, left: Typed, right: Typed, unit: Option<Unit>) -> Typed {
        let end = self.tokens.get(self.next.saturating_sub(1)).map_or(self.text.len(), |t| t.at + t.text.len());
        let text = self.text.get(left.at..end).unwrap_or_default().trim().to_owned();
        let expression = Expression::Binary(sign, Box::new(left.expression), Box::new(right.expression));
        Typed { expression, unit, text, at: left.at }
    }

    fn factor(&mut self) -> Result<Typed, ThresholdError> {
        let Some(token) = self.peek().cloned() else {
            return Err(wrong(self.text, self.text.len(), "something is missing at the end".to_owned(), VALUE));
        };
        self.next += 1;
        let typed = |expression, unit| Typed { expression, unit, text: token.text.to_owned(), at: token.at };
        match token.word {
            Word::Bare(n) => Ok(typed(Expression::Number(n), None)),
            Word::Quantity(n, unit) => Ok(typed(Expression::Number(n), Some(unit))),
            Word::Figure(name) => {
                let known = figure::find(name);
                known.map_err(|right| {
                    // A minus belongs to the name unless it stands apart.
                    let apart = name.rsplit_once('-').is_some_and(|(a, b)| {
                        figure::find(a).is_ok() && (figure::find(b).is_ok() || b.parse::<f64>().is_ok())
                    });
                    let right = if apart { "put a space on each side of the minus".to_owned() } else { right };
                    wrong(self.text, token.at, format!("the summary has no figure `{name}`"), &right)
                })?;
                let unit = figure::unit(name);
                let figure = Expression::Figure { name: name.to_owned(), one: unit.one().unwrap_or(1.0) };
                Ok(typed(figure, Some(unit)))
            }
            Word::Sign('-') => {
                let of = self.deeper(token.at, Parser::factor)?;
                let unit = of.unit;
                let zero = Typed { expression: Expression::Number(0.0), unit, text: String::new(), at: token.at };
                Ok(self.join(Sign::Minus, zero, of, unit))
            }
            Word::Sign('(') => {
                let inside = self.deeper(token.at, Parser::sum)?;
                match self.sign(")") {
                    Some(_) => Ok(inside),
                    None => {
                        let (at, right) = (self.at(), "close it with `)`");
                        let opened = 1 + self.text[..token.at].chars().count();
                        Err(wrong(self.text, at, format!("the bracket at character {opened} is not closed"), right))
                    }
                }
            }
            Word::Sign(_) | Word::Comparison(_) => {
                Err(wrong(self.text, token.at, format!("`{}` stands where a value should", token.text), VALUE))
            }
        }
    }

    fn deeper<T>(
        &mut self,
        at: usize,
        parse: impl FnOnce(&mut Self) -> Result<T, ThresholdError>,
    ) -> Result<T, ThresholdError> {
        if self.depth >= DEPTH {
            return Err(wrong(self.text, at, "the brackets go too deep".to_owned(), "write it more simply"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Both in one unit, bare numbers in that of the other; what that unit is.
    fn alike(&self, a: Typed, b: Typed) -> Result<(Typed, Typed, Option<Unit>), ThresholdError> {
        alike(a, b).map_err(|(at, what, right)| wrong(self.text, at, what, right))
    }
}

const VALUE: &str = "write a figure such as `storm.drain_s`, or a number such as 500ms";

/// What is wrong with a text, there.
pub(super) fn wrong(text: &str, at: usize, what: String, right: &str) -> ThresholdError {
    let character = 1 + text.get(..at).unwrap_or(text).chars().count();
    ThresholdError::Expression { text: text.to_owned(), character, what, right: right.to_owned() }
}

/// Units that do not fit: where, what is wrong, what would be right.
pub(super) type Misfit = (usize, String, &'static str);

/// Both in one unit, bare numbers in that of the other; what that unit is, or where they differ.
pub(super) fn alike(a: Typed, b: Typed) -> Result<(Typed, Typed, Option<Unit>), Misfit> {
    match (a.unit, b.unit) {
        (None, None) => Ok((a, b, None)),
        (Some(unit), None) => Ok((a, scaled(b, unit)?, Some(unit))),
        (None, Some(unit)) => Ok((scaled(a, unit)?, b, Some(unit))),
        (Some(mine), Some(theirs)) => match mine.with(theirs) {
            Some(unit) => Ok((a, b, Some(unit))),
            None => {
                let what = format!("`{}` is {}, and `{}` {}", a.text, mine.what(), b.text, theirs.what());
                Err((b.at, what, mine.advice()))
            }
        },
    }
}

/// A bare number in this unit.
fn scaled(bare: Typed, unit: Unit) -> Result<Typed, Misfit> {
    let Some(one) = unit.one() else {
        let what = format!("`{}` needs its unit: what stands beside it has several", bare.text);
        return Err((bare.at, what, unit.advice()));
    };
    let expression = Expression::Binary(Sign::Times, Box::new(bare.expression), Box::new(Expression::Number(one)));
    Ok(Typed { expression, unit: Some(unit), ..bare })
}

impl Expression {
    /// Whether no figure is in it.
    pub(super) fn is_constant(&self) -> bool {
        match self {
            Expression::Number(_) => true,
            Expression::Figure { .. } => false,
            Expression::Binary(_, left, right) => left.is_constant() && right.is_constant(),
        }
    }

    /// Its value on a summary, in the inner units; else why there is none.
    pub(super) fn value(&self, summary: &Value) -> Result<f64, Judgement> {
        match self {
            Expression::Number(n) => Ok(*n),
            Expression::Figure { name, one } => figure_value(summary, name).map(|value| value * one),
            Expression::Binary(sign, left, right) => {
                let (left, right) = (left.value(summary)?, right.value(summary)?);
                let value = match sign {
                    Sign::Plus => left + right,
                    Sign::Minus => left - right,
                    Sign::Times => left * right,
                    Sign::Per => left / right,
                };
                if value.is_finite() { Ok(value) } else { Err(Judgement::Undefined) }
            }
        }
    }
}

fn figure_value(summary: &Value, name: &str) -> Result<f64, Judgement> {
    match lookup(summary, name) {
        Some(Value::Null) => Err(Judgement::Null),
        Some(found) => found.as_f64().ok_or(Judgement::NoFigure),
        // A counter that never counted is left out of its object.
        None => match figure::find(name) {
            Ok(Known::Counter(home)) if lookup(summary, &name[..home]).is_some() => Ok(0.0),
            _ => Err(Judgement::NoFigure),
        },
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
