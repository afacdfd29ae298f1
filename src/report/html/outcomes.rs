//! How operations and exchanges ended, why, and whose fault it was.

use super::markup::Markup;
use super::table::{Cell, table};
use super::times::in_order;
use super::{Run, lead, nothing, share, words};
use crate::report::number::count;
use crate::report::summary::Operation;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let s = run.summary;
    if s.operations.is_empty() {
        return nothing(m, "No operation was planned.");
    }
    lead(m, "An outcome is an ending, not always an error. Whose fault: who must act so that it goes away.");
    let rows: Vec<_> = in_order(s)
        .map(|(name, o)| {
            let counts = [o.planned, o.started, o.dropped, o.succeeded].map(|n| Cell::number(count(n)));
            let bar = Cell::Share(o.succeeded as f64 / o.planned.max(1) as f64);
            let ok = [Cell::number(share(o.succeeded, o.planned)), bar];
            std::iter::once(Cell::head(name)).chain(counts).chain(ok).collect()
        })
        .collect();
    let columns = ["operation", "#planned", "#started", "#dropped", "#ok", "#share ok", "="];
    table(m, "ledger", "Operations", &columns, &rows);
    let rows: Vec<_> = in_order(s).flat_map(|(name, o)| otherwise(name, o)).collect();
    if rows.is_empty() {
        m.leaf("p", &[], "Every operation that was planned ended ok.");
    } else {
        let columns = ["operation", "#times", "ended", "why", "whose fault"];
        table(m, "causes", "What did not end ok", &columns, &rows);
    }
    let e = &s.exchanges;
    if e.failed > 0 {
        let mut sorted: Vec<_> = e.failures.iter().filter(|(_, n)| **n > 0).collect();
        sorted.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
        let rows: Vec<_> = sorted
            .into_iter()
            .map(|(name, n)| {
                let fault = words::fault(e.faults.get(name).map_or("", String::as_str));
                cause(Cell::head(name.as_str()), *n, words::outcome(name), fault)
            })
            .collect();
        table(
            m,
            "causes failures",
            "Exchanges that failed below HTTP",
            &["failure", "#times", "why", "whose fault"],
            &rows,
        );
    }
    let rows: Vec<_> = e
        .status
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(status, n)| {
            let bar = Cell::Share(*n as f64 / e.answered.max(1) as f64);
            let status = Cell::head(status.as_str());
            vec![status, Cell::number(count(*n)), Cell::number(share(*n, e.answered)), bar]
        })
        .collect();
    if !rows.is_empty() {
        table(m, "ledger", "Answers by status", &["status", "#times", "#share", "="], &rows);
    }
}

fn cause(name: Cell, n: u64, why: &str, fault: &str) -> Vec<Cell> {
    vec![name, Cell::number(count(n)), Cell::words(why), Cell::words(fault)]
}

/// What did not end ok, most first, then what never began.
fn otherwise(name: &str, o: &Operation) -> Vec<Vec<Cell>> {
    let mut others: Vec<_> = o.outcomes.iter().filter(|(outcome, n)| *outcome != "ok" && **n > 0).collect();
    others.sort_by_key(|(outcome, n)| (std::cmp::Reverse(**n), *outcome));
    let ended = others.into_iter().map(|(outcome, n)| {
        let fault = words::fault(o.faults.get(outcome).map_or("", String::as_str));
        (outcome.clone(), *n, words::outcome(outcome), fault)
    });
    let dropped = o
        .dropped_causes
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(why, n)| (format!("dropped: {why}"), *n, words::dropped(why), "nobody"));
    ended
        .chain(dropped)
        .map(|(ended, n, why, fault)| {
            let words = [ended.as_str(), why, fault].map(Cell::words);
            [Cell::head(name), Cell::number(count(n))].into_iter().chain(words).collect()
        })
        .collect()
}
