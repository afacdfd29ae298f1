//! What a phone costs in memory: a million phones, half of each family, in a shard's roster with its queue and
//! recorder, as the system counts resident memory.
//!
//! ```text
//! cargo bench --bench memory --no-default-features [PHONES]
//! ```
//!
//! Three standings, each in a process of its own, so that none lives on memory another gave back: off; up and asleep
//! (`starts-on`); and booted, where each phone went through its whole boot, was challenged, answered with Digest and
//! remembers its protection space and its session there until it loses power. The budget is for each of them. Exit status
//! 1 if it is not kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a benchmark, a panic is the message")]

#[allow(dead_code, reason = "only the scene is used here")]
mod hot_paths;

use std::process::{Command, ExitCode};
use std::time::Duration;

use bootstorm::driver::{Pace, Roster, Share, Wish};
use bootstorm::metrics::{ExchangeFacts, Slice};
use bootstorm::phone::{Answer, BodyFacts, Phone, Request};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use hot_paths::scene;

/// Octets a phone at rest may take, all told.
const BUDGET: f64 = 320.0;
const PHONES: u32 = 1_000_000;
const ARRIVAL: &str = "{ constant = \"10000/s\" }";
const STATUS: &str = "/proc/self/status";

const STANDINGS: [(&str, &str, bool); 3] = [
    ("off", "off, before the first power-up", true),
    ("asleep", "up and provisioned from the start, asleep", true),
    ("booted", "booted: challenged, a Digest session remembered", true),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let phones = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(PHONES);
    if !std::path::Path::new(STATUS).exists() {
        eprintln!("memory: there is no {STATUS} here; this needs Linux");
        return ExitCode::SUCCESS;
    }
    if let Some(standing) = args.iter().find_map(|arg| arg.strip_prefix("--standing=")) {
        println!("{}", measured(standing, phones));
        return ExitCode::SUCCESS;
    }
    println!("{phones} phones, half of each family; the struct alone: {} octets", size_of::<Phone>());
    let mut kept = true;
    for (standing, words, budgeted) in STANDINGS {
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program).arg(format!("--standing={standing}")).arg(phones.to_string()).output();
        let child = child.unwrap();
        assert!(child.status.success(), "{standing}: {}", String::from_utf8_lossy(&child.stderr));
        let each: f64 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();
        let verdict = match (budgeted, each <= BUDGET) {
            (false, _) => String::new(),
            (true, true) => format!("  (budget {BUDGET}: kept)"),
            (true, false) => format!("  (budget {BUDGET}: NOT KEPT)"),
        };
        println!("{each:8.1} B/phone  {words}{verdict}");
        kept &= !budgeted || each <= BUDGET;
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Octets of resident memory that one of so many phones adds.
fn measured(standing: &str, phones: u32) -> f64 {
    let plan = match standing {
        "asleep" => scene::plan_up(phones, ARRIVAL),
        _ => scene::plan(phones, ARRIVAL),
    };
    let before = resident();
    let mut roster = Roster::new(plan, scene::origin(), String::new(), Share::WHOLE);
    if standing == "booted" {
        boot(&mut roster, phones);
    }
    let each = (resident() - before) / f64::from(phones);
    drop(roster);
    each
}

/// Every phone boots; the server answers at once.
fn boot(roster: &mut Roster, phones: u32) {
    let pace = Pace::new(1.0);
    let mut wishes = Vec::new();
    let (mut at, mut slice) = (Duration::ZERO, 0);
    while !roster.is_settled() {
        at = at.max(pace.real_time(roster.next_due()));
        // What is over goes to the journal, as in a run.
        if Slice::number_at(at) > slice {
            slice = Slice::number_at(at);
            drop(roster.take_slices(at));
        }
        roster.advance(at, &mut wishes);
        while let Some(wish) = wishes.pop() {
            if let Wish::Send { phone, request } = wish {
                let answer = answer(&request);
                let facts = ExchangeFacts { status: Some(answer.status.as_u16()), ..ExchangeFacts::default() };
                roster.dispatched(at, phone);
                roster.exchanged(at, phone, &facts, Ok(&answer), &mut wishes);
            }
        }
    }
    let provisioned = roster.recorder().snapshot().provisioned;
    assert_eq!(provisioned, u64::from(phones), "phones that are provisioned");
}

/// A server that has every file, and wants Digest for the phones' own.
fn answer(request: &Request) -> Answer {
    let own = request.path.ends_with(".xml") || request.path.contains("_96xxdata");
    let answered = request.headers.iter().any(|(name, _)| name == AUTHORIZATION);
    let mut headers = HeaderMap::new();
    let status = if own && !answered {
        let challenge = concat!(
            r#"Digest qop="auth",algorithm=MD5-sess,nonce="+Upgraded+v1"#,
            "5c1e36d9a1dadb01b6e0d3e3f8a4c1f7a2be2a87c35d65f6a2f1e0d9",
            "c8b7a695847362514039281706f5e4d3c2b1a09f8e7d6c5b4a392817",
            r#"",charset=utf-8,realm="Digest""#
        );
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::OK
    };
    Answer { status, headers: headers.into(), body: BodyFacts::default() }
}

/// Resident octets of this process.
fn resident() -> f64 {
    let status = std::fs::read_to_string(STATUS).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<f64>().unwrap() * 1024.0
}
