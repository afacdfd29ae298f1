//! The contract: every key of the example is there, and the figures are those of the record.

use serde_json::Value;

use super::*;
use crate::report::fixture::mass_reboot;

/// The example of the design, to the letter; `…` stands for the keys of the first figures.
const EXAMPLE: &str = r#"
{ "schema_version": 1, "workload": {"name": "mass-reboot", "sha256": "…"}, "seed": 42,
  "verdict": {"state": "valid", "reasons": []},
  "phones": {"total": 2000, "provisioned": 1990, "prompting": 10, "failed": 0},
  "operations": {"restore": {"planned": 2000, "started": 2000, "dropped": 0, "succeeded": 1990,
      "outcomes": {"ok": 1990, "prompt-authentication": 10},
      "response_ms": {"mean": 0, "p50": 0, "p90": 0, "p99": 0, "p99_9": 0, "max": 0}, "service_ms": {"…": 0}, "lateness_ms": {"…": 0}}},
  "exchanges": {"total": 4000, "per_operation": 2.0, "status": {"200": 1990, "401": 2010}},
  "auth": {"challenges": {"first": 2000, "stale": 0, "rejected": 10, "unsolicited": 0}, "retry_rate": 0.5,
      "answers": {"basic": 0, "digest-md5": 0, "digest-md5-sess": 2000}, "prompts": {"authentication": 0, "authentication-failure": 10}},
  "tls": {"handshakes": {"full": 2000, "resumed": 0, "hello_retry": 0, "failed": 0}, "handshake_ms": {"…": 0}, "client_cpu_us": {"…": 0},
      "bytes_out": 0, "bytes_in": 0, "versions": {"1.3": 2000}, "suites": {}, "groups": {}},
  "storm": {"drain_s": 0, "provisioned_50_s": 0, "provisioned_95_s": 0, "peak_in_flight": 0, "amplification": 1.0},
  "generator": {"cpu_busy": 0.6, "loop_lag_ms": {"…": 0}, "open_files": 0, "rss_bytes": 0} }"#;

/// Keys of counts by name: which names occur depends on the run.
const BY_RUN: [&str; 1] = ["operations.restore.outcomes.prompt-authentication"];

fn walk(path: &str, example: &Value, actual: &Value, missing: &mut Vec<String>) {
    let Value::Object(keys) = example else {
        let same = match example {
            Value::Number(_) => actual.is_number() || actual.is_null(),
            Value::String(_) => actual.is_string(),
            Value::Array(_) => actual.is_array(),
            _ => false,
        };
        if !same {
            missing.push(format!("{path}: {actual} is of another kind than {example}"));
        }
        return;
    };
    for (key, example) in keys {
        let figures = ["mean", "p50", "p90", "p99", "p99_9", "max"];
        let wanted: Vec<&str> = if key == "…" { figures.to_vec() } else { vec![key] };
        for key in wanted {
            let path = format!("{path}.{key}").trim_start_matches('.').to_owned();
            match actual.get(key) {
                Some(actual) => walk(&path, example, actual, missing),
                None if BY_RUN.contains(&path.as_str()) => {}
                None => missing.push(path),
            }
        }
    }
}

#[test]
fn every_key_of_the_contract_is_there() {
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let actual = serde_json::to_value(Summary::of(&mass_reboot())).unwrap();
    let mut missing = Vec::new();
    walk("", &example, &actual, &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_walk_would_notice() {
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let mut actual = serde_json::to_value(Summary::of(&mass_reboot())).unwrap();
    actual["storm"].as_object_mut().unwrap().remove("drain_s");
    actual["tls"]["handshake_ms"].as_object_mut().unwrap().remove("p99_9");
    actual["seed"] = Value::String("42".into());
    let mut missing = Vec::new();
    walk("", &example, &actual, &mut missing);
    assert_eq!(missing.len(), 3, "{missing:?}");
}

#[test]
fn the_sums_of_the_contract_hold() {
    let s = Summary::of(&mass_reboot());
    assert_eq!(s.phones, Phones { total: 2000, provisioned: 1989, prompting: 10, failed: 1, ..Phones::default() });
    assert_eq!(s.phones.provisioned + s.phones.prompting + s.phones.failed, s.phones.total);
    for (name, o) in &s.operations {
        assert_eq!(o.planned, o.started + o.dropped, "{name}");
        assert_eq!(o.outcomes.values().sum::<u64>(), o.started, "{name}");
    }
    assert_eq!(s.operations.keys().collect::<Vec<_>>(), ["restore", "resync"], "what was never planned is left out");
    assert_eq!(s.exchanges.total, s.exchanges.answered + s.exchanges.failed);
    assert_eq!((s.exchanges.total, s.exchanges.per_operation), (5_998, Some(1.4999)), "for 3,999 operations");
    assert_eq!(
        s.operations["restore"].faults,
        BTreeMap::from([("prompt-authentication-failure".into(), "phone".into())])
    );
}

#[test]
fn too_few_samples_are_null_and_milliseconds_have_three_decimals() {
    let s = Summary::of(&mass_reboot());
    let restore = &s.operations["restore"].response_ms;
    assert!(restore.p99.is_some());
    assert_eq!(restore.p99_9, None, "1,999 samples are too few");
    // Phone 1994 waited longest for its first attempt: 6 × 90 µs, then twice 3 ms + 1994 × 4 µs.
    assert_eq!(restore.max, Some(22.492));
}

#[test]
fn a_saved_summary_reads_as_it_was() {
    let s = Summary { version: "1.2.3".into(), ..Summary::of(&mass_reboot()) };
    let text = serde_json::to_string_pretty(&s).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), s);
    insta::assert_snapshot!(text);
}

/// Thresholds are checked against the contract before the run: every number of a real summary must be known there.
#[test]
fn every_number_can_have_a_threshold() {
    fn numbers(value: &Value, path: &str, into: &mut Vec<String>) {
        match value {
            Value::Object(keys) => {
                for (key, below) in keys {
                    numbers(below, format!("{path}.{key}").trim_start_matches('.'), into);
                }
            }
            // Bounds that are not there have no numbers; marks are no figures.
            Value::Null if path.contains(".response_interval_ms.") => {}
            _ if path.starts_with("marks.") => {}
            Value::Number(_) | Value::Null => into.push(path.to_owned()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let summary = serde_json::to_value(Summary::of(&mass_reboot())).unwrap();
    numbers(&summary, "", &mut found);
    assert!(found.len() > 200, "{found:?}");
    // What was run is no goal.
    for figure in found.iter().filter(|f| !["schema_version", "seed", "compression"].contains(&f.as_str())) {
        let threshold = crate::workload::Threshold::parse(figure, ">= 0").unwrap_or_else(|e| panic!("{e}"));
        let verdict = threshold.check(&summary);
        assert!(verdict.passed() || verdict.value.is_none(), "{figure}: {verdict}");
    }
}
