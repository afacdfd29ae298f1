//! What Digest servers differ in: nonces, their count, their age.

use http::{HeaderValue, StatusCode, header};

use super::super::act::Act;
use super::super::bench::Bench;
use super::super::scenario::{Need, Play, Scenario, signed_in};
use super::super::subject::USUAL_BODY;
use super::super::{Cell, Exchange, Stored, Tamper, Transcript};
use crate::auth::{Authorization, Challenge};
use crate::phone::Answer;

const UNTOUCHED: Tamper = Tamper { request: None, answer: None };
const AGED: Tamper = Tamper { request: None, answer: Some(age_the_nonce) };

const fn plays(tamper: Tamper, acts: &'static [Act], judge: fn(&Bench<'_>, &Transcript) -> Cell) -> Play {
    Play::Phone { stored: Stored::Right, body: USUAL_BODY, tamper, acts, judge }
}

const REUSES: &[Need] = &[Need::Connection, Need::Challenge, Need::Digest, Need::Reuses];
const DIGEST: &[Need] = &[Need::Connection, Need::Challenge, Need::Digest];
const TWICE: &[Act] = &[Act::SignIn, Act::SignInAgain];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        key: "digest.reuse",
        about: "a nonce used again (nc=00000002)",
        needs: REUSES,
        play: plays(UNTOUCHED, TWICE, reused),
        users: "phones are challenged for every request, which doubles the requests; some ask their users",
        change: "let a nonce be used more than once, and say stale=true to one that is too old",
    },
    Scenario {
        key: "digest.second-connection",
        about: "the same nonce on a second connection",
        needs: REUSES,
        play: plays(UNTOUCHED, &[Act::SignIn, Act::Close, Act::SignInAgain], reused),
        users: "phones are challenged anew on every connection; some ask their users",
        change: "do not bind nonces to connections, or share them between workers and servers",
    },
    Scenario {
        key: "digest.stale",
        about: "a nonce that is not good any more: stale=true",
        needs: DIGEST,
        play: plays(AGED, &[Act::SignIn, Act::TypeRight], stale),
        users: "whenever a nonce has run out, phones believe their credentials refused and ask their users",
        change: "answer a nonce that is too old with stale=true",
    },
    Scenario {
        key: "digest.nextnonce",
        about: "nextnonce is handed out, and taken",
        needs: REUSES,
        play: plays(UNTOUCHED, &[Act::SignIn, Act::SignInAgain, Act::SignInAgain], next_nonce),
        users: "phones are challenged again after the first request",
        change: "accept the nonce handed out as nextnonce",
    },
    Scenario {
        key: "digest.rspauth",
        about: "the server proves that it knows the password (rspauth)",
        needs: DIGEST,
        play: plays(UNTOUCHED, &[Act::SignIn], proves),
        users: "phones that check take the server for an impostor",
        change: "compute rspauth by RFC 7616 section 3.5, or leave it out",
    },
];

/// The first request of the last operation: the one that goes on with a session.
fn last_first(transcript: &Transcript) -> Option<&Exchange> {
    transcript.exchanges().filter(|e| e.has_credentials() && !e.reason.is_auth_retry()).last()
}

fn reused(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    let Some(again) = last_first(transcript) else {
        return match signed_in(bench, transcript) {
            cell @ Cell::Fails { .. } => cell,
            _ => Cell::none("the phone did not go on with the nonce"),
        };
    };
    match (again.challenges(), again.failure()) {
        (_, Some(failure)) => Cell::failed(failure),
        (Some(Ok(list)), _) if list.iter().any(Challenge::is_stale) => match signed_in(bench, transcript) {
            Cell::Works { .. } => {
                Cell::noted("refused with stale=true and taken the second time: one request more each")
            }
            other => other,
        },
        (Some(_), _) => match signed_in(bench, transcript) {
            Cell::Works { .. } => Cell::server("nonce-refused-without-stale"),
            other => other,
        },
        (None, _) if again.was_let_in() => Cell::WORKS,
        (None, _) => again.status().map_or(Cell::server("no-answer"), Cell::status),
    }
}

