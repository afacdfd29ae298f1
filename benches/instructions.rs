//! The hot paths, so many times each, for an instruction counter. `scripts/bench-instructions` runs it:
//!
//! ```text
//! instructions --list               NAME and a sensible ITER, one hot path a line
//! instructions --bench NAME ITER    prepares and acts ITER times
//! instructions --baseline NAME ITER prepares ITER times, and does not act
//! ```
//!
//! Instructions per operation: those of `--bench` less those of `--baseline`, by ITER.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a benchmark, a panic is the message")]

mod hot_paths;

use std::hint::black_box;
use std::process::ExitCode;

use bootstorm::auth::Algorithm;

use hot_paths::{HotPath, auth, phone, plan, recorder, scene, site};

/// Prepares so many times, and acts each time if told to.
type Repeat = Box<dyn FnMut(u64, bool)>;

/// A hot path by name.
struct Named {
    name: String,
    /// Enough to make what is not linear in it small.
    iterations: u64,
    /// Sets it up: only what is run is set up.
    make: Box<dyn Fn() -> Repeat>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--list", ..] => {
            for path in all() {
                println!("{} {}", path.name, path.iterations);
            }
            ExitCode::SUCCESS
        }
        [mode @ ("--bench" | "--baseline"), name, iterations] => run(*mode == "--bench", name, iterations),
        // What `cargo bench` alone comes to.
        _ => {
            eprintln!("nothing to time here: run scripts/bench-instructions");
            ExitCode::SUCCESS
        }
    }
}

fn run(act: bool, name: &str, iterations: &str) -> ExitCode {
    let (Some(path), Ok(iterations)) = (all().into_iter().find(|p| p.name == name), iterations.parse()) else {
        eprintln!("instructions: `{name}` is no hot path (--list names them), or `{iterations}` no number");
        return ExitCode::from(2);
    };
    (path.make)()(iterations, act);
    ExitCode::SUCCESS
}

fn all() -> Vec<Named> {
    let mut all = Vec::new();
    for (server, _) in auth::CHALLENGES {
        all.push(named(format!("parse-challenge/{server}"), 2_000, move || auth::parse_challenge(server)));
    }
    for algorithm in Algorithm::ALL {
        all.push(named(format!("answer-fresh/{algorithm}"), 2_000, move || auth::answer_fresh(algorithm)));
        all.push(named(format!("answer-again/{algorithm}"), 2_000, move || auth::answer_again(algorithm)));
        all.push(named(format!("verify/{algorithm}"), 2_000, move || auth::verify(algorithm)));
    }
    all.push(named("realm-cache".to_owned(), 10_000, auth::realm_cache));
    for family in scene::FAMILIES {
        all.push(named(format!("boot/{family}"), 500, move || phone::boot(family)));
    }
    all.push(named(format!("simulate/{}-phones", phone::STORM), 2, phone::storm));
    for (arrival, _) in plan::ARRIVALS {
        all.push(named(format!("starts/{arrival}-{}-phones", plan::PHONES), 2, move || plan::starts(arrival)));
    }
    all.push(named("record/exchange".to_owned(), 10_000, recorder::exchange));
    all.push(named("record/operation".to_owned(), 10_000, recorder::operation));
    all.push(named(format!("record/slice-of-{}", recorder::SLICE), 100, recorder::slice));
    all.push(named("site/get".to_owned(), 2_000, site::get));
    all.push(named("site/put".to_owned(), 2_000, site::put));
    all
}

fn named<I: 'static, O: 'static>(name: String, iterations: u64, set_up: impl Fn() -> HotPath<I, O> + 'static) -> Named {
    let make = move || -> Repeat {
        let mut path = set_up();
        Box::new(move |times, act| {
            for _ in 0..times {
                let mut input = black_box((path.prepare)());
                if act {
                    black_box((path.act)(&mut input));
                }
                black_box(&mut input);
            }
        })
    };
    Named { name, iterations, make: Box::new(make) }
}
