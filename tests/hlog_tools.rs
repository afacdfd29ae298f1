//! `histograms.hlog` opens in HdrHistogram's own tools, and they tell what our reports tell.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::fs;
use std::path::Path;

use bootstorm::metrics::Distribution;
use bootstorm::phone::Operation;
use bootstorm::report::Saved;
use cli::{Ended, Home, TINY};

/// HdrHistogram, as Debian has it.
const JAR: &str = "/usr/share/java/hdrhistogram.jar";
/// Said when it is not there. A test must fail then: skipping would look like passing.
const INSTALL: &str = "run scripts/install-servers, it installs HdrHistogram's tools and Java";

/// HdrHistogram's log processor on the run's log.
fn processor(home: &Home, arguments: &[&str]) -> String {
    assert!(Path::new(JAR).is_file(), "{JAR} is not there: {INSTALL}");
    let mut java = home.command("java");
    java.args(["-cp", JAR, "org.HdrHistogram.HistogramLogProcessor", "-i", "run/histograms.hlog"]).args(arguments);
    let ended = Ended::of(&java.output().unwrap_or_else(|error| panic!("java: {error}; {INSTALL}")));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

/// How many samples a tag has in all, their p99 and maximum, and the intervals' own counts.
fn told(home: &Home, tag: &str) -> (u64, f64, f64, Vec<u64>) {
    processor(home, &["-tag", tag, "-outputValueUnitRatio", "1", "-o", "told"]);
    let text = fs::read_to_string(home.path("told")).unwrap();
    // 1.000: I:84 ( 50% 90% Max ) T:84 ( 50% 90% 99% 99.9% 99.99% Max )
    let mut rows = text.lines().filter(|line| line.contains(": I:"));
    let count = |row: &str, sign: &str| row.split(sign).nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let counts = rows.clone().map(|row| count(row, "I:")).collect();
    let last = rows.next_back().unwrap();
    let totals: Vec<f64> = last.split("T:").nth(1).unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
    let [all, _, _, p99, _, _, max] = totals[..] else { panic!("{last}") };
    (all as u64, p99, max, counts)
}

#[test]
fn hdrhistograms_own_tools_read_the_log_and_tell_the_same() {
    let home = Home::new();
    // Three hundred desks in three seconds.
    let arrival = "does = \"power-up\"\narrival = { constant = \"100/s\" }";
    home.write("desks.toml", &TINY.replace("count = 12", "count = 300").replace("does = \"power-up\"", arrival));
    let ended = home.run(&["run", "desks.toml", "--out", "run"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let totals = Saved::open(&home.path("run")).unwrap().record.tally.totals;

    let tags = processor(&home, &["-listtags"]);
    let (phases, resync) = (&totals.exchanges.phases, totals.operation(Operation::Resync));
    let cases: [(&str, &Distribution); 5] = [
        ("exchange.total", &phases.total),
        ("exchange.first-byte", &phases.first_byte),
        ("resync.response", &resync.response),
        ("resync.service", &resync.service),
        ("resync.lateness", &resync.lateness),
    ];
    for (tag, ours) in cases {
        assert!(tags.lines().any(|line| line == tag), "{tag}: {tags}");
        let (count, p99, max, counts) = told(&home, tag);
        assert_eq!(count, ours.count(), "{tag}");
        assert_eq!(counts.iter().sum::<u64>(), count, "{tag}: {counts:?}");
        assert!(counts.len() >= 3, "{tag}: a line a second: {counts:?}");
        let histogram = ours.to_histogram().unwrap();
        // The tools tell a bucket's upper edge; we never tell more than the largest sample.
        let edge = |us: u64| histogram.highest_equivalent(us) as f64;
        assert!(ours.count() >= 299, "{tag}");
        assert_eq!(p99, edge(ours.quantile_us(0.99).unwrap()), "{tag}");
        assert_eq!(max, edge(ours.max_us().unwrap()), "{tag}");
    }
    assert!(!tags.contains("handshake"), "there was no TLS: {tags}");
}
