//! What `plan` predicts of memory, open files, ports and connections is what `run` then uses.
//!
//! `cargo test --release --test plan_agrees -- --ignored --nocapture` prints the table; each figure must agree within 15 %.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use cli::{Home, Served};
use serde_json::Value;

/// By how much a prediction may be off.
const WITHIN: f64 = 0.15;

/// What must agree.
const ALL: [&str; 7] =
    ["memory, octets", "open files", "local ports", "connections made", "exchanges", "octets out", "octets in"];
/// Of a hundred connections that live for a tenth of a second, how many there are at once is this machine's mood.
const CHURNED: [&str; 6] =
    ["memory, octets", "local ports", "connections made", "exchanges", "octets out", "octets in"];

/// Phones that boot all at once, over plain HTTP.
const AT_ONCE: &str = r#"
seed = 5
[run]
until = "settled"
limit = "2m"
[target.embedded]
tls = false
likeness = "iis"
prefilled = true
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 5000
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-random-delay = "0s"
resync-periodic = "0s"
report-rule = ""
[[phase]]
name = "power returns"
does = "power-up"
arrival = "at-once"
"#;

/// Connections that are soon idle for too long, so that each exchange takes a new one and the phone closes it: ports matter.
const CHURN: &str = r#"
seed = 6
[run]
duration = "20s"
[target.embedded]
tls = false
likeness = "iis"
prefilled = true
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = 4000
starts-on = true
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-periodic = "0s"
report-rule = ""
[network]
idle = "100ms"
[[phase]]
name = "fetched again and again"
does = "resync"
arrival = { poisson = { rate = "800/s", over = "20s" } }
"#;

/// Predicts, runs, and tells both; the worst deviation of what must agree. `assumed` is for the prediction alone.
fn compare(home: &Home, name: &str, arguments: &[&str], assumed: &[&str], held: &[&str]) -> f64 {
    let planned = home.run(&[&["plan", "--json"], arguments, assumed].concat());
    let planned: Value = serde_json::from_str(&planned.stdout).unwrap_or_else(|_| panic!("{}", planned.stderr));
    let out = format!("{}-run", name.replace(' ', "-"));
    let ran = home.run(&[&["run", "--accept-invalid", "--out", &out], arguments].concat());
    assert!([Some(0), Some(99)].contains(&ran.code), "{name}: {}", ran.stderr);
    let used = home.json(&format!("{out}/summary.json"));
    let figure = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_f64).unwrap();
    let mut worst: f64 = 0.0;
    for (what, predicted, used_at) in [
        ("memory, octets", "/needs/memory_bytes", "/generator/rss_bytes"),
        ("open files", "/needs/open_files", "/generator/open_files"),
        ("local ports", "/needs/ports", "/generator/ports_max"),
        ("connections made", "/needs/connections/opened", "/exchanges/connections/opened"),
        ("exchanges", "/needs/exchanges", "/exchanges/total"),
        ("octets out", "/needs/bytes_out", "/exchanges/bytes_out"),
        ("octets in", "/needs/bytes_in", "/exchanges/bytes_in"),
    ] {
        let (predicted, used) = (figure(&planned, predicted), figure(&used, used_at));
        let off = predicted / used - 1.0;
        println!("{name:24} {what:18} {predicted:12.0} {used:12.0} {:+7.1} %", off * 100.0);
        if held.contains(&what) {
            worst = worst.max(off.abs());
        }
    }
    worst
}

#[test]
#[ignore = "minutes of real runs; memory is that of a release build"]
fn what_is_predicted_is_used() {
    let home = Home::new();
    let shipped = |name: &str| format!("{}/workloads/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let [mass, restart, day] = ["mass-reboot", "planned-restart", "steady-day"].map(shipped);
    println!("{:24} {:18} {:>12} {:>12}", "", "", "predicted", "used");
    let mut off = vec![
        ("mass-reboot", compare(&home, "mass-reboot", &[&mass], &[], &ALL)),
        ("planned-restart", compare(&home, "planned-restart", &[&restart], &[], &ALL)),
        // Until some time after lunch, which all of it waits for.
        ("steady-day", compare(&home, "steady-day", &[&day, "--set", "run.duration=6h"], &[], &ALL)),
    ];
    home.write("tiny.toml", AT_ONCE);
    off.push(("storm and its target", compare(&home, "storm and its target", &["tiny.toml"], &[], &ALL)));
    for (name, workload, held) in [("plain storm of 5,000", AT_ONCE, &ALL[..]), ("churn", CHURN, &CHURNED)] {
        home.write("tiny.toml", workload);
        let served = Served::start(&home, &[]);
        off.push((
            name,
            compare(&home, name, &["tiny.toml", "--target", served.url()], &["--service-time", "1ms"], held),
        ));
    }
    let beyond: Vec<_> = off.into_iter().filter(|(_, off)| *off > WITHIN).collect();
    assert!(beyond.is_empty(), "off by more than 15 %: {beyond:?}");
}
