//! Reading `WWW-Authenticate`: to the letter where a server keeps to the grammar, around it where it does not.

use std::borrow::Cow;

use http_auth::ChallengeParser;

use super::challenge::{AlgorithmOffer, BasicChallenge, Challenge, DigestChallenge, Flaw, OtherChallenge};
use super::digest::{Qop, QopOffer};
use super::parameters::Parameters;
use super::scanner::{Scanner, is_token, is_token68};
use super::{Algorithm, Charset};

/// Reads the values of all `WWW-Authenticate` headers of an answer, in their order.
///
/// A header that follows the grammar of RFC 9110 11.6.1 is read by `http_auth`'s parser. Others (token68, text
/// beyond ASCII, missing commas, unquoted values with blanks, …) are read as far as they make sense: a challenge
/// that cannot be answered stays in the list as [`Challenge::Other`] and never costs its neighbours.
///
/// # Errors
/// The server's fault: nothing in any of the headers can be read as a challenge, or there is no header at all.
pub fn parse_challenges<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Challenge>, MalformedChallenge> {
    let mut challenges = Vec::new();
    let mut unreadable = None;
    for value in values {
        let (text, octets) = Charset::decode(value);
        let before = challenges.len();
        let read = read_strictly(&text).unwrap_or_else(|| read_leniently(&text));
        challenges.extend(read.into_iter().map(|raw| raw.understood(octets)));
        if challenges.len() == before {
            unreadable.get_or_insert_with(|| text.chars().take(80).collect::<String>());
        }
    }
    match unreadable {
        _ if !challenges.is_empty() => Ok(challenges),
        Some(start) => Err(MalformedChallenge::Unreadable { start }),
        None => Err(MalformedChallenge::Missing),
    }
}

/// Why a 401 cannot be answered at all: the server's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedChallenge {
    /// No `WWW-Authenticate` header, which every 401 must have (RFC 9110 15.5.2).
    #[error("the server's 401 has no WWW-Authenticate header: have it name at least one scheme")]
    Missing,
    /// No header holds anything that looks like a scheme.
    #[error("the server's WWW-Authenticate header names no scheme: {start:?}")]
    Unreadable {
        /// The beginning of the first such header.
        start: String,
    },
}

/// A challenge as it stands in the header.
struct Raw<'t> {
    scheme: &'t str,
    parameters: Parameters<'t>,
    token68: Option<Cow<'t, str>>,
    /// Whether the last value was unquoted, so that more of it may follow a blank.
    open_ended: bool,
}

/// The whole header by the grammar, or nothing if any of it is not to the grammar.
fn read_strictly(text: &str) -> Option<Vec<Raw<'_>>> {
    if !text.is_ascii() {
        return None;
    }
    let mut all = Vec::new();
    for challenge in ChallengeParser::new(text) {
        let challenge = challenge.ok()?;
        let mut raw = Raw::new(challenge.scheme);
        for (name, value) in challenge.params {
            raw.parameters.push(name, Cow::Owned(value.to_unescaped()));
        }
        all.push(raw);
    }
    (!all.is_empty()).then_some(all)
}

/// Whatever of the header makes sense.
fn read_leniently(text: &str) -> Vec<Raw<'_>> {
    let mut all: Vec<Raw<'_>> = Vec::new();
    let mut s = Scanner::new(text);
    loop {
        let comma = s.skip_separators();
        if s.is_at_end() {
            return all;
        }
        let word = s.word();
        if word.is_empty() {
            // A value without a name, or a quote where none belongs.
            if s.equals() {
                s.value();
            } else {
                s.skip_one();
            }
            continue;
        }
        if let Some(raw) = all.last_mut()
            && raw.take(word, comma, &mut s)
        {
            continue;
        }
        if s.equals() {
            // A parameter of no challenge.
            s.value();
        } else if is_token(word) {
            all.push(Raw::new(word));
        }
    }
}

