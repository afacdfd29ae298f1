//! What a person gets to read.

use super::*;
use crate::metrics::{Marks, Validity, Verdict};
use crate::report::fixture::mass_reboot;

fn summary() -> Summary {
    Summary::of(&mass_reboot())
}

#[test]
fn the_whole_page() {
    insta::assert_snapshot!(render(&summary(), Some(Path::new("results/20261121T204354Z-mass-reboot")), false));
}

#[test]
fn a_run_that_is_marked_and_invalid_says_so_first() {
    let mut record = mass_reboot();
    record.marks = Marks { partial: true, tls_not_verified: true, ..Default::default() };
    record.generator.cpu_busy_max = 0.97;
    record.tally.totals.operations[1].planned += 1;
    let text = render(&Summary::of(&record), None, false);
    insta::assert_snapshot!(text.lines().take(8).collect::<Vec<_>>().join("\n"));
}

#[test]
fn nothing_happened() {
    let mut record = mass_reboot();
    record.tally = crate::metrics::Recorder::new(2_000, 1.0).finish(record.wall);
    record.thresholds.clear();
    record.plan.storm_phones = Some(0);
    insta::assert_snapshot!(render(&Summary::of(&record), None, false));
}

#[test]
fn colours_are_asked_for_and_change_nothing_else() {
    let (plain, coloured) = (render(&summary(), None, false), render(&summary(), None, true));
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[32mVALID\x1b[0m"));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        stripped.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn no_line_is_wider_than_the_page_and_none_ends_in_space() {
    let mut wide = summary();
    let reason = "restore: lateness p99 of 120.0 ms is 40 % of the response time p99 of 300.0 ms ".repeat(3);
    wide.verdict = Verdict { state: Validity::Degraded, reasons: vec![reason.trim_end().to_owned()] };
    for n in 0..12 {
        wide.tls.suites.insert(format!("TLS_ECDHE_ECDSA_WITH_AES_{n}_GCM_SHA384"), 1_000_000 + n);
        wide.exchanges.failures.insert(format!("failure-{n}"), 10_000);
        wide.exchanges.failed += 10_000;
        wide.auth.prompts.insert(format!("authentication-{n}"), 10_000);
        wide.operations.values_mut().for_each(|o| _ = o.outcomes.insert(format!("timeout-{n}"), 10_000));
    }
    for line in render(&wide, None, false).lines() {
        assert!(line.chars().count() <= COLUMNS, "{line}");
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn the_words_are_those_of_the_table() {
    let text = render(&summary(), None, false).to_lowercase();
    assert!(!text.contains("latency"));
    for word in ["response time", "service time", "lateness", "amplification", "drain", "provisioned", "prompting"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn words_wrap_at_spaces() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("overlong a", 4), ["overlong", "a"]);
    assert_eq!(wrap("", 4), [""]);
    assert_eq!(wrap("first 2,000 · typed right 30 · no", 20), ["first 2,000 ·", "typed right 30 · no"]);
}
