//! `--format`: a run is told in every format, while it is fresh and from its folder, in the same words.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::fs;

use cli::Home;

#[test]
fn a_saved_run_is_told_as_it_was_when_it_ended() {
    let home = Home::new();
    for format in ["text", "json", "csv", "markdown", "junit", "prometheus"] {
        let fresh = home.run(&["run", "tiny.toml", "--out", format, "--format", format]);
        assert_eq!(fresh.code, Some(0), "{format}: {}", fresh.stderr);
        let saved = home.run(&["report", format, "--format", format]);
        assert_eq!(saved.code, Some(0), "{format}: {}", saved.stderr);
        assert_eq!(saved.stdout, fresh.stdout, "{format}");
        assert!(fresh.stdout.ends_with('\n') && !fresh.stdout.ends_with("\n\n"), "{format}");
    }
    let file = |name: &str| fs::read_to_string(home.path(name)).unwrap();
    let told = |dir: &str, format: &str| home.run(&["report", dir, "--format", format]).stdout;
    assert_eq!(told("csv", "json"), file("csv/summary.json"));
    assert_eq!(told("json", "csv"), file("json/operations.csv"));
    assert!(told("csv", "markdown").starts_with("# "), "the verdict is the heading");
    assert!(told("csv", "junit").contains("<testcase name=\"the measurement is valid\""));
}

#[test]
fn a_format_that_is_none_and_two_at_once_are_refused() {
    let home = Home::new();
    for (line, told) in [
        (
            &["run", "tiny.toml", "--format", "xml"][..],
            "[possible values: text, json, csv, markdown, junit, prometheus]",
        ),
        (&["run", "tiny.toml", "--format", "csv", "--json"], "cannot be used with"),
        (&["report", "x", "--format", "yaml"], "invalid value 'yaml'"),
    ] {
        let ended = home.run(line);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{line:?}");
        assert!(ended.stderr.contains(told), "{line:?}: {}", ended.stderr);
    }
}
