//! The phases of an exchange, side by side.

use super::chart::{Range, duration_label, legend, ranges};
use super::markup::Markup;
use super::table::{Cell, table};
use super::{Run, lead, nothing};
use crate::report::number::{count, figure};
use crate::report::summary::Figures;

/// Whose the time is.
const CLASSES: [&str; 7] = ["s-waited", "s-network", "s-network", "s-network", "s-server", "s-server", "s-whole"];

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let p = &run.summary.exchanges.phases_ms;
    if p.total.samples == 0 {
        return nothing(m, "No exchange came to an end.");
    }
    lead(
        m,
        "Only what took place is counted: a kept connection has no connect. Waiting for a free connection, port or file is \
         the generator's, never the server's.",
    );
    let phases = p.titled().chain([("whole exchange", &p.total)]);
    let told: Vec<_> = phases.zip(CLASSES).filter(|((_, f), _)| f.samples > 0).collect();
    legend(m, "", &[("dot-p50", "p50"), ("dot-p90", "p90"), ("dot-p99", "p99")]);
    let rows: Vec<_> = told.iter().map(|((name, f), class)| range(name, class, f, 1e3)).collect();
    let spoken = "The same figures are in the table below.";
    ranges(m, "phase-ranges", "Phases of an exchange: p50, p90 and p99", spoken, &rows);
    let rows: Vec<_> = told.iter().map(|((name, f), _)| row(name, f)).collect();
    let columns = ["phase", "#p50", "#p90", "#p99", "#p99.9", "#max", "#samples"];
    table(m, "", "Phases of an exchange in milliseconds", &columns, &rows);
}

/// Figures as a row of a chart; `us` microseconds are one of theirs.
pub(super) fn range(name: &str, class: &'static str, f: &Figures, us: f64) -> Range {
    let [p50, p90, p99] = [f.p50, f.p90, f.p99].map(|value| value.map(|value| value * us));
    let told = |value: Option<f64>| value.map_or_else(|| "too few samples".to_owned(), duration_label);
    let words = format!("{name}: p50 {}, p90 {}, p99 {}", told(p50), told(p90), told(p99));
    Range { name: name.to_owned(), class, p50, p90, p99, words }
}

/// Figures as a row of a table.
pub(super) fn row(name: &str, f: &Figures) -> Vec<Cell> {
    let figures = [f.p50, f.p90, f.p99, f.p99_9, f.max].map(|value| Cell::number(figure(value)));
    std::iter::once(Cell::head(name)).chain(figures).chain([Cell::number(count(f.samples))]).collect()
}
