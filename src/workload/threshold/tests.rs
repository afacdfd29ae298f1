//! What can be written, what it means, and what is said of slips.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn summary() -> Value {
    json!({
        "wall_s": 20.0,
        "phones": {"total": 200, "failed": 3, "prompting": 0},
        "operations": {"restore": {
            "started": 100, "outcomes": {"ok": 97},
            "response_ms": {"p99": null, "p50": 12.5, "p90": 480.0, "max": 2_500.0, "samples": 100},
            "service_ms": {"p50": 10.0},
        }},
        "exchanges": {"total": 4_000, "failed": 3, "bytes_in": 8_000_000, "status": {"401": 10}},
        "tls": {"versions": {"1.3": 40}, "handshakes": {"full": 40, "failed": 0}, "suites": {}},
        "storm": {"drain_s": 90.0, "amplification": 1.5},
        "generator": {"cpu_busy": 0.41},
    })
}

#[test]
fn comparisons_are_read_and_shown_as_typed() {
    for (typed, comparison, limit) in [
        ("== 0", Comparison::Equal, 0.0),
        ("<2000", Comparison::Less, 2000.0),
        ("<= 1.5", Comparison::LessOrEqual, 1.5),
        (">= 20_000", Comparison::GreaterOrEqual, 20_000.0),
        (">= 20k", Comparison::GreaterOrEqual, 20_000.0),
        ("> -1", Comparison::Greater, -1.0),
        ("< 1e3", Comparison::Less, 1_000.0),
        ("< 1.5e-3", Comparison::Less, 0.0015),
        ("!= 3", Comparison::NotEqual, 3.0),
    ] {
        let t = Threshold::parse("phones.failed", typed).unwrap();
        assert_eq!((t.comparison(), t.check(&summary()).limit), (comparison, Some(limit)));
        assert_eq!(t.to_string(), format!("phones.failed {typed}"));
        assert_eq!((t.figure(), t.typed()), ("phones.failed", typed));
    }
    for bad in ["", "0", "=< 3", "= 0", "=== 0"] {
        let wrong = Threshold::parse("phones.failed", bad);
        assert_eq!(wrong, Err(ThresholdError::NoComparison(bad.trim().to_owned())), "{bad}");
    }
    for bad in ["< ", "< 2s", "< nan", "== zero", "< inf", "< 1 < 2", "< 1..2", "< 1e999"] {
        let wrong = Threshold::parse("phones.failed", bad);
        assert!(matches!(wrong, Err(ThresholdError::Expression { .. })), "{bad}: {wrong:?}");
    }
}

#[test]
fn a_summary_is_judged() {
    let table = [
        ("phones.failed", "== 0", Some(3.0), Judgement::Fail),
        ("phones.failed", "< 4", Some(3.0), Judgement::Pass),
        ("operations.restore.response_ms.p50", "<= 12.5", Some(12.5), Judgement::Pass),
        ("operations.restore.response_ms.p99", "< 2000", None, Judgement::Null),
        ("operations.restore.outcomes.ok", ">= 97", Some(97.0), Judgement::Pass),
        ("operations.restore.outcomes.not-found", "== 0", Some(0.0), Judgement::Pass),
        ("operations.backup.outcomes.not-found", "== 0", None, Judgement::NoFigure),
        ("operations.backup.planned", "== 0", None, Judgement::NoFigure),
        ("tls.versions.1.3", "> 0", Some(40.0), Judgement::Pass),
        ("tls.versions.1.2", "== 0", Some(0.0), Judgement::Pass),
        ("tls.suites.ANY", "== 0", Some(0.0), Judgement::Pass),
        ("tls.groups.X25519", "== 0", None, Judgement::NoFigure),
        ("storm.provisioned_50_s", "< 60", None, Judgement::NoFigure),
    ];
    for (figure, comparison, value, judgement) in table {
        let verdict = Threshold::parse(figure, comparison).unwrap().check(&summary());
        assert_eq!((verdict.value, verdict.judgement), (value, judgement), "{figure} {comparison}");
        assert_eq!(verdict.passed(), judgement == Judgement::Pass);
    }
}

