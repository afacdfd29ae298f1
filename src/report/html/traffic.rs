//! Exchanges and 401s per second, stacked by how they ended.

use super::chart::{Chart, Flag, Scale, axis, duration_label, flags, hover, legend, stack, time_axis, time_label};
use super::columns::Kind;
use super::markup::Markup;
use super::storm::moment;
use super::table::{Cell, behind};
use super::{Run, facts, lead, nothing};
use crate::report::number::{bytes, count, figure};

/// Most phases of the plan that are marked.
const PHASES: usize = 4;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let (e, columns) = (&run.summary.exchanges, &run.columns);
    if e.total == 0 {
        return nothing(m, "No exchange was sent.");
    }
    lead(
        m,
        &format!(
            "{} exchanges, {} for each operation. Each is counted when it ended, by what the server answered.",
            count(e.total),
            figure(e.per_operation)
        ),
    );
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| columns.total(*kind) > 0).collect();
    let named: Vec<String> = kinds.iter().map(|k| format!("{} {}", k.name(), count(columns.total(*k)))).collect();
    let names: Vec<_> = kinds.iter().zip(&named).map(|(kind, name)| (kind.class(), name.as_str())).collect();
    legend(m, "", &names);
    let y = Scale::linear(columns.columns.iter().map(|c| c.rate_of_all()).fold(0.0, f64::max));
    let series: Vec<_> =
        kinds.iter().map(|k| (k.class(), columns.columns.iter().map(|c| c.rate(*k)).collect())).collect();
    let phases = phases(run);
    let spoken = format!("In all: {}.", named.join(", "));
    let chart = Chart {
        id: "exchanges",
        class: match phases.len() {
            0 => "",
            1 => "phased-1",
            _ => "phased",
        },
        title: "Exchanges per second by how they ended, over time",
        description: &spoken,
        height: 240.0,
        x: time_axis(columns.span_s()),
        y: axis(y, 4, |n| if n < 10.0 { figure(Some(n)) } else { count(n.round() as u64) }),
        unit: "per s",
    };
    chart.draw(
        m,
        |m, height| stack(m, height, y, &series),
        |m, height| {
            flags(m, height, "phase", 1, &phases);
            hover(m, height, columns.columns.len(), |i| {
                let column = &columns.columns[i];
                let ended = kinds.iter().map(|k| format!("{} × {}", k.name(), count(column.ended[*k as usize])));
                format!("{}: {}", moment(run, i), ended.collect::<Vec<_>>().join(", "))
            });
        },
    );
    figures(m, run, &kinds);
    wire(m, run);
}

/// When the plan's phases begin.
fn phases(run: &Run) -> Vec<Flag> {
    let span = run.columns.span_s();
    let phases = run.record.plan.phases.iter().take(PHASES);
    phases
        .map(|phase| (phase.at_us as f64 / 1e6 / span, phase))
        .filter(|(at, _)| *at < 1.0)
        .map(|(at, phase)| Flag { at, name: shortened(&phase.name) })
        .collect()
}

/// A name somebody chose, as far as there is room for it.
fn shortened(name: &str) -> String {
    const MOST: usize = 28;
    if name.chars().count() <= MOST { name.to_owned() } else { name.chars().take(MOST - 1).chain(['…']).collect() }
}

fn figures(m: &mut Markup, run: &Run, kinds: &[Kind]) {
    let heads: Vec<String> = kinds.iter().map(|kind| format!("#{}", kind.name())).collect();
    let columns: Vec<&str> = ["from", "#sent"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let rows: Vec<_> = run
        .columns
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let from = Cell::head(time_label(run.columns.begins_s(i), run.columns.span_s()));
            let counts = kinds.iter().map(|kind| column.ended[*kind as usize]);
            let counts = std::iter::once(column.sent).chain(counts).map(|n| Cell::number(count(n)));
            std::iter::once(from).chain(counts).collect()
        })
        .collect();
    let every = duration_label(run.columns.width_s * 1e6);
    behind(m, &format!("Exchanges counted every {every}"), &columns, &rows);
}

fn wire(m: &mut Markup, run: &Run) {
    let e = &run.summary.exchanges;
    let c = &e.connections;
    let dead = (c.reconnected > 0).then(|| ("found it dead and took a fresh one", count(c.reconnected)));
    let connections = [("connections opened", count(c.opened)), ("exchanges over a kept connection", count(c.reused))];
    let octets = [("sent on the wire", bytes(e.bytes_out)), ("received", bytes(e.bytes_in))];
    facts(m, connections.into_iter().chain(dead).chain(octets));
}
