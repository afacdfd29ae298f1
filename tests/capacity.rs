//! `bootstorm capacity` against servers whose knee is known: in virtual time and on sockets.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;
mod virtual_queue;

use cli::{Ended, Home};
use serde_json::Value;
use virtual_queue::{Queue, Service};

/// One worker, 20 ms for each request, one request for each resync: 50 a second and no more.
const PLANTED: &str = r#"
[run]
limit = "10m"
[target.embedded]
likeness = "nginx"
tls = false
[target.embedded.auth]
offers = []
[target.embedded.work]
service = "20ms"
workers = 1
[[fleet]]
family = "cisco-mpp"
count = 800
starts-on = true
[fleet.settings]
resync-periodic = "0s"
[[phase]]
name = "load"
does = "resync"
arrival = { constant = "50/s" }
[thresholds]
operations.resync.response_ms.p99 = "< 250ms"
[capacity]
find = "phase.load.rate"
from = "20/s"
to = "200/s"
rest = "300ms"
recovery = false
"#;

fn planted() -> Home {
    let home = Home::new();
    home.write("planted.toml", PLANTED);
    home
}

/// The rate at which the operation of this number (a share of all) takes as long as the threshold allows: arrivals and
/// service are even, so operation n waits n times what the server takes longer than the next one takes to come.
fn even_knee(operations: f64, quantile: f64, threshold_s: f64) -> f64 {
    // Connecting and one exchange take 3 ms in virtual time.
    1.0 / (0.020 - (threshold_s - 0.023) / (quantile * operations))
}

#[track_caller]
fn knee(ended: &Ended) -> (f64, Value) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended.json();
    assert_eq!(told["found"]["kind"], "knee", "{told:#}");
    (told["found"]["value"].as_f64().unwrap(), told["found"].clone())
}

#[test]
fn a_server_of_a_known_rate_is_found_in_virtual_time_ten_times_out_of_ten() {
    let home = planted();
    let truth = even_knee(800.0, 0.99, 0.25);
    for seed in 1..=10 {
        let (out, seed) = (format!("x{seed}"), seed.to_string());
        let ended = home.run(&["capacity", "planted.toml", "--virtual", "--json", "--seed", &seed, "--out", &out]);
        let (found, all) = knee(&ended);
        assert!((found / 50.0 - 1.0).abs() <= 0.05, "seed {seed}: {found} where 50/s is planted: {all}");
        let (met, missed) = (all["met_at"].as_f64().unwrap(), all["missed_at"].as_f64().unwrap());
        assert!(met <= truth * 1.002 && truth <= missed * 1.002, "seed {seed}: {truth} is not in {all}");
    }
}

/// Starts at random on one worker (M/D/1): the load at which p90 is 600 ms follows from queueing theory alone, here from
/// an independent recursion.
#[test]
fn a_queue_of_a_known_law_is_found_in_virtual_time_ten_times_out_of_ten() {
    let home = planted();
    // Without the 3 ms of connecting and of one exchange.
    let p90_ms = |rate: f64| Queue::new(Service::Constant, rate, rate * 0.020).true_quantile(0.9, 20_000) / 1e3 + 3.0;
    let (mut low, mut high) = (30.0, 49.5);
    while high - low > 0.05 {
        let middle = (low + high) / 2.0;
        if p90_ms(middle) < 600.0 { low = middle } else { high = middle }
    }
    let mut worst = 0.0_f64;
    for seed in 1..=10 {
        let (out, seed) = (format!("x{seed}"), seed.to_string());
        let ended = home.run(&[
            "capacity",
            "planted.toml",
            "--virtual",
            "--json",
            "--seed",
            &seed,
            "--out",
            &out,
            "--from",
            "35/s",
            "--to",
            "70/s",
            "--set",
            "phase.load.arrival.poisson={rate=\"40/s\",over=\"100s\"}",
            "--set",
            "fleet.0.count=5000",
            "--set",
            "thresholds={operations={resync={response_ms={p90=\"< 600ms\"}}}}",
        ]);
        let (found, all) = knee(&ended);
        worst = worst.max((found / low - 1.0).abs());
        assert!((found / low - 1.0).abs() <= 0.05, "seed {seed}: {found} where {low:.2}/s is the law's: {all}");
    }
    println!("the law's knee is {low:.2}/s; at most {:.1} % off", worst * 100.0);
}