/// The first challenge's nonce, changed where nobody looks but the server: as if it had been made long ago.
fn age_the_nonce(answer: &mut Answer, before: usize) {
    if before > 0 || answer.status != StatusCode::UNAUTHORIZED {
        return;
    }
    let values: Vec<_> = answer.headers.get_all(header::WWW_AUTHENTICATE).iter().cloned().collect();
    answer.headers.remove(header::WWW_AUTHENTICATE);
    for value in values {
        answer.headers.append(header::WWW_AUTHENTICATE, aged(&value).unwrap_or(value));
    }
}

/// With the last letter or digit of the nonce exchanged for another.
fn aged(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let at = text.find("nonce=\"")? + "nonce=\"".len();
    let end = at + text.get(at..)?.find('"')?;
    let mut octets = text.as_bytes().to_vec();
    let last = octets.get_mut(at..end)?.iter_mut().rev().find(|o| o.is_ascii_alphanumeric())?;
    *last = match *last {
        b'0' => b'1',
        b'a' => b'b',
        b'A' => b'B',
        b'1'..=b'9' => b'0',
        other if other.is_ascii_lowercase() => b'a',
        _ => b'A',
    };
    HeaderValue::from_bytes(&octets).ok()
}

fn stale(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    let Some(tried) = transcript.exchanges().find(|e| e.has_credentials()) else {
        return signed_in(bench, transcript);
    };
    match tried.challenges() {
        Some(Ok(list)) if list.iter().any(Challenge::is_stale) => signed_in(bench, transcript),
        Some(_) => Cell::none(
            "a nonce it never made is refused without stale=true; one that has run out cannot be had without waiting",
        ),
        None => match (tried.status(), tried.failure()) {
            (_, Some(failure)) => Cell::failed(failure),
            (Some(status), _) if tried.was_let_in() && status != StatusCode::BAD_REQUEST => {
                Cell::none("a nonce it never made is taken, so one that has run out cannot be imitated")
            }
            (Some(status), _) => Cell::none(format!("a nonce it never made is answered with {}", status.as_u16())),
            (None, None) => Cell::server("no-answer"),
        },
    }
}

fn info(exchange: &Exchange) -> Option<&str> {
    exchange.answer.as_ref()?.headers.get("authentication-info")?.to_str().ok()
}

fn next_nonce(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    let handed = transcript.exchanges().find_map(|e| {
        let text = info(e)?;
        let value = text.split_once("nextnonce=\"")?.1;
        Some(value.split('"').next().unwrap_or_default().to_owned())
    });
    let Some(nonce) = handed.filter(|n| !n.is_empty()) else {
        return Cell::none("the server hands out no nextnonce");
    };
    let uses = |e: &&Exchange| {
        let answer = e.authorization().and_then(|value| Authorization::parse(value.as_bytes()).ok());
        matches!(answer, Some(Authorization::Digest(digest)) if digest.nonce == nonce)
    };
    match transcript.exchanges().find(uses) {
        Some(used) if used.was_let_in() => Cell::WORKS,
        Some(used) => used.status().map_or(Cell::server("no-answer"), Cell::status),
        None => signed_in(bench, transcript),
    }
}

fn proves(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    match transcript.exchanges().filter_map(info).find(|text| text.contains("rspauth")) {
        // The phone itself checks it: a wrong one ends the operation as server-not-authentic.
        Some(_) => signed_in(bench, transcript),
        None => Cell::none("the server proves nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aged_nonce_differs_in_one_place() {
        for (value, wanted) in [
            ("Digest realm=\"R\", nonce=\"abc\"", Some("Digest realm=\"R\", nonce=\"aba\"")),
            ("Digest nonce=\"aGk9==\",realm=\"R\"", Some("Digest nonce=\"aGk0==\",realm=\"R\"")),
            ("Basic realm=\"R\"", None),
            ("Digest nonce=\"\"", None),
        ] {
            let aged = aged(&HeaderValue::from_static(value));
            assert_eq!(aged.as_ref().and_then(|v| v.to_str().ok()), wanted, "{value}");
        }
    }
}