#[test]
fn expressions_have_units_and_are_told_in_them() {
    let table = [
        ("operations.restore.response_ms.p90 < 500ms", 480.0, "ms", Judgement::Pass),
        ("operations.restore.response_ms.p90 < 0.5s", 0.48, "s", Judgement::Pass),
        ("operations.restore.response_ms.max < 2s", 2.5, "s", Judgement::Fail),
        ("operations.restore.response_ms.max <= 2500", 2_500.0, "ms", Judgement::Pass),
        ("operations.restore.response_ms.max == 2.5s", 2.5, "s", Judgement::Pass),
        ("storm.drain_s < 120", 90.0, "s", Judgement::Pass),
        ("storm.drain_s < 2m", 1.5, "min", Judgement::Pass),
        ("storm.drain_s <= 1m30s", 90.0, "s", Judgement::Pass),
        ("phones.prompting == 0", 0.0, "", Judgement::Pass),
        ("exchanges.failed / exchanges.total < 0.1%", 0.075, "%", Judgement::Pass),
        ("exchanges.failed / exchanges.total < 0.0001", 0.00075, "", Judgement::Fail),
        ("exchanges.failed/exchanges.total<0.1%", 0.075, "%", Judgement::Pass),
        ("exchanges.failed < 0.1% * exchanges.total", 3.0, "", Judgement::Pass),
        ("phones.total - phones.failed >= 190", 197.0, "", Judgement::Pass),
        ("(phones.total - phones.failed) / phones.total > 99%", 98.5, "%", Judgement::Fail),
        ("operations.restore.response_ms.p50 - operations.restore.service_ms.p50 < 3", 2.5, "ms", Judgement::Pass),
        ("operations.restore.response_ms.p50 / operations.restore.service_ms.p50 < 1.2", 1.25, "", Judgement::Fail),
        ("storm.drain_s - operations.restore.response_ms.max < 90s", 87.5, "s", Judgement::Pass),
        ("storm.drain_s > operations.restore.response_ms.max", 90.0, "s", Judgement::Pass),
        ("exchanges.bytes_in / wall_s < 1MB / 1s", 0.4, "MB/s", Judgement::Pass),
        ("exchanges.total / wall_s >= 100", 200.0, "/s", Judgement::Pass),
        ("exchanges.bytes_in / exchanges.total <= 2KB", 2.0, "KB", Judgement::Pass),
        ("generator.cpu_busy < 80%", 41.0, "%", Judgement::Pass),
        ("storm.amplification < 2", 1.5, "", Judgement::Pass),
        ("-phones.failed > -4", -3.0, "", Judgement::Pass),
        ("exchanges.status.401 - exchanges.status.403 == 10", 10.0, "", Judgement::Pass),
        ("2 * phones.failed <= 10 - 2 * 2", 6.0, "", Judgement::Pass),
        ("0 == phones.prompting", 0.0, "", Judgement::Pass),
        ("0.1 + 0.2 == 0.3 * phones.failed / phones.failed", 0.3, "", Judgement::Pass),
    ];
    for (text, value, unit, judgement) in table {
        let threshold = Threshold::parse_whole(text).unwrap_or_else(|e| panic!("{e}"));
        let verdict = threshold.check(&summary());
        assert_eq!((verdict.value, verdict.judgement), (Some(value), judgement), "{text}: {threshold:?}");
        assert_eq!(threshold.unit(), unit, "{text}");
    }
    for (text, judgement) in [
        ("operations.restore.response_ms.p99 / 2 < 1s", Judgement::Null),
        ("phones.failed / phones.prompting < 1", Judgement::Undefined),
        ("phones.failed < operations.backup.started", Judgement::NoFigure),
    ] {
        assert_eq!(Threshold::parse_whole(text).unwrap().check(&summary()).judgement, judgement, "{text}");
    }
}

