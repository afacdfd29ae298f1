//! The words of an expression.

use crate::workload::unit::Unit;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) word: Word<'t>,
    /// As typed.
    pub(super) text: &'t str,
    /// Octets before it.
    pub(super) at: usize,
}

/// What a word can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word<'t> {
    /// A number without a unit.
    Bare(f64),
    /// A number with its unit, in the inner unit.
    Quantity(f64, Unit),
    /// A figure's dotted name.
    Figure(&'t str),
    /// One of `+ - * / ( )`.
    Sign(char),
    /// Something that looks like a comparison.
    Comparison(&'t str),
}

/// What is no word: where, and what would be right.
pub(super) type NoWord = (usize, String, &'static str);

const NUMBERS: &str = "write a number such as 500, 0.5 or 20k, with its unit if it has one: 500ms, 2m, 40KB, 1%";

/// The words of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, NoWord> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (word, length) = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '+' | '-' | '*' | '/' | '(' | ')' => (Word::Sign(first), 1),
            '<' | '>' | '=' | '!' => {
                let length = run(rest, |c| "<>=!".contains(c));
                (Word::Comparison(&rest[..length]), length)
            }
            '0'..='9' | '.' => number(rest).map_err(|what| (at, what, NUMBERS))?,
            c if c.is_ascii_alphabetic() => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || "._-".contains(c));
                (Word::Figure(&rest[..length]), length)
            }
            c => {
                let right = "an expression has figures, numbers, + - * / ( ) and one comparison (< <= > >= == !=)";
                return Err((at, format!("`{c}` means nothing here"), right));
            }
        };
        found.push(Token { word, text: &rest[..length], at });
        at += length;
    }
    Ok(found)
}

/// So many octets at the beginning are of this kind.
fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// `500`, `20_000`, `1e-3`, `20k`, `2.5ms`, `1m30s`, `1%`: its value and length.
fn number(text: &str) -> Result<(Word<'_>, usize), String> {
    let whole = run(text, |c| c.is_alphanumeric() || "._%".contains(c));
    let whole = whole + exponent_sign(&text[..whole], &text[whole..]);
    let typed = &text[..whole];
    let wrong = || format!("`{typed}` is no number");
    let (mut sum, mut unit, mut least, mut rest) = (0.0, None::<Unit>, f64::INFINITY, typed);
    while !rest.is_empty() {
        let digits = run(rest, |c| c.is_ascii_digit() || c == '_' || c == '.');
        let digits = digits + exponent(&rest[digits..]);
        let value: f64 = rest[..digits].replace('_', "").parse().map_err(|_| wrong())?;
        let letters = run(&rest[digits..], |c| !c.is_ascii_digit() && c != '.' && c != '_');
        let word = &rest[digits..digits + letters];
        rest = &rest[digits + letters..];
        let factor = match word {
            "" => 1.0,
            "k" | "K" => 1e3,
            "M" => 1e6,
            _ => {
                let this = Unit::typed(word).ok_or_else(|| format!("`{word}` in `{typed}` is no unit"))?;
                let one = this.one().unwrap_or(1.0);
                // Only times are told in parts, the larger first: 1m30s.
                if unit.is_some_and(|unit| !unit.is_time() || !this.is_time() || one >= least) {
                    return Err(wrong());
                }
                (unit, least) = (Some(this), one);
                one
            }
        };
        if unit.is_none() && !rest.is_empty() || unit.is_some() && factor != least {
            return Err(wrong());
        }
        sum += value * factor;
    }
    if !sum.is_finite() {
        return Err(wrong());
    }
    Ok((unit.map_or(Word::Bare(sum), |unit| Word::Quantity(sum, unit)), whole))
}

/// How much longer a number is whose exponent has a sign: `1e` and `-3`.
fn exponent_sign(before: &str, after: &str) -> usize {
    let number = before.strip_suffix(['e', 'E']);
    if !number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b"._".contains(&b))) {
        return 0;
    }
    let digits = after.strip_prefix(['+', '-']).map_or(0, |rest| run(rest, |c| c.is_ascii_digit()));
    if digits > 0 { 1 + digits } else { 0 }
}

/// The length of `e3`, `E-3` at the beginning; 0 if there is none.
fn exponent(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return 0 };
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let digits = run(unsigned, |c| c.is_ascii_digit());
    if digits > 0 { text.len() - unsigned.len() + digits } else { 0 }
}