impl<'t> Raw<'t> {
    fn new(scheme: &'t str) -> Raw<'t> {
        Raw { scheme, parameters: Parameters::default(), token68: None, open_ended: false }
    }

    /// Takes a word (and what belongs to it, from the scanner) if it is part of this challenge. `comma`: one stands
    /// before the word.
    fn take(&mut self, word: &'t str, comma: bool, s: &mut Scanner<'t>) -> bool {
        let bare = self.parameters.is_empty() && self.token68.is_none();
        if bare && !comma && !has_parameters(self.scheme) && !is_known(word) && is_token68(word) {
            let mut ahead = s.clone();
            let padding = ahead.padding();
            let blank = ahead.rest();
            ahead.skip_blanks();
            if ahead.is_at_end() || ahead.rest().starts_with(',') || (padding.is_empty() && !starts_parameter(blank)) {
                self.token68 = Some(Cow::Owned(format!("{word}{padding}")));
                *s = ahead;
                return true;
            }
        }
        if is_token(word) && s.equals() {
            let value = s.value();
            self.parameters.unclosed |= value.unclosed;
            self.open_ended = !value.quoted;
            self.parameters.push(word, value.text);
            return true;
        }
        if bare || is_known(word) {
            return false;
        }
        if comma {
            return self.take_quality(word);
        }
        if follows_parameter(s) {
            // A comma is missing before the next scheme.
            return false;
        }
        // A blank within an unquoted value; after a quoted one, what an unescaped quote left over.
        if self.open_ended {
            self.parameters.extend_last(' ', word);
        }
        true
    }

    /// `qop=auth,auth-int` without its quotes.
    fn take_quality(&mut self, word: &'t str) -> bool {
        let belongs = self.open_ended
            && Qop::from_token(word).is_some()
            && self.parameters.last_name().is_some_and(|n| n.eq_ignore_ascii_case("qop"));
        if belongs {
            self.parameters.extend_last(',', word);
        }
        belongs
    }

    fn understood(self, octets: Charset) -> Challenge {
        let p = &self.parameters;
        let flaw = p.unclosed.then_some(Flaw::UnclosedQuote);
        if flaw.is_none() && self.scheme.eq_ignore_ascii_case("Basic") {
            return Challenge::Basic(BasicChallenge { realm: p.owned("realm"), charset: charset(p), octets });
        }
        if flaw.is_none() && self.scheme.eq_ignore_ascii_case("Digest") {
            return match understood_digest(p, octets) {
                Ok(digest) => Challenge::Digest(digest),
                Err(flaw) => Challenge::Other(self.other(Some(flaw))),
            };
        }
        Challenge::Other(self.other(flaw))
    }

    fn other(self, flaw: Option<Flaw>) -> OtherChallenge {
        OtherChallenge {
            realm: self.parameters.owned("realm"),
            scheme: self.scheme.to_owned(),
            token68: self.token68.map(Cow::into_owned),
            flaw,
        }
    }
}

fn understood_digest(p: &Parameters<'_>, octets: Charset) -> Result<DigestChallenge, Flaw> {
    let algorithm = match p.get("algorithm") {
        None => AlgorithmOffer::Absent,
        Some(token) => Algorithm::from_token(token.trim())
            .map_or_else(|| AlgorithmOffer::Unknown(token.to_owned()), AlgorithmOffer::Known),
    };
    Ok(DigestChallenge {
        realm: p.owned("realm").ok_or(Flaw::NoRealm)?,
        nonce: p.owned("nonce").ok_or(Flaw::NoNonce)?,
        opaque: p.owned("opaque"),
        stale: p.is_true("stale"),
        algorithm,
        qop: p.get("qop").map_or(QopOffer::Absent, QopOffer::from_list),
        charset: charset(p),
        userhash: p.is_true("userhash"),
        domain: p.get("domain").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
        octets,
    })
}

fn charset(p: &Parameters<'_>) -> Charset {
    match p.get("charset") {
        Some(name) if name.trim().eq_ignore_ascii_case("UTF-8") => Charset::Utf8,
        _ => Charset::Latin1,
    }
}

/// Schemes whose challenges never hold a token68.
fn has_parameters(scheme: &str) -> bool {
    ["Basic", "Digest", "Bearer"].iter().any(|s| s.eq_ignore_ascii_case(scheme))
}

/// Schemes that are recognised even where a comma is missing before them.
fn is_known(word: &str) -> bool {
    ["Basic", "Digest", "Negotiate", "NTLM", "Bearer"].iter().any(|s| s.eq_ignore_ascii_case(word))
}

/// Whether an equals sign comes next: the word before it was a parameter's name.
fn starts_parameter(rest: &str) -> bool {
    Scanner::new(rest).equals()
}

/// Whether `name=` comes next: the word before it was a scheme.
fn follows_parameter(s: &Scanner<'_>) -> bool {
    let mut ahead = s.clone();
    ahead.skip_blanks();
    !ahead.word().is_empty() && ahead.equals()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &str) -> String {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }

    fn well_formed() -> impl Strategy<Value = String> {
        let name = "[a-z]{1,8}[*]?";
        let token = "[!#$%&'*+.^_`|~A-Za-z0-9-]{1,12}";
        let value = prop_oneof![token, "[ -~]{0,12}".prop_map(|v| quoted(&v))];
        let parameter = (name, "[ \t]{0,2}", value).prop_map(|(n, s, v)| format!("{n}{s}={s}{v}"));
        let challenge = ("[A-Z][A-Za-z-]{1,8}", prop::collection::vec(parameter, 0..5))
            .prop_map(|(scheme, parameters)| format!("{scheme} {}", parameters.join(", ")).trim_end().to_owned());
        prop::collection::vec(challenge, 1..4).prop_map(|c| c.join(" , "))
    }

    proptest! {
        /// What follows the grammar reads the same whether it is read by it or around it.
        #[test]
        fn both_readers_agree_on_what_is_well_formed(header in well_formed()) {
            let strict = read_strictly(&header);
            prop_assert!(strict.is_some(), "not well-formed: {header}");
            let flat = |raws: Vec<Raw<'_>>| -> Vec<String> {
                raws.iter().map(|r| format!("{} {:?} {:?}", r.scheme, r.token68, r.parameters)).collect()
            };
            prop_assert_eq!(flat(strict.unwrap_or_default()), flat(read_leniently(&header)));
        }

        #[test]
        fn any_octets_are_read_without_panic(headers: Vec<Vec<u8>>) {
            let _ = parse_challenges(headers.iter().map(Vec::as_slice));
        }

        /// Closer to the edges of the readers than octets at random.
        #[test]
        fn any_mixture_of_delimiters_is_read_without_panic(header in "((Digest|NTLM|realm|nonce|qop|a|\u{fc}|[ ,=\"\\\\\t])){0,40}") {
            let neighbour: &[u8] = b"Basic realm=\"x\"";
            let all = parse_challenges([header.as_bytes(), neighbour]).unwrap_or_default();
            prop_assert_eq!(all.last().and_then(Challenge::realm), Some("x"));
        }
    }
}