/// The shipped workload: with an endless queue the server does not come back, with a short one it does.
#[test]
fn a_metastable_collapse_is_told_from_overload() {
    let home = Home::new();
    let workload = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads/capacity-collapse.toml");
    for (out, queue, judgement) in
        [("a", None, "metastable-collapse"), ("b", Some("target.embedded.work.queue=40"), "overload")]
    {
        let mut arguments =
            vec!["capacity", workload, "--virtual", "--json", "--from", "40/s", "--to", "60/s", "--out", out];
        arguments.extend(queue.into_iter().flat_map(|queue| ["--set", queue]));
        let ended = home.run(&arguments);
        let (found, _) = knee(&ended);
        assert!((found / 48.6 - 1.0).abs() <= 0.05, "{found}");
        let recovery = &ended.json()["recovery"];
        assert_eq!(recovery["judgement"], judgement, "{recovery:#}");
        let part = |n: usize, key: &str| recovery["parts"][n][key].as_f64().unwrap();
        assert!(part(0, "goodput_per_s") > 20.0, "{recovery:#}");
        assert_eq!(part(3, "goodput_per_s") < 1.0, queue.is_none(), "{recovery:#}");
    }
}

/// Each open connection to the embedded server takes two files, of which there are few here: from some number on it is the
/// generator that cannot.
#[test]
fn a_limit_of_the_generator_is_told_and_is_never_the_servers() {
    let home = planted();
    let program = assert_cmd::cargo::cargo_bin("bootstorm");
    let line = format!(
        "ulimit -n 256; exec {} capacity planted.toml --find network.max-connections --harder larger --from 40 --to 4k \
         --repeats 1 --set fleet.0.count=200 --set 'phase.0.arrival=\"at-once\"' \
         --set target.embedded.work={{}} --set 'thresholds={{phones={{failed=\"== 0\"}}}}' --out x --json",
        program.display()
    );
    let output = home.command("sh").args(["-c", &line]).output().unwrap();
    let ended = Ended::of(&output);
    assert_eq!(ended.code, Some(97), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("no knee within what this generator can do: at least network.max-connections"),
        "{}",
        ended.stderr
    );
    let told = ended.json();
    assert_eq!((&told["found"]["kind"], &told["bound"]["what"]), (&"limited".into(), &"files".into()), "{told:#}");
    let (at_least, blind_at) =
        (told["found"]["at_least"].as_f64().unwrap(), told["found"]["blind_at"].as_f64().unwrap());
    assert!((60.0..96.0).contains(&at_least) && blind_at / at_least <= 1.06, "{told:#}");
    assert_eq!((&told["broke"], &told["recovery"]), (&Value::Null, &Value::Null));
    let probes = told["probes"].as_array().unwrap();
    assert!(probes.iter().filter(|p| p["answer"] == "not-counted").all(|p| p["figures"].is_null()), "{told:#}");
}

