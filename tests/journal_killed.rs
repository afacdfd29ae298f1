//! A run that is killed (`kill -9`) at any instant loses at most the last second: `bootstorm report` rebuilds the rest
//! from the journal, or says in clear words that nothing can be told.
//!
//! The instants are drawn from a seed. `BOOTSTORM_KILLS=200 cargo test --test journal_killed` takes two hundred of them.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]
#![allow(clippy::disallowed_methods, reason = "what is killed runs in real time")]

#[path = "support/cli.rs"]
mod cli;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bootstorm::metrics::journal::How;
use bootstorm::report::Saved;
use cli::{Ended, Home};
use serde_json::Value;

/// Phones boot all the time the run is on, so that there is always something to lose.
const STORM: &str = r#"
seed = 11
[run]
duration = "2s"

[target.embedded]
prefilled = true
tls = false

[[fleet]]
name = "desks"
family = "avaya-96xx"
count = 400
[fleet.credentials]
user = "{ext}"
password = "kept-quiet-{ext}"
realm = "Digest"
[fleet.settings]
registration-delay = "0s..100ms"

[[phase]]
name = "power returns"
does = "power-up"
arrival = { constant = "200/s" }
"#;

/// The latest instant of a kill, after the start of the program: some runs end by themselves before theirs.
const LATEST_US: u64 = 2_600_000;
/// No run may lose more, unless the machine itself stood still.
const MAY_LOSE: Duration = Duration::from_secs(1);

/// The instants at which runs are killed: the same each time.
fn instants(kills: u64) -> impl Iterator<Item = Duration> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..kills).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Duration::from_micros(state % LATEST_US)
    })
}

/// What became of one run.
#[derive(Debug)]
enum Fate {
    /// It had not come so far as to say what it was.
    Refused,
    /// It was cut; so much of it is not known.
    Lost(Duration),
    /// It ended before it was killed.
    Whole,
}

fn kill_at(instant: Duration) -> Fate {
    let home = Home::new();
    home.write("storm.toml", STORM);
    let mut command = home.bootstorm();
    command.args(["run", "storm.toml", "--out", "run", "--json"]).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    thread::sleep(instant.saturating_sub(started.elapsed()));
    // By its own handle: no other process is meant. It may have ended by itself.
    let _ = child.kill();
    let killed_at = SystemTime::now();
    child.wait().unwrap();

    let again = home.run(&["report", "run", "--json"]);
    let run = home.path("run");
    let saved = match Saved::open(&run) {
        Ok(saved) => saved,
        Err(error) => {
            assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""), "{instant:?}: {}", again.stderr);
            let refusals =
                ["it ends before it says what was run", "there is no such folder", "there is no journal.bin"];
            assert!(refusals.iter().any(|words| again.stderr.contains(words)), "{instant:?}: {}", again.stderr);
            assert!(!error.to_string().contains("damaged"), "{error}");
            return Fate::Refused;
        }
    };
    assert_eq!(again.code, Some(0), "{instant:?}: {}", again.stderr);
    all_is_there(&home, &run, &again);
    let partial = again.json()["marks"]["partial"].as_bool();
    match saved.end.unwrap().how {
        How::Closed => {
            assert_eq!(partial, Some(false), "{instant:?}");
            Fate::Whole
        }
        How::Cut => {
            assert_eq!(partial, Some(true), "{instant:?}");
            assert!(again.stderr.contains("the run was killed"), "{}", again.stderr);
            let lived = killed_at.duration_since(saved.record.started_at).unwrap_or_default();
            Fate::Lost(lived.saturating_sub(saved.record.wall))
        }
        How::Damaged(damage) => panic!("{instant:?}: {damage}"),
    }
}

/// Every file is there and whole, and says the same.
fn all_is_there(home: &Home, run: &Path, again: &Ended) {
    let summary: Value = home.json("run/summary.json");
    assert_eq!(summary, again.json());
    assert_eq!(home.json("run/manifest.json")["workload"], summary["workload"]);
    for (name, begins) in [
        ("operations.csv", "operation,planned,"),
        ("intervals.csv", "start_s,width_s,"),
        ("histograms.hlog", "#bootstorm"),
    ] {
        let text = std::fs::read_to_string(run.join(name)).unwrap();
        assert!(text.starts_with(begins) && text.ends_with('\n'), "{name}: {text}");
    }
    let n = |path: &str| summary.pointer(path).and_then(Value::as_u64).unwrap();
    assert_eq!(n("/phones/total"), if n("/exchanges/total") > 0 { 400 } else { n("/phones/total") });
    assert!(n("/exchanges/answered") + n("/exchanges/failed") <= n("/exchanges/total"));
}

#[test]
fn a_killed_run_loses_at_most_a_second_and_the_rest_is_rebuilt() {
    let kills = std::env::var("BOOTSTORM_KILLS").map_or(12, |kills| kills.parse().unwrap());
    let instants: Vec<Duration> = instants(kills).collect();
    // How long this machine may stand still, by what it does to a thread that sleeps.
    let (over, worst_us) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sleeper = thread::spawn({
        let (over, worst_us) = (over.clone(), worst_us.clone());
        move || {
            let nap = Duration::from_millis(5);
            while !over.load(Ordering::Relaxed) {
                let since = Instant::now();
                thread::sleep(nap);
                let late = since.elapsed().saturating_sub(nap).as_micros() as u64;
                worst_us.fetch_max(late, Ordering::Relaxed);
            }
        }
    });
    // Two at a time: more would wait for each other.
    let fates: Vec<Fate> = instants
        .chunks(2)
        .flat_map(|pair| {
            thread::scope(|scope| {
                let kills: Vec<_> = pair.iter().map(|at| scope.spawn(|| kill_at(*at))).collect();
                kills.into_iter().map(|kill| kill.join().unwrap()).collect::<Vec<_>>()
            })
        })
        .collect();
    over.store(true, Ordering::Relaxed);
    sleeper.join().unwrap();

    let stood_still = Duration::from_micros(worst_us.load(Ordering::Relaxed));
    let mut lost: Vec<Duration> =
        fates.iter().filter_map(|fate| if let Fate::Lost(lost) = fate { Some(*lost) } else { None }).collect();
    lost.sort_unstable();
    let refused = fates.iter().filter(|fate| matches!(fate, Fate::Refused)).count();
    let whole = fates.iter().filter(|fate| matches!(fate, Fate::Whole)).count();
    println!(
        "{} killed: {} rebuilt from a cut journal, {whole} had ended, {refused} had not said what they were; lost at most \
         {:?}, half of them {:?} (this machine stood still for {stood_still:?})",
        fates.len(),
        lost.len(),
        lost.last(),
        lost.get(lost.len() / 2),
    );
    assert!(lost.len() >= instants.len() / 4, "most are killed while the run is on: {fates:?}");
    assert!(lost.iter().all(|lost| *lost <= MAY_LOSE + 4 * stood_still), "{lost:?} (stood still for {stood_still:?})");
}
