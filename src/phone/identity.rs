//! Who a phone is, and the templates its strings are derived from.

use std::borrow::Cow;
use std::fmt;

use super::digits::{push_decimal, push_hex};

/// What tells one phone from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Position in the whole run, from 0.
    pub index: u32,
    /// Position in its fleet, from 0.
    pub number: u32,
    /// Extension, digits as a rule.
    pub extension: String,
    /// MAC address: twelve lower-case hex digits.
    pub mac: String,
    /// Serial number.
    pub serial: String,
}

/// A string with `{…}` places, filled per phone. `{{` and `}}` stand for the braces themselves.
///
/// Places: `{index}` (in the run), `{number}` (in the fleet), `{ext}`, `{mac}`, `{MAC}`, `{serial}`.
/// Numbers (`index`, `number`) take `+N` and a width: `{number+20000}`, `{number:06}`, `{number+1:04}`;
/// `{number:012x}` writes hex. `{ext}`, `{mac}`, `{MAC}` and `{serial}` are not available while those
/// very strings are being derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

/// A part of a template: text, or a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Number { of_run: bool, add: u64, width: usize, hex: bool },
    Extension,
    Mac { upper: bool },
    Serial,
}

/// What stood in the only place of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told<'a> {
    /// `{index}`.
    Index(u32),
    /// `{number}`.
    Number(u32),
    /// `{ext}`.
    Extension(&'a str),
    /// `{mac}` or `{MAC}`.
    Mac(&'a str),
    /// `{serial}`.
    Serial(&'a str),
}

/// A template that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{` without its `}`.
    #[error("`{{` is never closed; write `{{{{` for a brace itself")]
    Unclosed,
    /// A `}` without its `{`.
    #[error("`}}` closes nothing; write `}}}}` for a brace itself")]
    Unopened,
    /// A place nobody knows.
    #[error(
        "`{{{0}}}` is no place of a template; known are {{index}}, {{number}}, {{ext}}, {{mac}}, {{MAC}}, {{serial}}"
    )]
    Unknown(String),
    /// A width or addend that is no number.
    #[error("`{{{0}}}` has a width or addend that is not a number, for example {{number+100:06}}")]
    BadFormat(String),
}

