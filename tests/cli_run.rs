//! What a run owes to whoever started it: its folder, its figures, its exit code, and the same schedule for a seed.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cli::{Ended, Home, Served};
use serde_json::Value;

/// Files of every run's folder.
const FILES: [&str; 8] = [
    "handshakes.csv",
    "histograms.hlog",
    "intervals.csv",
    "journal.bin",
    "manifest.json",
    "operations.csv",
    "report.html",
    "summary.json",
];

/// A shipped workload.
fn shipped(name: &str) -> String {
    format!("{}/workloads/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_smoke_workload_gives_what_the_contract_says() {
    let home = Home::new();
    let ended = home.run(&["run", &shipped("smoke"), "--out", "out", "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let summary = ended.json();
    assert_eq!(summary, home.json("out/summary.json"), "stdout is the file");
    for file in FILES {
        assert!(home.path("out").join(file).is_file(), "{file}");
    }
    assert_eq!(summary["verdict"], serde_json::json!({ "state": "valid", "reasons": [] }));
    assert_eq!(summary["workload"]["name"], "smoke");
    assert_eq!((n(&summary, "seed"), n(&summary, "phones.total")), (7, 40));
    has_the_contracts_keys(&summary);
    accounts_for_everything(&summary);
    the_sheets_agree(&home.path("out"), &summary);
    has_no_password(&home.path("out"));
}

#[test]
fn a_prompt_is_part_of_the_contract_too() {
    let home = Home::new();
    let ended = home.run(&["run", "tiny.toml", "--set", "target.embedded.tls=true", "--out", "out", "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let summary = ended.json();
    has_the_contracts_keys(&summary);
    accounts_for_everything(&summary);
    the_sheets_agree(&home.path("out"), &summary);
    has_no_password(&home.path("out"));
    let prompting = n(&summary, "phones.prompting");
    assert!(prompting > 0 && prompting == n(&summary, "operations.restore.outcomes.prompt-authentication"));
    assert_eq!(n(&summary, "phones.provisioned"), n(&summary, "operations.restore.outcomes.ok"));
}

#[test]
fn what_starts_at_once_takes_its_time_like_anything_else() {
    let home = Home::new();
    let ended = home.run(&["run", "tiny.toml", "--out", "out", "--json"]);
    let resync = &ended.json()["operations"]["resync"];
    for times in ["response_ms", "service_ms"] {
        assert!(resync[times]["p50"].as_f64() > Some(0.0), "{times} of {resync}");
    }
}

/// Every key path of the design's example is in `summary`.
#[track_caller]
fn has_the_contracts_keys(summary: &Value) {
    let contract: Value = serde_json::from_str(include_str!("data/cli/contract.json")).unwrap();
    let figures = contract["operations"]["restore"]["response_ms"].clone();
    let mut missing = Vec::new();
    compare(&contract, summary, &figures, "", &mut missing);
    assert!(missing.is_empty(), "missing or of another kind: {missing:?}");
}

fn compare(want: &Value, have: &Value, figures: &Value, path: &str, missing: &mut Vec<String>) {
    let Value::Object(keys) = want else {
        // A figure for which there are too few samples is null.
        let same_kind = matches!(
            (want, have),
            (Value::Number(_), Value::Number(_) | Value::Null)
                | (Value::String(_), Value::String(_))
                | (Value::Array(_), Value::Array(_))
        );
        if !same_kind {
            missing.push(path.to_owned());
        }
        return;
    };
    // `{"…": 0}` stands for the figures written out above it.
    let keys = if keys.contains_key("…") { figures.as_object().unwrap() } else { keys };
    if !have.is_object() {
        missing.push(path.to_owned());
    }
    for (key, below) in keys {
        // Which outcomes there are is up to the run.
        let outcome = path.ends_with(".outcomes") && have.get(key).is_none();
        if !outcome {
            compare(below, &have[key], figures, &format!("{path}.{key}"), missing);
        }
    }
}

/// Every phone, every operation planned, every operation started and every answer is accounted for.
#[track_caller]
fn accounts_for_everything(summary: &Value) {
    let phones = n(summary, "phones.provisioned") + n(summary, "phones.prompting") + n(summary, "phones.failed");
    assert_eq!(phones, n(summary, "phones.total"));
    let operations = summary["operations"].as_object().unwrap();
    assert!(!operations.is_empty());
    for (name, operation) in operations {
        assert_eq!(n(operation, "planned"), n(operation, "started") + n(operation, "dropped"), "{name}: {operation}");
        assert_eq!(sum(&operation["outcomes"]), n(operation, "started"), "{name}: {operation}");
        assert_eq!(sum(&operation["dropped_causes"]), n(operation, "dropped"), "{name}: {operation}");
        assert_eq!(operation["outcomes"].get("ok").map_or(0, whole), n(operation, "succeeded"), "{name}: {operation}");
    }
    assert_eq!(sum(&summary["exchanges"]["status"]), n(summary, "exchanges.answered"));
    assert_eq!(n(summary, "exchanges.answered") + n(summary, "exchanges.failed"), n(summary, "exchanges.total"));
    let challenges = sum(&summary["auth"]["challenges"]);
    assert_eq!(challenges, summary["exchanges"]["status"].get("401").map_or(0, whole), "each 401 is a challenge");
}

/// The sheets parse, and their columns add up to the summary's totals.
#[track_caller]
fn the_sheets_agree(folder: &Path, summary: &Value) {
    let operations = sheet(&folder.join("operations.csv"));
    assert_eq!(operations.len(), summary["operations"].as_object().unwrap().len());
    for row in &operations {
        let operation = &summary["operations"][&row["operation"]];
        for column in ["planned", "started", "dropped", "succeeded", "exchanges"] {
            assert_eq!(row[column].parse::<u64>().unwrap(), n(operation, column), "{column} of {row:?}");
        }
        for (column, figure) in [("response_p50_ms", "p50"), ("response_max_ms", "max"), ("response_p99_9_ms", "p99_9")]
        {
            // What is null in JSON is empty in the sheet.
            assert_eq!(
                row[column].parse::<f64>().ok(),
                operation["response_ms"][figure].as_f64(),
                "{column} of {row:?}"
            );
        }
    }

    let intervals = sheet(&folder.join("intervals.csv"));
    let total = |column: &str| intervals.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>();
    let all = |key: &str| summary["operations"].as_object().unwrap().values().map(|o| n(o, key)).sum::<u64>();
    let by_class = |class: char| {
        let status = summary["exchanges"]["status"].as_object().unwrap();
        status.iter().filter(|(code, _)| code.starts_with(class)).map(|(_, times)| whole(times)).sum::<u64>()
    };
    for (column, want) in [
        ("operations_planned", all("planned")),
        ("operations_started", all("started")),
        ("operations_finished", all("started")),
        ("operations_ok", all("succeeded")),
        ("operations_dropped", all("dropped")),
        ("exchanges_sent", n(summary, "exchanges.total")),
        ("status_2xx", by_class('2')),
        ("status_4xx", by_class('4')),
        ("status_5xx", by_class('5')),
        ("status_401", sum(&summary["auth"]["challenges"])),
        ("failures", n(summary, "exchanges.failed")),
        ("handshakes", n(summary, "tls.handshakes.full") + n(summary, "tls.handshakes.resumed")),
        ("handshakes_failed", n(summary, "tls.handshakes.failed")),
        ("prompts", sum(&summary["auth"]["prompts"])),
        ("sent_bytes", n(summary, "exchanges.bytes_out")),
        ("received_bytes", n(summary, "exchanges.bytes_in")),
    ] {
        assert_eq!(total(column), want, "sum of {column}");
    }
    let last = intervals.last().unwrap();
    for standing in ["provisioned", "prompting"] {
        let at_the_end: u64 = last[&format!("phones_{standing}")].parse().unwrap();
        assert_eq!(at_the_end, n(summary, &format!("phones.{standing}")), "{standing} in the last interval");
    }
    for row in &intervals {
        let phones =
            ["off", "booting", "provisioned", "prompting", "failed"].map(|s| row[&format!("phones_{s}")].clone());
        let phones: u64 = phones.iter().map(|count| count.parse::<u64>().unwrap()).sum();
        assert_eq!(phones, n(summary, "phones.total"), "phones of {row:?}");
    }
}

/// Neither the template of the passwords nor one made from it is in any file of the run.
#[track_caller]
fn has_no_password(folder: &Path) {
    for file in FILES {
        let octets = fs::read(folder.join(file)).unwrap();
        let text = String::from_utf8_lossy(&octets);
        for secret in ["kept-quiet", "pw-{ext}", "pw-2000"] {
            assert!(!text.contains(secret), "{file} has a password in it");
        }
    }
    let manifest: Value = serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    assert!(manifest["effective"].as_str().unwrap().contains("password = \"***\""), "masked, not left out");
}

/// A sheet's rows by the names of their columns.
fn sheet(file: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(file).unwrap().deserialize().map(Result::unwrap).collect()
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

/// The count at a dotted path.
#[track_caller]
fn n(value: &Value, path: &str) -> u64 {
    whole(path.split('.').fold(value, |value, key| &value[key]))
}

/// The sum of a table of counts.
fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(whole).sum()
}

#[test]
fn a_threshold_that_cannot_hold_ends_in_99_and_says_which() {
    let home = Home::new();
    let crossed = ["--set", "thresholds.storm.drain_s=< 0.000001", "--set", "thresholds.phones.failed=== 0"];
    let ended = home.run(&[&["run", "tiny.toml", "--out", "out"], crossed.as_slice()].concat());
    assert_eq!(ended.code, Some(99));
    let said = "bootstorm: 1 of 2 thresholds crossed: storm.drain_s < 0.000001 (it is 0.";
    assert!(ended.stderr.starts_with(said) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    let failed = |line: &str| line.starts_with("  FAIL  storm.drain_s < 0.000001 ");
    assert!(ended.stdout.lines().any(failed), "{}", ended.stdout);
    let thresholds = &home.json("out/summary.json")["thresholds"];
    assert_eq!((&thresholds[0]["pass"], &thresholds[1]["pass"]), (&Value::Bool(true), &Value::Bool(false)));

    // What did not happen, and what is too rare to tell, is no pass either.
    let rare = ["--set", "thresholds.operations.restore.response_ms.p99_9=< 60000"];
    let ended = home.run(&[&["run", "tiny.toml", "--out", "rare", "--json"], rare.as_slice()].concat());
    assert_eq!(ended.code, Some(99));
    assert!(ended.stderr.contains("(no figure: too few samples to tell)"), "{}", ended.stderr);
    assert_eq!(ended.json()["thresholds"][0]["value"], Value::Null);
}

#[test]
fn a_run_that_only_shows_the_generators_limit_is_invalid() {
    let home = Home::new();
    let served = Served::start(&home, &["--no-tls"]);
    // Files that the shell left open are not bootstorm's to count: what looked like enough runs out mid-run.
    let line = "for file in $(seq 10 90); do eval \"exec $file</dev/null\"; done; ulimit -n 170
        exec \"$0\" run tiny.toml --phones 90 --shards 1 --out out --target \"$1\"";
    let program = assert_cmd::cargo::cargo_bin("bootstorm");
    let ended = Ended::of(&home.command("bash").args(["-c", line]).arg(program).arg(served.url()).output().unwrap());
    assert_eq!(ended.code, Some(97), "{} {}", ended.stdout, ended.stderr);
    let said = "bootstorm: the measurement is invalid: local-files in ";
    assert!(ended.stderr.lines().any(|line| line.starts_with(said)), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("INVALID  tiny: 90 phones"), "{}", ended.stdout);
    let summary = home.json("out/summary.json");
    assert_eq!(summary["verdict"]["state"], "invalid");
    accounts_for_everything(&summary);
    the_sheets_agree(&home.path("out"), &summary);
}

#[test]
fn power_cuts_in_the_middle_of_everything_lose_no_count() {
    let home = Home::new();
    // Eight hours in a second and a half: now and then a phone loses its power while an answer is on its way.
    let rushed = ["--set", "run.compression=20000", "--set", "phase.2.arrival.poisson.rate=300/h", "--out", "out"];
    let ended = home.run(&[&["run", &shipped("steady-day")], rushed.as_slice()].concat());
    let summary = home.json("out/summary.json");
    assert!(!summary["verdict"]["reasons"].to_string().contains("do not add up"), "{}", summary["verdict"]);
    assert!(summary["exchanges"]["failures"]["aborted"].as_u64() > Some(0), "{}", ended.stdout);
    accounts_for_everything(&summary);
    the_sheets_agree(&home.path("out"), &summary);
}

#[test]
fn flags_stand_above_the_environment_and_that_above_the_workload() {
    let home = Home::new();
    let plan = |flags: &[&str], environment: &[(&str, &str)]| {
        let mut command = home.bootstorm();
        command.args(["plan", "tiny.toml", "--json"]).args(flags).envs(environment.iter().copied());
        let ended = Ended::of(&command.output().unwrap());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        let plan = ended.json();
        (n(&plan, "seed"), n(&plan, "phones"), plan["target"].as_str().unwrap().to_owned())
    };
    let embedded = "embedded, iis-like, plain HTTP".to_owned();
    let environment =
        [("BOOTSTORM_SEED", "5"), ("BOOTSTORM_PHONES", "1k"), ("BOOTSTORM_TARGET", "http://127.0.0.1:8080/a/")];
    let flags = ["--seed", "6", "--phones", "7", "--target", "https://localhost/b"];
    assert_eq!(plan(&[], &[]), (11, 12, embedded.clone()));
    assert_eq!(plan(&[], &environment), (5, 1000, "http://127.0.0.1:8080/a".to_owned()));
    assert_eq!(plan(&flags, &environment), (6, 7, "https://localhost/b".to_owned()));
    assert_eq!(plan(&flags[..2], &environment[..2]), (6, 1000, embedded));
}

#[test]
fn the_environment_names_the_folder_and_the_target_of_a_run() {
    let home = Home::new();
    let served = Served::start(&home, &["--no-tls"]);
    let run = |flags: &[&str]| {
        let mut command = home.bootstorm();
        command.args(["run", "tiny.toml", "--json"]).args(flags);
        command.env("BOOTSTORM_OUT", "from-environment").env("BOOTSTORM_TARGET", served.url());
        let ended = Ended::of(&command.output().unwrap());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    };
    run(&["--out", "from-flag"]);
    assert!(!home.path("from-environment").exists());
    run(&["--seed", "12"]);
    let manifest = home.json("from-environment/manifest.json");
    assert_eq!(manifest["target"], served.url());
    let changes = serde_json::json!([format!("BOOTSTORM_TARGET={}", served.url()), "--seed 12"]);
    assert_eq!(manifest["overrides"], changes, "as they came");
    assert_eq!(home.json("from-flag/manifest.json")["seed"], 11);
    accounts_for_everything(&home.json("from-environment/summary.json"));
}

#[test]
fn results_have_a_folder_of_their_own_if_none_is_named() {
    let home = Home::new();
    let ended = home.run(&["run", "tiny.toml"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let saved = ended.stdout.lines().last().unwrap().strip_prefix("Saved in ").unwrap();
    let name = saved.strip_prefix("results/").unwrap();
    assert!(name.ends_with("Z-tiny") && name.len() == "20261121T204354Z-tiny".len(), "{saved}");
    let names: BTreeSet<_> = fs::read_dir(home.path(saved)).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, FILES.into_iter().map(Into::into).collect());
}

#[test]
fn colours_are_for_terminals_only_and_never_against_no_color() {
    let home = Home::new();
    let ended = home.run(&["run", "tiny.toml", "-v", "--out", "piped"]);
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "{ended:?}");

    // `script` gives its child a terminal.
    let program = assert_cmd::cargo::cargo_bin("bootstorm");
    let on_a_terminal = |out: &str, no_color: &str| {
        let line = format!("'{}' -v run tiny.toml --out {out}", program.display());
        let mut script = home.command("script");
        script.args(["-q", "-e", "-c", &line, "/dev/null"]).env("TERM", "xterm").env("NO_COLOR", no_color);
        script.output().ok().map(|output| Ended::of(&output))
    };
    // Colours and weights end in `m`; the progress line moves the cursor as well.
    let coloured = |text: &str| {
        text.split("\u{1b}[")
            .skip(1)
            .any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
    };
    let Some(with) = on_a_terminal("coloured", "") else {
        eprintln!("no `script` here (package bsdutils): terminals were not tested");
        return;
    };
    assert!(with.code == Some(0) && coloured(&with.stdout), "{with:?}");
    let without = on_a_terminal("plain", "1").unwrap();
    assert!(without.code == Some(0) && !coloured(&without.stdout), "{without:?}");
}

#[test]
fn a_seed_gives_one_schedule_for_any_number_of_shards() {
    let home = Home::new();
    let mut seen = BTreeSet::new();
    for workload in ["smoke", "mass-reboot", "steady-day"] {
        let hash = |shards: &str, seed: &str| {
            let ended = home.run(&["plan", &shipped(workload), "--json", "--shards", shards, "--seed", seed]);
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
            let hash = ended.json()["schedule"]["hash"].as_str().unwrap().to_owned();
            assert!(hash.len() == 64 && hash.bytes().all(|c| c.is_ascii_hexdigit()), "{hash}");
            hash
        };
        let one = hash("1", "42");
        assert_eq!([hash("2", "42"), hash("4", "42")], [one.clone(), one.clone()], "{workload}");
        let other = hash("2", "43");
        assert!(seen.insert(one) && seen.insert(other), "{workload}: another seed, another schedule");
    }
    assert_eq!(home.names(), BTreeSet::from(["tiny.toml".to_owned()]), "a plan writes nothing");
}

#[test]
fn a_reader_that_has_gone_fails_nothing() {
    let home = Home::new();
    let line = "\"$0\" run tiny.toml --out out; echo $? >code";
    let program = assert_cmd::cargo::cargo_bin("bootstorm");
    // The pipe's reader ends at once.
    let output = home.command("sh").args(["-c", &format!("{{ {line}; }} | true")]).arg(program).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(fs::read_to_string(home.path("code")).unwrap(), "0\n");
    assert!(home.path("out/summary.json").is_file());
}