#[test]
fn slips_are_told_with_their_place_and_what_is_right() {
    let table = [
        ("phones.failed < 5m", 17, "`phones.failed` is a count, and `5m` a time", "bare number"),
        ("phones.failed < 1%", 17, "`phones.failed` is a count, and `1%` a percentage", "a / b < 1%"),
        ("storm.drain_s < 40KB", 17, "`storm.drain_s` is a time, and `40KB` a size", "500ms"),
        ("storm.drain_s < 40 lightyears", 20, "`lightyears` is one too many", "join two values"),
        ("storm.drain_s < 40 s", 20, "`s` is one too many", "right behind its number"),
        ("storm.drain_s < 40parsec", 17, "`parsec` in `40parsec` is no unit", "500ms, 2m, 40KB, 1%"),
        ("storm.drain_s < 30s1m", 17, "`30s1m` is no number", ""),
        ("storm.drain_s - phones.failed < 1", 17, "`storm.drain_s` is a time, and `phones.failed` a count", ""),
        ("storm.drain_s - operations.restore.response_ms.max < 90", 54, "`90` needs its unit", "2s"),
        ("phones.total-phones.failed < 9", 1, "no figure `phones.total-phones.failed`", "space on each side"),
        ("phones.fialed < 9", 1, "no figure `phones.fialed`", "did you mean `phones.failed`?"),
        ("(phones.failed < 9", 16, "the bracket at character 1 is not closed", ""),
        ("phones.failed) < 9", 14, "`)` is one too many", ""),
        ("phones.failed < 9 9", 19, "`9` is one too many", ""),
        ("phones.failed =< 9", 15, "`=<` is no comparison", ""),
        ("phones.failed < ", 16, "something is missing at the end", "500ms"),
        ("phones.failed", 14, "there is no comparison", "== 0"),
        ("phones.failed < 9 < 10", 19, "`<` is one too many", ""),
        ("phones.failed ≤ 9", 15, "`≤` means nothing here", "<="),
        ("", 1, "something is missing", ""),
        ("exchanges.failed / / 2 < 3", 20, "`/` stands where a value should", ""),
    ];
    for (text, place, said, advised) in table {
        match Threshold::parse_whole(text) {
            Err(ThresholdError::Expression { character, what, right, .. }) => {
                assert!(what.contains(said) && right.contains(advised), "{text}: {what}; {right}");
                assert_eq!(character, place, "{text}: {what}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let deep = format!("{}phones.failed{} < 1", "(".repeat(10_000), ")".repeat(10_000));
    assert!(Threshold::parse_whole(&deep).is_err());
    let long = format!("{} < 1", vec!["phones.failed"; 10_000].join(" + "));
    assert!(Threshold::parse_whole(&long).is_err());
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "\\PC*") {
        let _ = Threshold::parse_whole(&text);
        let _ = Threshold::parse(&text, "< 1");
        let _ = Threshold::parse("phones.failed", &text);
    }

    /// Words that mean something, in any order: understood or told, and what is understood can be checked.
    #[test]
    fn no_order_of_words_is_too_odd(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..12)) {
        for between in ["", " "] {
            let text = words.join(between);
            match Threshold::parse_whole(&text) {
                Ok(threshold) => {
                    let verdict = threshold.check(&summary());
                    prop_assert!(verdict.value.is_none_or(f64::is_finite));
                    let again = Threshold::parse(threshold.figure(), threshold.typed());
                    prop_assert_eq!(again, Ok(threshold), "{}", text);
                }
                Err(ThresholdError::Expression { character, .. }) => {
                    prop_assert!(character <= text.chars().count() + 1, "{}", text);
                }
                Err(other) => prop_assert!(false, "{}: {}", text, other),
            }
        }
    }

    /// A sum is worked out as by hand.
    #[test]
    fn arithmetic_is_that_of_school(a in 0u32..1000, b in 1u32..1000, c in 0u32..1000) {
        let text = format!("phones.failed + {a} / {b} - {c} * 2 >= 0");
        let value = Threshold::parse_whole(&text).unwrap().check(&summary()).value.unwrap();
        let hand = 3.0 + f64::from(a) / f64::from(b) - f64::from(c) * 2.0;
        prop_assert!((value - hand).abs() < 1e-6, "{} for {}", value, hand);
    }
}

const WORDS: [&str; 22] = [
    "phones.failed",
    "storm.drain_s",
    "exchanges.bytes_in",
    "operations.restore.response_ms.p99",
    "generator.cpu_busy",
    "1",
    "0",
    "2.5",
    "500ms",
    "2s",
    "1m",
    "40KB",
    "1%",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    "<",
    "==",
    ">=",
];