impl Template {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                text.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            if brace.starts_with('}') {
                return Err(TemplateError::Unopened);
            }
            let end = brace.find('}').ok_or(TemplateError::Unclosed)?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::parse(&brace[1..end])?);
            rest = &brace[end + 1..];
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Template { source: source.to_owned(), pieces })
    }

    /// The string for this phone.
    pub fn fill(&self, who: &Identity) -> String {
        let mut out = String::with_capacity(self.source.len() + 8);
        for piece in &self.pieces {
            match piece {
                Piece::Text(t) => out.push_str(t),
                Piece::Number { of_run, add, width, hex } => {
                    let n = u64::from(if *of_run { who.index } else { who.number }) + add;
                    if *hex { push_hex(&mut out, n, *width) } else { push_decimal(&mut out, n, *width) }
                }
                Piece::Extension => out.push_str(&who.extension),
                Piece::Mac { upper: false } => out.push_str(&who.mac),
                Piece::Mac { upper: true } => out.push_str(&who.mac.to_uppercase()),
                Piece::Serial => out.push_str(&who.serial),
            }
        }
        out
    }

    /// Whether every phone gets the same string.
    pub fn is_constant(&self) -> bool {
        self.pieces.iter().all(|p| matches!(p, Piece::Text(_)))
    }

    /// Its place, if it has exactly one.
    pub(super) fn only_place(&self) -> Option<&Piece> {
        let mut places = self.pieces.iter().filter(|p| !matches!(p, Piece::Text(_)));
        places.next().filter(|_| places.next().is_none())
    }

    /// What stands in the only place of a string of this form; upper and lower case are alike. The string need not be
    /// one that [`Template::fill`] makes: its number may have too many zeros, or too few.
    pub(super) fn read_back<'a>(&self, text: &'a str) -> Option<Told<'a>> {
        let place = self.only_place()?;
        let (mut inside, mut before) = (text, true);
        for piece in &self.pieces {
            let Piece::Text(around) = piece else {
                before = false;
                continue;
            };
            let at = if before { around.len() } else { inside.len().checked_sub(around.len())? };
            let (head, tail) = inside.split_at_checked(at)?;
            let (found, rest) = if before { (head, tail) } else { (tail, head) };
            inside = found.eq_ignore_ascii_case(around).then_some(rest)?;
        }
        match place {
            Piece::Text(_) => None,
            Piece::Extension => Some(Told::Extension(inside)),
            Piece::Mac { .. } => Some(Told::Mac(inside)),
            Piece::Serial => Some(Told::Serial(inside)),
            Piece::Number { of_run, add, hex, .. } => {
                let number = u64::from_str_radix(inside, if *hex { 16 } else { 10 }).ok()?.checked_sub(*add)?;
                let number = u32::try_from(number).ok()?;
                Some(if *of_run { Told::Index(number) } else { Told::Number(number) })
            }
        }
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl Piece {
    fn parse(inside: &str) -> Result<Piece, TemplateError> {
        let bad = || TemplateError::BadFormat(inside.to_owned());
        let (name, format) = match inside.split_once(':') {
            Some((name, format)) => (name, Some(format)),
            None => (inside, None),
        };
        let (name, add) = match name.split_once('+') {
            // More than any phone's number leads to: no sum of the two can overflow.
            Some((name, add)) => (name, add.parse::<u64>().ok().filter(|n| *n <= 1 << 48).ok_or_else(bad)?),
            None => (name, 0),
        };
        let of_run = match name {
            "index" => true,
            "number" => false,
            "ext" | "mac" | "MAC" | "serial" if format.is_some() || add != 0 => return Err(bad()),
            "ext" => return Ok(Piece::Extension),
            "mac" => return Ok(Piece::Mac { upper: false }),
            "MAC" => return Ok(Piece::Mac { upper: true }),
            "serial" => return Ok(Piece::Serial),
            _ => return Err(TemplateError::Unknown(inside.to_owned())),
        };
        let (hex, digits) = match format.map(|f| (f, f.strip_suffix('x'))) {
            None => (false, ""),
            Some((_, Some(digits))) => (true, digits),
            Some((digits, None)) => (false, digits),
        };
        let width: usize = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| bad())? };
        // Wider than any string a phone has: surely a slip of the keyboard.
        if width > 64 {
            return Err(bad());
        }
        Ok(Piece::Number { of_run, add, width, hex })
    }
}

/// Where identities come from: derived from the index, or listed one by one.
#[derive(Clone, Debug)]
pub enum Identities {
    /// Every string derived by template.
    Derived {
        /// The extension; must differ per phone.
        extension: Template,
        /// The MAC address; must give twelve hex digits and differ per phone.
        mac: Template,
        /// The serial number.
        serial: Template,
    },
    /// Named one by one (a CSV).
    Listed(Vec<Listed>),
}

/// One line of a listed fleet. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// Extension.
    pub extension: String,
    /// MAC address: twelve lower-case hex digits.
    pub mac: String,
    /// Serial number.
    pub serial: String,
    /// This phone's own credentials (user, password), if the list has them.
    pub credentials: Option<(String, String)>,
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("extension", &self.extension)
            .field("mac", &self.mac)
            .field("serial", &self.serial)
            .field("user", &self.credentials.as_ref().map(|(user, _)| user))
            .finish()
    }
}

impl Identities {
    /// The identity of phone `number` of a fleet whose first phone is `first` in the run.
    pub fn identity(&self, first: u32, number: u32) -> Identity {
        let mut who = Identity {
            index: first + number,
            number,
            extension: String::new(),
            mac: String::new(),
            serial: String::new(),
        };
        match self {
            Identities::Derived { extension, mac, serial } => {
                who.extension = extension.fill(&who);
                who.mac = mac.fill(&who);
                who.serial = serial.fill(&who);
            }
            Identities::Listed(list) => {
                // Plans check the number against the list; a phone beyond it would have no name.
                if let Some(line) = list.get(number as usize) {
                    who.extension = line.extension.clone();
                    who.mac = line.mac.clone();
                    who.serial = line.serial.clone();
                }
            }
        }
        who
    }

    /// The listed credentials of phone `number`, if any.
    pub fn credentials(&self, number: u32) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
        match self {
            Identities::Derived { .. } => None,
            Identities::Listed(list) => {
                let (user, password) = list.get(number as usize)?.credentials.as_ref()?;
                Some((Cow::Borrowed(user), Cow::Borrowed(password)))
            }
        }
    }
}