#[test]
fn what_was_found_is_saved_and_told_again() {
    let home = planted();
    let first = home.run(&["capacity", "planted.toml", "--virtual", "--set", "fleet.0.count=300", "--out", "x"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(
        first.stdout.starts_with("Capacity of planted: 5") && first.stdout.contains("Saved in x"),
        "{}",
        first.stdout
    );
    assert!(first.stderr.contains("probe 1: phase.load.rate = 20/s: met"), "{}", first.stderr);
    std::fs::remove_file(home.path("x/report.html")).unwrap();
    let again = home.run(&["report", "x"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), first.stdout.as_str()));
    assert!(again.stderr.contains("rebuilt report.html"), "{}", again.stderr);
    assert_eq!(home.run(&["report", "x", "--json"]).json(), home.json("x/capacity.json"));
    assert_eq!(home.run(&["report", "x", "--format", "junit"]).code, Some(2));
    assert!(std::fs::read_to_string(home.path("x/capacity.csv")).unwrap().starts_with("key,load,met"));
}

#[test]
fn ranges_without_a_knee_are_told() {
    let home = planted();
    let small = ["--virtual", "--set", "fleet.0.count=300", "--out"];
    let met = home.run(&[&["capacity", "planted.toml", "--to", "30/s"][..], &small, &["a"]].concat());
    assert_eq!(met.code, Some(0), "{}", met.stderr);
    assert!(met.stdout.contains("met over the whole range, up to phase.load.rate = 30/s"), "{}", met.stdout);
    let missed = home.run(&[&["capacity", "planted.toml", "--from", "100/s"][..], &small, &["b"]].concat());
    assert_eq!(missed.code, Some(99), "{}", missed.stderr);
    assert!(missed.stderr.contains("missed at phase.load.rate = 100/s already"), "{}", missed.stderr);
}

/// What is wrong is told before anything is sent, with the flag or the line, and what would be right.
#[test]
fn wrong_usage_is_told() {
    let home = planted();
    home.write("bare.toml", &PLANTED[..PLANTED.find("[thresholds]").unwrap()]);
    home.write("asked.toml", &PLANTED[..PLANTED.find("[capacity]").unwrap()]);
    home.write(
        "varied.toml",
        &format!("{PLANTED}\n[matrix.vary]\n\"target.embedded.likeness\" = [\"iis\", \"apache\"]\n"),
    );
    for (arguments, words) in [
        (&["bare.toml"][..], "bare.toml: thresholds: there are none"),
        (&["asked.toml"], "asked.toml: capacity: is missing; add [capacity] with find, from and to"),
        (
            &["varied.toml"],
            "varied.toml: matrix: there are 2 variants, and a search is of one: name it, for example --variant iis",
        ),
        (&["varied.toml", "--variant", "nginx"], "--variant: there is no variant `nginx`"),
        (&["planted.toml", "--variant", "iis"], "planted.toml: matrix: is missing, so there is no variant `iis`"),
        (&["asked.toml", "--find", "phones"], "--find: there is no `from`; write both ends of the range"),
        (
            &["planted.toml", "--find", "phase.laod.rate"],
            "--find: `phase.laod.rate`: there is no phase `laod`; did you mean `load`?",
        ),
        (&["planted.toml", "--from", "20"], "--from: `20` is not a rate such as \"200/s\""),
        (&["planted.toml", "--tolerance", "200%"], "--tolerance: 2 is no tolerance"),
        (
            &["planted.toml", "--virtual", "--target", "http://127.0.0.1:9", "--set", "fleet.0.credentials.realm=x"],
            "--virtual: only the embedded target's law",
        ),
        (
            &["planted.toml", "--virtual", "--set", "fleet.0.count=50"],
            "thresholds cannot be told at phase.load.rate = 20/s",
        ),
    ] {
        let ended = home.run(&[&["capacity"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}{}", ended.stderr, ended.stdout);
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
    }
}

/// On sockets: a run in a process of its own for each probe.
fn on_sockets(home: &Home, out: &str, more: &[&str]) -> (f64, Value) {
    let arguments = ["capacity", "planted.toml", "--json", "--from", "35/s", "--to", "80/s", "--out", out];
    let p90 = "thresholds={operations={resync={response_ms={p90=\"< 250ms\"}}}}";
    let ended = home.run(&[&arguments[..], &["--set", "fleet.0.count=240", "--set", p90], more].concat());
    knee(&ended)
}

#[test]
fn a_server_of_a_known_rate_is_found_on_sockets() {
    let home = planted();
    let truth = even_knee(240.0, 0.9, 0.25);
    let (found, all) = on_sockets(&home, "x", &["--repeats", "1", "--tolerance", "8%"]);
    assert!((found / truth - 1.0).abs() <= 0.1, "{found} where {truth:.1}/s is planted: {all}");
    let names: Vec<_> =
        std::fs::read_dir(home.path("x")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.contains(&"probe-01".to_owned()) && names.contains(&"report.html".to_owned()), "{names:?}");
    assert!(names.iter().all(|name| !name.ends_with(".log")), "{names:?}");
    assert_eq!(home.run(&["report", "x/probe-01", "--json"]).json()["schema_version"], 1);
}

/// Whoever interrupts it gets what was known by then, and the run that was on ends as any interrupted run does.
#[test]
fn an_interrupted_search_tells_what_it_knows() {
    use std::io::{BufRead as _, BufReader};

    let home = planted();
    let mut command = home.bootstorm();
    command.args(["capacity", "planted.toml", "--out", "x", "--set", "fleet.0.count=60", "--repeats", "1"]);
    command.args(["--set", "thresholds={phones={failed=\"== 0\"}}"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("probe 1: "), "{first}");
    cli::signal(&child, nix::sys::signal::Signal::SIGINT);
    let said: Vec<String> = lines.map(Result::unwrap).collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{said:?}");
    let told = home.json("x/capacity.json");
    assert_eq!((&told["partial"], &told["found"]), (&true.into(), &Value::Null), "{told:#}");
    assert!(!told["probes"].as_array().unwrap().is_empty());
}

/// `cargo test --test capacity -- --ignored --nocapture`: a quarter of an hour, and two cores that have nothing else to do.
#[test]
#[ignore = "takes a quarter of an hour"]
fn a_server_of_a_known_rate_is_found_on_sockets_ten_times_out_of_ten() {
    let home = planted();
    let truth = even_knee(240.0, 0.9, 0.25);
    for seed in 1..=10 {
        let (out, text) = (format!("x{seed}"), seed.to_string());
        let (found, all) = on_sockets(&home, &out, &["--seed", &text]);
        println!("seed {seed}: {found} where {truth:.2}/s is planted ({:+.1} %): {all}", (found / truth - 1.0) * 100.0);
        assert!((found / truth - 1.0).abs() <= 0.05, "seed {seed}");
    }
}
