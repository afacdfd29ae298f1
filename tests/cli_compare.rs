//! `compare`, and `run --repeat`: the folders a person names, what is refused, and the exit codes.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use cli::{Ended, Home, signal};
use nix::sys::signal::Signal;
use serde_json::Value;

/// Desks that fetch their profile, 40 a second for three quarters of a second.
const SHORT: &str = r#"
seed = 11
[target.embedded]
tls = false
auth = { offers = [] }
work = { service = "1ms" }
[[fleet]]
name = "desks"
family = "cisco-mpp"
count = 30
starts-on = true
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-periodic = "0s"
[[phase]]
name = "resyncs"
does = "resync"
arrival = { constant = "40/s" }
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("short.toml", SHORT);
    home
}

fn made(home: &Home, out: &str, more: &[&str]) {
    let ended = home.run(&[&["run", "short.toml", "--out", out], more].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[track_caller]
fn refused(ended: &Ended, told: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for told in told {
        assert!(ended.stderr.contains(told), "`{told}` is not in: {}", ended.stderr);
    }
}

#[test]
fn two_runs_are_compared_or_refused() {
    let home = home();
    made(&home, "a", &[]);
    made(&home, "b", &["--set", "target.embedded.likeness=nginx"]);
    made(&home, "other", &["--seed", "12"]);
    let allow = "--allow-invalid";

    let ended = home.run(&["compare", "a", "b", allow]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("short: B compared with A, one pair of runs\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains(r#"target.embedded.likeness: "iis" in A, "nginx" in B"#), "{}", ended.stdout);
    let comparison =
        home.run(&["compare", "a", "b", allow, "--json", "--figures", "operations.resync.response_ms.p50"]);
    let figures = comparison.json()["figures"].as_array().unwrap().clone();
    assert_eq!(figures.len(), 1, "{figures:?}");
    // A second is no twenty independent blocks.
    assert_eq!(figures[0]["answer"], "cannot tell");
    assert!(figures[0]["why"].as_str().unwrap().contains("the run is too short"), "{figures:?}");
    let ended = home.run(&["compare", "a", "b", allow, "--fail-on-regression", "0%"]);
    assert_eq!(ended.code, Some(0), "what cannot be told fails nobody: {}", ended.stderr);

    refused(
        &home.run(&["compare", "a", "other", allow]),
        &["other: another workload than that of a", "seed: 11 in A, 12 in B"],
    );
    assert_eq!(home.run(&["compare", "a", "other", allow, "--allow-different"]).code, Some(0));
    refused(&home.run(&["compare", "a", "a"]), &["a: the same run twice"]);
    refused(&home.run(&["compare", "a", "b", "other"]), &["3 folders are no pairs"]);
    refused(&home.run(&["compare", "a"]), &["a: no pairs of runs in it", "run --repeat"]);
    refused(&home.run(&["compare", "a", "nowhere"]), &["nowhere: there is no such folder"]);
    refused(&home.run(&["compare", "a", "b", allow, "--figures", "nothing"]), &["the runs have none of these figures"]);
    refused(&home.run(&["compare", "a", "b", "--fail-on-regression", "5"]), &["write a share such as 5% or 0.05"]);

    let journal = home.path("b/journal.bin");
    let octets = fs::read(&journal).unwrap();
    fs::write(&journal, &octets[..octets.len() - 1]).unwrap();
    refused(&home.run(&["compare", "a", "b"]), &["b: only a part of this run is there", "--allow-invalid"]);
}

#[test]
fn a_slower_setting_is_found_by_pairs() {
    let home = home();
    let against = "target.embedded.work.service=20ms";
    let mut line = vec!["run", "short.toml", "--repeat", "5", "--against", against, "--out", "series", "--json"];
    line.extend(["--figures", "operations.resync.response_ms.p50"]);
    let ended = home.run(&line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let order: Vec<_> =
        ended.stderr.lines().filter_map(|line| line.split_once(" of 10: ")).map(|(_, name)| name).collect();
    assert_eq!(order.join(" "), "a-1 b-1 b-2 a-2 a-3 b-3 b-4 a-4 a-5 b-5");
    let comparison = ended.json();
    let p50 = &comparison["figures"][0];
    assert_eq!((p50["answer"].as_str(), comparison["pairs"].as_u64()), (Some("slower"), Some(5)), "{comparison}");
    assert!(p50["ratio"]["low"].as_f64() > Some(1.5), "{p50}");
    assert_eq!(home.json("series/b-3/summary.json")["seed"], 11, "the same phones at the same moments");

    // The same again from the folder, and as a gate.
    let mut line = vec!["compare", "series", "--allow-invalid", "--figures", "operations.resync.response_ms.p50"];
    let ended = home.run(&line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("In short: 1 slower of 1 figures."), "{}", ended.stdout);
    line.extend(["--fail-on-regression", "50%"]);
    let ended = home.run(&line);
    assert_eq!(ended.code, Some(99), "{}", ended.stderr);
    assert!(ended.stderr.contains("worse by more than 50 %: operations.resync.response_ms.p50: slower"), "{ended:?}");
}

#[test]
fn a_series_without_another_setting_tells_its_spread() {
    let home = home();
    let ended = home.run(&["run", "short.toml", "--repeat", "2", "--out", "series", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let spread = ended.json();
    assert_eq!(spread["runs"], 2);
    let p50 =
        spread["figures"].as_array().unwrap().iter().find(|row| row["key"] == "operations.resync.response_ms.p50");
    let p50 = p50.unwrap_or_else(|| panic!("{spread}"));
    let value = |key: &str| p50[key].as_f64().unwrap();
    assert!(value("lowest") <= value("median") && value("median") <= value("highest"), "{p50}");
    assert!(home.path("series/run-1/journal.bin").is_file() && home.path("series/run-2/summary.json").is_file());
}

#[test]
fn what_the_comparison_would_refuse_is_refused_before_the_first_run() {
    let home = home();
    let series = |more: &[&str]| home.run(&[&["run", "short.toml", "--repeat", "2", "--out", "out"], more].concat());
    refused(
        &series(&["--against", "fleet.desks.count=31"]),
        &["--against: that is another workload", "fleet.0.count: 30 in A"],
    );
    refused(&series(&["--against", "target.embedded.likenes=nginx"]), &["did you mean"]);
    refused(&series(&["--format", "csv"]), &["told as text or json"]);
    refused(&home.run(&["run", "short.toml", "--against", "seed=1"]), &["--repeat"]);
    refused(&home.run(&["run", "short.toml", "--fail-on-regression", "5%"]), &["add --repeat"]);
    assert!(!home.path("out").exists());
}

#[test]
fn an_interrupted_series_ends_after_the_run_it_is_at() {
    let home = home();
    let mut command = home.bootstorm();
    command.args(["run", "short.toml", "--repeat", "3", "--against", "network.idle=1s", "--out", "out"]);
    command.args(["--set", "phase.0.arrival.constant=1/s", "--set", "run.limit=10m"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert_eq!(said, "run 1 of 6: a-1\n");
    signal(&child, Signal::SIGINT);
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("interrupted in out/a-1"), "{said}");
    assert!(!said.contains("run 2 of 6"), "{said}");
}

#[test]
fn crossed_thresholds_end_the_series_with_their_code_but_do_not_stop_it() {
    let home = home();
    let text = format!("{SHORT}\n[thresholds]\n\"operations.resync.planned\" = \"== 0\"\n");
    home.write("short.toml", &text);
    let ended = home.run(&["run", "short.toml", "--repeat", "2", "--out", "out", "--json"]);
    assert_eq!(ended.code, Some(99), "{}", ended.stderr);
    assert!(ended.stderr.contains("thresholds were crossed in out/run-1, out/run-2"), "{}", ended.stderr);
    let spread: Value = ended.json();
    assert_eq!(spread["runs"], 2);
}
