//! A workload with a `[matrix]`: what `plan` says of it, what `run` makes of it, and how it ends.
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

/// Twenty desks boot within a fifth of a second.
const DESKS: &str = r#"
seed = 11
[target.embedded]
tls = false
[[fleet]]
name = "desks"
family = "cisco-mpp"
count = 20
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-random-delay = "0s"
[[phase]]
does = "power-up"
arrival = { constant = "100/s" }
"#;

/// Likeness by offers, without what no such server would do.
const MATRIX: &str = r#"
[matrix]
repeats = 2
rest = "0s"
[matrix.vary]
"target.embedded.likeness" = ["iis", "apache"]
"target.embedded.auth.offers" = [[], ["basic"], ["digest-md5"]]
[[matrix.leave-out]]
likeness = "apache"
offers = ["none", "basic"]
"#;

fn home(matrix: &str) -> Home {
    let home = Home::new();
    home.write("desks.toml", &format!("{DESKS}{matrix}"));
    home
}

#[track_caller]
fn refused(ended: &Ended, told: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for told in told {
        assert!(ended.stderr.contains(told), "`{told}` is not in: {}", ended.stderr);
    }
}

/// The names of the runs in the order in which they were made.
fn order(stderr: &str) -> Vec<&str> {
    stderr.lines().filter_map(|line| line.strip_prefix("run ")?.split_once(": ")).map(|(_, name)| name).collect()
}

