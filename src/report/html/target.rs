//! What the server under test used of this machine, where it was watched.

use super::chart::{Chart, Scale, axis, duration_label, hover, line, time_axis, time_label};
use super::columns::{MOST, rows};
use super::markup::Markup;
use super::table::{Cell, behind};
use super::{Run, facts, lead, nothing};
use crate::metrics::TargetUse;
use crate::report::number::{bytes, count, figure, percent, seconds};
use crate::report::text::watched;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let Some(t) = &run.summary.target else {
        return nothing(m, "The target was not watched: --watch-pid names its process, if it runs on this machine.");
    };
    lead(m, &format!("Watched: {}. All it did in the run is counted, whatever for.", watched(t)));
    let us = |us: Option<f64>| us.map(|_| format!("{} µs", figure(us)));
    let cpu = [("CPU time", seconds(Some(t.cpu_s))), ("of a core", percent(t.cpu_busy))];
    let own = &t.handshake_cpu_us;
    let each = [
        ("CPU per exchange", us(t.cpu_us_per_exchange)),
        ("CPU per handshake", us(t.cpu_us_per_handshake)),
        ("inside a full handshake", us(own.full)),
        ("inside a resumed one", us(own.resumed)),
        ("inside one after a hello-retry", us(own.hello_retry)),
        ("inside one that failed", us(own.failed)),
        ("resident memory, most", t.rss_bytes.map(bytes)),
        ("named processes that ended before the run", (t.gone > 0).then(|| count(t.gone.into()))),
    ];
    let each = each.into_iter().filter_map(|(name, told)| Some((name, told?)));
    facts(m, cpu.into_iter().chain(each));
    over_time(m, run);
}

/// Cores used, column by column.
fn over_time(m: &mut Markup, run: &Run) {
    let (width_s, rows) = rows(run.record, MOST);
    let columns: Vec<Option<TargetUse>> = rows
        .map(|rows| {
            let looks = || rows.iter().filter_map(|row| row.machine.as_ref()?.target);
            let busiest = looks().map(|look| look.busy).fold(0.0, f32::max);
            looks().next_back().map(|last| TargetUse { busy: busiest, ..last })
        })
        .collect();
    let most = columns.iter().flatten().map(|look| f64::from(look.busy)).fold(0.0, f64::max);
    if columns.iter().flatten().next().is_none() {
        return nothing(m, "There are no looks at it second by second in this run.");
    }
    let span = width_s * columns.len() as f64;
    let y = Scale::linear(most.max(1.0));
    let spoken = format!("At most {} of a core.", percent(most));
    let chart = Chart {
        id: "target-cpu",
        class: "low",
        title: "The target's CPU time over time, in cores: the highest in each column",
        description: &spoken,
        height: 120.0,
        x: time_axis(span),
        y: axis(y, 2, percent),
        unit: "per core",
    };
    let wide = 1.0 / columns.len() as f64;
    let known = || columns.iter().enumerate().filter_map(|(i, look)| Some((i, (*look)?)));
    let points: Vec<_> = known().map(|(i, look)| ((i as f64 + 0.5) * wide, y.at(f64::from(look.busy)))).collect();
    let from = |i: usize| time_label(i as f64 * width_s, span);
    chart.draw(
        m,
        |m, height| line(m, height, "s-server", &points),
        |m, height| {
            hover(m, height, columns.len(), |i| match columns[i] {
                Some(look) => format!("{}: {} of a core", from(i), percent(f64::from(look.busy))),
                None => format!("{}: not looked", from(i)),
            });
        },
    );
    let rows: Vec<_> = known()
        .map(|(i, look)| {
            let rss = look.rss_bytes.map_or_else(|| crate::report::number::UNKNOWN.to_owned(), bytes);
            let cpu = seconds(Some(look.cpu_us as f64 / 1e6));
            let told = [percent(f64::from(look.busy)), cpu, rss, count(look.processes.into())];
            std::iter::once(Cell::head(from(i))).chain(told.map(Cell::number)).collect()
        })
        .collect();
    let columns = ["from", "#of a core", "#CPU time so far", "#resident, most", "#processes, most"];
    behind(m, &format!("The target every {}", duration_label(width_s * 1e6)), &columns, &rows);
}
