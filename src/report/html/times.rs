//! Response time, service time and lateness: a table of figures, then both by percentile.

use super::markup::Markup;
use super::table::{Cell, table};
use super::{Run, lead, nothing, percentiles};
use crate::phone::Operation;
use crate::report::number::{count, figure};
use crate::report::summary::{self, Figures, Summary};
use crate::report::sureness;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let rows: Vec<_> = in_order(run.summary).flat_map(|(name, o)| rows(name, o)).collect();
    if rows.is_empty() {
        return nothing(m, "No operation came to an end.");
    }
    lead(
        m,
        "Response time counts from the moment the plan meant an operation to begin, so waiting is never hidden; service \
         time from its real beginning. The gap between the two is lateness.",
    );
    table(m, "times", "Times in milliseconds", &COLUMNS, &rows);
    if in_order(run.summary).any(|(_, o)| o.response_ms.samples > 0 && o.response_ms.p99_9.is_none()) {
        let note = "– stands where there are too few samples to tell: p50 takes 5, p90 29, p99 299, p99.9 2,995.";
        m.leaf("p", &[("class", "note")], note);
    }
    for (operation, words) in sureness::told(run.summary) {
        let of = operation.map_or(String::new(), |operation| format!(" of {operation}, in ms"));
        m.leaf("p", &[("class", "note")], &format!("{}{of}: {words}.", sureness::NAME));
    }
    percentiles::write(m, run);
}

/// Operations in the order of the boot chain.
pub(super) fn in_order(summary: &Summary) -> impl Iterator<Item = (&'static str, &summary::Operation)> {
    Operation::ALL.into_iter().filter_map(|operation| {
        let name = operation.name();
        summary.operations.get(name).map(|o| (name, o))
    })
}

const COLUMNS: [&str; 8] = ["operation", "", "#p50", "#p90", "#p99", "#p99.9", "#max", "#samples"];

fn rows(name: &str, o: &summary::Operation) -> Vec<Vec<Cell>> {
    let ok = (o.succeeded < o.started).then_some(("if ok", &o.response_ok_ms));
    let figures = [("response time", &o.response_ms)]
        .into_iter()
        .chain(ok)
        .chain([("service time", &o.service_ms), ("lateness", &o.lateness_ms)]);
    let told: Vec<_> = figures.filter(|(_, f)| f.samples > 0).collect();
    let group = |i: usize| (i == 0).then(|| Cell::Group(name.to_owned(), told.len()));
    told.iter().enumerate().map(|(i, (what, f))| group(i).into_iter().chain(row(what, f)).collect()).collect()
}

/// A row of figures.
fn row(what: &str, f: &Figures) -> impl Iterator<Item = Cell> {
    let figures = [f.p50, f.p90, f.p99, f.p99_9, f.max].map(|value| Cell::number(figure(value)));
    std::iter::once(Cell::head(what)).chain(figures).chain([Cell::number(count(f.samples))])
}