#[test]
fn every_variant_is_played_in_rounds_and_told_side_by_side() {
    let home = home(MATRIX);
    let ended = home.run(&["run", "desks.toml", "--accept-invalid", "--out", "out", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let side = ended.json();

    // Each round has each variant once.
    let made = order(&ended.stderr);
    assert_eq!(made.len(), 8, "{}", ended.stderr);
    for (n, round) in made.chunks(4).enumerate() {
        let mut names: Vec<&str> = round.iter().map(|name| name.rsplit_once(", round ").unwrap().0).collect();
        names.sort_unstable();
        assert_eq!(names, ["apache, digest-md5", "iis, basic", "iis, digest-md5", "iis, none"]);
        assert!(round.iter().all(|name| name.ends_with(&format!("round {}", n + 1))));
    }
    let planned: Vec<Value> =
        home.run(&["plan", "desks.toml", "--json"]).json()["matrix"]["order"].as_array().unwrap().clone();
    let played = home.json("out/matrix.json");
    let folder = |run: &Value| format!("{}/run-{}", run["variant"].as_str().unwrap(), run["round"]);
    assert_eq!(
        planned,
        played["runs"].as_array().unwrap().iter().map(|run| folder(run).into()).collect::<Vec<Value>>()
    );

    // Each is a run of its own, of the workload with its keys set, on the same seed.
    for (variant, set) in [("iis_none", "offers = []"), ("apache_digest-md5", "likeness = \"apache\"")] {
        for round in 1..=2 {
            let manifest = home.json(&format!("out/{variant}/run-{round}/manifest.json"));
            let effective = manifest["effective"].as_str().unwrap();
            assert!(effective.contains(set) && !effective.contains("matrix"), "{effective}");
            assert!(manifest["overrides"].as_array().unwrap().contains(&format!("--variant {variant}").into()));
            assert_eq!(home.json(&format!("out/{variant}/run-{round}/summary.json"))["seed"], 11);
            assert!(home.path(&format!("out/{variant}/run-{round}/report.html")).is_file());
        }
    }

    // Signing in takes a second exchange: in every run, so the table must say so.
    let column = |key: &str| {
        let columns = side["columns"].as_array().unwrap();
        columns.iter().position(|c| c["key"] == key).unwrap_or_else(|| panic!("{columns:?}"))
    };
    let exchanges = column("exchanges.per_operation");
    let cell = |row: usize| &side["rows"][row]["cells"][exchanges];
    assert_eq!((&side["rows"][0]["name"], &cell(0)["median"]), (&"iis, none".into(), &1.0.into()));
    for row in 1..4 {
        assert_eq!(cell(row)["values"], serde_json::json!([2.0, 2.0]));
        assert_eq!(cell(row)["words"], "cannot tell; more in each of 2 pairs");
    }

    // The same again from the folder, in every form; the page is rebuilt.
    assert_eq!(home.run(&["report", "out", "--json"]).json(), side);
    let page = fs::read(home.path("out/report.html")).unwrap();
    fs::remove_file(home.path("out/report.html")).unwrap();
    let again = home.run(&["report", "out"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stdout.starts_with("desks: 4 variants, 2 runs each, seed 11\n"), "{}", again.stdout);
    assert!(again.stderr.contains("rebuilt report.html"));
    assert_eq!(fs::read(home.path("out/report.html")).unwrap(), page);
    let markdown = home.run(&["report", "out", "--format", "markdown"]).stdout;
    assert!(markdown.contains("| iis | none |") && markdown.contains("**baseline**"), "{markdown}");
    let csv = home.run(&["report", "out", "--format", "csv"]).stdout;
    assert_eq!(csv.lines().count(), 5, "{csv}");
    refused(&home.run(&["report", "out", "--format", "junit"]), &["a matrix is told as text, json, csv or markdown"]);
    refused(&home.run(&["compare", "out"]), &["out: this is a matrix", "bootstorm report out"]);

    // Two of its runs can be compared like any others, and one variant be played alone.
    let pair = ["compare", "out/iis_basic/run-1", "out/iis_digest-md5/run-1", "--allow-invalid"];
    assert_eq!(home.run(&pair).code, Some(0));
    let alone = home.run(&["run", "desks.toml", "--variant", "iis_basic", "--out", "alone", "--accept-invalid"]);
    assert_eq!(alone.code, Some(0), "{}", alone.stderr);
    let sha = |folder: &str| home.json(&format!("{folder}/manifest.json"))["workload"]["sha256"].clone();
    assert_eq!(sha("alone"), sha("out/iis_basic/run-2"));
}

#[test]
fn the_plan_says_how_many_runs_which_and_how_long() {
    let home = home(MATRIX);
    let ended = home.run(&["plan", "desks.toml", "--phones", "30"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for told in [
        "matrix    4 variants, 2 runs each: 8 runs, in rounds",
        "takes     at least 2.3",
        "axis      offers    none | basic | digest-md5",
        "variant   iis_none  (baseline)",
        "desks: 30 phones, seed 11",
    ] {
        assert!(ended.stdout.contains(told), "`{told}` is not in: {}", ended.stdout);
    }
}

#[test]
fn what_cannot_be_is_refused_before_the_first_run() {
    let home = home(MATRIX);
    let run = |more: &[&str]| home.run(&[&["run", "desks.toml", "--out", "out"], more].concat());
    refused(&run(&["--repeat", "2", "--against", "seed=1"]), &["--against: the workload has a [matrix]"]);
    refused(
        &run(&["--repeat", "2", "--figures", "storm"]),
        &["--figures and --fail-on-regression are not for a [matrix]"],
    );
    refused(&run(&["--repeat", "500"]), &["--repeat 500: 2000 runs of 4 variants are more than 1000"]);
    refused(&run(&["--format", "prometheus"]), &["--format prometheus: a matrix is told as"]);
    refused(&run(&["--variant", "iis_bassic"]), &["did you mean `iis_basic`?"]);
    home.write("plain.toml", DESKS);
    for verb in ["run", "plan"] {
        let alone = home.run(&[verb, "plain.toml", "--variant", "iis_basic"]);
        let said = "plain.toml: matrix: is missing, so there is no variant `iis_basic`; leave --variant out, or say under \
                    [matrix.vary] what is to be varied";
        assert_eq!((alone.code, alone.stderr.trim_end()), (Some(2), &*format!("bootstorm: {said}")));
    }
    refused(&run(&["--target", "http://127.0.0.1:1"]), &["--target: the matrix varies `target.embedded.likeness`"]);
    refused(
        &run(&["--set", "matrix.vary.\"target.embedded.likeness\"=[\"iss\", \"apache\"]"]),
        &["did you mean `iis`?"],
    );
    // No server there: the first run says so, and nothing is left.
    let gone = "matrix.vary={ \"target.url\" = [\"http://127.0.0.1:1\"] }";
    let ended = run(&["--set", gone, "--set", "matrix.leave-out=[]"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(!home.path("out").exists(), "{:?}", home.names());
}

#[test]
fn an_interrupted_matrix_keeps_what_is_done() {
    let home = home("[matrix]\nrest = \"10m\"\n[matrix.vary]\n\"target.embedded.likeness\" = [\"iis\", \"apache\"]\n");
    let mut command = home.bootstorm();
    command.args(["run", "desks.toml", "--accept-invalid", "--out", "out"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // After the first run it rests for ten minutes.
    let first = home.path("out/matrix.json");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.starts_with("run 1 of 2: "), "{said}");
    while !fs::read_to_string(&first).is_ok_and(|text| text.contains("\"ended\": \"made\"")) {
        std::thread::yield_now();
    }
    signal(&child, Signal::SIGINT);
    stderr.read_to_string(&mut said).unwrap();
    let mut table = String::new();
    child.stdout.take().unwrap().read_to_string(&mut table).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("interrupted after 1 of 2 runs"), "{said}");
    assert!(table.contains("1 of 2 runs were made") && table.contains("not played"), "{table}");
    assert_eq!(home.run(&["report", "out"]).stdout, table);
}

#[test]
fn crossed_thresholds_have_their_code_and_stop_nothing() {
    let threshold = "[thresholds]\n\"exchanges.total\" = \"== 20\"\n";
    let home = home(&format!("{threshold}{}", MATRIX.replace("repeats = 2", "repeats = 1")));
    let ended = home.run(&["run", "desks.toml", "--accept-invalid", "--out", "out"]);
    assert_eq!(ended.code, Some(99), "{}", ended.stderr);
    let crossed = ended.stderr.lines().last().unwrap();
    assert!(
        crossed.starts_with("bootstorm: thresholds were crossed in ") && !crossed.contains("iis_none"),
        "{crossed}"
    );
    assert!(crossed.contains("iis_basic/run-1") && crossed.contains("apache_digest-md5/run-1"), "{crossed}");
    assert!(ended.stdout.contains("threshold crossed"), "{}", ended.stdout);
}
