//! What the run cost the machine that made it: why its figures can, or cannot, be the server's.

use super::chart::{Chart, End, Scale, axis, duration_label, ends, hover, legend, line, time_axis, time_label};
use super::columns::{MOST, rows};
use super::markup::Markup;
use super::table::{Cell, behind};
use super::{Run, facts, lead, nothing, plural};
use crate::metrics::{MachineSample, Row};
use crate::report::number::{bytes, count, figure, percent, seconds};
use crate::report::summary::Figures;

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let g = &run.summary.generator;
    let shards = plural(g.shards.into(), "shard", "shards");
    lead(
        m,
        &format!(
            "{shards} on {}. A shard above 80 % of its core makes the run degraded, above 90 % invalid.",
            plural(run.manifest.machine.cores.into(), "core", "cores")
        ),
    );
    let late = |f: &Figures| format!("p99 {} ms, max {} ms", figure(f.p99), figure(f.max));
    let per_phone = g.rss_per_phone_bytes.map(|n| ("a phone at rest", format!("{} B", count(n))));
    let pace = (g.pace_ms.samples > 0).then(|| ("behind the plan", late(&g.pace_ms)));
    let lag = (g.loop_lag_ms.samples > 0).then(|| ("timers came late by", late(&g.loop_lag_ms)));
    let cpu = [
        ("CPU of the shards' cores", percent(g.cpu_busy)),
        ("the busiest shard", percent(g.cpu_busy_max)),
        ("CPU time", seconds(Some(g.cpu_s))),
    ];
    let held = [("resident memory, most", bytes(g.rss_bytes)), ("open files, most", count(g.open_files))];
    facts(m, cpu.into_iter().chain(lag).chain(pace).chain(held).chain(per_phone));
    machine(m, run);
}

/// A line of the chart.
struct Line {
    class: &'static str,
    name: &'static str,
    of: fn(&MachineSample) -> f32,
}

const LINES: [Line; 4] = [
    Line { class: "s-core", name: "busiest core", of: |s| s.cores.iter().map(|c| c.busy).fold(0.0, f32::max) },
    Line { class: "s-shard", name: "busiest shard", of: |s| s.shards.iter().map(|c| c.busy).fold(0.0, f32::max) },
    Line {
        class: "s-starved",
        name: "waited for a core",
        of: |s| s.shards.iter().map(|c| c.waited).fold(0.0, f32::max),
    },
    Line { class: "s-steal", name: "stolen by the host", of: |s| s.cores.iter().map(|c| c.steal).fold(0.0, f32::max) },
];

/// A column of the chart: the highest of each in it, and the last look.
struct Looks<'a> {
    highest: [f64; LINES.len()],
    last: &'a MachineSample,
    backlog: u64,
}

fn looks(rows: &[Row]) -> Option<Looks<'_>> {
    let samples = || rows.iter().filter_map(|row| row.machine.as_ref()).filter(|look| !look.shards.is_empty());
    let last = samples().next_back()?;
    let highest = LINES.each_ref().map(|l| samples().map(|s| f64::from((l.of)(s))).fold(0.0, f64::max));
    Some(Looks { highest, last, backlog: rows.iter().map(|row| row.backlog).max().unwrap_or(0) })
}

fn machine(m: &mut Markup, run: &Run) {
    let (width_s, rows) = rows(run.record, MOST);
    let columns: Vec<Option<Looks>> = rows.map(looks).collect();
    if columns.iter().flatten().next().is_none() {
        return nothing(m, "The machine was not watched second by second: there are no samples in this run.");
    }
    let span = width_s * columns.len() as f64;
    let names: Vec<_> = LINES.iter().map(|l| (l.class, l.name)).collect();
    legend(m, "narrow", &names);
    let most = LINES.each_ref().map(|l| columns.iter().flatten().map(|c| c.highest[place(l)]).fold(0.0, f64::max));
    let told: Vec<_> = LINES.iter().zip(most).map(|(l, most)| format!("{} {}", l.name, percent(most))).collect();
    let spoken = format!("At most: {}.", told.join(", "));
    let y = Scale::linear(1.0);
    let chart = Chart {
        id: "machine",
        class: "ends low",
        title: "The generator's machine over time: the highest share of a core's time in each column",
        description: &spoken,
        height: 120.0,
        x: time_axis(span),
        y: axis(y, 2, percent),
        unit: "per core",
    };
    let wide = 1.0 / columns.len() as f64;
    let points = |l: &Line| -> Vec<(f64, f64)> {
        let known = columns.iter().enumerate().filter_map(|(i, c)| Some((i, c.as_ref()?)));
        known.map(|(i, c)| ((i as f64 + 0.5) * wide, y.at(c.highest[place(l)]))).collect()
    };
    chart.draw(
        m,
        |m, height| LINES.iter().for_each(|l| line(m, height, l.class, &points(l))),
        |m, height| {
            let last = |l: &Line| points(l).last().map_or(0.0, |(_, y)| *y);
            let end = |l: &Line| End { class: l.class, at: last(l), name: l.name.to_owned() };
            ends(m, height, &LINES.each_ref().map(end));
            hover(m, height, columns.len(), |i| {
                let from = time_label(i as f64 * width_s, span);
                columns[i].as_ref().map_or_else(|| format!("{from}: not looked"), |c| format!("{from}: {}", said(c)))
            });
        },
    );
    figures(m, &columns, width_s, span);
}

fn place(line: &Line) -> usize {
    LINES.iter().position(|l| l.class == line.class).unwrap_or(0)
}

fn said(looks: &Looks) -> String {
    let shares = LINES.iter().zip(looks.highest).map(|(l, share)| format!("{} {}", l.name, percent(share)));
    let s = looks.last;
    format!(
        "{}; {} resident, {} files open, {} operations waited to begin",
        shares.collect::<Vec<_>>().join(", "),
        bytes(s.rss_bytes),
        count(s.open_files),
        count(looks.backlog)
    )
}

fn figures(m: &mut Markup, columns: &[Option<Looks>], width_s: f64, span: f64) {
    let known = columns.iter().enumerate().filter_map(|(i, c)| Some((i, c.as_ref()?)));
    let rows: Vec<_> = known
        .map(|(i, c)| {
            let from = Cell::head(time_label(i as f64 * width_s, span));
            let s = c.last;
            let ports = s.ports.map_or_else(|| crate::report::number::UNKNOWN.to_owned(), count);
            let held = [bytes(s.rss_bytes), count(s.open_files), ports, count(c.backlog)];
            let cells = c.highest.into_iter().map(percent).chain(held).map(Cell::number);
            std::iter::once(from).chain(cells).collect()
        })
        .collect();
    let columns = [
        "from",
        "#busiest core",
        "#busiest shard",
        "#waited for a core",
        "#steal",
        "#resident",
        "#open files",
        "#ports taken",
        "#waited to begin",
    ];
    behind(m, &format!("The machine every {}", duration_label(width_s * 1e6)), &columns, &rows);
}
