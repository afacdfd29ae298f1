//! HTTP itself: kept connections, `Expect`, an early 401, methods.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use toml::Table;

use super::super::act::Act;
use super::super::bench::{Access, Bench};
use super::super::lab::LabError;
use super::super::scenario::{Need, Play, Scenario, stored};
use super::super::subject::USUAL_BODY;
use super::super::{Cell, Exchange, Stored, Tamper, Transcript};
use crate::phone::Request;

const UNTOUCHED: Tamper = Tamper { request: None, answer: None };
const EXPECTS: Tamper = Tamper { request: Some(expect), answer: None };
/// Larger than what a server reads along the way, smaller than what most take.
const LONG: u32 = 900_000;

const fn plays(tamper: Tamper, body: u32, acts: &'static [Act], judge: fn(&Bench<'_>, &Transcript) -> Cell) -> Play {
    Play::Phone { stored: Stored::Right, body, tamper, acts, judge }
}

const CHALLENGED: &[Need] = &[Need::Connection, Need::Challenge];
const STORES: &[Need] = &[Need::Connection, Need::Stores];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        key: "http.kept-after-401",
        about: "connection kept after a 401",
        needs: CHALLENGED,
        play: plays(UNTOUCHED, USUAL_BODY, &[Act::SignIn], kept_after_401),
        users: "nothing; but every challenge costs a connection more, and under TLS a handshake",
        change: "keep connections alive after a 401",
    },
    Scenario {
        key: "http.kept",
        about: "connection kept for the next operation",
        needs: &[Need::Connection],
        play: plays(UNTOUCHED, USUAL_BODY, &[Act::SignIn, Act::SignInAgain], kept),
        users: "nothing; but every request costs a connection",
        change: "switch keep-alive on",
    },
    Scenario {
        key: "http.expect",
        about: "upload with Expect: 100-continue",
        needs: STORES,
        play: plays(EXPECTS, USUAL_BODY, &[Act::Store, Act::TypeRight], stored),
        users: "older firmware cannot store its file",
        change: "take Expect: 100-continue",
    },
    Scenario {
        key: "http.early-401",
        about: "401 while a large upload is still on its way",
        needs: &[Need::Connection, Need::Challenge, Need::Stores],
        play: plays(UNTOUCHED, LONG, &[Act::Store, Act::TypeRight], early_401),
        users: "uploads break off before the phone sees the challenge",
        change: "read a refused request's body to its end, or close it slowly (lingering close)",
    },
    Scenario {
        key: "http.delete",
        about: "DELETE of the phone's own file",
        needs: &[Need::Connection, Need::Stores, Need::Family("avaya-96xx")],
        play: Play::Own(delete),
        users: "old backups stay on the server",
        change: "let the account delete what it wrote",
    },
    Scenario {
        key: "http.head",
        about: "HEAD answers as GET does",
        needs: &[Need::Connection],
        play: Play::Own(head),
        users: "nothing: no phone asks so; tools that watch the server do",
        change: "answer HEAD",
    },
    Scenario {
        key: "http.options",
        about: "OPTIONS is answered",
        needs: &[Need::Connection],
        play: Play::Own(options),
        users: "nothing: no phone asks so",
        change: "nothing",
    },
];

fn expect(request: &mut Request) {
    if !request.body.is_empty() {
        request.headers.push((header::EXPECT, HeaderValue::from_static("100-continue")));
    }
}

/// The exchange after the first 401.
fn after_401(transcript: &Transcript) -> Option<&Exchange> {
    transcript.exchanges().skip_while(|e| e.status() != Some(StatusCode::UNAUTHORIZED)).nth(1)
}

fn kept_after_401(_: &Bench<'_>, transcript: &Transcript) -> Cell {
    match after_401(transcript) {
        None => Cell::none("the phone did not answer the challenge"),
        Some(next) if next.facts.reused => Cell::WORKS,
        Some(_) => Cell::server("closed-after-401"),
    }
}

fn kept(_: &Bench<'_>, transcript: &Transcript) -> Cell {
    let last = transcript.exchanges().filter(|e| !e.reason.is_auth_retry()).last();
    match last {
        Some(last) if last.number == 1 => Cell::none("the phone sent one request only"),
        Some(last) if last.facts.reused => Cell::WORKS,
        Some(last) => match last.failure() {
            Some(failure) => Cell::failed(failure),
            None => Cell::server("closed-after-answer"),
        },
        None => Cell::none("the phone sent nothing"),
    }
}

fn early_401(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    if !matches!(bench.writes, Access::Challenged(_)) {
        return Cell::none("the server asks for no credentials here");
    }
    stored(bench, transcript)
}

/// The phone's agent, as it sends it.
fn agent(bench: &Bench<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let step = bench
        .plain_fleet()
        .ok()
        .and_then(|fleet| super::super::subject::first_step(&fleet, bench.habits.fetches, bench.lab.ground));
    step.map(|s| s.headers.into_iter().filter(|(name, _)| name == header::USER_AGENT).collect()).unwrap_or_default()
}

fn delete(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let Some(path) = bench.habits.stores.and_then(|operation| bench.own_path(operation, &Table::new())) else {
        return Ok(Cell::none("these phones store nothing"));
    };
    let put = bench.request(Method::PUT, &path, agent(bench), Bytes::from_static(b"LOGACTIVE=1\n"));
    let put = bench.ask_as_account(&put, None);
    if !put.status().is_some_and(|s| s.is_success()) {
        return Ok(Cell::none(format!("nothing could be stored to be deleted: {}", put.ending())));
    }
    let delete = bench.ask_as_account(&bench.request(Method::DELETE, &path, agent(bench), Bytes::new()), None);
    let get = bench.ask_as_account(&bench.request(Method::GET, &path, agent(bench), Bytes::new()), None);
    Ok(match (delete.status(), get.status()) {
        (Some(deleted), Some(StatusCode::NOT_FOUND | StatusCode::GONE)) if deleted.is_success() => Cell::WORKS,
        (Some(deleted), _) if deleted.is_success() => Cell::server("still-there-after-delete"),
        (Some(deleted), _) => Cell::status(deleted),
        (None, _) => delete.failure().map_or(Cell::server("no-answer"), Cell::failed),
    })
}

fn head(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let Some(path) = bench.own_path(bench.habits.fetches, &Table::new()) else {
        return Ok(Cell::none("these phones fetch nothing"));
    };
    let ask = |method| bench.ask_as_account(&bench.request(method, &path, agent(bench), Bytes::new()), None);
    let (get, head) = (ask(Method::GET), ask(Method::HEAD));
    Ok(match (get.status(), head.status()) {
        (Some(get), Some(head)) if get == head => Cell::WORKS,
        (_, Some(head)) => Cell::status(head),
        (_, None) => head.failure().map_or(Cell::server("no-answer"), Cell::failed),
    })
}

fn options(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let Some(path) = bench.own_path(bench.habits.fetches, &Table::new()) else {
        return Ok(Cell::none("these phones fetch nothing"));
    };
    let options = bench.ask_as_account(&bench.request(Method::OPTIONS, &path, agent(bench), Bytes::new()), None);
    let allow = options.answer.as_ref().and_then(|a| a.headers.get(header::ALLOW)).and_then(|v| v.to_str().ok());
    Ok(match (options.status(), options.failure()) {
        (Some(status), _) if status.is_success() => match allow {
            Some(allow) => Cell::noted(format!("Allow: {allow}")),
            None => Cell::WORKS,
        },
        (Some(status), _) => Cell::status(status),
        (None, Some(failure)) => Cell::failed(failure),
        (None, None) => Cell::server("no-answer"),
    })
}
