//! How sure the response times are, in words: for every report that people read.

use super::number::figure;
use super::summary::{ResponseIntervals, Summary};
use crate::phone::Operation;

/// What is said of it.
pub(super) const NAME: &str = "95 % interval";

/// An operation and what is known of how sure its response times are. Where the same is said of all, one item without a
/// name; empty where there is nothing to say.
pub(super) fn told(summary: &Summary) -> Vec<(Option<&'static str>, String)> {
    let operations = Operation::ALL.into_iter().filter_map(|operation| {
        let told = words(&summary.operations.get(operation.name())?.response_interval_ms);
        (!told.is_empty()).then_some((operation.name(), told))
    });
    let told: Vec<_> = operations.collect();
    match told.first() {
        Some((_, first)) if first.starts_with("none") && told.iter().all(|(_, words)| words == first) => {
            vec![(None, first.clone())]
        }
        _ => told.into_iter().map(|(name, words)| (Some(name), words)).collect(),
    }
}

/// The bounds in milliseconds, and why there are no more.
fn words(intervals: &ResponseIntervals) -> String {
    let quantiles = [("p50", intervals.p50), ("p90", intervals.p90), ("p99", intervals.p99)].into_iter();
    let mut words: Vec<String> = quantiles
        .filter_map(|(q, bounds)| bounds.map(|b| format!("{q} {}–{}", figure(Some(b.low)), figure(Some(b.high)))))
        .collect();
    words.extend(intervals.refused.as_ref().map(|why| match words.is_empty() {
        true => format!("none: {why}"),
        false => format!("none beyond: {why}"),
    }));
    words.join(" · ")
}
